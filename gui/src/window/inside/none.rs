//! Where no window can live in another program's: it is opened beside it.

use winit::event_loop::EventLoopBuilder;
use winit::window::{Window, WindowAttributes};

/// `[main]` There is one display.
pub(crate) fn choose_display<T>(_: &mut EventLoopBuilder<T>) {}

/// `[main]` How the window is called among others: by its title.
pub(crate) fn named(attributes: WindowAttributes) -> WindowAttributes {
    attributes
}

/// `[main]` A window of its own all the same.
pub(crate) fn put_into(attributes: WindowAttributes, _: u32) -> WindowAttributes {
    attributes
}

/// The keyboard of a window of its own comes by itself.
pub(crate) struct Keyboard;

impl Keyboard {
    /// `[main]` Not needed.
    pub(crate) fn open(_: &Window) -> Option<Self> {
        None
    }

    /// `[main]` Nothing to be done.
    pub(crate) fn take(&self) {}

    /// `[main]` It is a window of its own.
    pub(crate) fn is_shown(&self) -> bool {
        true
    }
}
