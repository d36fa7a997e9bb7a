//! Measurements of what comes out.

use realfft::RealFftPlanner;

/// Highest absolute value.
pub fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, s| peak.max(s.abs()))
}

/// The highest absolute difference of two signals, in dB relative to full scale.
pub fn difference_dbfs(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    let highest = pairs.fold(0.0f64, |peak, (a, b)| {
        peak.max((f64::from(*a) - f64::from(*b)).abs())
    });
    20.0 * highest.max(1e-20).log10()
}

/// The peak of what a signal holds above `corner_hz`, in dBFS: everything below is taken out by a
/// linear-phase filter in the frequency domain, with a raised-cosine edge from 0.8 of the corner.
/// The signal is faded at both ends so that its cut ends do not count.
pub fn residual_above_dbfs(samples: &[f32], corner_hz: f64, rate_hz: u32) -> f64 {
    let frames = samples.len();
    let edge = (rate_hz as usize / 20).min(frames / 4);
    let mut windowed = vec![0.0f64; frames.next_power_of_two() * 2];
    for (i, sample) in samples.iter().enumerate() {
        let from_end = i.min(frames - 1 - i) as f64 / edge as f64;
        let window = if from_end < 1.0 {
            // Twice smooth, so that the window itself reaches nowhere near the corner.
            let x = from_end;
            x * x * x * x * (35.0 - 84.0 * x + 70.0 * x * x - 20.0 * x * x * x)
        } else {
            1.0
        };
        windowed[i] = f64::from(*sample) * window;
    }
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(windowed.len());
    let inverse = planner.plan_fft_inverse(windowed.len());
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut windowed, &mut spectrum)
        .expect("lengths fit");
    let bin_hz = f64::from(rate_hz) / windowed.len() as f64;
    let (from_hz, to_hz) = (0.8 * corner_hz, corner_hz);
    for (bin, value) in spectrum.iter_mut().enumerate() {
        let freq_hz = bin as f64 * bin_hz;
        let gain = if freq_hz <= from_hz {
            0.0
        } else if freq_hz >= to_hz {
            1.0
        } else {
            0.5 - 0.5 * (std::f64::consts::PI * (freq_hz - from_hz) / (to_hz - from_hz)).cos()
        };
        *value *= gain;
    }
    inverse
        .process(&mut spectrum, &mut windowed)
        .expect("lengths fit");
    let scale = 1.0 / windowed.len() as f64;
    let highest = windowed[..frames]
        .iter()
        .fold(0.0f64, |peak, s| peak.max((s * scale).abs()));
    20.0 * highest.max(1e-20).log10()
}

/// Resident memory of this process in bytes.
pub fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
    let pages: usize = statm
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|field| field.parse().ok())
        .expect("statm's second field is the resident pages");
    pages * 4096
}

/// Addresses that this process has mapped, in bytes, but for the two mappings that grow by themselves: the
/// allocator's heap and the first thread's stack. What an allocator maps for other threads is of one size.
pub fn mapped_bytes() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has /proc");
    let grows = |line: &&str| line.ends_with("[heap]") || line.ends_with("[stack]");
    let bytes = |line: &str| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).ok());
        Some(end? - start?)
    };
    let lines = maps.lines().filter(|line| !grows(line));
    lines
        .map(|line| bytes(line).expect("a line of maps begins with two addresses"))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::sine;

    #[test]
    fn a_click_is_seen_and_a_low_sine_is_not() {
        let mut samples = sine(50.0, 0.5, 48_000, 48_000);
        assert!(residual_above_dbfs(&samples, 2_000.0, 48_000) < -120.0);
        // A step of -40 dB has about a quarter of its height left above a high corner.
        for sample in &mut samples[24_000..] {
            *sample += 0.01;
        }
        let seen = residual_above_dbfs(&samples, 2_000.0, 48_000);
        assert!((-52.0..-40.0).contains(&seen), "{seen} dB");
    }
}
