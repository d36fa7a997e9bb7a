//! The key: a second signal that modules may follow instead of their own input.

use assert_no_alloc::AllocDisabler;
use headroom_engine::{Event, ModuleSpec, RackSpec};
use headroom_tests::rig::{Rig, module, rack, stream};
use headroom_tests::seeds;
use headroom_tests::signal::{Random, noise};

// Whoever allocates on the audio thread ends the test.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Full scale is 20 dB above the threshold, of which a ratio of 20 takes 19 away.
fn ducker(external: bool) -> ModuleSpec {
    let mut ducker = module("compressor");
    let settings = [
        ("threshold_db", -20.0),
        ("ratio", 20.0),
        ("knee_db", 0.0),
        ("attack_ms", 0.1),
        ("release_ms", 5.0),
        ("key", f32::from(u8::from(external))),
    ];
    for (id, value) in settings {
        let index = ducker.kind.param_index(id).expect("a parameter");
        ducker.values[index] = value;
    }
    ducker
}

/// Runs `sound` in place beside a key, in blocks of the lengths that `next` gives.
fn run(rig: &mut Rig, sound: &mut [Vec<f32>], key: &[Vec<f32>], mut next: impl FnMut() -> usize) {
    let frames = sound[0].len();
    let mut at = 0;
    while at < frames {
        let end = (at + next()).min(frames);
        let key: Vec<&[f32]> = key.iter().map(|key| &key[at..end]).collect();
        let mut views: Vec<&mut [f32]> = sound
            .iter_mut()
            .map(|channel| &mut channel[at..end])
            .collect();
        rig.processor.process_keyed(&mut views, &key, &[]);
        at = end;
    }
}

fn quiet(frames: usize) -> Vec<Vec<f32>> {
    vec![vec![0.01; frames]; 2]
}

/// Silence, then full scale from a frame on.
fn step(frames: usize, at: usize) -> Vec<Vec<f32>> {
    let step = |frame: usize| if frame < at { 0.0 } else { 1.0 };
    vec![(0..frames).map(step).collect(); 2]
}

#[test]
fn a_keyed_compressor_turns_down_what_is_quiet_while_the_key_is_loud() {
    let mut rig = Rig::stereo(&rack([ducker(true)]));
    let (mut sound, key) = (quiet(9_600), step(9_600, 4_800));
    run(&mut rig, &mut sound, &key, || 480);
    for channel in &sound {
        assert!(
            channel[..4_800].iter().all(|&sample| sample == 0.01),
            "before"
        );
        let turned_db = 20.0 * (channel[9_599] / 0.01).log10();
        assert!((turned_db + 19.0).abs() < 0.05, "{turned_db} dB");
    }
    // The other way round: loud sound under a silent key is left alone.
    let mut rig = Rig::stereo(&rack([ducker(true)]));
    let mut sound = vec![noise(1, 1.0, 4_800), noise(2, 1.0, 4_800)];
    let before = sound.clone();
    run(&mut rig, &mut sound, &step(4_800, 4_800), || 480);
    assert_eq!(sound, before);
}

#[test]
fn who_does_not_follow_the_key_and_who_is_given_none_follows_its_own_input() {
    let frames = 9_600;
    let input = [noise(3, 1.0, frames), noise(4, 1.0, frames)];
    let sound_of = |external: bool, key: &[Vec<f32>]| {
        let mut rig = Rig::stereo(&rack([ducker(external)]));
        let mut sound = input.clone();
        run(&mut rig, &mut sound, key, || 333);
        sound
    };
    let expected = sound_of(false, &[]);
    assert_ne!(expected, input, "it does something");
    assert_eq!(
        sound_of(false, &step(frames, 0)),
        expected,
        "internal, beside a key"
    );
    assert_eq!(sound_of(true, &[]), expected, "external, without one");
    assert_eq!(sound_of(true, &input), expected, "keyed by its own input");
    let short = vec![vec![1.0; 10]; 2];
    let mut rig = Rig::stereo(&rack([ducker(true)]));
    let mut sound = input.clone();
    let [left, right] = &mut sound;
    let key: Vec<&[f32]> = short.iter().map(Vec::as_slice).collect();
    rig.processor.process_keyed(&mut [left, right], &key, &[]);
    assert_eq!(sound, expected, "a key that is too short is none");
}

