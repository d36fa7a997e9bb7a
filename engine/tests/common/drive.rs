//! Drives one module the way a rack does, and measures what comes out.
#![allow(dead_code)] // Each test program uses its part.

use headroom_engine::{Block, CHUNK_FRAMES, Catalog, GRID_FRAMES, Module};

/// Parameter `id` goes to `value` in front of frame `frame`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) frame: usize,
    pub(crate) id: &'a str,
    pub(crate) value: f32,
}

/// A small generator of numbers that look random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to below 1.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// 0 to below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn noise(&mut self, frames: usize, peak: f32) -> Vec<f32> {
        (0..frames)
            .map(|_| peak * (2.0 * self.unit() - 1.0))
            .collect()
    }
}

pub(crate) fn param_index(kind: &str, id: &str) -> usize {
    let catalog = Catalog::builtin();
    let kind = catalog.find(kind).expect("a built-in kind");
    kind.param_index(id).expect("a parameter of the kind")
}

/// Runs `module` over the channels (one or two of the same length) from frame 0, in blocks whose
/// sizes `block_frames` gives, with chunks cut as the rack cuts them.
pub(crate) fn run_with(
    module: &mut dyn Module,
    kind: &str,
    mut channels: Vec<Vec<f32>>,
    changes: &[Change<'_>],
    mut block_frames: impl FnMut() -> usize,
) -> Vec<Vec<f32>> {
    let changes: Vec<(usize, usize, f32)> = changes
        .iter()
        .map(|change| (change.frame, param_index(kind, change.id), change.value))
        .collect();
    let frames = channels[0].len();
    let mut changes = changes.iter().peekable();
    let (mut at, mut block_end) = (0, 0);
    while at < frames {
        while block_end <= at {
            block_end = (at + block_frames()).min(frames);
        }
        while let Some((_, index, value)) = changes.next_if(|change| change.0 <= at) {
            module.set_param(*index, *value);
        }
        let mut end = block_end.min(at / GRID_FRAMES * GRID_FRAMES + CHUNK_FRAMES);
        if let Some(change) = changes.peek() {
            end = end.min(change.0);
        }
        let (left, right) = channels.split_at_mut(1);
        let left = &mut left[0][at..end];
        let mut block = match right.first_mut() {
            Some(right) => Block::stereo(left, &mut right[at..end], at as u64),
            None => Block::mono(left, at as u64),
        };
        module.process(&mut block);
        at = end;
    }
    channels
}

/// As [`run_with`], in blocks of 64.
pub(crate) fn run(module: &mut dyn Module, channels: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    run_with(module, "gain", channels, &[], || 64)
}

/// As [`run`], for one channel.
pub(crate) fn run_mono(module: &mut dyn Module, channel: &[f32]) -> Vec<f32> {
    run(module, vec![channel.to_vec()]).remove(0)
}

/// A sine of this peak that begins at its peak.
pub(crate) fn tone(frames: usize, hz: f64, rate_hz: f64, peak: f64) -> Vec<f32> {
    (0..frames)
        .map(|i| (peak * (std::f64::consts::TAU * hz * i as f64 / rate_hz).cos()) as f32)
        .collect()
}

pub(crate) fn gain(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

pub(crate) fn db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

pub(crate) fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    (sum / samples.len() as f64).sqrt()
}

/// Peak of what lies above `corner_hz`, by a windowed-sinc high-pass of 1,025 taps (Blackman, more
/// than 74 dB down below the corner by a twentieth of it at 48 kHz). The edges, where it would see
/// the signal begin and end, are left out.
pub(crate) fn peak_above(samples: &[f32], corner_hz: f64, rate_hz: f64) -> f64 {
    const HALF: usize = 512;
    let pi = std::f64::consts::PI;
    let low: Vec<f64> = (0..=2 * HALF)
        .map(|i| {
            let n = i as f64 - HALF as f64;
            let x = 2.0 * corner_hz / rate_hz;
            let sinc = if n == 0.0 {
                x
            } else {
                (pi * x * n).sin() / (pi * n)
            };
            let phase = pi * i as f64 / HALF as f64;
            sinc * (0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos())
        })
        .collect();
    let sum: f64 = low.iter().sum();
    (HALF..samples.len() - HALF)
        .map(|at| {
            let window = &samples[at - HALF..=at + HALF];
            let low: f64 = low.iter().zip(window).map(|(h, &x)| h * f64::from(x)).sum();
            (f64::from(samples[at]) - low / sum).abs()
        })
        .fold(0.0, f64::max)
}

pub(crate) fn bits(channels: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let channel = |samples: &Vec<f32>| samples.iter().map(|x| x.to_bits()).collect();
    channels.iter().map(channel).collect()
}
