//! What a host calls.

use std::marker::PhantomData;
use std::sync::Arc;

use headroom_engine::realtime::install_panic_hook;
use headroom_engine::{Processor, Stream};
use nice_plug::prelude::{
    ActivateContext, AsyncExecutor, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig,
    ClapFeature, ClapPlugin, Params, Plugin, PluginState, ProcessContext, ProcessMode,
    ProcessStatus, RemoteControlsContext, Vst3Plugin, Vst3SubCategory,
};

use crate::desk::Desk;
use crate::edition::Edition;
use crate::editor::Editor;
use crate::feed::{Feed, Rings};
use crate::housekeeping::Housekeeping;
use crate::parameters::Parameters;
use crate::shield::shielded;
use crate::state;

/// The audio thread's end of an engine, and what feeds it.
struct Engine {
    feed: Feed,
    processor: Processor,
}

/// One instance in a host.
///
/// The host's calls go through a shield: a panic leaves the sound as it came in, and is counted.
pub struct Headroom<E: Edition> {
    engine: Option<Engine>,
    parameters: Arc<Parameters>,
    is_offline: bool,
    /// The latency that the host has been told, or asked to ask for.
    told_latency_frames: usize,
    // Last: it looks after what goes before it.
    _housekeeping: Option<Arc<Housekeeping>>,
    _edition: PhantomData<E>,
}

impl<E: Edition> Default for Headroom<E> {
    fn default() -> Self {
        install_panic_hook();
        let parameters = Arc::new(Parameters::new(E::catalog()));
        // Without a thread the strip plays what it is given, and edits are done when the host activates.
        let housekeeping = Housekeeping::acquire().ok();
        if let Some(housekeeping) = &housekeeping {
            housekeeping.look_after(&parameters);
        }
        Self {
            engine: None,
            parameters,
            is_offline: false,
            told_latency_frames: 0,
            _housekeeping: housekeeping,
            _edition: PhantomData,
        }
    }
}

impl<E: Edition> Drop for Headroom<E> {
    fn drop(&mut self) {
        // The desk goes here, whoever still holds the parameters.
        shielded(|| {
            self.engine = None;
            let desk = self.parameters.instance().desk().take();
            drop(desk);
        });
    }
}

impl<E: Edition> Headroom<E> {
    /// Makes an engine for this stream ready, the one from before if it fits: hosts activate four or five
    /// times while they load a plugin. Gives the latency.
    fn make_ready(&mut self, layout: &AudioIOLayout, config: &BufferConfig) -> Option<usize> {
        let channels = layout.main_output_channels?.get() as usize;
        let frames = config.max_buffer_size as usize;
        // Longer blocks are processed too.
        let frames = frames.clamp(1, Stream::MAX_BLOCK_FRAMES);
        let stream = Stream::new(config.sample_rate.round() as u32, frames, channels).ok()?;
        let parameters = Arc::clone(&self.parameters);
        let instance = parameters.instance();
        let mut desk = instance.desk();
        let fits = desk.as_mut().is_some_and(|desk| {
            self.engine.is_some() && desk.stream() == stream && desk.catch_up(&parameters)
        });
        if !fits {
            self.engine = None;
            *desk = None;
            match Desk::open(&parameters, stream) {
                Ok((new, feed, processor)) => {
                    self.engine = Some(Engine { feed, processor });
                    *desk = Some(new);
                }
                Err(why) => {
                    parameters.refused(&why.to_string());
                    return None;
                }
            }
        }
        let desk = desk.as_ref()?;
        instance.tell_latency(desk);
        Some(desk.latency_frames())
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
        Arc::clone(&self.parameters) as Arc<dyn Params>
    }

    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Editor> {
        Some(Editor::new(Arc::clone(&self.parameters)))
    }

    fn filter_state(state: &mut PluginState) {
        if shielded(|| state::prepare(state, &E::catalog())).is_none() {
            state.params.clear();
            state.fields.clear();
        }
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.is_offline = config.process_mode == ProcessMode::Offline;
        let Some(latency_frames) = shielded(|| self.make_ready(layout, config)).flatten() else {
            return false;
        };
        self.told_latency_frames = latency_frames;
        context.set_latency_samples(latency_frames as u32);
        true
    }

    fn reset(&mut self) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        let parameters = &self.parameters;
        shielded(|| engine.feed.reset(&mut engine.processor, parameters));
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let Some(engine) = &mut self.engine else {
            return ProcessStatus::Normal;
        };
        let parameters = &self.parameters;
        if self.is_offline {
            // There is time: what is asked for is there with this very block.
            shielded(|| parameters.instance().catch_up(parameters));
        }
        let rings = shielded(|| {
            let channels = buffer.as_slice();
            let mut key: [&[f32]; 2] = [&[]; 2];
            let key = key_of(aux, &mut key);
            engine
                .feed
                .run(&mut engine.processor, parameters, channels, key)
        });
        let latency_frames = parameters.instance().latency_frames();
        if latency_frames != self.told_latency_frames {
            self.told_latency_frames = latency_frames;
            context.request_restart();
        }
        match rings {
            Some(Rings::Yes) => ProcessStatus::KeepAlive,
            Some(Rings::No) | None => ProcessStatus::Normal,
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
        shielded(|| self.parameters.add_pages(context));
    }
}

impl<E: Edition> Vst3Plugin for Headroom<E> {
    // Frozen: hosts know the plugin by it.
    const VST3_CLASS_ID: [u8; 16] = *b"HeadroomStripFx1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Eq,
        Vst3SubCategory::Stereo,
        Vst3SubCategory::Mono,
    ];
}
