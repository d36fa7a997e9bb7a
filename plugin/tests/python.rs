//! Hosts from PyPI, built on JUCE: what comes out of them is what the engine renders. `cargo xtask test`
//! makes the Python that they are in.

mod host;

use std::path::Path;
use std::process::Command;

use headroom_engine::preset::factory;
use host::{bundle, has_a_kind_twice, noise, python, rendered, vstpreset};

/// A strip with no two alike, in an order that is not the catalogue's.
const CHAIN: &str = r#"
headroom = 1
[[module]]
kind = "compressor"
[module.params]
threshold_db = -30.0
[[module]]
kind = "eq"
[module.params]
band2_freq_hz = 333.3
band2_gain_db = 4.7
[[module]]
kind = "delay"
mix = 0.4
[module.params]
time_ms = 7.0
feedback = 0.3
[[module]]
kind = "gain"
[module.params]
gain_db = -2.9
"#;

/// Plays `input` through `toml` in a host; gives what came out and what the host said.
fn play(
    host: &str,
    toml: &str,
    input: &[Vec<f32>],
    rate_hz: u32,
    block_frames: usize,
) -> (Vec<Vec<f32>>, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let bytes: Vec<u8> = input
        .concat()
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    std::fs::write(file("in.f32"), bytes).expect("it is written");
    std::fs::write(file("it.vstpreset"), vstpreset(toml)).expect("it is written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/render_in.py");
    let numbers = [rate_hz as usize, input.len(), block_frames].map(|number| number.to_string());
    let output = Command::new(python())
        .arg(script)
        .arg(host)
        .arg(bundle(folder.path()))
        .args([file("it.vstpreset"), file("in.f32"), file("out.f32")])
        .args(numbers)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{host}: {text}{error}");
    let bytes = std::fs::read(file("out.f32")).expect("it has written");
    let samples: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four")))
        .collect();
    let frames = samples.len() / input.len();
    let output = samples.chunks(frames).map(<[f32]>::to_vec).collect();
    let report = text.lines().last().expect("a line");
    (output, serde_json::from_str(report).expect("JSON"))
}

/// What a host plays is the engine's render, to the bit, where it is as late as the host was told; with these
/// numbers of channels in turns.
fn plays_as_rendered(host: &str, channels: &[usize]) {
    let presets = factory().iter().map(|preset| (preset.name, preset.text));
    let presets = presets.filter(|(_, text)| !has_a_kind_twice(text));
    let racks = presets.chain([("empty", "headroom = 1\n"), ("chain", CHAIN)]);
    for (at, (name, toml)) in racks.enumerate() {
        let rate_hz = [44_100, 48_000, 96_000][at % 3];
        let channels = channels[at % channels.len()];
        let input = noise(at as u64, channels, 30_000);
        let (output, report) = play(host, toml, &input, rate_hz, [512, 100, 64][at % 3]);
        assert_eq!(report["latency"], 0, "{name}");
        let expected = rendered(toml, rate_hz, &input);
        assert_eq!(output.len(), expected.len(), "{name}");
        for (output, expected) in output.iter().zip(&expected) {
            assert_eq!(output.len(), expected.len(), "{name}");
            let first = output
                .iter()
                .zip(expected)
                .position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(first, None, "{host}, {name}: the first frame that differs");
        }
    }
}

#[test]
fn pedalboard_plays_what_the_engine_renders() {
    plays_as_rendered("pedalboard", &[2, 1]);
}

#[test]
fn pedalboard_brings_a_state_back_and_turns_a_knob() {
    let (_, report) = play("pedalboard", CHAIN, &noise(1, 2, 48_000), 48_000, 512);
    assert_eq!(report["state_comes_back"], true);
    // From -2.9 to -12 dB, with nothing behind it.
    let turned_db = report["turned_db"].as_f64().expect("a number");
    assert!((turned_db + 9.1).abs() < 0.01, "{turned_db} dB");
    let names = report["parameters"].as_array().expect("names");
    // The host makes names of ours that Python can say; each row has one of its own.
    let rows = headroom_plugin::rows(&headroom_engine::Catalog::builtin());
    assert_eq!(names.len(), rows.len(), "{names:?}");
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs it"]
fn dawdreamer_plays_what_the_engine_renders() {
    // It arranges one bus in only, and can make no plugin mono that has a side-chain.
    plays_as_rendered("dawdreamer", &[2]);
}
