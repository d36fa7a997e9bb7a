//! What a session asks of an audio system, whichever it is, and the order in which they are tried.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;
use serde::Serialize;

use super::bridge::Capture;
use super::bridge::Clocks;
use super::cpal_device::CpalDevice;
#[cfg(feature = "jack")]
use super::jack_device::JackDevice;
use super::lease::Seat;
use super::null::NullDevice;
use super::player::Player;
use super::routing::Routing;
use super::shared::Shared;

/// How long an audio system may take to answer; a server that hangs must not hang us.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// What `--backend` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendChoice {
    /// The first that works, in the order JACK, PipeWire, PulseAudio, ALSA, null
    Auto,
    /// Linux without a sound server
    Alsa,
    /// JACK, or PipeWire in its place
    Jack,
    /// PipeWire
    Pipewire,
    /// PulseAudio, or PipeWire in its place
    Pulseaudio,
    /// macOS
    Coreaudio,
    /// Windows
    Wasapi,
    /// No sound: a real-time clock that calls the rack as a device would
    Null,
}

/// An audio system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// JACK.
    Jack,
    /// PipeWire.
    Pipewire,
    /// PulseAudio.
    Pulseaudio,
    /// ALSA.
    Alsa,
    /// CoreAudio.
    Coreaudio,
    /// WASAPI.
    Wasapi,
    /// The clock without a device.
    Null,
}

impl Backend {
    /// Every backend of this platform, in the order in which `auto` tries them; `Null` is last.
    ///
    /// JACK first: whoever runs its server means it. Then the servers that share the card with
    /// other programs, the one with less between us and the card first. ALSA takes a card for itself.
    pub fn of_platform() -> &'static [Self] {
        if cfg!(target_os = "macos") {
            &[Self::Coreaudio, Self::Jack, Self::Null]
        } else if cfg!(target_os = "windows") {
            &[Self::Wasapi, Self::Jack, Self::Null]
        } else {
            &[
                Self::Jack,
                Self::Pipewire,
                Self::Pulseaudio,
                Self::Alsa,
                Self::Null,
            ]
        }
    }

    /// The name that the command line and the report use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jack => "jack",
            Self::Pipewire => "pipewire",
            Self::Pulseaudio => "pulseaudio",
            Self::Alsa => "alsa",
            Self::Coreaudio => "coreaudio",
            Self::Wasapi => "wasapi",
            Self::Null => "null",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

impl From<Backend> for BackendChoice {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Alsa => Self::Alsa,
            Backend::Jack => Self::Jack,
            Backend::Pipewire => Self::Pipewire,
            Backend::Pulseaudio => Self::Pulseaudio,
            Backend::Coreaudio => Self::Coreaudio,
            Backend::Wasapi => Self::Wasapi,
            Backend::Null => Self::Null,
        }
    }
}

impl BackendChoice {
    /// The one that was named; `None` for `auto`.
    pub fn named(self) -> Option<Backend> {
        match self {
            Self::Auto => None,
            Self::Alsa => Some(Backend::Alsa),
            Self::Jack => Some(Backend::Jack),
            Self::Pipewire => Some(Backend::Pipewire),
            Self::Pulseaudio => Some(Backend::Pulseaudio),
            Self::Coreaudio => Some(Backend::Coreaudio),
            Self::Wasapi => Some(Backend::Wasapi),
            Self::Null => Some(Backend::Null),
        }
    }
}

/// What the command line asks of a device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) output_device: Option<String>,
    pub(crate) input_device: Option<String>,
    pub(crate) rate_hz: Option<u32>,
    pub(crate) block_frames: Option<u32>,
    /// Which of its channels are used.
    pub(crate) routing: Routing,
    /// Whether the device's input is to be heard (no file in its place).
    pub(crate) live_input: bool,
    /// The output device is meant by its identity: another that is called alike will not do.
    pub(crate) exact_output: bool,
    /// The same for the input device.
    pub(crate) exact_input: bool,
}

/// What tells a device apart from all others of its backend, today and tomorrow. `None` where
/// there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeviceIds {
    pub(crate) output: Option<String>,
    pub(crate) input: Option<String>,
}

