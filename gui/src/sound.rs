//! What the screen finds out by itself from the sound before and after the rack.

use crate::pace::{FIGURE_SECS, Pace};
use crate::spectrum::{Analyser, FRAMES, Spectrum};
use crate::text::SILENCE_DB;
use ebur128::{EbuR128, Mode};

/// Loudness by EBU R 128, from when the screen was opened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// LUFS of the last 400 ms.
    pub momentary: f64,
    /// LUFS of the last 3 s.
    pub short: f64,
    /// LUFS of everything, gated.
    pub integrated: f64,
    /// Loudness range in LU.
    pub range: f64,
    /// The highest true peak, in dBTP.
    pub true_peak_db: f64,
    /// Seconds of sound that were measured.
    pub secs: f64,
}

/// Sound as it is drawn.
#[derive(Debug, Default)]
pub struct Sound {
    /// What goes into the rack.
    pub before: Spectrum,
    /// What comes out.
    pub after: Spectrum,
    /// The highest sample of the newest frames that went in.
    pub before_peak: f32,
    /// The newest frames that came out, oldest first.
    pub scope: Vec<[f32; 2]>,
    /// How alike left and right are: 1 the same, 0 nothing in common, -1 opposite. `None` in silence.
    pub correlation: Option<f32>,
    /// Loudness; `None` until it was measured.
    pub loudness: Option<Loudness>,
    /// What of it stands in figures.
    pub figures: Figures,
    pace: Pace,
    analyser: Analyser,
    meter: Option<Meter>,
    sums: [f32; 3],
}

/// For reading: it stands for a quarter of a second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// The highest sample of the newest frames that went in.
    pub before_peak: f32,
    /// As [`Sound::correlation`].
    pub correlation: Option<f32>,
}

struct Meter {
    ebu: EbuR128,
    sample_rate_hz: u32,
    frames: u64,
    /// Of them, since loudness was last read.
    unread: u64,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter")
            .field("frames", &self.frames)
            .finish()
    }
}

/// How fast spectra follow, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Averaging {
    /// 50 ms.
    Fast,
    /// 200 ms.
    #[default]
    Medium,
    /// 1 s.
    Slow,
}

impl Averaging {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Fast, "Fast"),
        (Self::Medium, "Medium"),
        (Self::Slow, "Slow"),
    ];

    fn secs(self) -> f32 {
        match self {
            Self::Fast => 0.05,
            Self::Medium => 0.2,
            Self::Slow => 1.0,
        }
    }
}

impl Sound {
    /// `[main]` Takes the newest frames before and after the rack, the last of which are new since
    /// `secs` ago.
    pub fn look(
        &mut self,
        before: &[[f32; 2]],
        after: &[[f32; 2]],
        sample_rate_hz: u32,
        averaging: Averaging,
        secs: f32,
    ) {
        let ease = 1.0 - (-secs.clamp(0.0, 10.0) / averaging.secs()).exp();
        let rate_hz = sample_rate_hz as f32;
        self.before.take(&mut self.analyser, before, rate_hz, ease);
        self.after.take(&mut self.analyser, after, rate_hz, ease);
        let newest = before.len().saturating_sub(FRAMES / 2);
        let highest = before[newest..].iter().flatten();
        self.before_peak = highest.fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        self.scope.clear();
        self.scope.extend(
            after[after.len().saturating_sub(FRAMES)..]
                .iter()
                .map(|frame| frame.map(|sample| if sample.is_finite() { sample } else { 0.0 })),
        );
        self.correlate(secs);
        if self.pace.is_due(secs) || self.correlation.is_none() {
            self.figures = Figures {
                before_peak: self.before_peak,
                correlation: self.correlation,
            };
        }
    }

    fn correlate(&mut self, secs: f32) {
        let ease = 1.0 - (-secs.clamp(0.0, 10.0) / 0.3).exp();
        let mut sums = [0.0; 3];
        for [left, right] in &self.scope {
            sums[0] += left * right;
            sums[1] += left * left;
            sums[2] += right * right;
        }
        for (sum, new) in self.sums.iter_mut().zip(sums) {
            let new = new / FRAMES as f32;
            *sum += (new - *sum) * ease;
            if !sum.is_finite() {
                *sum = 0.0;
            }
        }
        let [product, left, right] = self.sums;
        let power = (left * right).sqrt();
        self.correlation = (power > 1e-9).then(|| (product / power).clamp(-1.0, 1.0));
    }

