use super::*;

/// One frame after the other, all alike on the way in.
struct Tape([Vec<f32>; 2]);

impl Block for Tape {
    fn frames(&self) -> usize {
        self.0[0].len()
    }

    fn hear(&self, _: usize, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.5);
        right.fill(0.5);
    }

    fn put(&mut self, at: usize, left: &[f32], right: &[f32]) {
        self.0[0][at..at + left.len()].copy_from_slice(left);
        self.0[1][at..at + right.len()].copy_from_slice(right);
    }

    fn silence(&mut self, at: usize) {
        self.0.iter_mut().for_each(|side| side[at..].fill(0.0));
    }
}

#[test]
fn a_lost_device_that_still_calls_gets_silence_and_nothing_is_left_of_its_last_block() {
    let stream = headroom_engine::Stream::new(48_000, 64, 2).unwrap();
    let (spec, memory) = Default::default();
    let (_controller, processor) = headroom_engine::open(stream, &spec, &memory).unwrap();
    let shared = Arc::new(Shared::default());
    let programme = Programme {
        sample_rate_hz: 48_000,
        max_block_frames: 64,
        length_frames: None,
        latency_frames: 0,
    };
    let mut player = Player::new(processor, Input::Block, &programme, &shared);
    let mut block = |value: f32| {
        let mut tape = Tape([(); 2].map(|()| vec![9.0; 64]));
        player.fill_block(&mut tape);
        assert!(
            tape.0.iter().flatten().all(|sample| *sample == value),
            "{:?}",
            tape.0[0]
        );
    };
    // On trial, then the priming block.
    block(0.0);
    shared.run();
    block(0.0);
    block(0.5);
    shared.lose(crate::play::shared::Loss::Changed);
    block(0.0);
    let played = shared.frames.load(Relaxed);
    block(0.0);
    assert_eq!(shared.frames.load(Relaxed), played, "the programme waits");
    shared.found();
    block(0.5);
}

#[test]
fn the_fade_ends_in_silence_and_starts_at_full_level() {
    let (mut left, mut right) = ([1.0; 200], [1.0; 200]);
    fade_out(&mut left, &mut right, 1000, 1150, 100);
    assert!(left[..50].iter().all(|sample| *sample == 1.0));
    assert!(left[50] > 0.999);
    assert!(left[50..150].windows(2).all(|pair| pair[1] < pair[0]));
    assert_eq!(left[149], 0.0);
    assert!(left[150..].iter().all(|sample| *sample == 0.0));
    assert_eq!(left, right);
}

#[test]
fn the_fade_does_not_depend_on_how_it_is_cut() {
    let (mut whole, mut other) = ([1.0; 300], [1.0; 300]);
    fade_out(&mut whole, &mut other, 0, 280, 100);
    let mut cut = [1.0; 300];
    for start in (0..300).step_by(7) {
        let end = (start + 7).min(300);
        let mut other = vec![1.0; end - start];
        fade_out(&mut cut[start..end], &mut other, start as u64, 280, 100);
    }
    assert_eq!(whole, cut);
}
