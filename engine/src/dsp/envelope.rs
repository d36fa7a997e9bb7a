//! How a dynamics module hears its input: a sliding peak, a mean square, and the attack and release
//! that follow a target.

use super::fast_math::max;

/// Whole slices that a [`PeakWindow`] looks back on.
const SLICES: usize = 8;

/// The length of a [`PeakWindow`]: eight whole slices and the one that goes on. Slices begin at
/// multiples of their length on the absolute frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeakSpan {
    slice_frames: usize,
}

impl PeakSpan {
    /// [any] The span nearest to `window_secs`.
    pub fn new(window_secs: f64, sample_rate_hz: f64) -> Self {
        let slice_frames = window_secs * sample_rate_hz / (SLICES as f64 + 0.5);
        Self {
            slice_frames: (slice_frames.round() as usize).max(1),
        }
    }

    /// [any] How long a single peak is held, in frames, on average over where it falls in a slice;
    /// half a slice more or less, which is 6 %.
    pub fn hold_frames(&self) -> f64 {
        (SLICES as f64 + 0.5) * self.slice_frames as f64
    }
}

/// The largest magnitude of the last moments: a sine reads as its peak, without ripple, as long as
/// half its period fits into the span.
///
/// A maximum is kept for each slice of frames, so a frame costs two comparisons and the look back
/// is paid once a slice.
#[derive(Debug, Clone, Copy)]
pub struct PeakWindow {
    /// Largest magnitude in the current slice.
    current: f32,
    /// Largest of the slices in the span.
    held: f32,
    /// Maxima of past slices, the newest first.
    past: [f32; SLICES],
}

impl PeakWindow {
    /// [any] A window that has heard nothing.
    pub const fn new() -> Self {
        Self {
            current: 0.0,
            held: 0.0,
            past: [0.0; SLICES],
        }
    }

    /// [audio] Writes to `peaks` what the window reads at each of `samples`, the first of which is
    /// frame `position`. Both have the same length.
    pub fn process(&mut self, samples: &[f32], peaks: &mut [f32], position: u64, span: PeakSpan) {
        let slice = span.slice_frames;
        let mut phase = (position % slice as u64) as usize;
        let (mut samples, mut peaks) = (samples, peaks);
        while !samples.is_empty() && !peaks.is_empty() {
            if phase == 0 {
                self.next_slice();
            }
            let frames = (slice - phase).min(samples.len()).min(peaks.len());
            let (now, later) = samples.split_at(frames);
            let (out, out_later) = std::mem::take(&mut peaks).split_at_mut(frames);
            let (mut current, held) = (self.current, self.held);
            for (sample, peak) in now.iter().zip(out) {
                current = max(sample.abs(), current);
                *peak = max(current, held);
            }
            self.current = current;
            (samples, peaks) = (later, out_later);
            phase = 0;
        }
    }

    fn next_slice(&mut self) {
        self.past.copy_within(..SLICES - 1, 1);
        self.past[0] = self.current;
        self.current = 0.0;
        self.held = self.past.iter().fold(0.0, |held, &peak| max(peak, held));
    }
}

impl Default for PeakWindow {
    fn default() -> Self {
        Self::new()
    }
}

/// The mean square by two equal one-pole low-passes: a steady sine settles on half its squared
/// peak, with a ripple that falls by 12 dB an octave.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanSquare {
    first: f32,
    second: f32,
}

impl MeanSquare {
    /// [audio] Writes to `squares` the mean square at each of `samples`. `keep` is what remains of
    /// either low-pass after one frame, from [`keep_for`]; at least a half.
    pub fn process(&mut self, samples: &[f32], squares: &mut [f32], keep: f32) {
        // Exact for a keep of at least a half, so a constant settles on itself.
        let take = 1.0 - keep;
        let Self {
            mut first,
            mut second,
        } = *self;
        for (sample, square) in samples.iter().zip(squares) {
            first = first * keep + sample * sample * take;
            second = second * keep + first * take;
            *square = second;
        }
        *self = Self { first, second };
    }
}

