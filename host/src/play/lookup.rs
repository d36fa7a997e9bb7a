//! Which devices there are, what they are called, and what they run at.

use std::str::FromStr;

use cpal::DeviceDirection;
use cpal::HostId;
use cpal::SampleFormat;
use cpal::SupportedStreamConfig;
use cpal::SupportedStreamConfigRange;
use cpal::traits::DeviceTrait;
use cpal::traits::HostTrait;

use super::backend::Backend;
use super::backend::BackendError;
use super::bridge::Clocks;
use super::routing::Channels;

/// `[main]` cpal's host for a backend, if this build and this machine have it.
pub(crate) fn host(backend: Backend) -> Result<cpal::Host, BackendError> {
    let id = HostId::from_str(backend.name()).map_err(|_unknown| {
        let how = match backend {
            Backend::Pipewire if cfg!(target_os = "linux") => {
                "this build has no native PipeWire (cargo feature `pipewire`); `jack` and `pulseaudio` reach it too"
            }
            Backend::Jack => "this build has no JACK (cargo feature `jack`)",
            _ => "not on this platform",
        };
        BackendError::Unavailable(how.to_owned())
    })?;
    let host = cpal::host_from_id(id).map_err(unavailable)?;
    Ok(host)
}

/// `[main]` The name that people know a device by.
pub(crate) fn name_of(device: &cpal::Device) -> String {
    device.to_string()
}

/// `[main]` The name within its backend, which tells apart devices that share a description.
pub(crate) fn id_of(device: &cpal::Device) -> String {
    device.id().map(|id| id.id().to_owned()).unwrap_or_default()
}

/// `[main]` What tells it apart from all others, for good: its name within the backend, or its name for
/// people where it has no other.
pub(super) fn identity(device: &cpal::Device) -> String {
    let id = id_of(device);
    if id.is_empty() { name_of(device) } else { id }
}

/// `[main]` Whether a device can be an input, and an output.
///
/// What it says of itself first: JACK's two ends claim formats for both directions.
pub(crate) fn directions(device: &cpal::Device) -> (bool, bool) {
    match device
        .description()
        .map(|description| description.direction())
    {
        Ok(DeviceDirection::Input) => (true, false),
        Ok(DeviceDirection::Output) => (false, true),
        Ok(DeviceDirection::Duplex) => (true, true),
        _ => (device.supports_input(), device.supports_output()),
    }
}

/// Whether a device is one of ALSA's pseudo devices that swallow or invent samples as fast as they are called.
pub(crate) fn is_unpaced(backend: Backend, id: &str) -> bool {
    let kind = id.split(':').next().unwrap_or(id);
    backend == Backend::Alsa && matches!(kind, "null" | "file" | "tee")
}

/// What the clocks of two devices of one backend, by their identities, are to each other.
///
/// A server runs both by its own clock, or seems to: what it hides is seen while playing. Cards are told
/// apart by their names.
pub(super) fn clocks(backend: Backend, output: &str, input: &str) -> Clocks {
    let same = match backend {
        Backend::Jack | Backend::Pipewire | Backend::Pulseaudio | Backend::Null => true,
        Backend::Alsa => alsa_card(output) == alsa_card(input),
        Backend::Coreaudio | Backend::Wasapi => output == input,
    };
    if same { Clocks::One } else { Clocks::Two }
}

/// The card in `plughw:CARD=USB,DEV=0`, `hw:USB,0` and the like; of another name, the whole.
fn alsa_card(id: &str) -> &str {
    let Some((_, card)) = id.split_once(':') else {
        return id;
    };
    let card = card.split(',').next().unwrap_or(card);
    card.strip_prefix("CARD=").unwrap_or(card)
}

