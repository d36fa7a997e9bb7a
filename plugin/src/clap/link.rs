//! The way to the host: what an instance has to say there, and what it knows of it.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use clack_extensions::audio_ports_activation::SampleSize;
use clack_extensions::gui::HostGui;
use clack_extensions::params::{HostParams, ParamRescanFlags};
use clack_extensions::state::HostState;
use clack_plugin::host::{HostMainThreadHandle, HostSharedHandle};
use nice_plug::editor::dpi::NativeSize;
use nice_plug::prelude::PluginApi;

use super::events::{Gesture, ToHost};
use crate::hand::Recorder;
use crate::housekeeping::Host;
use crate::table::Table;

/// No latency.
const NONE: usize = usize::MAX;

/// What one instance shares with its editor and with housekeeping.
pub(super) struct Link {
    table: Table,
    to_host: ToHost,
    /// Taken away when the instance goes: who calls the host holds it for so long. A host that calls back does
    /// so while it is held; there is nobody to wait for but the one who takes it away.
    host: RwLock<Option<HostSharedHandle<'static>>>,
    params: Option<HostParams>,
    gui: Option<HostGui>,
    switches: Switches,
    latency: Latency,
    /// Something was done at the screen: the host's project is another.
    is_dirty: AtomicBool,
}

/// What the host has last said. Writer: the thread that it said it on; readers: any. Relaxed: each stands for
/// itself.
struct Switches {
    has_key: AtomicBool,
    is_active: AtomicBool,
    is_offline: AtomicBool,
    rings: AtomicBool,
}

/// What the host knows of the latency: it may change with an activation alone. Relaxed: each stands for itself,
/// and housekeeping looks again.
struct Latency {
    told_frames: AtomicUsize,
    /// For which it has been asked to activate again.
    asked_frames: AtomicUsize,
}

