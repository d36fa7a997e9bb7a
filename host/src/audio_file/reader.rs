//! The one door to audio files of any kind.

use std::io;
use std::path::{Path, PathBuf};

use super::byte_source::{ByteSource, Header};
use super::decoded::Decoded;
use super::error::ReadError;
use super::wave::Wave;
use super::wave_header::{self, Found, HeaderError};
use super::{MAX_CHANNELS, SAMPLE_RATES_HZ};

/// How standard input is named in messages.
pub const STDIN_NAME: &str = "standard input";

/// An audio file that is read from its first frame to its last, of any length.
///
/// ```ignore
/// let mut reader = Reader::open(Path::new("song.flac"))?;
/// let mut left = vec![0.0; 512];
/// let mut right = vec![0.0; 512];
/// while reader.read(&mut [&mut left, &mut right])? > 0 {}
/// ```
pub struct Reader {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Wave(Wave),
    Decoded(Box<Decoded>),
}

impl Reader {
    /// `[main]` Opens `path` and reads its header. `-` is no special name here: see [`Reader::stdin`].
    ///
    /// # Errors
    /// No such file, not audio, a header that makes no sense, fewer frames than the header promises, other
    /// than 1 or 2 channels, a rate outside [`SAMPLE_RATES_HZ`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::new(path, ByteSource::open(path)?)
    }

    /// `[main]` The same for standard input, whose length may be unknown.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn stdin() -> Result<Self, ReadError> {
        Self::new(
            Path::new(STDIN_NAME),
            ByteSource::Stream(Box::new(io::stdin())),
        )
    }

    pub(super) fn new(path: &Path, source: ByteSource) -> Result<Self, ReadError> {
        let mut header = Header::new(source);
        let found = wave_header::read(&mut header).map_err(|error| match error {
            HeaderError::Io(source) => ReadError::Io {
                path: path.to_owned(),
                source,
            },
            HeaderError::Malformed(detail) => ReadError::Malformed {
                path: path.to_owned(),
                detail,
            },
        })?;
        let kind = match found {
            Found::Wave(wave) => {
                check(path, wave.channels, wave.sample_rate_hz)?;
                Kind::Wave(Wave::new(path, header, wave)?)
            }
            Found::Other => {
                let start = header.into_start().map_err(|source| ReadError::Io {
                    path: path.to_owned(),
                    source,
                })?;
                let Some(start) = start else {
                    let detail =
                        "expected its `fmt ` chunk within the first 1 MiB of a pipe".to_owned();
                    return Err(ReadError::Malformed {
                        path: path.to_owned(),
                        detail,
                    });
                };
                let decoded = Decoded::new(path, start)?;
                check(path, decoded.channels(), decoded.sample_rate_hz())?;
                Kind::Decoded(Box::new(decoded))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            kind,
        })
    }

    /// The file, or [`STDIN_NAME`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// 1 or 2.
    pub fn channels(&self) -> usize {
        match &self.kind {
            Kind::Wave(wave) => wave.channels(),
            Kind::Decoded(decoded) => decoded.channels(),
        }
    }

    /// In Hz, within [`SAMPLE_RATES_HZ`].
    pub fn sample_rate_hz(&self) -> u32 {
        match &self.kind {
            Kind::Wave(wave) => wave.sample_rate_hz(),
            Kind::Decoded(decoded) => decoded.sample_rate_hz(),
        }
    }

    /// How many frames there are; unknown for a pipe and for some compressed files, exact for WAV and FLAC.
    pub fn length_frames(&self) -> Option<u64> {
        match &self.kind {
            Kind::Wave(wave) => wave.length_frames(),
            Kind::Decoded(decoded) => decoded.length_frames(),
        }
    }

    /// Packets of an MP3 or OGG file that could not be decoded and became silence of the same length.
    pub fn damaged_packets(&self) -> u64 {
        match &self.kind {
            Kind::Wave(_) => 0,
            Kind::Decoded(decoded) => decoded.damaged_packets(),
        }
    }

    /// `[main]` Fills one slice for each channel of the file with the next frames, as many as the shortest
    /// slice holds unless the file ends, and returns how many; 0 only at the end (or for empty slices).
    ///
    /// # Errors
    /// The file is shorter than its header says, its audio is damaged, or the system fails. After an error
    /// the reader gives nothing sensible any more.
    pub fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        debug_assert_eq!(channels.len(), self.channels());
        match &mut self.kind {
            Kind::Wave(wave) => wave.read(channels),
            Kind::Decoded(decoded) => decoded.read(channels),
        }
    }
}

fn check(path: &Path, channels: usize, sample_rate_hz: u32) -> Result<(), ReadError> {
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(ReadError::Channels {
            path: path.to_owned(),
            channels,
        });
    }
    if !SAMPLE_RATES_HZ.contains(&sample_rate_hz) {
        return Err(ReadError::SampleRate {
            path: path.to_owned(),
            sample_rate_hz,
        });
    }
    Ok(())
}
