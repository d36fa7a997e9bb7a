//! Undo and redo while sound runs. All of it under `assert_no_alloc`.

use assert_no_alloc::AllocDisabler;
use headroom_engine::{Change, ControlError, MAX_STEPS, ModuleSpec, RackSpec, preset};
use headroom_tests::measure::difference_dbfs;
use headroom_tests::rig::{Blocks, Rig, lively, module, rack};
use headroom_tests::signal::{Random, programme};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const KINDS: [&str; 5] = ["gain", "filter", "eq", "compressor", "delay"];

/// The rack as it sounds, as a preset file would say it: whatever differs, this does.
fn said(rig: &Rig) -> String {
    preset::to_toml(&rig.controller.current())
}

fn start() -> RackSpec {
    rack([module("eq"), module("compressor"), module("gain")])
}

/// Lets the audio thread take what waits.
fn settle(rig: &mut Rig) {
    rig.play(&mut [vec![0.0; 128], vec![0.0; 128]]);
}

/// Something that a user might do; `false` where there was nothing to do it to.
fn do_anything(rig: &mut Rig, random: &mut Random, number: usize) -> bool {
    let modules = rig.controller.spec().modules.clone();
    let len = modules.len();
    let any = |random: &mut Random| (len > 0).then(|| modules[random.below(len)].clone());
    let controller = &mut rig.controller;
    match random.below(8) {
        0 => {
            let kind = module(KINDS[random.below(KINDS.len())]).kind;
            let new = lively(kind, number as u64).with_id(format!("new{number}"));
            controller.insert(random.below(len + 1), new).unwrap();
        }
        1 => match any(random) {
            Some(gone) => controller.remove(&gone.id).unwrap(),
            None => return false,
        },
        2 => match any(random) {
            Some(moved) => controller.move_to(&moved.id, random.below(len)).unwrap(),
            None => return false,
        },
        3 => match any(random) {
            Some(of) => controller.set_bypass(&of.id, !of.bypass).unwrap(),
            None => return false,
        },
        4 => match any(random) {
            Some(of) => controller.set_mix(&of.id, random.unit()).unwrap(),
            None => return false,
        },
        5 if number.is_multiple_of(7) => {
            let other = rack([lively(module("delay").kind, number as u64), module("eq")]);
            controller.load(&other).unwrap();
        }
        _ => match any(random) {
            Some(of) => {
                let other = lively(of.kind, number as u64);
                let index = random.below(of.kind.params.len());
                let param = of.kind.params[index].id;
                let value = other.values[index];
                controller.set_param(&of.id, param, value).unwrap();
            }
            None => return false,
        },
    }
    true
}

#[test]
fn whatever_was_done_is_undone_step_by_step_and_done_again() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut rig = Rig::stereo(&start());
        let mut states = vec![said(&rig)];
        for number in 0..60 {
            if do_anything(&mut rig, &mut random, number) && *states.last().unwrap() != said(&rig) {
                states.push(said(&rig));
            }
            settle(&mut rig);
        }
        // A move to where it was, or a preset anew, may be a step that changes nothing that is said.
        let mut last = states.pop().unwrap();
        let end = last.clone();
        let mut steps = 0;
        while let Some(label) = rig.controller.undo().unwrap() {
            assert!(!label.is_empty());
            settle(&mut rig);
            steps += 1;
            if said(&rig) != last {
                last = said(&rig);
                assert_eq!(Some(&last), states.last(), "seed {seed}, {steps} back");
                states.pop();
            }
        }
        assert!(states.is_empty(), "seed {seed}: {} left", states.len());
        for _ in 0..steps {
            assert!(rig.controller.redo().unwrap().is_some());
            settle(&mut rig);
        }
        assert_eq!(rig.controller.redo().unwrap(), None);
        assert_eq!(said(&rig), end, "seed {seed}");
    }
}

#[test]
fn a_gesture_is_one_step_however_much_it_moved_and_whoever_moved_something_else_meanwhile() {
    let mut rig = Rig::stereo(&start());
    let before = said(&rig);
    rig.controller.begin_gesture("gain", "gain_db").unwrap();
    rig.controller.begin_gesture("eq", "mix").unwrap();
    for step in 1..=50 {
        let value = -0.1 * step as f32;
        rig.controller.set_param("gain", "gain_db", value).unwrap();
        rig.controller.set_mix("eq", 1.0 + 0.1 * value).unwrap();
        settle(&mut rig);
    }
    rig.controller.end_gesture("gain", "gain_db").unwrap();
    rig.controller.end_gesture("eq", "mix").unwrap();
    // Let go of, each is a step of its own again.
    rig.controller.set_param("gain", "gain_db", 3.0).unwrap();
    let undone: Vec<_> = std::iter::from_fn(|| rig.controller.undo().unwrap()).collect();
    assert_eq!(undone, ["gain.gain_db", "eq.mix", "gain.gain_db"]);
    assert_eq!(said(&rig), before);
    // What comes back to where it was taken from is nothing to undo.
    rig.controller.begin_gesture("gain", "gain_db").unwrap();
    for value in [1.0, 2.0, 0.0] {
        rig.controller.set_param("gain", "gain_db", value).unwrap();
    }
    rig.controller.end_gesture("gain", "gain_db").unwrap();
    assert_eq!(rig.controller.undo_label(), None);
}

