//! What is done at a control, told to the host.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Weak;

use nice_plug::prelude::{GuiContextInner, ParamPtr, Plugin, PluginApi, PluginState};
use nice_plug::wrapper::vst3::vst3::ComPtr;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandlerTrait, ParamID,
};

use super::link::Link;
use super::paperwork::Paperwork;
use crate::state;

/// Tells the host of one instance, as long as that is there.
pub(super) struct Hand(pub(super) Weak<Link>);

impl Hand {
    fn tell(
        &self,
        of: ParamPtr,
        what: impl FnOnce(&Link, ComPtr<IComponentHandler>, u16, ParamID),
    ) {
        let Some(link) = self.0.upgrade() else { return };
        // A host that has given nobody to be told does not record.
        if let (Some((row, id)), Some(handler)) = (link.table().at(of), link.handler()) {
            what(&link, handler, row, id);
        }
    }
}

// On the host's main thread, with an object of its own; what it answers changes nothing. An address is only
// looked up.
impl GuiContextInner for Hand {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Vst3
    }

    unsafe fn raw_begin_set_parameter(&self, of: ParamPtr) {
        self.tell(of, |_, handler, _, id| {
            // SAFETY: see above.
            unsafe { handler.beginEdit(id) };
        });
    }

    unsafe fn raw_set_parameter_normalized(&self, of: ParamPtr, position: f32) {
        self.tell(of, |link, handler, row, id| {
            // A host that processes gives it back with a block.
            if !link.plays() {
                link.table().set(row, position);
            }
            // SAFETY: see above.
            unsafe { handler.performEdit(id, position.into()) };
        });
    }

    unsafe fn raw_end_set_parameter(&self, of: ParamPtr) {
        self.tell(of, |_, handler, _, id| {
            // SAFETY: see above.
            unsafe { handler.endEdit(id) };
        });
    }

    // The editor speaks in gestures alone: it neither takes a state nor sets one.
    fn get_state(&self) -> PluginState {
        let link = self.0.upgrade();
        let fields = link.map(|link| state::fields(link.table().parameters()));
        PluginState {
            version: Paperwork::VERSION.to_owned(),
            params: BTreeMap::new(),
            fields: fields.unwrap_or_default(),
        }
    }

    fn set_state(&self, _: PluginState) {}

    fn request_restart(&self) {}
}
