//! `--tempo`: what `play` and `render` go by.

use clap::Args;
use headroom_engine::Tempo;

/// The option.
#[derive(Debug, Clone, Copy, Args)]
pub struct TempoArgs {
    /// Beats a minute, 1 to 999, for what goes by the tempo, such as a delay with `sync`
    #[arg(
        long = "tempo",
        value_name = "BPM",
        default_value_t = Tempo::default().bpm(),
        allow_negative_numbers = true
    )]
    bpm: f64,
}

/// There is no such tempo.
#[derive(Debug, thiserror::Error)]
#[error(
    "`--tempo` is {given}: expected {} to {} beats a minute",
    Tempo::SLOWEST.bpm(),
    Tempo::FASTEST.bpm()
)]
pub struct NoSuchTempo {
    /// As typed.
    given: f64,
}

impl TempoArgs {
    /// `[any]` The tempo that was typed, or the usual one.
    ///
    /// # Errors
    /// There is no such tempo.
    pub(crate) fn checked(self) -> Result<Tempo, NoSuchTempo> {
        Tempo::new(self.bpm).ok_or(NoSuchTempo { given: self.bpm })
    }
}
