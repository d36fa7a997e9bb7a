//! What the rack costs.
//!
//! [`Subject::all`] lists what is measured: every module of the catalogue and every factory preset,
//! so that a new one is measured by being there. [`Rig`] runs one of them; [`signal`] is what they
//! are given to chew on.

mod rig;
pub mod signal;
mod subject;

use headroom_engine::realtime::{BlockWatch, HealthCells, has_flushed};

pub use rig::{Rig, RigError, Watch};
pub use subject::{Subject, SubjectError};

/// Sample rate of everything measured here.
pub const SAMPLE_RATE_HZ: u32 = 48_000;

/// `[audio]` All that health does for a block of so many frames, and nothing else.
#[inline(never)]
pub fn health_of_a_block(cells: &HealthCells, frames: usize) {
    let watch = BlockWatch::begin();
    if has_flushed() {
        std::hint::black_box(cells);
    }
    watch.end(cells, frames, 2_666_666);
}
