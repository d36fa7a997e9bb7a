//! The headers of WAV (RIFF, RF64, BW64) and Wave64 files, as they are found.
//!
//! Sources: Microsoft's RIFF specification and `mmreg.h`; EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64);
//! Sonic Foundry's Wave64 description. Sizes are never believed: a length is held against what is there.

use std::io;

use super::byte_source::Header;
use super::samples::Encoding;

/// Programs that write WAV to a pipe leave a length near 2 or 4 GiB: the audio goes on to the end of the stream.
fn is_placeholder(size_bytes: u64) -> bool {
    (0x7fff_0000..=0x8000_0000).contains(&size_bytes)
        || (0xffff_0000..=0xffff_ffff).contains(&size_bytes)
}

/// A header, read up to the first byte of audio.
#[derive(Debug)]
pub(super) struct WaveHeader {
    pub(super) channels: usize,
    pub(super) sample_rate_hz: u32,
    pub(super) encoding: Encoding,
    /// Bytes of audio as the header states them; `None`: as many as there are.
    pub(super) data_bytes: Option<u64>,
    /// The stated length may be a placeholder, so that an earlier end is no damage.
    pub(super) may_end_early: bool,
}

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Found {
    /// WAV with plain samples.
    Wave(WaveHeader),
    /// Something else, or WAV with compressed samples: for the decoders.
    Other,
}

/// Why a header cannot be used.
#[derive(Debug)]
pub(super) enum HeaderError {
    Io(io::Error),
    Malformed(String),
}

impl From<io::Error> for HeaderError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return malformed("the header is cut short: expected a `fmt ` and a `data` chunk");
        }
        Self::Io(error)
    }
}

fn malformed(detail: impl Into<String>) -> HeaderError {
    HeaderError::Malformed(detail.into())
}

/// The last twelve bytes of every Wave64 chunk id but the first.
const WAVE64_CHUNK: [u8; 12] = [
    0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a,
];
/// The last twelve bytes of the id of the file itself.
const WAVE64_RIFF: [u8; 12] = [
    0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0x00, 0x00,
];

#[derive(Clone, Copy, PartialEq)]
enum Container {
    Riff,
    Rf64,
    Wave64,
}

/// `[main]` Reads the header of `file` up to its first byte of audio.
pub(super) fn read(file: &mut Header) -> Result<Found, HeaderError> {
    let marker: [u8; 4] = match file.next_bytes() {
        Ok(marker) => marker,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Found::Other),
        Err(error) => return Err(error.into()),
    };
    let container = match &marker {
        b"RIFF" => Container::Riff,
        b"RF64" | b"BW64" => Container::Rf64,
        b"riff" => Container::Wave64,
        _ => return Ok(Found::Other),
    };
    let mut riff_bytes = u32::MAX;
    if container == Container::Wave64 {
        if file.next_bytes()? != WAVE64_RIFF {
            return Ok(Found::Other);
        }
        file.skip(8)?;
        let form: [u8; 16] = file.next_bytes()?;
        if form[..4] != *b"wave" {
            return Err(malformed("expected Wave64 audio"));
        }
    } else {
        riff_bytes = u32::from_le_bytes(file.next_bytes()?);
        if file.next_bytes()? != *b"WAVE" {
            return Err(malformed("a RIFF file, but not WAVE: expected audio"));
        }
    }
    // A recorder that was cut off never came back to fill in the lengths.
    let unfinished = riff_bytes == 0 || riff_bytes == u32::MAX;
    chunks(file, container, unfinished)
}

fn chunks(file: &mut Header, container: Container, unfinished: bool) -> Result<Found, HeaderError> {
    let mut data_size_64 = None;
    let mut format = None;
    loop {
        let (id, size_bytes) = chunk_header(file, container)?;
        match &id {
            b"ds64" if container == Container::Rf64 && size_bytes >= 28 => {
                file.skip(8)?;
                data_size_64 = Some(u64::from_le_bytes(file.next_bytes()?));
                file.skip(padded(size_bytes - 16, container))?;
            }
            b"fmt " if format.is_none() => {
                if size_bytes < 16 {
                    return Err(malformed(format!(
                        "its `fmt ` chunk has {size_bytes} bytes: expected at least 16"
                    )));
                }
                let Some(found) = Format::read(file, size_bytes)? else {
                    return Ok(Found::Other);
                };
                format = Some(found);
                file.skip(padding(size_bytes, container))?;
                file.commit();
            }
            b"data" => {
                let Some(format) = format else {
                    return Err(malformed("no `fmt ` chunk before its `data` chunk"));
                };
                return format
                    .with_data(data_length(container, size_bytes, data_size_64, unfinished))
                    .map(Found::Wave);
            }
            _ => file.skip(padded(size_bytes, container))?,
        }
    }
}

