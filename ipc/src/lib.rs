//! What Headroom's audio process and its screens agree on: meters, sound, a board and commands in shared
//! memory.
//!
//! The audio process has a [`Server`], everybody else a [`Client`]. The audio thread's end is the
//! [`Publisher`]: it never waits, and reads nothing that another process could have written. A client may be
//! killed, stopped, or write any bytes over all that it may write, and not one sample changes.
//!
//! ```
//! use headroom_ipc::{Command, pair};
//!
//! let (mut server, mut client) = pair()?;
//! client.send(&Command::Undo)?;
//! let look = server.look();
//! assert_eq!(look.commands[0].command, Command::Undo);
//! server.reply(&look.commands[0], Ok("undone".to_owned()));
//! assert_eq!(client.replies()[0].result, Ok("undone".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate imports nothing else of ours, and has no thread of its own.

pub mod board;
mod cells;
mod client;
mod commands;
mod folder;
mod handover;
pub mod meters;
mod publisher;
mod region;
mod runtime;
pub mod screen;
mod segment;
mod server;
mod sheet;
mod sound;
mod stream;
mod sync;
mod unnamed;
mod walk;
mod wide;

#[cfg(all(test, loom))]
mod orders;

pub use board::{Axis, Curve, Description, HealthInfo, MemoryInfo, Walk};
pub use meters::{Lane, MAX_LANES, MeterFrame, MeterSpan};
pub use region::{
    COMMAND_BYTES, COMMANDS, MAX_CLIENTS, MAX_POINTS, MAX_VALUES, REPLY_BYTES, VALUE_TEXT_BYTES,
    VERSION,
};
pub use segment::{Backing, SegmentError};
pub use sound::{SOUND_FRAMES, Tap};
pub use stream::Stream;

pub use client::{Client, Reply, State, Value};
pub use commands::{Command, CommandError, DeviceWish, TEMPO_BPM};
pub use handover::AttachError;
pub use publisher::{Publisher, Publishers};
pub use runtime::{Running, RuntimeError};
pub use server::{Guest, Incoming, Look, ServeError, Server};

/// `[main]` Both ends in one process, for tests and pictures.
///
/// # Errors
///
/// The system refuses the memory.
pub fn pair() -> Result<(Server, Client), AttachError> {
    pair_with(Backing::default())
}

/// `[main]` The same with a certain kind of segment.
///
/// # Errors
///
/// As of [`pair`].
pub fn pair_with(backing: Backing) -> Result<(Server, Client), AttachError> {
    let refused = |error: ServeError| AttachError::System(std::io::Error::other(error));
    let (ours, theirs) = Stream::pair().map_err(AttachError::System)?;
    let mut server = Server::closed(backing).map_err(refused)?;
    server.admit(ours).map_err(refused)?;
    let client = Client::from_stream(theirs)?;
    Ok((server, client))
}
