//! What plays: activation, blocks, tail.
#![allow(unsafe_code)]

use std::sync::Arc;

use clack_extensions::audio_ports_activation::{PluginAudioPortsActivationSetImpl, SampleSize};
use clack_extensions::latency::HostLatency;
use clack_extensions::params::PluginAudioProcessorParams;
use clack_extensions::tail::{PluginTailImpl, TailLength};
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::host::HostAudioProcessorHandle;
use clack_plugin::plugin::{PluginAudioProcessor, PluginError};
use clack_plugin::process::{Audio, Events, PluginAudioConfiguration, Process, ProcessStatus};

use super::events::{Gestures, Walk, tempo};
use super::link::Link;
use super::plugin::{MainThread, Shared};
use crate::buffers::Channels;
use crate::feed::Rings;
use crate::player::{Buffers, Player, Setup};
use crate::shield::shielded;
use crate::strip::Strip;

/// What is with the audio thread while it is active, and else with the main thread.
pub(super) struct Seat {
    pub(super) player: Player,
    pub(super) gestures: Gestures,
}

impl Seat {
    /// `[any]` Takes what a host changes, and tells it what was done at the screen, without a block.
    pub(super) fn flush(&mut self, link: &Link, input: &InputEvents, output: &mut OutputEvents) {
        let Self { player, gestures } = self;
        shielded(|| {
            gestures.tell(output, link.table());
            Walk::new(input).set_all(link.table(), |bpm| player.go_by(bpm));
        });
    }

    /// `[audio]` One block.
    fn block(
        &mut self,
        link: &Link,
        process: Process<'_>,
        mut audio: Audio<'_>,
        events: Events<'_>,
    ) -> Option<Rings> {
        let Self { player, gestures } = self;
        let table = link.table();
        gestures.tell(events.output, table);
        let frames = audio.frames_count() as usize;
        let (channels, mut key_channels) = player.channels();
        if !link.has_key() {
            key_channels = 0;
        }
        let (inputs, outputs) = audio.raw_buffers();
        let mut output = Channels::none(frames);
        let (mut input, mut key) = (output, output);
        // SAFETY: a host's tables have as many channels as it says, and those that are not null have as many
        // frames, until the block is done.
        unsafe {
            if let Some(port) = outputs.first_mut() {
                port.constant_mask = 0;
                let count = port.channel_count as usize;
                output = Channels::of(port.data32.cast(), count, channels, frames);
            }
            if let Some(port) = inputs.first() {
                let count = port.channel_count as usize;
                input = Channels::of(port.data32.cast(), count, channels, frames);
            }
            if let Some(port) = inputs.get(1) {
                let count = port.channel_count as usize;
                key = Channels::of(port.data32.cast(), count, key_channels, frames);
            }
        }
        let buffers = Buffers { output, input, key };
        if let Some(bpm) = process.transport.and_then(tempo) {
            player.go_by(bpm);
        }
        let mut walk = Walk::new(events.input);
        let set_until =
            |strip: &mut Strip, frame| walk.set_until(frame, frames, table, |bpm| strip.go_by(bpm));
        // SAFETY: a host has its buffers with nobody else during a block.
        let rings = unsafe { player.play(&buffers, false, set_until) };
        if rings.is_none() {
            walk.set_all(table, |bpm| player.go_by(bpm));
        }
        rings
    }
}

/// An instance that is active.
pub(super) struct Processor<'a> {
    /// Taken away by `deactivate` alone.
    seat: Box<Seat>,
    shared: &'a Shared,
}

impl Processor<'_> {
    fn link(&self) -> &Arc<Link> {
        &self.shared.link
    }
}

impl<'a> PluginAudioProcessor<'a, Shared, MainThread<'a>> for Processor<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        main: &MainThread<'a>,
        shared: &'a Shared,
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        let Some(mut seat) = main.seat.take() else {
            return Err(PluginError::Message("it is active"));
        };
        let ports = main.ports.get();
        let setup = Setup {
            rate_hz: config.sample_rate,
            most_frames: config.max_frames_count as usize,
            channels: ports.main,
            key_channels: ports.key,
            is_offline: main.is_offline.get(),
        };
        let Some(latency_frames) = seat.player.make_ready(setup) else {
            main.seat.replace(Some(seat));
            return Err(PluginError::Message("the rack cannot be built"));
        };
        if shared.link.activate(latency_frames)
            && let Some(latency) = main.host.get_extension::<HostLatency>()
        {
            latency.changed(&main.host);
        }
        Ok(Self { seat, shared })
    }

    fn process(
        &mut self,
        process: Process,
        audio: Audio,
        events: Events,
    ) -> Result<ProcessStatus, PluginError> {
        let link = &self.shared.link;
        let seat = &mut self.seat;
        let rings = shielded(|| seat.block(link, process, audio, events));
        let rings = rings.flatten() == Some(Rings::Yes);
        link.rings(rings);
        Ok(if rings {
            ProcessStatus::Continue
        } else {
            ProcessStatus::ContinueIfNotQuiet
        })
    }

    fn deactivate(self, main: &MainThread<'a>) {
        self.link().deactivate();
        main.seat.replace(Some(self.seat));
    }

    fn reset(&mut self) {
        self.link().rings(false);
        self.seat.player.reset();
    }

    fn start_processing(&mut self) -> Result<(), PluginError> {
        self.reset();
        Ok(())
    }
}

impl PluginTailImpl for Processor<'_> {
    fn get(&self) -> TailLength {
        if self.link().is_ringing() {
            TailLength::Infinite
        } else {
            TailLength::Finite(0)
        }
    }
}

impl PluginAudioProcessorParams for Processor<'_> {
    fn flush(&mut self, input: &InputEvents, output: &mut OutputEvents) {
        self.seat.flush(&self.shared.link, input, output);
    }
}

impl PluginAudioPortsActivationSetImpl for Processor<'_> {
    fn set_active(&self, is_input: bool, port: u32, on: bool, size: SampleSize) -> bool {
        self.link().switch(is_input, port, on, size)
    }
}
