//! From the input callback to the output callback: two devices, or two clients of one server, in
//! whatever order they are called.
//!
//! As long as both run by one clock the frames pass as they are, bit by bit (`direct`). Two clocks never
//! agree: then the frames are resampled at a ratio that follows them (`steered`), from the start where
//! the devices are known to differ, and otherwise from when they are seen to drift apart.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use cpal::FromSample;
use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::direct::Direct;
use super::inlet::Inlet;
use super::inlet::Stamp;
use super::retimer::Past;
use super::retimer::Retimer;
use super::routing::Layout;
use super::shared::Shared;
use super::steered::Steered;
use super::trend::Trend;
use crate::memory::ring_place;

/// The cushion is at most so many blocks ...
const MAX_CUSHION_BLOCKS: usize = 4;
/// ... or so many seconds: some servers deliver small blocks in large heaps. Beyond, the machine is
/// overloaded and latency would not help.
const MAX_CUSHION_SECS: f64 = 0.1;
/// Input callbacks between two output callbacks that are told one by one; of more, the newest are not.
const STAMPS: usize = 256;
/// Seconds of live input that may wait for the output callback.
const CAPACITY_SECS: f64 = 0.75;
/// What one callback adds to the average that is reported.
const SMOOTHING: f64 = 0.01;

/// `[any]` The largest cushion in frames, for blocks of a size.
pub(super) fn max_cushion_frames(block_frames: f64, rate_hz: f64) -> f64 {
    (MAX_CUSHION_BLOCKS as f64 * block_frames).max(MAX_CUSHION_SECS * rate_hz)
}

/// What two devices are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// One device or one server: the same clock, until the opposite is seen.
    One,
    /// Two devices, each by its own clock.
    Two,
}

/// What a bridge is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct BridgePlan {
    pub(super) clocks: Clocks,
    pub(super) input_rate_hz: u32,
    pub(super) output_rate_hz: u32,
    /// Frames of the largest block that is expected; larger ones work, and may have to be cut.
    pub(super) max_block_frames: usize,
}

/// `[main]` Makes both ends, with all the memory they will ever use.
///
/// # Errors
/// The two rates are too far apart.
pub(super) fn bridge(
    plan: &BridgePlan,
    shared: &Arc<Shared>,
) -> Result<(Capture, LiveInput), rubato::ResamplerConstructionError> {
    let retimer = Retimer::new(
        plan.input_rate_hz,
        plan.output_rate_hz,
        plan.max_block_frames,
    )?;
    // Room for a block on its way and for the largest cushion, whatever the block.
    let block_frames = retimer.nominal_input_frames(plan.max_block_frames).ceil() as usize;
    let least_frames = (MAX_CUSHION_BLOCKS + 3) * block_frames;
    let capacity_frames =
        ((CAPACITY_SECS * f64::from(plan.input_rate_hz)) as usize).max(least_frames);
    let (mut producer, consumer) = RingBuffer::new(capacity_frames * 2);
    let ring = ring_place(&mut producer);
    // Every page is touched before a callback does it.
    if let Ok(chunk) = producer.write_chunk_uninit(capacity_frames * 2) {
        chunk.fill_from_iter(std::iter::repeat(0.0));
    }
    let (mut stamper, stamps) = RingBuffer::new(STAMPS);
    let stamp_ring = ring_place(&mut stamper);
    let is_steered = plan.clocks == Clocks::Two || plan.input_rate_hz != plan.output_rate_hz;
    shared.resampled.store(is_steered, Relaxed);
    let capture = Capture {
        producer,
        stamper,
        pushed_frames: capacity_frames as u64,
        shared: Arc::clone(shared),
    };
    let mut inlet = Inlet::new(consumer, stamps, plan.input_rate_hz);
    inlet.skip(capacity_frames);
    let input = LiveInput {
        inlet,
        rings: [ring, stamp_ring],
        is_steered,
        direct: Direct::new(),
        steered: Steered::new(retimer, plan.input_rate_hz),
        past: Past::new(),
        trend: Trend::new(),
        waits_frames: 0.0,
        drifts: false,
        shared: Arc::clone(shared),
    };
    Ok((capture, input))
}

/// The input callback's end.
pub(super) struct Capture {
    producer: Producer<f32>,
    stamper: Producer<Stamp>,
    pushed_frames: u64,
    shared: Arc<Shared>,
}

