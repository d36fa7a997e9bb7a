//! The keyboard inside another program's window: X11 gives it to nobody by itself.

use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use winit::window::Window;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, InputFocus};
use x11rb::rust_connection::RustConnection;

/// A second line to the display, by which the keyboard is asked for.
pub(super) struct Keyboard {
    connection: RustConnection,
    window: u32,
}

impl Keyboard {
    /// `[main]` For `window`; `None` where it is none of X11's.
    pub(super) fn open(window: &Window) -> Option<Self> {
        let window = match window.window_handle().ok()?.as_raw() {
            RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok()?,
            RawWindowHandle::Xcb(handle) => handle.window.get(),
            _ => return None,
        };
        let (connection, _) = x11rb::connect(None).ok()?;
        Some(Self { connection, window })
    }

    /// `[main]` Takes the keyboard; where it is refused, keys go on to whoever has it.
    pub(super) fn take(&self) {
        let now = x11rb::CURRENT_TIME;
        let asked = self
            .connection
            .set_input_focus(InputFocus::PARENT, self.window, now);
        if asked.is_ok() && self.connection.flush().is_err() {
            eprintln!("headroom-gui: the display has closed its line");
        }
    }
}