fn chunk_header(file: &mut Header, container: Container) -> Result<([u8; 4], u64), HeaderError> {
    if container != Container::Wave64 {
        return Ok((
            file.next_bytes()?,
            u64::from(u32::from_le_bytes(file.next_bytes()?)),
        ));
    }
    let id = file.next_bytes()?;
    let rest: [u8; 12] = file.next_bytes()?;
    let size_bytes = u64::from_le_bytes(file.next_bytes()?);
    // A Wave64 chunk counts its own header of 24 bytes.
    let Some(size_bytes) = size_bytes.checked_sub(24) else {
        return Err(malformed("a Wave64 chunk is smaller than its own header"));
    };
    Ok(if rest == WAVE64_CHUNK {
        (id, size_bytes)
    } else {
        (*b"????", size_bytes)
    })
}

/// Chunks start at even bytes, in Wave64 at every eighth.
fn padding(size_bytes: u64, container: Container) -> u64 {
    let unit = if container == Container::Wave64 { 8 } else { 2 };
    size_bytes.wrapping_neg() % unit
}

fn padded(size_bytes: u64, container: Container) -> u64 {
    size_bytes.saturating_add(padding(size_bytes, container))
}

/// Bytes of audio, and whether an earlier end is fine.
fn data_length(
    container: Container,
    size_bytes: u64,
    size_64: Option<u64>,
    unfinished: bool,
) -> (Option<u64>, bool) {
    match container {
        Container::Wave64 => (Some(size_bytes), false),
        Container::Rf64 if size_bytes == u64::from(u32::MAX) => match size_64 {
            None | Some(0 | u64::MAX) => (None, true),
            known => (known, false),
        },
        _ if size_bytes == u64::from(u32::MAX) || (size_bytes == 0 && unfinished) => (None, true),
        _ => (Some(size_bytes), is_placeholder(size_bytes)),
    }
}

/// A `fmt ` chunk.
struct Format {
    tag: u16,
    channels: u16,
    sample_rate_hz: u32,
    frame_bytes: u16,
    bits: u16,
}

impl Format {
    /// `None`: the samples are compressed.
    fn read(file: &mut Header, size_bytes: u64) -> Result<Option<Self>, HeaderError> {
        let mut tag = u16::from_le_bytes(file.next_bytes()?);
        let channels = u16::from_le_bytes(file.next_bytes()?);
        let sample_rate_hz = u32::from_le_bytes(file.next_bytes()?);
        file.skip(4)?;
        let frame_bytes = u16::from_le_bytes(file.next_bytes()?);
        let bits = u16::from_le_bytes(file.next_bytes()?);
        let mut left_bytes = size_bytes - 16;
        const EXTENSIBLE: u16 = 0xfffe;
        if tag == EXTENSIBLE {
            if left_bytes < 24 {
                return Err(malformed(
                    "its extensible `fmt ` chunk is too short: expected 40 bytes",
                ));
            }
            // Size, valid bits, speakers; then the format's identity, whose first two bytes are its old tag.
            file.skip(8)?;
            tag = u16::from_le_bytes(file.next_bytes()?);
            file.skip(14)?;
            left_bytes -= 24;
        }
        if tag != TAG_INTEGER && tag != TAG_FLOAT {
            return Ok(None);
        }
        file.skip(left_bytes)?;
        Ok(Some(Self {
            tag,
            channels,
            sample_rate_hz,
            frame_bytes,
            bits,
        }))
    }

    fn with_data(
        self,
        (data_bytes, may_end_early): (Option<u64>, bool),
    ) -> Result<WaveHeader, HeaderError> {
        // Odd widths (12 or 20 bits) lie left-justified in the next whole byte.
        let encoding = match (self.tag, self.bits) {
            (TAG_INTEGER, 1..=8) => Encoding::U8,
            (TAG_INTEGER, 9..=16) => Encoding::S16,
            (TAG_INTEGER, 17..=24) => Encoding::S24,
            (TAG_INTEGER, 25..=32) => Encoding::S32,
            (TAG_FLOAT, 32) => Encoding::F32,
            (TAG_FLOAT, 64) => Encoding::F64,
            (TAG_FLOAT, bits) => {
                return Err(malformed(format!(
                    "float samples of {bits} bits: expected 32 or 64"
                )));
            }
            (_, bits) => {
                return Err(malformed(format!(
                    "samples of {bits} bits: expected 1 to 32"
                )));
            }
        };
        let channels = usize::from(self.channels);
        let expected_bytes = channels * encoding.bytes();
        // Channel counts that are refused anyway are reported as such by the reader.
        if (1..=2).contains(&channels) && usize::from(self.frame_bytes) != expected_bytes {
            return Err(malformed(format!(
                "frames of {} bytes: expected {expected_bytes}",
                self.frame_bytes
            )));
        }
        Ok(WaveHeader {
            channels,
            sample_rate_hz: self.sample_rate_hz,
            encoding,
            data_bytes,
            may_end_early,
        })
    }
}

const TAG_INTEGER: u16 = 1;
const TAG_FLOAT: u16 = 3;
