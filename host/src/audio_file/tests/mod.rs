//! Claims about audio files.

mod damage;
mod decoded;
mod dithered;
#[cfg(target_os = "linux")]
mod mapped;
mod rates;
mod recording;
mod round_trip;
mod wave_files;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::byte_source::ByteSource;
use super::destination::Destination;
use super::error::ReadError;
use super::{Layout, Reader, SampleFormat, Target, Writer, Written};

/// A pseudo-random sequence that is the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// From -1 to 1.
    fn sample(&mut self) -> f32 {
        self.next() as f32 / 1_073_741_824.0 - 1.0
    }
}

fn noise(channels: usize, frames: usize) -> Vec<Vec<f32>> {
    let mut noise = Noise(7);
    (0..channels)
        .map(|_| (0..frames).map(|_| noise.sample()).collect())
        .collect()
}

fn layout(channels: usize, format: SampleFormat) -> Layout {
    Layout {
        channels,
        sample_rate_hz: 48_000,
        format,
    }
}

/// Writes `audio` in blocks of odd sizes.
fn write(writer: &mut Writer, audio: &[Vec<f32>]) {
    let mut sizes = [1_usize, 480, 64, 7, 2_000].iter().cycle();
    let frames = audio[0].len();
    let mut at = 0;
    while at < frames {
        let count = (*sizes.next().unwrap()).min(frames - at);
        let block: Vec<&[f32]> = audio
            .iter()
            .map(|channel| &channel[at..at + count])
            .collect();
        writer.write(&block).unwrap();
        at += count;
    }
}

fn write_file(path: &Path, layout: Layout, audio: &[Vec<f32>]) -> Written {
    let mut writer = Writer::create(&Target::File(path.to_owned()), None, layout, None).unwrap();
    write(&mut writer, audio);
    writer.finish().unwrap()
}

/// The same with another size from which RF64 is written.
fn write_file_with_limit(path: &Path, layout: Layout, audio: &[Vec<f32>], max_riff_bytes: u64) {
    let destination = Destination::file(path, None).unwrap();
    let mut writer = Writer::with_limit(destination, layout, None, max_riff_bytes).unwrap();
    write(&mut writer, audio);
    writer.finish().unwrap();
}

/// All frames of `reader`, in blocks of odd sizes.
fn read_all(reader: &mut Reader) -> Result<Vec<Vec<f32>>, ReadError> {
    let mut audio = vec![Vec::new(); reader.channels()];
    for size in [1_usize, 1_000, 333, 20_000].iter().cycle() {
        let mut block = vec![vec![f32::NAN; *size]; reader.channels()];
        let mut slices: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
        let count = reader.read(&mut slices)?;
        for (channel, block) in audio.iter_mut().zip(&block) {
            channel.extend_from_slice(&block[..count]);
        }
        if count == 0 {
            break;
        }
    }
    Ok(audio)
}

fn read_file(path: &Path) -> Result<Vec<Vec<f32>>, ReadError> {
    read_all(&mut Reader::open(path)?)
}

/// As if `bytes` came through a pipe.
fn piped(bytes: Vec<u8>) -> Result<Reader, ReadError> {
    Reader::new(
        Path::new("a pipe"),
        ByteSource::Stream(Box::new(Cursor::new(bytes))),
    )
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