    /// `[main]` Takes frames that follow those of the last call without a gap.
    pub fn measure(&mut self, after: &[[f32; 2]], sample_rate_hz: u32) {
        if self
            .meter
            .as_ref()
            .is_none_or(|meter| meter.sample_rate_hz != sample_rate_hz)
        {
            let mode = Mode::I | Mode::S | Mode::M | Mode::LRA | Mode::TRUE_PEAK | Mode::HISTOGRAM;
            self.loudness = None;
            self.meter = EbuR128::new(2, sample_rate_hz, mode).ok().map(|ebu| Meter {
                ebu,
                sample_rate_hz,
                frames: 0,
                unread: 0,
            });
        }
        let Some(meter) = &mut self.meter else {
            return;
        };
        let finite = |sample: f32| if sample.is_finite() { sample } else { 0.0 };
        let frames: Vec<f32> = after.iter().flatten().copied().map(finite).collect();
        if meter.ebu.add_frames_f32(&frames).is_err() {
            return;
        }
        meter.frames += after.len() as u64;
        meter.unread += after.len() as u64;
        let figure_frames = FIGURE_SECS * sample_rate_hz as f32;
        if self.loudness.is_some() && (meter.unread as f32) < figure_frames {
            return;
        }
        meter.unread = 0;
        let quiet = |loudness: Result<f64, ebur128::Error>| {
            let loudness = loudness.unwrap_or(f64::NEG_INFINITY);
            loudness.max(f64::from(SILENCE_DB))
        };
        let true_peak = |channel| meter.ebu.true_peak(channel).unwrap_or(0.0);
        let highest = true_peak(0).max(true_peak(1)).max(1e-6);
        self.loudness = Some(Loudness {
            momentary: quiet(meter.ebu.loudness_momentary()),
            short: quiet(meter.ebu.loudness_shortterm()),
            integrated: quiet(meter.ebu.loudness_global()),
            range: meter.ebu.loudness_range().unwrap_or(0.0),
            true_peak_db: 20.0 * highest.log10(),
            secs: meter.frames as f64 / f64::from(sample_rate_hz.max(1)),
        });
    }

    /// `[main]` Begins loudness anew.
    pub fn restart(&mut self) {
        self.meter = None;
        self.loudness = None;
    }

    /// `[main]` Takes back what spectra hold.
    pub fn clear(&mut self) {
        self.before.held_db.fill(SILENCE_DB);
        self.after.held_db.fill(SILENCE_DB);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(right: impl Fn(f32) -> f32) -> Vec<[f32; 2]> {
        let sample = |i: usize| (i as f32 * 0.13).sin() * 0.5;
        (0..FRAMES).map(|i| [sample(i), right(sample(i))]).collect()
    }

    #[test]
    fn correlation_tells_mono_from_opposite_and_from_one_side() {
        for (right, expected) in [(1.0, Some(1.0)), (-0.3, Some(-1.0)), (0.0, None)] {
            let mut sound = Sound::default();
            let frames = pair(|left| left * right);
            sound.look(&frames, &frames, 48_000, Averaging::Fast, 1.0);
            match (sound.correlation, expected) {
                (Some(seen), Some(expected)) => assert!((seen - expected as f32).abs() < 0.001),
                (seen, expected) => assert_eq!(seen.is_some(), expected.is_some()),
            }
        }
    }

    #[test]
    fn loudness_of_a_sine_is_that_of_the_standard() {
        // EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS is at -23 LUFS.
        let mut sound = Sound::default();
        let amplitude = 10f32.powf(-23.0 / 20.0);
        let step = std::f32::consts::TAU / 48.0;
        let frames: Vec<_> = (0..48_000)
            .map(|i| [(step * (i % 48) as f32).sin() * amplitude; 2])
            .collect();
        for _ in 0..4 {
            sound.measure(&frames, 48_000);
        }
        let loudness = sound.loudness.expect("four seconds were measured");
        assert!((loudness.integrated + 23.0).abs() < 0.1, "{loudness:?}");
        assert!((loudness.true_peak_db + 23.0).abs() < 0.2, "{loudness:?}");
        assert!((loudness.secs - 4.0).abs() < 1e-6);
    }

    #[test]
    fn absurd_rates_and_samples_do_no_harm() {
        let mut sound = Sound::default();
        let frames = vec![[f32::NAN, f32::INFINITY]; 5_000];
        for rate_hz in [0, 1, 192_000, u32::MAX] {
            sound.look(&frames, &frames, rate_hz, Averaging::Slow, f32::NAN);
            sound.measure(&frames, rate_hz.min(192_000));
        }
        assert!(sound.correlation.is_none());
    }
}
