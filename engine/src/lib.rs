//! The Headroom engine: an effects rack whose audio thread, after setup, never allocates, frees,
//! locks, waits, makes a system call or faults a page.
//!
//! [`open`] is the setup phase: it builds a rack from plain data ([`RackSpec`]) and gives its two
//! ends, the [`Controller`] for the main thread and the [`Processor`] for the audio thread.
//!
//! ```
//! use headroom_engine::{Catalog, Memory, Stream, open, preset};
//!
//! let catalog = Catalog::builtin();
//! let spec = preset::parse("headroom = 1\n[[module]]\nkind = \"gain\"\n", "example", &catalog)?;
//! let stream = Stream::new(48_000, 128, 2)?;
//! let (mut controller, mut processor) = open(stream, &spec, &Memory::default())?;
//!
//! let (mut left, mut right) = ([0.5; 128], [0.5; 128]);
//! processor.process(&mut [&mut left, &mut right], &[]); // the priming block: silent
//! processor.process(&mut [&mut left, &mut right], &[]);
//! controller.set_param("gain", "gain_db", -6.0)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Threads are named in front of each item's documentation: `[main]` belongs to the controller's
//! side, `[audio]` to the callback, `[any]` to both.

mod automation;
pub mod block;
mod board;
pub mod buffer;
mod builder;
pub mod controller;
pub mod dsp;
pub mod face;
mod fade;
pub mod footprint;
pub mod memory;
pub mod message;
pub mod meter;
pub mod module;
pub mod modules;
pub mod offline;
mod panic;
pub mod param;
mod plan;
pub mod preset;
pub mod processor;
pub mod rack;
pub mod ramp;
pub mod realtime;
mod scope;
mod slot;
pub mod stream;
mod sync;
mod tail;
pub mod tempo;
pub mod units;

pub use block::{ALIGNMENT_BYTES, Block, CHUNK_FRAMES, GRID_FRAMES};
pub use board::{Board, health_info, kinds, memory_parts, param_info};
pub use buffer::Buffer;
pub use builder::OpenError;
pub use controller::{ControlError, Controller, History, MAX_STEPS, Meters, Report, open};
pub use face::{Face, Scene};
pub use memory::{Capacity, Memory, MemoryError, MemoryMap};
pub use message::{Change, Event, SlotKey};
pub use meter::Level;
pub use module::{Catalog, Kind, Module, Setup};
pub use panic::PanicButton;
pub use param::{Param, Scale, Unit};
pub use preset::{ModuleSpec, PresetError, RackSpec};
pub use processor::Processor;
pub use ramp::{Ease, Glide, Ramp};
pub use realtime::{BlockTimes, Health};
pub use slot::SlotHealth;
pub use stream::{Stream, StreamError};
pub use tempo::Tempo;
