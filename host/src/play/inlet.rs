//! The output callback's view of the input: the frames that wait, and when they came.

use std::time::Instant;

use rtrb::Consumer;

/// What one input callback leaves beside its frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// When the callback began.
    pub(super) at: Instant,
    /// Frames that were pushed up to its end.
    pub(super) pushed_frames: u64,
    /// Frames that it brought.
    pub(super) block_frames: u32,
}

/// The reading ends of both rings.
pub(super) struct Inlet {
    frames: Consumer<f32>,
    stamps: Consumer<Stamp>,
    newest: Option<Stamp>,
    taken_frames: u64,
    rate_hz: f64,
}

impl Inlet {
    /// `[main]` Of a ring of interleaved stereo frames at `rate_hz`, and of one of stamps.
    pub(super) fn new(frames: Consumer<f32>, stamps: Consumer<Stamp>, rate_hz: u32) -> Self {
        Self {
            frames,
            stamps,
            newest: None,
            taken_frames: 0,
            rate_hz: f64::from(rate_hz),
        }
    }

    /// `[any]` Rate of the frames in Hz.
    pub(super) fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// `[audio]` Takes note of the input callbacks so far; gives the newest, if there was one.
    pub(super) fn look(&mut self) -> Option<Stamp> {
        while let Ok(stamp) = self.stamps.pop() {
            self.newest = Some(stamp);
        }
        self.newest
    }

    /// `[any]` Frames in the ring.
    pub(super) fn held_frames(&self) -> usize {
        self.frames.slots() / 2
    }

    /// `[audio]` Frames that have come by `at` and were not taken, as if they came one by one instead of in
    /// blocks: the ring's own count jumps with every callback, this does not.
    pub(super) fn waiting_frames(&self, newest: &Stamp, at: Instant) -> f64 {
        let since_secs = match at.checked_duration_since(newest.at) {
            Some(since) => since.as_secs_f64(),
            None => -newest.at.duration_since(at).as_secs_f64(),
        };
        // An input that has stopped brings no more than the block that is due.
        let block_frames = f64::from(newest.block_frames);
        let since_frames = (since_secs * self.rate_hz).clamp(-block_frames, 2.0 * block_frames);
        let stored = newest.pushed_frames.wrapping_sub(self.taken_frames);
        stored as i64 as f64 + since_frames
    }

    /// `[audio]` Reads as many frames as fit and there are, the rest is silence; gives how many there were.
    pub(super) fn read(&mut self, left: &mut [f32], right: &mut [f32]) -> usize {
        let frames = self.peek(left, right);
        self.skip(frames);
        frames
    }

    /// `[audio]` As [`Inlet::read`], and leaves the frames in the ring.
    pub(super) fn peek(&mut self, left: &mut [f32], right: &mut [f32]) -> usize {
        let frames = left.len().min(self.held_frames());
        self.copy(&mut left[..frames], &mut right[..frames]);
        left[frames..].fill(0.0);
        right[frames..].fill(0.0);
        frames
    }

    /// `[audio]` Fills both channels with the next frames, which stay in the ring; there must be as many.
    fn copy(&mut self, left: &mut [f32], right: &mut [f32]) {
        let Ok(chunk) = self.frames.read_chunk(left.len() * 2) else {
            return;
        };
        // Two slices, since the ring wraps; never inside a frame, as its length is even.
        let (first, second) = chunk.as_slices();
        let frames = first
            .as_chunks::<2>()
            .0
            .iter()
            .chain(second.as_chunks::<2>().0);
        for ((left, right), frame) in left.iter_mut().zip(right.iter_mut()).zip(frames) {
            [*left, *right] = *frame;
        }
    }

    /// `[audio]` Throws frames away, as many as there are.
    pub(super) fn skip(&mut self, frames: usize) {
        let frames = frames.min(self.held_frames());
        if let Ok(chunk) = self.frames.read_chunk(frames * 2) {
            chunk.commit_all();
            self.taken_frames += frames as u64;
        }
    }
}
