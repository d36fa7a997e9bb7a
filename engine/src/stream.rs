//! What stays fixed from setup to teardown: sample rate, largest block, channel layout.

use thiserror::Error;

/// The format of one engine, fixed from setup to teardown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    sample_rate_hz: u32,
    max_block_frames: usize,
    channels: usize,
}

/// Why a [`Stream`] cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StreamError {
    /// The sample rate is out of range.
    #[error("sample rate {0} Hz: expected {min} to {max} Hz", min = Stream::MIN_RATE_HZ, max = Stream::MAX_RATE_HZ)]
    SampleRate(u32),
    /// The largest block is out of range.
    #[error("block of {0} frames: expected 1 to {max} frames", max = Stream::MAX_BLOCK_FRAMES)]
    BlockFrames(usize),
    /// The channel count is neither 1 nor 2.
    #[error("{0} channels: expected 1 or 2")]
    Channels(usize),
}

impl Stream {
    /// Lowest sample rate, in Hz. Nobody plays at it, but hosts may ask for it, and nothing breaks.
    pub const MIN_RATE_HZ: u32 = 1_000;
    /// Highest sample rate, in Hz; likewise.
    pub const MAX_RATE_HZ: u32 = 1_536_000;
    /// Largest `max_block_frames`.
    pub const MAX_BLOCK_FRAMES: usize = 8_192;

    /// `[any]` Checks and fixes the format: 1,000 to 1,536,000 Hz, 1 to 8,192 frames, 1 or 2 channels.
    pub fn new(
        sample_rate_hz: u32,
        max_block_frames: usize,
        channels: usize,
    ) -> Result<Self, StreamError> {
        if !(Self::MIN_RATE_HZ..=Self::MAX_RATE_HZ).contains(&sample_rate_hz) {
            return Err(StreamError::SampleRate(sample_rate_hz));
        }
        if !(1..=Self::MAX_BLOCK_FRAMES).contains(&max_block_frames) {
            return Err(StreamError::BlockFrames(max_block_frames));
        }
        if !(1..=2).contains(&channels) {
            return Err(StreamError::Channels(channels));
        }
        Ok(Self {
            sample_rate_hz,
            max_block_frames,
            channels,
        })
    }

    /// `[any]` Sample rate in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// `[any]` The largest block that [`crate::Processor::process`] is given, in frames.
    pub fn max_block_frames(&self) -> usize {
        self.max_block_frames
    }

    /// `[any]` 1 or 2.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// `[any]` A time in frames, rounded to the nearest.
    pub fn frames(&self, secs: f64) -> usize {
        (secs * f64::from(self.sample_rate_hz)).round().max(0.0) as usize
    }

    /// `[any]` A count of frames as a time in seconds.
    pub fn secs(&self, frames: u64) -> f64 {
        frames as f64 / f64::from(self.sample_rate_hz)
    }

    /// `[any]` How long the audio thread has for a block of `frames`, in nanoseconds.
    pub fn deadline_ns(&self, frames: usize) -> u64 {
        frames as u64 * 1_000_000_000 / u64::from(self.sample_rate_hz)
    }
}
