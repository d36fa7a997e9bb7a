//! `headroom play` on the clock without a device: exact frames, a silent audio thread, clean ends, and every
//! bad input. Needs nothing but the program.

mod play_common;

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::headroom;
use play_common::last_object;
use play_common::neutral;
use play_common::play;
use play_common::report;
use play_common::report_of;
use play_common::signal;
use play_common::sine;
use play_common::stderr;

#[test]
fn seconds_of_a_looped_file_are_exact_and_take_their_time() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 20_000);
    let start = Instant::now();
    let report = report(&mut play(
        place.path(),
        &[
            "--backend",
            "null",
            "--input",
            "sine.wav",
            "--loop",
            "--no-gui",
            "--tempo",
            "92.5",
            "--seconds",
            "1.25",
            "--json",
        ],
    ));
    assert!(
        start.elapsed() >= Duration::from_millis(1200),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(report["frames"], 60_000);
    assert_eq!(report["input_frames"], 60_000);
    assert_eq!(report["sample_rate_hz"], 48_000);
    assert_eq!(report["seconds"], 1.25);
    assert_eq!(report["tempo_bpm"], 92.5);
    assert_eq!(report["backend"], "null");
    assert_eq!(report["deadline_ns"], 256 * 1_000_000_000_u64 / 48_000);
    assert!(
        report["xruns"].is_u64() && report["latency_frames"].is_u64(),
        "{report}"
    );
    assert_real_time(&report);
    let health = &report["health"];
    let slots = health["slots"].as_array().unwrap();
    assert!(!slots.is_empty(), "{report}");
    for slot in slots {
        assert_eq!(slot["not_finite_chunks"], 0, "{slot}");
    }
    for mark in [
        "commands",
        "notices",
        "slots",
        "rack_tails",
        "scratch_bytes",
    ] {
        let mark = &health["high_water"][mark];
        assert!(mark["most"].as_u64() <= mark["room"].as_u64(), "{health}");
        assert!(mark["room"].as_u64() > Some(0), "{health}");
    }
    assert!(health["high_water"]["scratch_bytes"]["most"].as_u64() > Some(0));
    for full in ["lost_notices", "cut_tails"] {
        assert_eq!(health[full], 0, "{health}");
    }
    assert_eq!(health["first_violation"], serde_json::Value::Null);
    if cfg!(target_os = "linux") {
        // The clock waits between two blocks.
        let waits = health["context_switches"]["voluntary"].as_u64();
        assert!(waits > Some(50), "{health}");
        let stack = &report["audio_thread"]["stack"];
        let [used, limit] = ["used_bytes", "limit_bytes"].map(|name| stack[name].as_u64());
        // More than the painter's own distance from the top, and far from the end.
        assert!(used > Some(4096) && used < Some(256 << 10), "{report}");
        assert!(limit >= Some(1 << 20), "{report}");
    }
}

#[test]
fn a_program_that_was_stopped_for_a_while_has_lost_no_device() {
    let place = tempfile::tempdir().unwrap();
    let args = ["--backend", "null", "--seconds", "1", "--json"];
    let mut command = play(place.path(), &args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "STOP");
    std::thread::sleep(Duration::from_millis(2_600));
    signal(&child, "CONT");
    let output = child.wait_with_output().unwrap();
    let report = report_of(&output);
    assert!(!stderr(&output).contains("lost"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("asks"), "{}", stderr(&output));
    assert_eq!(report["frames"], 48_000);
    assert_eq!(report["reconnects"], 0);
}

#[test]
fn a_file_is_played_whole_and_then_its_tail() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 44_100, 44_100);
    neutral(place.path());
    let report = report(&mut play(
        place.path(),
        &[
            "--backend",
            "null",
            "--input",
            "sine.wav",
            "--preset",
            "neutral.toml",
            "--json",
        ],
    ));
    // A second at 44.1 kHz is a second at 48 kHz, and the tail of a neutral rack is a second of silence.
    assert_eq!(report["input_frames"], 48_000);
    let frames = report["frames"].as_u64().unwrap();
    assert!((96_000 - 256..98_000).contains(&frames), "{report}");
    let peak_dbfs = report["peak_dbfs"].as_f64().unwrap();
    assert!((-6.2..-5.8).contains(&peak_dbfs), "{report}");
    assert_real_time(&report);
}