#[test]
fn an_undo_in_the_middle_of_a_gesture_ends_its_step_there() {
    let mut rig = Rig::stereo(&start());
    rig.controller.begin_gesture("gain", "gain_db").unwrap();
    rig.controller.set_param("gain", "gain_db", 1.0).unwrap();
    assert_eq!(
        rig.controller.undo().unwrap().as_deref(),
        Some("gain.gain_db")
    );
    rig.controller.set_param("gain", "gain_db", 2.0).unwrap();
    rig.controller.set_param("gain", "gain_db", 4.0).unwrap();
    assert!(rig.controller.undo().unwrap().is_some());
    assert_eq!(rig.controller.spec().modules[2].values[0], 0.0);
    assert_eq!(rig.controller.undo().unwrap(), None);
}

#[test]
fn a_new_step_forgets_what_could_be_done_again_and_the_oldest_are_forgotten() {
    let mut rig = Rig::stereo(&start());
    rig.controller.set_mix("eq", 0.5).unwrap();
    rig.controller.undo().unwrap();
    assert_eq!(rig.controller.redo_label().as_deref(), Some("eq.mix"));
    rig.controller.set_mix("gain", 0.5).unwrap();
    assert_eq!(rig.controller.redo_label(), None);
    for step in 0..MAX_STEPS {
        let value = (step + 1) as f32 / 100.0;
        rig.controller.set_param("gain", "gain_db", value).unwrap();
        settle(&mut rig);
    }
    let mut steps = 0;
    while rig.controller.undo().unwrap().is_some() {
        settle(&mut rig);
        steps += 1;
    }
    assert_eq!(steps, MAX_STEPS);
    assert_eq!(rig.controller.spec().modules[2].mix, 0.5);
}

#[test]
fn an_undo_leaves_alone_what_automation_moved_elsewhere_and_goes_back_to_how_it_sounded() {
    let mut rig = Rig::stereo(&start());
    let eq = rig.controller.param_change("eq", "band1_gain_db", 4.0);
    let gain = rig.controller.param_change("gain", "gain_db", -7.0);
    let changes: [(usize, Change); 2] = [(0, eq.unwrap()), (0, gain.unwrap())];
    let mut sound = [vec![0.0; 256], vec![0.0; 256]];
    rig.run(&mut sound, &Blocks::Fixed(128), &changes, |_, _| {});
    let of = |rig: &Rig, module: &str, param: &str| {
        let spec = rig.controller.current();
        let module = spec.modules.iter().find(|known| known.id == module);
        let module: &ModuleSpec = module.unwrap();
        module.values[module.kind.param_index(param).unwrap()]
    };
    // As it sounded: -7, not the preset's 0.
    rig.controller.set_param("gain", "gain_db", 2.0).unwrap();
    settle(&mut rig);
    rig.controller.undo().unwrap();
    settle(&mut rig);
    assert_eq!(of(&rig, "gain", "gain_db"), -7.0);
    // And an edit elsewhere, and back, leaves the band where automation has it by then.
    rig.controller.remove("compressor").unwrap();
    let later = rig.controller.param_change("eq", "band1_gain_db", 6.0);
    let changes = [(0, later.unwrap())];
    rig.run(&mut sound, &Blocks::Fixed(128), &changes, |_, _| {});
    assert_eq!(
        rig.controller.undo().unwrap().as_deref(),
        Some("remove compressor")
    );
    settle(&mut rig);
    assert_eq!(of(&rig, "eq", "band1_gain_db"), 6.0);
    assert_eq!(rig.controller.spec().modules.len(), 3);
}

#[test]
fn an_undo_that_finds_no_room_changes_nothing_and_can_be_asked_again() {
    let mut rig = Rig::stereo(&start());
    rig.controller.remove("compressor").unwrap();
    while rig.controller.set_mix("eq", 0.25).is_ok() {}
    let before = said(&rig);
    let label = rig.controller.undo_label();
    assert!(matches!(rig.controller.undo(), Err(ControlError::Busy)));
    assert_eq!((said(&rig), rig.controller.undo_label()), (before, label));
    settle(&mut rig);
    assert_eq!(rig.controller.undo().unwrap().as_deref(), Some("eq.mix"));
}

#[test]
fn after_an_undo_it_sounds_as_before() {
    let spec = || rack([module("filter"), module("gain")]);
    let sound = || vec![programme(1, 48_000, 48_000), programme(2, 48_000, 48_000)];
    let mut still = Rig::stereo(&spec());
    let mut expected = sound();
    still.play(&mut expected);
    let mut rig = Rig::stereo(&spec());
    let mut heard = sound();
    rig.run(
        &mut heard,
        &Blocks::Fixed(128),
        &[],
        |controller, frame| match frame / 128 {
            20 => controller.set_param("gain", "gain_db", -12.0).unwrap(),
            40 => controller.insert(1, module("eq")).unwrap(),
            60 | 80 => drop(controller.undo().unwrap()),
            _ => {}
        },
    );
    let end = 120 * 128;
    assert!(difference_dbfs(&heard[0][..end], &expected[0][..end]) > -60.0);
    assert!(difference_dbfs(&heard[0][end..], &expected[0][end..]) < -120.0);
}
