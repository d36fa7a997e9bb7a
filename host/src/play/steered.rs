//! From input to output by two clocks: the frames are resampled at a ratio that follows both.
//!
//! How many frames are to wait follows from the blocks of both devices and a cushion for callbacks that
//! come late. The cushion grows when it is nearly used up, without a gap, and shrinks again when it has
//! long been larger than needed.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use headroom_engine::memory::Place;

use super::bridge::max_cushion_frames;
use super::inlet::Inlet;
use super::inlet::Stamp;
use super::pace::Pace;
use super::retimer::AHEAD_FRAMES;
use super::retimer::Past;
use super::retimer::Retimer;
use super::shared::Shared;

/// The smallest cushion: this and a part of the larger block, since callbacks of large blocks come late by
/// more. Half of it must always be left.
const LEAST_CUSHION_SECS: f64 = 0.001;
const LEAST_CUSHION_BLOCKS: f64 = 0.125;
/// How long the lowest reserve is watched before the cushion follows.
const WATCH_SECS: f64 = 1.0;
/// How many such times a larger cushion than needed is kept.
const PATIENT_WATCHES: u32 = 30;
/// How fast the wanted delay may move: 100 millionths, a sixth of a cent.
const GLIDE: f64 = 0.0001;
/// How long the largest block counts after it was seen.
const BLOCK_MEMORY_SECS: f64 = 10.0;

/// The state of the steered way.
pub(super) struct Steered {
    retimer: Retimer,
    pace: Pace,
    /// Whether there is no sound, since the ring is being filled.
    waiting: bool,
    /// What is added to the smallest cushion.
    extra_frames: f64,
    /// How many frames are to wait now, on the way to how many are wanted; none yet after a lock.
    target_frames: Option<f64>,
    /// Whether many more are wanted than wait now: larger blocks have been seen, or later callbacks.
    is_gliding_up: bool,
    input_block: Largest,
    output_block: Largest,
    watch: Watch,
    /// Of the callback before.
    elapsed_secs: f64,
    /// Rate of the input in Hz, and output frames for each of its frames.
    rate_hz: f64,
    ratio: f64,
}

impl Steered {
    /// `[main]` Between two rates in Hz.
    pub(super) fn new(retimer: Retimer, input_rate_hz: u32) -> Self {
        Self {
            pace: Pace::new(input_rate_hz),
            waiting: true,
            extra_frames: 0.0,
            target_frames: None,
            is_gliding_up: false,
            input_block: Largest::default(),
            output_block: Largest::default(),
            watch: Watch::default(),
            elapsed_secs: 0.0,
            rate_hz: f64::from(input_rate_hz),
            ratio: 1.0 / retimer.nominal_input_frames(1),
            retimer,
        }
    }

