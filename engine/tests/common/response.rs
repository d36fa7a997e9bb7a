//! Feeds one module and measures the response of what is linear.
#![allow(dead_code)] // Each test program uses its part.

use headroom_engine::{Block, Catalog, Kind, Module};

/// The built-in kind `id`.
pub(crate) fn kind(id: &str) -> &'static Kind {
    Catalog::builtin().find(id).expect("a built-in kind")
}

/// Sets a parameter of the built-in kind `id` by its name.
pub(crate) fn set(module: &mut dyn Module, id: &str, param: &str, value: f32) {
    let index = kind(id)
        .param_index(param)
        .expect("a parameter of the kind");
    module.set_param(index, value);
}

/// Runs a mono signal in place, in chunks of 64 frames.
pub(crate) fn run_mono(module: &mut dyn Module, signal: &mut [f32]) {
    let mut position = 0;
    for chunk in signal.chunks_mut(64) {
        let frames = chunk.len() as u64;
        module.process(&mut Block::mono(chunk, position));
        position += frames;
    }
}

/// Runs a stereo signal in place, in chunks whose sizes `next_chunk` gives (it is held to 1 to 64).
pub(crate) fn run_stereo(
    module: &mut dyn Module,
    left: &mut [f32],
    right: &mut [f32],
    mut next_chunk: impl FnMut() -> usize,
) {
    let mut at = 0;
    while at < left.len() {
        let end = (at + next_chunk().clamp(1, 64)).min(left.len());
        let mut block = Block::stereo(&mut left[at..end], &mut right[at..end], at as u64);
        module.process(&mut block);
        at = end;
    }
}

/// The magnitude of the response to an impulse, in dB, at `hz`: its Fourier integral at exactly
/// that frequency.
pub(crate) fn magnitude_db(response: &[f32], hz: f64, sample_rate_hz: f64) -> f64 {
    let (sin, cos) = (std::f64::consts::TAU * hz / sample_rate_hz).sin_cos();
    let (mut re, mut im) = (0.0, 0.0);
    let (mut c, mut s) = (1.0f64, 0.0f64);
    for (i, &sample) in response.iter().enumerate() {
        re += f64::from(sample) * c;
        im += f64::from(sample) * s;
        (c, s) = (c * cos - s * sin, c * sin + s * cos);
        if i % 1024 == 1023 {
            let norm = 1.0 / c.hypot(s);
            (c, s) = (c * norm, s * norm);
        }
    }
    20.0 * re.hypot(im).max(1e-12).log10()
}

/// The part of a signal above `corner_hz`: a Blackman-windowed sinc of 2047 taps, whose stop band
/// is more than 100 dB down some 70 Hz (at 48 kHz) below the corner. The first and last 1023 frames
/// are left out.
pub(crate) fn above(signal: &[f32], corner_hz: f64, sample_rate_hz: f64) -> Vec<f32> {
    const HALF: i64 = 1023;
    let w = std::f64::consts::TAU * corner_hz / sample_rate_hz;
    let low: Vec<f64> = (-HALF..=HALF)
        .map(|i| {
            let phase = std::f64::consts::PI * i as f64 / (HALF + 1) as f64;
            let window = 0.42 + 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos();
            let sinc = if i == 0 {
                w
            } else {
                (w * i as f64).sin() / i as f64
            };
            window * sinc / std::f64::consts::PI
        })
        .collect();
    let sum: f64 = low.iter().sum();
    signal
        .windows(low.len())
        .map(|window| {
            let middle = f64::from(window[HALF as usize]);
            let dot = |(a, b): (&f32, &f64)| f64::from(*a) * b;
            (middle - window.iter().zip(&low).map(dot).sum::<f64>() / sum) as f32
        })
        .collect()
}

/// The largest magnitude, in dB of full scale.
pub(crate) fn peak_dbfs(signal: &[f32]) -> f32 {
    20.0 * signal
        .iter()
        .fold(1e-20f32, |peak, x| peak.max(x.abs()))
        .log10()
}
