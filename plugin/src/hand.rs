//! What is done at a control, and what an editor wants, told to a host of either format.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Weak};

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{NativeSize, Size};
use nice_plug::editor::{HostCallbacks, HostMainThreadCaller, HostMethods};
use nice_plug::prelude::{GuiContextInner, ParamPtr, PluginApi, PluginState};
use thiserror::Error;

use crate::about;
use crate::table::Table;

/// Who tells one host, by rows and their positions, 0 to 1.
pub(crate) trait Recorder: Send + Sync + 'static {
    const API: PluginApi;

    fn table(&self) -> &Table;

    /// `[main]` A control is taken hold of.
    fn begin(&self, row: u16);

    /// `[main]` It is moved.
    fn set(&self, row: u16, position: f32);

    /// `[main]` It is let go of.
    fn end(&self, row: u16);

    /// `[any]` Has the host come to its main thread.
    fn call(&self);

    /// `[main]` Asks the host for a window of this size, in pixels; whether it grants that.
    fn ask_for_size(&self, size: NativeSize<u32>) -> bool;
}

/// `[main]` What an editor of an instance is opened with: what it tells the host by, and what it asks it for.
pub(crate) fn hands_of<R: Recorder>(recorder: &Arc<R>) -> (GuiContext, HostMethods) {
    let methods = HostMethods {
        callbacks: Box::new(Asker(Arc::downgrade(recorder))),
        main_thread_caller: Box::new(Asker(Arc::downgrade(recorder))),
    };
    let hand = GuiContext::new(Arc::new(Hand(Arc::downgrade(recorder))));
    (hand, methods)
}

/// What a host was asked for and did not give.
#[derive(Debug, Error)]
#[error("the host does not give the editor another size")]
struct Refused;

/// Asks the host of one instance, as long as that is there.
struct Asker<R>(Weak<R>);

impl<R: Recorder> HostCallbacks for Asker<R> {
    fn request_resize(&mut self, size: Size, scale: f64) -> Result<(), Box<dyn Error>> {
        let recorder = self.0.upgrade().ok_or(Refused)?;
        if recorder.ask_for_size(NativeSize::from_size(size, scale)) {
            Ok(())
        } else {
            Err(Refused.into())
        }
    }

    fn destroyed(&mut self) {}
}

impl<R: Recorder> HostMainThreadCaller for Asker<R> {
    fn call_main_thread(&mut self) {
        if let Some(recorder) = self.0.upgrade() {
            recorder.call();
        }
    }
}

/// Tells the host of one instance, as long as that is there.
struct Hand<R>(Weak<R>);

impl<R: Recorder> Hand<R> {
    fn tell(&self, of: ParamPtr, what: impl FnOnce(&R, u16)) {
        if let Some(recorder) = self.0.upgrade()
            && let Some(row) = recorder.table().at(of)
        {
            what(&recorder, row);
        }
    }
}

// An address is only looked up.
impl<R: Recorder> GuiContextInner for Hand<R> {
    fn plugin_api(&self) -> PluginApi {
        R::API
    }

    unsafe fn raw_begin_set_parameter(&self, of: ParamPtr) {
        self.tell(of, R::begin);
    }

    unsafe fn raw_set_parameter_normalized(&self, of: ParamPtr, position: f32) {
        self.tell(of, |recorder, row| recorder.set(row, position));
    }

    unsafe fn raw_end_set_parameter(&self, of: ParamPtr) {
        self.tell(of, R::end);
    }

    // The editor speaks in gestures alone: it neither takes a state nor sets one.
    fn get_state(&self) -> PluginState {
        PluginState {
            version: about::VERSION.to_owned(),
            params: BTreeMap::new(),
            fields: BTreeMap::new(),
        }
    }

    fn set_state(&self, _: PluginState) {}

    fn request_restart(&self) {}
}
