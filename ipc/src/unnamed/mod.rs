//! Shared memory without a name, which others get by being handed it. One file for each kind of system, with the
//! same face.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "none.rs")]
mod system;

pub(crate) use system::{IS_USUAL, Unnamed, lock};
