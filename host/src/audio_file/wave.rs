//! Frames out of a WAV file with plain samples, of any length.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::byte_source::{Header, Stream};
use super::error::ReadError;
use super::wave_header::WaveHeader;

/// Frames that are decoded in one go.
const CHUNK_FRAMES: usize = 16_384;

/// A WAV file behind its header.
pub(super) struct Wave {
    path: PathBuf,
    stream: Stream,
    header: WaveHeader,
    frame_bytes: usize,
    /// What the header or the file's length promises.
    length_frames: Option<u64>,
    read_frames: u64,
    bytes: Vec<u8>,
}

impl Wave {
    /// `[main]` Takes over `file`, which stands at its first byte of audio.
    pub(super) fn new(path: &Path, file: Header, header: WaveHeader) -> Result<Self, ReadError> {
        let frame_bytes = header.channels * header.encoding.bytes();
        let total_bytes = file.length_bytes().map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        let there_bytes = total_bytes.map(|total| total.saturating_sub(file.position()));
        let promised_frames = header.data_bytes.map(|bytes| bytes / frame_bytes as u64);
        let there_frames = there_bytes.map(|bytes| bytes / frame_bytes as u64);
        let length_frames = match (promised_frames, there_frames) {
            (Some(expected_frames), Some(found_frames)) if expected_frames > found_frames => {
                if !header.may_end_early {
                    return Err(ReadError::Truncated {
                        path: path.to_owned(),
                        expected_frames,
                        found_frames,
                    });
                }
                Some(found_frames)
            }
            (Some(promised), Some(_)) => Some(promised),
            (None, there) => there,
            // From a pipe a placeholder says nothing.
            (promised, None) => promised.filter(|_| !header.may_end_early),
        };
        Ok(Self {
            path: path.to_owned(),
            stream: file.into_rest(),
            header,
            frame_bytes,
            length_frames,
            read_frames: 0,
            bytes: vec![0; CHUNK_FRAMES * frame_bytes],
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.header.channels
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.header.sample_rate_hz
    }

    pub(super) fn length_frames(&self) -> Option<u64> {
        self.length_frames
    }

    /// Fills `channels` as far as there are frames; 0 at the end.
    pub(super) fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        let wanted = channels
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        let mut done = 0;
        while done < wanted {
            let left = self
                .length_frames
                .map_or(u64::MAX, |length| length - self.read_frames);
            let count = (wanted - done)
                .min(CHUNK_FRAMES)
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let bytes = &mut self.bytes[..count * self.frame_bytes];
            let found_bytes =
                read_fully(&mut self.stream, bytes).map_err(|source| ReadError::Io {
                    path: self.path.clone(),
                    source,
                })?;
            let found = found_bytes / self.frame_bytes;
            self.header
                .encoding
                .decode(&self.bytes[..found * self.frame_bytes], channels, done);
            done += found;
            self.read_frames += found as u64;
            if found < count {
                if let Some(expected_frames) = self.length_frames {
                    let found_frames = self.read_frames;
                    return Err(ReadError::Truncated {
                        path: self.path.clone(),
                        expected_frames,
                        found_frames,
                    });
                }
                break;
            }
            if count == 0 {
                break;
            }
        }
        Ok(done)
    }
}

/// Reads until `bytes` is full or the stream ends.
fn read_fully(stream: &mut Stream, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match stream.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
