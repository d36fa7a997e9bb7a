//! WAV out: 32-bit float, or 24 and 16 bits with dither; RF64 from 4 GiB up.

use std::path::{Path, PathBuf};

use super::destination::Destination;
use super::dither::Dither;
use super::error::WriteError;

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// 32-bit float: every sample as it is, above full scale too.
    F32,
    /// 24-bit integers with triangular dither.
    S24,
    /// 16-bit integers with triangular dither.
    S16,
}

impl SampleFormat {
    fn bits(self) -> u16 {
        match self {
            Self::F32 => 32,
            Self::S24 => 24,
            Self::S16 => 16,
        }
    }
}

/// Where audio is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file; a pipe or a device under a path is written as a stream.
    File(PathBuf),
    /// Standard output.
    Stdout,
}

/// The layout of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// 1 or 2.
    pub channels: usize,
    /// In Hz.
    pub sample_rate_hz: u32,
    /// How samples are stored.
    pub format: SampleFormat,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Frames.
    pub frames: u64,
    /// Samples that were louder than an integer format can hold, and were cut at full scale.
    pub clipped_samples: u64,
}

/// The largest size that fits a plain WAV file: the one above it stands for "unknown".
pub(super) const MAX_RIFF_BYTES: u64 = u32::MAX as u64 - 1;

/// Bytes that are gathered before the system is asked to write.
const GATHER_BYTES: usize = 256 * 1024;

/// A WAV file in the making.
///
/// Until [`Writer::finish`] there is nothing under the final name but what was there before; a writer that is
/// dropped takes its unfinished file away.
pub struct Writer {
    pub(super) destination: Destination,
    pub(super) layout: Layout,
    pub(super) max_riff_bytes: u64,
    pub(super) dithers: Vec<Dither>,
    pub(super) gathered: Vec<u8>,
    pub(super) frames: u64,
}

impl Writer {
    /// `[main]` Starts a file at `target`, which must not be the file `source`. A stream gets
    /// `expected_frames` in its header when they are known; a file gets what was written.
    ///
    /// # Errors
    /// The folder is not there, the target is a folder or the source, the system refuses.
    pub fn create(
        target: &Target,
        source: Option<&Path>,
        layout: Layout,
        expected_frames: Option<u64>,
    ) -> Result<Self, WriteError> {
        let destination = match target {
            Target::File(path) => Destination::file(path, source)?,
            Target::Stdout => Destination::stdout(),
        };
        Self::with_limit(destination, layout, expected_frames, MAX_RIFF_BYTES)
    }

    /// The same with the size from which RF64 is written, so that tests need no 4 GiB.
    pub(super) fn with_limit(
        destination: Destination,
        layout: Layout,
        expected_frames: Option<u64>,
        max_riff_bytes: u64,
    ) -> Result<Self, WriteError> {
        let bits = u32::from(layout.format.bits());
        let dithers = match layout.format {
            SampleFormat::F32 => Vec::new(),
            _ => (0..layout.channels)
                .map(|channel| Dither::new(bits, channel))
                .collect(),
        };
        // A file's header is written over at the end; until then it says what a cut-off file should.
        let length = if destination.is_stream() {
            expected_frames
        } else {
            None
        };
        let mut gathered = Vec::with_capacity(GATHER_BYTES + 4096);
        gathered.extend(head(layout, length, max_riff_bytes));
        let mut writer = Self {
            destination,
            layout,
            max_riff_bytes,
            dithers,
            gathered,
            frames: 0,
        };
        // The first bytes go out now: a full disk or a closed pipe is found before the work is done.
        writer.flush()?;
        Ok(writer)
    }

