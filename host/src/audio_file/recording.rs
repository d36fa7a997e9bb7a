//! A WAV file that must survive: what is recorded cannot be had a second time.
//!
//! While it grows, `take.wav` stands beside as `take.wav.part`, and its header is made true every few
//! seconds: killed at any time, it can be played and opened as it is, or renamed to `take.wav`. It takes
//! the place of no other file, and a disk that fails leaves what was written as a whole file.

use std::path::{Path, PathBuf};

use super::destination::{Destination, check_new};
use super::error::WriteError;
use super::writer::{Layout, MAX_RIFF_BYTES, Writer, Written, frame_bytes, head};

/// What a recording that was cut short has behind its name.
const CUT_SHORT: &str = "-cut-short";

/// A recording in the making.
pub struct Recording {
    writer: Writer,
}

/// A recording that was given its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The name: another than was asked for, if it was cut short or the name was taken meanwhile.
    pub path: PathBuf,
    /// What is in it.
    pub written: Written,
}

impl Recording {
    /// `[main]` Whether a recording may go to `path`; nothing is made yet.
    ///
    /// # Errors
    /// There is a file already, or no such folder.
    pub fn check(path: &Path) -> Result<(), WriteError> {
        check_new(path)
    }

    /// `[main]` Starts a recording.
    ///
    /// # Errors
    /// As [`Recording::check`]; the system refuses, the disk is full.
    pub fn create(path: &Path, layout: Layout) -> Result<Self, WriteError> {
        Self::with_limit(path, layout, MAX_RIFF_BYTES)
    }

    /// The same with the size from which RF64 is written, so that tests need no 4 GiB.
    pub(super) fn with_limit(
        path: &Path,
        layout: Layout,
        max_riff_bytes: u64,
    ) -> Result<Self, WriteError> {
        let destination = Destination::recording(path)?;
        let writer = Writer::with_limit(destination, layout, None, max_riff_bytes)?;
        Ok(Self { writer })
    }

    /// `[any]` Where it is while it grows.
    pub fn growing_path(&self) -> &Path {
        self.writer.destination.growing_path()
    }

    /// `[main]` Appends one slice for each channel, all of one length.
    ///
    /// # Errors
    /// The disk is full or fails; [`Recording::salvage`] keeps what is there.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WriteError> {
        self.writer.write(channels)
    }

    /// `[main]` Makes the header say what is there now; `last`: and all of it goes to the disk itself, so
    /// that it outlives a power cut too.
    ///
    /// # Errors
    /// As [`Recording::write`].
    pub fn checkpoint(&mut self, last: bool) -> Result<(), WriteError> {
        let writer = &mut self.writer;
        writer.flush()?;
        let head = head(writer.layout, Some(writer.frames), writer.max_riff_bytes);
        writer.destination.write_head(&head, last)
    }

    /// `[main]` Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`Recording::write`]; what was written stays beside the name.
    pub fn finish(mut self) -> Result<Recorded, WriteError> {
        self.writer.pad();
        self.writer.flush()?;
        let written = self.writer.written();
        self.finish_as(written)
    }

    /// `[main]` After an error: makes what is on the disk a whole file under a name that says so.
    ///
    /// # Errors
    /// Not even that is possible; what was written stays beside the name.
    pub fn salvage(mut self) -> Result<Recorded, WriteError> {
        let writer = &mut self.writer;
        let head_bytes = head(writer.layout, None, writer.max_riff_bytes).len() as u64;
        let frame_bytes = frame_bytes(writer.layout);
        let destination = &mut writer.destination;
        let path = destination.path().to_owned();
        let frames = destination.cut_to_frames(head_bytes, frame_bytes)?;
        destination.rename(cut_short(&path));
        let written = Written {
            frames: frames.unwrap_or(writer.frames),
            ..writer.written()
        };
        self.finish_as(written)
    }

    fn finish_as(self, written: Written) -> Result<Recorded, WriteError> {
        let Writer {
            destination,
            layout,
            max_riff_bytes,
            ..
        } = self.writer;
        let path = destination.finish(&head(layout, Some(written.frames), max_riff_bytes))?;
        Ok(Recorded { path, written })
    }
}

/// `take.wav` as `take-cut-short.wav`.
fn cut_short(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(CUT_SHORT);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}
