//! Real devices, through cpal: two streams, one in and one out, each with its callback.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use cpal::BufferSize;
use cpal::ErrorKind;
use cpal::FromSample;
use cpal::SampleFormat;
use cpal::SizedSample;
use cpal::StreamConfig;
use cpal::SupportedBufferSize;
use cpal::SupportedStreamConfig;
use cpal::traits::DeviceTrait;
use cpal::traits::StreamTrait;
use headroom_engine::realtime::ViolationCounts;
use headroom_engine::realtime::guarded;

use super::backend::Backend;
use super::backend::BackendError;
use super::backend::Device;
use super::backend::DeviceIds;
use super::backend::Facts;
use super::backend::InputClock;
use super::backend::Io;
use super::backend::PATIENCE;
use super::backend::Running;
use super::backend::Wish;
use super::backend::patiently;
use super::bridge::Capture;
use super::lease::Seat;
use super::lookup::choose;
use super::lookup::clocks;
use super::lookup::host;
use super::lookup::id_of;
use super::lookup::identity;
use super::lookup::is_unpaced;
use super::lookup::name_of;
use super::lookup::named;
use super::lookup::none_at_all;
use super::lookup::one_line;
use super::lookup::unavailable;
use super::lookup::usual;
use super::player::Player;
use super::quiet;
use super::routing::Direction;
use super::routing::Layout;
use super::shared::Loss;
use super::shared::Shared;

/// The block asked for where the device leaves it to us: 5.3 ms at 48 kHz.
const USUAL_BLOCK_FRAMES: u32 = 256;

/// Tries at starting the streams: now and then a JACK server does not know a port that has only just
/// registered.
const START_TRIES: u32 = 3;
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// A device that cpal found.
pub(super) struct CpalDevice {
    facts: Facts,
    output: Side,
    input: Option<Side>,
}

/// One direction of it.
#[derive(Clone)]
struct Side {
    backend: Backend,
    device: cpal::Device,
    config: StreamConfig,
    layout: Layout,
    format: SampleFormat,
    /// The block was asked for by name: no other will do.
    strict_block: bool,
}

impl CpalDevice {
    /// `[main]` Finds the devices and what they will run at. May block: call it through `patiently`.
    pub(super) fn find(backend: Backend, wish: &Wish) -> Result<Self, BackendError> {
        let _hushed = quiet::hush();
        let host = self::host(backend)?;
        // PipeWire's PulseAudio door sends what it has recorded only while nothing else waits on the same
        // connection, and drops the rest: beside an output, most of it. So the input has one of its own.
        let own_host = match backend {
            Backend::Pulseaudio => Some(self::host(backend)?),
            _ => None,
        };
        let input_host = own_host.as_ref().unwrap_or(&host);
        // Names first: a typing error is told as one, whatever else is wrong.
        let named_input = match &wish.input_device {
            Some(name) => Some(named(input_host, "input", name, wish.exact_input)?),
            None => None,
        };
        let output = match &wish.output_device {
            Some(name) => named(&host, "output", name, wish.exact_output)?,
            None => usual(&host, "output").ok_or_else(none_at_all)?,
        };
        if wish.output_device.is_none() && is_unpaced(backend, &id_of(&output)) {
            return Err(BackendError::Unavailable(
                "its default device has no clock".to_owned(),
            ));
        }
        let output = Side::output((backend, output), wish)?;

        let usual_input = || {
            wish.live_input
                .then(|| usual(input_host, "input"))
                .flatten()
        };
        let input = match named_input.or_else(usual_input) {
            Some(device) => {
                let side = Side::input((backend, device), wish, &output.config);
                // A default input that does not open leaves a rack without input; a named one must, and so
                // must one whose channels are named.
                if wish.input_device.is_some() || wish.routing.inputs.is_some() {
                    Some(side?)
                } else {
                    side.ok()
                }
            }
            None if wish.routing.inputs.is_some() => {
                return Err(BackendError::Unavailable(
                    "it has no input device".to_owned(),
                ));
            }
            None => None,
        };
        let block_frames = match output.config.buffer_size {
            BufferSize::Fixed(frames) => Some(frames),
            BufferSize::Default => None,
        };
        let facts = Facts {
            backend,
            output: name_of(&output.device),
            input: input.as_ref().map(|side| name_of(&side.device)),
            sample_rate_hz: output.config.sample_rate,
            block_frames,
            input_clock: input.as_ref().map(|side| InputClock {
                rate_hz: side.config.sample_rate,
                clocks: clocks(backend, &id_of(&output.device), &id_of(&side.device)),
            }),
            duplex: false,
        };
        Ok(Self {
            facts,
            output,
            input,
        })
    }
}

