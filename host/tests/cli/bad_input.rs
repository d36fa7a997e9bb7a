//! Every kind of bad input: one line that says what, where and what was expected, and nothing left behind.

use super::*;

/// A folder with a sound input and a preset.
fn place() -> Place {
    let place = Place::new();
    place.write("in.wav", wav_f32(2, 48_000, &tone(2, 4_800)));
    place.write("neutral.toml", NEUTRAL);
    place
}

#[test]
fn a_missing_file() {
    let error = place().fail(&["render", "nothing.wav", "out.wav"]);
    assert_eq!(
        error,
        "headroom: cannot open the audio file: nothing.wav: no such file or directory"
    );
}

#[test]
fn a_folder_in_place_of_a_file() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    let error = place.fail(&["render", "folder", "out.wav"]);
    assert_eq!(
        error,
        "headroom: cannot open the audio file: folder: expected a file, found a folder"
    );
    let error = place.fail(&["render", "in.wav", "folder"]);
    assert_eq!(
        error,
        "headroom: cannot write the audio file: folder: expected a file, found a folder"
    );
}

#[test]
fn what_is_no_audio() {
    let place = place();
    for bytes in [
        &b""[..],
        b"hello",
        &[0; 4_096],
        b"PK\x03\x04 a spreadsheet, perhaps",
    ] {
        place.write("no.wav", bytes);
        let error = place.fail(&["render", "no.wav", "out.wav"]);
        assert_eq!(
            error,
            "headroom: not an audio file: no.wav: expected WAV, AIFF, FLAC, MP3 or OGG Vorbis"
        );
    }
}

#[test]
fn audio_that_is_cut_short() {
    let place = place();
    let whole = fs::read(place.path("in.wav")).unwrap();
    place.write("cut.wav", &whole[..whole.len() - 800]);
    let error = place.fail(&["render", "cut.wav", "out.wav"]);
    assert_eq!(
        error,
        "headroom: truncated audio file: cut.wav: expected 4800 frames, found 4700"
    );
    place.write("cut.wav", &whole[..30]);
    let error = place.fail(&["render", "cut.wav", "out.wav"]);
    assert!(
        error.contains("cut.wav: the header is cut short: expected"),
        "{error}"
    );
}

