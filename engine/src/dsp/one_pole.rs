//! First-order low- and high-pass, 6 dB an octave.

use std::f64::consts::PI;

/// A one-pole low-pass for two channels at once, by trapezoidal integration: exactly -3 dB at its
/// corner, a zero at half the sample rate. The high-pass is what it leaves. In f64, so that a corner
/// of 20 Hz at 384 kHz removes DC as well as it should.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnePole {
    state: [f64; 2],
}

impl OnePole {
    /// `[any]` The corner as the filter takes it. Corners from 0.49 of the sample rate on are held
    /// there.
    pub fn tuning(corner_hz: f64, sample_rate_hz: f64) -> f32 {
        let g = (PI * (corner_hz / sample_rate_hz).min(0.49)).tan();
        (g / (1.0 + g)) as f32
    }

    /// `[audio]` The low-passed frame, at a corner given by [`OnePole::tuning`].
    #[inline(always)]
    pub fn low(&mut self, samples: [f64; 2], tuning: f64) -> [f64; 2] {
        let mut low = [0.0; 2];
        for c in 0..2 {
            let state = self.state[c];
            low[c] = state + tuning * (samples[c] - state);
            self.state[c] = state * (1.0 - 2.0 * tuning) + samples[c] * (2.0 * tuning);
        }
        low
    }
}