impl Device for CpalDevice {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn ids(&self) -> DeviceIds {
        DeviceIds {
            output: Some(identity(&self.output.device)),
            input: self.input.as_ref().map(|side| identity(&side.device)),
        }
    }

    fn start(self: Box<Self>, io: Io) -> Result<Box<dyn Running>, BackendError> {
        let Io {
            player,
            capture,
            shared,
        } = io;
        let Self { output, input, .. } = *self;
        patiently(PATIENCE * 2, move || {
            let _hushed = quiet::hush();
            let output = output.start_output(player, &shared)?;
            let input = match (input, capture) {
                (Some(side), Some(capture)) => Some(side.start_input(capture, &shared)?),
                _ => None,
            };
            Ok(Box::new(CpalStreams {
                output: Some(output),
                input,
            }) as Box<dyn Running>)
        })
        .unwrap_or_else(|| Err(super::backend::no_answer()))
    }
}

/// Both streams, running.
struct CpalStreams {
    output: Option<cpal::Stream>,
    input: Option<cpal::Stream>,
}

impl Running for CpalStreams {
    fn block_frames(&self) -> Option<u32> {
        self.output
            .as_ref()?
            .buffer_size()
            .ok()
            .filter(|frames| *frames > 0)
    }
}

impl Drop for CpalStreams {
    fn drop(&mut self) {
        let streams = (self.input.take(), self.output.take());
        // A server that was killed may never answer the goodbye.
        if patiently(PATIENCE, move || drop(streams)).is_none() {
            tracing::debug!("the audio system did not close its streams in time");
        }
    }
}

impl Side {
    fn output(
        (backend, device): (Backend, cpal::Device),
        wish: &Wish,
    ) -> Result<Self, BackendError> {
        let usual = device.default_output_config().map_err(unavailable)?;
        let ranges = || {
            device
                .supported_output_configs()
                .map(Iterator::collect)
                .unwrap_or_default()
        };
        let config = choose(
            usual,
            ranges,
            wish.rate_hz,
            wish.routing.outputs,
            &name_of(&device),
        )?;
        Self::new((backend, device), &config, wish, Direction::Output)
    }

    fn input(
        (backend, device): (Backend, cpal::Device),
        wish: &Wish,
        output: &StreamConfig,
    ) -> Result<Self, BackendError> {
        let usual = device.default_input_config().map_err(unavailable)?;
        let ranges = || {
            device
                .supported_input_configs()
                .map(Iterator::collect)
                .unwrap_or_default()
        };
        let at = |rate_hz| {
            choose(
                usual,
                ranges,
                rate_hz,
                wish.routing.inputs,
                &name_of(&device),
            )
        };
        // One that does not run at the output's rate runs at its own, and is resampled.
        let config = match at(Some(output.sample_rate)) {
            Err(BackendError::Refused(_)) => at(None)?,
            config => config?,
        };
        Self::new((backend, device), &config, wish, Direction::Input)
    }

    fn new(
        (backend, device): (Backend, cpal::Device),
        supported: &SupportedStreamConfig,
        wish: &Wish,
        direction: Direction,
    ) -> Result<Self, BackendError> {
        let mut config = supported.config();
        config.buffer_size = match (wish.block_frames, supported.buffer_size()) {
            (Some(frames), _) => BufferSize::Fixed(frames),
            (None, SupportedBufferSize::Range { min, max }) if min <= max => {
                BufferSize::Fixed(USUAL_BLOCK_FRAMES.clamp(*min, *max))
            }
            (None, _) => BufferSize::Default,
        };
        let wanted = match direction {
            Direction::Input => wish.routing.inputs,
            Direction::Output => wish.routing.outputs,
        };
        let count = usize::from(config.channels);
        Ok(Self {
            layout: Layout::of(wanted, count, direction, &name_of(&device))?,
            backend,
            device,
            config,
            format: supported.sample_format(),
            strict_block: wish.block_frames.is_some(),
        })
    }

    fn start_output(
        mut self,
        player: Seat<Player>,
        shared: &Arc<Shared>,
    ) -> Result<cpal::Stream, BackendError> {
        self.start(player, |side, seat| match side.format {
            SampleFormat::F32 => side.build_output::<f32>(seat, shared),
            SampleFormat::F64 => side.build_output::<f64>(seat, shared),
            SampleFormat::I32 => side.build_output::<i32>(seat, shared),
            SampleFormat::I24 => side.build_output::<cpal::I24>(seat, shared),
            SampleFormat::I16 => side.build_output::<i16>(seat, shared),
            SampleFormat::U8 => side.build_output::<u8>(seat, shared),
            other => Err(unsupported_format(other)),
        })
    }

