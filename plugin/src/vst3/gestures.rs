//! What is done at a control, told to the host.
#![allow(unsafe_code)]

use nice_plug::editor::dpi::NativeSize;
use nice_plug::prelude::PluginApi;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::IComponentHandlerTrait;

use super::link::Link;
use crate::hand::Recorder;
use crate::table::Table;

// On the host's main thread, with an object of its own; what it answers changes nothing. A host that has given
// nobody to be told does not record.
impl Recorder for Link {
    const API: PluginApi = PluginApi::Vst3;

    fn table(&self) -> &Table {
        Link::table(self)
    }

    fn begin(&self, row: u16) {
        if let Some(handler) = self.handler() {
            // SAFETY: see above.
            unsafe { handler.beginEdit(self.table().id(row)) };
        }
    }

    fn set(&self, row: u16, position: f32) {
        let Some(handler) = self.handler() else {
            return;
        };
        // A host that processes gives it back with a block.
        if !self.plays() {
            self.table().set(row, position);
        }
        // SAFETY: see above.
        unsafe { handler.performEdit(self.table().id(row), position.into()) };
    }

    fn end(&self, row: u16) {
        if let Some(handler) = self.handler() {
            // SAFETY: see above.
            unsafe { handler.endEdit(self.table().id(row)) };
        }
    }

    fn call(&self) {
        Link::call(self);
    }

    fn ask_for_size(&self, size: NativeSize<u32>) -> bool {
        self.resize_view(size)
    }
}