/// What is known of a device before it runs.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) backend: Backend,
    pub(crate) output: String,
    pub(crate) input: Option<String>,
    pub(crate) sample_rate_hz: u32,
    /// Frames of a block, where that is asked for or known already.
    pub(crate) block_frames: Option<u32>,
    /// By what the input runs, where its frames come through a bridge.
    pub(crate) input_clock: Option<InputClock>,
    /// Whether one callback has both the input and the output.
    pub(crate) duplex: bool,
}

/// By what the input of a device runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InputClock {
    pub(crate) rate_hz: u32,
    /// What its clock is to the output's.
    pub(crate) clocks: Clocks,
}

/// How late a device is, as far as its audio system knows, in frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceLatency {
    /// From the plug to our callback; `None` without an input.
    pub(crate) input_frames: Option<u32>,
    /// From our callback to the plug.
    pub(crate) output_frames: u32,
}

/// What a device is given to run.
pub(crate) struct Io {
    /// Empty until the session grants the player, and again when the device is lost.
    pub(super) player: Seat<Player>,
    pub(super) capture: Option<Seat<Capture>>,
    pub(super) shared: Arc<Shared>,
}

/// A device that was found and asked, and does not run yet.
pub(crate) trait Device: Send {
    /// `[main]` What it is and what it will run at.
    fn facts(&self) -> &Facts;

    /// `[main]` What `--output-device` and `--input-device` take to mean these very devices.
    fn ids(&self) -> DeviceIds {
        DeviceIds::default()
    }

    /// `[main]` Starts the callbacks; they run until what is returned is dropped.
    fn start(self: Box<Self>, io: Io) -> Result<Box<dyn Running>, BackendError>;
}

/// A device that calls back. Dropping it stops the callbacks.
pub(crate) trait Running: Send {
    /// `[main]` Frames of one callback, where the device knows.
    fn block_frames(&self) -> Option<u32>;

    /// `[main]` How late it is, where its audio system says so.
    fn latency(&self) -> Option<DeviceLatency> {
        None
    }

    /// `[main]` [`Shared::rack_latency_frames`] has changed: whoever wants to know is told.
    fn rack_latency_changed(&self) {}
}

/// Why a backend is not the one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackendError {
    /// It is not there, or has no device to play on.
    #[error("{0}")]
    Unavailable(String),
    /// It is there, and does not take the rate or the block.
    #[error("{0}")]
    Refused(String),
    /// It has no device of that name.
    #[error("it has no {direction} device `{given}`")]
    NoSuchDevice {
        direction: &'static str,
        given: String,
        names: Vec<String>,
    },
}

/// `[main]` Finds the device that `wish` describes, in bounded time.
pub(crate) fn find(backend: Backend, wish: &Wish) -> Result<Box<dyn Device>, BackendError> {
    let wish = wish.clone();
    patiently(PATIENCE, move || find_whenever(backend, &wish)).unwrap_or_else(|| Err(no_answer()))
}

/// `[any]` The same, for as long as the audio system takes: for a thread that may wait.
pub(crate) fn find_whenever(
    backend: Backend,
    wish: &Wish,
) -> Result<Box<dyn Device>, BackendError> {
    Ok(match backend {
        Backend::Null => Box::new(NullDevice::new(wish)?),
        #[cfg(feature = "jack")]
        Backend::Jack => Box::new(JackDevice::find(wish)?),
        _ => Box::new(CpalDevice::find(backend, wish)?),
    })
}

/// The error for an audio system that did not answer within [`PATIENCE`].
pub(crate) fn no_answer() -> BackendError {
    BackendError::Unavailable(format!("no answer within {} s", PATIENCE.as_secs()))
}

/// `[main]` Runs `work` on a thread of its own and waits for it; `None` when it takes too long.
///
/// The thread is then left behind: nothing can be done about a library that does not return, but
/// whatever it returns late is dropped there.
pub(crate) fn patiently<R: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let (done, wait) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("headroom-device".to_owned())
        .spawn(move || {
            // Nobody waits any more: the late result is dropped with this closure.
            let _late = done.send(work());
        })
        .ok()?;
    wait.recv_timeout(patience).ok()
}
