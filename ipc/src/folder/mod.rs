//! What the runtime folder asks of the system: where it is, whose it is, and who of those in it still lives. One
//! file for each kind of system, with the same face.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub(crate) use system::{is_alive, is_closed_to_others, make, named_segments, remove_named, usual};
