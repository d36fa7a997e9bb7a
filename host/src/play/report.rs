//! What `play` says at its end.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use headroom_engine::Health;
use headroom_engine::Tempo;
use headroom_engine::realtime::ThreadFaults;
use serde::Serialize;

use super::backend::DeviceLatency;
use super::backend::Facts;
use super::health::HealthReport;
use super::reconnect::Absence;
use super::record::RecordingReport;
use super::rights::RightsReport;
use super::shared::Priority;
use super::shared::Shared;
use super::trap;
use crate::memory::MemoryReport;
use crate::midi::MidiCounts;
use crate::report::AudioThread;
use crate::report::BlockNs;
use crate::report::dbfs;

/// The object that `--json` ends with. Counts are of every block after the priming block.
#[derive(Debug, Clone, Serialize)]
pub struct PlayReport {
    /// Frames of the programme: input, tail and fade.
    pub frames: u64,
    /// Of which came from the input file.
    pub input_frames: u64,
    /// Sample rate in Hz.
    pub sample_rate_hz: u32,
    /// Length of the programme in seconds.
    pub seconds: f64,
    /// Seconds of sound for each second spent in the rack.
    pub realtime_factor: f64,
    /// Latency of the rack in frames.
    pub latency_frames: usize,
    /// The tempo at the end, in beats a minute.
    pub tempo_bpm: f64,
    /// From the plug that is heard to the plug that is played on, where the audio system knows.
    pub round_trip: Option<RoundTrip>,
    /// Greatest absolute output sample in dBFS; `null` for silence.
    pub peak_dbfs: Option<f64>,
    /// The audio system that was used.
    pub backend: &'static str,
    /// The output device.
    pub output_device: String,
    /// The input device, if it was open.
    pub input_device: Option<String>,
    /// Frames of the device's block.
    pub block_frames: u32,
    /// The time that a block of the device may take, in nanoseconds.
    pub deadline_ns: u64,
    /// Gaps that the device reported, or that the clock of `null` saw.
    pub xruns: u64,
    /// Times the input had no frames, or too many to keep.
    pub input_gaps: u64,
    /// Frames that live input waits between the callbacks of its device and of the output, resampling
    /// included; `null` without live input.
    pub input_wait_frames: Option<u32>,
    /// By how many millionths the clock of the input is faster than the output's, where the two are not
    /// one and the input is resampled; `null` where they are.
    pub input_drift_ppm: Option<f64>,
    /// Blocks that took longer than they last.
    pub late_blocks: u64,
    /// Presets that followed the first.
    pub preset_changes: u64,
    /// Times the device was lost and came back.
    pub reconnects: u64,
    /// Seconds for which there was no device.
    pub away_secs: f64,
    /// Whether the audio thread was scheduled as real-time.
    pub realtime: bool,
    /// What the system grants the program.
    pub rights: RightsReport,
    /// What became of the recording that the command line asked for.
    pub recording: Option<RecordingReport>,
    /// What became of recordings that a key started, or a change of rate.
    pub takes: Vec<RecordingReport>,
    /// What came by MIDI; left out where none is listened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub midi: Option<MidiCounts>,
    /// What is always counted: numbers that are none, queues, pools, the collector.
    pub health: HealthReport,
    /// Where all memory was; left out where nobody asked (`--memory`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryReport>,
    /// What the audio thread did.
    pub audio_thread: AudioThread,
}

/// How late what is played is behind what is heard, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RoundTrip {
    /// From the plug to the input callback, in the words of the audio system.
    pub input_frames: u32,
    /// Between the input and the output callback: none where they are one.
    pub bridge_frames: u32,
    /// In the rack.
    pub rack_frames: u32,
    /// From the output callback to the plug.
    pub output_frames: u32,
    /// All of it.
    pub total_frames: u32,
}

impl RoundTrip {
    /// `[main]` `None` where there is no input, or where not all of it is known.
    pub(super) fn of(facts: &Facts, device: DeviceLatency, rack_frames: usize) -> Option<Self> {
        let input_frames = device.input_frames?;
        let rack_frames = u32::try_from(rack_frames).ok()?;
        facts.duplex.then(|| Self {
            input_frames,
            bridge_frames: 0,
            rack_frames,
            output_frames: device.output_frames,
            total_frames: input_frames + rack_frames + device.output_frames,
        })
    }
}

