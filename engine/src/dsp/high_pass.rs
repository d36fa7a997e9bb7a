//! A second-order high-pass for detectors, whose corner may move at every frame.

use std::f64::consts::{PI, SQRT_2};

/// Butterworth, 12 dB an octave: a state-variable filter by trapezoidal integration (Zavalishin,
/// "The Art of VA Filter Design", 2018, chapter 4), which stays stable while its corner moves. In
/// f64, since a corner of 20 Hz at 384 kHz is below the resolution of f32 integrators.
#[derive(Debug, Clone, Copy, Default)]
pub struct HighPass {
    first: f64,
    second: f64,
}

impl HighPass {
    /// [any] The corner as the filter takes it: the prewarped integrator gain. Corners from
    /// 0.49 of the sample rate on are held there.
    pub fn tuning(corner_hz: f64, sample_rate_hz: f64) -> f32 {
        (PI * (corner_hz / sample_rate_hz).min(0.49)).tan() as f32
    }

    /// [audio] Passes one frame at a corner given by [`HighPass::tuning`].
    #[inline(always)]
    pub fn tick(&mut self, sample: f32, tuning: f32) -> f32 {
        self.step(f64::from(sample), Gains::new(f64::from(tuning)))
    }

    /// [audio] Filters all of `samples` in place at one corner: the same frames as
    /// [`HighPass::tick`] gives, without its division.
    pub fn process(&mut self, samples: &mut [f32], tuning: f32) {
        let gains = Gains::new(f64::from(tuning));
        let mut state = *self;
        for sample in samples {
            *sample = state.step(f64::from(*sample), gains);
        }
        *self = state;
    }

    #[inline(always)]
    fn step(&mut self, sample: f64, gains: Gains) -> f32 {
        let rest = sample - self.second;
        let band = gains.a1 * self.first + gains.a2 * rest;
        let low = self.second + gains.a2 * self.first + gains.a3 * rest;
        self.first = 2.0 * band - self.first;
        self.second = 2.0 * low - self.second;
        (sample - SQRT_2 * band - low) as f32
    }
}

#[derive(Clone, Copy)]
struct Gains {
    a1: f64,
    a2: f64,
    a3: f64,
}

impl Gains {
    #[inline(always)]
    fn new(g: f64) -> Self {
        let a1 = 1.0 / (1.0 + g * (g + SQRT_2));
        let a2 = g * a1;
        Self { a1, a2, a3: g * a2 }
    }
}
