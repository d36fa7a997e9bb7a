//! Audio files, as streams of frames: what is read, what is written, and the way between two rates.
//!
//! [`Reader`] gives planar `f32` frames from WAV (RIFF, RF64, BW64), Wave64, AIFF, FLAC, MP3 and OGG Vorbis;
//! [`Resampled`] gives them at another rate; [`Writer`] takes planar `f32` frames to a WAV file that
//! appears under its name only when it is whole. None of them ever holds a whole file in memory, and none
//! belongs on the audio thread.

#[cfg(target_os = "linux")]
mod bus_guard;
mod byte_source;
mod decoded;
mod destination;
mod dither;
mod error;
#[cfg(target_os = "linux")]
mod mapped_file;
mod reader;
mod recording;
mod resample;
mod samples;
mod wave;
mod wave_header;
mod writer;

#[cfg(test)]
mod tests;

pub use destination::remove_unfinished;
pub(crate) use error::plain;
pub use error::{ReadError, WriteError};
pub use reader::{Reader, STDIN_NAME};
pub use recording::{Recorded, Recording};
pub use resample::Resampled;
pub use writer::{Layout, SampleFormat, Target, Writer, Written};

use std::ops::RangeInclusive;

/// The sample rates that are taken, in Hz: the engine's own range.
pub const SAMPLE_RATES_HZ: RangeInclusive<u32> = 8_000..=384_000;

/// The most channels that are taken: mono or stereo.
pub const MAX_CHANNELS: usize = 2;
