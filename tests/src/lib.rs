//! What the tests share: signals, a rig that runs an engine block by block, modules that
//! misbehave on purpose, and measurements of what comes out.

pub mod measure;
pub mod rig;
pub mod seeds;
pub mod signal;
