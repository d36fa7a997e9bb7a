//! The way to the host, and to its main thread: what an instance has to say there, and what it knows of it.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nice_plug::wrapper::vst3::vst3::Steinberg::FUnknown;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandlerTrait, RestartFlags_,
};
use nice_plug::wrapper::vst3::vst3::{ComPtr, ComRef};

use super::bell::Bell;
use super::paperwork::Share;
use super::view::Stage;
use crate::editor::Editor;
use crate::housekeeping::Host;
use crate::shield::shielded;
use crate::table::Table;

/// A host asks for the latency when it has switched on. One that has not by now is told to.
const ASKS: Duration = Duration::from_millis(500);
/// No latency.
const NONE: usize = usize::MAX;

/// What one instance shares with its editor and with housekeeping.
pub(super) struct Link {
    table: Table,
    editor: Editor,
    #[cfg(not(target_os = "linux"))]
    share: Arc<Share>,
    handler: Mutex<Option<ComPtr<IComponentHandler>>>,
    /// The editor that is open.
    stage: Mutex<Option<Stage>>,
    bells: Mutex<Bells>,
    switches: Switches,
    latency: Latency,
    /// The host is to be told that the latency is another one.
    must_tell: AtomicBool,
    /// Somebody is at what is to be done on the main thread.
    is_calling: AtomicBool,
}

/// How the host's main thread is called: by what it gave the instance, or the editor that is open.
#[derive(Default)]
struct Bells {
    of_instance: Option<Arc<Bell>>,
    of_view: Option<Arc<Bell>>,
}

/// What the host has last said. Writer: the thread that it said it on; readers: any. Relaxed: each stands for
/// itself.
#[derive(Default)]
struct Switches {
    has_key: AtomicBool,
    is_on: AtomicBool,
    is_processing: AtomicBool,
    rings: AtomicBool,
}

