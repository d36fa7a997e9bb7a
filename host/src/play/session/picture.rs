//! The panel's picture of a session, and its report at the end.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use headroom_engine::realtime::ThreadFaults;
use headroom_engine::units::gain_to_db;

use super::Session;
use crate::play::health::HealthReport;
use crate::play::live_memory;
use crate::play::panel::Level;
use crate::play::report::PlayReport;
use crate::play::report::RoundTrip;
use crate::play::report::deadline_ns;
use crate::play::shared::Priority;

impl Session<'_> {
    pub(super) fn draw(&mut self) {
        self.drawn = Instant::now();
        if self.terminal.is_none() {
            return;
        }
        let shared = &self.open.shared;
        let health = self.open.controller.health();
        let meters = self.open.controller.meters();
        self.view.seconds = self.seconds();
        self.view.muted = self.muted;
        self.view.ending = self.ending.is_some();
        self.view.panic = self.open.controller.panic_button().is_pressed();
        self.view.recording = self.open.recorder.status();
        self.view.waiting = self.lost.is_some();
        let rate_hz = self.open.facts.sample_rate_hz;
        self.view.output.clone_from(&self.open.facts.output);
        self.view.sample_rate_hz = rate_hz;
        self.view.block_frames = self.open.block_frames;
        self.view.deadline_ns = deadline_ns(self.open.block_frames, rate_hz);
        self.view.latency_frames = self.open.controller.latency_frames();
        self.view.tempo_bpm = self.open.controller.tempo().bpm();
        self.view.master = level(&meters.master);
        self.view.slots = meters
            .slots
            .iter()
            .map(|(id, meter)| (id.clone(), level(meter)))
            .collect();
        self.view.block_ns = [
            health.block_ns.p50,
            health.block_ns.p99,
            health.block_ns.max,
        ];
        self.view.over_deadline = health.over_deadline;
        self.view.xruns = shared.xruns();
        self.view.input_gaps =
            shared.input_underruns.load(Relaxed) + shared.input_overruns.load(Relaxed);
        self.view.allocations = shared.allocations.load(Relaxed);
        self.view.deallocations = shared.deallocations.load(Relaxed);
        let faults = self.faults();
        self.view.faults = faults.minor + faults.major;
        self.view.health = self.health();
        self.view.realtime = shared.priority() != Priority::Normal;
        self.view.midi = self.desk.lines(&self.open.controller);
        if let Some(terminal) = &mut self.terminal {
            terminal.draw(&self.view);
        }
    }

    pub(super) fn health(&self) -> HealthReport {
        let mut health = self.open.controller.health();
        health.switches = health.switches.or(self.switches);
        let slots = self.open.controller.slot_health();
        HealthReport::new(&health, slots, self.first_violation.as_ref())
    }

    /// Page faults of all the audio threads there were.
    pub(super) fn faults(&self) -> ThreadFaults {
        ThreadFaults {
            minor: self.faults_before.minor + self.faults.minor,
            major: self.faults_before.major + self.faults.major,
        }
    }

    pub(super) fn report(&mut self) -> PlayReport {
        if let Some(lost) = self.lost.take() {
            self.absence.away += lost.way_back.away();
        }
        self.look_at_stack(true);
        let rack_frames = self.open.controller.latency_frames();
        let latency = self.open.running.as_ref().and_then(|it| it.latency());
        let mut report = PlayReport::gather(
            &self.open.facts,
            self.open.block_frames,
            rack_frames,
            &self.open.shared,
            &self.open.controller.health(),
            self.faults(),
            self.absence,
        )
        .with_earlier(&self.open.earlier);
        report.audio_thread.stack = self.stack.fullest();
        PlayReport {
            memory: self
                .plan
                .args
                .memory
                .then(|| live_memory::report(&self.open)),
            health: self.health(),
            rights: self.rights.report(),
            recording: self.open.recorder.asked_report(),
            takes: self.open.recorder.other_reports(),
            midi: self.desk.counts(),
            preset_changes: self.preset_changes,
            tempo_bpm: self.open.controller.tempo().bpm(),
            round_trip: latency.and_then(|it| RoundTrip::of(&self.open.facts, it, rack_frames)),
            ..report
        }
    }
}

fn level(meter: &headroom_engine::Level) -> Level {
    let decibels = |linear: [f32; 2]| linear.map(gain_to_db);
    Level {
        peak_db: decibels(meter.peak),
        hold_db: decibels(meter.hold),
        rms_db: decibels(meter.rms),
    }
}