#[test]
fn a_key_of_one_channel_is_heard_by_both_and_each_of_two_by_its_own() {
    let mut unlinked = ducker(true);
    let link = unlinked.kind.param_index("link").expect("a parameter");
    unlinked.values[link] = 0.0;
    let loud = vec![1.0; 4_800];
    for (key, turned) in [
        (vec![loud.clone()], [true, true]),
        (vec![loud.clone(), vec![0.0; 4_800]], [true, false]),
        (vec![vec![0.0; 4_800], loud], [false, true]),
    ] {
        let mut rig = Rig::stereo(&rack([unlinked.clone()]));
        let mut sound = quiet(4_800);
        run(&mut rig, &mut sound, &key, || 480);
        let is_turned = |channel: &Vec<f32>| channel[4_799] < 0.002;
        assert_eq!([is_turned(&sound[0]), is_turned(&sound[1])], turned);
    }
    let mut mono = Rig::new(stream(48_000, 1), &rack([ducker(true)]));
    let mut sound = vec![vec![0.01; 4_800]];
    run(
        &mut mono,
        &mut sound,
        &[vec![1.0; 4_800], vec![0.0; 4_800]],
        || 480,
    );
    assert!(sound[0][4_799] < 0.002, "mono follows the first");
}

#[test]
fn a_keyed_rack_sounds_the_same_however_its_blocks_are_cut_while_all_changes() {
    let frames = 24_000;
    let spec = rack([module("gain"), ducker(true), module("delay")]);
    let input = [noise(5, 0.5, frames), noise(6, 0.5, frames)];
    let key = [noise(7, 1.0, frames), noise(8, 1.0, frames)];
    let sound_of = |lengths: &mut dyn FnMut() -> usize, off: usize| {
        let mut rig = Rig::stereo(&spec);
        let flip = |on: f32| rig.controller.param_change("compressor", "key", on);
        let events = [flip(0.0).unwrap(), flip(1.0).unwrap()];
        let mut sound = input.clone().map(|channel| {
            let mut buffer = headroom_engine::Buffer::silent(frames + off);
            buffer[off..].copy_from_slice(&channel);
            buffer
        });
        let mut at = 0;
        while at < frames {
            let end = (at + lengths()).min(frames);
            // Back and forth, inside and outside of the fade.
            let events: Vec<Event> = [(1_000, 0), (1_300, 1), (9_000, 0), (15_001, 1)]
                .into_iter()
                .filter(|(frame, _)| (at..end).contains(frame))
                .map(|(frame, which)| Event {
                    frame: (frame - at) as u32,
                    change: events[which],
                })
                .collect();
            let [left, right] = &mut sound;
            let (span, key_span) = (off + at..off + end, at..end);
            rig.processor.process_keyed(
                &mut [&mut left[span.clone()], &mut right[span]],
                &[&key[0][key_span.clone()], &key[1][key_span]],
                &events,
            );
            at = end;
        }
        sound.map(|channel| channel[off..].to_vec())
    };
    let whole = sound_of(&mut || frames, 0);
    let mut random = Random::new(9);
    for off in [0, 1] {
        assert_eq!(sound_of(&mut || 1 + random.below(200), off), whole, "{off}");
    }
    assert_eq!(sound_of(&mut || 1, 0), whole, "frame by frame");
}

#[test]
fn from_one_key_to_the_other_there_is_no_step() {
    let frames = 9_600;
    let mut rig = Rig::stereo(&rack([ducker(false)]));
    let flip = rig
        .controller
        .param_change("compressor", "key", 1.0)
        .unwrap();
    let mut sound = quiet(frames);
    let key = vec![1.0; frames];
    let [left, right] = &mut sound[..] else {
        unreachable!()
    };
    let event = Event {
        frame: 4_800,
        change: flip,
    };
    rig.processor
        .process_keyed(&mut [left, right], &[&key, &key], &[event]);
    assert_eq!(sound[0][4_799], 0.01);
    assert!(sound[0][frames - 1] < 0.002);
    let steepest = sound[0].windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let steepest = steepest.fold(0.0, f32::max);
    // All 19 dB in one frame would be 0.009.
    assert!(steepest < 0.001, "{steepest}");
}

