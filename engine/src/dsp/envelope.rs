//! How a dynamics module hears its input: a sliding peak, a mean square, and the attack and release
//! that follow a target.

use super::Chunk;
use super::fast_math::{max, min};

/// Whole slices that a [`PeakWindow`] looks back on.
const SLICES: usize = 8;

/// The length of a [`PeakWindow`]: eight whole slices and the one that goes on. Slices begin at
/// multiples of their length on the absolute frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeakSpan {
    slice_frames: usize,
}

impl PeakSpan {
    /// `[any]` The span nearest to `window_secs`.
    pub fn new(window_secs: f64, sample_rate_hz: f64) -> Self {
        let slice_frames = window_secs * sample_rate_hz / (SLICES as f64 + 0.5);
        Self {
            slice_frames: (slice_frames.round() as usize).max(1),
        }
    }

    /// `[any]` How long a single peak is held, in frames, on average over where it falls in a slice;
    /// half a slice more or less, which is 6 %.
    pub fn hold_frames(&self) -> f64 {
        (SLICES as f64 + 0.5) * self.slice_frames as f64
    }
}

/// The largest magnitude of the last moments, of two channels: a sine reads as its peak, without
/// ripple, as long as half its period fits into the span.
///
/// A maximum is kept for each slice of frames, so a frame costs two comparisons and the look back
/// is paid once a slice.
#[derive(Debug, Clone, Copy, Default)]
pub struct PeakWindow {
    /// Largest magnitudes in the current slice.
    current: [f32; 2],
    /// Largest of the slices in the span.
    held: [f32; 2],
    /// Maxima of past slices, the newest first.
    past: [[f32; 2]; SLICES],
}

impl PeakWindow {
    /// `[audio]` Writes to `peaks` what the window reads at each frame of `channels`, the first of
    /// which is frame `position`. Both have the same length, at most [`crate::CHUNK_FRAMES`].
    pub fn process(
        &mut self,
        channels: [&[f32]; 2],
        peaks: &mut Chunk,
        position: u64,
        span: PeakSpan,
    ) {
        let slice = span.slice_frames;
        let frames = channels[0].len();
        let mut phase = (position % slice as u64) as usize;
        let mut at = 0;
        while at < frames {
            if phase == 0 {
                self.next_slice();
            }
            let end = (at + slice - phase).min(frames);
            let (mut current, held) = (self.current, self.held);
            for (c, channel) in channels.iter().enumerate() {
                let (samples, peaks) = (&channel[at..end], &mut peaks[c][at..end]);
                current[c] = running_max(samples, peaks, current[c], held[c]);
            }
            self.current = current;
            at = end;
            phase = 0;
        }
    }

    fn next_slice(&mut self) {
        self.past.copy_within(..SLICES - 1, 1);
        self.past[0] = std::mem::take(&mut self.current);
        self.held = self.past.iter().fold([0.0; 2], |held, peak| {
            [max(peak[0], held[0]), max(peak[1], held[1])]
        });
    }
}

/// Writes to `peaks` the largest magnitude of `samples` up to each one, or `held` where that is
/// larger. Starts from `current` and returns where it has got to. In fours, by doubling steps: the
/// serial chain is one comparison long for four frames.
#[inline(always)]
fn running_max(samples: &[f32], peaks: &mut [f32], mut current: f32, held: f32) -> f32 {
    let (fours, rest) = samples.as_chunks::<4>();
    let (peak_fours, peak_rest) = peaks.as_chunks_mut::<4>();
    for (x, peaks) in fours.iter().zip(peak_fours) {
        let a = x.map(f32::abs);
        let b = [a[0], max(a[1], a[0]), max(a[2], a[1]), max(a[3], a[2])];
        let c = [b[0], b[1], max(b[2], b[0]), max(b[3], b[1])];
        let from = max(current, held);
        *peaks = c.map(|c| max(c, from));
        current = max(c[3], current);
    }
    for (x, peak) in rest.iter().zip(peak_rest) {
        current = max(x.abs(), current);
        *peak = max(current, held);
    }
    current
}

/// A [`MeanSquare`] hears no more than this, 300 dB over full scale: a square that overflowed would
/// never leave it again.
const LOUDEST: f32 = 1e15;

/// The mean squares of two channels by two equal one-pole low-passes: a steady sine settles on half
/// its squared peak, with a ripple that falls by 12 dB an octave.
#[derive(Debug, Clone, Copy, Default)]
pub struct MeanSquare {
    first: [f32; 2],
    second: [f32; 2],
}

