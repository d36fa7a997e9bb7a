//! The inner loop of a cascade: many second-order sections at once, in lanes.
//!
//! Sections in series depend on each other, so one frame through eight of them is one long chain of
//! operations. Here section `p` works on frame `t - p` at step `t`, so that all sections of a step are
//! independent and run side by side in lanes; each one's output moves on to the next lane with the
//! next step. At the ends of a span the lanes that have no frame yet, or none any more, keep
//! their state. Every frame meets the same operations in the same order however it is cut.
//!
//! A section is a trapezoidal state-variable filter (Vadim Zavalishin, *The Art of VA Filter
//! Design*; Andrew Simper, *Linear Trapezoidal Integrated SVF*), rearranged so that its state moves by
//! increments: at 20 Hz that keeps the noise of f32 some 60 dB below that of a direct form.

use crate::dsp::quad::{Mask, Quad};

/// Quads in the longest cascade: eight sections of two channels.
pub(crate) const QUADS: usize = 4;

/// What glides: the fourth root of `g` (so that a sweep is even to the ear), `k`, `low`, `high`,
/// and `band - high k`, which is zero where nothing is filtered.
pub(crate) const MOVERS: usize = 5;

/// Poles of the smoother: with three, the first two derivatives of a movement are continuous.
pub(crate) const STAGES: usize = 3;

/// One value for each lane.
pub(crate) type Row = [Quad; QUADS];

/// All state of the inner loop. Lane `channels * p + c` is section `p` of channel `c`.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Lanes {
    /// The two integrators of each section.
    pub(crate) state: [Row; 2],
    /// The weights in use at rest, from [`weights`].
    pub(crate) weights: [Row; 6],
    /// The smoother of each mover; the last stage is what is heard.
    pub(crate) stages: [[Row; MOVERS]; STAGES],
    /// Where each mover goes.
    pub(crate) targets: [Row; MOVERS],
}

impl Lanes {
    /// Every lane passes its input on.
    pub(crate) fn idle() -> Self {
        let zero = [Quad::splat(0.0); QUADS];
        let one = [Quad::splat(1.0); QUADS];
        let movers = [zero, zero, one, one, zero];
        Self {
            state: [zero; 2],
            weights: [zero, zero, zero, zero, zero, one],
            stages: [movers; STAGES],
            targets: movers,
        }
    }

    /// `[audio]` Works the weights out anew from where the movers are.
    pub(crate) fn settle(&mut self) {
        for quad in 0..QUADS {
            let movers = std::array::from_fn(|i| self.stages[STAGES - 1][i][quad]);
            let weights = weights(movers);
            for (row, weight) in self.weights.iter_mut().zip(weights) {
                row[quad] = weight;
            }
        }
    }

    /// `[audio]` Runs `span`, whose channels are equally long, in place through the first `quads`
    /// quads. `smoothing` moves the coefficients (see [`Lanes::stages`]); `None` is at rest.
    pub(crate) fn run(
        &mut self,
        quads: usize,
        left: &mut [f32],
        right: Option<&mut [f32]>,
        smoothing: Option<f32>,
    ) {
        let moving = smoothing.is_some();
        let pace = smoothing.unwrap_or(0.0);
        match (right, moving) {
            (None, false) => match quads {
                1 => self.steps::<1, 1, false>(left, &mut [], pace),
                _ => self.steps::<2, 1, false>(left, &mut [], pace),
            },
            (None, true) => match quads {
                1 => self.steps::<1, 1, true>(left, &mut [], pace),
                _ => self.steps::<2, 1, true>(left, &mut [], pace),
            },
            (Some(right), false) => match quads {
                1 => self.steps::<1, 2, false>(left, right, pace),
                2 => self.steps::<2, 2, false>(left, right, pace),
                3 => self.steps::<3, 2, false>(left, right, pace),
                _ => self.steps::<4, 2, false>(left, right, pace),
            },
            (Some(right), true) => match quads {
                1 => self.steps::<1, 2, true>(left, right, pace),
                2 => self.steps::<2, 2, true>(left, right, pace),
                3 => self.steps::<3, 2, true>(left, right, pace),
                _ => self.steps::<4, 2, true>(left, right, pace),
            },
        }
    }

    #[inline(never)]
    fn steps<const Q: usize, const CHANNELS: usize, const MOVING: bool>(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        pace: f32,
    ) {
        let frames = left.len();
        let right = &mut right[..if CHANNELS == 2 { frames } else { 0 }];
        let delay = 4 * Q / CHANNELS - 1;
        let mut run = Run::<Q, CHANNELS, MOVING> {
            ic1: std::array::from_fn(|quad| self.state[0][quad]),
            ic2: std::array::from_fn(|quad| self.state[1][quad]),
            output: [Quad::splat(0.0); Q],
            pace: Quad::splat(pace),
            weights: &self.weights,
            stages: &mut self.stages,
            targets: &self.targets,
        };
        let read = |left: &[f32], right: &[f32], frame: usize| {
            let second = if CHANNELS == 2 { right[frame] } else { 0.0 };
            [left[frame], second]
        };
        for step in 0..delay.min(frames) {
            run.step_some(read(left, right, step), step, frames);
        }
        for step in delay..frames {
            let [first, second] = run.step_all(read(left, right, step));
            left[step - delay] = first;
            if CHANNELS == 2 {
                right[step - delay] = second;
            }
        }
        for step in frames..frames + delay {
            let [first, second] = run.step_some([0.0; 2], step, frames);
            if step >= delay {
                left[step - delay] = first;
                if CHANNELS == 2 {
                    right[step - delay] = second;
                }
            }
        }
        let Run { ic1, ic2, .. } = run;
        self.state[0][..Q].copy_from_slice(&ic1);
        self.state[1][..Q].copy_from_slice(&ic2);
    }
}

