//! Where all audio memory comes from: regions taken in the setup phase, carved into named parts.

mod arena;
mod code;
mod lock;
mod map;
mod maps;
mod pool;
mod scratch;

pub(crate) use arena::released_bytes;
pub(crate) use code::populate_code;

pub use arena::{
    ArenaBox, ArenaSlice, AudioMemory, Capacity, Carve, Carver, Memory, MemoryError, Region,
    audio_memory,
};
pub use lock::{LockedProgram, lock_program};
pub(crate) use map::Taken;
pub use map::{MemoryMap, Owner, Pages, Part, Place, Sort};
pub use maps::Mapping;
pub use pool::{Pool, Ticket};
pub(crate) use scratch::{Chunk, Cursor, Plane, Scratch};
