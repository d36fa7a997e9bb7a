//! Where all audio memory comes from: regions taken in the setup phase, carved into named parts.

mod arena;
mod code;
mod map;

pub(crate) use code::populate_code;

pub use arena::{ArenaBox, ArenaSlice, Capacity, Carve, Carver, Memory, MemoryError, Region};
pub(crate) use map::Taken;
pub use map::{MemoryMap, Owner, Pages, Part, Place, Sort};
