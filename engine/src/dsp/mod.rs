//! Building blocks of the modules.

pub mod cascade;
pub mod delay_line;
pub mod design;
pub mod envelope;
pub mod fast_math;
pub mod high_pass;
pub mod one_pole;
pub mod quad;
mod skewed;
