//! A spectrum as it is drawn: columns that are even in octaves, in decibels, averaged over time.

use crate::text::SILENCE_DB;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Frames that are looked at at once.
pub const FRAMES: usize = 4_096;
/// Columns of a spectrum.
pub const COLUMNS: usize = 240;
/// What the first column shows.
pub const LOW_HZ: f32 = 20.0;
/// What the last column shows.
pub const HIGH_HZ: f32 = 20_000.0;

/// `[any]` The frequency of a column.
pub fn column_hz(column: usize) -> f32 {
    LOW_HZ * (HIGH_HZ / LOW_HZ).powf(column as f32 / (COLUMNS - 1) as f32)
}

/// Takes sound apart, for every spectrum.
pub struct Analyser {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    powers: Vec<f32>,
}

impl std::fmt::Debug for Analyser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyser").finish_non_exhaustive()
    }
}

impl Default for Analyser {
    fn default() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(FRAMES);
        // Hann: Harris, "On the use of windows for harmonic analysis", 1978.
        let turn = std::f32::consts::TAU / FRAMES as f32;
        let window = (0..FRAMES).map(|i| 0.5 - 0.5 * (turn * i as f32).cos());
        Self {
            window: window.collect(),
            input: fft.make_input_vec(),
            output: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            powers: vec![0.0; FRAMES / 2 + 1],
            fft,
        }
    }
}

/// One spectrum.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// By column; a sine at full scale reaches 0.
    pub now_db: Vec<f32>,
    /// The highest since it was cleared.
    pub held_db: Vec<f32>,
}

impl Default for Spectrum {
    fn default() -> Self {
        Self {
            now_db: vec![SILENCE_DB; COLUMNS],
            held_db: vec![SILENCE_DB; COLUMNS],
        }
    }
}

impl Spectrum {
    /// `[main]` Takes the newest frames, the last [`FRAMES`] of which count; `ease` is how much of the
    /// way to the new picture is gone, 0 to 1.
    pub fn take(
        &mut self,
        analyser: &mut Analyser,
        frames: &[[f32; 2]],
        sample_rate_hz: f32,
        ease: f32,
    ) {
        analyser.measure(frames);
        let bin_hz = sample_rate_hz.clamp(1_000.0, 1e6) / FRAMES as f32;
        let half_step = (HIGH_HZ / LOW_HZ).powf(0.5 / (COLUMNS - 1) as f32);
        for column in 0..COLUMNS {
            let hz = column_hz(column);
            let power = analyser.power(hz / half_step / bin_hz, hz * half_step / bin_hz);
            let db = (10.0 * power.max(1e-12).log10()).clamp(SILENCE_DB, 60.0);
            let now = &mut self.now_db[column];
            // What rises is seen at once, what falls is seen falling.
            let ease = if db > *now { ease.sqrt() } else { ease };
            *now += (db - *now) * ease.clamp(0.0, 1.0);
            self.held_db[column] = self.held_db[column].max(*now);
        }
    }

    /// `[main]` Whether there is nothing to be seen.
    pub fn is_silent(&self) -> bool {
        self.now_db.iter().all(|db| *db < SILENCE_DB + 1.0)
    }
}

impl Analyser {
    fn measure(&mut self, frames: &[[f32; 2]]) {
        let frames = &frames[frames.len().saturating_sub(FRAMES)..];
        let missing = FRAMES - frames.len();
        self.input[..missing].fill(0.0);
        for (place, [left, right]) in frames.iter().enumerate() {
            let mono = 0.5 * (left + right);
            let mono = if mono.is_finite() {
                mono.clamp(-1e6, 1e6)
            } else {
                0.0
            };
            self.input[missing + place] = mono * self.window[missing + place];
        }
        let (input, output) = (&mut self.input, &mut self.output);
        let done = self
            .fft
            .process_with_scratch(input, output, &mut self.scratch);
        // A Hann window lets half of a sine's amplitude through, and half of that is at the negative
        // frequency.
        let scale = 4.0 / FRAMES as f32;
        for (power, bin) in self.powers.iter_mut().zip(&self.output) {
            *power = if done.is_ok() {
                bin.norm_sqr() * scale * scale
            } else {
                0.0
            };
        }
    }

    /// The highest power between two bins; between the bins where the two are close, so that low
    /// frequencies are a line and no stairs.
    fn power(&self, low: f32, high: f32) -> f32 {
        let last = self.powers.len() - 1;
        if low >= last as f32 {
            return 0.0;
        }
        let (first, end) = (low.ceil() as usize, (high.floor() as usize).min(last));
        if first > end {
            let middle = 0.5 * (low + high);
            let bin = (middle.floor() as usize).min(last - 1);
            let part = (middle - bin as f32).clamp(0.0, 1.0);
            let (a, b) = (self.powers[bin].sqrt(), self.powers[bin + 1].sqrt());
            return (a + (b - a) * part).powi(2);
        }
        self.powers[first..=end].iter().copied().fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, amplitude: f32) -> Vec<[f32; 2]> {
        let step = std::f64::consts::TAU * f64::from(hz) / 48_000.0;
        let sample = |i: usize| (step * i as f64).sin() as f32 * amplitude;
        (0..FRAMES).map(|i| [sample(i); 2]).collect()
    }

    fn spectrum(frames: &[[f32; 2]]) -> Spectrum {
        let mut spectrum = Spectrum::default();
        spectrum.take(&mut Analyser::default(), frames, 48_000.0, 1.0);
        spectrum
    }

    #[test]
    fn a_sine_stands_at_its_frequency_with_its_level() {
        for (hz, amplitude, db) in [(997.0, 1.0, 0.0), (6_000.0, 0.1, -20.0), (93.0, 0.5, -6.0)] {
            let spectrum = spectrum(&sine(hz, amplitude));
            let highest =
                (0..COLUMNS).max_by(|a, b| spectrum.now_db[*a].total_cmp(&spectrum.now_db[*b]));
            let column = highest.unwrap_or(0);
            assert!(
                (column_hz(column) / hz).log2().abs() < 0.1,
                "{}",
                column_hz(column)
            );
            // Between two bins a Hann window loses at most 1.42 dB.
            let error_db = spectrum.now_db[column] - db;
            assert!(
                (-1.5..0.1).contains(&error_db),
                "{hz} Hz: {error_db} dB off"
            );
            assert!(spectrum.now_db[COLUMNS - 1] < db - 60.0);
        }
    }

    #[test]
    fn what_is_no_number_is_silence() {
        let spectrum = spectrum(&vec![[f32::NAN, f32::INFINITY]; 100]);
        assert!(spectrum.is_silent());
    }

    #[test]
    fn what_was_highest_is_held() {
        let mut analyser = Analyser::default();
        let mut spectrum = Spectrum::default();
        spectrum.take(&mut analyser, &sine(1_000.0, 1.0), 48_000.0, 1.0);
        spectrum.take(&mut analyser, &[], 48_000.0, 1.0);
        assert!(spectrum.is_silent());
        assert!(spectrum.held_db.iter().any(|db| *db > -2.0));
    }
}
