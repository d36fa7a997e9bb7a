//! Peak with hold, and RMS, of one or two channels.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::stream::Stream;
use crate::units::gain_to_db;

/// The hold shows the highest peak for this long, then falls.
const HOLD_SECS: f64 = 1.5;
/// How fast the hold falls.
const FALL_DB_PER_SEC: f64 = 20.0;
/// The RMS reading follows with this time constant.
const RMS_SECS: f64 = 0.3;

/// One reading of a meter: linear amplitudes, left and right (the right is 0 in mono).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    /// Highest sample since the meter was last read: a slow reader loses none.
    pub peak: [f32; 2],
    /// Highest sample, held for 1.5 s, then falling by 20 dB a second.
    pub hold: [f32; 2],
    /// Root mean square, exponential with a time constant of 300 ms.
    pub rms: [f32; 2],
}

impl Level {
    /// [any] The higher channel's peak in dBFS, negative infinity for silence.
    pub fn peak_dbfs(&self) -> f32 {
        gain_to_db(self.peak[0].max(self.peak[1]))
    }

    /// [any] The higher channel's hold in dBFS.
    pub fn hold_dbfs(&self) -> f32 {
        gain_to_db(self.hold[0].max(self.hold[1]))
    }

    /// [any] The louder channel's RMS in dBFS (a full-scale sine reads -3.01).
    pub fn rms_dbfs(&self) -> f32 {
        gain_to_db(self.rms[0].max(self.rms[1]))
    }
}

/// A meter's read-out: f32 bits, written by the audio thread at the end of each block, read by one
/// reader. Relaxed: each value stands for itself.
#[derive(Debug, Default)]
pub struct LevelCells {
    /// Raised by the writer, taken (set to 0) by the reader. Amplitudes are not negative, so their
    /// bits are ordered as they are.
    peak: [AtomicU32; 2],
    hold: [AtomicU32; 2],
    rms: [AtomicU32; 2],
}

impl LevelCells {
    /// [main] Reads the meter; the peak starts anew.
    pub fn take(&self) -> Level {
        let value =
            |cells: &[AtomicU32; 2], i: usize| f32::from_bits(cells[i].load(Ordering::Relaxed));
        Level {
            peak: std::array::from_fn(|i| f32::from_bits(self.peak[i].swap(0, Ordering::Relaxed))),
            hold: std::array::from_fn(|i| value(&self.hold, i)),
            rms: std::array::from_fn(|i| value(&self.rms, i)),
        }
    }
}

/// What one pass over a chunk of one channel finds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Highest absolute value.
    pub(crate) peak: f32,
    /// Sum of squares.
    pub(crate) energy: f32,
    /// Whether every sample is finite.
    pub(crate) finite: bool,
}

/// [audio] Peak, energy and finiteness in one pass.
pub(crate) fn measure(samples: &[f32]) -> Measured {
    const LANES: usize = 8;
    let mut peaks = [0.0f32; LANES];
    let mut energies = [0.0f32; LANES];
    let mut chunks = samples.chunks_exact(LANES);
    for chunk in &mut chunks {
        for lane in 0..LANES {
            let level = chunk[lane].abs();
            peaks[lane] = if level > peaks[lane] {
                level
            } else {
                peaks[lane]
            };
            energies[lane] += chunk[lane] * chunk[lane];
        }
    }
    for (lane, &sample) in chunks.remainder().iter().enumerate() {
        peaks[lane] = peaks[lane].max(sample.abs());
        energies[lane] += sample * sample;
    }
    let energy: f32 = energies.iter().sum();
    // Squares of finite samples beyond 1e19 overflow too: only then is it worth a second look.
    let finite = energy.is_finite() || samples.iter().all(|sample| sample.is_finite());
    Measured {
        peak: peaks.into_iter().fold(0.0, f32::max),
        energy,
        finite,
    }
}

/// The audio thread's side of one meter.
#[derive(Debug)]
pub(crate) struct LevelMeter {
    peak: [f32; 2],
    hold: [f32; 2],
    hold_left_frames: [usize; 2],
    mean_square: [f32; 2],
    hold_frames: usize,
    fall_per_frame: f32,
    follow_per_frame: f32,
}

impl LevelMeter {
    pub(crate) fn new(stream: &Stream) -> Self {
        let rate = f64::from(stream.sample_rate_hz());
        Self {
            peak: [0.0; 2],
            hold: [0.0; 2],
            hold_left_frames: [0; 2],
            mean_square: [0.0; 2],
            hold_frames: stream.frames(HOLD_SECS),
            fall_per_frame: (FALL_DB_PER_SEC / 20.0 * std::f64::consts::LN_10 / rate) as f32,
            follow_per_frame: (1.0 / (RMS_SECS * rate)) as f32,
        }
    }

