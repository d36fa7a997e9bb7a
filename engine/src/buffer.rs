//! One channel's sound, where vectors like it.

use std::ops::{Deref, DerefMut};

use crate::block::ALIGNMENT_BYTES;

/// A fixed number of samples that start on a multiple of [`ALIGNMENT_BYTES`]. What is processed in
/// such buffers need not be copied.
///
/// ```
/// let buffer = headroom_engine::Buffer::silent(480);
/// assert_eq!(buffer.len(), 480);
/// assert_eq!(buffer.as_ptr().addr() % 64, 0);
/// ```
#[derive(Debug)]
pub struct Buffer {
    /// Longer than asked for by what may have to be skipped; never moved, since it never grows.
    samples: Vec<f32>,
    start: usize,
    frames: usize,
}

impl Buffer {
    /// `[main]` `frames` samples of silence; each page of them has been touched.
    pub fn silent(frames: usize) -> Self {
        let spare = ALIGNMENT_BYTES / size_of::<f32>();
        let mut samples = vec![0.0; frames + spare];
        // Zeroed memory is not there yet: writing to it puts it there.
        std::hint::black_box(&mut samples).fill(0.0);
        let start = samples.as_ptr().align_offset(ALIGNMENT_BYTES).min(spare);
        Self {
            samples,
            start,
            frames,
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.samples[self.start..self.start + self.frames]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.samples[self.start..self.start + self.frames]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_buffer_is_aligned_and_as_long_as_asked_for() {
        for frames in (0..300).chain([4_096, 65_537]) {
            let mut buffer = Buffer::silent(frames);
            assert_eq!(buffer.len(), frames);
            assert_eq!(buffer.as_ptr().addr() % ALIGNMENT_BYTES, 0);
            buffer.fill(1.0);
            assert_eq!(buffer.iter().sum::<f32>(), frames as f32);
        }
    }
}