impl PlayReport {
    /// `[main]` Gathers the figures; call it before the device is closed.
    pub(super) fn gather(
        facts: &Facts,
        block_frames: u32,
        latency_frames: usize,
        shared: &Shared,
        health: &Health,
        faults: ThreadFaults,
        absence: Absence,
    ) -> Self {
        let frames = shared.frames.load(Relaxed);
        let seconds = frames as f64 / f64::from(facts.sample_rate_hz);
        let busy_secs = shared.busy_ns.load(Relaxed) as f64 * 1e-9;
        Self {
            frames,
            input_frames: shared.input_frames.load(Relaxed),
            sample_rate_hz: facts.sample_rate_hz,
            seconds,
            realtime_factor: if busy_secs > 0.0 {
                seconds / busy_secs
            } else {
                0.0
            },
            latency_frames,
            tempo_bpm: Tempo::default().bpm(),
            round_trip: None,
            peak_dbfs: dbfs(shared.peak()),
            backend: facts.backend.name(),
            output_device: facts.output.clone(),
            input_device: facts.input.clone(),
            block_frames,
            deadline_ns: deadline_ns(block_frames, facts.sample_rate_hz),
            xruns: shared.xruns(),
            input_gaps: shared.input_underruns.load(Relaxed) + shared.input_overruns.load(Relaxed),
            input_wait_frames: match facts.input_clock {
                Some(_) => Some(shared.bridge_frames()),
                None => facts.input.as_ref().filter(|_| facts.duplex).map(|_| 0),
            },
            input_drift_ppm: facts.input_clock.and_then(|_| shared.drift_ppm()),
            late_blocks: health.over_deadline,
            preset_changes: 0,
            reconnects: absence.reconnects,
            away_secs: absence.away.as_secs_f64(),
            realtime: shared.priority() == Priority::Realtime,
            rights: RightsReport::default(),
            recording: None,
            takes: Vec::new(),
            midi: None,
            health: HealthReport::default(),
            memory: None,
            audio_thread: AudioThread {
                // Of the whole callback, the rack's own included.
                allocations: shared.allocations.load(Relaxed),
                deallocations: shared.deallocations.load(Relaxed),
                system_calls: trap::system_calls(),
                blocks: health.blocks,
                block_ns: BlockNs {
                    p50: health.block_ns.p50,
                    p99: health.block_ns.p99,
                    max: health.block_ns.max,
                },
                stack: None,
                minor_faults: faults.minor,
                major_faults: faults.major,
            },
        }
    }
}

/// What was counted of racks that were built anew for another rate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier {
    blocks: u64,
    late_blocks: u64,
    longest_ns: u64,
}

impl Earlier {
    /// `[main]` One more, whose blocks are over.
    pub(super) fn add(&mut self, health: &Health) {
        self.blocks += health.blocks;
        self.late_blocks += health.over_deadline;
        self.longest_ns = self.longest_ns.max(health.block_ns.max);
    }
}

impl PlayReport {
    /// `[main]` Adds them. The usual times of a block, p50 and p99, stay those of the newest rack.
    pub(super) fn with_earlier(mut self, earlier: &Earlier) -> Self {
        self.late_blocks += earlier.late_blocks;
        self.audio_thread.blocks += earlier.blocks;
        let longest_ns = &mut self.audio_thread.block_ns.max;
        *longest_ns = earlier.longest_ns.max(*longest_ns);
        self
    }
}

/// How long a block lasts, in nanoseconds.
pub(super) fn deadline_ns(block_frames: u32, sample_rate_hz: u32) -> u64 {
    u64::from(block_frames) * 1_000_000_000 / u64::from(sample_rate_hz.max(1))
}

impl fmt::Display for PlayReport {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = &self.audio_thread;
        let micros = |ns: u64| ns as f64 / 1e3;
        let peak = match self.peak_dbfs {
            Some(peak) => format!("peak {peak:.1} dBFS"),
            None => "silence".to_owned(),
        };
        write!(
            to,
            "played {:.2} s on {} ({} Hz, block {}): {peak}\n\
             blocks {}: p50 {:.1} us, p99 {:.1} us, max {:.1} us of {:.1} us; {} late\n\
             xruns {}, input gaps {}, allocations {}, frees {}, page faults {}{}{}{}{}{}",
            self.seconds,
            self.backend,
            self.sample_rate_hz,
            self.block_frames,
            thread.blocks,
            micros(thread.block_ns.p50),
            micros(thread.block_ns.p99),
            micros(thread.block_ns.max),
            micros(self.deadline_ns),
            self.late_blocks,
            self.xruns,
            self.input_gaps,
            thread.allocations,
            thread.deallocations,
            thread.minor_faults + thread.major_faults,
            thread
                .system_calls
                .map_or(String::new(), |calls| format!(", system calls {calls}")),
            thread
                .stack
                .map_or(String::new(), |stack| format!(", stack: {stack}")),
            self.input_drift_ppm.map_or(String::new(), |ppm| format!(
                "\nthe input has a clock of its own, {ppm:+.1} ppm: resampled, waits {} frames",
                self.input_wait_frames.unwrap_or(0)
            )),
            match self.away_secs > 0.0 {
                true => format!(
                    "\nthe device was away for {:.1} s and came back {} times",
                    self.away_secs, self.reconnects
                ),
                false => String::new(),
            },
            match self.midi {
                Some(midi) => format!(
                    "\nMIDI messages {}, superseded {}, dropped {}",
                    midi.events, midi.superseded, midi.dropped
                ),
                None => String::new(),
            },
        )?;
        let health = &self.health;
        write!(
            to,
            "\nno numbers {}, flushed to zero {}, context switches {}\nmost at once: {}",
            health.named(health.muted_chunks, |slot| slot.not_finite_chunks),
            health.named(health.flushed_blocks, |slot| slot.flushed_chunks),
            health
                .context_switches
                .map_or("unknown".to_owned(), |it| format!(
                    "{} (and {} against its will)",
                    it.voluntary, it.involuntary
                )),
            health.marks(),
        )?;
        for recording in self.recording.iter().chain(&self.takes) {
            write!(to, "\n{recording}")?;
        }
        Ok(())
    }
}
