//! `headroom play --record`, and the signals of a panic, on the clock without a device: exact frames, whole
//! files, and what is left when the disk is full or the program is killed.

mod play_common;

use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
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
use play_common::write_s16;

/// Frames of the fade that ends every programme, at 48 kHz.
const FADE_FRAMES: usize = 1_440;
/// A stereo frame of 32-bit floats.
const FRAME_BYTES: usize = 8;

/// A stereo file at 48 kHz whose frames are all different, with no silence in it.
fn noise(folder: &Path, frames: u32) {
    let mut state = 1_u64;
    let samples = (0..frames * 2).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as i16 / 2) | 1
    });
    write_s16(&folder.join("noise.wav"), 48_000, samples);
}

/// The samples of a file as `headroom render` of a neutral rack writes them: 32-bit floats.
fn audio(folder: &Path, name: &str) -> Vec<u8> {
    neutral(folder);
    let out = folder.join("read-back.wav");
    report(&mut headroom(
        folder,
        &[
            "render",
            name,
            "read-back.wav",
            "--preset",
            "neutral.toml",
            "--tail",
            "0",
            "--json",
        ],
    ));
    data(&std::fs::read(out).unwrap()).to_vec()
}

/// What stands in the chunk `data`.
fn data(bytes: &[u8]) -> &[u8] {
    let at = bytes.windows(4).position(|name| name == b"data").unwrap();
    let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
    &bytes[at + 8..at + 8 + size as usize]
}

fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_recording_is_the_render_of_its_input_to_the_bit_and_the_dry_file_is_the_input() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    noise(folder, 60_000);
    for (format, frame_bytes) in [("f32", 8), ("s24", 6), ("s16", 4)] {
        let take = format!("take-{format}.wav");
        let report = report(&mut play(
            folder,
            &[
                "--backend",
                "null",
                "--input",
                "noise.wav",
                "--preset",
                "voice",
                "--record",
                &take,
                "--record-dry",
                &format!("dry-{format}.wav"),
                "--record-format",
                format,
                "--seconds",
                "1",
                "--json",
            ],
        ));
        assert_eq!(report["frames"], 48_000);
        let recording = &report["recording"];
        assert_eq!(recording["file"], take.as_str());
        assert_eq!(recording["frames"], 48_000);
        assert_eq!(recording["dry"]["frames"], 48_000);
        assert_eq!(recording["dropped_frames"], 0);
        assert!(recording["error"].is_null(), "{report}");
        assert_real_time(&report);

        let render = |preset: &str, out: &str| {
            let args = [
                "render",
                "noise.wav",
                out,
                "--preset",
                preset,
                "--format",
                format,
                "--json",
            ];
            play_common::report(&mut headroom(folder, &args));
            data(&std::fs::read(folder.join(out)).unwrap()).to_vec()
        };
        neutral(folder);
        let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let until_fade = (48_000 - FADE_FRAMES) * frame_bytes;
        let (wet, rendered) = (bytes(&take), render("voice", "rendered.wav"));
        assert_eq!(data(&wet).len(), 48_000 * frame_bytes);
        assert!(
            data(&wet)[..until_fade] == rendered[..until_fade],
            "{format}"
        );
        let (dry, input) = (
            bytes(&format!("dry-{format}.wav")),
            render("neutral.toml", "input.wav"),
        );
        assert!(data(&dry) == &input[..48_000 * frame_bytes], "{format}");
    }
    let left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Runs it where the folder `disk` is a file system of its own that holds 700 kB.
