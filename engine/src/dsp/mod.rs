//! Building blocks of the modules.

pub mod delay_line;
pub mod detector;
pub mod envelope;
pub mod fast_math;
pub mod high_pass;
pub mod one_pole;
