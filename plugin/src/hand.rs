//! What is done at a control, told to a host of either format.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Weak;

use nice_plug::prelude::{GuiContextInner, ParamPtr, PluginApi, PluginState};

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
}

/// Tells the host of one instance, as long as that is there.
pub(crate) struct Hand<R>(pub(crate) Weak<R>);

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
