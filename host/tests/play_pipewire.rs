//! `headroom play` on a real PipeWire server without a sound card. Xruns are not counted here, since the
//! machine that runs the tests stalls now and then; what is claimed is that the frames are exact and that
//! the audio thread neither allocates nor frees.

#![cfg(target_os = "linux")]

mod play_common;

use play_common::JackServer as _;
use play_common::assert_real_time;
use play_common::neutral;
use play_common::pipewire::PipeWire;
use play_common::play;
use play_common::report;
use play_common::sine;

const ARGS: &[&str] = &[
    "--input",
    "sine.wav",
    "--loop",
    "--preset",
    "neutral.toml",
    "--seconds",
    "2",
    "--json",
    "--backend",
];

#[test]
fn a_file_plays_exactly_by_the_jack_door_of_pipewire() {
    let place = tempfile::tempdir().unwrap();
    let pipewire = PipeWire::start();
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let mut command = play(place.path(), &[ARGS, &["jack"]].concat());
    let report = report(pipewire.jack_door().env(&mut command));
    assert_eq!(report["backend"], "jack");
    assert_exact(&report);
}

#[cfg(feature = "pipewire")]
#[test]
fn a_file_plays_exactly_on_pipewire_itself() {
    let place = tempfile::tempdir().unwrap();
    let pipewire = PipeWire::start_with_sink();
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let mut command = play(place.path(), &[ARGS, &["pipewire"]].concat());
    let report = report(pipewire.env(&mut command));
    assert_eq!(report["backend"], "pipewire");
    assert_exact(&report);
}

fn assert_exact(report: &serde_json::Value) {
    assert_eq!(report["sample_rate_hz"], 48_000, "{report}");
    assert_eq!(report["frames"], 96_000, "{report}");
    assert_eq!(report["input_frames"], 96_000, "{report}");
    let peak_dbfs = report["peak_dbfs"].as_f64().unwrap();
    assert!((-6.1..-6.0).contains(&peak_dbfs), "{report}");
    assert_real_time(report);
}