    fn start_input(
        mut self,
        capture: Seat<Capture>,
        shared: &Arc<Shared>,
    ) -> Result<cpal::Stream, BackendError> {
        self.start(capture, |side, seat| match side.format {
            SampleFormat::F32 => side.build_input::<f32>(seat, shared),
            SampleFormat::F64 => side.build_input::<f64>(seat, shared),
            SampleFormat::I32 => side.build_input::<i32>(seat, shared),
            SampleFormat::I24 => side.build_input::<cpal::I24>(seat, shared),
            SampleFormat::I16 => side.build_input::<i16>(seat, shared),
            SampleFormat::U8 => side.build_input::<u8>(seat, shared),
            other => Err(unsupported_format(other)),
        })
    }

    /// Starts one stream. Each try has the same seat: one that fails loses nothing.
    fn start<W>(
        &mut self,
        seat: Seat<W>,
        build: impl Fn(&Self, Seat<W>) -> Result<cpal::Stream, cpal::Error>,
    ) -> Result<cpal::Stream, BackendError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let built = build(self, seat.clone());
            let error = match built.and_then(|stream| stream.play().map(|()| stream)) {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::UnsupportedConfig
                    if !self.strict_block && self.config.buffer_size != BufferSize::Default =>
                {
                    self.config.buffer_size = BufferSize::Default;
                }
                ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput => {
                    return Err(BackendError::Refused(one_line(&error.to_string())));
                }
                _ if tries < START_TRIES => std::thread::sleep(RETRY_PAUSE),
                _ => return Err(unavailable(error)),
            }
        }
    }

    fn build_output<T>(
        &self,
        mut player: Seat<Player>,
        shared: &Arc<Shared>,
    ) -> Result<cpal::Stream, cpal::Error>
    where
        T: SizedSample + FromSample<f32>,
    {
        let layout = self.layout;
        self.device.build_output_stream::<T, _, _>(
            self.config,
            move |block, _| {
                if player.with(|player| player.fill(block, layout)).is_none() {
                    block.fill(T::EQUILIBRIUM);
                }
            },
            count_errors(self.backend, shared),
            Some(PATIENCE),
        )
    }

    fn build_input<T>(
        &self,
        mut capture: Seat<Capture>,
        shared: &Arc<Shared>,
    ) -> Result<cpal::Stream, cpal::Error>
    where
        T: SizedSample,
        f32: FromSample<T>,
    {
        let layout = self.layout;
        let told = Arc::clone(shared);
        self.device.build_input_stream::<T, _, _>(
            self.config,
            move |block: &[T], _| {
                let before = ViolationCounts::of_this_thread();
                // What comes in while nobody listens is not kept.
                let _kept =
                    guarded(|| capture.with(|capture| capture.push(block, layout, Instant::now())));
                told.count_violations(before);
            },
            count_errors(self.backend, shared),
            Some(PATIENCE),
        )
    }
}

/// `[audio]` cpal's error callback runs on the audio thread under ALSA and PipeWire: it only counts.
fn count_errors(
    backend: Backend,
    shared: &Arc<Shared>,
) -> impl FnMut(cpal::Error) + Send + 'static {
    let shared = Arc::clone(shared);
    move |error| match error.kind() {
        ErrorKind::Xrun => shared.count_xrun(),
        kind => {
            if let Some(loss) = loss_of(backend, kind) {
                shared.lose(loss);
            }
        }
    }
}

/// `[any]` What an error of a stream means for it; `None` when it goes on.
fn loss_of(backend: Backend, kind: ErrorKind) -> Option<Loss> {
    let is_server = matches!(backend, Backend::Pipewire | Backend::Pulseaudio);
    match kind {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Some(Loss::Gone),
        // How cpal tells that the connection to a server has ended.
        ErrorKind::StreamInvalidated if is_server => Some(Loss::Gone),
        // The second is PipeWire's, for a format that is not the one that was asked for.
        ErrorKind::StreamInvalidated | ErrorKind::UnsupportedConfig => Some(Loss::Changed),
        // Rerouted and going on, or refused the priority that the priming block asks for anyway.
        _ => None,
    }
}

fn unsupported_format(format: SampleFormat) -> cpal::Error {
    cpal::Error::with_message(
        ErrorKind::UnsupportedConfig,
        format!("samples of type {format}: expected f32, f64, i32, i24, i16 or u8"),
    )
}
