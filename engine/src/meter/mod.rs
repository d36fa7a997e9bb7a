//! Meters: what the audio thread measures, and how anybody reads it.

mod level;
mod peak_cell;

pub use level::{Level, LevelCells};
pub(crate) use level::{LevelMeter, Measured};