/// One run of the inner loop: what should live in registers, and where the rest is.
struct Run<'a, const Q: usize, const CHANNELS: usize, const MOVING: bool> {
    ic1: [Quad; Q],
    ic2: [Quad; Q],
    /// What each lane gave in the step before.
    output: [Quad; Q],
    pace: Quad,
    weights: &'a [Row; 6],
    stages: &'a mut [[Row; MOVERS]; STAGES],
    targets: &'a [Row; MOVERS],
}

impl<const Q: usize, const CHANNELS: usize, const MOVING: bool> Run<'_, Q, CHANNELS, MOVING> {
    /// A step in which every lane has a frame: takes a frame in and gives one out.
    #[inline(always)]
    fn step_all(&mut self, input: [f32; 2]) -> [f32; 2] {
        self.step(input, |new, _, _| new)
    }

    /// A step at either end of a span of `frames`: only the lanes that have a frame move.
    #[inline(always)]
    fn step_some(&mut self, input: [f32; 2], step: usize, frames: usize) -> [f32; 2] {
        let (step, frames) = (step as i32, frames as i32);
        let busy: [Mask; Q] = std::array::from_fn(|quad| {
            let section = std::array::from_fn(|lane| ((4 * quad + lane) / CHANNELS) as i32);
            Mask::between(section, step - frames + 1, step)
        });
        self.step(input, |new, old, quad| new.select(busy[quad], old))
    }

    #[inline(always)]
    fn step(&mut self, input: [f32; 2], keep: impl Fn(Quad, Quad, usize) -> Quad) -> [f32; 2] {
        let mut output = [Quad::splat(0.0); Q];
        // What the lanes before the quad at hand gave in the step before.
        let mut before = Quad::new(if CHANNELS == 2 {
            [0.0, 0.0, input[0], input[1]]
        } else {
            [0.0, 0.0, 0.0, input[0]]
        });
        for (quad, output) in output.iter_mut().enumerate() {
            let last = self.output[quad];
            let x = if CHANNELS == 2 {
                last.shifted_by_two(before)
            } else {
                last.shifted_by_one(before)
            };
            before = last;
            let [p, r, s, a, b, c] = if MOVING {
                weights(self.advance_movers(quad, |new, old| keep(new, old, quad)))
            } else {
                std::array::from_fn(|i| self.weights[i][quad])
            };
            let ic1 = self.ic1[quad];
            let ic2 = self.ic2[quad];
            let e = x - ic2;
            *output = (a * ic1 + b * e) + c * x;
            self.ic1[quad] = keep((ic1 - r * ic1) + p * e, ic1, quad);
            self.ic2[quad] = keep((ic2 + p * ic1) + s * e, ic2, quad);
        }
        self.output = output;
        let [.., first, second] = output[Q - 1].lanes();
        if CHANNELS == 2 {
            [first, second]
        } else {
            [second, 0.0]
        }
    }

    /// One frame of the smoothers of one quad.
    #[inline(always)]
    fn advance_movers(&mut self, quad: usize, keep: impl Fn(Quad, Quad) -> Quad) -> [Quad; MOVERS] {
        std::array::from_fn(|i| {
            let mut ahead = self.targets[i][quad];
            for stage in &mut *self.stages {
                let old = stage[i][quad];
                ahead = old + self.pace * (ahead - old);
                stage[i][quad] = keep(ahead, old);
            }
            ahead
        })
    }
}

/// What a step multiplies by, from where the movers are.
///
/// With `v1` and `v2` the band- and low-pass outputs, `e = x - ic2` and `a1 = 1/(1 + g(g + k))`:
/// `v1 = a1 (ic1 + g e)`, `v2 = ic2 + g v1`, `y = high x + (band - high k) v1 + (low - high) v2`,
/// each state moves to `2 v - ic`. Collected by `ic1`, `e` and `x`, so that no weight is a small
/// difference of large ones.
#[inline(always)]
fn weights([root, k, low, high, band]: [Quad; MOVERS]) -> [Quad; 6] {
    let one = Quad::splat(1.0);
    let square = root * root;
    let g = square * square;
    let a1 = (one + g * (g + k)).recip();
    let p = (g + g) * a1;
    let tilt = low - high;
    [
        p,
        p * (g + k),
        p * g,
        a1 * (band + tilt * g),
        a1 * (band * g - tilt * (one + g * k)),
        low,
    ]
}
