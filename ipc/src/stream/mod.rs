//! A line between two processes: over it a client is given its memory, and its end is how each side learns of
//! the other's death. One file for each kind of system, with the same face.

#[cfg(unix)]
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "bsd.rs")]
mod kernel;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

#[cfg(windows)]
pub(crate) use system::Guarded;
pub use system::Stream;
pub(crate) use system::{Lent, Listener, Luggage, connect, is_ours, look, receive, send, spawn};

/// What is heard of the other side by a look at the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is there.
    Open,
    /// It has ended, or has let go.
    Closed,
}
