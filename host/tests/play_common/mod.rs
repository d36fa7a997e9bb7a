//! What the tests of `headroom play` share: a folder, files of sound, the program, its report.

#![allow(dead_code)] // each test binary uses its own part

#[cfg(feature = "jack")]
pub(crate) mod clients;
pub(crate) mod desk;
pub(crate) mod jackd;
#[cfg(feature = "jack")]
pub(crate) mod keys;
pub(crate) mod pipewire;
pub(crate) mod playing;
#[cfg(feature = "jack")]
pub(crate) mod wire;

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;

/// What speaks JACK: a server of JACK's, or PipeWire's door.
pub(crate) trait JackServer {
    /// Has a program find it, and no other.
    fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command;
}

/// `headroom play` without any audio system but those that a test starts itself.
pub(crate) fn play(folder: &Path, args: &[&str]) -> Command {
    headroom(folder, &[&["play"], args].concat())
}

/// `headroom` in a folder of its own, with no home, no sound server and no card to find.
pub(crate) fn headroom(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_RUNTIME_DIR", folder)
        .env("JACK_DEFAULT_SERVER", "headroom-test-none")
        .env("ALSA_CONFIG_PATH", "/dev/null")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("PULSE_SERVER")
        .env_remove("PIPEWIRE_REMOTE");
    command
}

/// Runs what must work and gives its report.
pub(crate) fn report(command: &mut Command) -> Value {
    report_of(&command.output().unwrap())
}

/// The report of a run that has ended well.
pub(crate) fn report_of(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        stderr(output)
    );
    last_object(output)
}

/// The JSON object that standard output ends with.
pub(crate) fn last_object(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no report: {}", stderr(output)));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sends a signal by its name, as `kill` does.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(status.unwrap().success(), "kill -{name}");
}

/// A stereo 16-bit WAV file: a sine at half of full scale.
pub(crate) fn sine(folder: &Path, sample_rate_hz: u32, frames: u32) -> PathBuf {
    let path = folder.join("sine.wav");
    let samples = (0..frames).flat_map(|frame| [sine_at(frame, sample_rate_hz); 2]);
    write_s16(&path, sample_rate_hz, samples);
    path
}

/// A frame of that sine.
pub(crate) fn sine_at(frame: u32, sample_rate_hz: u32) -> i16 {
    let phase = f64::from(frame) * 440.0 / f64::from(sample_rate_hz);
    (16_384.0 * (phase * std::f64::consts::TAU).sin()).round() as i16
}

/// A stereo 16-bit WAV file.
pub(crate) fn write_s16(path: &Path, sample_rate_hz: u32, samples: impl Iterator<Item = i16>) {
    let format = (16, hound::SampleFormat::Int);
    write_samples(path, sample_rate_hz, format, samples);
}

/// A stereo WAV file of so many bits a sample.
fn write_samples<S: hound::Sample>(
    path: &Path,
    sample_rate: u32,
    (bits_per_sample, sample_format): (u16, hound::SampleFormat),
    samples: impl Iterator<Item = S>,
) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate,
        bits_per_sample,
        sample_format,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    samples.for_each(|sample| file.write_sample(sample).unwrap());
    file.finalize().unwrap();
}

/// A rack that changes nothing.
pub(crate) fn neutral(folder: &Path) -> PathBuf {
    let path = folder.join("neutral.toml");
    std::fs::write(
        &path,
        "headroom = 1\nname = \"Neutral\"\n\n[[module]]\nkind = \"gain\"\n",
    )
    .unwrap();
    path
}

/// What holds for every report of a run, whatever the machine did meanwhile.
pub(crate) fn assert_real_time(report: &Value) {
    let thread = &report["audio_thread"];
    assert_eq!(thread["allocations"], 0, "{report}");
    assert_eq!(thread["deallocations"], 0, "{report}");
    assert_eq!(thread["major_faults"], 0, "{report}");
    assert!(thread["blocks"].as_u64().unwrap() > 0, "{report}");
    let times = &thread["block_ns"];
    let [p50, p99, max] = ["p50", "p99", "max"].map(|name| times[name].as_u64().unwrap());
    assert!(0 < p50 && p50 <= p99 && p99 <= max, "{report}");
    assert!(report["deadline_ns"].as_u64().unwrap() > 0, "{report}");
    assert!(
        report["realtime_factor"].as_f64().unwrap() > 0.0,
        "{report}"
    );
}

/// Noise at half of full scale, the sides different; loud and soft by turns, so that dynamics have work.
pub(crate) fn noise(frames: usize) -> Vec<[f32; 2]> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..frames)
        .map(|at| {
            let loud = if at % 24_000 < 12_000 { 1.0 } else { 0.05 };
            [random() * loud, random() * loud]
        })
        .collect()
}

/// How many lines say that the device is lost, and how many that it is back.
pub(crate) fn told(output: &Output) -> (usize, usize) {
    let said = stderr(output);
    let count = |what: &str| said.lines().filter(|line| line.contains(what)).count();
    (count("waiting for it"), count("is back after"))
}

/// A WAV file of 32-bit floats at 48 kHz.
pub(crate) fn write_wave(path: &Path, frames: &[[f32; 2]]) {
    let format = (32, hound::SampleFormat::Float);
    write_samples(path, 48_000, format, frames.iter().flatten().copied());
}

/// The samples of a WAV file of 32-bit floats.
pub(crate) fn read_wave(path: &Path) -> Vec<[f32; 2]> {
    let file = hound::WavReader::open(path).unwrap();
    let samples: Result<Vec<f32>, _> = file.into_samples().collect();
    samples.unwrap().as_chunks().0.to_vec()
}

/// What `headroom render` makes of these frames, with a short tail.
pub(crate) fn rendered(place: &Path, preset: &str, frames: &[[f32; 2]]) -> Vec<[f32; 2]> {
    write_wave(&place.join("in.wav"), frames);
    let args = [
        "render", "in.wav", "out.wav", "--preset", preset, "--tail", "0.1",
    ];
    let output = headroom(place, &args).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    read_wave(&place.join("out.wav"))
}
