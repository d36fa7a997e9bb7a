//! The two ends of a render: a file that is read and a file that is written, with their peaks.

use headroom_engine::offline::{Sink, Source};

use crate::audio_file::{Reader, WriteError, Writer, Written};
use crate::error::HostError;
use crate::progress::Progress;

/// The input, and how far it is.
pub(super) struct FileSource {
    reader: Reader,
    progress: Progress,
    frames: u64,
    peak: f32,
}

impl FileSource {
    pub(super) fn new(reader: Reader, progress: Progress) -> Self {
        Self { reader, progress, frames: 0, peak: 0.0 }
    }

    /// The loudest sample, and how many packets were damaged.
    pub(super) fn finish(self) -> (f32, u64) {
        (self.peak, self.reader.damaged_packets())
    }
}

impl Source for FileSource {
    type Error = HostError;

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, HostError> {
        let count = self.reader.read(channels)?;
        for channel in channels.iter() {
            self.peak = peak(self.peak, &channel[..count]);
        }
        self.frames += count as u64;
        self.progress.at(self.frames);
        Ok(count)
    }
}

/// The output.
pub(super) struct FileSink {
    writer: Writer,
    peak: f32,
}

impl FileSink {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer, peak: 0.0 }
    }

    /// Gives the file its name; the loudest sample, and what was written.
    pub(super) fn finish(self) -> Result<(f32, Written), WriteError> {
        Ok((self.peak, self.writer.finish()?))
    }
}

impl Sink for FileSink {
    type Error = HostError;

    fn write(&mut self, channels: &[&[f32]]) -> Result<(), HostError> {
        for channel in channels {
            self.peak = peak(self.peak, channel);
        }
        Ok(self.writer.write(channels)?)
    }
}

fn peak(before: f32, samples: &[f32]) -> f32 {
    // What is not finite is no level; the rack takes it for silence.
    samples.iter().map(|sample| sample.abs()).filter(|level| level.is_finite()).fold(before, f32::max)
}