impl Link {
    /// `[main]` Of an instance with these rows.
    pub(super) fn new(table: Table, to_host: ToHost, host: HostSharedHandle<'_>) -> Arc<Self> {
        let parameters = Arc::clone(table.parameters());
        // SAFETY: it is kept until `let_go`, which the instance calls before it goes, and no longer.
        let kept = unsafe { host.with_arbitrary_lifetime() };
        let link = Arc::new(Self {
            table,
            to_host,
            params: host.get_extension(),
            gui: host.get_extension(),
            host: RwLock::new(Some(kept)),
            switches: Switches {
                // As CLAP has it, all ports are on until a host switches one off.
                has_key: AtomicBool::new(true),
                is_active: AtomicBool::new(false),
                is_offline: AtomicBool::new(false),
                rings: AtomicBool::new(false),
            },
            latency: Latency {
                told_frames: AtomicUsize::new(0),
                asked_frames: AtomicUsize::new(NONE),
            },
            is_dirty: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&link);
        parameters.instance().set_host(weak);
        link
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// `[any]` Calls the host, if it is still there. Never on the audio thread.
    fn with_host<R>(&self, call: impl FnOnce(HostSharedHandle<'static>) -> R) -> Option<R> {
        let host = self.host.read().unwrap_or_else(PoisonError::into_inner);
        (*host).map(call)
    }

    /// `[main]` The instance goes: the host is called no more.
    pub(super) fn let_go(&self) {
        let mut host = self.host.write().unwrap_or_else(PoisonError::into_inner);
        *host = None;
    }

    /// `[audio]` Whether the side-chain is on.
    pub(super) fn has_key(&self) -> bool {
        self.switches.has_key.load(Ordering::Relaxed)
    }

    /// `[any]` Switches a port; whether that can be.
    pub(super) fn switch(&self, is_input: bool, port: u32, on: bool, size: SampleSize) -> bool {
        if size == SampleSize::Float64 {
            return false;
        }
        match (is_input, port) {
            // What is off brings no buffers.
            (_, 0) => true,
            (true, 1) => {
                self.switches.has_key.store(on, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// `[any]` Whether sound may come without any input.
    pub(super) fn is_ringing(&self) -> bool {
        self.switches.rings.load(Ordering::Relaxed)
    }

    /// `[audio]` After a block.
    pub(super) fn rings(&self, on: bool) {
        self.switches.rings.store(on, Ordering::Relaxed);
    }

    /// `[main]` It renders offline, or not. What is active stays as it was activated, and asks for it.
    pub(super) fn set_offline(&self, on: bool) {
        let before = self.switches.is_offline.swap(on, Ordering::Relaxed);
        if before != on && self.switches.is_active.load(Ordering::Relaxed) {
            self.with_host(|host| host.request_restart());
        }
    }

    /// `[main]` The latency, as the host knows it.
    pub(super) fn told_latency_frames(&self) -> usize {
        self.latency.told_frames.load(Ordering::Relaxed)
    }

    /// `[main]` It is active, with this latency; whether that is another one than the host knows.
    pub(super) fn activate(&self, latency_frames: usize) -> bool {
        self.latency.asked_frames.store(NONE, Ordering::Relaxed);
        let told = &self.latency.told_frames;
        let is_another = told.swap(latency_frames, Ordering::Relaxed) != latency_frames;
        self.switches.is_active.store(true, Ordering::Relaxed);
        is_another
    }

    /// `[main]` It is no more.
    pub(super) fn deactivate(&self) {
        self.switches.is_active.store(false, Ordering::Relaxed);
        self.rings(false);
    }

    /// Whether the host is to be asked to activate again: once for each latency that it does not know.
    fn must_restart(&self) -> bool {
        let now = self.table.parameters().instance().latency_frames();
        let asked = &self.latency.asked_frames;
        if !self.switches.is_active.load(Ordering::Relaxed) || now == self.told_latency_frames() {
            asked.store(NONE, Ordering::Relaxed);
            return false;
        }
        asked.swap(now, Ordering::Relaxed) != now
    }

    /// `[main]` What is to be done there.
    pub(super) fn on_main_thread(&self, host: &HostMainThreadHandle<'_>) {
        if self.is_dirty.swap(false, Ordering::Relaxed) {
            mark_dirty(host);
        }
    }

    /// `[main]` All values are others: the host is to read them.
    pub(super) fn rescan(&self, host: &HostMainThreadHandle<'_>) {
        if let Some(params) = self.params {
            params.rescan(host, ParamRescanFlags::VALUES);
        }
        self.look();
    }

    fn push(&self, gesture: Gesture) {
        let Some(params) = self.params else {
            // A host without parameters takes none back.
            if let Gesture::Set(row, position) = gesture {
                self.table.set(row, position);
            }
            return;
        };
        self.to_host.push(gesture, &self.table);
        if let Gesture::End(_) = gesture {
            self.is_dirty.store(true, Ordering::Relaxed);
            self.call();
        }
        self.with_host(|host| params.request_flush(&host));
    }
}

/// `[main]` The host's project is another than it was saved.
pub(super) fn mark_dirty(host: &HostMainThreadHandle<'_>) {
    if let Some(state) = host.get_extension::<HostState>() {
        state.mark_dirty(host);
    }
}

impl Host for Link {
    fn look(&self) {
        if self.must_restart() {
            self.with_host(|host| host.request_restart());
        }
    }
}

impl Recorder for Link {
    const API: PluginApi = PluginApi::Clap;

    fn table(&self) -> &Table {
        Link::table(self)
    }

    fn begin(&self, row: u16) {
        self.push(Gesture::Begin(row));
    }

    fn set(&self, row: u16, position: f32) {
        self.push(Gesture::Set(row, position));
    }

    fn end(&self, row: u16) {
        self.push(Gesture::End(row));
    }

    fn call(&self) {
        self.with_host(|host| host.request_callback());
    }

    fn ask_for_size(&self, size: NativeSize<u32>) -> bool {
        let Some(gui) = self.gui else { return false };
        let asked = self.with_host(|host| gui.request_resize(&host, size.width, size.height));
        matches!(asked, Some(Ok(())))
    }
}
