//! `headroom play` on a PulseAudio server without a sound card: the one that PipeWire brings, with a sink
//! that is a clock.

#![cfg(target_os = "linux")]

mod play_common;

use play_common::assert_real_time;
use play_common::neutral;
use play_common::pipewire::PipeWire;
use play_common::play;
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

    // The input is the sink's own monitor, which is silent as long as we are muted.
    let mut command = play(place.path(), &base);
    let live = report(pipewire.env(&mut command));
    assert_eq!(live["frames"], 96_000, "{live}");
    assert!(live["input_device"].is_string(), "{live}");
    assert!(live["input_wait_frames"].is_u64(), "{live}");
    assert!(live["peak_dbfs"].is_null(), "{live}");
    assert_real_time(&live);
}
