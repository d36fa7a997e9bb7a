//! Gestures on their way to the host. CLAP takes them from any thread, VST3 from its main thread only.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::HostMainThreadCaller;
use nice_plug::prelude::PluginApi;

use crate::parameters::Parameters;

/// What is done at one control, by its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gesture {
    /// It is taken hold of.
    Begin(usize),
    /// It is moved to a position, as hosts keep it.
    Set(usize, f32),
    /// It is let go of.
    End(usize),
}

/// The way to the host.
pub(crate) struct Outbox {
    host: GuiContext,
    caller: Option<Mutex<Box<dyn HostMainThreadCaller>>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    gestures: VecDeque<Gesture>,
    /// The main thread has been asked for.
    must_call: bool,
}

impl Outbox {
    /// `[main]` To this host.
    pub(crate) fn new(host: GuiContext, caller: Option<Box<dyn HostMainThreadCaller>>) -> Self {
        Self {
            host,
            caller: caller.map(Mutex::new),
            waiting: Mutex::default(),
        }
    }

    /// `[any]` The host's kind, for people.
    pub(crate) fn host(&self) -> &'static str {
        match self.host.plugin_api() {
            PluginApi::Clap => "CLAP",
            PluginApi::Vst3 => "VST3",
            PluginApi::Standalone => "standalone",
        }
    }

    /// `[main]` One more gesture.
    pub(crate) fn push(&self, gesture: Gesture) {
        self.waiting().gestures.push_back(gesture);
    }

    /// `[main]` Something is to be done on the host's main thread.
    pub(crate) fn call(&self) {
        self.waiting().must_call = true;
    }

    /// `[main]` Tells the host what waits, or asks it for its main thread. Nobody may hold a lock that the
    /// host's calls into the plugin take.
    pub(crate) fn send(&self, parameters: &Parameters) {
        if self.host.plugin_api() == PluginApi::Clap {
            self.deliver(parameters);
        }
        let must_call = {
            let mut waiting = self.waiting();
            std::mem::take(&mut waiting.must_call) || !waiting.gestures.is_empty()
        };
        if must_call && let Some(caller) = &self.caller {
            let mut caller = caller.lock().unwrap_or_else(PoisonError::into_inner);
            caller.call_main_thread();
        }
    }

    /// `[main]` Tells the host what waits: from its main thread where it is not CLAP's.
    pub(crate) fn deliver(&self, parameters: &Parameters) {
        loop {
            // Not held while the host is told: it may call back.
            let next = self.waiting().gestures.pop_front();
            let Some(gesture) = next else { return };
            parameters.tell(&self.host, gesture);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
