//! What sound goes through: devices, USB, the memory that servers share with their clients.

use super::Tried;
use super::finding::Finding;
use super::machine::Machine;
use crate::devices::BackendEntry;
use crate::devices::DeviceEntry;
use crate::devices::DeviceList;
use crate::play::Backend;

/// What a JACK server takes for itself.
const SERVER_BYTES: u64 = 128 << 20;
/// Beyond this a block is heard as a delay of its own.
const LONG_BLOCK_MS: f64 = 10.0;
/// bInterfaceClass of sound, by the USB specification.
const USB_AUDIO: &str = "01";

/// Whether there is a device to play on, and what the usual one of each audio system offers.
pub(super) fn devices(list: &DeviceList) -> Vec<Finding> {
    let null = Backend::Null.name();
    let real = || list.backends.iter().filter(|backend| backend.name != null);
    let there: Vec<&str> = real()
        .filter(|backend| backend.available && backend.devices.iter().any(is_usual))
        .map(|backend| backend.name)
        .collect();
    let mut findings = vec![if there.is_empty() {
        Finding::fail(
            "devices",
            "no audio system has a device that is taken when none is named",
            "connect a device, or start a server (`jackd`, `pipewire`); in a container hand in /dev/snd \
             (`--device /dev/snd`) or the server's socket",
        )
    } else {
        Finding::ok("devices", there.join(", "))
    }];
    findings.extend(real().map(usual_device));
    findings
}

/// Whether `play` takes it when none is named.
fn is_usual(device: &DeviceEntry) -> bool {
    device.default_output && device.paced
}

fn usual_device(backend: &BackendEntry) -> Finding {
    let id = format!("device-{}", backend.name);
    if !backend.available {
        let reason = backend.reason.as_deref().unwrap_or("not available");
        return Finding::unknown(id, reason);
    }
    let Some(device) = backend.devices.iter().find(|device| is_usual(device)) else {
        return Finding::unknown(id, "it names no usual output");
    };
    let (Some([least, most]), Some(rate_hz)) = (device.block_frames, device.sample_rate_hz) else {
        return Finding::unknown(id, format!("{}: it does not tell its blocks", device.name));
    };
    let millis = |frames: u32| f64::from(frames) * 1e3 / f64::from(rate_hz.max(1));
    let blocks = if least == most {
        format!("blocks of {least} frames ({:.1} ms)", millis(least))
    } else {
        format!(
            "blocks of {least} frames ({:.1} ms) and more",
            millis(least)
        )
    };
    let found = format!("{}: {rate_hz} Hz, {blocks}", device.name);
    if millis(least) <= LONG_BLOCK_MS {
        return Finding::ok(id, found);
    }
    let advice = match backend.name {
        "jack" => "start the server with a smaller period: jackd ... -p 128",
        "pipewire" => "pw-metadata -n settings 0 clock.force-quantum 128",
        _ => "take the device directly: `headroom play --backend alsa --output-device NAME`",
    };
    Finding::warn(id, format!("{found}: late for playing live"), advice)
}

/// Whether a JACK server fits into the memory that is shared.
pub(super) fn shared_memory(tried: &Tried) -> Finding {
    const ID: &str = "shared-memory";
    let Some(bytes) = tried.shared_memory_bytes else {
        return Finding::unknown(ID, "there is no /dev/shm");
    };
    let found = format!("{:.0} MB free in /dev/shm", bytes as f64 / 1e6);
    if bytes >= SERVER_BYTES {
        Finding::ok(ID, found)
    } else {
        Finding::warn(
            ID,
            format!("{found}: a JACK server that starts now takes 107 MB"),
            "sudo mount -o remount,size=512M /dev/shm; in a container: `--shm-size 512m`",
        )
    }
}

/// Whether a USB interface may be put to sleep between two notes.
pub(super) fn usb(machine: &Machine) -> Finding {
    const ID: &str = "usb-autosuspend";
    const FOLDER: &str = "sys/bus/usb/devices";
    let Some(names) = machine.names(FOLDER) else {
        return Finding::unknown(ID, "there is no USB");
    };
    let mut devices: Vec<&str> = names
        .iter()
        .filter_map(|interface| {
            let class = machine.text(&format!("{FOLDER}/{interface}/bInterfaceClass"))?;
            let (device, _) = interface.split_once(':')?;
            (class == USB_AUDIO).then_some(device)
        })
        .collect();
    devices.dedup();
    if devices.is_empty() {
        return Finding::ok(ID, "no USB audio device");
    }
    let file = |device: &str, name: &str| machine.text(&format!("{FOLDER}/{device}/{name}"));
    let called = |device: &str| file(device, "product").unwrap_or_else(|| device.to_owned());
    let sleepy = devices
        .iter()
        .find(|device| file(device, "power/control").as_deref() == Some("auto"));
    match sleepy {
        Some(device) => Finding::warn(
            ID,
            format!("{} may be put to sleep when it is idle", called(device)),
            format!("echo on | sudo tee /{FOLDER}/{device}/power/control"),
        ),
        None => {
            let called: Vec<String> = devices.iter().map(|device| called(device)).collect();
            Finding::ok(ID, format!("{} stays awake", called.join(", ")))
        }
    }
}

#[cfg(test)]
#[path = "outlets_tests.rs"]
mod tests;