#[test]
fn frames_are_exact_at_any_block_size() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 8_000, 1_000);
    for block in ["1", "37", "8192"] {
        let report = report(&mut play(
            place.path(),
            &[
                "--backend",
                "null",
                "--rate",
                "8000",
                "--block",
                block,
                "--input",
                "sine.wav",
                "--loop",
                "--seconds",
                "0.3",
                "--json",
            ],
        ));
        assert_eq!(
            (&report["frames"], &report["input_frames"]),
            (&2_400.into(), &2_400.into()),
            "{block}"
        );
        assert_real_time(&report);
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_trap_tells_that_there_was_no_system_call_and_in_how_many_blocks() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 4_800);
    let args = [
        "--backend",
        "null",
        "--block",
        "64",
        "--input",
        "sine.wav",
        "--loop",
        "--seconds",
        "0.5",
        "--trap",
    ];
    let output = play(place.path(), &[&args[..], &["--json"]].concat())
        .output()
        .unwrap();
    let report = report_of(&output);
    assert_eq!(report["audio_thread"]["system_calls"], 0, "{report}");
    let blocks = &report["audio_thread"]["blocks"];
    let told = format!("trap: 0 system calls in {blocks} blocks");
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    assert_real_time(&report);

    let output = play(place.path(), &args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(", system calls 0"), "{said}");

    // Nobody looked: nothing is claimed.
    let report = self::report(&mut play(
        place.path(),
        &["--backend", "null", "--seconds", "0.1", "--json"],
    ));
    assert!(report["audio_thread"]["system_calls"].is_null(), "{report}");
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn a_trap_is_refused_where_there_is_none() {
    let place = tempfile::tempdir().unwrap();
    let output = play(place.path(), &["--backend", "null", "--trap"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("expected Linux on x86-64"), "{said}");
}

#[test]
fn a_file_that_is_cut_while_it_plays_is_told_and_the_report_still_comes() {
    let place = tempfile::tempdir().unwrap();
    let path = sine(place.path(), 48_000, 480_000);
    let child = play(
        place.path(),
        &["--backend", "null", "--input", "sine.wav", "--json"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    std::thread::sleep(Duration::from_millis(800));
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(1_000).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{}: {said}", output.status);
    let told = said.lines().filter(|line| line.contains("sine.wav"));
    assert_eq!(told.count(), 1, "{said}");
    assert!(said.contains("was cut while it was read"), "{said}");
    let report = last_object(&output);
    assert!(report["frames"].as_u64().unwrap() > 10_000, "{report}");
    assert_real_time(&report);
}

#[test]
fn ctrl_c_and_sigterm_fade_out_and_report() {
    for name in ["INT", "TERM"] {
        let place = tempfile::tempdir().unwrap();
        sine(place.path(), 48_000, 48_000);
        let mut command = play(
            place.path(),
            &[
                "--backend",
                "null",
                "--input",
                "sine.wav",
                "--loop",
                "--json",
            ],
        );
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert!(
            asked.elapsed() < Duration::from_secs(3),
            "{name}: {:?}",
            asked.elapsed()
        );
        let report = report_of(&output);
        assert!(
            report["frames"].as_u64().unwrap() > 2_000,
            "{name}: {report}"
        );
        assert_real_time(&report);
    }
}

#[test]
fn without_a_terminal_there_are_no_control_codes() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 4_800);
    let output = play(
        place.path(),
        &[
            "--backend",
            "null",
            "--input",
            "sine.wav",
            "--seconds",
            "0.2",
        ],
    )
    .output()
    .unwrap();
    assert!(output.status.success());
    let said = [output.stdout, output.stderr].concat();
    assert!(!said.contains(&0x1b), "{}", String::from_utf8_lossy(&said));
    assert!(String::from_utf8_lossy(&said).contains("played 0.20 s on null"));
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_there_are_meters_and_q_ends_it() {
    use std::io::Write;

    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 48_000);
    let line = format!(
        "{} play --backend null --input sine.wav --loop",
        env!("CARGO_BIN_EXE_headroom")
    );
    // `script` (util-linux) lends a terminal.
    let mut child = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(place.path())
        .env("HOME", place.path())
        .env("XDG_CONFIG_HOME", place.path().join("config"))
        .env("XDG_STATE_HOME", place.path().join("state"))
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs the program `script`: install the package `bsdutils`");
    let mut keys = child.stdin.take().unwrap();
    std::thread::sleep(Duration::from_millis(1000));
    let asked = Instant::now();
    keys.write_all(b"q").unwrap();
    let mut screen = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut screen)
        .unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}: {screen}");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    for shown in [
        "HEADROOM", "MASTER L", "BLOCK", "HEALTH", "LIVE", "█", "\u{1b}[",
    ] {
        assert!(screen.contains(shown), "no {shown} in {screen}");
    }
    // The cursor is given back.
    assert!(screen.contains("\u{1b}[?25h"), "{screen}");
}

