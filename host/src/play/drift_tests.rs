//! Two devices with clocks of their own, simulated: an hour of callbacks that come late, in seconds.
//!
//! What is heard is measured without looking at how it was made: a sine goes in, and out must come a sine
//! whose phase moves slowly. In each window of 2048 frames six functions are fitted (sine and cosine, each
//! also times the time and its square); what they leave over is clicks, gaps, repeated frames, noise.

use std::f64::consts::TAU;
use std::time::Duration;

use headroom_engine::realtime::ViolationCounts;
use headroom_engine::realtime::guarded;

use super::*;

const TONE_HZ: f64 = 997.0;
const LEVEL: f64 = 0.5;
const WINDOW_FRAMES: usize = 2048;

/// One device: it calls back when it has a block, and late.
struct Device {
    rate_hz: f64,
    blocks_frames: &'static [usize],
    late_secs: f64,
    due_secs: f64,
    calls: usize,
    last_secs: f64,
    random: u64,
}

impl Device {
    fn new(rate_hz: f64, blocks_frames: &'static [usize], late_secs: f64, seed: u64) -> Self {
        Self {
            rate_hz,
            blocks_frames,
            late_secs,
            due_secs: 0.0,
            calls: 0,
            last_secs: 0.0,
            random: seed,
        }
    }

    fn block_frames(&self) -> usize {
        self.blocks_frames[self.calls % self.blocks_frames.len()]
    }

    /// When the callback for the block that is due at `due_secs` comes.
    fn call_secs(&mut self, due_secs: f64) -> f64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let share = (self.random >> 40) as f64 / (1_u64 << 24) as f64;
        self.last_secs = self.last_secs.max(due_secs + share * self.late_secs);
        self.last_secs
    }
}

/// What is simulated.
struct Scene {
    input_rate_hz: u32,
    output_rate_hz: u32,
    input_blocks: &'static [usize],
    output_blocks: &'static [usize],
    late_secs: f64,
    /// When the output stops calling, and for how long; its device then plays nothing.
    output_stalls: Option<(f64, f64)>,
    secs: f64,
    clocks: Clocks,
    /// At which second the input's clock is off by how many millionths; straight lines in between.
    drift_ppm: &'static [(f64, f64)],
    /// Seconds that are not measured after the start.
    settle_secs: f64,
}

impl Scene {
    fn drift_at(&self, secs: f64) -> f64 {
        let after = self
            .drift_ppm
            .partition_point(|(at_secs, _)| *at_secs <= secs);
        let Some(&(from_secs, from)) = self.drift_ppm[..after].last() else {
            return 0.0;
        };
        match self.drift_ppm.get(after) {
            Some((to_secs, to)) => from + (to - from) * (secs - from_secs) / (to_secs - from_secs),
            None => from,
        }
    }
}

/// What was heard of it.
#[derive(Debug)]
struct Heard {
    /// The greatest sample beside the fitted sine, and the greatest step of the phase in radians.
    residual: f64,
    phase_step: f64,
    /// How far the pitch was from the true one at most, in millionths.
    pitch_ppm: f64,
    /// Least and most that the bridge said the input waits, in frames of the output.
    waits_frames: [u32; 2],
    drift_ppm: Option<f64>,
    resampled_at_secs: Option<f64>,
    /// Before anything was measured.
    early_underruns: u64,
    underruns: u64,
    overruns: u64,
    exact: bool,
    violations: ViolationCounts,
}

