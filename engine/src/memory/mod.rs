//! Where all audio memory comes from: regions taken in the setup phase, carved into named parts.

mod arena;
mod code;

pub(crate) use code::populate_code;

pub use arena::{ArenaBox, ArenaSlice, Carve, Carver, Memory, MemoryError, Region};
