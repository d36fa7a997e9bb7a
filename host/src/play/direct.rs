//! From input to output by one clock: the frames pass as they are.
//!
//! The fill is held low. It starts at one block, grows by a block or more each time it runs dry (the two
//! callbacks then do not alternate, and need the cushion), and what piles up beyond that is thrown
//! away: a second of silence at start-up must not become a second of latency.

use std::sync::atomic::Ordering::Relaxed;

use super::bridge::max_cushion_frames;
use super::inlet::Inlet;
use super::shared::Shared;

/// Frames over which the lowest fill is watched before anything is thrown away.
const WATCH_FRAMES: usize = 48_000;

/// The state of the direct way.
#[derive(Debug)]
pub(super) struct Direct {
    /// Whether the ring ran dry (or never was full) and is being refilled.
    waiting: bool,
    cushion_frames: usize,
    lowest_left_frames: usize,
    watched_frames: usize,
}

impl Direct {
    /// `[any]` Nothing has come yet.
    pub(super) fn new() -> Self {
        Self {
            waiting: true,
            cushion_frames: 0,
            lowest_left_frames: usize::MAX,
            watched_frames: 0,
        }
    }

    /// `[audio]` The ring has been emptied.
    pub(super) fn restart(&mut self) {
        self.waiting = true;
    }

    /// `[any]` Whether there is no sound, since the ring is being filled.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// `[audio]` Fills both channels (of equal length) with the next frames, or silence; `false` when the
    /// flow was broken: frames lacked, or were thrown away.
    pub(super) fn fill(
        &mut self,
        inlet: &mut Inlet,
        left: &mut [f32],
        right: &mut [f32],
        shared: &Shared,
    ) -> bool {
        let frames = left.len();
        let held_frames = inlet.held_frames();
        let captured_frames = shared.capture_frames.load(Relaxed) as usize;
        let block_frames = frames.max(captured_frames);

        if self.waiting {
            if held_frames < block_frames + self.cushion_frames || held_frames == 0 {
                left.fill(0.0);
                right.fill(0.0);
                return false;
            }
            self.waiting = false;
            self.watch_anew();
            // More than the start asks for has piled up while nobody listened.
            inlet.skip(held_frames - block_frames - self.cushion_frames);
        }

        if inlet.read(left, right) < frames {
            shared.input_underruns.fetch_add(1, Relaxed);
            self.waiting = true;
            // By a block, then twice as much each time: where heaps come, the right size is found soon.
            let wanted_frames = (self.cushion_frames + block_frames).max(2 * self.cushion_frames);
            let most_frames = max_cushion_frames(block_frames as f64, inlet.rate_hz()) as usize;
            self.cushion_frames = wanted_frames.min(most_frames);
            return false;
        }
        self.watch(inlet, frames, block_frames, shared)
    }

    /// `[audio]` Drops what stays in the ring however low it gets: a stall, or clocks that drift.
    fn watch(
        &mut self,
        inlet: &mut Inlet,
        frames: usize,
        block_frames: usize,
        shared: &Shared,
    ) -> bool {
        self.lowest_left_frames = self.lowest_left_frames.min(inlet.held_frames());
        self.watched_frames += frames;
        if self.watched_frames < WATCH_FRAMES {
            return true;
        }
        let wanted_frames = self.cushion_frames + block_frames;
        let surplus_frames = self.lowest_left_frames.saturating_sub(wanted_frames);
        if surplus_frames > 0 {
            inlet.skip(surplus_frames);
            shared.input_overruns.fetch_add(1, Relaxed);
        }
        self.watch_anew();
        surplus_frames == 0
    }

    fn watch_anew(&mut self) {
        self.lowest_left_frames = usize::MAX;
        self.watched_frames = 0;
    }
}