fn simulate(scene: &Scene) -> Heard {
    let shared = Arc::new(Shared::default());
    let max_block_frames = scene.output_blocks.iter().copied().max().unwrap().min(256);
    let plan = BridgePlan {
        clocks: scene.clocks,
        input_rate_hz: scene.input_rate_hz,
        output_rate_hz: scene.output_rate_hz,
        max_block_frames,
    };
    let (mut capture, mut live) = bridge(&plan, &shared).unwrap();
    let nominal_hz = f64::from(scene.input_rate_hz);
    let output_hz = f64::from(scene.output_rate_hz);
    let mut input = Device::new(nominal_hz, scene.input_blocks, scene.late_secs, 1);
    let mut output = Device::new(output_hz, scene.output_blocks, scene.late_secs, 2);
    let start = Instant::now();
    let after = |secs: f64| start + Duration::from_secs_f64(secs);

    let mut tone = Tone::new();
    let mut block = Vec::new();
    let mut ear = Ear::new(TAU * TONE_HZ / output_hz);
    let (mut left, mut right) = (vec![0.0; max_block_frames], vec![0.0; max_block_frames]);
    let mut heard = Heard {
        residual: 0.0,
        phase_step: 0.0,
        pitch_ppm: 0.0,
        waits_frames: [u32::MAX, 0],
        drift_ppm: None,
        resampled_at_secs: None,
        early_underruns: 0,
        underruns: 0,
        overruns: 0,
        exact: true,
        violations: ViolationCounts::default(),
    };
    let mut stall = scene.output_stalls;
    let before = ViolationCounts::of_this_thread();
    let block_secs = |device: &Device| device.block_frames() as f64 / device.rate_hz;
    let mut input_secs = input.call_secs(block_secs(&input));
    let mut output_secs = output.call_secs(0.0);
    while output_secs < scene.secs {
        if input_secs <= output_secs {
            let frames = input.block_frames();
            let drift = scene.drift_at(input.due_secs) * 1e-6;
            input.rate_hz = nominal_hz * (1.0 + drift);
            tone.play(TAU * TONE_HZ / input.rate_hz, frames, &mut block);
            let at = after(input_secs);
            guarded(|| capture.push(&block, Layout::stereo(), at));
            input.due_secs += frames as f64 / input.rate_hz;
            input.calls += 1;
            let due_secs = input.due_secs + block_secs(&input);
            input_secs = input.call_secs(due_secs);
            continue;
        }
        let frames = output.block_frames();
        let at = after(output_secs);
        guarded(|| live.begin(at, frames));
        let mut left_frames = frames;
        while left_frames > 0 {
            let piece = left_frames.min(max_block_frames);
            let (left, right) = (&mut left[..piece], &mut right[..piece]);
            guarded(|| live.fill(left, right));
            if output_secs > scene.settle_secs {
                heard.exact &= left
                    .iter()
                    .zip(&*right)
                    .all(|(left, right)| *left == -*right);
                ear.hear(left, &mut heard);
            }
            left_frames -= piece;
        }
        if shared.drift_ppm().is_some() && heard.resampled_at_secs.is_none() {
            heard.resampled_at_secs = Some(output_secs);
        }
        if output_secs > scene.settle_secs {
            let waits = shared.bridge_frames();
            heard.waits_frames = [
                heard.waits_frames[0].min(waits),
                heard.waits_frames[1].max(waits),
            ];
        } else {
            heard.early_underruns = shared.input_underruns.load(Relaxed);
        }
        output.due_secs += frames as f64 / output.rate_hz;
        output.calls += 1;
        if let Some((at_secs, secs)) = stall.filter(|(at_secs, _)| *at_secs <= output.due_secs) {
            output.due_secs = at_secs + secs;
            stall = None;
        }
        let due_secs = output.due_secs;
        output_secs = output.call_secs(due_secs);
    }
    heard.underruns = shared.input_underruns.load(Relaxed) - heard.early_underruns;
    heard.overruns = shared.input_overruns.load(Relaxed);
    heard.drift_ppm = shared.drift_ppm();
    heard.violations = ViolationCounts::of_this_thread().since(before);
    heard
}

/// A sine on the left, its negative on the right.
struct Tone {
    phase: [f64; 2],
}

impl Tone {
    fn new() -> Self {
        Self { phase: [1.0, 0.0] }
    }

    fn play(&mut self, step: f64, frames: usize, block: &mut Vec<f32>) {
        let [cos, sin] = [step.cos(), step.sin()];
        block.clear();
        let [mut x, mut y] = self.phase;
        for _ in 0..frames {
            let sample = (LEVEL * y) as f32;
            block.extend([sample, -sample]);
            [x, y] = [x * cos - y * sin, x * sin + y * cos];
        }
        let length = x.hypot(y);
        self.phase = [x / length, y / length];
    }
}

/// Fits a slowly moving sine to each window of what is heard.
struct Ear {
    step: f64,
    /// The six functions, made orthonormal, and the weights of the two that tell the phase.
    basis: Vec<Vec<f32>>,
    window: Vec<f32>,
    last_phase: Option<f64>,
}

impl Ear {
    fn new(step: f64) -> Self {
        let along = |frame: usize| (frame as f64 + 0.5) / WINDOW_FRAMES as f64 * 2.0 - 1.0;
        let angle = |frame: usize| step * (frame as f64 - (WINDOW_FRAMES / 2) as f64);
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for power in 0..3 {
            for turn in [0.0, TAU / 4.0] {
                let mut new: Vec<f64> = (0..WINDOW_FRAMES)
                    .map(|frame| along(frame).powi(power) * (angle(frame) + turn).cos())
                    .collect();
                for _ in 0..2 {
                    for old in &basis {
                        let dot: f64 = new.iter().zip(old).map(|(new, old)| new * old).sum();
                        new.iter_mut()
                            .zip(old)
                            .for_each(|(new, old)| *new -= dot * old);
                    }
                }
                let length = new.iter().map(|value| value * value).sum::<f64>().sqrt();
                new.iter_mut().for_each(|value| *value /= length);
                basis.push(new);
            }
        }
        Self {
            step,
            basis: basis
                .iter()
                .map(|plane| plane.iter().map(|value| *value as f32).collect())
                .collect(),
            window: Vec::with_capacity(WINDOW_FRAMES),
            last_phase: None,
        }
    }

