//! What the rack costs.
//!
//! [`Subject::all`] lists what is measured: every module of the catalogue and every factory preset,
//! so that a new one is measured by being there. [`Rig`] runs one of them; [`signal`] is what they
//! are given to chew on.

mod rig;
pub mod signal;
mod subject;

pub use rig::{Rig, RigError};
pub use subject::{Subject, SubjectError};

/// Sample rate of everything measured here.
pub const SAMPLE_RATE_HZ: u32 = 48_000;
