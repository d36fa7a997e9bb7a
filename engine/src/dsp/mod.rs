//! Building blocks of the modules.

pub mod envelope;
pub mod fast_math;
pub mod high_pass;