    fn hear(&mut self, samples: &[f32], heard: &mut Heard) {
        for sample in samples {
            self.window.push(*sample);
            if self.window.len() == WINDOW_FRAMES {
                self.judge(heard);
                self.window.clear();
            }
        }
    }

    fn judge(&mut self, heard: &mut Heard) {
        let mut rest = std::mem::take(&mut self.window);
        let mut along = [0.0_f64; 2];
        for (index, plane) in self.basis.iter().enumerate() {
            // Eight sums side by side: an order that the compiler may not choose by itself.
            let mut sums = [0.0_f32; 8];
            for (rest, plane) in rest.as_chunks::<8>().0.iter().zip(plane.as_chunks::<8>().0) {
                for lane in 0..8 {
                    sums[lane] += rest[lane] * plane[lane];
                }
            }
            let dot: f32 = sums.iter().sum();
            for (rest, plane) in rest.iter_mut().zip(plane) {
                *rest -= dot * plane;
            }
            if index < 2 {
                along[index] = f64::from(dot);
            }
        }
        let residual = rest.iter().fold(0.0_f32, |most, rest| most.max(rest.abs()));
        heard.residual = heard.residual.max(f64::from(residual));
        // The first two functions are a cosine and (nearly) the sine; together they tell the phase.
        let phase = along[1].atan2(along[0]);
        if let Some(last) = self.last_phase {
            let step = phase - last - self.step * WINDOW_FRAMES as f64;
            let off = (step + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
            heard.phase_step = heard.phase_step.max(off.abs());
            let ppm = off / (self.step * WINDOW_FRAMES as f64) * 1e6;
            heard.pitch_ppm = heard.pitch_ppm.max(ppm.abs());
        }
        self.last_phase = Some(phase);
        self.window = rest;
    }
}

/// A scene that each test changes: two cards at 48 kHz and 256 frames, callbacks late by up to 1 ms.
fn scene() -> Scene {
    Scene {
        input_rate_hz: 48_000,
        output_rate_hz: 48_000,
        input_blocks: &[256],
        output_blocks: &[256],
        late_secs: 0.001,
        output_stalls: None,
        secs: 120.0,
        clocks: Clocks::Two,
        drift_ppm: &[],
        settle_secs: 30.0,
    }
}

/// A sine that is clean to -80 dBFS, whose pitch is true to a quarter of a cent, without a gap.
fn assert_clean(heard: &Heard) {
    assert!(heard.residual < 1e-4, "{heard:?}");
    assert!(heard.pitch_ppm < 150.0, "{heard:?}");
    assert_flows(heard);
}

/// No gap, nothing thrown away, no frame lost or repeated (that would be a step of the phase by 0.13), and
/// nothing that the audio thread may not do.
fn assert_flows(heard: &Heard) {
    assert_eq!((heard.underruns, heard.overruns), (0, 0), "{heard:?}");
    assert!(heard.phase_step < 0.12, "{heard:?}");
    assert!(heard.early_underruns <= 2, "{heard:?}");
    assert!(heard.exact, "{heard:?}");
    assert!(heard.violations.is_zero(), "{heard:?}");
}

/// An hour, at a third of the usual rate so that it takes seconds. The blocks last three times as long, and
/// come late by up to a quarter of them.
fn an_hour(drift_ppm: &'static [(f64, f64)]) -> Heard {
    simulate(&Scene {
        input_rate_hz: 16_000,
        output_rate_hz: 16_000,
        late_secs: 0.004,
        secs: 3600.0,
        drift_ppm,
        settle_secs: 60.0,
        ..scene()
    })
}

#[test]
fn an_hour_of_a_faster_input_is_one_clean_sine_and_a_steady_delay() {
    let heard = an_hour(&[(0.0, 200.0)]);
    assert_clean(&heard);
    assert!((heard.drift_ppm.unwrap() - 200.0).abs() < 25.0, "{heard:?}");
    // One block of each device wait, less the one that the input brings; the cushion, and the filter.
    let [least, most] = heard.waits_frames;
    assert!(256 + 32 < least && most < 256 + 32 + 160, "{heard:?}");
}

#[test]
fn an_hour_of_a_slower_input_is_one_clean_sine_and_a_steady_delay() {
    let heard = an_hour(&[(0.0, -200.0)]);
    assert_clean(&heard);
    assert!((heard.drift_ppm.unwrap() + 200.0).abs() < 25.0, "{heard:?}");
    let [least, most] = heard.waits_frames;
    assert!(256 + 32 < least && most < 256 + 32 + 160, "{heard:?}");
}

#[test]
fn a_clock_that_turns_from_slow_to_fast_within_a_second_leaves_no_gap() {
    let heard = simulate(&Scene {
        drift_ppm: &[(0.0, -200.0), (60.0, -200.0), (61.0, 200.0)],
        secs: 180.0,
        ..scene()
    });
    // The pitch is off by what the clock was, until that is followed: nobody can know before.
    assert!(heard.residual < 1e-4, "{heard:?}");
    assert!(heard.pitch_ppm < 450.0, "{heard:?}");
    assert_flows(&heard);
    assert!((heard.drift_ppm.unwrap() - 200.0).abs() < 10.0, "{heard:?}");
}

#[test]
fn blocks_of_any_two_sizes_meet() {
    for (input_blocks, output_blocks, most_frames) in [
        (&[480][..], &[64][..], 64 + 240),
        (&[64], &[1024], 1024 + 350),
        (&[100, 300, 7, 512], &[333, 1, 900, 128], 900 + 640),
    ] {
        let heard = simulate(&Scene {
            input_blocks,
            output_blocks,
            drift_ppm: &[(0.0, 80.0)],
            secs: 90.0,
            ..scene()
        });
        assert!(heard.residual < 1e-4, "{heard:?}");
        assert!(heard.pitch_ppm < 250.0, "{heard:?}");
        assert_flows(&heard);
        assert!(heard.waits_frames[1] < most_frames, "{heard:?}");
    }
}

#[test]
fn devices_of_different_nominal_rates_meet() {
    for (input_rate_hz, output_rate_hz) in [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000)] {
        let heard = simulate(&Scene {
            input_rate_hz,
            output_rate_hz,
            drift_ppm: &[(0.0, -120.0)],
            secs: 80.0,
            ..scene()
        });
        assert_clean(&heard);
        assert!((heard.drift_ppm.unwrap() + 120.0).abs() < 15.0, "{heard:?}");
    }
}

