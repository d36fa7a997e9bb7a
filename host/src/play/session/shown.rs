//! What is shown of a session: the description of its rack, its health, its memory.

use std::sync::atomic::Ordering::Relaxed;

use headroom_engine::health_info;
use headroom_ipc::board::Description;
use headroom_ipc::board::DeviceInfo;
use headroom_ipc::board::HealthInfo;
use headroom_ipc::board::MemoryInfo;
use headroom_ipc::board::MemoryPart;
use headroom_ipc::board::ModuleInfo;

use super::Session;
use crate::play::live_memory;
use crate::play::report::deadline_ns;
use crate::play::shared::Priority;
use crate::play::trap;

impl Session<'_> {
    /// What there is.
    pub(super) fn description(&self, modules: Vec<ModuleInfo>) -> Description {
        let controller = &self.open.controller;
        let Some(remote) = &self.remote else {
            return Description::default();
        };
        Description {
            program: format!("headroom {}", env!("CARGO_PKG_VERSION")),
            rack: controller.spec().name.clone(),
            preset: self.desk.preset_name(),
            is_changed: controller.undo_label().is_some(),
            kinds: remote.kinds.clone(),
            latency_frames: modules.iter().map(|module| module.latency_frames).sum(),
            modules,
            device: self.device_info(),
            choices: self.choices.clone(),
            presets: remote.presets.clone(),
            undo: controller.undo_label(),
            redo: controller.redo_label(),
            compared: remote.compared,
            delta: controller.delta().map(str::to_owned),
            muted: self.muted,
            panic: controller.panic_button().is_pressed(),
            recording: self.open.recorder.status().is_some(),
            midi: self.desk.listening_to(),
            learning: self.desk.learning(),
            bindings: self.desk.bindings(),
            scale_percent: None,
            tempo_bpm: controller.tempo().bpm(),
            tempo_is_hosts: false,
        }
    }

    fn device_info(&self) -> DeviceInfo {
        let facts = &self.open.facts;
        DeviceInfo {
            backend: facts.backend.to_string(),
            output: facts.output.clone(),
            input: self.view.source.clone(),
            sample_rate_hz: facts.sample_rate_hz,
            block_frames: self.open.block_frames,
            channels: self.open.controller.stream().channels() as u8,
            waiting: self.lost.is_some(),
            changeable: true,
            inputs: self.plan.args.inputs.clone().unwrap_or_default(),
            outputs: self.plan.args.outputs.clone().unwrap_or_default(),
        }
    }

    /// How the audio thread does.
    pub(super) fn health_info(&self) -> HealthInfo {
        let controller = &self.open.controller;
        let health = controller.health();
        let shared = &self.open.shared;
        let faults = self.faults();
        let rights = self.rights.report();
        HealthInfo {
            frames: shared.frames.load(Relaxed),
            seconds: self.seconds(),
            deadline_ns: deadline_ns(self.open.block_frames, self.open.facts.sample_rate_hz),
            xruns: shared.xruns(),
            input_gaps: shared.input_gaps(),
            allocations: shared.allocations.load(Relaxed),
            deallocations: shared.deallocations.load(Relaxed),
            faults: [faults.minor, faults.major],
            switches: health.switches.map_or([0; 2], |switches| {
                [switches.voluntary, switches.involuntary]
            }),
            system_calls: trap::system_calls(),
            stack: self
                .stack
                .fullest()
                .map(|stack| (stack.used_bytes, stack.limit_bytes)),
            realtime: shared.priority() == Priority::Realtime,
            locked: rights.audio_bytes > 0 && rights.audio_locked_bytes >= rights.audio_bytes,
            reconnects: self.absence.reconnects,
            recording: self
                .open
                .recorder
                .status()
                .map(|recording| (recording.seconds, recording.dropped_frames)),
            violation: self.first_violation.as_ref().map(ToString::to_string),
            messages: self
                .remote
                .as_ref()
                .map(|remote| remote.messages.iter().cloned().collect())
                .unwrap_or_default(),
            ..health_info(controller)
        }
    }

    /// Where its memory is.
    pub(super) fn memory_info(&self) -> MemoryInfo {
        let report = live_memory::report(&self.open);
        let mut parts: Vec<MemoryPart> = report
            .parts
            .iter()
            .map(|part| {
                let flags = [part.locked, part.huge, part.prefaulted, part.shared];
                let bits = flags.iter().enumerate();
                MemoryPart {
                    owner: part.owner.clone(),
                    name: part.name.clone(),
                    sort: part.sort.clone(),
                    inside: part.inside,
                    address: part.address as u64,
                    bytes: part.bytes as u64,
                    pages: bits.fold(0, |all, (bit, on)| all | u8::from(*on) << bit),
                }
            })
            .collect();
        let mut bytes = report.bytes as u64;
        if let Some(remote) = &self.remote {
            let segment = remote.server.memory_part();
            bytes += segment.bytes;
            parts.push(segment);
        }
        MemoryInfo {
            parts,
            bytes,
            resident_bytes: report
                .mappings
                .map_or(0, |mappings| mappings.rss_bytes as u64),
        }
    }
}