/// [main] [audio] The part of a one-pole's distance that is left after one frame when `frames` of
/// them leave 1/e.
pub fn keep_for(frames: f64) -> f64 {
    (-1.0 / frames.max(1e-3)).exp()
}

/// Follows a target by one pole on the way up and another on the way down: the "smooth branching"
/// follower of Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design" (JAES 60,
/// 2012). In f64: over two seconds at 384 kHz an f32 would stall half a decibel short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttackRelease {
    /// What remains of the distance to a higher target after one frame.
    pub attack_keep: f64,
    /// What remains of the distance to a lower target after one frame.
    pub release_keep: f64,
}

impl AttackRelease {
    /// [audio] Replaces each target by where `state` has got to.
    pub fn process(&self, state: &mut f64, targets: &mut [f32]) {
        // With the slower release the follower is the larger of its two branches, with the slower
        // attack the smaller one: no comparison between target and state in the serial chain.
        if self.release_keep >= self.attack_keep {
            self.follow(state, targets, |up, down| if up > down { up } else { down });
        } else {
            self.follow(state, targets, |up, down| if up < down { up } else { down });
        }
    }

    #[inline(always)]
    fn follow(&self, state: &mut f64, targets: &mut [f32], pick: impl Fn(f64, f64) -> f64) {
        let (attack_take, release_take) = (1.0 - self.attack_keep, 1.0 - self.release_keep);
        let mut now = *state;
        for target in targets {
            let goal = f64::from(*target);
            let up = now * self.attack_keep + goal * attack_take;
            let down = now * self.release_keep + goal * release_take;
            now = pick(up, down);
            *target = now as f32;
        }
        *state = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_window_reads_the_largest_of_its_span() {
        let span = PeakSpan::new(0.01, 48_000.0);
        let noise: Vec<f32> = (0u32..5_000)
            .map(|i| (i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5).powi(5))
            .collect();
        let mut peaks = vec![0.0; noise.len()];
        let mut window = PeakWindow::new();
        let (mut at, mut step) = (0, 1);
        while at < noise.len() {
            let end = (at + step).min(noise.len());
            window.process(&noise[at..end], &mut peaks[at..end], at as u64, span);
            (at, step) = (end, step % 64 + 7);
        }
        for i in 0..noise.len() {
            let first = (i / span.slice_frames).saturating_sub(SLICES) * span.slice_frames;
            let expected = noise[first..=i]
                .iter()
                .fold(0.0, |a: f32, b| a.max(b.abs()));
            assert_eq!(peaks[i], expected, "frame {i}");
        }
    }

    #[test]
    fn peak_window_holds_for_the_time_it_says() {
        for rate in [8_000.0, 44_100.0, 48_000.0, 96_000.0, 384_000.0] {
            for secs in [0.00125, 0.005, 0.0125] {
                let span = PeakSpan::new(secs, rate);
                let error = (span.hold_frames() / rate - secs).abs();
                assert!(error < 4.25 / rate + 1e-9, "{secs} s at {rate} Hz: {error}");
            }
        }
    }

    #[test]
    fn follower_leaves_one_part_in_e_after_its_time() {
        for (attack, release) in [(48.0, 4_800.0), (4_800.0, 48.0), (1e3, 768_000.0)] {
            let follower = AttackRelease {
                attack_keep: keep_for(attack),
                release_keep: keep_for(release),
            };
            let mut state = 0.0;
            let mut up = vec![2.0f32; attack as usize];
            follower.process(&mut state, &mut up);
            assert!((state / 2.0 - (1.0 - (-1f64).exp())).abs() < 1e-6);
            state = 2.0;
            let mut down = vec![0.0f32; release as usize];
            follower.process(&mut state, &mut down);
            assert!((state / 2.0 - (-1f64).exp()).abs() < 1e-6);
        }
    }
}
