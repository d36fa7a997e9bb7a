//! Frames out of a compressed file, or out of one in a container that is not read here, by symphonia.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Once;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::byte_source::ByteSource;
use super::error::ReadError;

/// A lossy stream may end this many frames early: its stated length is the encoder's count of whole packets.
const LOSSY_SLACK_FRAMES: u64 = 2 * 1_152;

/// A file behind a decoder.
pub(super) struct Decoded {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    channels: usize,
    sample_rate_hz: u32,
    length_frames: Option<u64>,
    lossless: bool,
    /// The packet that is being handed out, interleaved, and how far.
    pending: Vec<f32>,
    pending_from: usize,
    read_frames: u64,
    damaged_packets: u64,
    sound_packets: u64,
}

impl Decoded {
    /// `[main]` Finds out what `source` is and opens its first track of audio.
    pub(super) fn new(path: &Path, source: ByteSource) -> Result<Self, ReadError> {
        let source: Box<dyn MediaSource> = match source {
            ByteSource::File(file) => Box::new(file),
            ByteSource::Stream(stream) => Box::new(ReadOnlySource::new(stream)),
        };
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
            hint.with_extension(extension);
        }
        let opened = contained(move || {
            let stream = MediaSourceStream::new(source, Default::default());
            let (formats, metadata) = (FormatOptions::default(), MetadataOptions::default());
            let format = symphonia::default::get_probe().probe(&hint, stream, formats, metadata)?;
            let Some(track) = format.default_track(TrackType::Audio).cloned() else {
                return Err(Error::Unsupported("no track of audio"));
            };
            let decoder = decoder_for(&track)?;
            Ok((format, track, decoder))
        });
        let (format, track, decoder) = opened.map_err(|failure| failure.while_opening(path))?;
        let parameters = decoder.codec_params();
        let channels = parameters
            .channels
            .as_ref()
            .map_or(0, |channels| channels.count());
        let sample_rate_hz = parameters.sample_rate.unwrap_or(0);
        let lossless = is_lossless(&*format);
        Ok(Self {
            path: path.to_owned(),
            track_id: track.id,
            channels,
            sample_rate_hz,
            length_frames: track.num_frames,
            lossless,
            format,
            decoder,
            pending: Vec::new(),
            pending_from: 0,
            read_frames: 0,
            damaged_packets: 0,
            sound_packets: 0,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    pub(super) fn length_frames(&self) -> Option<u64> {
        self.length_frames
    }

    /// Packets of a lossy file that could not be decoded and became silence of the same length.
    pub(super) fn damaged_packets(&self) -> u64 {
        self.damaged_packets
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
            let waiting = (self.pending.len() - self.pending_from) / self.channels;
            if waiting == 0 {
                if !self.next_packet()? {
                    break;
                }
                continue;
            }
            let count = waiting.min(wanted - done);
            let frames = self.pending[self.pending_from..].chunks_exact(self.channels);
            for (at, frame) in frames.take(count).enumerate() {
                for (channel, sample) in channels.iter_mut().zip(frame) {
                    channel[done + at] = *sample;
                }
            }
            self.pending_from += count * self.channels;
            self.read_frames += count as u64;
            done += count;
        }
        Ok(done)
    }

    /// Decodes the next packet into `pending`; false at the end.
    fn next_packet(&mut self) -> Result<bool, ReadError> {
        self.pending.clear();
        self.pending_from = 0;
        loop {
            let next = contained(|| self.format.next_packet());
            let packet = match next {
                Ok(Some(packet)) if packet.track_id == self.track_id => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.at_end(),
                Err(Failure::Codec(Error::ResetRequired)) => {
                    self.follow_chain()?;
                    continue;
                }
                Err(Failure::Codec(Error::IoError(error)))
                    if error.kind() == std::io::ErrorKind::UnexpectedEof =>
                {
                    return self.at_end();
                }
                Err(failure) => return Err(self.damaged(failure)),
            };
            if self.decode(&packet)? {
                return Ok(true);
            }
        }
    }

    /// True when the packet gave frames.
    fn decode(&mut self, packet: &Packet) -> Result<bool, ReadError> {
        let (decoder, pending) = (&mut self.decoder, &mut self.pending);
        let layout = contained(|| {
            let buffer = decoder.decode(packet)?;
            pending.resize(buffer.samples_interleaved(), 0.0);
            buffer.copy_to_slice_interleaved(&mut *pending);
            Ok((buffer.spec().rate(), buffer.num_planes()))
        });
        match layout {
            Ok(layout)
                if layout != (self.sample_rate_hz, self.channels) && !self.pending.is_empty() =>
            {
                let detail = format!(
                    "the layout changes to {} channels at {} Hz: expected {} at {} Hz to the end",
                    layout.1, layout.0, self.channels, self.sample_rate_hz
                );
                Err(ReadError::Damaged {
                    path: self.path.clone(),
                    at_secs: self.at_secs(),
                    detail,
                })
            }
            Ok(_) => {
                self.sound_packets += 1;
                Ok(!self.pending.is_empty())
            }
            // A damaged packet of a lossy stream is silence of its length: the rest stays in its place.
            Err(Failure::Codec(Error::DecodeError(_) | Error::IoError(_))) if !self.lossless => {
                self.damaged_packets += 1;
                let frames = usize::try_from(packet.dur.get()).unwrap_or(0).min(1 << 16);
                self.pending.clear();
                self.pending.resize(frames * self.channels, 0.0);
                Ok(frames > 0)
            }
            Err(failure) => Err(self.damaged(failure)),
        }
    }

    /// An OGG file may be several, one after the other: go on when the layout stays.
    fn follow_chain(&mut self) -> Result<(), ReadError> {
        let format = &self.format;
        let next = contained(|| {
            let Some(track) = format.default_track(TrackType::Audio) else {
                return Err(Error::Unsupported("no track of audio"));
            };
            Ok((track.id, decoder_for(track)?))
        });
        (self.track_id, self.decoder) = next.map_err(|failure| self.damaged(failure))?;
        // The length that was known is that of the first link.
        self.length_frames = None;
        Ok(())
    }

    fn at_end(&self) -> Result<bool, ReadError> {
        if self.sound_packets == 0 && self.damaged_packets > 0 {
            return Err(self.damaged(Failure::Codec(Error::DecodeError(
                "no packet could be decoded",
            ))));
        }
        let slack_frames = if self.lossless { 0 } else { LOSSY_SLACK_FRAMES };
        match self.length_frames {
            Some(expected_frames) if self.read_frames + slack_frames < expected_frames => {
                Err(ReadError::Truncated {
                    path: self.path.clone(),
                    expected_frames,
                    found_frames: self.read_frames,
                })
            }
            _ => Ok(false),
        }
    }

    fn damaged(&self, failure: Failure) -> ReadError {
        match failure {
            Failure::Codec(Error::IoError(source))
                if source.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                ReadError::Io {
                    path: self.path.clone(),
                    source,
                }
            }
            failure => ReadError::Damaged {
                path: self.path.clone(),
                at_secs: self.at_secs(),
                detail: failure.to_string(),
            },
        }
    }

