//! A file's frames at another rate.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use super::error::ReadError;
use super::reader::Reader;

/// Frames that go into the converter at once, at least: the more, the steeper its filter.
const MIN_CHUNK_FRAMES: usize = 1_024;

/// Frames that go in at once: whole periods of the two rates, and an even number of frames on both sides, as
/// the converter is half a chunk late and counts that in whole frames.
fn chunk_frames(from_hz: usize, to_hz: usize) -> usize {
    let divisor = greatest_common_divisor(from_hz, to_hz);
    let (period_in, period_out) = (from_hz / divisor, to_hz / divisor);
    let periods = MIN_CHUNK_FRAMES.div_ceil(period_in);
    let is_odd = periods * period_in % 2 == 1 || periods * period_out % 2 == 1;
    period_in * (periods + usize::from(is_odd))
}

fn greatest_common_divisor(one: usize, other: usize) -> usize {
    if other == 0 {
        one
    } else {
        greatest_common_divisor(other, one % other)
    }
}

/// A [`Reader`] whose frames come out at a rate that is not the file's; the file's own when they agree.
///
/// The first frame is the file's first: the converter's delay is taken off, and the length is the file's,
/// to the nearest frame above.
pub struct Resampled {
    reader: Reader,
    converter: Option<Converter>,
    sample_rate_hz: u32,
}

struct Converter {
    resampler: Fft<f32>,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    /// What of `output` is still to be handed out.
    ready: std::ops::Range<usize>,
    /// Frames of the converter's delay that are still to be dropped.
    drop_frames: usize,
    taken_frames: u64,
    given_frames: u64,
    ended: bool,
}

impl Resampled {
    /// `[main]` Gives the frames of `reader` at `sample_rate_hz`.
    ///
    /// # Errors
    /// `sample_rate_hz` is outside [`SAMPLE_RATES_HZ`](super::SAMPLE_RATES_HZ).
    pub fn new(reader: Reader, sample_rate_hz: u32) -> Result<Self, ReadError> {
        let path = reader.path().to_owned();
        if !super::SAMPLE_RATES_HZ.contains(&sample_rate_hz) {
            return Err(ReadError::SampleRate {
                path,
                sample_rate_hz,
            });
        }
        if reader.sample_rate_hz() == sample_rate_hz {
            return Ok(Self {
                reader,
                converter: None,
                sample_rate_hz,
            });
        }
        let (from, to) = (reader.sample_rate_hz() as usize, sample_rate_hz as usize);
        let channels = reader.channels();
        let resampler = Fft::<f32>::new_custom(
            from,
            to,
            chunk_frames(from, to),
            1,
            channels,
            rubato::WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )
        .map_err(|error| ReadError::Malformed {
            path,
            detail: format!("no conversion from {from} Hz to {to} Hz: {error}"),
        })?;
        let converter = Converter {
            input: vec![vec![0.0; resampler.input_frames_max()]; channels],
            output: vec![vec![0.0; resampler.output_frames_max()]; channels],
            ready: 0..0,
            drop_frames: resampler.output_delay(),
            taken_frames: 0,
            given_frames: 0,
            ended: false,
            resampler,
        };
        Ok(Self {
            reader,
            converter: Some(converter),
            sample_rate_hz,
        })
    }

    /// The file that is read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The rate of what [`Resampled::read`] gives, in Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// How many frames there are at this rate, if the file tells.
    pub fn length_frames(&self) -> Option<u64> {
        self.reader
            .length_frames()
            .map(|frames| self.scaled(frames))
    }

    /// `[main]` As [`Reader::read`], at this rate. Belongs on a reader thread: it reads files and may allocate.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        let Some(converter) = &mut self.converter else {
            return self.reader.read(channels);
        };
        let wanted = channels
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        let mut done = 0;
        while done < wanted {
            if converter.ready.is_empty() {
                if converter.ended || !converter.refill(&mut self.reader, self.sample_rate_hz)? {
                    break;
                }
                continue;
            }
            let count = converter.ready.len().min(wanted - done);
            let from = converter.ready.start;
            for (channel, output) in channels.iter_mut().zip(&converter.output) {
                channel[done..done + count].copy_from_slice(&output[from..from + count]);
            }
            converter.ready.start += count;
            done += count;
        }
        Ok(done)
    }

    fn scaled(&self, frames: u64) -> u64 {
        scaled(frames, self.reader.sample_rate_hz(), self.sample_rate_hz)
    }
}

/// `frames` at one rate in frames of another, rounded up.
fn scaled(frames: u64, from_hz: u32, to_hz: u32) -> u64 {
    let exact = u128::from(frames) * u128::from(to_hz);
    u64::try_from(exact.div_ceil(u128::from(from_hz))).unwrap_or(u64::MAX)
}

impl Converter {
    /// Converts the next chunk; false when everything was given.
    fn refill(&mut self, reader: &mut Reader, sample_rate_hz: u32) -> Result<bool, ReadError> {
        let wanted = self.resampler.input_frames_next();
        let mut filled = 0;
        while filled < wanted {
            let mut rest: Vec<&mut [f32]> = self
                .input
                .iter_mut()
                .map(|channel| &mut channel[filled..wanted])
                .collect();
            let count = reader.read(&mut rest)?;
            if count == 0 {
                break;
            }
            filled += count;
        }
        self.taken_frames += filled as u64;
        let owed =
            scaled(self.taken_frames, reader.sample_rate_hz(), sample_rate_hz) - self.given_frames;
        if filled < wanted && owed == 0 {
            self.ended = true;
            return Ok(false);
        }
        let failed = |detail: String| ReadError::Malformed {
            path: reader.path().to_owned(),
            detail,
        };
        let indexing = Indexing::new().partial_len(filled);
        let channels = self.input.len();
        let (input_frames, output_frames) = (self.input[0].len(), self.output[0].len());
        let input = SequentialSliceOfVecs::new(&self.input, channels, input_frames)
            .map_err(|error| failed(error.to_string()))?;
        let mut output = SequentialSliceOfVecs::new_mut(&mut self.output, channels, output_frames)
            .map_err(|error| failed(error.to_string()))?;
        let (_, made) = self
            .resampler
            .process_into_buffer(&input, &mut output, Some(&indexing))
            .map_err(|error| failed(error.to_string()))?;
        let dropped = self.drop_frames.min(made);
        self.drop_frames -= dropped;
        // At the end no more is given than the file is long; before it, what was made is always owed.
        let count = (made - dropped).min(usize::try_from(owed).unwrap_or(usize::MAX));
        self.ready = dropped..dropped + count;
        self.given_frames += count as u64;
        Ok(true)
    }
}