#[cfg(target_os = "linux")]
fn on_a_small_disk(folder: &Path, args: &[&str]) -> Output {
    std::fs::create_dir(folder.join("disk")).unwrap();
    std::fs::create_dir(folder.join("kept")).unwrap();
    let plain = play(folder, args);
    // A namespace of its own: what is mounted in it is gone with it.
    let script = "mount -t tmpfs -o size=700k tmpfs disk || exit 99; \
                  \"$0\" \"$@\"; code=$?; cp -a disk/. kept/; exit $code";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]);
    command.arg(plain.get_program()).args(plain.get_args());
    command.current_dir(folder).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    assert_ne!(
        output.status.code(),
        Some(99),
        "this test needs to mount a tmpfs in a namespace of its own (unshare --mount --map-root-user): {}",
        stderr(&output)
    );
    output
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_recording_as_a_whole_file_and_the_sound_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    noise(folder, 200_000);
    neutral(folder);
    let output = on_a_small_disk(
        folder,
        &[
            "--backend",
            "null",
            "--input",
            "noise.wav",
            "--preset",
            "neutral.toml",
            "--record",
            "disk/take.wav",
            "--record-dry",
            "dry.wav",
            "--seconds",
            "3",
            "--json",
        ],
    );
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    // What the rights are like in there is told too.
    let about = said.lines().filter(|line| line.contains("recording"));
    assert_eq!(about.count(), 1, "{said}");
    for part in ["ended early", "no space left", "take-cut-short.wav"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    let report = last_object(&output);
    assert_eq!(report["frames"], 144_000, "it plays to its end");
    let recording = &report["recording"];
    assert_eq!(recording["file"], "disk/take-cut-short.wav");
    assert!(
        recording["error"]
            .as_str()
            .unwrap()
            .contains("no space left")
    );
    assert_eq!(recording["dry"]["frames"], 144_000);
    assert_real_time(&report);

    // A whole file, under that name only, of what fitted: to the bit.
    let names: Vec<_> = std::fs::read_dir(folder.join("kept"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["take-cut-short.wav"]);
    let kept = audio(folder, "kept/take-cut-short.wav");
    let frames = recording["frames"].as_u64().unwrap() as usize;
    assert_eq!(kept.len(), frames * FRAME_BYTES);
    assert!(
        (600_000..=700 * 1024).contains(&kept.len()),
        "{frames} frames"
    );
    assert!(kept[..] == audio(folder, "dry.wav")[..kept.len()]);
}

#[test]
fn a_killed_program_leaves_a_file_that_opens_and_keeps_its_place() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    noise(folder, 400_000);
    neutral(folder);
    let args = [
        "--backend",
        "null",
        "--input",
        "noise.wav",
        "--preset",
        "neutral.toml",
        "--record",
        "take.wav",
    ];
    let mut child = start(&mut play(folder, &args));
    let part = folder.join("take.wav.part");
    // The header is made true every two seconds.
    let length = || {
        let bytes = std::fs::read(&part).unwrap_or_default();
        bytes
            .windows(4)
            .position(|name| name == b"data")
            .map_or(0, |at| {
                let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
                if size == u32::MAX { 0 } else { size }
            })
    };
    let began = Instant::now();
    while length() == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "no true header");
        std::thread::sleep(Duration::from_millis(50));
    }
    signal(&child, "KILL");
    child.wait().unwrap();
    assert!(!folder.join("take.wav").exists());
    let recovered = audio(folder, "take.wav.part");
    assert!(
        recovered.len() >= 48_000 * FRAME_BYTES,
        "{}",
        recovered.len()
    );
    assert!(recovered[..] == audio(folder, "noise.wav")[..recovered.len()]);

    // The next recording of that name does not touch it.
    let before = std::fs::read(&part).unwrap();
    let args = [&args[..], &["--seconds", "0.2", "--json"]].concat();
    assert_eq!(
        report(&mut play(folder, &args))["recording"]["file"],
        "take.wav"
    );
    assert!(std::fs::read(&part).unwrap() == before);
    assert_eq!(audio(folder, "take.wav").len(), 9_600 * FRAME_BYTES);
}

#[cfg(unix)]
#[test]
fn sigusr1_silences_until_sigusr2_and_the_programme_goes_on_beneath() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    noise(folder, 200_000);
    neutral(folder);
    let child = start(&mut play(
        folder,
        &[
            "--backend",
            "null",
            "--input",
            "noise.wav",
            "--preset",
            "neutral.toml",
            "--record",
            "take.wav",
            "--record-dry",
            "dry.wav",
            "--seconds",
            "2.5",
            "--json",
        ],
    ));
    std::thread::sleep(Duration::from_millis(900));
    signal(&child, "USR1");
    // Twice is no release.
    std::thread::sleep(Duration::from_millis(100));
    signal(&child, "USR1");
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "USR2");
    let output = child.wait_with_output().unwrap();
    let report = report_of(&output);
    assert_eq!(report["frames"], 120_000);
    assert_real_time(&report);
    let said = stderr(&output);
    for line in ["panic: silence", "panic is over"] {
        assert!(said.contains(line), "{said}");
    }
    let (wet, dry) = (audio(folder, "take.wav"), audio(folder, "dry.wav"));
    let is_silent = |frame: &[u8]| frame == [0; FRAME_BYTES];
    let frames: Vec<_> = wet.chunks_exact(FRAME_BYTES).collect();
    let silent: Vec<usize> = (0..frames.len())
        .filter(|&at| is_silent(frames[at]))
        .collect();
    let (first, last) = (
        silent[0],
        *silent.iter().rfind(|&&at| at < 110_000).unwrap(),
    );
    assert!(
        (12_000..96_000).contains(&(last - first)),
        "{first} to {last}"
    );
    assert!(silent.iter().filter(|&&at| at < 110_000).count() > (last - first) * 99 / 100);
    // Before, to the bit; and sound again after 20 ms.
    assert!(wet[..(first - 300) * FRAME_BYTES] == dry[..(first - 300) * FRAME_BYTES]);
    let back = (last + 1_000) * FRAME_BYTES..110_000 * FRAME_BYTES;
    assert!(wet[back.clone()] == dry[back]);
    assert!(!dry.chunks_exact(FRAME_BYTES).any(is_silent));
}

