//! What a CLAP host calls, by nice-plug.

use std::marker::PhantomData;
use std::sync::Arc;

use nice_plug::prelude::{
    ActivateContext, AsyncExecutor, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig,
    ClapFeature, ClapPlugin, Params, Plugin, PluginState, ProcessContext, ProcessMode,
    ProcessStatus, RemoteControlsContext,
};

use crate::edition::Edition;
use crate::editor::Editor;
use crate::feed::Rings;
use crate::shield::shielded;
use crate::state;
use crate::strip::Strip;

/// One instance in a CLAP host.
pub struct Headroom<E: Edition> {
    strip: Strip,
    is_offline: bool,
    /// The latency that the host has been told, or asked to ask for.
    told_latency_frames: usize,
    _edition: PhantomData<E>,
}

impl<E: Edition> Default for Headroom<E> {
    fn default() -> Self {
        Self {
            strip: Strip::new(E::catalog()),
            is_offline: false,
            told_latency_frames: 0,
            _edition: PhantomData,
        }
    }
}

/// The channels of the side-chain, if there is one.
fn key_of<'k, 'a>(aux: &'a AuxiliaryBuffers, key: &'k mut [&'a [f32]; 2]) -> &'k [&'a [f32]] {
    let channels = aux.inputs.first().map(Buffer::as_slice_immutable);
    let channels = channels.unwrap_or_default();
    for (key, channel) in key.iter_mut().zip(channels) {
        *key = &**channel;
    }
    &key[..channels.len().min(2)]
}

impl<E: Edition> Plugin for Headroom<E> {
    const NAME: &'static str = "Headroom";
    const VENDOR: &'static str = "Headroom";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = E::LAYOUTS;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = Editor;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        let parameters = Arc::clone(self.strip.parameters());
        parameters as Arc<dyn Params>
    }

    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Editor> {
        Some(Editor::new(Arc::clone(self.strip.parameters())))
    }

    fn filter_state(state: &mut PluginState) {
        state::filter(state, &E::catalog());
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.is_offline = config.process_mode == ProcessMode::Offline;
        let Some(channels) = layout.main_output_channels else {
            return false;
        };
        let (rate_hz, frames) = (config.sample_rate.into(), config.max_buffer_size as usize);
        let ready = self
            .strip
            .make_ready(rate_hz, frames, channels.get() as usize);
        let Some(latency_frames) = ready else {
            return false;
        };
        self.told_latency_frames = latency_frames;
        context.set_latency_samples(latency_frames as u32);
        true
    }

    fn reset(&mut self) {
        self.strip.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        if self.is_offline {
            self.strip.catch_up();
        }
        if let Some(bpm) = context.transport().tempo {
            self.strip.go_by(bpm);
        }
        let mut key: [&[f32]; 2] = [&[]; 2];
        let key = key_of(aux, &mut key);
        let rings = self.strip.run(buffer.as_slice(), key);
        let latency_frames = self.strip.parameters().instance().latency_frames();
        if latency_frames != self.told_latency_frames {
            self.told_latency_frames = latency_frames;
            context.request_restart();
        }
        match rings {
            Rings::Yes => ProcessStatus::KeepAlive,
            Rings::No => ProcessStatus::Normal,
        }
    }
}

impl<E: Edition> ClapPlugin for Headroom<E> {
    const CLAP_ID: &'static str = "org.headroom.strip";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("An effects rack whose audio thread never allocates, locks or waits");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Mono,
        ClapFeature::MultiEffects,
        ClapFeature::Mixing,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        shielded(|| self.strip.parameters().add_pages(context));
    }
}
