//! What a VST3 host calls: objects of our own. nice-plug's wrapper stands behind them for what it does well,
//! names, texts and states of parameters; sound, buses, latency and the editor's window never reach it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `export.rs` | what a host looks for in the library |
//! | `paperwork.rs` | the plugin as nice-plug knows it: without sound, without an editor |
//! | `component.rs` | the object that a host has, and its buses |
//! | `buses.rs` | which arrangements of channels there are |
//! | `processor.rs` | setup, blocks, latency, tail |
//! | `buffers.rs` | what a host gives for sound |
//! | `points.rs` | what a host changes within a block |
//! | `controller.rs` | parameters and their groups |
//! | `link.rs` | the way to the host, and to its main thread |
//! | `gestures.rs` | what is done at a control, told to the host |
//! | `bell.rs` | Linux: has the host come to its main thread |
//! | `view.rs` | the editor's window |
//!
//! Whatever a host calls goes through a shield: a panic must not leave a function that is not Rust's.

#[cfg(target_os = "linux")]
mod bell;
#[cfg_attr(not(target_os = "linux"), path = "no_bell.rs")]
#[cfg(not(target_os = "linux"))]
mod bell;
mod buffers;
mod buses;
mod component;
mod controller;
mod export;
mod gestures;
mod link;
mod paperwork;
mod points;
mod processor;
mod view;

#[cfg(test)]
mod latency_tests;

pub use export::factory;
