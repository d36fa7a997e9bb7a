//! What the program `headroom` says, writes and refuses, run as users run it.

#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/lists.rs"]
mod lists;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/rendering.rs"]
mod rendering;
#[path = "cli/streams.rs"]
mod streams;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A rack that changes nothing.
const NEUTRAL: &str = "headroom = 1\nname = \"Neutral\"\n\n[[module]]\nkind = \"gain\"\n";

/// An empty folder, with a home of its own so that no preset of the user's gets in.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// `headroom` in this folder.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
        command
            .args(args)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs what must work, and gives what it printed.
    fn succeed(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what must fail with the exit code 1, one line on standard error and nothing else, and leave the
    /// folder as it was. Gives the line.
    fn fail(&self, args: &[&str]) -> String {
        let before = names_below(self.0.path());
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            output.stdout.is_empty(),
            "{args:?} printed {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.starts_with("headroom: ") && text.ends_with('\n'),
            "{args:?}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
        assert!(!text.contains("panicked"), "{args:?}: {text}");
        assert_eq!(
            names_below(self.0.path()),
            before,
            "{args:?} left something"
        );
        text.trim_end().to_owned()
    }
}

fn names_below(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    names
}

/// A WAV file of 16-bit samples.
fn wav_s16(channels: u16, sample_rate_hz: u32, interleaved: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = interleaved
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    wav(1, 16, channels, sample_rate_hz, &data)
}

/// A WAV file of float samples.
fn wav_f32(channels: u16, sample_rate_hz: u32, interleaved: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = interleaved
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    wav(3, 32, channels, sample_rate_hz, &data)
}

fn wav(tag: u16, bits: u16, channels: u16, sample_rate_hz: u32, data: &[u8]) -> Vec<u8> {
    let frame_bytes = channels * bits / 8;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0");
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(sample_rate_hz.to_le_bytes());
    bytes.extend(
        sample_rate_hz
            .wrapping_mul(u32::from(frame_bytes))
            .to_le_bytes(),
    );
    bytes.extend(frame_bytes.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// A decaying tone with a little noise: `frames` frames of `channels` channels, interleaved.
fn tone(channels: usize, frames: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut samples = Vec::with_capacity(frames * channels);
    for frame in 0..frames {
        let phase = frame as f32 * 0.0576;
        for channel in 0..channels {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / 16_777_216.0 - 0.5;
            samples.push(0.4 * (phase * (1 + channel) as f32).sin() + 0.05 * noise);
        }
    }
    samples
}

/// The samples of a float WAV file that `headroom render` wrote, interleaved.
fn samples_of(bytes: &[u8]) -> Vec<f32> {
    let at = bytes
        .windows(4)
        .position(|window| window == b"data")
        .unwrap()
        + 8;
    bytes[at..]
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}
