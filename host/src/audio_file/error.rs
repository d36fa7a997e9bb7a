//! What can go wrong with an audio file, each as one line: what, where, what was expected.

use std::io;
use std::path::PathBuf;

use super::SAMPLE_RATES_HZ;

/// Why an audio file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file, or it may not be read.
    #[error("cannot open the audio file: {}: {}", path.display(), plain(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a folder.
    #[error("cannot open the audio file: {}: expected a file, found a folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// No format that is known.
    #[error("not an audio file: {}: expected WAV, AIFF, FLAC, MP3 or OGG Vorbis", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
    },
    /// The header contradicts itself or asks for what is not supported.
    #[error("unreadable audio file: {}: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        detail: String,
    },
    /// More or fewer channels than a rack takes.
    #[error("unsupported number of channels: {}: expected 1 or 2, found {channels}", path.display())]
    Channels {
        /// The file.
        path: PathBuf,
        /// How many it has.
        channels: usize,
    },
    /// A rate that the rack cannot run at.
    #[error(
        "unsupported sample rate: {}: expected {} to {} Hz, found {sample_rate_hz} Hz",
        path.display(), SAMPLE_RATES_HZ.start(), SAMPLE_RATES_HZ.end()
    )]
    SampleRate {
        /// The file.
        path: PathBuf,
        /// Its rate, in Hz.
        sample_rate_hz: u32,
    },
    /// The file ends before the audio that its header promises.
    #[error("truncated audio file: {}: expected {expected_frames} frames, found {found_frames}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// What the header promises.
        expected_frames: u64,
        /// What is there.
        found_frames: u64,
    },
    /// The audio itself is damaged.
    #[error("damaged audio: {} at {at_secs:.3} s: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, in seconds from the start.
        at_secs: f64,
        /// What the decoder said.
        detail: String,
    },
    /// The system failed while reading.
    #[error("cannot read the audio file: {}: {}", path.display(), plain(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why an audio file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder that the file should go to is not there.
    #[error("no such folder: {}: expected an existing folder for {name}", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
        /// The name that the file should have had in it.
        name: String,
    },
    /// The path names a folder.
    #[error("cannot write the audio file: {}: expected a file, found a folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The output is the input.
    #[error("the output is the input: {}: expected another file", path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
    },
    /// A recording would take the place of a file.
    #[error("there is a file already: {}: expected a new name, since a recording replaces nothing", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be made.
    #[error("cannot create the audio file: {}: {}", path.display(), plain(source))]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed while writing: the disk is full, the reader of a pipe has gone.
    #[error("cannot write the audio file: {}: {}", path.display(), plain(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The system's words without "(os error 28)".
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
