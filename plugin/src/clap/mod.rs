//! What a CLAP host calls: clack's safe layer over the format, and behind it what both formats share.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `export.rs` | what a host looks for in the library |
//! | `plugin.rs` | the parts of an instance, and what a host finds in it |
//! | `processor.rs` | what plays: activation, blocks, tail |
//! | `events.rs` | what a host changes within a block, and what it is told there |
//! | `ports.rs` | ports, how they are arranged, and which are on |
//! | `params.rs` | parameters, and pages of them |
//! | `keep.rs` | states, and presets that a host's browser names |
//! | `places.rs` | where such a preset is |
//! | `discovery.rs` | what a host's preset browser is told |
//! | `gui.rs` | the editor's window |
//! | `link.rs` | the way to the host |
//!
//! clack catches a panic before it leaves a function that is not Rust's, and logs it; what may panic is under a
//! shield of ours before, so that it is counted and the sound goes on.

mod discovery;
mod events;
mod export;
mod gui;
mod keep;
mod link;
mod params;
mod places;
mod plugin;
mod ports;
mod processor;

#[cfg(test)]
mod link_tests;

pub use export::Entry;