impl Capture {
    /// `[audio]` Takes one interleaved input block; `at` is when its callback began.
    ///
    /// A full ring loses the newest frames, and that is counted: the output has stopped taking, and
    /// nothing the input thread may do would change it.
    pub(super) fn push<T>(&mut self, data: &[T], layout: Layout, at: Instant)
    where
        T: Copy,
        f32: FromSample<T>,
    {
        let offered_frames = data.len() / layout.count();
        let block_frames = offered_frames.try_into().unwrap_or(u32::MAX);
        self.shared.capture_frames.store(block_frames, Relaxed);
        let taken_frames = offered_frames.min(self.producer.slots() / 2);
        if taken_frames < offered_frames {
            self.shared.input_overruns.fetch_add(1, Relaxed);
        }
        if let Ok(chunk) = self.producer.write_chunk_uninit(taken_frames * 2) {
            chunk.fill_from_iter(layout.pick(data).flatten());
        }
        self.pushed_frames += taken_frames as u64;
        // Full when the output has stopped taking; the next that finds room tells as much.
        let _full_is_stale = self.stamper.push(Stamp {
            at,
            pushed_frames: self.pushed_frames,
            block_frames,
        });
    }
}

/// The output callback's end.
pub(super) struct LiveInput {
    inlet: Inlet,
    /// Where the frames wait, and their stamps.
    rings: [Place; 2],
    /// Whether the frames go the steered way.
    is_steered: bool,
    direct: Direct,
    steered: Steered,
    past: Past,
    trend: Trend,
    /// Frames that wait, on the average, on the direct way.
    waits_frames: f64,
    /// What was seen on the direct way: two clocks.
    drifts: bool,
    shared: Arc<Shared>,
}

impl LiveInput {
    /// `[main]` Lists its memory. The resampler's tables are its crate's own, and not known.
    pub(super) fn list(&self, map: &mut MemoryMap) {
        let bridge = || Owner::Program("live input");
        map.add_heap(bridge(), "itself", Sort::State, Place::at(self, 1));
        map.add_heap(bridge(), "frames", Sort::Ring, self.rings[0]);
        map.add_heap(bridge(), "time stamps", Sort::Ring, self.rings[1]);
        for place in self.steered.places() {
            map.add_heap(bridge(), "resampler's buffer", Sort::Samples, place);
        }
    }

    /// `[audio]` Throws away what has come in so far.
    pub(super) fn flush(&mut self) {
        self.inlet.skip(self.inlet.held_frames());
        self.direct.restart();
        self.steered.restart();
        self.trend.reset();
    }

    /// `[audio]` Once a callback, before its pieces: it began at `at` and asks for `frames` in all.
    pub(super) fn begin(&mut self, at: Instant, frames: usize) {
        let Some(newest) = self.inlet.look() else {
            return;
        };
        if !self.is_steered && !self.direct.is_waiting() {
            self.watch(&newest, at, frames);
        }
        if !self.is_steered && self.drifts {
            self.leave_direct(frames);
        }
        if self.is_steered {
            self.steered
                .begin(&mut self.inlet, &newest, at, frames, &self.shared);
        }
    }

    /// `[audio]` On the direct way: whether both clocks are one.
    fn watch(&mut self, newest: &Stamp, at: Instant, frames: usize) {
        let rate_hz = self.inlet.rate_hz();
        let waiting_frames = self.inlet.waiting_frames(newest, at);
        let waits_frames = waiting_frames - f64::from(newest.block_frames);
        self.waits_frames += SMOOTHING * (waits_frames - self.waits_frames);
        self.shared.tell_bridge(self.waits_frames, 0.0);
        if let Some(slope) = self.trend.see(waiting_frames, frames as f64 / rate_hz) {
            self.steered.assume(slope / rate_hz);
            self.drifts = true;
        }
    }

    /// `[audio]` Goes over to the steered way where that is not heard: with enough frames to look ahead, or
    /// in the gap that the drift has just caused.
    fn leave_direct(&mut self, frames: usize) {
        let inlet = &mut self.inlet;
        if self.direct.is_waiting() || self.steered.begin_after(&self.past, inlet, frames) {
            self.is_steered = true;
            self.shared.resampled.store(true, Relaxed);
        }
    }

    /// `[audio]` Fills both channels (of equal length) with the next frames, or silence.
    pub(super) fn fill(&mut self, left: &mut [f32], right: &mut [f32]) {
        let (inlet, shared) = (&mut self.inlet, &self.shared);
        if self.is_steered {
            self.steered.fill(inlet, left, right, shared);
            return;
        }
        if !self.direct.fill(inlet, left, right, shared) {
            self.trend.reset();
        }
        self.past.hear(left, right);
    }
}

#[cfg(test)]
#[path = "bridge_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "drift_tests.rs"]
mod drift_tests;
