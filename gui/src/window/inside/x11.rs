//! Another program's window to live in, on X11, and the keyboard there: it is given to nobody by itself.

use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use winit::event_loop::EventLoopBuilder;
use winit::platform::x11::{EventLoopBuilderExtX11, WindowAttributesExtX11};
use winit::window::{Window, WindowAttributes};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, InputFocus, MapState};
use x11rb::rust_connection::RustConnection;

/// `[main]` Of all displays the one that such windows are on.
pub(crate) fn choose_display<T>(builder: &mut EventLoopBuilder<T>) {
    builder.with_x11();
}

/// `[main]` How the window is called among others.
pub(crate) fn named(attributes: WindowAttributes) -> WindowAttributes {
    WindowAttributesExtX11::with_name(attributes, "headroom-gui", "headroom-gui")
}

/// `[main]` A window inside `parent`.
pub(crate) fn put_into(attributes: WindowAttributes, parent: u32) -> WindowAttributes {
    attributes.with_embed_parent_window(parent)
}

/// A second line to the display: by it the keyboard is asked for, and whether the window is seen. There a window
/// that somebody has destroyed is an answer; on the first line it would be the end of the process.
pub(crate) struct Keyboard {
    connection: RustConnection,
    window: u32,
}

impl Keyboard {
    /// `[main]` For `window`; `None` where it is none of X11's.
    pub(crate) fn open(window: &Window) -> Option<Self> {
        let window = match window.window_handle().ok()?.as_raw() {
            RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok()?,
            RawWindowHandle::Xcb(handle) => handle.window.get(),
            _ => return None,
        };
        let (connection, _) = x11rb::connect(None).ok()?;
        Some(Self { connection, window })
    }

    /// `[main]` Takes the keyboard; where it is refused, keys go on to whoever has it.
    pub(crate) fn take(&self) {
        let now = x11rb::CURRENT_TIME;
        let asked = self
            .connection
            .set_input_focus(InputFocus::PARENT, self.window, now);
        if asked.is_ok() && self.connection.flush().is_err() {
            eprintln!("headroom-gui: the display has closed its line");
        }
    }

    /// `[main]` Whether it is on the display with all that it is in. A host that hides its own window says so to
    /// nobody in it.
    pub(crate) fn is_shown(&self) -> bool {
        let asked = self.connection.get_window_attributes(self.window);
        let answer = asked.ok().and_then(|asked| asked.reply().ok());
        // Who does not know it draws.
        answer.is_none_or(|window| window.map_state == MapState::VIEWABLE)
    }
}
