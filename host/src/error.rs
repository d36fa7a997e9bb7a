//! What ends the program, each as one line: what, where, what was expected.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use headroom_engine::preset::PresetError;
use headroom_engine::{OpenError, StreamError};

use crate::audio_file::{ReadError, WriteError};
use crate::client::ClientError;
use crate::play::PlayError;
use crate::tempo::NoSuchTempo;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The input could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The output could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A preset file could not be used.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// No preset of that name, and no such file.
    #[error("no such preset: {given}: expected a file, or one of {known}")]
    NoSuchPreset {
        /// As typed.
        given: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// The preset of the last run can no longer be used.
    #[error(
        "the remembered preset `{preset}` cannot be used: {source}: name another with `--preset`, or start with `--fresh`"
    )]
    RememberedPreset {
        /// As it is remembered.
        preset: String,
        /// What is wrong with it.
        source: Box<HostError>,
    },
    /// An option's value is outside its range.
    #[error("`{option}` is {given}: expected {expected}")]
    Option {
        /// As typed, for example `--block`.
        option: &'static str,
        /// As typed.
        given: String,
        /// What would have been taken.
        expected: String,
    },
    /// There is no such tempo.
    #[error(transparent)]
    Tempo(#[from] NoSuchTempo),
    /// The output's name asks for a format that is not written.
    #[error("only WAV is written: {given}: expected a name that ends in .wav")]
    NotWav {
        /// As typed.
        given: String,
    },
    /// A running program could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The rack could not be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The engine takes no such stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The engine could not build the rack.
    #[error("cannot build the rack: {0}")]
    Open(#[from] OpenError),
    /// The handler for Ctrl-C could not be set.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// A picture could not be written.
    #[error("cannot write the picture {}: {}", .path.display(), crate::audio_file::plain(.source))]
    Picture {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A list or report could not be printed.
    #[error("cannot print: {}", crate::audio_file::plain(.0))]
    Print(io::Error),
}

impl HostError {
    /// True when all that there is to say has been said, when it happened.
    pub fn is_told(&self) -> bool {
        matches!(self, Self::Play(PlayError::RecordingCutShort))
    }

    /// True when the reader of our output has gone, as `head` does: no reason to complain.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The message without line breaks, whatever an underlying error put into it.
pub fn one_line(error: &dyn Error) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
