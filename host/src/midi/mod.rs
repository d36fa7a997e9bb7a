//! MIDI in `headroom play`: controllers move the rack, program changes select presets.
//!
//! ```text
//!  MIDI threads (JACK's, the system's)          audio thread                main thread
//!  bytes ─► Message ─► Lane (ring + newest) ─► Feed ─► events ─► rack
//!              │                                 ▲ Table ◄──────────────── Desk ─► presets, learning
//!              └────── Heard (atomics) ──────────┼───────────────────────► Desk
//!  Watcher thread: finds ports, connects, waits for those that went away ─► Desk
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `message` | what is understood of a message's bytes |
//! | `lane`, `parking` | from one port to the audio thread: bounded, and the newest of each controller gets through |
//! | `table`, `feed` | on the audio thread: what each controller moves; from messages to events |
//! | `heard` | the words between the MIDI threads, the audio thread and the main thread |
//! | `ports`, `jack_ports`, `system_ports` | what ports there are, and how to listen to them |
//! | `watcher` | the thread that connects, and waits for ports that went away |
//! | `map` | `midi.toml`: which program is which preset |
//! | `desk`, `learn` | the main thread's side: presets, learning, saving |

mod desk;
mod error;
mod feed;
mod heard;
#[cfg(all(feature = "jack", any(target_os = "linux", target_os = "freebsd")))]
mod jack_ports;
mod lane;
mod learn;
mod map;
mod message;
mod parking;
mod ports;
mod setup;
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
mod system_ports;
mod table;
#[cfg(test)]
mod tests;
mod watcher;

pub(crate) use self::desk::{Desk, DeskKey, MidiLines, Wiring, first_table};
pub use self::error::MidiError;
pub(crate) use self::feed::{Feed, FeedEnds};
pub(crate) use self::heard::Heard;
pub use self::heard::MidiCounts;
pub use self::ports::MidiSystem;
pub(crate) use self::ports::list;
pub(crate) use self::setup::Setup;
pub(crate) use self::table::Table;
