//! The two ends of a render: a file that is read and a file that is written.

use crate::audio_file::{Reader, WriteError, Writer, Written};
use crate::error::HostError;
use crate::progress::Progress;

/// The input, how far it is and how loud it was.
pub(super) struct FileSource {
    reader: Reader,
    progress: Progress,
    frames: u64,
    peak: f32,
}

impl FileSource {
    pub(super) fn new(reader: Reader, progress: Progress) -> Self {
        Self {
            reader,
            progress,
            frames: 0,
            peak: 0.0,
        }
    }

    /// Fills `channels`; fewer frames than they hold are the last.
    pub(super) fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, HostError> {
        let count = self.reader.read(channels)?;
        for channel in channels.iter() {
            self.peak = peak(self.peak, &channel[..count]);
        }
        self.frames += count as u64;
        self.progress.at(self.frames);
        Ok(count)
    }

    /// The loudest sample, and how many packets were damaged. Takes the bar off the screen.
    pub(super) fn finish(self) -> (f32, u64) {
        (self.peak, self.reader.damaged_packets())
    }
}

/// The output.
pub(super) struct FileSink(Writer);

impl FileSink {
    pub(super) fn new(writer: Writer) -> Self {
        Self(writer)
    }

    pub(super) fn write(&mut self, channels: &[&[f32]]) -> Result<(), HostError> {
        Ok(self.0.write(channels)?)
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<Written, WriteError> {
        self.0.finish()
    }
}

fn peak(before: f32, samples: &[f32]) -> f32 {
    // What is not finite is no level; the rack takes it for silence.
    samples
        .iter()
        .map(|sample| sample.abs())
        .filter(|level| level.is_finite())
        .fold(before, f32::max)
}