#[test]
fn clocks_that_were_thought_one_are_followed_without_a_click_once_they_drift() {
    for (drift_ppm, within_secs) in [
        (&[(0.0, 200.0)][..], 10.0),
        (&[(0.0, 30.0)], 40.0),
        (&[(0.0, -30.0)], 70.0),
    ] {
        let heard = simulate(&Scene {
            clocks: Clocks::One,
            late_secs: 0.0003,
            drift_ppm,
            settle_secs: 4.0,
            ..scene()
        });
        let at_secs = heard.resampled_at_secs.unwrap();
        assert!(at_secs < within_secs, "{heard:?}");
        assert!(heard.residual < 1e-4, "{heard:?}");
        // The delay glides to the steered way's.
        assert!(heard.pitch_ppm < 450.0, "{heard:?}");
        assert!(heard.violations.is_zero(), "{heard:?}");
        assert!(heard.early_underruns + heard.underruns <= 1, "{heard:?}");
    }
}

#[test]
fn one_clock_is_never_resampled_whatever_its_callbacks_do() {
    for (input_blocks, output_blocks) in [(&[256][..], &[256][..]), (&[64, 500, 3], &[441, 20])] {
        let heard = simulate(&Scene {
            clocks: Clocks::One,
            input_blocks,
            output_blocks,
            late_secs: 0.004,
            secs: 1200.0,
            settle_secs: 10.0,
            ..scene()
        });
        assert_eq!(heard.resampled_at_secs, None, "{heard:?}");
        // What is heard is the input, to the rounding of this measurement.
        assert!(heard.residual < 1e-6, "{heard:?}");
        assert!(heard.violations.is_zero(), "{heard:?}");
    }
}

#[test]
fn an_output_that_stalls_for_a_second_is_not_a_second_behind_after_it() {
    let heard = simulate(&Scene {
        drift_ppm: &[(0.0, 100.0)],
        output_stalls: Some((40.0, 1.0)),
        settle_secs: 45.0,
        ..scene()
    });
    assert!(heard.overruns > 0, "{heard:?}");
    assert_eq!(heard.underruns, 0, "{heard:?}");
    assert!(heard.residual < 1e-4, "{heard:?}");
    assert!(heard.waits_frames[1] < 1600, "{heard:?}");
    assert!(heard.violations.is_zero(), "{heard:?}");
}