#[cfg(target_os = "linux")]
#[test]
fn keys_record_into_a_new_file_and_panic() {
    use std::io::Read;
    use std::io::Write;

    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    sine(folder, 48_000, 48_000);
    let line = format!(
        "{} play --fresh --backend null --input sine.wav --loop --tempo 92.5",
        env!("CARGO_BIN_EXE_headroom")
    );
    // `script` (util-linux) lends a terminal.
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs the program `script`: install the package `bsdutils`");
    // Read all the while: a terminal that takes nothing more holds up the panel.
    let mut out = child.stdout.take().unwrap();
    let screen = std::thread::spawn(move || {
        let mut screen = String::new();
        out.read_to_string(&mut screen).unwrap();
        screen
    });
    let mut keys = child.stdin.take().unwrap();
    for key in [&b"r"[..], b"p", b"p", b"r", b"q"] {
        std::thread::sleep(Duration::from_millis(600));
        keys.write_all(key).unwrap();
    }
    let screen = screen.join().unwrap();
    assert!(child.wait().unwrap().success(), "{screen}");
    for shown in [
        "REC 0:00.",
        "PANIC",
        "  92.5 bpm",
        "r stop recording",
        "p let sound in",
        "recording into",
        "s into ",
    ] {
        assert!(screen.contains(shown), "no {shown} in {screen}");
    }
    let takes: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("headroom "))
        .collect();
    assert_eq!(takes.len(), 1, "{takes:?}");
    assert!(takes[0].ends_with(".wav"), "{takes:?}");
    let frames = audio(folder, &takes[0]).len() / FRAME_BYTES;
    assert!((60_000..150_000).contains(&frames), "{frames}");
}

#[test]
fn every_bad_recording_is_one_line_before_anything_plays() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    sine(folder, 48_000, 4_800);
    let bad: &[(&[&str], &[&str])] = &[
        (
            &["--record", "sine.wav"],
            &["there is a file already", "sine.wav", "expected a new name"],
        ),
        (
            &["--record", "missing/take.wav"],
            &["no such folder", "missing", "take.wav"],
        ),
        (&["--record", "."], &["expected a file, found a folder"]),
        (
            &["--record", "take.flac"],
            &["`--record`", "take.flac", ".wav"],
        ),
        (
            &["--record", "a.wav", "--record-dry", "a.wav"],
            &["`--record-dry` is a.wav", "another file"],
        ),
        (
            &["--record", "a.wav", "--record-dry", "b.mp3"],
            &["`--record-dry`", "b.mp3"],
        ),
        (&["--record", "/dev/full"], &["/dev/full", "no space left"]),
    ];
    for (args, expected) in bad {
        let args = [
            &[
                "--backend",
                "null",
                "--input",
                "sine.wav",
                "--seconds",
                "0.1",
            ],
            *args,
        ]
        .concat();
        let output = play(folder, &args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
        for part in *expected {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
    let alone = play(folder, &["--record-dry", "b.wav"]).output().unwrap();
    assert!(!alone.status.success());
    assert!(
        stderr(&alone).contains("--record <FILE>"),
        "{}",
        stderr(&alone)
    );
    let left = ["a.wav.part", "a.wav", "take.flac"];
    assert!(left.iter().all(|name| !folder.join(name).exists()));
}
