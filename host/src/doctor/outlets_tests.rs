use super::*;
use crate::doctor::Status;

fn backend(name: &'static str, blocks: Option<[u32; 2]>) -> BackendEntry {
    BackendEntry {
        name,
        available: blocks.is_some(),
        reason: blocks.is_none().then(|| "no server".to_owned()),
        devices: blocks
            .map(|_| DeviceEntry {
                id: "card".to_owned(),
                name: "Card".to_owned(),
                input: false,
                output: true,
                default_input: false,
                default_output: true,
                channels: Some(2),
                sample_rate_hz: Some(48_000),
                block_frames: blocks,
                paced: true,
            })
            .into_iter()
            .collect(),
    }
}

fn of(backends: Vec<BackendEntry>) -> Vec<Finding> {
    devices(&DeviceList {
        backends,
        midi: Vec::new(),
    })
}

#[test]
fn a_machine_without_any_device_is_told() {
    let found = of(vec![
        backend("jack", None),
        backend("null", Some([1, 8192])),
    ]);
    assert_eq!(
        found.len(),
        2,
        "the clock without sound is no device: {found:?}"
    );
    assert_eq!((&*found[0].id, found[0].status), ("devices", Status::Fail));
    assert_eq!(
        (&*found[1].id, found[1].status),
        ("device-jack", Status::Unknown)
    );
    assert_eq!(found[1].found, "no server");
    // Devices of which none is the usual one, or has a clock: nothing plays by itself.
    let mut alsa = backend("alsa", Some([64, 64]));
    alsa.devices[0].default_output = false;
    assert_eq!(of(vec![alsa.clone()])[0].status, Status::Fail);
    alsa.devices[0].default_output = true;
    alsa.devices[0].paced = false;
    assert_eq!(of(vec![alsa])[0].status, Status::Fail);
}

#[test]
fn blocks_are_told_in_milliseconds_and_long_ones_complained_of() {
    let found = of(vec![
        backend("jack", Some([64, 64])),
        backend("alsa", Some([1024, 8192])),
    ]);
    assert_eq!(found[0], Finding::ok("devices", "jack, alsa"));
    assert_eq!(found[1].status, Status::Ok);
    assert!(found[1].found.contains("64 frames (1.3 ms)"), "{found:?}");
    assert_eq!(found[2].status, Status::Warn);
    assert!(
        found[2].found.contains("1024 frames (21.3 ms)"),
        "{found:?}"
    );
}

#[test]
fn shared_memory_is_enough_for_a_server_or_told() {
    let with = |shared_memory_bytes| {
        shared_memory(&Tried {
            shared_memory_bytes,
            ..Tried::default()
        })
    };
    assert_eq!(with(Some(64 << 20)).status, Status::Warn);
    assert_eq!(with(Some(1 << 30)).status, Status::Ok);
    assert_eq!(with(None).status, Status::Unknown);
}

#[test]
fn only_audio_devices_have_to_stay_awake() {
    let with = |class: &str, control: &str| {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        machine
            .put("sys/bus/usb/devices/1-1:1.0/bInterfaceClass", class)
            .put("sys/bus/usb/devices/1-1:1.1/bInterfaceClass", class)
            .put("sys/bus/usb/devices/1-1/power/control", control)
            .put("sys/bus/usb/devices/1-1/product", "Scarlett 2i2\n");
        usb(&machine)
    };
    assert_eq!(with("03\n", "auto\n").found, "no USB audio device");
    assert_eq!(with("01\n", "on\n").found, "Scarlett 2i2 stays awake");
    let sleepy = with("01\n", "auto\n");
    assert_eq!(sleepy.status, Status::Warn);
    assert!(sleepy.advice.unwrap().contains("1-1/power/control"));
}
