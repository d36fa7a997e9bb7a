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
    /// `[any]` The higher channel's peak in dBFS, negative infinity for silence.
    pub fn peak_dbfs(&self) -> f32 {
        gain_to_db(self.peak[0].max(self.peak[1]))
    }

    /// `[any]` The higher channel's hold in dBFS.
    pub fn hold_dbfs(&self) -> f32 {
        gain_to_db(self.hold[0].max(self.hold[1]))
    }

    /// `[any]` The louder channel's RMS in dBFS (a full-scale sine reads -3.01).
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
    /// The root is the reader's to take.
    mean_square: [AtomicU32; 2],
}

impl LevelCells {
    /// `[main]` Reads the meter; the peak starts anew.
    pub fn take(&self) -> Level {
        let value =
            |cells: &[AtomicU32; 2], i: usize| f32::from_bits(cells[i].load(Ordering::Relaxed));
        Level {
            peak: std::array::from_fn(|i| f32::from_bits(self.peak[i].swap(0, Ordering::Relaxed))),
            hold: std::array::from_fn(|i| value(&self.hold, i)),
            rms: std::array::from_fn(|i| value(&self.mean_square, i).max(0.0).sqrt()),
        }
    }
}

/// What one pass over a chunk of one channel finds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Highest absolute value, if all are finite.
    pub(crate) peak: f32,
    /// Sum of squares.
    pub(crate) energy: f32,
    /// Whether every sample is finite.
    pub(crate) finite: bool,
}

impl Measured {
    /// What is found in silence.
    pub(crate) const SILENT: Self = Self {
        peak: 0.0,
        energy: 0.0,
        finite: true,
    };
}

/// Four vectors of four: as many sums under way as it takes to hide what one addition waits for.
const LANES: usize = 16;

/// `[audio]` Peak, energy and finiteness in one pass.
pub(crate) fn measure(samples: &[f32]) -> Measured {
    let mut peaks = [0.0f32; LANES];
    let mut energies = [0.0f32; LANES];
    let (whole, rest) = samples.as_chunks::<LANES>();
    for vector in whole {
        for lane in 0..LANES {
            peaks[lane] = higher(peaks[lane], vector[lane].abs());
            energies[lane] += vector[lane] * vector[lane];
        }
    }
    for (lane, &sample) in rest.iter().enumerate() {
        peaks[lane] = higher(peaks[lane], sample.abs());
        energies[lane] += sample * sample;
    }
    let [peak, energy] = folded(&peaks, &energies);
    // Squares of finite samples beyond 1e19 overflow too: only then is it worth a second look.
    let finite = energy.is_finite() || samples.iter().all(|sample| sample.is_finite());
    Measured {
        peak,
        energy,
        finite,
    }
}

/// The highest peak and the sum of energies: halves onto halves, in vectors, where one lane after
/// the other would wait sixteen times. Not inlined, since the optimiser would cut the loop before it
/// into half vectors for the sake of these few operations.
#[inline(never)]
fn folded(peaks: &[f32; LANES], energies: &[f32; LANES]) -> [f32; 2] {
    let (p, e) = (peaks, energies);
    let p: [f32; 8] = std::array::from_fn(|i| higher(p[i + 8], p[i]));
    let e: [f32; 8] = std::array::from_fn(|i| e[i + 8] + e[i]);
    let p: [f32; 4] = std::array::from_fn(|i| higher(p[i + 4], p[i]));
    let e: [f32; 4] = std::array::from_fn(|i| e[i + 4] + e[i]);
    [
        higher(higher(p[0], p[2]), higher(p[1], p[3])),
        (e[0] + e[2]) + (e[1] + e[3]),
    ]
}

/// One instruction, unlike `f32::max`; of no use where one of the two is no number.
#[inline(always)]
fn higher(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
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

    /// `[audio]` Takes in one chunk of one channel.
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
        // (mean - was) * follow, each times the frames: no division. A chunk is far shorter than the
        // time constant.
        let was = self.mean_square[channel];
        let energy = measured.energy.min(f32::MAX);
        self.mean_square[channel] = was + (energy - was * frames_f) * self.follow_per_frame;
    }

    /// `[audio]` Shows what was taken in, once a block.
    pub(crate) fn publish(&mut self, cells: &LevelCells) {
        for channel in 0..2 {
            // The maximum without a locked instruction. Only this thread raises the cell, the reader
            // only takes from it, at any time: before the load, and the cell is 0; after a load that
            // found as much or more, and it took that with what was there; between the load and the
            // store, and it took the lower value while the higher one waits for it. None is lost.
            let peak = self.peak[channel].to_bits();
            if peak > cells.peak[channel].load(Ordering::Relaxed) {
                cells.peak[channel].store(peak, Ordering::Relaxed);
            }
            self.peak[channel] = 0.0;
            cells.hold[channel].store(self.hold[channel].to_bits(), Ordering::Relaxed);
            cells.mean_square[channel]
                .store(self.mean_square[channel].to_bits(), Ordering::Relaxed);
        }
    }

    /// `[audio]` Starts anew.
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
    fn a_reader_that_takes_while_it_is_written_loses_no_peak() {
        let stream = Stream::new(48_000, 64, 1).unwrap();
        let cells = LevelCells::default();
        let rounds = AtomicU32::new(0);
        let mut lost = 0;
        let highest = |of: f32| of.max(cells.take().peak[0]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut meter = LevelMeter::new(&stream);
                for round in 1..=2_000 {
                    // Ordering: Release and Acquire hand the turn over.
                    while rounds.load(Ordering::Acquire) != 2 * round - 2 {
                        std::thread::yield_now();
                    }
                    for at in 0..40 {
                        let level = if at == 20 { 0.75 } else { 0.25 };
                        feed(&mut meter, &cells, &[level; 64]);
                    }
                    rounds.store(2 * round - 1, Ordering::Release);
                }
            });
            for round in 1..=2_000 {
                let mut found = 0.0;
                while rounds.load(Ordering::Acquire) != 2 * round - 1 {
                    found = highest(found);
                }
                found = highest(found);
                rounds.store(2 * round, Ordering::Release);
                lost += u32::from(found != 0.75);
            }
        });
        assert_eq!(lost, 0, "rounds of 2,000");
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
