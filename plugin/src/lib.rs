//! Headroom as a CLAP and VST3 plugin: one library, both formats, no list of its own.
//!
//! The *strip* has one of each kind of module that the engine knows. Which of them are in, and in what
//! order, is structure: kept in the state, built off the audio thread. All host parameters are made from
//! the modules' own tables ([`Parameters`]), so that a new module changes nothing here.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `rows.rs` | every host parameter as a row: its id, name, group, and the table it comes from |
//! | `parameters.rs` | the rows as nice-plug's parameters, and what changed since the audio thread looked |
//! | `state.rs` | what hosts save: what is written, what is refused |
//! | `structure.rs` | the rack that the parameters ask for |
//! | `desk.rs` | the main thread's side of one engine: edits, presets, latency |
//! | `feed.rs` | the audio thread's side: changed parameters become events |
//! | `housekeeping.rs` | the one thread of all instances |
//! | `editor/` | the screen inside the host's window |
//! | `strip.rs` | the sound of one instance, whatever the format |
//! | `plugin.rs` | what a CLAP host calls |
//! | `edition.rs` | the ports of that |
//! | `vst3/` | what a VST3 host calls |
//! | `export.rs` | what a CLAP host looks for in the library |
//!
//! Threads are named in front of each item: `[main]`, `[audio]`, `[any]`. A host's audio thread is a role
//! that it moves between threads: nothing here paints, schedules or measures one.

mod desk;
mod edition;
mod editor;
mod export;
mod feed;
mod housekeeping;
mod parameters;
mod plugin;
mod rows;
mod shield;
mod state;
mod strip;
mod structure;
mod vst3;

pub use edition::{Clap, Edition};
pub use editor::{Editor, EditorError, Handle, Window};
pub use parameters::Parameters;
pub use plugin::Headroom;
pub use rows::{Row, Target, rows};
pub use shield::caught_panics;
pub use state::{FORMAT, Refusal, check, fits, presets};

/// Counts what the audio thread allocates or frees, and lets the sound go on.
#[cfg(feature = "stage")]
#[global_allocator]
static ALLOCATOR: headroom_engine::realtime::StageAllocator =
    headroom_engine::realtime::StageAllocator;

/// Ends the host at the first allocation of the audio thread.
#[cfg(not(feature = "stage"))]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
