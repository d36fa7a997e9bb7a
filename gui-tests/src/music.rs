//! Sound to be looked at: the same every time.

/// The rate of it.
pub const RATE_HZ: u32 = 48_000;

/// Frame `frame` of a chord with a beat and some breath, before the rack.
pub fn before(frame: u64) -> [f32; 2] {
    let secs = frame as f64 / f64::from(RATE_HZ);
    let beat = (-(secs * 2.0).fract() * 3.0).exp();
    let mut left = 0.0;
    let mut right = 0.0;
    for (voice, hz) in [110.0, 164.8, 220.0, 277.2, 440.0].into_iter().enumerate() {
        for harmonic in 1..9 {
            let phase = secs * hz * f64::from(harmonic) + voice as f64 * 0.31;
            let tone =
                (phase.fract() * std::f64::consts::TAU).sin() / f64::from(harmonic).powf(1.3);
            let pan = (voice as f64 - 2.0) * 0.18;
            left += tone * (0.5 - pan);
            right += tone * (0.5 + pan);
        }
    }
    let noise = |seed: u64| {
        let mut x = frame.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed;
        x ^= x >> 30;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 27;
        (x >> 40) as f64 / f64::from(1u32 << 23) - 1.0
    };
    let breath = 0.03 + 0.10 * (-(secs * 4.0).fract() * 9.0).exp();
    let level = 0.10 + 0.22 * beat;
    [
        (left * level + noise(1) * breath) as f32,
        (right * level + noise(2) * breath) as f32,
    ]
}

/// The same behind a rack that takes some of the top away and turns it up a little.
pub fn after(frames: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut low = [0.0f32; 2];
    let mut out = Vec::with_capacity(frames.len());
    for frame in frames {
        for (state, sample) in low.iter_mut().zip(frame) {
            *state += (sample - *state) * 0.35;
        }
        out.push([low[0] * 1.3, low[1] * 1.3]);
    }
    out
}

/// `count` frames from `first` on.
pub fn frames(first: u64, count: usize) -> Vec<[f32; 2]> {
    (0..count as u64)
        .map(|index| before(first + index))
        .collect()
}
