//! The instruments of the demo's loop, each a function from a note to its samples.

use crate::loop_music::SAMPLE_RATE_HZ;
use std::f64::consts::TAU;

pub(crate) use crate::loop_singer::{LEAD_SECS, Sung, Vowel, sing};

const RATE_HZ: f64 = SAMPLE_RATE_HZ as f64;

/// White noise, uniform in -1 to 1, the same for the same seed (SplitMix64).
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// A state-variable filter (trapezoidal, as in A. Simper, "Solving the continuous SVF equations
/// using trapezoidal integration"), all three outputs at once.
#[derive(Clone, Copy, Default)]
pub(crate) struct Svf {
    ic1: f64,
    ic2: f64,
}

impl Svf {
    /// Returns low-pass, band-pass (0 dB at the centre) and high-pass.
    pub(crate) fn next(&mut self, x: f64, freq_hz: f64, q: f64) -> [f64; 3] {
        let g = (std::f64::consts::PI * freq_hz.min(0.45 * RATE_HZ) / RATE_HZ).tan();
        let k = 1.0 / q;
        let a1 = 1.0 / (1.0 + g * (g + k));
        let v3 = x - self.ic2;
        let v1 = a1 * self.ic1 + g * a1 * v3;
        let v2 = self.ic2 + g * v1;
        self.ic1 = 2.0 * v1 - self.ic1;
        self.ic2 = 2.0 * v2 - self.ic2;
        [v2, k * v1, x - k * v1 - v2]
    }
}

/// Frequency of a MIDI key.
pub(crate) fn key_hz(key: f64) -> f64 {
    440.0 * ((key - 69.0) / 12.0).exp2()
}

/// A band-limited saw: the step is rounded over two samples (PolyBLEP).
pub(crate) fn saw(phase: f64, step: f64) -> f64 {
    let naive = 2.0 * phase - 1.0;
    if phase < step {
        let t = phase / step;
        naive - (t + t - t * t - 1.0)
    } else if phase > 1.0 - step {
        let t = (phase - 1.0) / step;
        naive - (t * t + t + t + 1.0)
    } else {
        naive
    }
}

fn sound(secs: f64, mut sample: impl FnMut(f64) -> f64) -> Vec<f32> {
    let frames = (secs * RATE_HZ) as usize;
    // The last 5 ms fade, so that no voice ends in a step.
    let fade_frames = 0.005 * RATE_HZ;
    (0..frames)
        .map(|i| {
            let fade = ((frames - i) as f64 / fade_frames).min(1.0);
            (sample(i as f64 / RATE_HZ) * fade) as f32
        })
        .collect()
}

