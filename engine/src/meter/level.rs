//! Peak with hold, and RMS, of one or two channels.

use std::sync::atomic::{AtomicU32, Ordering};

use headroom_ipc::Lane;
use wide::f32x4;

use super::peak_cell::PeakCell;
use crate::block::Block;
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
    /// Most by which a slot turned its input down since the meter was last read, in dB, at least 0: as
    /// it was at the end of each block.
    pub reduction_db: f32,
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
    peak: [PeakCell; 2],
    hold: [AtomicU32; 2],
    /// The root is the reader's to take.
    mean_square: [AtomicU32; 2],
    reduction_db: PeakCell,
}

impl LevelCells {
    /// `[main]` Reads the meter; the peak starts anew.
    pub fn take(&self) -> Level {
        let value =
            |cells: &[AtomicU32; 2], i: usize| f32::from_bits(cells[i].load(Ordering::Relaxed));
        Level {
            peak: self.peak.each_ref().map(PeakCell::take),
            hold: std::array::from_fn(|i| value(&self.hold, i)),
            rms: std::array::from_fn(|i| value(&self.mean_square, i).max(0.0).sqrt()),
            reduction_db: self.reduction_db.take(),
        }
    }
}

/// What one pass over a chunk finds. In mono the right channel is silent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Highest absolute value of each channel, if all are finite.
    pub(crate) peak: [f32; 2],
    /// Sum of squares of each channel.
    pub(crate) energy: [f32; 2],
    /// Whether every sample is finite.
    pub(crate) finite: bool,
}

impl Measured {
    /// What is found in silence.
    pub(crate) const SILENT: Self = Self {
        peak: [0.0; 2],
        energy: [0.0; 2],
        finite: true,
    };
}

/// Frames that one turn of the loop takes: two vectors of each channel, as many sums under way as
/// hide what one addition waits for.
const STEP_FRAMES: usize = 8;

/// What is gathered of one channel.
#[derive(Clone, Copy)]
struct Gathered {
    peaks: [f32x4; 2],
    energies: [f32x4; 2],
}

impl Gathered {
    const NOTHING: Self = Self {
        peaks: [f32x4::ZERO; 2],
        energies: [f32x4::ZERO; 2],
    };

    #[inline(always)]
    fn add(&mut self, samples: &[f32; STEP_FRAMES]) {
        let [a, b, c, d, e, f, g, h] = *samples;
        let vectors = [f32x4::new([a, b, c, d]), f32x4::new([e, f, g, h])];
        for (i, vector) in vectors.into_iter().enumerate() {
            // One instruction; of no use where one of the two is no number.
            self.peaks[i] = vector.abs().fast_max(self.peaks[i]);
            self.energies[i] += vector * vector;
        }
    }
}

impl Measured {
    /// `[audio]` Measures each channel of a chunk, in one pass over both.
    ///
    /// It is set in its place, and not returned: copies of what was just written in other pieces
    /// make the processor wait.
    #[inline(always)]
    pub(crate) fn set(&mut self, block: &mut Block<'_>) {
        let (left, right) = block.split();
        self.set_channels(left, right.map(|right| &*right));
    }

    /// `[any]` The same of one or two channels of the same length.
    pub(crate) fn set_channels(&mut self, first: &[f32], second: Option<&[f32]>) {
        let padded = |rest: &[f32]| {
            let mut padded = [0.0; STEP_FRAMES];
            padded[..rest.len()].copy_from_slice(rest);
            padded
        };
        let (mut left, mut right) = (Gathered::NOTHING, Gathered::NOTHING);
        let (whole, rest) = first.as_chunks::<STEP_FRAMES>();
        if let Some(second) = second {
            let (whole_right, rest_right) = second.as_chunks::<STEP_FRAMES>();
            for (in_left, in_right) in whole.iter().zip(whole_right) {
                left.add(in_left);
                right.add(in_right);
            }
            if !rest_right.is_empty() {
                right.add(&padded(rest_right));
            }
        } else {
            for in_left in whole {
                left.add(in_left);
            }
        }
        if !rest.is_empty() {
            left.add(&padded(rest));
        }

        // A row for each: lane by lane into a column for each.
        let columns = f32x4::transpose([
            left.peaks[0].fast_max(left.peaks[1]),
            right.peaks[0].fast_max(right.peaks[1]),
            left.energies[0] + left.energies[1],
            right.energies[0] + right.energies[1],
        ]);
        let [a, b, c, d] = columns;
        let [peak_left, peak_right, ..] = a.fast_max(c).fast_max(b.fast_max(d)).to_array();
        let [.., energy_left, energy_right] = ((a + c) + (b + d)).to_array();
        self.peak = [peak_left, peak_right];
        self.energy = [energy_left, energy_right];
        // Squares of finite samples beyond 1e19 overflow too: only then is it worth a second look.
        let mut all = first.iter().chain(second.unwrap_or_default());
        self.finite =
            (energy_left + energy_right).is_finite() || all.all(|sample| sample.is_finite());
    }
}

