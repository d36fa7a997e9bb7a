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
//! | `player.rs` | a host's block: its buffers, its key, its changes at their frames |
//! | `buffers.rs` | what a host gives for sound |
//! | `table.rs` | which row a host means by a number, and what nice-plug's parameter of it answers |
//! | `hand.rs` | what is done at a control, told to a host |
//! | `clap/` | what a CLAP host calls |
//! | `vst3/` | what a VST3 host calls |
//! | `edition.rs` | which kinds of modules are in the strip |
//! | `about.rs` | what hosts are told of the plugin |
//!
//! Threads are named in front of each item: `[main]`, `[audio]`, `[any]`. A host's audio thread is a role
//! that it moves between threads: nothing here paints, schedules or measures one.

mod about;
mod buffers;
mod clap;
mod desk;
mod edition;
mod editor;
mod feed;
mod hand;
mod housekeeping;
mod parameters;
mod player;
mod rows;
mod shield;
mod state;
mod strip;
mod structure;
mod table;
mod vst3;

pub use clap::Entry;
pub use edition::{BuiltIn, Edition};
pub use editor::{Editor, EditorError, Handle, Window};
pub use parameters::Parameters;
pub use rows::{Row, Target, rows};
pub use shield::caught_panics;
pub use state::{FORMAT, Refusal, check, fits, presets};
pub use vst3::factory as vst3_factory;

/// Counts what the audio thread allocates or frees, and lets the sound go on.
#[cfg(feature = "stage")]
#[global_allocator]
static ALLOCATOR: headroom_engine::realtime::StageAllocator =
    headroom_engine::realtime::StageAllocator;

/// Ends the host at the first allocation of the audio thread.
#[cfg(not(feature = "stage"))]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
