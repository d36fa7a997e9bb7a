//! Another program's window to live in. One file for each kind of system, with the same face.

#[cfg_attr(target_os = "linux", path = "x11.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "none.rs")]
mod system;

pub(super) use system::{Keyboard, choose_display, named, put_into};
