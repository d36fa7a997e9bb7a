//! The direct way, callback by callback.

use super::*;

fn pair(max_block_frames: usize, shared: &Arc<Shared>) -> (Capture, LiveInput) {
    let plan = BridgePlan {
        clocks: Clocks::One,
        input_rate_hz: 48_000,
        output_rate_hz: 48_000,
        max_block_frames,
    };
    bridge(&plan, shared).unwrap()
}

fn ramp(from: usize, frames: usize) -> Vec<f32> {
    (from..from + frames)
        .flat_map(|index| [index as f32, -(index as f32)])
        .collect()
}

fn take(input: &mut LiveInput, frames: usize) -> Vec<f32> {
    let (mut left, mut right) = (vec![9.0; frames], vec![9.0; frames]);
    input.fill(&mut left, &mut right);
    assert!(
        left.iter()
            .zip(&right)
            .all(|(left, right)| *left == -*right)
    );
    left
}

#[test]
fn input_called_first_passes_without_delay() {
    let shared = Arc::new(Shared::default());
    let (mut capture, mut input) = pair(64, &shared);
    for block in 0..100 {
        capture.push(&ramp(block * 64, 64), Layout::stereo(), Instant::now());
        assert_eq!(take(&mut input, 64)[0], (block * 64) as f32);
    }
    assert_eq!(shared.input_underruns.load(Relaxed), 0);
}

#[test]
fn output_called_first_costs_one_block_and_no_more() {
    let shared = Arc::new(Shared::default());
    let (mut capture, mut input) = pair(64, &shared);
    for block in 0..100 {
        let heard = take(&mut input, 64);
        if block > 0 {
            assert_eq!(heard[0], ((block - 1) * 64) as f32);
        }
        capture.push(&ramp(block * 64, 64), Layout::stereo(), Instant::now());
    }
    assert_eq!(shared.input_underruns.load(Relaxed), 0);
}

#[test]
fn a_changing_order_grows_one_cushion_and_then_runs_clean() {
    let shared = Arc::new(Shared::default());
    let (mut capture, mut input) = pair(64, &shared);
    let mut next = 0;
    let mut last = None;
    for block in 0..1000 {
        let input_first = (block / 3) % 2 == 0;
        if input_first {
            capture.push(&ramp(next, 64), Layout::stereo(), Instant::now());
            next += 64;
        }
        let heard = take(&mut input, 64);
        if block > 20 {
            assert_eq!(
                heard[0],
                last.map_or(heard[0], |last: f32| last + 1.0),
                "{block}"
            );
        }
        last = Some(heard[63]);
        if !input_first {
            capture.push(&ramp(next, 64), Layout::stereo(), Instant::now());
            next += 64;
        }
    }
    assert_eq!(shared.input_underruns.load(Relaxed), 1);
    assert_eq!(shared.input_overruns.load(Relaxed), 0);
}

#[test]
fn a_pile_of_old_input_is_thrown_away_and_counted() {
    let shared = Arc::new(Shared::default());
    let (mut capture, mut input) = pair(64, &shared);
    capture.push(&ramp(0, 64), Layout::stereo(), Instant::now());
    take(&mut input, 64);
    capture.push(&ramp(64, 4096), Layout::stereo(), Instant::now());
    let mut next = 64 + 4096;
    let mut heard = 0.0;
    for _ in 0..2000 {
        capture.push(&ramp(next, 64), Layout::stereo(), Instant::now());
        next += 64;
        heard = take(&mut input, 64)[63];
    }
    // The wanted fill follows the newest input block: cushion 0, one block of 64, all left over.
    assert!(
        next as f32 - heard <= 129.0,
        "{} frames behind",
        next as f32 - heard
    );
    assert_eq!(shared.input_overruns.load(Relaxed), 1);
}

#[test]
fn a_full_ring_loses_the_newest_and_is_counted() {
    let shared = Arc::new(Shared::default());
    let (mut capture, _input) = pair(64, &shared);
    let capacity_frames = (0.75 * 48_000.0) as usize;
    capture.push(&ramp(0, capacity_frames), Layout::stereo(), Instant::now());
    assert_eq!(shared.input_overruns.load(Relaxed), 0);
    capture.push(&ramp(0, 1), Layout::stereo(), Instant::now());
    assert_eq!(shared.input_overruns.load(Relaxed), 1);
}
