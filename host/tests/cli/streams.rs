//! Standard input and output, pipes, and a program that is stopped.

use super::*;
use std::io::{Read, Write};
use std::process::Child;

fn spawn(place: &Place, args: &[&str]) -> Child {
    place
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs `headroom` with `input` through a pipe.
fn through(place: &Place, args: &[&str], input: Vec<u8>) -> Output {
    let mut child = spawn(place, args);
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        // A program that refuses its input closes the pipe.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn size_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn pipes_carry_the_same_sound_as_files() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    let samples = tone(2, 20_000);
    let input = wav_f32(2, 48_000, &samples);
    let output = through(
        &place,
        &[
            "render",
            "-",
            "-",
            "--preset",
            "neutral.toml",
            "--tail",
            "0",
            "--json",
        ],
        input,
    );
    assert!(output.status.success());
    assert!(samples_of(&output.stdout) == samples);
    // The length was known: the header says it.
    assert_eq!(size_at(&output.stdout, 4) as usize, output.stdout.len() - 8);
    let report: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(report["frames"], 20_000);
}

#[test]
fn a_pipe_without_a_length_is_rendered_to_its_end() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    let samples = tone(1, 20_001);
    let mut input = wav_f32(1, 48_000, &samples);
    for at in [4, 40] {
        input[at..at + 4].fill(0xff);
    }
    let output = through(
        &place,
        &[
            "render",
            "-",
            "-",
            "--preset",
            "neutral.toml",
            "--tail",
            "0",
        ],
        input,
    );
    assert!(output.status.success());
    assert!(samples_of(&output.stdout) == samples);
    // What cannot be known is marked as other tools do.
    let data = output
        .stdout
        .windows(4)
        .position(|window| window == b"data")
        .unwrap();
    assert_eq!(
        (
            size_at(&output.stdout, 4),
            size_at(&output.stdout, data + 4)
        ),
        (u32::MAX, u32::MAX)
    );
}

#[test]
fn a_pipe_that_breaks_off_fails_and_leaves_no_file() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    let mut input = wav_f32(2, 48_000, &tone(2, 20_000));
    input.truncate(input.len() / 2);
    let before = names_below(place.0.path());
    let output = through(
        &place,
        &["render", "-", "out.wav", "--preset", "neutral.toml"],
        input,
    );
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with(
            "headroom: truncated audio file: standard input: expected 20000 frames, found "
        ),
        "{error}"
    );
    assert_eq!(names_below(place.0.path()), before);
}

#[test]
fn a_compressed_file_comes_through_a_pipe() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    let input =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/noise.flac")).unwrap();
    let output = through(
        &place,
        &[
            "render",
            "-",
            "-",
            "--preset",
            "neutral.toml",
            "--tail",
            "0",
        ],
        input,
    );
    assert_eq!(samples_of(&output.stdout).len(), 2 * 3_000);
}

/// Stops `child` as Ctrl-C does.
#[cfg(unix)]
fn interrupt(child: &Child) {
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
#[cfg(unix)]
fn a_stopped_render_leaves_nothing_and_keeps_what_was_there() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    place.write("out.wav", "old");
    let before = names_below(place.0.path());
    let mut child = spawn(
        &place,
        &["render", "-", "out.wav", "--preset", "neutral.toml"],
    );
    // It waits for more input, which never comes.
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(&wav_f32(2, 48_000, &tone(2, 40_000))[..200_000])
        .unwrap();
    let waiting = std::time::Instant::now();
    while names_below(place.0.path()) == before {
        assert!(waiting.elapsed().as_secs() < 30, "no unfinished file");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names_below(place.0.path()), before);
    assert_eq!(fs::read(place.path("out.wav")).unwrap(), b"old");
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_ends_the_render() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    place.write("in.wav", wav_f32(2, 48_000, &tone(2, 1_000_000)));
    let mut child = spawn(
        &place,
        &["render", "in.wav", "-", "--preset", "neutral.toml"],
    );
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        error,
        "headroom: cannot write the audio file: standard output: broken pipe\n"
    );
}
