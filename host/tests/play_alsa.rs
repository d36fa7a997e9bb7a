//! `headroom play` on ALSA without a sound card: a device that is ALSA's plugin for JACK, on jackd's dummy
//! driver, with ALSA's conversions in between.

#![cfg(target_os = "linux")]

mod play_common;

use std::path::Path;
use std::process::Command;

use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::neutral;
use play_common::play;
use play_common::report;
use play_common::report_of;
use play_common::sine;
use play_common::stderr;

/// The default device of a machine whose only card is JACK.
const CONFIGURATION: &str = r#"
pcm.!default {
    type plug
    slave.pcm "card"
    hint { show on description "JACK as a card" }
}
pcm.card {
    type jack
    playback_ports { 0 system:playback_1 1 system:playback_2 }
    capture_ports { 0 system:capture_1 1 system:capture_2 }
}
"#;

fn on_alsa(jackd: &Jackd, place: &Path, args: &[&str]) -> Command {
    let configuration = place.join("asound.conf");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let base = ["--backend", "alsa", "--preset", "neutral.toml", "--json"];
    let mut command = play(place, &[&base[..], args].concat());
    jackd
        .env(&mut command)
        .env("ALSA_CONFIG_PATH", configuration)
        .env("JACK_NO_START_SERVER", "1");
    command
}

#[test]
fn a_file_plays_exactly_and_live_input_is_heard_on_alsa() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("alsa");
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let file = ["--input", "sine.wav", "--loop", "--seconds", "2"];
    let output = on_alsa(&jackd, place.path(), &file).output().unwrap();
    assert!(
        output.status.success(),
        "this test needs ALSA's plugin for JACK: install the package `libasound2-plugins`: {}",
        stderr(&output)
    );
    let heard = report_of(&output);
    assert_eq!(heard["backend"], "alsa");
    assert_eq!(heard["frames"], 96_000, "{heard}");
    assert_eq!(heard["input_frames"], 96_000, "{heard}");
    let peak_dbfs = heard["peak_dbfs"].as_f64().unwrap();
    assert!((-6.1..-6.0).contains(&peak_dbfs), "{heard}");
    assert_real_time(&heard);

    // One card for both directions: one clock, and the frames as they are.
    let live = report(&mut on_alsa(&jackd, place.path(), &["--seconds", "1"]));
    assert_eq!(live["frames"], 48_000, "{live}");
    assert!(live["input_device"].is_string(), "{live}");
    assert!(live["input_wait_frames"].is_u64(), "{live}");
    assert!(live["input_drift_ppm"].is_null(), "{live}");
    assert_real_time(&live);
}

#[test]
fn channels_that_the_card_does_not_have_are_refused_with_how_many_it_has() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("alsa");
    neutral(place.path());
    let output = on_alsa(&jackd, place.path(), &["--outputs", "30000"]);
    let output = { output }.output().unwrap();
    assert!(stderr(&output).contains("from 1 to 1024"), "{output:?}");
    // One output for the sum, and the second input for both sides.
    let args = ["--outputs", "2", "--inputs", "2", "--seconds", "0.5"];
    let heard = report(&mut on_alsa(&jackd, place.path(), &args));
    assert_eq!(heard["frames"], 24_000, "{heard}");
    assert_real_time(&heard);
}
