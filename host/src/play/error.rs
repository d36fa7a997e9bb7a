//! What can go wrong between the command line and the last block.

use std::path::PathBuf;

use headroom_engine::OpenError;
use headroom_engine::StreamError;
use headroom_engine::realtime::TrapError;

use super::backend::Backend;
use crate::audio_file::ReadError;
use crate::audio_file::WriteError;
use crate::tempo::NoSuchTempo;

/// Why `play` did not start, or did not end well. Each message is one line: what, where, what was
/// expected.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// An option's value is outside its range.
    #[error("`{option}` is {given}: expected {expected}")]
    Option {
        /// The option as typed, for example `--block`.
        option: &'static str,
        /// The value as typed.
        given: String,
        /// What would have been taken.
        expected: String,
    },

    /// There is no such tempo.
    #[error(transparent)]
    Tempo(#[from] NoSuchTempo),

    /// An option needs another one.
    #[error("`{option}` needs `{needs}`")]
    Needs {
        /// The option as typed.
        option: &'static str,
        /// The option it needs.
        needs: &'static str,
    },

    /// The input file could not be opened or decoded.
    #[error(transparent)]
    Input(#[from] ReadError),

    /// A recording could not be started.
    #[error(transparent)]
    Record(#[from] WriteError),

    /// A recording is not whole. Said already, when it happened.
    #[error("a recording is not whole")]
    RecordingCutShort,

    /// The input file holds no sound.
    #[error("{}: holds no audio: expected at least one frame", path.display())]
    EmptyInput {
        /// The file.
        path: PathBuf,
    },

    /// A device name that is on none of the backends asked.
    #[error("no {direction} device is called `{given}`: expected {expected}")]
    NoSuchDevice {
        /// `input` or `output`.
        direction: &'static str,
        /// The name as typed.
        given: String,
        /// The names there are.
        expected: String,
    },

    /// The backend that was asked for by name cannot be used.
    #[error("backend `{backend}` is not available: {reason}")]
    Unavailable {
        /// The backend.
        backend: Backend,
        /// Why, in the words of the backend.
        reason: String,
    },

    /// The backend is there, but its device refuses what was asked.
    #[error("backend `{backend}`: {reason}")]
    Refused {
        /// The backend.
        backend: Backend,
        /// What it refuses and what it expects.
        reason: String,
    },

    /// The device of the last run is not there: no other is taken in its place.
    #[error(
        "the remembered {direction} device `{name}` is not there: expected {expected}: connect it, name another with `--{direction}-device`, or start with `--fresh`"
    )]
    RememberedDevice {
        /// `input` or `output`.
        direction: &'static str,
        /// What people call it.
        name: String,
        /// The names there are.
        expected: String,
    },

    /// The backend of the last run cannot be used: no other is taken in its place.
    #[error(
        "the remembered backend `{backend}` is not available: {reason}: start it, name another with `--backend`, or start with `--fresh`"
    )]
    RememberedBackend {
        /// The backend.
        backend: Backend,
        /// Why, in the words of the backend.
        reason: String,
    },

    /// What was asked cannot be had together with what is remembered.
    #[error("{source} ({said} as last time: name another, or start with `--fresh`)")]
    AsLastTime {
        /// What went wrong.
        source: Box<PlayError>,
        /// What is remembered.
        said: String,
    },

    /// The device went away while playing.
    #[error("backend `{backend}`: {reason} after {seconds:.1} s")]
    DeviceLost {
        /// The backend.
        backend: Backend,
        /// How it went.
        reason: &'static str,
        /// Seconds of sound until then.
        seconds: f64,
    },

    /// MIDI cannot be had as it was asked for.
    #[error(transparent)]
    Midi(#[from] crate::midi::MidiError),

    /// The engine takes no such stream.
    #[error(transparent)]
    Stream(#[from] StreamError),

    /// The engine could not build the rack.
    #[error(transparent)]
    Open(#[from] OpenError),

    /// `--trap` cannot be had here.
    #[error("`--trap`: {0}")]
    Trap(#[from] TrapError),

    /// The operating system refused something the session cannot do without.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },

    /// The device has no input whose latency could be measured.
    #[error(
        "backend `{backend}`: `{output}` has no input to listen to: expected one, see `--input-device`"
    )]
    NoInput {
        /// The backend.
        backend: Backend,
        /// The output that is there.
        output: String,
    },

    /// The signal that was played did not come back.
    #[error(
        "nothing came back on `{input}` of what `{output}` played, but {heard}: expected a cable from output to input"
    )]
    NothingBack {
        /// What played.
        output: String,
        /// What listened.
        input: String,
        /// What was heard instead.
        heard: String,
    },

    /// The rates of the two devices cannot be brought together.
    #[error("cannot resample the input: {0}")]
    Bridge(#[from] rubato::ResamplerConstructionError),

    /// The handler for Ctrl-C and SIGTERM could not be set.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
}