/// Attack that starts from zero with zero slope, `secs` long.
fn rise(t: f64, secs: f64) -> f64 {
    let x = (t / secs).min(1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Bass drum: a sine falling from 190 to 49 Hz, with a click of the beater.
pub(crate) fn kick(velocity: f64) -> Vec<f32> {
    let mut phase = 0.0;
    let mut noise = Noise::new(7);
    let mut click = Svf::default();
    sound(0.42, |t| {
        let freq_hz = 49.0 + 141.0 * (-t / 0.022).exp() + 240.0 * (-t / 0.004).exp();
        phase += freq_hz / RATE_HZ;
        let body = (TAU * phase).sin() * (-t / 0.13).exp();
        let [_, band, _] = click.next(noise.next(), 3_400.0, 0.8);
        let beater = band * (-t / 0.0035).exp();
        let driven = (1.6 * body).tanh() / 1.6f64.tanh();
        velocity * rise(t, 0.001) * (driven + 0.55 * velocity * beater)
    })
}

/// Snare drum: two modes of the head and the wires' noise; soft hits are darker.
pub(crate) fn snare(velocity: f64, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(100 + seed);
    let (mut wires, mut top) = (Svf::default(), Svf::default());
    let (mut phase_1, mut phase_2) = (0.0, 0.0);
    sound(0.32, |t| {
        let bend = 1.0 + 0.25 * (-t / 0.012).exp();
        phase_1 += 186.0 * bend / RATE_HZ;
        phase_2 += 331.0 * bend / RATE_HZ;
        let head = 0.62 * (TAU * phase_1).sin() * (-t / 0.075).exp()
            + 0.34 * (TAU * phase_2).sin() * (-t / 0.05).exp();
        let [_, band, _] = wires.next(noise.next(), 2_600.0 + 2_200.0 * velocity, 0.5);
        let [_, _, bright] = top.next(band, 900.0, 0.7);
        let rattle = bright * (0.75 * (-t / 0.085).exp() + 0.9 * (-t / 0.009).exp());
        velocity * rise(t, 0.0006) * (head + 0.85 * rattle)
    })
}

/// Hi-hat: six square waves in metal's ratios and noise, high-passed.
pub(crate) fn hat(velocity: f64, open: bool, seed: u64) -> Vec<f32> {
    const METAL_HZ: [f64; 6] = [2_050.0, 3_043.0, 3_695.0, 5_227.0, 5_403.0, 8_011.0];
    let mut noise = Noise::new(200 + seed);
    let (mut low_cut, mut low_cut_2, mut ring) = (Svf::default(), Svf::default(), Svf::default());
    let mut phases = [0.0f64; 6];
    let (length_secs, decay_secs) = if open { (0.30, 0.11) } else { (0.11, 0.022) };
    sound(length_secs, |t| {
        let mut metal = 0.0;
        for (phase, hz) in phases.iter_mut().zip(METAL_HZ) {
            let step = hz / RATE_HZ;
            *phase = (*phase + step).fract();
            metal += saw(*phase, step) - saw((*phase + 0.5).fract(), step);
        }
        let x = 0.16 * metal + 0.7 * noise.next();
        let [_, _, x] = low_cut.next(x, 7_200.0, 0.7);
        let [_, _, x] = low_cut_2.next(x, 6_000.0, 0.7);
        let [_, band, _] = ring.next(x, 9_800.0, 1.5);
        velocity * rise(t, 0.0008) * (0.6 * x + 0.7 * band) * (-t / decay_secs).exp()
    })
}

/// Bass guitar: a saw under a closing filter and a sine an octave of weight below it.
pub(crate) fn bass(key: u32, secs: f64, velocity: f64) -> Vec<f32> {
    let freq_hz = key_hz(f64::from(key));
    let mut phase = 0.0;
    let (mut low_1, mut low_2) = (Svf::default(), Svf::default());
    sound(secs + 0.06, |t| {
        let step = freq_hz / RATE_HZ;
        phase = (phase + step) % 1.0;
        let cutoff_hz = 190.0 + 1_500.0 * velocity * (-t / 0.09).exp();
        let [x, ..] = low_1.next(saw(phase, step), cutoff_hz, 0.9);
        let [x, ..] = low_2.next(x, 2.0 * cutoff_hz, 0.7);
        let mixed = 0.8 * x + 0.75 * (TAU * phase).sin();
        let release = (1.0 - (t - secs).max(0.0) / 0.06).clamp(0.0, 1.0);
        velocity
            * rise(t, 0.004)
            * (1.3 * mixed).tanh()
            * (0.55 + 0.45 * (-t / 0.25).exp())
            * release
    })
}

/// Electric piano: two-operator FM, a tine that dies away over a body that stays.
pub(crate) fn piano(key: u32, secs: f64, velocity: f64) -> Vec<f32> {
    let freq_hz = key_hz(f64::from(key));
    sound(secs + 0.12, |t| {
        let tine =
            (TAU * 14.0 * freq_hz.min(900.0) * t).sin() * 0.16 * velocity * (-t / 0.05).exp();
        let depth = (0.35 + 1.5 * velocity * velocity) * (-t / 0.45).exp();
        let body = (TAU * freq_hz * t + depth * (TAU * freq_hz * t).sin()).sin();
        let detuned = (TAU * freq_hz * 1.0035 * t).sin();
        let release = (1.0 - (t - secs).max(0.0) / 0.12).clamp(0.0, 1.0);
        let envelope = 0.3 + 0.7 * (-t / 0.7).exp();
        velocity * rise(t, 0.003) * (0.75 * body + 0.25 * detuned + tine) * envelope * release
    })
}
