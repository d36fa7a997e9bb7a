//! The signal that everything is measured with: music's statistics without anybody's music.
//!
//! Pink noise, decaying tones and bursts, -1 dBFS at its peak; the level falls by 10 dB every 5 s,
//! and half a second in every ten is nearly silent. So envelopes move, gates open and close, and
//! a denormal would show.

use crate::SAMPLE_RATE_HZ;

/// Peak of the whole signal, which stands before its level falls.
const PEAK_DBFS: f64 = -1.0;
/// Level of the half seconds of near silence.
const SILENCE_DBFS: f64 = -100.0;

/// `[main]` The first `frames` of the signal, left and right, the same every time.
pub fn stereo(frames: usize) -> [Vec<f32>; 2] {
    let mut channels = [channel(frames, 1), channel(frames, 2)];
    for samples in &mut channels {
        for (i, x) in samples.iter_mut().enumerate() {
            *x = (f64::from(*x) * level(i)) as f32;
        }
    }
    let peak = channels
        .iter()
        .flatten()
        .fold(1e-9f32, |peak, x| peak.max(x.abs()));
    let gain = (amplitude(PEAK_DBFS) / f64::from(peak)) as f32;
    for x in channels.iter_mut().flatten() {
        *x *= gain;
    }
    channels
}

/// How loud frame `i` is, relative to the start.
fn level(i: usize) -> f64 {
    let secs = i as f64 / f64::from(SAMPLE_RATE_HZ);
    if secs % 10.0 >= 9.5 {
        amplitude(SILENCE_DBFS)
    } else {
        amplitude(-10.0 * (secs / 5.0).floor())
    }
}

fn channel(frames: usize, seed: u64) -> Vec<f32> {
    let mut noise = Noise(seed);
    let mut pink = Pink::default();
    let rate_hz = f64::from(SAMPLE_RATE_HZ);
    (0..frames)
        .map(|i| {
            let secs = i as f64 / rate_hz;
            let white = noise.next();
            // A new tone every 0.7 s, two octaves apart in turn, gone after half a second.
            let (tone, age_secs) = ((secs / 0.7).floor(), secs % 0.7);
            let freq_hz = 110.0 * (tone % 5.0 + 0.3 * seed as f64).exp2();
            let tone =
                (std::f64::consts::TAU * freq_hz * age_secs).sin() * (-age_secs / 0.15).exp();
            let burst = if secs % 1.3 < 0.01 { white } else { 0.0 };
            (0.5 * pink.next(white) + 0.8 * tone + 0.7 * burst) as f32
        })
        .collect()
}

fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

/// White noise, uniform in -1 to 1 (SplitMix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// White to pink by five one-poles an octave and a half apart (P. Kellet's economy of the Voss
/// method), -3 dB an octave within 0.5 dB from 40 Hz up at 48 kHz.
#[derive(Default)]
struct Pink([f64; 6]);

impl Pink {
    fn next(&mut self, white: f64) -> f64 {
        const POLES: [(f64, f64); 6] = [
            (0.99886, 0.0555179),
            (0.99332, 0.0750759),
            (0.96900, 0.1538520),
            (0.86650, 0.3104856),
            (0.55000, 0.5329522),
            (-0.7616, -0.0168980),
        ];
        let mut sum = 0.5362 * white;
        for (state, (pole, gain)) in self.0.iter_mut().zip(POLES) {
            *state = pole * *state + gain * white;
            sum += *state;
        }
        0.11 * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak_dbfs(samples: &[f32]) -> f64 {
        let peak = samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        20.0 * f64::from(peak).log10()
    }

    #[test]
    fn the_signal_starts_at_its_peak_falls_and_is_nearly_silent_before_ten_seconds() {
        let rate = SAMPLE_RATE_HZ as usize;
        let channels = stereo(11 * rate);
        let loudest = peak_dbfs(&channels[0]).max(peak_dbfs(&channels[1]));
        assert!((loudest - PEAK_DBFS).abs() < 0.01, "{loudest}");
        for samples in &channels {
            let first = peak_dbfs(&samples[..5 * rate]);
            let second = peak_dbfs(&samples[5 * rate..9 * rate]);
            assert!((first - second - 10.0).abs() < 3.0, "{first} {second}");
            assert!(peak_dbfs(&samples[rate * 19 / 2..10 * rate]) < -95.0);
        }
        assert_ne!(channels[0], channels[1]);
    }
}
