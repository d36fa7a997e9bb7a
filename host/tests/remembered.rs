//! What `headroom play` remembers from one run to the next, on ALSA devices that a file describes: they
//! come and go by rewriting it, and need neither a card nor a server.

#![cfg(target_os = "linux")]

mod play_common;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use play_common::headroom;
use play_common::play;
use play_common::report;
use play_common::sine;
use play_common::stderr;

/// Devices called `names`, each known to people as `NAME box`.
fn connect(folder: &Path, names: &[&str]) {
    let devices: String = names
        .iter()
        .map(|name| {
            format!(
                "pcm.{name} {{\n type null\n hint {{ show on description \"{name} box\" }}\n}}\n"
            )
        })
        .collect();
    std::fs::write(folder.join("asound.conf"), devices).unwrap();
}

fn playing(folder: &Path, args: &[&str]) -> Command {
    let mut command = play(folder, &[args, &["--seconds", "0.1"]].concat());
    command.env("ALSA_CONFIG_PATH", folder.join("asound.conf"));
    command
}

fn fails(folder: &Path, args: &[&str]) -> String {
    let output: Output = playing(folder, args).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?}");
    assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
    said
}

fn memory(folder: &Path) -> PathBuf {
    folder.join("state/headroom/play.toml")
}

#[test]
fn the_next_run_plays_on_the_same_device_with_the_same_settings() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["spare", "stage"]);
    sine(folder, 48_000, 4_800);
    let first = [
        "--backend",
        "alsa",
        "--output-device",
        "stage",
        "--rate",
        "44100",
        "--block",
        "128",
        "--preset",
        "master",
        "--input",
        "sine.wav",
        "--json",
    ];
    report(&mut playing(folder, &first));
    let output = playing(folder, &["--json"]).output().unwrap();
    let said = stderr(&output);
    let again = play_common::report_of(&output);
    assert_eq!(again["backend"], "alsa");
    assert_eq!(again["output_device"], "stage box");
    assert_eq!(again["sample_rate_hz"], 44_100);
    assert_eq!(again["block_frames"], 128);
    let line = said.lines().find(|line| line.contains("as last time"));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    for part in [
        "alsa",
        "stage box",
        "44100 Hz",
        "block 128",
        "`master`",
        "--fresh",
    ] {
        assert!(line.contains(part), "no {part} in {line}");
    }

    // And whoever looks at the devices is told which `play` would take.
    let mut list = headroom(folder, &["devices"]);
    list.env("ALSA_CONFIG_PATH", folder.join("asound.conf"));
    let text = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let told = "`play` without options: backend `alsa`, output `stage box`, 44100 Hz, block 128, \
                preset `master` (--fresh: as marked)";
    assert!(text.lines().any(|line| line == told), "{text}");
}

#[test]
fn a_remembered_device_that_is_not_there_is_an_error_and_never_another_device() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage"]);
    report(&mut playing(
        folder,
        &["--backend", "alsa", "--output-device", "stage", "--json"],
    ));
    let before = std::fs::read_to_string(memory(folder)).unwrap();

    // One that is called alike, in part and by people, is there.
    connect(folder, &["spare", "backstage"]);
    let said = fails(folder, &[]);
    for part in [
        "remembered output device `stage box` is not there",
        "`spare`",
        "--fresh",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    // Typed, a part of the name will do.
    report(&mut playing(
        folder,
        &["--output-device", "kstage", "--json"],
    ));
    std::fs::write(memory(folder), &before).unwrap();

    // --fresh looks for itself, ends at the clock here, and leaves the memory alone.
    let fresh = report(&mut playing(folder, &["--fresh", "--json"]));
    assert_eq!(fresh["backend"], "null");
    assert_eq!(std::fs::read_to_string(memory(folder)).unwrap(), before);

    // It is back, and so is the sound.
    connect(folder, &["spare", "stage"]);
    let again = report(&mut playing(folder, &["--json"]));
    assert_eq!(again["output_device"], "stage box");
}

