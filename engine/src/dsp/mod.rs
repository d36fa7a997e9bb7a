//! Building blocks of the modules.

pub mod cascade;
pub mod delay_line;
pub mod design;
pub mod detector;
pub mod envelope;
pub mod fast_math;
pub mod high_pass;
pub mod one_pole;
pub mod quad;
pub mod read_heads;
pub(crate) mod simd;
mod skewed;

/// One chunk of two channels, in a module's own memory.
pub type Chunk = [[f32; crate::block::CHUNK_FRAMES]; 2];