#[test]
fn channels_that_no_rack_takes() {
    let place = place();
    for channels in [0, 3, 200] {
        place.write("many.wav", wav(1, 8, channels, 48_000, &[0; 1_200]));
        let error = place.fail(&["render", "many.wav", "out.wav"]);
        let expected = format!(
            "headroom: unsupported number of channels: many.wav: expected 1 or 2, found {channels}"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn rates_that_no_rack_takes() {
    let place = place();
    for rate in [0, 1, 10_000_000] {
        place.write("rate.wav", wav_s16(1, rate, &[0; 100]));
        let error = place.fail(&["render", "rate.wav", "out.wav"]);
        let expected = format!(
            "headroom: unsupported sample rate: rate.wav: expected 8000 to 384000 Hz, found {rate} Hz"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn a_preset_that_is_not_there() {
    let place = place();
    let error = place.fail(&["render", "in.wav", "out.wav", "--preset", "nobody"]);
    assert!(
        error.starts_with("headroom: no such preset: nobody: expected a file, or one of "),
        "{error}"
    );
    for name in ["voice", "drum-bus", "master"] {
        assert!(error.contains(name), "{error}");
    }
    let error = place.fail(&[
        "render",
        "in.wav",
        "out.wav",
        "--preset",
        "folder/nobody.toml",
    ]);
    assert!(error.contains("folder/nobody.toml"), "{error}");
}

#[test]
fn a_preset_with_any_single_thing_wrong() {
    let place = place();
    let cases = [
        ("headroom = 99\n", "1"),
        ("headroom = 1\ncolour = \"red\"\n", "2"),
        ("headroom = 1\n[[module]]\nkind = \"toaster\"\n", "3"),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nvolume = 3\n",
            "4",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\nvolume_db = 3.0\n",
            "5",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = 1e9\n",
            "5",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = nan\n",
            "5",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = \"loud\"\n",
            "5",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nmix = 2.0\n",
            "4",
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nid = \"a\"\n[[module]]\nkind = \"gain\"\nid = \"a\"\n",
            "7",
        ),
        ("headroom = 1\n[[module]\n", "2"),
    ];
    for (text, line) in cases {
        place.write("bad.toml", text);
        let error = place.fail(&["render", "in.wav", "out.wav", "--preset", "bad.toml"]);
        assert!(
            error.contains(&format!("bad.toml:{line}:")),
            "{text:?}: {error}"
        );
        assert!(error.contains("expected"), "{text:?}: {error}");
    }
    place.write("bad.toml", [0xff, 0xfe, 0x00]);
    assert!(
        place
            .fail(&["render", "in.wav", "out.wav", "--preset", "bad.toml"])
            .contains("bad.toml")
    );
}

#[test]
fn numbers_outside_their_range() {
    let place = place();
    for block in ["0", "-1", "8193", "99999999999"] {
        let error = place.fail(&["render", "in.wav", "out.wav", "--block", block]);
        assert_eq!(
            error,
            format!("headroom: `--block` is {block}: expected 1 to 8192 frames")
        );
    }
    for tempo in ["0", "-120", "1000", "NaN", "inf"] {
        let error = place.fail(&["render", "in.wav", "out.wav", "--tempo", tempo]);
        assert_eq!(
            error,
            format!("headroom: `--tempo` is {tempo}: expected 1 to 999 beats a minute")
        );
        let error = place.fail(&["play", "--backend", "null", "--tempo", tempo]);
        assert!(
            error.contains("expected 1 to 999 beats a minute"),
            "{error}"
        );
    }
    for tail in ["-1", "nan", "inf", "1e9", "long"] {
        let error = place.fail(&["render", "in.wav", "out.wav", "--tail", tail]);
        assert_eq!(
            error,
            format!("headroom: `--tail` is {tail}: expected `auto`, or 0 to 3600 seconds")
        );
    }
}

#[test]
#[cfg(unix)]
fn the_input_as_the_output() {
    let place = place();
    let before = fs::read(place.path("in.wav")).unwrap();
    fs::hard_link(place.path("in.wav"), place.path("hard.wav")).unwrap();
    std::os::unix::fs::symlink("in.wav", place.path("soft.wav")).unwrap();
    for output in ["in.wav", "./in.wav", "hard.wav", "soft.wav"] {
        let error = place.fail(&["render", "in.wav", output]);
        assert_eq!(
            error,
            format!("headroom: the output is the input: {output}: expected another file")
        );
    }
    assert!(fs::read(place.path("in.wav")).unwrap() == before);
    let mut command = place.command(&["render", "-", "in.wav"]);
    let output = command
        .stdin(fs::File::open(place.path("in.wav")).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(fs::read(place.path("in.wav")).unwrap() == before);
}

#[test]
fn a_folder_that_is_not_there() {
    let error = place().fail(&["render", "in.wav", "no/such/out.wav"]);
    assert_eq!(
        error,
        "headroom: no such folder: no/such: expected an existing folder for out.wav"
    );
}

#[test]
fn a_name_that_asks_for_another_format() {
    for name in ["out.mp3", "out.FLAC"] {
        let error = place().fail(&["render", "in.wav", name]);
        assert_eq!(
            error,
            format!("headroom: only WAV is written: {name}: expected a name that ends in .wav")
        );
    }
}

/// Linux has a device that is always full.
#[test]
#[cfg(target_os = "linux")]
fn a_full_device() {
    let error = place().fail(&["render", "in.wav", "/dev/full"]);
    assert_eq!(
        error,
        "headroom: cannot write the audio file: /dev/full: no space left on device"
    );
}

/// A file system of 64 KiB, filled by the output. Only root may make one; in a namespace of its own it is gone
/// with the test, whatever happens.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing_and_keeps_what_was_there() {
    let place = place();
    place.write("long.wav", wav_f32(2, 48_000, &tone(2, 48_000)));
    fs::create_dir(place.path("full")).unwrap();
    let script = "mount -t tmpfs -o size=64k tmpfs full || exit 77
        echo old > full/out.wav
        \"$1\" render long.wav full/out.wav --preset neutral.toml
        code=$?
        ls -A full
        cat full/out.wav
        exit $code";
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_headroom"),
        ])
        .current_dir(place.path("."))
        .output();
    let Ok(output) = output else {
        return eprintln!("skipped: no `unshare` here");
    };
    let error = String::from_utf8(output.stderr).unwrap();
    if output.status.code() == Some(77) || error.starts_with("unshare:") {
        return eprintln!("skipped: no mount of our own here: {error}");
    }
    assert_eq!(
        error,
        "headroom: cannot write the audio file: full/out.wav: no space left on device\n"
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "out.wav\nold\n");
}
