//! The few words that the audio thread and the main thread write for each other.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;

use headroom_engine::realtime::StackCell;
use headroom_engine::realtime::ViolationCounts;

/// Counters and flags between the callbacks (audio) and the session (main).
///
/// Counters are statistics: each has one kind of writer, stands alone, and is read whenever; so
/// they are `Relaxed`. The flags that carry an order say so at their accessors.
#[derive(Debug, Default)]
pub(super) struct Shared {
    running: AtomicBool,
    stop: AtomicBool,
    finished: AtomicBool,
    lost: AtomicU8,
    realtime: AtomicU8,
    /// The stack of the output callback's thread. Writer: output callback.
    pub(super) stack: StackCell,
    /// Callbacks of the output, trial included. Writer: output callback.
    pub(super) callbacks: AtomicU64,
    /// Frames the device has asked for, trial and priming included. Writer: output callback.
    pub(super) asked_frames: AtomicU64,
    /// Frames of the programme: after the priming block, up to the end. Writer: output callback.
    pub(super) frames: AtomicU64,
    /// Frames that came from the input file. Writer: output callback.
    pub(super) input_frames: AtomicU64,
    /// Allocations inside the guarded callbacks. Writers: both callbacks.
    pub(super) allocations: AtomicU64,
    /// Frees inside the guarded callbacks. Writers: both callbacks.
    pub(super) deallocations: AtomicU64,
    /// Nanoseconds spent in the processor. Writer: output callback.
    pub(super) busy_ns: AtomicU64,
    /// Bits of the greatest absolute output sample (an `f32`, linear). Writer: output callback.
    peak_bits: AtomicU32,
    /// Xruns that the device reported, or that the null clock saw. Writers: error callbacks.
    device_xruns: AtomicU64,
    /// Times the programme ran out of input (file or device). Writer: output callback.
    pub(super) input_underruns: AtomicU64,
    /// Times input was thrown away to keep the latency bounded. Writers: both callbacks.
    pub(super) input_overruns: AtomicU64,
    /// Frames by which the rack is late. Writer: main, reader: the device.
    pub(super) rack_latency_frames: AtomicU32,
    /// Frames of the newest input callback. Writer: input callback, reader: output callback.
    pub(super) capture_frames: AtomicU32,
    /// Whether the live input is resampled. Writer: output callback (before it, whoever makes the bridge).
    pub(super) resampled: AtomicBool,
    /// Output frames that live input waits between the two callbacks. Writer: output callback.
    bridge_frames: AtomicU32,
    /// How much faster the input's clock runs, in thousand millionths. Writer: output callback.
    drift_ppb: AtomicI32,
}

/// How the device went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The device or its server is gone.
    Gone,
    /// The device still stands, but not with this rate or format.
    Changed,
}

/// What the audio thread learned about its own scheduling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// Not asked yet.
    Unknown,
    /// Real-time (first in, first out, or round robin).
    Realtime,
    /// The system refused real-time scheduling.
    Normal,
}

impl Shared {
    /// `[main]` Ends the trial: the output callback primes the rack and plays.
    pub(super) fn run(&self) {
        // Release: with `running`, so that all that was set up before is seen by the callback.
        self.running.store(true, Release);
    }

    /// `[audio]` Whether the trial is over.
    pub(super) fn running(&self) -> bool {
        self.running.load(Acquire)
    }

    /// `[main]` Asks the output callback to fade out and end.
    pub(super) fn stop(&self) {
        self.stop.store(true, Relaxed);
    }

    /// `[audio]` Whether the end was asked for.
    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// `[audio]` The last frame of the programme has been written.
    pub(super) fn finish(&self) {
        // Release: whoever sees the end also sees the final counters.
        self.finished.store(true, Release);
    }

    /// `[main]` Whether the programme is over.
    pub(super) fn finished(&self) -> bool {
        self.finished.load(Acquire)
    }