/// Picks the configuration: the device's own unless another rate or more channels are asked for; `f32` where
/// there is. A device with fewer channels is given with as many as it has.
pub(super) fn choose(
    usual: SupportedStreamConfig,
    ranges: impl FnOnce() -> Vec<SupportedStreamConfigRange>,
    rate_hz: Option<u32>,
    wanted: Option<Channels>,
    device: &str,
) -> Result<SupportedStreamConfig, BackendError> {
    let rate_hz = rate_hz.unwrap_or(usual.sample_rate());
    let least_channels = wanted.map_or(0, Channels::least_count);
    let missing = |channels: u16| least_channels.saturating_sub(usize::from(channels));
    let easy = usual.sample_rate() == rate_hz
        && missing(usual.channels()) == 0
        && usual.sample_format() == SampleFormat::F32
        && matches!(usual.channels(), 1 | 2);
    if easy {
        return Ok(usual);
    }
    let ranges = ranges();
    let best = ranges
        .iter()
        .filter(|range| range.contains_rate(rate_hz))
        .max_by(|one, other| {
            let missing = missing(other.channels()).cmp(&missing(one.channels()));
            missing.then_with(|| one.cmp_default_heuristics(other))
        })
        .and_then(|range| range.try_with_sample_rate(rate_hz));
    match best {
        Some(best) => Ok(best),
        None if usual.sample_rate() == rate_hz => Ok(usual),
        None => {
            let (low, high) = ranges.iter().fold((u32::MAX, 0), |(low, high), range| {
                (
                    low.min(range.min_sample_rate()),
                    high.max(range.max_sample_rate()),
                )
            });
            let expected = match low.cmp(&high) {
                std::cmp::Ordering::Less => format!("{low} to {high} Hz"),
                std::cmp::Ordering::Equal => format!("{low} Hz"),
                std::cmp::Ordering::Greater => format!("{} Hz", usual.sample_rate()),
            };
            Err(BackendError::Refused(format!(
                "`{device}` does not run at {rate_hz} Hz: expected {expected}"
            )))
        }
    }
}

/// The device called `name`: by identity, and unless that must be `exact`, by name, or by a part of the
/// name that only one has.
pub(super) fn named(
    host: &cpal::Host,
    direction: &'static str,
    name: &str,
    exact: bool,
) -> Result<cpal::Device, BackendError> {
    let devices: Vec<cpal::Device> = host
        .devices()
        .map_err(unavailable)?
        .filter(|device| {
            let (input, output) = directions(device);
            if direction == "input" { input } else { output }
        })
        .collect();
    let wanted = name.to_lowercase();
    let whole = devices.iter().find(|device| {
        identity(device) == name || (!exact && name_of(device).to_lowercase() == wanted)
    });
    if let Some(device) = whole {
        return Ok(device.clone());
    }
    let mut parts = devices
        .iter()
        .filter(|device| name_of(device).to_lowercase().contains(&wanted));
    match (parts.next(), parts.next()) {
        (Some(only), None) if !exact && !wanted.is_empty() => Ok(only.clone()),
        _ => Err(BackendError::NoSuchDevice {
            direction,
            given: name.to_owned(),
            names: devices.iter().map(id_of).collect(),
        }),
    }
}

/// The device that is taken when none is named.
pub(super) fn usual(host: &cpal::Host, direction: &str) -> Option<cpal::Device> {
    match direction {
        "input" => host.default_input_device(),
        _ => host.default_output_device(),
    }
}

pub(super) fn none_at_all() -> BackendError {
    BackendError::Unavailable("it has no device to play on".to_owned())
}

pub(super) fn unavailable(error: cpal::Error) -> BackendError {
    BackendError::Unavailable(one_line(&error.to_string()))
}

pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_told_apart_and_their_names_for_one_are_not() {
        use Backend::{Alsa, Coreaudio, Jack, Pulseaudio};
        for (backend, output, input, expected) in [
            (Alsa, "default", "default", Clocks::One),
            (
                Alsa,
                "hw:CARD=USB,DEV=0",
                "plughw:CARD=USB,DEV=1",
                Clocks::One,
            ),
            (Alsa, "hw:USB,0", "sysdefault:CARD=USB", Clocks::One),
            (Alsa, "hw:CARD=USB,DEV=0", "hw:CARD=PCH,DEV=0", Clocks::Two),
            (Alsa, "default", "hw:CARD=PCH,DEV=0", Clocks::Two),
            (
                Coreaudio,
                "BuiltInSpeaker",
                "BuiltInMicrophone",
                Clocks::Two,
            ),
            (Coreaudio, "Scarlett", "Scarlett", Clocks::One),
            (Jack, "out", "in", Clocks::One),
            (Pulseaudio, "sink", "source", Clocks::One),
        ] {
            assert_eq!(clocks(backend, output, input), expected, "{output} {input}");
        }
    }
}