#[test]
fn what_is_no_number_in_a_key_is_silence_and_counted() {
    let mut rig = Rig::stereo(&rack([ducker(true)]));
    let mut sound = quiet(4_800);
    let key = vec![vec![f32::NAN; 4_800], vec![f32::INFINITY; 4_800]];
    run(&mut rig, &mut sound, &key, || 480);
    assert_eq!(sound, quiet(4_800));
    let health = rig.controller.health();
    assert_eq!(health.non_finite_inputs, 9_600);
    assert_eq!((health.muted_chunks, health.panics), (0, 0));
    // Nobody follows it: nobody looks at it.
    let mut rig = Rig::stereo(&rack([module("gain")]));
    run(&mut rig, &mut quiet(480), &key, || 480);
    assert_eq!(rig.controller.health().non_finite_inputs, 0);
}

fn late(frames: f32) -> ModuleSpec {
    let mut late = ModuleSpec::new(&seeds::LATE);
    late.values[0] = frames;
    late
}

/// The first frame that is turned down.
fn turned_from(sound: &[f32]) -> Option<usize> {
    let starts = sound.iter().position(|&sample| sample > 0.0)?;
    let turned = sound[starts..].iter().position(|&sample| sample < 0.0099)?;
    Some(starts + turned)
}

#[test]
fn behind_a_late_slot_the_key_is_as_late_as_the_sound() {
    let frames = 9_600;
    let ducks_at = |spec: &RackSpec, next: &mut dyn FnMut() -> usize| {
        let mut rig = Rig::stereo(spec);
        let mut sound = quiet(frames);
        run(&mut rig, &mut sound, &step(frames, 4_800), next);
        turned_from(&sound[1]).expect("it ducks")
    };
    let alone = ducks_at(&rack([ducker(true)]), &mut || 480);
    assert!((4_800..4_810).contains(&alone), "{alone}");
    let mut random = Random::new(3);
    for (delay, spec) in [
        (100, rack([late(100.0), ducker(true)])),
        (
            1_111,
            rack([late(1_000.0), late(111.0).with_id("b"), ducker(true)]),
        ),
        // Behind it: the whole is late, and the key has met its sound before.
        (100, rack([ducker(true), late(100.0)])),
    ] {
        assert_eq!(ducks_at(&spec, &mut || 480), alone + delay);
        assert_eq!(
            ducks_at(&spec, &mut || 1 + random.below(300)),
            alone + delay
        );
    }
}

#[test]
fn a_rack_that_has_left_is_keyed_while_it_rings_and_the_new_one_is_not_late_by_it() {
    let mut rig = Rig::stereo(&rack([late(700.0), module("delay"), ducker(true)]));
    let loud = vec![vec![1.0; 4_800]; 2];
    run(&mut rig, &mut quiet(4_800), &loud, || 480);
    // The old one rings on, keyed; the new one follows the key at once, not 700 frames later.
    rig.controller.load(&rack([ducker(true)])).expect("room");
    let mut sound = quiet(9_600);
    let mut random = Random::new(4);
    run(&mut rig, &mut sound, &step(9_600, 4_800), || {
        1 + random.below(300)
    });
    // The echoes of the old one, 350 ms late, have not come yet.
    let turned = sound[0][4_799..].iter().position(|&sample| sample < 0.0099);
    assert!(turned.is_some_and(|turned| turned < 12), "{turned:?}");
    assert_eq!(rig.controller.health().panics, 0);
}

#[test]
fn a_slot_that_is_put_in_while_it_plays_follows_the_key() {
    let mut rig = Rig::stereo(&rack([module("gain")]));
    let loud = vec![vec![1.0; 4_800]; 2];
    run(&mut rig, &mut quiet(4_800), &loud, || 480);
    rig.controller.insert(1, ducker(true)).expect("room");
    let mut sound = quiet(4_800);
    run(&mut rig, &mut sound, &loud, || 100);
    assert!(sound[0][4_799] < 0.002, "{}", sound[0][4_799]);
    rig.controller.remove("compressor").expect("room");
    let mut sound = quiet(4_800);
    run(&mut rig, &mut sound, &loud, || 100);
    assert_eq!(sound[0][4_799], 0.01);
}