#[test]
fn auto_ends_at_null_and_says_why() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 4_800);
    let start = Instant::now();
    let output = play(
        place.path(),
        &["--input", "sine.wav", "--seconds", "0.2", "--json"],
    )
    .output()
    .unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(report_of(&output)["backend"], "null");
    let said = stderr(&output);
    assert!(said.contains("playing on `null`"), "{said}");
    for backend in ["jack:", "pipewire:", "pulseaudio:", "alsa:"] {
        assert!(said.contains(backend), "no reason for {backend} {said}");
    }
}

#[test]
fn devices_lists_every_audio_system_and_the_clock() {
    let place = tempfile::tempdir().unwrap();
    let list = report(&mut headroom(place.path(), &["devices", "--json"]));
    let backends = list["backends"].as_array().unwrap();
    let names: Vec<_> = backends
        .iter()
        .map(|backend| backend["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["jack", "pipewire", "pulseaudio", "alsa", "null"]);
    for backend in backends {
        let available = backend["available"].as_bool().unwrap();
        assert_eq!(available, backend["reason"].is_null(), "{backend}");
        assert_eq!(available, backend["name"] == "null", "{backend}");
    }
    assert_eq!(backends[4]["devices"][0]["id"], "null");
}

/// What is typed, and what the one line about it must contain.
const BAD: &[(&[&str], &[&str])] = &[
    (
        &["--block", "0"],
        &["`--block` is 0", "expected 1 to 8192 frames"],
    ),
    (&["--block", "-5"], &["`--block` is -5", "expected"]),
    (&["--block", "100000"], &["`--block` is 100000", "expected"]),
    (&["--rate", "1"], &["`--rate` is 1", "8000 to 384000 Hz"]),
    (
        &["--rate", "10000000"],
        &["`--rate` is 10000000", "8000 to 384000 Hz"],
    ),
    (&["--seconds", "0"], &["`--seconds` is 0", "more than 0"]),
    (
        &["--seconds", "nan"],
        &["`--seconds` is NaN", "more than 0"],
    ),
    (
        &["--inputs", "0"],
        &["`--inputs` is 0", "one or two channels from 1"],
    ),
    (
        &["--outputs", "1,2,3"],
        &["`--outputs` is 1,2,3", "for example `3` or `1,2`"],
    ),
    (
        &["--backend", "null", "--outputs", "3,4"],
        &["`null` has 2 output channels", "`--outputs` from 1 to 2"],
    ),
    (
        &["--backend", "null", "--inputs", "1"],
        &["`null` has no input channels"],
    ),
    (&["--outputs", "1,2"], &["no JACK server"]),
    (&["--loop"], &["`--loop` needs `--input FILE`"]),
    (
        &["--input", "missing.wav"],
        &["missing.wav", "no such file"],
    ),
    (&["--input", "."], &["expected a file", "folder"]),
    (&["--input", "text.wav"], &["text.wav", "expected WAV"]),
    (&["--input", "empty.wav"], &["empty.wav", "expected"]),
    (
        &["--preset", "no-such"],
        &["no-such", "voice", "drum-bus", "master"],
    ),
    (&["--preset", "missing.toml"], &["missing.toml"]),
    (&["--preset", "text.wav"], &["text.wav:1"]),
    (
        &["--output-device", "Scarlett"],
        &["no output device is called `Scarlett`", "expected one"],
    ),
    (
        &["--backend", "null", "--output-device", "Scarlett"],
        &["`Scarlett`", "expected one of `null`"],
    ),
    (
        &["--backend", "jack"],
        &["backend `jack` is not available", "no JACK server"],
    ),
    (
        &["--backend", "pulseaudio"],
        &["backend `pulseaudio` is not available"],
    ),
    (
        &["--backend", "pipewire"],
        &["backend `pipewire` is not available"],
    ),
    (&["--backend", "alsa"], &["backend `alsa` is not available"]),
    (
        &["--backend", "wasapi"],
        &["backend `wasapi` is not available", "not on this platform"],
    ),
];

#[test]
fn every_bad_input_is_one_line_and_a_code() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("text.wav"), "this is = not = sound\n").unwrap();
    sine(place.path(), 48_000, 0);
    std::fs::rename(
        place.path().join("sine.wav"),
        place.path().join("empty.wav"),
    )
    .unwrap();
    for (args, expected) in BAD {
        let start = Instant::now();
        let output = play(place.path(), args).output().unwrap();
        let said = stderr(&output);
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{args:?}: {:?}",
            start.elapsed()
        );
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
        for part in *expected {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
}

#[test]
fn a_backend_that_is_none_is_refused_with_the_list() {
    let place = tempfile::tempdir().unwrap();
    let output = play(place.path(), &["--backend", "oss"]).output().unwrap();
    assert!(!output.status.success());
    let said = stderr(&output);
    for name in [
        "oss",
        "auto",
        "alsa",
        "jack",
        "pipewire",
        "pulseaudio",
        "null",
    ] {
        assert!(said.contains(name), "{said}");
    }
}
