//! The command line of `play`.

use std::path::PathBuf;

use clap::Args;
use headroom_engine::Tempo;

use super::backend::Backend;
use super::backend::BackendChoice;
use super::error::PlayError;
use super::routing::Routing;
use crate::render::Format;
use crate::tempo::TempoArgs;

/// Sample rates of devices, in Hz; the engine takes more.
const RATES_HZ: std::ops::RangeInclusive<u32> = 8_000..=384_000;
/// Device block sizes that `--block` takes, in frames.
const BLOCKS_FRAMES: std::ops::RangeInclusive<u32> = 1..=8_192;

/// Play sound through a rack, live.
#[derive(Debug, Clone, Args)]
pub struct PlayArgs {
    /// Audio system to play on; `auto` takes the first that works and ends at `null` [default: that of
    /// the last run, or auto]
    #[arg(long, value_enum, value_name = "NAME")]
    pub backend: Option<BackendChoice>,

    /// Device to listen to (see `headroom devices`)
    #[arg(long, value_name = "NAME", conflicts_with = "input")]
    pub input_device: Option<String>,

    /// Device to play on (see `headroom devices`)
    #[arg(long, value_name = "NAME")]
    pub output_device: Option<String>,

    /// Channels of the input device, counted from 1: two, or one for both sides [default: the first two]
    #[arg(long, value_name = "N[,N]", conflicts_with = "input")]
    pub inputs: Option<String>,

    /// Channels of the output device, counted from 1: two, or one for the sum [default: the first two]
    #[arg(long, value_name = "N[,N]")]
    pub outputs: Option<String>,

    /// Sample rate in Hz [default: the device's own]
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    pub rate: Option<i64>,

    /// Frames in each device block [default: the device's own, or 256]
    #[arg(long, value_name = "FRAMES", allow_negative_numbers = true)]
    pub block: Option<i64>,

    /// A preset file, or the name of a built-in preset [default: that of the last run, or voice]
    #[arg(long, value_name = "FILE|NAME")]
    pub preset: Option<String>,

    /// What it goes by.
    #[command(flatten)]
    pub tempo: TempoArgs,

    /// Listen to a MIDI port: its name or a part of it, `auto` for every device that is plugged in, or
    /// `none` [default: the `port` of midi.toml, or none]
    #[arg(long, value_name = "PORT|auto|none")]
    pub midi: Option<String>,

    /// Which program is which preset [default: midi.toml in the configuration folder, or in the order of
    /// `headroom presets`]
    #[arg(long, value_name = "FILE")]
    pub midi_map: Option<PathBuf>,

    /// Presets to step through, the first at the start: keys n and b, or --every
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        conflicts_with = "preset"
    )]
    pub setlist: Vec<String>,

    /// Go on to the next preset of the setlist after every so many seconds of sound
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub every: Option<f64>,

    /// Play this file in place of the input (WAV, FLAC, MP3, OGG)
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Play the input file again and again
    #[arg(long = "loop")]
    pub repeat: bool,

    /// Record what is played into this WAV file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Record what comes in, too: frame by frame beside the other
    #[arg(long, value_name = "FILE", requires = "record")]
    pub record_dry: Option<PathBuf>,

    /// How recorded samples are stored; the integer formats are dithered
    #[arg(long, value_enum, default_value_t = Format::F32, value_name = "FORMAT")]
    pub record_format: Format,

    /// Stop after this many seconds
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub seconds: Option<f64>,

    /// Let the live input sound from the start (headphones, or no microphone near the speakers)
    #[arg(long)]
    pub unmuted: bool,

    /// Neither use nor change what is remembered of earlier runs: backend, devices, rate, block, preset
    #[arg(long)]
    pub fresh: bool,

    /// End when the device is lost, instead of waiting until it is back
    #[arg(long)]
    pub no_reconnect: bool,

    /// Do not open the screen
    #[arg(long)]
    pub no_gui: bool,

    /// Count the audio thread's system calls and name the first (Linux on x86-64)
    #[arg(long)]
    pub trap: bool,

    /// Say at the end where every byte of the audio memory was: the rack's, the rings' and the threads'
    #[arg(long)]
    pub memory: bool,

    /// End with one JSON object on standard output
    #[arg(long)]
    pub json: bool,

    /// Which of the devices above were not typed but remembered.
    #[arg(skip)]
    pub(super) recalled: Recalled,
}

/// What was not typed but taken over from an earlier run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Recalled {
    pub(super) backend: bool,
    pub(super) input_device: bool,
    pub(super) output_device: bool,
    pub(super) inputs: bool,
    pub(super) outputs: bool,
    pub(super) rate: bool,
    pub(super) block: bool,
    pub(super) preset: bool,
}

/// The numbers of [`PlayArgs`], checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    pub(super) rate_hz: Option<u32>,
    pub(super) block_frames: Option<u32>,
    pub(super) routing: Routing,
    pub(super) seconds: Option<f64>,
    pub(super) tempo: Tempo,
}

impl PlayArgs {
    /// `[any]` The backend that was named, typed or remembered; `None` is for the first that works.
    pub(super) fn named_backend(&self) -> Option<Backend> {
        self.backend.and_then(BackendChoice::named)
    }

    /// `[main]` Checks every value that has a range, before any device is touched.
    pub(super) fn numbers(&self) -> Result<Numbers, PlayError> {
        if self.repeat && self.input.is_none() {
            return Err(PlayError::Needs {
                option: "--loop",
                needs: "--input FILE",
            });
        }
        if self.every.is_some() && self.setlist.is_empty() {
            return Err(PlayError::Needs {
                option: "--every",
                needs: "--setlist NAME,...",
            });
        }
        // Below a block nothing could follow; a day is beyond any show.
        if let Some(every) = self.every
            && !(0.01..=86_400.0).contains(&every)
        {
            return Err(PlayError::Option {
                option: "--every",
                given: every.to_string(),
                expected: "0.01 to 86400 seconds".to_owned(),
            });
        }
        let rate_hz = in_range("--rate", "Hz", self.rate, &RATES_HZ)?;
        let block_frames = in_range("--block", "frames", self.block, &BLOCKS_FRAMES)?;
        let routing = Routing::parse(self.inputs.as_deref(), self.outputs.as_deref())?;
        let tempo = self.tempo.checked()?;
        // A year is beyond any show, and keeps the frame count far from overflow.
        if let Some(seconds) = self.seconds
            && !(seconds > 0.0 && seconds <= 31_536_000.0)
        {
            return Err(PlayError::Option {
                option: "--seconds",
                given: seconds.to_string(),
                expected: "more than 0 and at most 31536000 seconds".to_owned(),
            });
        }
        Ok(Numbers {
            rate_hz,
            block_frames,
            routing,
            seconds: self.seconds,
            tempo,
        })
    }
}

fn in_range(
    option: &'static str,
    unit: &str,
    given: Option<i64>,
    range: &std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, PlayError> {
    let Some(given) = given else { return Ok(None) };
    match u32::try_from(given)
        .ok()
        .filter(|value| range.contains(value))
    {
        Some(value) => Ok(Some(value)),
        None => Err(PlayError::Option {
            option,
            given: given.to_string(),
            expected: format!("{} to {} {unit}", range.start(), range.end()),
        }),
    }
}
