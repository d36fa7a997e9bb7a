//! `headroom play` on a real JACK server without a sound card: jackd's dummy driver, synchronous. Where none
//! is seeded xruns are not looked at, since the machine that runs the tests stalls now and then; what is claimed is that the
//! frames are exact and that the audio thread neither allocates nor frees.

#![cfg(target_os = "linux")]

mod play_common;

use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::last_object;
use play_common::neutral;
use play_common::play;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::sine;
use play_common::stderr;

#[test]
fn auto_takes_a_running_jack_server_and_plays_exact_frames_without_allocating() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("auto");
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let output = jackd
        .env(&mut play(
            place.path(),
            &[
                "--input",
                "sine.wav",
                "--loop",
                "--preset",
                "neutral.toml",
                "--seconds",
                "1.5",
                "--json",
            ],
        ))
        .output()
        .unwrap();
    let report = report_of(&output);
    assert!(
        stderr(&output).contains("playing on `jack`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(report["backend"], "jack");
    assert_eq!(report["frames"], 72_000);
    assert_eq!(report["input_frames"], 72_000);
    assert_eq!(report["block_frames"], 128);
    assert_eq!(report["deadline_ns"], 2_666_666);
    let peak_dbfs = report["peak_dbfs"].as_f64().unwrap();
    assert!((-6.1..-6.0).contains(&peak_dbfs), "{report}");
    assert_real_time(&report);
}

#[test]
fn live_input_starts_muted_with_a_warning() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("live");
    let output = jackd
        .env(&mut play(place.path(), &["--seconds", "0.5", "--json"]))
        .output()
        .unwrap();
    let report = report_of(&output);
    assert_eq!(report["frames"], 24_000);
    assert!(report["input_device"].is_string(), "{report}");
    assert!(report["peak_dbfs"].is_null(), "{report}");
    assert!(
        stderr(&output).contains("warning: muted"),
        "{}",
        stderr(&output)
    );
    assert_real_time(&report);
}

#[test]
fn what_the_server_does_not_run_at_is_refused_with_what_it_does() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("refused");
    for (args, expected) in [
        (["--rate", "44100"], ["44100 Hz", "expected 48000 Hz"]),
        (["--block", "64"], ["64", "128"]),
        (
            ["--output-device", "Scarlett"],
            ["`Scarlett`", "expected one of `system`"],
        ),
    ] {
        let args = [&["--backend", "jack"], &args[..]].concat();
        let output = jackd.env(&mut play(place.path(), &args)).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        for part in expected {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
}

#[test]
fn a_cycle_that_the_server_missed_is_counted() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("missed");
    sine(place.path(), 48_000, 48_000);
    let args = ["--input", "sine.wav", "--loop"];
    let playing = Playing::start(&jackd, place.path(), &args);
    playing.wait_for_ports(&jackd);
    for _ in 0..3 {
        jackd.signal("STOP");
        std::thread::sleep(Duration::from_millis(100));
        jackd.signal("CONT");
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = playing.end();
    let report = report_of(&output);
    // Whatever else stalled.
    assert!(report["xruns"].as_u64().unwrap() >= 3, "{report}");
    assert_real_time(&report);
}

#[test]
fn a_killed_server_ends_a_run_that_does_not_reconnect_with_its_report() {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start("killed");
    sine(place.path(), 48_000, 48_000);
    let mut command = play(
        place.path(),
        &[
            "--backend",
            "jack",
            "--input",
            "sine.wav",
            "--loop",
            "--no-reconnect",
            "--fresh",
            "--json",
        ],
    );
    let child = jackd
        .env(&mut command)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    jackd.kill();
    let lost = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(
        lost.elapsed() < Duration::from_secs(10),
        "{:?}",
        lost.elapsed()
    );
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let told = said
        .lines()
        .filter(|line| line.contains("the device"))
        .count();
    assert_eq!(told, 1, "{said}");
    assert!(
        said.contains("backend `jack`") && said.contains("went away"),
        "{said}"
    );
    let report = last_object(&output);
    assert!(report["frames"].as_u64().unwrap() > 0, "{report}");
    assert_real_time(&report);
}
