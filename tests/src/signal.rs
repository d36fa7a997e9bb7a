//! Test signals, the same at every run.

/// Numbers that look random and are the same at every run (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence; each seed gives another.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 up to, not including, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 33) as usize % end
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// A sine of `amplitude`.
pub fn sine(freq_hz: f64, amplitude: f32, rate_hz: u32, frames: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU * freq_hz / f64::from(rate_hz);
    (0..frames)
        .map(|i| amplitude * (step * i as f64).sin() as f32)
        .collect()
}

/// White noise between `-amplitude` and `amplitude`.
pub fn noise(seed: u64, amplitude: f32, frames: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..frames)
        .map(|_| amplitude * (2.0 * random.unit() - 1.0))
        .collect()
}

/// Something like music: noise in bursts that decay, over a low tone, with rests.
pub fn programme(seed: u64, rate_hz: u32, frames: usize) -> Vec<f32> {
    let tone = sine(110.0, 0.3, rate_hz, frames);
    let noise = noise(seed, 0.6, frames);
    let burst_frames = rate_hz as usize / 5;
    tone.iter()
        .zip(&noise)
        .enumerate()
        .map(|(i, (tone, noise))| {
            let decay = (-6.0 * (i % burst_frames) as f32 / burst_frames as f32).exp();
            let rest = (i / burst_frames) % 7 == 6;
            if rest { 0.0 } else { tone + noise * decay }
        })
        .collect()
}

/// Silence with one sample of 1 at `at`.
pub fn impulse(at: usize, frames: usize) -> Vec<f32> {
    let mut samples = vec![0.0; frames];
    samples[at] = 1.0;
    samples
}