/// What the host knows of the latency. Relaxed: each stands for itself, and housekeeping looks again.
struct Latency {
    /// As it has last read it.
    read_frames: AtomicUsize,
    /// What it was last told to read.
    told_frames: AtomicUsize,
    on_since: Mutex<Option<Instant>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// `[main]` Of an instance with these rows.
    pub(super) fn new(table: Table, share: Arc<Share>) -> Arc<Self> {
        let parameters = Arc::clone(table.parameters());
        #[cfg(target_os = "linux")]
        drop(share);
        let link = Arc::new(Self {
            editor: Editor::new(Arc::clone(&parameters)),
            table,
            #[cfg(not(target_os = "linux"))]
            share,
            handler: Mutex::default(),
            stage: Mutex::default(),
            bells: Mutex::default(),
            switches: Switches::default(),
            latency: Latency {
                read_frames: AtomicUsize::new(0),
                told_frames: AtomicUsize::new(NONE),
                on_since: Mutex::default(),
            },
            must_tell: AtomicBool::new(false),
            is_calling: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&link);
        #[cfg(not(target_os = "linux"))]
        let _once = link.share.link.set(weak.clone());
        parameters.instance().set_host(weak);
        link
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn editor(&self) -> &Editor {
        &self.editor
    }

    /// `[audio]` Whether the host has switched the side-chain on.
    pub(super) fn has_key(&self) -> bool {
        self.switches.has_key.load(Ordering::Relaxed)
    }

    /// `[main]` It has, or off.
    pub(super) fn set_key(&self, on: bool) {
        self.switches.has_key.store(on, Ordering::Relaxed);
    }

    /// `[any]` Whether blocks bring what the host changes.
    pub(super) fn plays(&self) -> bool {
        self.switches.is_processing.load(Ordering::Relaxed)
    }

    /// `[any]` The host says so.
    pub(super) fn is_processing(&self, on: bool) {
        self.switches.is_processing.store(on, Ordering::Relaxed);
    }

    /// `[main]` Whether it is switched on.
    pub(super) fn is_on(&self) -> bool {
        self.switches.is_on.load(Ordering::Relaxed)
    }

    /// `[main]` It has been.
    pub(super) fn is_active(&self, on: bool) {
        *locked(&self.latency.on_since) = on.then(Instant::now);
        self.switches.is_on.store(on, Ordering::Relaxed);
    }

    /// `[any]` Whether sound may come without any input.
    pub(super) fn is_ringing(&self) -> bool {
        self.switches.rings.load(Ordering::Relaxed)
    }

    /// `[audio]` After a block.
    pub(super) fn rings(&self, on: bool) {
        self.switches.rings.store(on, Ordering::Relaxed);
    }

    /// `[any]` The latency, for the host.
    pub(super) fn read_latency_frames(&self) -> usize {
        let now = self.table.parameters().instance().latency_frames();
        self.latency.read_frames.store(now, Ordering::Relaxed);
        now
    }

    /// Whether the host is to be told of another latency: once of each, and never of one that it knows.
    fn must_tell(&self) -> bool {
        let since = *locked(&self.latency.on_since);
        let Some(since) = since else { return false };
        let (read, told) = (&self.latency.read_frames, &self.latency.told_frames);
        let now = self.table.parameters().instance().latency_frames();
        if now == read.load(Ordering::Relaxed) {
            told.store(NONE, Ordering::Relaxed);
            return false;
        }
        since.elapsed() >= ASKS && told.swap(now, Ordering::Relaxed) != now
    }

    /// `[any]` What tells the host, if there is somebody to be told. Nothing is locked while it is.
    pub(super) fn handler(&self) -> Option<ComPtr<IComponentHandler>> {
        locked(&self.handler).clone()
    }

    /// `[main]` From now on it is this.
    ///
    /// # Safety
    ///
    /// It is null or an object of that interface.
    pub(super) unsafe fn set_handler(&self, handler: *mut IComponentHandler) {
        // SAFETY: the caller's word; who keeps it counts.
        let handler = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
        let before = std::mem::replace(&mut *locked(&self.handler), handler);
        drop(before);
    }

    /// `[main]` The host gives the instance what it has, a way to its main thread perhaps.
    ///
    /// # Safety
    ///
    /// `context` is null or an object.
    pub(super) unsafe fn initialize(self: &Arc<Self>, context: *mut FUnknown) {
        // SAFETY: the caller's word.
        let context = unsafe { ComRef::from_raw(context) };
        let bell = context.and_then(|context| Bell::hang(&context, Arc::downgrade(self)));
        locked(&self.bells).of_instance = bell.map(Arc::new);
    }

    /// `[main]` The same for the editor that is open; `None` takes `before` away.
    pub(super) fn hang(&self, bell: Option<Arc<Bell>>, before: Option<&Arc<Bell>>) {
        let mut bells = locked(&self.bells);
        let is_its = match (&bells.of_view, before) {
            (Some(hung), Some(before)) => Arc::ptr_eq(hung, before),
            _ => false,
        };
        if bell.is_some() || is_its {
            bells.of_view = bell;
        }
    }

    /// `[main]` Nothing of the host's is kept.
    pub(super) fn let_go(&self) {
        let stage = locked(&self.stage).take();
        // The editor closes, and tells the host what is left to be told.
        drop(stage);
        let (bells, handler) = (
            std::mem::take(&mut *locked(&self.bells)),
            locked(&self.handler).take(),
        );
        drop((bells, handler));
    }

    /// `[main]` The editor that is open.
    pub(super) fn stage(&self) -> MutexGuard<'_, Option<Stage>> {
        locked(&self.stage)
    }

    /// `[any]` Has the host come to its main thread. One that gives no way there, on Linux, is told from here.
    pub(super) fn call(&self) {
        {
            let bells = locked(&self.bells);
            if let Some(bell) = bells.of_view.as_ref().or(bells.of_instance.as_ref()) {
                bell.ring();
                return;
            }
        }
        #[cfg(target_os = "linux")]
        self.on_main_thread();
        #[cfg(not(target_os = "linux"))]
        self.share.call();
    }

    /// `[main]` What is to be done there.
    pub(super) fn on_main_thread(&self) {
        // Ordering: Acquire and Release, so that one thread after the other is at the editor.
        if self.is_calling.swap(true, Ordering::Acquire) {
            return;
        }
        shielded(|| {
            if self.must_tell.swap(false, Ordering::Relaxed)
                && let Some(handler) = self.handler()
            {
                // SAFETY: an object of the host's, on its main thread. What it answers changes nothing.
                unsafe { handler.restartComponent(RestartFlags_::kLatencyChanged) };
            }
        });
        shielded(|| {
            let editor = self.stage().as_ref().map(Stage::editor);
            if let Some(editor) = editor {
                editor.on_main_thread();
            }
        });
        self.is_calling.store(false, Ordering::Release);
    }
}

impl Host for Link {
    fn look(&self) {
        if self.must_tell() {
            self.must_tell.store(true, Ordering::Relaxed);
        }
        if self.must_tell.load(Ordering::Relaxed) {
            self.call();
        }
    }
}
