//! `headroom devices`: every audio system that was asked, and what it has.

use cpal::SupportedBufferSize;
use cpal::SupportedStreamConfig;
use cpal::traits::DeviceTrait;
use cpal::traits::HostTrait;
use serde::Serialize;

use crate::cli::DevicesArgs;
use crate::error::HostError;
use crate::midi;
use crate::midi::MidiSystem;
use crate::play::Backend;
use crate::play::backend::BackendError;
use crate::play::backend::PATIENCE;
use crate::play::backend::no_answer;
use crate::play::backend::patiently;
#[cfg(feature = "jack")]
use crate::play::jack_ports;
use crate::play::latency;
use crate::play::lookup::directions;
use crate::play::lookup::host;
use crate::play::lookup::id_of;
use crate::play::lookup::is_unpaced;
use crate::play::lookup::name_of;
use crate::play::quiet;
use crate::remembered;
use crate::remembered::Remembered;
use crate::report::print;
use crate::report::print_json;

/// What `devices --json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceList {
    /// Every audio system of this platform, in the order in which `play` tries them.
    pub backends: Vec<BackendEntry>,
    /// The MIDI systems and the ports that `--midi` takes.
    pub midi: Vec<MidiSystem>,
}

/// One audio system.
#[derive(Debug, Clone, Serialize)]
pub struct BackendEntry {
    /// The name that `--backend` takes.
    pub name: &'static str,
    /// Whether it answered and has a device to play on.
    pub available: bool,
    /// Why it is not available.
    pub reason: Option<String>,
    /// Its devices.
    pub devices: Vec<DeviceEntry>,
}

/// One device.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceEntry {
    /// The name that `--input-device` and `--output-device` take.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Whether it can be an input.
    pub input: bool,
    /// Whether it can be an output.
    pub output: bool,
    /// Whether `play` takes it as its input when none is named.
    pub default_input: bool,
    /// Whether `play` takes it as its output when none is named.
    pub default_output: bool,
    /// Channels that it usually has; unknown where asking would mean opening it.
    pub channels: Option<u16>,
    /// Rate that it usually runs at, in Hz.
    pub sample_rate_hz: Option<u32>,
    /// Smallest and largest block, in frames.
    pub block_frames: Option<[u32; 2]>,
    /// Whether a clock paces it; if not, it is no place to play live.
    pub paced: bool,
}

/// `[main]` Lists what there is, in bounded time, and prints it on standard output.
///
/// # Errors
///
/// Standard output cannot be written; with `--latency`, the device cannot be opened or nothing comes back.
pub fn run(args: &DevicesArgs) -> Result<(), HostError> {
    if args.round_trip.latency {
        return latency::run(&args.round_trip, args.list.json);
    }
    let list = list();
    if args.list.json {
        print_json(&list, false)
    } else {
        let mut lines = table(&list);
        lines.extend(remembered_line());
        print(&(lines.join("\n") + "\n"), false)
    }
}

/// `[main]` Asks every audio system of the platform; one that hangs is given up.
pub fn list() -> DeviceList {
    let backends = Backend::of_platform().iter().map(|&backend| {
        let answer = match backend {
            Backend::Null => Ok(vec![the_clock()]),
            _ => patiently(PATIENCE, move || devices_of(backend))
                .unwrap_or_else(|| Err(no_answer().to_string())),
        };
        match answer {
            Ok(devices) => {
                let useless =
                    backend != Backend::Jack && !devices.iter().any(|device| device.paced);
                let reason = useless.then(|| "it has no device with a clock".to_owned());
                BackendEntry {
                    name: backend.name(),
                    available: reason.is_none(),
                    reason,
                    devices,
                }
            }
            Err(reason) => BackendEntry {
                name: backend.name(),
                available: false,
                reason: Some(reason),
                devices: Vec::new(),
            },
        }
    });
    DeviceList {
        backends: backends.collect(),
        midi: midi::list(),
    }
}

fn the_clock() -> DeviceEntry {
    DeviceEntry {
        id: "null".to_owned(),
        name: "a clock, no sound".to_owned(),
        input: false,
        output: true,
        default_input: false,
        default_output: true,
        channels: Some(2),
        sample_rate_hz: Some(48_000),
        block_frames: Some([1, 8_192]),
        paced: true,
    }
}

