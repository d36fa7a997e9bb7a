//! Stereo WAV files in and out, whole, as 32-bit floats.

use crate::error::Error;
use std::path::Path;

/// A piece of audio in memory; all channels are equally long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wave {
    pub(crate) sample_rate_hz: u32,
    pub(crate) channels: Vec<Vec<f32>>,
}

impl Wave {
    /// Frames of the piece.
    pub(crate) fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Largest magnitude of all channels, in dBFS.
    pub(crate) fn peak_dbfs(&self) -> f64 {
        let peak = self.channels.iter().flatten();
        decibels(peak.fold(0.0f64, |peak, &x| peak.max(f64::from(x.abs()))))
    }

    /// RMS of all channels together, in dBFS (a full-scale square wave is 0).
    pub(crate) fn rms_dbfs(&self) -> f64 {
        let count = (self.frames() * self.channels.len()).max(1);
        let sum: f64 = self
            .channels
            .iter()
            .flatten()
            .map(|&x| f64::from(x).powi(2))
            .sum();
        decibels((sum / count as f64).sqrt())
    }

    /// `[main]` Writes the piece as a 32-bit float WAV.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let spec = hound::WavSpec {
            channels: self.channels.len() as u16,
            sample_rate: self.sample_rate_hz,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let write = || {
            let mut writer = hound::WavWriter::create(path, spec)?;
            for frame in 0..self.frames() {
                for channel in &self.channels {
                    writer.write_sample(channel[frame])?;
                }
            }
            writer.finalize()
        };
        write().map_err(|source| Error::wave(path, source))
    }

    /// `[main]` Reads a WAV of floats or integers.
    pub(crate) fn load(path: &Path) -> Result<Wave, Error> {
        let read = || {
            let reader = hound::WavReader::open(path)?;
            let spec = reader.spec();
            let samples: Vec<f32> = match spec.sample_format {
                hound::SampleFormat::Float => reader.into_samples().collect::<Result<_, _>>()?,
                hound::SampleFormat::Int => {
                    let scale = (-f32::from(spec.bits_per_sample - 1)).exp2();
                    reader
                        .into_samples::<i32>()
                        .map(|x| x.map(|x| x as f32 * scale))
                        .collect::<Result<_, _>>()?
                }
            };
            let count = usize::from(spec.channels.max(1));
            Ok(Wave {
                sample_rate_hz: spec.sample_rate,
                channels: (0..count)
                    .map(|c| samples.iter().skip(c).step_by(count).copied().collect())
                    .collect(),
            })
        };
        read().map_err(|source| Error::wave(path, source))
    }
}

/// dB of an amplitude; -200 at and below 1e-10.
pub(crate) fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_wave_comes_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wave.wav");
        let wave = Wave {
            sample_rate_hz: 44_100,
            channels: vec![vec![0.0, 0.25, -1.5, 1e-9], vec![1.0, -0.0, 0.1, -0.3]],
        };
        wave.save(&path).unwrap();
        assert_eq!(Wave::load(&path).unwrap(), wave);
    }

    #[test]
    fn levels_are_those_of_a_sine() {
        let sine = (0..48_000).map(|i| (0.5 * (i as f64 * 0.1).sin()) as f32);
        let wave = Wave {
            sample_rate_hz: 48_000,
            channels: vec![sine.clone().collect(), sine.collect()],
        };
        assert!((wave.peak_dbfs() + 6.02).abs() < 0.01);
        assert!((wave.rms_dbfs() + 9.03).abs() < 0.01);
    }
}
