//! Another program's window to live in, on Windows, where child windows may belong to another process. A click
//! gives a child no keyboard by itself.

#![allow(
    unsafe_code,
    reason = "names a window by its number, and asks the system for the keyboard"
)]

use raw_window_handle::{HasWindowHandle, RawWindowHandle, Win32WindowHandle};
use std::num::NonZeroIsize;
use windows_sys::Win32::UI::Input::KeyboardAndMouse::SetFocus;
use windows_sys::Win32::UI::WindowsAndMessaging::IsWindowVisible;
use winit::dpi::PhysicalPosition;
use winit::event_loop::EventLoopBuilder;
use winit::window::{Window, WindowAttributes};

/// `[main]` There is one display.
pub(crate) fn choose_display<T>(_: &mut EventLoopBuilder<T>) {}

/// `[main]` How the window is called among others: by its title.
pub(crate) fn named(attributes: WindowAttributes) -> WindowAttributes {
    attributes
}

/// `[main]` A window inside `parent`.
pub(crate) fn put_into(attributes: WindowAttributes, parent: u32) -> WindowAttributes {
    // A window's number has 32 bits that count, also for programs of 64.
    let number = NonZeroIsize::new(parent.cast_signed() as isize);
    let parent = number.map(|number| RawWindowHandle::Win32(Win32WindowHandle::new(number)));
    // SAFETY: a number that is no window's makes the system refuse the new one, which is an error of
    // `create_window`.
    let attributes = unsafe { attributes.with_parent_window(parent) };
    attributes.with_position(PhysicalPosition::new(0, 0))
}

/// The keyboard, for this window.
pub(crate) struct Keyboard {
    window: isize,
}

impl Keyboard {
    /// `[main]` For `window`; `None` where it is none of this system's.
    pub(crate) fn open(window: &Window) -> Option<Self> {
        match window.window_handle().ok()?.as_raw() {
            RawWindowHandle::Win32(handle) => Some(Self {
                window: handle.hwnd.get(),
            }),
            _ => None,
        }
    }

    /// `[main]` Takes the keyboard; where it is refused, keys go on to whoever has it.
    pub(crate) fn take(&self) {
        let window = std::ptr::without_provenance_mut(self.window.cast_unsigned());
        // SAFETY: a number that is no window's any more is refused.
        unsafe { SetFocus(window) };
    }

    /// `[main]` Whether it is on the display with all that it is in.
    pub(crate) fn is_shown(&self) -> bool {
        let window = std::ptr::without_provenance_mut(self.window.cast_unsigned());
        // SAFETY: a number that is no window's any more is none that is seen.
        unsafe { IsWindowVisible(window) != 0 }
    }
}
