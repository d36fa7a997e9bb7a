//! Which of a server's ports are heard and played into, and what a rack that is built anew keeps, on a real JACK
//! server in freewheel.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::path::Path;
use std::time::Duration;

use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::jackd::Setup;
use play_common::neutral;
use play_common::noise;
use play_common::playing::INTO;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::stderr;
use play_common::wire;
use play_common::wire::Wire;

/// Not a test: what the others start as the other end of the cables.
#[test]
#[ignore = "started by the other tests"]
fn wire() {
    wire::be_the_wire();
}

#[test]
fn the_ports_that_are_named_are_heard_and_played_into_and_no_others() {
    type Expected = fn([f32; 2]) -> [f32; 2];
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("channels");
    neutral(place.path());
    let noise = noise(48_000);
    // What comes in on the left and on the right, and what goes out.
    let cases: [([&str; 2], Expected); 4] = [
        (["2,1", "1,2"], |[left, right]| [right, left]),
        (["1,2", "2,1"], |[left, right]| [right, left]),
        // One port in stands for both sides ...
        (["2", "1,2"], |[_, right]| [right, right]),
        // ... and both sides go into one port out, at half of their level each.
        (["1,2", "1"], |[left, right]| [0.5 * (left + right), 0.0]),
    ];
    for ([inputs, outputs], expected) in cases {
        let wire = Wire {
            frames: 24_000,
            kept: 24_000,
            speed: 0,
            ..Wire::default()
        };
        let wire = wire.start(&jackd, place.path(), &noise);
        let args = [
            "--preset",
            "neutral.toml",
            "--input-device",
            wire::SOURCE,
            "--output-device",
            wire::SINK,
            "--inputs",
            inputs,
            "--outputs",
            outputs,
        ];
        let playing = Playing::start(&jackd, place.path(), &args);
        let taken = wire.end();
        assert_real_time(&report_of(&playing.end()));
        let wrong =
            taken.frames.iter().enumerate().position(|(at, frame)| {
                *frame != expected(noise[(taken.offset + at) % noise.len()])
            });
        assert_eq!(wrong, None, "--inputs {inputs} --outputs {outputs}");
    }
}

#[test]
fn the_graph_is_told_that_sound_is_as_late_behind_us_as_before_us() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("graph");
    neutral(place.path());
    let playing = Playing::start(&jackd, place.path(), &["--preset", "neutral.toml"]);
    playing.wait_for_ports(&jackd);
    // `port capture latency = [ 128 128 ] frames`, under the port's name.
    let latency = |port: &str, kind: &str| {
        let said = jackd.tool("jack_lsp", &["-l", port]);
        let line = said.lines().find(|line| line.contains(kind));
        let line = line.unwrap_or_else(|| panic!("{port}, {kind}: {said}"));
        line.trim().to_owned()
    };
    let card = latency("system:capture_1", "capture latency");
    assert!(!card.contains("[ 0 0 ]"), "{card}");
    assert_eq!(latency("headroom:out_1", "capture latency"), card);
    let card = latency("system:playback_1", "playback latency");
    assert!(!card.contains("[ 0 0 ]"), "{card}");
    assert_eq!(latency("headroom:in_1", "playback latency"), card);
    assert_real_time(&report_of(&playing.end()));
}

/// The samples of a WAV file of 32-bit floats.
fn samples(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 8;
    let sample = |four: &[u8]| f32::from_le_bytes(four.try_into().unwrap());
    bytes[data..].chunks_exact(4).map(sample).collect()
}

/// Plays noise from another client, has the server come back at another rate, and plays on: how loud what came
/// in and what went out was since then. The recording goes on in files beside.
fn peaks_after_a_change_of_rate(
    test: &str,
    args: &[&str],
    before: impl FnOnce(&Playing),
) -> [f32; 2] {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start(test);
    neutral(place.path());
    let usual = [
        "--backend",
        "jack",
        "--preset",
        "neutral.toml",
        "--record",
        "out.wav",
        "--record-dry",
        "dry.wav",
        "--record-format",
        "f32",
    ];
    let args = [&usual, args].concat();
    let playing = Playing::spawn(place.path(), &args, |command| jackd.env(command));
    playing.wait_for_ports(&jackd);
    before(&playing);
    std::thread::sleep(Duration::from_millis(200));
    jackd.kill();
    jackd.restart(Setup {
        rate_hz: 44_100,
        block_frames: 256,
    });
    playing.wait_for_ports(&jackd);
    // What it takes is its own: this is only about what it plays into the program.
    let own = [
        format!("{}:left", wire::SOURCE),
        format!("{}:right", wire::SOURCE),
    ];
    let wire = Wire {
        ports: Some([INTO, [&own[0], &own[1]]]),
        frames: 22_050,
        kept: 0,
        speed: 1,
    };
    wire.run(&jackd, place.path(), &noise(48_000));
    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(report["sample_rate_hz"], 44_100, "{report}");
    assert!(
        stderr(&output).contains("the recording goes on in "),
        "{}",
        stderr(&output)
    );
    ["dry 2.wav", "out 2.wav"].map(|name| {
        let samples = samples(&place.path().join(name));
        samples
            .iter()
            .fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
    })
}

#[test]
fn a_rack_that_is_built_anew_for_another_rate_stays_muted() {
    // It starts muted: nobody has said `--unmuted`.
    let [heard, played] = peaks_after_a_change_of_rate("anew-muted", &[], |_| ());
    assert!(heard > 0.4, "{heard}");
    assert_eq!(played, 0.0);
}

#[test]
fn a_panic_outlasts_a_rack_that_is_built_anew() {
    let press = |playing: &Playing| playing.signal("USR1");
    let [heard, played] = peaks_after_a_change_of_rate("anew-panic", &["--unmuted"], press);
    assert!(heard > 0.4, "{heard}");
    assert_eq!(played, 0.0);
}

#[test]
fn without_either_it_is_heard() {
    let [heard, played] = peaks_after_a_change_of_rate("anew-heard", &["--unmuted"], |_| ());
    assert!(heard > 0.4, "{heard}");
    assert_eq!(played, heard);
}