    /// [audio] Takes in one chunk of one channel.
    pub(crate) fn add(&mut self, channel: usize, measured: Measured, frames: usize) {
        let frames_f = frames as f32;
        self.peak[channel] = self.peak[channel].max(measured.peak);
        if measured.peak >= self.hold[channel] {
            self.hold[channel] = measured.peak;
            self.hold_left_frames[channel] = self.hold_frames;
        } else if self.hold_left_frames[channel] > 0 {
            self.hold_left_frames[channel] = self.hold_left_frames[channel].saturating_sub(frames);
        } else {
            // The first term of the exponential: a chunk is 0.03 dB of the fall.
            self.hold[channel] *= 1.0 - self.fall_per_frame * frames_f;
        }
        let follow = (self.follow_per_frame * frames_f).min(1.0);
        let mean = measured.energy.min(f32::MAX) / frames_f.max(1.0);
        self.mean_square[channel] += (mean - self.mean_square[channel]) * follow;
    }

    /// [audio] Shows what was taken in, once a block.
    pub(crate) fn publish(&mut self, cells: &LevelCells) {
        for channel in 0..2 {
            // fetch_max, since the reader takes the peak at any time in between.
            cells.peak[channel].fetch_max(self.peak[channel].to_bits(), Ordering::Relaxed);
            self.peak[channel] = 0.0;
            cells.hold[channel].store(self.hold[channel].to_bits(), Ordering::Relaxed);
            let rms = self.mean_square[channel].max(0.0).sqrt();
            cells.rms[channel].store(rms.to_bits(), Ordering::Relaxed);
        }
    }

    /// [audio] Starts anew.
    pub(crate) fn reset(&mut self) {
        self.peak = [0.0; 2];
        self.hold = [0.0; 2];
        self.hold_left_frames = [0; 2];
        self.mean_square = [0.0; 2];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frames: usize, amplitude: f32) -> Vec<f32> {
        let phase = |i: usize| i as f64 * std::f64::consts::TAU * 997.0 / 48_000.0;
        (0..frames)
            .map(|i| amplitude * phase(i).sin() as f32)
            .collect()
    }

    fn feed(meter: &mut LevelMeter, cells: &LevelCells, samples: &[f32]) {
        for chunk in samples.chunks(64) {
            meter.add(0, measure(chunk), chunk.len());
            meter.publish(cells);
        }
    }

    #[test]
    fn rms_of_a_full_scale_sine_reads_minus_three_db() {
        let stream = Stream::new(48_000, 64, 1).unwrap();
        let (mut meter, cells) = (LevelMeter::new(&stream), LevelCells::default());
        feed(&mut meter, &cells, &sine(144_000, 1.0));
        let level = cells.take();
        assert!((level.rms_dbfs() + 3.01).abs() < 0.05, "{level:?}");
        assert!((level.peak_dbfs()).abs() < 0.01, "{level:?}");
    }

    #[test]
    fn a_slow_reader_loses_no_peak() {
        let stream = Stream::new(48_000, 64, 1).unwrap();
        let (mut meter, cells) = (LevelMeter::new(&stream), LevelCells::default());
        let mut samples = vec![0.0; 480_000];
        samples[1_234] = -0.75;
        feed(&mut meter, &cells, &samples);
        assert_eq!(cells.take().peak[0], 0.75);
        assert_eq!(cells.take().peak[0], 0.0, "a peak is read once");
    }

    #[test]
    fn hold_stays_for_its_time_then_falls_by_twenty_db_a_second() {
        let stream = Stream::new(48_000, 64, 1).unwrap();
        let (mut meter, cells) = (LevelMeter::new(&stream), LevelCells::default());
        feed(&mut meter, &cells, &[1.0; 64]);
        feed(&mut meter, &cells, &vec![0.0; 48_000 * 14 / 10]);
        assert_eq!(cells.take().hold[0], 1.0);
        feed(&mut meter, &cells, &vec![0.0; 48_000 * 11 / 10]);
        let db = cells.take().hold_dbfs();
        assert!((db + 20.0).abs() < 0.3, "{db} dB one second into the fall");
    }

    #[test]
    fn one_bad_sample_anywhere_is_found() {
        for frames in 1..70 {
            for at in 0..frames {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut samples = vec![0.1; frames];
                    assert!(measure(&samples).finite);
                    samples[at] = bad;
                    assert!(!measure(&samples).finite, "{bad} at {at} of {frames}");
                }
            }
        }
        assert!(measure(&[1e30; 9]).finite, "large is not infinite");
    }
}
