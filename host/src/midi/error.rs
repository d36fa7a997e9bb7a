//! What can be wrong with MIDI before anything plays.

use headroom_engine::preset::PresetError;

/// Why MIDI cannot be had as it was asked for. One line: what, where, what was expected.
#[derive(Debug, thiserror::Error)]
pub enum MidiError {
    /// No port of that name.
    #[error("no MIDI port is called `{given}`: expected `auto`, `none`, or {expected}")]
    NoSuchPort {
        /// As typed.
        given: String,
        /// The ports there are, or why there are none.
        expected: String,
    },
    /// More than one port that the name may mean.
    #[error("`{given}` may be more than one MIDI port: expected one of `{}`", .matching.join("`, `"))]
    Ambiguous {
        /// As typed.
        given: String,
        /// Those it may be.
        matching: Vec<String>,
    },
    /// Something in the map file.
    #[error(transparent)]
    Map(#[from] PresetError),
}