impl MeanSquare {
    /// `[audio]` Writes to `squares` the mean square at each frame of `channels`, of which there are
    /// [`crate::CHUNK_FRAMES`] at most. `keep` is what remains of either low-pass after one frame, from
    /// [`keep_for`]; at least a half.
    pub fn process(&mut self, channels: [&[f32]; 2], squares: &mut Chunk, keep: f32) {
        // Exact for a keep of at least a half, so a constant settles on itself.
        let take = 1.0 - keep;
        let mut state = *self;
        let [left, right] = squares;
        let squares = left.iter_mut().zip(right);
        let samples = channels[0].iter().zip(channels[1]);
        for ((&x, &y), (left, right)) in samples.zip(squares) {
            for (c, x) in [x, y].into_iter().enumerate() {
                let x = min(max(x, -LOUDEST), LOUDEST);
                state.first[c] = state.first[c] * keep + x * x * take;
                state.second[c] = state.second[c] * keep + state.first[c] * take;
            }
            (*left, *right) = (state.second[0], state.second[1]);
        }
        *self = state;
    }
}

/// `[main]` `[audio]` The part of a one-pole's distance that is left after one frame when `frames` of
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
    /// `[audio]` Replaces the first `frames` targets of both channels by where `state` has got to.
    /// Where `joined`, the targets of the first channel are those of both.
    pub fn process(&self, state: &mut [f64; 2], targets: &mut Chunk, frames: usize, joined: bool) {
        // With the slower release the follower is the larger of its two branches, with the slower
        // attack the smaller one: no comparison between target and state in the serial chain.
        let larger = |up: f64, down: f64| if up > down { up } else { down };
        let smaller = |up: f64, down: f64| if up < down { up } else { down };
        match (self.release_keep >= self.attack_keep, joined) {
            (true, true) => self.follow(state, targets, frames, larger, |left, _| [left, left]),
            (true, false) => self.follow(state, targets, frames, larger, |l, r| [l, r]),
            (false, true) => self.follow(state, targets, frames, smaller, |left, _| [left, left]),
            (false, false) => self.follow(state, targets, frames, smaller, |l, r| [l, r]),
        }
    }

    #[inline(always)]
    fn follow(
        &self,
        state: &mut [f64; 2],
        targets: &mut Chunk,
        frames: usize,
        pick: impl Fn(f64, f64) -> f64,
        goals: impl Fn(f32, f32) -> [f32; 2],
    ) {
        let (attack_take, release_take) = (1.0 - self.attack_keep, 1.0 - self.release_keep);
        let mut now = *state;
        let [left, right] = targets;
        for (left, right) in left[..frames].iter_mut().zip(&mut right[..frames]) {
            let goals = goals(*left, *right);
            for c in 0..2 {
                let goal = f64::from(goals[c]);
                let up = now[c] * self.attack_keep + goal * attack_take;
                let down = now[c] * self.release_keep + goal * release_take;
                now[c] = pick(up, down);
            }
            (*left, *right) = (now[0] as f32, now[1] as f32);
        }
        *state = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::CHUNK_FRAMES;

    #[test]
    fn peak_window_reads_the_largest_of_its_span() {
        let span = PeakSpan::new(0.01, 48_000.0);
        let noise: Vec<f32> = (0u32..5_000)
            .map(|i| (i.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32 - 0.5).powi(5))
            .collect();
        let doubled: Vec<f32> = noise.iter().map(|x| -2.0 * x).collect();
        let mut window = PeakWindow::default();
        let (mut at, mut step) = (0, 1);
        while at < noise.len() {
            let end = (at + step).min(noise.len());
            let mut peaks = [[0.0; CHUNK_FRAMES]; 2];
            let channels = [&noise[at..end], &doubled[at..end]];
            window.process(channels, &mut peaks, at as u64, span);
            for i in at..end {
                let first = (i / span.slice_frames).saturating_sub(SLICES) * span.slice_frames;
                let heard = noise[first..=i].iter().map(|x| x.abs());
                let expected = heard.fold(0.0, f32::max);
                assert_eq!(peaks[0][i - at], expected, "frame {i}");
                assert_eq!(peaks[1][i - at], 2.0 * expected, "frame {i}");
            }
            (at, step) = (end, step % 57 + 7);
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
            let mut state = [0.0; 2];
            let mut follow = |target: f32, frames: f64| {
                for _ in 0..frames as usize {
                    let mut targets = [[target; CHUNK_FRAMES]; 2];
                    follower.process(&mut state, &mut targets, 1, true);
                }
                state[0]
            };
            let attacked = follow(2.0, attack) / 2.0;
            assert!(
                (attacked - (1.0 - (-1f64).exp())).abs() < 1e-6,
                "{attacked}"
            );
            let released = follow(0.0, release) / 2.0 / attacked;
            assert!((released - (-1f64).exp()).abs() < 1e-6, "{released}");
        }
    }
}