#[test]
fn a_remembered_input_is_opened_or_told_to_be_gone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage", "mic"]);
    let first = [
        "--backend",
        "alsa",
        "--output-device",
        "stage",
        "--input-device",
        "mic",
        "--json",
    ];
    assert_eq!(
        report(&mut playing(folder, &first))["input_device"],
        "mic box"
    );
    assert_eq!(
        report(&mut playing(folder, &["--json"]))["input_device"],
        "mic box"
    );
    connect(folder, &["stage"]);
    let said = fails(folder, &[]);
    assert!(
        said.contains("remembered input device `mic box` is not there"),
        "{said}"
    );
    // A file in its place does not need it.
    sine(folder, 48_000, 4_800);
    report(&mut playing(folder, &["--input", "sine.wav", "--json"]));
}

#[test]
fn runs_without_a_device_leave_no_memory() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &[]);
    assert_eq!(report(&mut playing(folder, &["--json"]))["backend"], "null");
    report(&mut playing(
        folder,
        &["--backend", "null", "--preset", "master", "--json"],
    ));
    assert!(!memory(folder).exists());
    connect(folder, &["stage"]);
    let fresh = [
        "--fresh",
        "--backend",
        "alsa",
        "--output-device",
        "stage",
        "--json",
    ];
    report(&mut playing(folder, &fresh));
    assert!(!memory(folder).exists());
}

#[test]
fn a_remembered_preset_file_is_found_from_any_folder_or_told_to_be_gone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage"]);
    play_common::neutral(folder);
    let first = [
        "--backend",
        "alsa",
        "--output-device",
        "stage",
        "--preset",
        "neutral.toml",
        "--json",
    ];
    report(&mut playing(folder, &first));
    std::fs::create_dir(folder.join("elsewhere")).unwrap();
    let mut elsewhere = playing(folder, &["--json"]);
    report(elsewhere.current_dir(folder.join("elsewhere")));
    std::fs::remove_file(folder.join("neutral.toml")).unwrap();
    let said = fails(folder, &[]);
    for part in ["remembered preset", "neutral.toml", "--preset", "--fresh"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    // Another one plays, and is the remembered one from now on.
    report(&mut playing(folder, &["--preset", "voice", "--json"]));
    report(&mut playing(folder, &["--json"]));
}

#[test]
fn a_damaged_memory_is_a_warning_and_the_sound_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage"]);
    std::fs::create_dir_all(memory(folder).parent().unwrap()).unwrap();
    std::fs::write(memory(folder), "headroom = 1\nbackend = \"al").unwrap();
    let args = ["--backend", "alsa", "--output-device", "stage", "--json"];
    let output = playing(folder, &args).output().unwrap();
    play_common::report_of(&output);
    assert!(
        stderr(&output).contains("play.toml:2: "),
        "{}",
        stderr(&output)
    );
    let aside = memory(folder).with_extension("toml.damaged");
    assert_eq!(
        std::fs::read_to_string(aside).unwrap(),
        "headroom = 1\nbackend = \"al"
    );
    assert_eq!(
        report(&mut playing(folder, &["--json"]))["output_device"],
        "stage box"
    );
}

#[test]
fn a_memory_that_cannot_be_kept_is_said_and_the_sound_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage"]);
    // A file where the folder ought to be.
    std::fs::write(folder.join("state"), "").unwrap();
    let args = ["--backend", "alsa", "--output-device", "stage", "--json"];
    let output = playing(folder, &args).output().unwrap();
    play_common::report_of(&output);
    assert!(stderr(&output).contains("play.toml"), "{}", stderr(&output));
}

#[test]
fn an_end_in_the_middle_of_keeping_leaves_the_old_memory() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    connect(folder, &["stage"]);
    let args = ["--backend", "alsa", "--output-device", "stage", "--json"];
    report(&mut playing(folder, &args));
    let before = std::fs::read_to_string(memory(folder)).unwrap();
    // The kernel ends it (SIGXFSZ) at the first byte that it writes into any file.
    let plain = playing(folder, &["--block", "64", "--json"]);
    let mut cut_off = Command::new("prlimit");
    cut_off.args(["--fsize=0:0", "--"]).arg(plain.get_program());
    cut_off.args(plain.get_args()).current_dir(folder);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => cut_off.env(name, value),
            None => cut_off.env_remove(name),
        };
    }
    let output = cut_off.output().unwrap();
    assert!(!output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("played"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(memory(folder)).unwrap(), before);
    // And the next run plays.
    assert_eq!(
        report(&mut playing(folder, &["--json"]))["output_device"],
        "stage box"
    );
}
