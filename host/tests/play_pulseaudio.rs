//! `headroom play` on a PulseAudio server without a sound card: the one that PipeWire brings, with a sink
//! that is a clock.

#![cfg(target_os = "linux")]

mod play_common;

use std::path::Path;
use std::time::Duration;

use play_common::assert_real_time;
use play_common::neutral;
use play_common::pipewire::PipeWire;
use play_common::play;
use play_common::playing::Playing;
use play_common::report;
use play_common::sine;

#[test]
fn a_file_plays_exactly_and_live_input_is_heard_on_pulseaudio() {
    let place = tempfile::tempdir().unwrap();
    let pipewire = PipeWire::start_with_sink();
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let base = [
        "--backend",
        "pulseaudio",
        "--preset",
        "neutral.toml",
        "--seconds",
        "2",
        "--json",
    ];
    let file = ["--input", "sine.wav", "--loop"];
    let mut command = play(place.path(), &[&base[..], &file].concat());
    let heard = report(pipewire.env(&mut command));
    assert_eq!(heard["backend"], "pulseaudio");
    assert_eq!(heard["output_device"], "headroom-sink", "{heard}");
    assert_eq!(heard["sample_rate_hz"], 48_000, "{heard}");
    assert_eq!(heard["frames"], 96_000, "{heard}");
    assert_eq!(heard["input_frames"], 96_000, "{heard}");
    let peak_dbfs = heard["peak_dbfs"].as_f64().unwrap();
    assert!((-6.1..-6.0).contains(&peak_dbfs), "{heard}");
    assert_real_time(&heard);

    what_is_played_is_heard(&pipewire, place.path());

    // The input is the sink's own monitor, which is silent as long as we are muted.
    let mut command = play(place.path(), &base);
    let live = report(pipewire.env(&mut command));
    assert_eq!(live["frames"], 96_000, "{live}");
    assert!(live["input_device"].is_string(), "{live}");
    assert!(live["input_wait_frames"].is_u64(), "{live}");
    assert!(live["peak_dbfs"].is_null(), "{live}");
    assert_real_time(&live);
}

/// What another program plays into the sink comes in whole, by the sink's monitor: all but what a machine that
/// stalls takes away. Muted, since the same sink plays what we put out.
fn what_is_played_is_heard(pipewire: &PipeWire, place: &Path) {
    let tone = [
        "--backend",
        "pulseaudio",
        "--input",
        "sine.wav",
        "--loop",
        "--preset",
        "neutral.toml",
    ];
    let tone = Playing::spawn(place, &tone, |command| pipewire.env(command));
    std::thread::sleep(Duration::from_secs(1));
    let args = [
        "--backend",
        "pulseaudio",
        "--preset",
        "neutral.toml",
        "--block",
        "256",
        "--seconds",
        "3",
        "--record",
        "out.wav",
        "--record-dry",
        "heard.wav",
        "--record-format",
        "s16",
        "--json",
    ];
    report(pipewire.env(&mut play(place, &args)));
    tone.end();
    let bytes = std::fs::read(place.join("heard.wav")).unwrap();
    let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 8;
    let samples: Vec<i16> = bytes[data..]
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect();
    assert_eq!(samples.len(), 3 * 48_000 * 2);
    // Parts of 10 ms, behind the first half of a second, in which the cushion is found.
    let parts = samples[48_000..].chunks_exact(960);
    let count = parts.len();
    let loud = parts.filter(|part| part.iter().any(|sample| *sample > 15_000));
    let loud = loud.count();
    assert!(loud * 10 >= count * 9, "{loud} of {count} parts were heard");
}