fn devices_of(backend: Backend) -> Result<Vec<DeviceEntry>, String> {
    let _hushed = quiet::hush();
    #[cfg(feature = "jack")]
    if backend == Backend::Jack {
        return jack_devices().map_err(|error| error.to_string());
    }
    let host = host(backend).map_err(|error: BackendError| error.to_string())?;
    let usual_output = host.default_output_device();
    let usual_input = host.default_input_device();
    let devices = host.devices().map_err(|error| error.to_string())?;
    Ok(devices
        .map(|device| {
            let id = id_of(&device);
            let (input, output) = directions(&device);
            let (default_input, default_output) = (
                usual_input.as_ref() == Some(&device),
                usual_output.as_ref() == Some(&device),
            );
            // Opening every ALSA device to ask it disturbs those in use, and some hang.
            let ask = backend != Backend::Alsa || default_input || default_output;
            let config = ask.then(|| usual_config(&device)).flatten();
            DeviceEntry {
                name: name_of(&device),
                input,
                output,
                default_input,
                default_output,
                channels: config.as_ref().map(SupportedStreamConfig::channels),
                sample_rate_hz: config.as_ref().map(SupportedStreamConfig::sample_rate),
                block_frames: config
                    .as_ref()
                    .and_then(|config| match config.buffer_size() {
                        SupportedBufferSize::Range { min, max } => Some([*min, *max]),
                        SupportedBufferSize::Unknown => None,
                    }),
                paced: !is_unpaced(backend, &id),
                id,
            }
        })
        .collect())
}

/// The clients that can be connected to. A server without any still plays: what comes later can be
/// connected by hand.
#[cfg(feature = "jack")]
fn jack_devices() -> Result<Vec<DeviceEntry>, BackendError> {
    let (client, _member) = jack_ports::connect("headroom-devices")?;
    let peers = jack_ports::peers(&client);
    let block_frames = client.buffer_size();
    Ok(peers
        .into_iter()
        .map(|peer| DeviceEntry {
            input: !peer.captures.is_empty(),
            output: !peer.playbacks.is_empty(),
            default_input: peer.usual_capture,
            default_output: peer.usual_playback,
            channels: u16::try_from(peer.captures.len().max(peer.playbacks.len())).ok(),
            sample_rate_hz: Some(client.sample_rate()),
            block_frames: Some([block_frames; 2]),
            paced: true,
            id: peer.name.clone(),
            name: peer.name,
        })
        .collect())
}

fn usual_config(device: &cpal::Device) -> Option<SupportedStreamConfig> {
    device
        .default_output_config()
        .or_else(|_| device.default_input_config())
        .ok()
}

/// What goes before the marks in the list, if anything is remembered. Only looked at: a file that is damaged
/// stays where it is until somebody plays.
fn remembered_line() -> Option<String> {
    let known = Remembered::load(&remembered::usual_path()?);
    match known.map(|known| known.said()) {
        Ok(said) => said.map(|said| format!("`play` without options: {said} (--fresh: as marked)")),
        Err(error) => Some(format!("nothing is remembered: {error}")),
    }
}

/// The list for people: one line a device, the usual ones marked.
fn table(list: &DeviceList) -> Vec<String> {
    let mut lines = Vec::new();
    for backend in &list.backends {
        match &backend.reason {
            None => lines.push(backend.name.to_owned()),
            Some(reason) => lines.push(format!("{} - {reason}", backend.name)),
        }
        for device in &backend.devices {
            let direction = match (device.input, device.output) {
                (true, true) => "in/out",
                (true, false) => "in",
                (false, true) => "out",
                (false, false) => "?",
            };
            let mark = if device.default_input || device.default_output {
                '*'
            } else {
                ' '
            };
            let mut facts = Vec::new();
            facts.extend(device.channels.map(|channels| format!("{channels} ch")));
            facts.extend(device.sample_rate_hz.map(|rate_hz| format!("{rate_hz} Hz")));
            facts.extend(device.block_frames.map(|[low, high]| match low == high {
                true => format!("block {low}"),
                false => format!("block {low} to {high}"),
            }));
            if !device.paced {
                facts.push("no clock: not for live use".to_owned());
            }
            let name = device.name.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = format!(
                "  {mark} {direction:<6} {:<24} {name}  {}",
                device.id,
                facts.join(", ")
            );
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.push("* taken when none is named".to_owned());
    lines.push("MIDI ports".to_owned());
    for system in &list.midi {
        let reason = system.reason.as_deref();
        let reason = reason.or(system.ports.is_empty().then_some("no ports"));
        match reason {
            Some(reason) => lines.push(format!("  {} - {reason}", system.name)),
            None => lines.extend(
                system
                    .ports
                    .iter()
                    .map(|port| format!("  {:<8} {port}", system.name)),
            ),
        }
    }
    lines
}