    /// `[main]` Appends one slice for each channel, all of one length.
    ///
    /// # Errors
    /// The disk is full, the pipe is closed.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WriteError> {
        debug_assert_eq!(channels.len(), self.layout.channels);
        let frames = channels
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        for frame in 0..frames {
            for (index, channel) in channels.iter().enumerate() {
                let sample = channel[frame];
                match self.layout.format {
                    SampleFormat::F32 => self.gathered.extend_from_slice(&sample.to_le_bytes()),
                    SampleFormat::S24 => {
                        let [a, b, c, _] = self.dithers[index].quantise(sample).to_le_bytes();
                        self.gathered.extend_from_slice(&[a, b, c]);
                    }
                    SampleFormat::S16 => {
                        let [a, b, _, _] = self.dithers[index].quantise(sample).to_le_bytes();
                        self.gathered.extend_from_slice(&[a, b]);
                    }
                }
            }
            if self.gathered.len() >= GATHER_BYTES {
                self.flush()?;
            }
        }
        self.frames += frames as u64;
        Ok(())
    }

    /// `[main]` Completes the file, makes it last, and gives it its name.
    ///
    /// # Errors
    /// As [`Writer::write`]; then there is nothing new under the final name.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        self.pad();
        self.flush()?;
        let written = self.written();
        self.destination
            .finish(&head(self.layout, Some(self.frames), self.max_riff_bytes))?;
        Ok(written)
    }

    /// Chunks of RIFF end on even bytes.
    pub(super) fn pad(&mut self) {
        if data_bytes(self.layout, self.frames) % 2 == 1 {
            self.gathered.push(0);
        }
    }

    pub(super) fn written(&self) -> Written {
        Written {
            frames: self.frames,
            clipped_samples: self.dithers.iter().map(Dither::clipped_samples).sum(),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), WriteError> {
        self.destination.write(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

pub(super) fn frame_bytes(layout: Layout) -> u64 {
    layout.channels as u64 * u64::from(layout.format.bits() / 8)
}

fn data_bytes(layout: Layout, frames: u64) -> u64 {
    frames.saturating_mul(frame_bytes(layout))
}

/// The bytes before the audio; always as many for one format, so that they can be written over. `None`: the
/// length is unknown.
///
/// RIFF (Microsoft), with a JUNK chunk in the place where RF64 (EBU Tech 3306) has its 64-bit sizes.
pub(super) fn head(layout: Layout, frames: Option<u64>, max_riff_bytes: u64) -> Vec<u8> {
    let is_float = layout.format == SampleFormat::F32;
    let (tag, format_bytes): (u16, u32) = if is_float { (3, 18) } else { (1, 16) };
    // RIFF's id and size are not counted by its size.
    let rest_bytes =
        4 + (8 + 28) + (8 + u64::from(format_bytes)) + if is_float { 12 } else { 0 } + 8;
    let audio_bytes = frames.map(|frames| data_bytes(layout, frames));
    let riff_bytes =
        audio_bytes.map(|bytes| rest_bytes.saturating_add(bytes).saturating_add(bytes % 2));
    let is_large = riff_bytes.is_some_and(|bytes| bytes > max_riff_bytes);
    let short = |size: Option<u64>| match size {
        // It fits: the caller's limit is at most the largest plain size.
        Some(size) if !is_large => (size as u32).to_le_bytes(),
        _ => u32::MAX.to_le_bytes(),
    };

    let mut bytes = Vec::with_capacity(128);
    bytes.extend(if is_large { b"RF64" } else { b"RIFF" });
    bytes.extend(short(riff_bytes));
    bytes.extend(b"WAVE");
    bytes.extend(if is_large { b"ds64" } else { b"JUNK" });
    bytes.extend(28_u32.to_le_bytes());
    let sizes =
        [riff_bytes, audio_bytes, frames].map(|size| size.filter(|_| is_large).unwrap_or(0));
    bytes.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
    bytes.extend(0_u32.to_le_bytes());

    bytes.extend(b"fmt ");
    bytes.extend(format_bytes.to_le_bytes());
    bytes.extend(tag.to_le_bytes());
    bytes.extend((layout.channels as u16).to_le_bytes());
    bytes.extend(layout.sample_rate_hz.to_le_bytes());
    bytes.extend((layout.sample_rate_hz * frame_bytes(layout) as u32).to_le_bytes());
    bytes.extend((frame_bytes(layout) as u16).to_le_bytes());
    bytes.extend(layout.format.bits().to_le_bytes());
    if is_float {
        // What is not integer PCM says so with an empty extension and its length in frames.
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(b"fact");
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(short(frames));
    }
    bytes.extend(b"data");
    bytes.extend(short(audio_bytes));
    bytes
}
