//! A second-order high-pass for detectors, whose corner may move at every frame.

use std::f64::consts::{PI, SQRT_2};

/// Butterworth, 12 dB an octave, for two channels at once: a state-variable filter by trapezoidal
/// integration (Zavalishin, "The Art of VA Filter Design", 2018, chapter 4), which stays stable
/// while its corner moves. In f64, since a corner of 20 Hz at 384 kHz is below the resolution of
/// f32 integrators.
#[derive(Debug, Clone, Copy, Default)]
pub struct HighPass {
    first: [f64; 2],
    second: [f64; 2],
}

/// What a frame costs at one corner: the filter in state-space form, which has a shorter serial
/// chain than its two integrators one behind the other.
#[derive(Debug, Clone, Copy)]
pub struct HighPassGains {
    /// Output: `out_in * (x - second) - out_first * first`.
    out_in: f64,
    out_first: f64,
    /// `first += in_first * (x - second) - leak_first * first`.
    in_first: f64,
    leak_first: f64,
    /// `second += from_first * first + in_second * (x - second)`.
    from_first: f64,
    in_second: f64,
}

impl HighPass {
    /// `[any]` The corner as the filter takes it: the prewarped integrator gain. Corners from
    /// 0.49 of the sample rate on are held there.
    pub fn tuning(corner_hz: f64, sample_rate_hz: f64) -> f32 {
        (PI * (corner_hz / sample_rate_hz).min(0.49)).tan() as f32
    }

    /// `[audio]` Passes one frame of both channels.
    #[inline(always)]
    pub fn tick(&mut self, samples: [f32; 2], gains: &HighPassGains) -> [f32; 2] {
        let mut out = [0.0; 2];
        for c in 0..2 {
            let (x, first, second) = (f64::from(samples[c]), self.first[c], self.second[c]);
            out[c] = (gains.out_in * (x - second) - gains.out_first * first) as f32;
            // What hangs on the input alone comes first: it is not in the serial chain.
            self.first[c] =
                (gains.in_first * x + (1.0 - gains.leak_first) * first) - gains.in_first * second;
            self.second[c] =
                (gains.in_second * x + (1.0 - gains.in_second) * second) + gains.from_first * first;
        }
        out
    }
}

impl HighPassGains {
    /// `[any]` Those of a corner given by [`HighPass::tuning`].
    #[inline(always)]
    pub fn new(tuning: f32) -> Self {
        let g = f64::from(tuning);
        let out_in = 1.0 / (1.0 + g * (g + SQRT_2));
        let out_first = out_in * (g + SQRT_2);
        // high = out_in (x - second) - out_first first; band = g high + first;
        // first += 2 g high; second += 2 g band.
        Self {
            out_in,
            out_first,
            in_first: 2.0 * g * out_in,
            leak_first: 2.0 * g * out_first,
            from_first: 2.0 * g * (1.0 - g * out_first),
            in_second: 2.0 * g * g * out_in,
        }
    }
}