    /// `[main]` Where its buffers are.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.retimer.places()
    }

    /// `[audio]` The ring has been emptied.
    pub(super) fn restart(&mut self) {
        self.waiting = true;
    }

    /// `[audio]` Takes a drift that was measured otherwise.
    pub(super) fn assume(&mut self, drift: f64) {
        self.pace.assume(drift);
    }

    /// `[audio]` Goes on from the direct way in the middle of sound, if enough frames wait for the next
    /// `frames` and for the filter.
    pub(super) fn begin_after(&mut self, past: &Past, inlet: &mut Inlet, frames: usize) -> bool {
        if inlet.held_frames() < frames + AHEAD_FRAMES + 2 || !self.retimer.begin_after(past, inlet)
        {
            return false;
        }
        self.lock(1.0);
        true
    }

    fn lock(&mut self, speed: f64) {
        self.pace.lock(speed);
        self.watch = Watch::default();
        self.target_frames = None;
        self.waiting = false;
    }

    /// `[audio]` Once a callback, which began at `at` and asks for `frames`: measures, and sets the speed.
    pub(super) fn begin(
        &mut self,
        inlet: &mut Inlet,
        newest: &Stamp,
        at: Instant,
        frames: usize,
        shared: &Shared,
    ) {
        let taken_frames = self.retimer.nominal_input_frames(frames);
        let elapsed_secs = std::mem::replace(&mut self.elapsed_secs, taken_frames / self.rate_hz);
        let input_block = f64::from(newest.block_frames);
        let input_block_frames = self.input_block.see(input_block, elapsed_secs);
        let output_block_frames = self.output_block.see(taken_frames, elapsed_secs);
        let least_frames = self.least_cushion_frames();
        let cushion_frames = least_frames + self.extra_frames;
        // What the pieces take, what may still be on its way, and the cushion.
        let wanted_frames = output_block_frames + input_block_frames + cushion_frames + 2.0;
        let mut waiting_frames = inlet.waiting_frames(newest, at) + self.retimer.ahead_frames();

        if self.waiting {
            let enough = inlet.held_frames() as f64 >= taken_frames + 0.5 * least_frames;
            if waiting_frames < wanted_frames || !enough {
                return;
            }
            let surplus_frames = (waiting_frames - wanted_frames).floor();
            inlet.skip(surplus_frames as usize);
            waiting_frames -= surplus_frames;
            let speed = 1.0 + self.pace.drift();
            self.retimer.reset(speed);
            self.lock(speed);
        }

        let jitter_frames = (0.5 * input_block_frames.max(output_block_frames)).max(least_frames);
        let glide_frames = GLIDE * self.rate_hz * elapsed_secs;
        let target_frames = self.target_frames.unwrap_or(waiting_frames);
        let target_frames =
            wanted_frames.clamp(target_frames - glide_frames, target_frames + glide_frames);
        self.target_frames = Some(target_frames);
        self.is_gliding_up = target_frames + 0.5 * least_frames < wanted_frames;
        let excess_frames = waiting_frames - target_frames;
        let speed = self.pace.steer(excess_frames, jitter_frames, elapsed_secs);
        self.retimer.set_speed(speed);
        // What would be left if the next input block came in the last moment: what really is left swings by
        // a whole block, as the two callbacks pass each other by.
        let left_frames = waiting_frames - (wanted_frames - cushion_frames);
        if self.watch.see(left_frames, elapsed_secs) {
            self.adapt(inlet, target_frames - wanted_frames, shared);
        }

        let waits_frames = target_frames + self.pace.excess_frames() - input_block_frames;
        let delay_frames = self.retimer.delay_frames() as f64;
        shared.tell_bridge(waits_frames * self.ratio + delay_frames, self.pace.drift());
    }

    fn block_frames(&self) -> f64 {
        self.input_block.frames.max(self.output_block.frames)
    }

    fn least_cushion_frames(&self) -> f64 {
        LEAST_CUSHION_SECS * self.rate_hz + LEAST_CUSHION_BLOCKS * self.block_frames()
    }

    /// `[audio]` Makes the cushion follow the lowest reserve of the last second.
    fn adapt(&mut self, inlet: &mut Inlet, to_go_frames: f64, shared: &Shared) {
        let lowest_frames = self.watch.lowest_frames;
        let least_frames = self.least_cushion_frames();
        let guard_frames = 0.5 * least_frames;
        let most_frames = max_cushion_frames(self.block_frames(), self.rate_hz);
        self.watch.anew();
        if lowest_frames > 2.0 * most_frames + least_frames {
            // More than steering could take off in time: a stall has piled it up.
            inlet.skip((lowest_frames - least_frames - self.extra_frames) as usize);
            shared.input_overruns.fetch_add(1, Relaxed);
            let speed = 1.0 + self.pace.drift();
            self.retimer.reset(speed);
            self.lock(speed);
        } else if (to_go_frames + self.pace.excess_frames()).abs() > guard_frames {
            // Not there yet: this reserve says nothing about the cushion.
        } else if lowest_frames < guard_frames {
            let extra_frames = self.extra_frames + guard_frames - lowest_frames;
            self.extra_frames = extra_frames.min(most_frames);
            self.watch.patience = 0;
        } else if lowest_frames > guard_frames + least_frames {
            self.watch.patience += 1;
            if self.watch.patience >= PATIENT_WATCHES {
                // A frame a second: 20 millionths at 48 kHz.
                self.extra_frames = (self.extra_frames - 1.0).max(0.0);
            }
        } else {
            self.watch.patience = 0;
        }
    }

    /// `[audio]` Fills both channels (of equal length) with the next frames, or silence.
    pub(super) fn fill(
        &mut self,
        inlet: &mut Inlet,
        left: &mut [f32],
        right: &mut [f32],
        shared: &Shared,
    ) {
        let longest_frames = self.retimer.max_frames();
        let pieces = left
            .chunks_mut(longest_frames)
            .zip(right.chunks_mut(longest_frames));
        for (left, right) in pieces {
            let planes = match self.waiting {
                true => None,
                false => self.retimer.pull(inlet, left.len()),
            };
            if let Some(planes) = planes {
                left.copy_from_slice(planes[0]);
                right.copy_from_slice(planes[1]);
            } else {
                left.fill(0.0);
                right.fill(0.0);
                self.run_dry(shared);
            }
        }
    }

    /// `[audio]` Waits until the ring is filled again, a block higher; once for each time.
    fn run_dry(&mut self, shared: &Shared) {
        if self.waiting {
            return;
        }
        self.waiting = true;
        shared.input_underruns.fetch_add(1, Relaxed);
        // On the way to a larger cushion it was only too late.
        if !self.is_gliding_up {
            let block_frames = self.block_frames();
            let most_frames = max_cushion_frames(block_frames, self.rate_hz);
            self.extra_frames = (self.extra_frames + block_frames).min(most_frames);
        }
    }
}

/// The largest block of late.
#[derive(Debug, Default)]
struct Largest {
    frames: f64,
    /// The largest since the newest turn of the memory.
    recent_frames: f64,
    elapsed_secs: f64,
}

impl Largest {
    fn see(&mut self, frames: f64, elapsed_secs: f64) -> f64 {
        self.frames = self.frames.max(frames);
        self.recent_frames = self.recent_frames.max(frames);
        self.elapsed_secs += elapsed_secs;
        if self.elapsed_secs > BLOCK_MEMORY_SECS {
            self.frames = self.recent_frames;
            self.recent_frames = 0.0;
            self.elapsed_secs = 0.0;
        }
        self.frames
    }
}

/// The lowest reserve of late.
#[derive(Debug)]
struct Watch {
    lowest_frames: f64,
    elapsed_secs: f64,
    patience: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            lowest_frames: f64::INFINITY,
            elapsed_secs: 0.0,
            patience: 0,
        }
    }
}

impl Watch {
    /// Whether it is time to look.
    fn see(&mut self, left_frames: f64, elapsed_secs: f64) -> bool {
        self.lowest_frames = self.lowest_frames.min(left_frames);
        self.elapsed_secs += elapsed_secs;
        self.elapsed_secs >= WATCH_SECS
    }

    fn anew(&mut self) {
        self.lowest_frames = f64::INFINITY;
        self.elapsed_secs = 0.0;
    }
}
