//! The parts of an instance, by the threads that have them, and what a host finds in it.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use clack_extensions::audio_ports::PluginAudioPorts;
use clack_extensions::audio_ports_activation::PluginAudioPortsActivation;
use clack_extensions::audio_ports_config::{PluginAudioPortsConfig, PluginAudioPortsConfigInfo};
use clack_extensions::configurable_audio_ports::PluginConfigurableAudioPorts;
use clack_extensions::gui::PluginGui;
use clack_extensions::latency::{PluginLatency, PluginLatencyImpl};
use clack_extensions::params::PluginParams;
use clack_extensions::preset_discovery::PluginPresetLoad;
use clack_extensions::remote_controls::PluginRemoteControls;
use clack_extensions::render::{PluginRender, PluginRenderImpl, RenderMode};
use clack_extensions::state::PluginState;
use clack_extensions::tail::PluginTail;
use clack_plugin::extensions::PluginExtensions;
use clack_plugin::host::{HostMainThreadHandle, HostSharedHandle};
use clack_plugin::plugin::{Plugin, PluginError, PluginMainThread, PluginShared};
use headroom_engine::Catalog;
use nice_plug::editor::{EditorHandle as _, SpawnedEditor};

use super::events::Gestures;
use super::link::Link;
use super::ports::Ports;
use super::processor::{Processor, Seat};
use crate::edition::Edition;
use crate::editor::{Editor, Handle};
use crate::player::Player;
use crate::shield::shielded;
use crate::strip::Strip;
use crate::table::Table;

/// One instance in a CLAP host: which types it is made of.
pub(super) struct Headroom<E>(PhantomData<fn() -> E>);

impl<E: Edition> Plugin for Headroom<E> {
    type AudioProcessor<'a> = Processor<'a>;
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&Shared>) {
        builder
            .register::<PluginAudioPorts>()
            .register::<PluginAudioPortsActivation>()
            .register::<PluginAudioPortsConfig>()
            .register::<PluginAudioPortsConfigInfo>()
            .register::<PluginConfigurableAudioPorts>()
            .register::<PluginGui>()
            .register::<PluginLatency>()
            .register::<PluginParams>()
            .register::<PluginPresetLoad>()
            .register::<PluginRemoteControls>()
            .register::<PluginRender>()
            .register::<PluginState>()
            .register::<PluginTail>();
    }
}

/// What all threads have.
pub(super) struct Shared {
    pub(super) link: Arc<Link>,
    /// For the main thread, which comes next.
    seat: Mutex<Option<Box<Seat>>>,
}

impl PluginShared<'_> for Shared {}

impl Shared {
    /// `[main]` An instance with an empty strip of these kinds.
    pub(super) fn new(catalog: Catalog, host: HostSharedHandle<'_>) -> Result<Self, PluginError> {
        let made = shielded(|| {
            let strip = Strip::new(catalog);
            let table = Table::new(Arc::clone(strip.parameters()));
            let (to_host, gestures) = Gestures::new();
            let link = Link::new(table, to_host, host);
            let seat = Seat {
                player: Player::new(strip),
                gestures,
            };
            Self {
                link,
                seat: Mutex::new(Some(Box::new(seat))),
            }
        });
        made.ok_or(PluginError::Message("the strip cannot be made"))
    }
}

/// What the main thread has.
pub(super) struct MainThread<'a> {
    pub(super) host: HostMainThreadHandle<'a>,
    pub(super) link: Arc<Link>,
    pub(super) ports: Cell<Ports>,
    pub(super) is_offline: Cell<bool>,
    /// What plays, while it is not active.
    pub(super) seat: RefCell<Option<Box<Seat>>>,
    pub(super) editor: Editor,
    /// The editor that is open.
    pub(super) stage: RefCell<Option<SpawnedEditor<Handle>>>,
}

impl<'a> MainThread<'a> {
    /// `[main]` The rest of an instance.
    pub(super) fn new(host: HostMainThreadHandle<'a>, shared: &Shared) -> Self {
        let link = Arc::clone(&shared.link);
        let mut seat = shared.seat.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            host,
            ports: Cell::default(),
            is_offline: Cell::new(false),
            seat: RefCell::new(seat.take()),
            editor: Editor::new(Arc::clone(link.table().parameters())),
            stage: RefCell::default(),
            link,
        }
    }
}

impl<'a> PluginMainThread<'a, Shared> for MainThread<'a> {
    fn on_main_thread(&self) {
        self.link.on_main_thread(&self.host);
        shielded(|| {
            if let Some(open) = &*self.stage.borrow() {
                open.handle.host_main_thread_callback(&open.window);
            }
        });
    }
}

impl Drop for MainThread<'_> {
    fn drop(&mut self) {
        // From here on nobody calls the host any more, housekeeping neither.
        self.link.let_go();
        shielded(|| {
            self.stage.take();
            self.seat.take();
        });
    }
}

impl PluginLatencyImpl for MainThread<'_> {
    fn get(&self) -> u32 {
        self.link.told_latency_frames() as u32
    }
}

impl PluginRenderImpl for MainThread<'_> {
    fn has_hard_realtime_requirement(&self) -> bool {
        false
    }

    fn set(&self, mode: RenderMode) -> Result<(), PluginError> {
        self.is_offline.set(mode == RenderMode::Offline);
        self.link.set_offline(mode == RenderMode::Offline);
        Ok(())
    }
}
