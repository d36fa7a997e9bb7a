//! Finds a known signal in what came back: at which delay, how loud, and how surely.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// The match stands out of all other delays by this many times their mean (RMS): chance does not reach 6 in
/// a lifetime of measurements.
const LEAST_RISE: f64 = 8.0;
/// So close to the match, in frames, its own foot lies: what filters smear.
const FOOT_FRAMES: usize = 64;

/// A signal that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Match {
    pub(super) delay_frames: usize,
    /// How loud it came back, linear; negative when it came back upside down.
    pub(super) gain: f64,
    /// By how much it stands out of the next best delay: 1 without a doubt, 0 not at all.
    pub(super) confidence: f64,
}

/// `[main]` Looks for `signal` in `heard`, delayed by 0 to `longest_frames`; `None` when it is not there.
pub(super) fn find(signal: &[f32], heard: &[f32], longest_frames: usize) -> Option<Match> {
    let energy: f64 = signal.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let delays = correlate(signal, heard, longest_frames);
    let (delay_frames, best) = delays
        .iter()
        .copied()
        .enumerate()
        .max_by(|(_, one), (_, other)| one.abs().total_cmp(&other.abs()))?;
    let others = || {
        delays
            .iter()
            .enumerate()
            .filter(|(delay, _)| delay.abs_diff(delay_frames) > FOOT_FRAMES)
            .map(|(_, value)| value.abs())
    };
    let count = others().count().max(1) as f64;
    let mean = (others().map(|value| value * value).sum::<f64>() / count).sqrt();
    if best == 0.0 || best.abs() < LEAST_RISE * mean {
        return None;
    }
    let next = others().fold(0.0, f64::max);
    Some(Match {
        delay_frames,
        gain: best / energy,
        confidence: 1.0 - next / best.abs(),
    })
}

/// The products of `signal` with `heard` for every delay from 0 to `longest_frames`, by way of their spectra.
fn correlate(signal: &[f32], heard: &[f32], longest_frames: usize) -> Vec<f64> {
    let size = (signal.len() + longest_frames + 1).next_power_of_two() * 2;
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, back) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let spectrum = |samples: &[f32]| -> Option<Vec<Complex<f64>>> {
        let mut padded = vec![0.0; size];
        let wanted = samples.iter().take(signal.len() + longest_frames);
        for (to, sample) in padded.iter_mut().zip(wanted) {
            *to = f64::from(*sample);
        }
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).ok()?;
        Some(spectrum)
    };
    let mut delays = vec![0.0; size];
    let product = spectrum(signal).zip(spectrum(heard)).map(|(one, other)| {
        one.iter()
            .zip(&other)
            .map(|(one, other)| one.conj() * other)
            .collect::<Vec<_>>()
    });
    if let Some(mut product) = product {
        // The ends of the spectrum of something real are real; rounding may leave a trace beside.
        if let [first, .., last] = &mut product[..] {
            first.im = 0.0;
            last.im = 0.0;
        }
        if back.process(&mut product, &mut delays).is_err() {
            delays.fill(0.0);
        }
    }
    delays.truncate(longest_frames + 1);
    delays.iter_mut().for_each(|value| *value /= size as f64);
    delays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(frames: usize) -> Vec<f32> {
        (0..frames)
            .map(super::super::probe::noise(frames))
            .collect()
    }

    fn hiss(frames: usize, level: f32) -> Vec<f32> {
        let mut state = 1_u32;
        (0..frames)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                level * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            })
            .collect()
    }

    fn delayed(signal: &[f32], delay: usize, gain: f32, mut into: Vec<f32>) -> Vec<f32> {
        for (to, sample) in into[delay..].iter_mut().zip(signal) {
            *to += gain * sample;
        }
        into
    }

    #[test]
    fn a_cable_is_measured_to_the_frame_with_its_gain_and_without_doubt() {
        let signal = noise(33_600);
        for delay in [0, 1, 128, 12_345, 48_000] {
            let heard = delayed(&signal, delay, 0.25, vec![0.0; 90_000]);
            let found = find(&signal, &heard, 48_000).unwrap();
            assert_eq!(found.delay_frames, delay);
            assert!((found.gain - 0.25).abs() < 1e-6, "{found:?}");
            assert!(found.confidence > 0.95, "{found:?}");
        }
    }

    #[test]
    fn a_quiet_noisy_room_with_an_echo_is_measured_by_its_direct_sound() {
        let signal = noise(33_600);
        // The noise of the room is 14 dB louder than what comes back.
        let heard = delayed(&signal, 3000, 0.03, hiss(90_000, 0.026));
        let heard = delayed(&signal, 3700, -0.02, heard);
        let found = find(&signal, &heard, 48_000).unwrap();
        assert_eq!(found.delay_frames, 3000);
        assert!((0.1..0.6).contains(&found.confidence), "{found:?}");
    }

    #[test]
    fn what_comes_back_upside_down_is_told() {
        let signal = noise(10_000);
        let heard = delayed(&signal, 700, -0.5, vec![0.0; 30_000]);
        let found = find(&signal, &heard, 8_000).unwrap();
        assert_eq!(found.delay_frames, 700);
        assert!((found.gain + 0.5).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn silence_and_foreign_sound_are_no_match() {
        let signal = noise(33_600);
        assert_eq!(find(&signal, &[0.0; 90_000], 48_000), None);
        assert_eq!(find(&signal, &[], 48_000), None);
        assert_eq!(find(&signal, &hiss(90_000, 0.5), 48_000), None);
        let hum: Vec<f32> = (0..90_000).map(|at| (at as f32 * 0.0065).sin()).collect();
        assert_eq!(find(&signal, &hum, 48_000), None);
    }
}