/// One instruction, unlike `f32::max`; of no use where one of the two is no number.
#[inline(always)]
fn higher(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// Frames after which a meter's hold and mean move on at the latest: far less than their times.
const SETTLE_FRAMES: usize = 512;

/// What was taken in since a screen was last shown it.
#[derive(Debug, Default)]
struct Shown {
    peak: [f32; 2],
    energy: [f32; 2],
    frames: usize,
    reduction_db: f32,
}

/// The audio thread's side of one meter.
#[derive(Debug)]
pub(crate) struct LevelMeter {
    /// Since the meter was last shown.
    peak: [f32; 2],
    /// Since hold and mean last moved on.
    new_peak: [f32; 2],
    new_energy: [f32; 2],
    new_frames: usize,
    hold: [f32; 2],
    hold_left_frames: [usize; 2],
    mean_square: [f32; 2],
    /// Since the meter was last shown.
    reduction_db: f32,
    shown: Shown,
    hold_frames: usize,
    fall_per_frame: f32,
    follow_per_frame: f32,
}

impl LevelMeter {
    pub(crate) fn new(stream: &Stream) -> Self {
        let rate = f64::from(stream.sample_rate_hz());
        Self {
            peak: [0.0; 2],
            new_peak: [0.0; 2],
            new_energy: [0.0; 2],
            new_frames: 0,
            hold: [0.0; 2],
            hold_left_frames: [0; 2],
            mean_square: [0.0; 2],
            reduction_db: 0.0,
            shown: Shown::default(),
            hold_frames: stream.frames(HOLD_SECS),
            fall_per_frame: (FALL_DB_PER_SEC / 20.0 * std::f64::consts::LN_10 / rate) as f32,
            follow_per_frame: (1.0 / (RMS_SECS * rate)) as f32,
        }
    }

    /// `[audio]` Takes in one chunk of each channel.
    #[inline(always)]
    pub(crate) fn add(&mut self, measured: &Measured, frames: usize) {
        for channel in 0..2 {
            self.new_peak[channel] = higher(self.new_peak[channel], measured.peak[channel]);
            self.new_energy[channel] += measured.energy[channel];
        }
        self.new_frames += frames;
        if self.new_frames >= SETTLE_FRAMES {
            self.settle();
        }
    }

    /// Hold and mean move on by what was taken in.
    fn settle(&mut self) {
        let frames = self.new_frames;
        let frames_f = frames as f32;
        for channel in 0..2 {
            let peak = self.new_peak[channel];
            self.peak[channel] = higher(self.peak[channel], peak);
            if peak >= self.hold[channel] {
                self.hold[channel] = peak;
                self.hold_left_frames[channel] = self.hold_frames;
            } else if self.hold_left_frames[channel] > 0 {
                self.hold_left_frames[channel] =
                    self.hold_left_frames[channel].saturating_sub(frames);
            } else {
                // The first term of the exponential: 512 frames are 0.2 dB of the fall.
                self.hold[channel] *= 1.0 - self.fall_per_frame * frames_f;
            }
            // (mean - was) * follow, each times the frames: no division. The frames are far fewer
            // than the time constant.
            let was = self.mean_square[channel];
            let energy = self.new_energy[channel].min(f32::MAX);
            self.mean_square[channel] = was + (energy - was * frames_f) * self.follow_per_frame;
        }
        for channel in 0..2 {
            self.shown.peak[channel] = higher(self.shown.peak[channel], self.new_peak[channel]);
            self.shown.energy[channel] += self.new_energy[channel];
        }
        self.shown.frames += frames;
        self.new_peak = [0.0; 2];
        self.new_energy = [0.0; 2];
        self.new_frames = 0;
    }

    /// `[audio]` The levels since the last call, for a screen.
    pub(crate) fn take_shown(&mut self) -> Lane {
        let Shown {
            peak,
            energy,
            frames,
            reduction_db,
        } = std::mem::take(&mut self.shown);
        let share = 1.0 / frames.max(1) as f32;
        Lane {
            peak,
            mean_square: energy.map(|energy| energy * share),
            reduction_db,
        }
    }

    /// `[audio]` The slot has turned its input down by so much.
    pub(crate) fn turn_down(&mut self, db: f32) {
        self.reduction_db = higher(db, self.reduction_db);
        self.shown.reduction_db = higher(db, self.shown.reduction_db);
    }

    /// `[audio]` Shows what was taken in, once a block.
    pub(crate) fn publish(&mut self, cells: &LevelCells) {
        self.settle();
        cells.reduction_db.raise(self.reduction_db);
        self.reduction_db = 0.0;
        for channel in 0..2 {
            cells.peak[channel].raise(self.peak[channel]);
            self.peak[channel] = 0.0;
            cells.hold[channel].store(self.hold[channel].to_bits(), Ordering::Relaxed);
            cells.mean_square[channel]
                .store(self.mean_square[channel].to_bits(), Ordering::Relaxed);
        }
    }

    /// `[audio]` Starts anew.
    pub(crate) fn reset(&mut self) {
        self.peak = [0.0; 2];
        self.new_peak = [0.0; 2];
        self.new_energy = [0.0; 2];
        self.new_frames = 0;
        self.hold = [0.0; 2];
        self.hold_left_frames = [0; 2];
        self.mean_square = [0.0; 2];
        self.reduction_db = 0.0;
        self.shown = Shown::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(block: &mut Block<'_>) -> Measured {
        let mut measured = Measured::SILENT;
        measured.set(block);
        measured
    }

    fn sine(frames: usize, amplitude: f32) -> Vec<f32> {
        let phase = |i: usize| i as f64 * std::f64::consts::TAU * 997.0 / 48_000.0;
        (0..frames)
            .map(|i| amplitude * phase(i).sin() as f32)
            .collect()
    }

    fn feed(meter: &mut LevelMeter, cells: &LevelCells, samples: &[f32]) {
        for chunk in samples.to_vec().chunks_mut(64) {
            let frames = chunk.len();
            meter.add(&measured(&mut Block::mono(chunk, 0)), frames);
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
    fn each_channels_highest_sample_and_energy_are_found_at_any_length() {
        for frames in 1..=64 {
            let at = |i: usize| ((i * 37 + frames) % 64) as f32 / 64.0 - 0.5;
            let mut left: Vec<f32> = (0..frames).map(at).collect();
            let mut right: Vec<f32> = left.iter().map(|sample| 0.3 - sample * 0.5).collect();
            let peak = |of: &[f32]| {
                of.iter()
                    .fold(0.0f32, |peak, sample| peak.max(sample.abs()))
            };
            let energy = |of: &[f32]| of.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
            let wanted = [&left, &right].map(|of| (peak(of), energy(of)));
            let found = measured(&mut Block::stereo(&mut left, &mut right, 0));
            for (channel, (peak, energy)) in wanted.into_iter().enumerate() {
                assert_eq!(found.peak[channel], peak, "{frames} frames");
                let error = f64::from(found.energy[channel]) - energy;
                assert!(error.abs() < 1e-5, "{frames} frames: {error}");
            }
            let alone = measured(&mut Block::mono(&mut left, 0));
            assert_eq!(alone.peak, [wanted[0].0, 0.0], "{frames} frames");
        }
    }

    #[test]
    fn one_bad_sample_anywhere_is_found() {
        for frames in 1..70 {
            for at in 0..frames {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let mut good = vec![0.1; frames];
                    let mut samples = good.clone();
                    samples[at] = bad;
                    let finite = |mut block: Block<'_>| measured(&mut block).finite;
                    assert!(finite(Block::mono(&mut good, 0)));
                    let place = format!("{bad} at {at} of {frames}");
                    assert!(!finite(Block::mono(&mut samples, 0)), "{place}");
                    assert!(
                        !finite(Block::stereo(&mut good, &mut samples, 0)),
                        "{place}"
                    );
                    assert!(
                        !finite(Block::stereo(&mut samples, &mut good, 0)),
                        "{place}"
                    );
                }
            }
        }
        let large = measured(&mut Block::mono(&mut [1e30; 9], 0));
        assert!(large.finite, "large is not infinite");
    }
}