    fn at_secs(&self) -> f64 {
        self.read_frames as f64 / f64::from(self.sample_rate_hz.max(1))
    }
}

fn is_lossless(format: &dyn FormatReader) -> bool {
    matches!(format.format_info().short_name, "flac" | "wave" | "aiff")
}

fn decoder_for(track: &Track) -> Result<Box<dyn AudioDecoder>, Error> {
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(Error::Unsupported("a track without a known codec"));
    };
    symphonia::default::get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default())
}

/// What a decoder can do wrong.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Codec(#[from] Error),
    #[error("the decoder gave up")]
    Panic,
}

impl Failure {
    fn while_opening(self, path: &Path) -> ReadError {
        let path = path.to_owned();
        match self {
            Self::Codec(Error::IoError(source))
                if source.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                ReadError::Io { path, source }
            }
            Self::Codec(Error::IoError(_))
            | Self::Codec(Error::Unsupported("core (probe): no suitable format reader found")) => {
                ReadError::NotAudio { path }
            }
            failure => ReadError::Malformed {
                path,
                detail: failure.to_string(),
            },
        }
    }
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder on bytes that may be anything: a panic in it is an error here, and prints nothing.
fn contained<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                outer(info);
            }
        }));
    });
    CONTAINED.set(true);
    // After a panic the decoder is only dropped: every error but a damaged lossy packet ends the reading.
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    CONTAINED.set(false);
    match outcome {
        Ok(result) => Ok(result?),
        Err(_) => Err(Failure::Panic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_is_an_error_and_the_next_one_works() {
        let outcome = contained(|| -> Result<(), Error> { panic!("a decoder's mistake") });
        assert!(matches!(outcome, Err(Failure::Panic)));
        assert!(!CONTAINED.get(), "later panics would print nothing");
        assert!(contained(|| Ok(())).is_ok());
    }
}