    /// `[main]` Seconds of the input file that were played, all of them at `sample_rate_hz`.
    pub(super) fn input_secs(&self, sample_rate_hz: u32) -> f64 {
        self.input_frames.load(Relaxed) as f64 / f64::from(sample_rate_hz)
    }

    /// `[audio]` Counts what this thread has allocated and freed inside the guard since `before`.
    pub(super) fn count_violations(&self, before: ViolationCounts) {
        let counts = ViolationCounts::of_this_thread().since(before);
        if !counts.is_zero() {
            self.allocations.fetch_add(counts.allocations, Relaxed);
            self.deallocations.fetch_add(counts.deallocations, Relaxed);
        }
    }

    /// `[audio]` Counts a gap, once the programme has begun: starting up may take its time.
    pub(super) fn count_xrun(&self) {
        if self.frames.load(Relaxed) > 0 {
            self.device_xruns.fetch_add(1, Relaxed);
        }
    }

    /// `[main]` Gaps that the device reported, or that the null clock saw.
    pub(super) fn xruns(&self) -> u64 {
        self.device_xruns.load(Relaxed)
    }

    /// `[any]` Notes that the device is lost; the first note stands.
    pub(super) fn lose(&self, loss: Loss) {
        let code = match loss {
            Loss::Gone => 1,
            Loss::Changed => 2,
        };
        let _first_stands = self.lost.compare_exchange(0, code, Relaxed, Relaxed);
    }

    /// `[main]` The device is there again, and all that knew of the loss has ended.
    pub(super) fn found(&self) {
        self.lost.store(0, Relaxed);
    }

    /// `[any]` How the device was lost, if it was.
    pub(super) fn lost(&self) -> Option<Loss> {
        match self.lost.load(Relaxed) {
            0 => None,
            1 => Some(Loss::Gone),
            _ => Some(Loss::Changed),
        }
    }

    /// `[audio]` Notes the scheduling that the audio thread got.
    pub(super) fn set_priority(&self, realtime: bool) {
        self.realtime.store(if realtime { 1 } else { 2 }, Relaxed);
    }

    /// `[main]` The scheduling of the audio thread.
    pub(super) fn priority(&self) -> Priority {
        match self.realtime.load(Relaxed) {
            0 => Priority::Unknown,
            1 => Priority::Realtime,
            _ => Priority::Normal,
        }
    }

    /// `[audio]` Tells how long live input waits, and how much faster than nominal its clock runs.
    pub(super) fn tell_bridge(&self, waiting_frames: f64, drift: f64) {
        self.bridge_frames
            .store(waiting_frames.max(0.0).round() as u32, Relaxed);
        self.drift_ppb.store((drift * 1e9).round() as i32, Relaxed);
    }

    /// `[main]` Times the input had no frames, or too many to keep.
    pub(super) fn input_gaps(&self) -> u64 {
        self.input_underruns.load(Relaxed) + self.input_overruns.load(Relaxed)
    }

    /// `[main]` Output frames that live input waits between the two callbacks, its resampling included.
    pub(super) fn bridge_frames(&self) -> u32 {
        self.bridge_frames.load(Relaxed)
    }

    /// `[main]` By how many millionths the input's clock is faster, once the input is resampled.
    pub(super) fn drift_ppm(&self) -> Option<f64> {
        let drift_ppb = self.drift_ppb.load(Relaxed);
        self.resampled
            .load(Relaxed)
            .then(|| f64::from(drift_ppb) / 1e3)
    }

    /// `[audio]` Raises the greatest absolute output sample.
    pub(super) fn raise_peak(&self, peak: f32) {
        // Only the output callback writes, and it is alone: load and store need not be one step.
        if peak > f32::from_bits(self.peak_bits.load(Relaxed)) {
            self.peak_bits.store(peak.to_bits(), Relaxed);
        }
    }

    /// `[main]` The greatest absolute output sample so far, linear.
    pub(super) fn peak(&self) -> f32 {
        f32::from_bits(self.peak_bits.load(Relaxed))
    }
}
