//! A line of past frames, read as whole spans.

use crate::memory::ArenaSlice;

/// One channel's past, up to a fixed number of frames. What lies before the last
/// [`DelayLine::clear`] reads as silence, whatever the memory still holds.
#[derive(Debug)]
pub struct DelayLine {
    frames: ArenaSlice<f32>,
    /// Where the next frame goes.
    cursor: usize,
    /// Frames written since the line was cleared, as far as they can be read.
    written: usize,
}

impl DelayLine {
    /// `[main]` An empty line in this memory: it reaches back as many frames as that has. (Without
    /// any, as while measuring, it must not be used.)
    pub fn new(frames: ArenaSlice<f32>) -> Self {
        Self {
            frames,
            cursor: 0,
            written: 0,
        }
    }

    /// `[audio]` Forgets everything, without touching the memory.
    pub fn clear(&mut self) {
        self.written = 0;
    }

    /// `[any]` Whether nothing was written since.
    pub fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// `[audio]` Reads the frames that lie `delay_frames` before those that are written next, of
    /// which none may be needed: 1 <= `out.len()` <= `delay_frames` <= the line's length.
    pub fn read(&self, delay_frames: usize, out: &mut [f32]) {
        let unwritten = delay_frames.saturating_sub(self.written).min(out.len());
        let (silent, heard) = out.split_at_mut(unwritten);
        silent.fill(0.0);
        let length = self.frames.len();
        let back = delay_frames - unwritten;
        let start = if back <= self.cursor {
            self.cursor - back
        } else {
            self.cursor + length - back
        };
        let first = heard.len().min(length - start);
        let (end, wrapped) = heard.split_at_mut(first);
        end.copy_from_slice(&self.frames[start..start + end.len()]);
        wrapped.copy_from_slice(&self.frames[..wrapped.len()]);
    }

    /// `[audio]` Appends `frames`, at most as many as the line is long.
    pub fn write(&mut self, frames: &[f32]) {
        let length = self.frames.len();
        let (end, wrapped) = frames.split_at(frames.len().min(length - self.cursor));
        self.frames[self.cursor..self.cursor + end.len()].copy_from_slice(end);
        self.frames[..wrapped.len()].copy_from_slice(wrapped);
        self.cursor += frames.len();
        if self.cursor >= length {
            self.cursor -= length;
        }
        self.written = (self.written + frames.len()).min(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Carver, Memory, Region};

    fn line(frames: usize) -> DelayLine {
        let region = Region::map(frames * 4, &Memory::default()).unwrap();
        let mut carver = Carver::carving(region);
        DelayLine::new(carver.slice("line", frames, |_| f32::NAN))
    }

    #[test]
    fn a_line_gives_back_what_went_in_and_silence_before_that() {
        for (length, delay, step) in [(100, 100, 33), (100, 7, 7), (64, 1, 1), (65, 64, 64)] {
            let mut line = line(length);
            for clear_at in [0, 3] {
                line.clear();
                let mut heard = Vec::new();
                for block in 0..40 {
                    let mut out = vec![0.0; step];
                    line.read(delay, &mut out);
                    heard.extend(out);
                    let frames: Vec<f32> = (0..step)
                        .map(|i| (clear_at * 10_000 + block * step + i + 1) as f32)
                        .collect();
                    line.write(&frames);
                }
                for (i, &value) in heard.iter().enumerate() {
                    let expected = match i.checked_sub(delay) {
                        Some(i) => (clear_at * 10_000 + i + 1) as f32,
                        None => 0.0,
                    };
                    assert_eq!(value, expected, "frame {i} of delay {delay} in {length}");
                }
            }
        }
    }
}
