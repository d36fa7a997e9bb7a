//! Edits and preset changes while sound runs: no click, no lost echo, no bit changed elsewhere, no
//! memory left behind. All of it runs under `assert_no_alloc`.

use assert_no_alloc::AllocDisabler;
use headroom_engine::{
    Catalog, ControlError, Controller, Memory, MemoryError, ModuleSpec, OpenError, RackSpec,
    Report, open, preset,
};
use headroom_tests::measure::{difference_dbfs, resident_bytes, residual_above_dbfs};
use headroom_tests::rig::{Blocks, Rig, lively, module, rack, stream};
use headroom_tests::signal::{Random, impulse, noise, programme, sine};
use headroom_tests::{measure, seeds};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATE_HZ: u32 = 48_000;

/// Runs `sound` in blocks of 128 and calls `edit` before the block that holds frame `at`.
fn edit_at(
    rig: &mut Rig,
    sound: &mut [Vec<f32>],
    at: usize,
    mut edit: impl FnMut(&mut Controller),
) {
    rig.run(sound, &Blocks::Fixed(128), &[], |controller, frame| {
        if (frame..frame + 128).contains(&at) {
            edit(controller);
        }
    });
}

fn tap(number: usize) -> ModuleSpec {
    let frames = 200_000;
    seeds::prepare_tap(number, frames);
    ModuleSpec::new(&seeds::TAP)
        .with_id(format!("tap{number}"))
        .with("number", number as f32)
}

fn compressor() -> ModuleSpec {
    module("compressor")
        .with("threshold_db", -30.0)
        .with("ratio", 4.0)
}

fn delay(time_ms: f32) -> ModuleSpec {
    module("delay")
        .with("time_ms", time_ms)
        .with("feedback", 0.5)
}

#[test]
fn an_edit_elsewhere_leaves_every_bit_of_the_other_slots() {
    // A compressor at work and a delay that rings, each with a tap behind it; then what is edited.
    let run = |first_tap: usize, edits: &mut dyn FnMut(&mut Controller, usize)| {
        let spec = rack([
            compressor(),
            tap(first_tap),
            delay(170.0),
            tap(first_tap + 1),
            module("gain").with("gain_db", -3.0),
        ]);
        let mut rig = Rig::stereo(&spec);
        let mut sound = vec![programme(1, RATE_HZ, 96_000), programme(2, RATE_HZ, 96_000)];
        rig.run(&mut sound, &Blocks::Fixed(128), &[], edits);
        (
            seeds::take_tap(first_tap),
            seeds::take_tap(first_tap + 1),
            sound,
        )
    };
    let still = run(0, &mut |_, _| {});
    let mut edits = 0;
    let edited = run(2, &mut |controller, frame| {
        let end = controller.spec().modules.len();
        let done = match (frame / 128, end) {
            (100, _) => controller.insert(end, lively(module("gain").kind, 9).with_id("new")),
            (200, _) => controller.remove("gain"),
            (300, _) => controller.insert(end, module("gain")),
            (400, _) => controller.move_to("new", end - 1),
            (500, _) => controller.set_param("gain", "gain_db", 6.0),
            (600, _) => controller.remove("new"),
            _ => return,
        };
        done.unwrap();
        edits += 1;
    });
    assert_eq!(edits, 6);
    assert_ne!(still.2, edited.2, "the edits were heard");
    assert_eq!(still.0.len(), 96_000);
    assert!(still.0 == edited.0, "the compressor's output");
    assert!(still.1 == edited.1, "the delay's output");
}

#[test]
fn sound_with_edits_in_it_has_the_same_bits_for_any_split() {
    let run = |blocks: usize| {
        let spec = rack([compressor(), delay(40.0), module("gain")]);
        let mut rig = Rig::stereo(&spec);
        let mut sound = vec![programme(1, RATE_HZ, 40_000), programme(2, RATE_HZ, 40_000)];
        // Edits fall on multiples of 480, which all these sizes of blocks meet.
        rig.run(&mut sound, &Blocks::Fixed(blocks), &[], |controller, at| {
            let done = match at {
                4_800 => controller.remove("delay"),
                9_600 => controller.insert(0, delay(25.0)),
                9_600_000 => unreachable!(),
                14_400 => controller.move_to("compressor", 2),
                19_200 => controller.load(&rack([delay(33.0).with_id("other")])),
                24_000 => controller.mute(true),
                28_800 => controller.mute(false),
                _ => return,
            };
            done.unwrap();
        });
        sound
    };
    let whole = run(480);
    for blocks in [1, 5, 32, 96, 160] {
        assert!(whole == run(blocks), "blocks of {blocks}");
    }
}

#[test]
fn a_neutral_gain_that_is_inserted_nulls_below_minus_120_db() {
    let sound = vec![programme(1, RATE_HZ, 24_000), programme(2, RATE_HZ, 24_000)];
    let mut edited = sound.clone();
    let mut rig = Rig::stereo(&rack([]));
    edit_at(&mut rig, &mut edited, 9_000, |controller| {
        controller.insert(0, module("gain")).unwrap();
    });
    for (a, b) in sound.iter().zip(&edited) {
        let db = difference_dbfs(a, b);
        assert!(db < -120.0, "{db} dB");
    }
}

#[test]
fn echoes_of_a_delay_that_was_removed_ring_out_on_time() {
    let (time_frames, at) = (4_800, 1_000);
    let play = |remove: bool| {
        let mut rig = Rig::stereo(&rack([delay(100.0)]));
        let mut sound = vec![impulse(at, 60_000); 2];
        edit_at(&mut rig, &mut sound, at + 500, |controller| {
            if remove {
                controller.remove("delay").unwrap();
            }
        });
        sound.swap_remove(0)
    };
    let (kept, removed) = (play(false), play(true));
    for echo in 1..=8 {
        let frame = at + echo * time_frames;
        assert!(kept[frame].abs() > 0.001, "echo {echo}: {}", kept[frame]);
        assert_eq!(kept[frame], removed[frame], "echo {echo}");
    }
}

#[test]
fn a_tail_passes_through_the_slots_behind_it() {
    let mut rig = Rig::stereo(&rack([delay(100.0), module("gain").with("gain_db", -20.0)]));
    let mut sound = vec![impulse(1_000, 20_000); 2];
    edit_at(&mut rig, &mut sound, 2_000, |controller| {
        controller.remove("delay").unwrap();
    });
    let echo = sound[0][1_000 + 4_800];
    let mut alone = Rig::stereo(&rack([delay(100.0)]));
    let mut reference = vec![impulse(1_000, 20_000); 2];
    alone.play(&mut reference);
    let expected = reference[0][1_000 + 4_800] * 0.1;
    assert!(
        (echo - expected).abs() < 1e-6,
        "{echo}, expected {expected}"
    );
}

/// Racks between which edits and preset changes go: everything that there is, set off its defaults
/// but for what would itself put a 50 Hz sine's energy above 2 kHz.
fn racks_for_clicks() -> Vec<(&'static str, RackSpec)> {
    let eq = || {
        module("eq")
            .with("band1_gain_db", 6.0)
            .with("band2_gain_db", -6.0)
    };
    let slow = || {
        compressor()
            .with("attack_ms", 30.0)
            .with("release_ms", 300.0)
    };
    let gain = || module("gain").with("gain_db", 9.0);
    let low_pass = || {
        let mut module = module("filter");
        for (id, value) in [("highpass_on", 1.0), ("highpass_hz", 40.0)] {
            module = module.with(id, value);
        }
        module
    };
    vec![
        ("nothing", rack([])),
        ("gain", rack([gain()])),
        ("gain, compressor", rack([gain(), slow()])),
        ("compressor, gain", rack([slow(), gain()])),
        ("compressor alone", rack([slow()])),
        ("delay, gain", rack([delay(170.0), gain()])),
        ("delay of another time", rack([delay(90.0), gain()])),
        ("eq, delay", rack([eq(), delay(170.0)])),
        ("delay, eq", rack([delay(170.0), eq()])),
        ("filter, eq", rack([low_pass(), eq()])),
        ("eq, filter", rack([eq(), low_pass()])),
        ("inverted", rack([module("gain").with("invert_left", 1.0)])),
    ]
}

/// One change in the middle of a 50 Hz sine; the residual above 2 kHz.
fn residual(from: &RackSpec, change: impl Fn(&mut Controller)) -> f64 {
    let mut rig = Rig::stereo(from);
    let mut sound = vec![sine(50.0, 0.5, RATE_HZ, 144_000); 2];
    edit_at(&mut rig, &mut sound, 72_000, change);
    // From before the change on; what sets in at the start is not asked for.
    residual_above_dbfs(&sound[0][48_000..], 2_000.0, RATE_HZ)
}

/// Every rack made into every other under a 50 Hz sine.
fn no_change_clicks(change: impl Fn(&mut Controller, &RackSpec)) {
    let racks = racks_for_clicks();
    for (from_name, from) in &racks {
        for (to_name, to) in &racks {
            let db = residual(from, |controller| change(controller, to));
            assert!(
                db < -80.0,
                "from {from_name} to {to_name}: {db:.1} dBFS above 2 kHz"
            );
        }
    }
}

#[test]
fn no_edit_clicks_under_a_50_hz_sine() {
    no_change_clicks(|controller, to| controller.edit(to).unwrap());
}

#[test]
fn no_preset_change_clicks_under_a_50_hz_sine() {
    no_change_clicks(|controller, to| controller.load(to).unwrap());
}

#[test]
fn no_bypass_mix_or_mute_clicks_under_a_50_hz_sine() {
    for kind in ["gain", "filter", "eq", "compressor", "delay"] {
        let spec = rack([match kind {
            "compressor" => compressor()
                .with("attack_ms", 30.0)
                .with("release_ms", 300.0),
            "delay" => delay(90.0),
            "gain" => module("gain").with("gain_db", -12.0),
            other => module(other),
        }]);
        let off = residual(&spec, |controller| {
            controller.set_bypass(kind, true).unwrap()
        });
        let mix = residual(&spec, |controller| controller.set_mix(kind, 0.3).unwrap());
        let mute = residual(&spec, |controller| controller.mute(true).unwrap());
        let told = format!("{kind}: {off:.1}, {mix:.1}, {mute:.1} dBFS above 2 kHz");
        assert!(off < -80.0 && mute < -80.0 && mix < -80.0, "{told}");
    }
}

#[test]
fn rebuilding_a_loud_slot_in_its_place_does_not_overshoot() {
    // In series the two instances would raise the middle of the crossfade by 9 dB.
    let spec = |frames: f32| {
        rack([
            module("gain").with("gain_db", 20.0),
            ModuleSpec::new(&seeds::LATE).with("frames", frames),
        ])
    };
    let mut rig = Rig::stereo(&spec(1.0));
    let mut sound = vec![sine(50.0, 0.05, RATE_HZ, 48_000); 2];
    edit_at(&mut rig, &mut sound, 24_000, |controller| {
        controller.edit(&spec(3.0)).unwrap();
    });
    let peak = measure::peak(&sound[0]);
    assert!((peak - 0.5).abs() < 0.001, "{peak}");
    assert_eq!(rig.controller.latency_frames(), 3);
}

#[test]
fn ten_thousand_edits_and_preset_changes_leave_finite_sound_and_no_memory() {
    let catalog = Catalog::builtin();
    let mut random = Random::new(17);
    let mut any_rack = || {
        let count = random.below(6);
        let modules = (0..count).map(|place| {
            let kinds = catalog.kinds();
            let kind = kinds[random.below(kinds.len())];
            // Ids from a small set, so that modules stay, move, are rebuilt and replaced.
            lively(kind, random.bits()).with_id(format!("{}{}", kind.id, place % 3))
        });
        let mut modules: Vec<ModuleSpec> = modules.collect();
        let mut seen = Vec::new();
        modules.retain(|module| {
            let new = !seen.contains(&module.id);
            seen.push(module.id.clone());
            new
        });
        rack(modules)
    };
    let mut rig = Rig::stereo(&any_rack());
    let input = vec![noise(1, 0.3, 256), noise(2, 0.3, 256)];
    let mut resident = Vec::new();
    let (mut done, mut busy) = (0, 0);
    while done < 10_000 {
        let spec = any_rack();
        let result = if done % 10 == 9 {
            rig.controller.load(&spec)
        } else {
            rig.controller.edit(&spec)
        };
        match result {
            Ok(()) => done += 1,
            Err(ControlError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
        let mut sound = input.clone();
        rig.play(&mut sound);
        let finite = sound.iter().flatten().all(|sample| sample.is_finite());
        assert!(finite, "after {done} edits");
        rig.controller.reports();
        if done % 1_000 == 0 && resident.len() < done / 1_000 {
            // What has left rings out and is collected before memory is compared.
            let mut silence = vec![vec![0.0; 48_000]; 2];
            rig.controller.load(&rack([])).unwrap();
            for _ in 0..75 {
                silence.iter_mut().for_each(|channel| channel.fill(0.0));
                rig.play(&mut silence);
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
            resident.push(resident_bytes());
        }
    }
    let health = rig.controller.health();
    assert_eq!(
        (health.panics, health.muted_chunks),
        (0, 0),
        "{health:?}, {busy} busy"
    );
    // From the second thousand on it is flat: within the allocator's own slack.
    let (from, to) = (resident[1], resident[9]);
    assert!(
        to < from + (1 << 20),
        "resident bytes after each thousand: {resident:?}"
    );
}

#[test]
fn bursts_of_edits_wait_for_room_and_none_is_lost() {
    let mut rig = Rig::stereo(&rack([]));
    let mut sound = vec![vec![0.1; 128]; 2];
    // Forty edits without a block in between, each of which makes a delay leave.
    for round in 0..40 {
        rig.controller
            .edit(&rack([delay(100.0).with_id(format!("delay{round}"))]))
            .unwrap();
    }
    for _ in 0..1_000 {
        rig.play(&mut sound);
    }
    // All have been taken: the last one's parameter answers.
    rig.controller
        .set_param("delay39", "time_ms", 50.0)
        .unwrap();
    rig.play(&mut sound);
    let lost = rig.controller.health().lost_notices;
    assert_eq!(lost, 0);
}

#[test]
fn what_cannot_be_built_changes_nothing() {
    let before = rack([module("gain")]);
    let mut rig = Rig::stereo(&before);
    let fails = |controller: &mut Controller, spec: &RackSpec, message: &str| {
        let error = controller.edit(spec).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(controller.spec().modules.len(), 1);
    };
    let twice = rack([module("gain"), module("gain")]);
    fails(
        &mut rig.controller,
        &twice,
        "two modules have the id `gain`",
    );
    let many = rack((0..65).map(|i| module("gain").with_id(format!("{i}"))));
    fails(&mut rig.controller, &many, "at most 64");
    let far = rack([module("gain").with("gain_db", 1e6)]);
    fails(
        &mut rig.controller,
        &far,
        "expected a number from -72 to 24 (dB)",
    );
    let error = rig
        .controller
        .set_param("gian", "gain_db", 0.0)
        .unwrap_err();
    assert!(
        error.to_string().contains("expected one of `gain`"),
        "{error}"
    );
    let error = rig.controller.set_param("gain", "gain", 0.0).unwrap_err();
    assert!(error.to_string().contains("`gain_db`"), "{error}");
}

#[test]
fn a_rack_over_its_budget_is_refused_before_anything_is_taken() {
    let spec = rack([delay(100.0)]);
    let memory = Memory {
        budget_bytes: Some(100_000),
        ..Memory::default()
    };
    match open(stream(RATE_HZ, 2), &spec, &memory) {
        Err(OpenError::Memory(MemoryError::OverBudget { needed, budget, .. })) => {
            // Five seconds of two channels of f32.
            assert!(needed >= 5 * 48_000 * 2 * 4, "{needed}");
            assert_eq!(budget, 100_000);
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("1.9 MB fit 100 kB"),
    }
}

#[test]
fn factory_presets_follow_each_other_without_a_click() {
    let catalog = Catalog::builtin();
    let specs: Vec<RackSpec> = preset::factory()
        .iter()
        .map(|factory| preset::parse(factory.text, factory.name, &catalog).unwrap())
        .collect();
    for from in &specs {
        for to in &specs {
            let db = residual(from, |controller| controller.load(to).unwrap());
            let still = residual(from, |_| {});
            let other = residual(to, |_| {});
            // Presets may compress fast enough to bend a 50 Hz sine by themselves.
            let allowed = still.max(other).max(-80.0) + 1.0;
            assert!(
                db < allowed,
                "{} to {}: {db:.1}, allowed {allowed:.1}",
                from.name,
                to.name
            );
        }
    }
}

#[test]
fn one_tail_too_many_cuts_the_oldest_only_whatever_the_block() {
    let time_ms = |i: usize| 400.0 + 50.0 * i as f32;
    let ids: Vec<String> = (0..9).map(|i| format!("delay{i}")).collect();
    for block in [64, 512] {
        let delays = (0..9).map(|i| {
            module("delay")
                .with_id(&ids[i])
                .with("time_ms", time_ms(i))
                .with("feedback", 0.0)
        });
        let mut rig = Rig::stereo(&rack(delays));
        let mut sound = vec![impulse(0, 48_000); 2];
        let mut left = ids.iter();
        rig.run(&mut sound, &Blocks::Fixed(block), &[], |controller, at| {
            if at % 1_024 == 0
                && at > 0
                && let Some(id) = left.next()
            {
                controller.remove(id).unwrap();
            }
        });
        // The first that was removed is the oldest; the others' echoes come on time.
        let heard: Vec<bool> = (0..9)
            .map(|i| sound[0][(time_ms(i) * 48.0) as usize].abs() > 0.1)
            .collect();
        let expected: Vec<bool> = (0..9).map(|i| i > 0).collect();
        assert_eq!(heard, expected, "blocks of {block}");
    }
}

#[test]
fn what_left_is_told_of_by_its_name_however_many_left_behind_it() {
    // It still rings when it is cut off, 60 s after it left.
    let echo = delay(1_000.0).with("feedback", 0.95).with_id("echo");
    let mut rig = Rig::stereo(&rack([echo]));
    let mut sound = [noise(1, 0.5, 48_000), noise(2, 0.5, 48_000)];
    rig.play(&mut sound);
    rig.controller.edit(&rack([])).unwrap();
    let mut block = [vec![0.0; 512], vec![0.0; 512]];
    let mut reports = Vec::new();
    for at in 0..61 * RATE_HZ as usize / 512 {
        // One that has rung out before the next one leaves.
        if at % 4 == 0 {
            let gain = rack([module("gain").with_id(format!("gain{at}"))]);
            rig.controller.edit(&gain).unwrap();
        }
        rig.run(&mut block, &Blocks::Fixed(512), &[], |_, _| {});
        if at % 64 == 0 {
            reports.extend(rig.controller.reports());
        }
    }
    reports.extend(rig.controller.reports());
    assert_eq!(reports, [Report::TailCut("echo".to_owned())]);
}

fn late(frames: f32) -> ModuleSpec {
    ModuleSpec::new(&seeds::LATE).with("frames", frames)
}

#[test]
fn a_slot_that_is_rebuilt_while_it_comes_in_does_not_overshoot() {
    for apart in [0, 128, 512] {
        let mut rig = Rig::stereo(&rack([]));
        let mut sound = vec![vec![0.5; 24_000]; 2];
        rig.run(&mut sound, &Blocks::Fixed(64), &[], |controller, at| {
            if at == 9_600 {
                controller.insert(0, late(1.0)).unwrap();
            }
            if at == 9_600 + apart {
                controller.set_param("late", "frames", 2.0).unwrap();
            }
        });
        let peak = measure::peak(&sound[0]);
        assert!(peak < 0.5001, "{apart} frames apart: {peak}");
    }
}

#[test]
fn an_instance_that_ends_first_does_not_disturb_those_before_it() {
    // The first rings for 85 ms; the second, which replaced it, is silent at once when the third
    // takes over; the first must go on past the third, which is itself 85 ms late.
    let mut rig = Rig::stereo(&rack([late(4_096.0)]));
    let mut sound = vec![vec![0.25; 48_000]; 2];
    rig.run(
        &mut sound,
        &Blocks::Fixed(64),
        &[],
        |controller, at| match at {
            24_000 => controller.set_param("late", "frames", 1.0).unwrap(),
            25_216 => controller.set_param("late", "frames", 4_095.0).unwrap(),
            _ => {}
        },
    );
    let lowest = sound[0][24_960..28_000]
        .iter()
        .fold(1.0, |low: f32, s| low.min(*s));
    assert!(lowest > 0.2, "{lowest}");
}

#[test]
fn what_events_have_set_stays_set_through_edits_until_the_controller_speaks() {
    let level = |rig: &mut Rig| {
        let mut sound = vec![vec![0.5; 9_600]; 2];
        rig.play(&mut sound);
        sound[0][9_599]
    };
    let mut rig = Rig::stereo(&rack([module("gain"), module("gain").with_id("other")]));
    let quiet = rig
        .controller
        .param_change("gain", "gain_db", -20.0)
        .unwrap();
    let mut sound = vec![vec![0.5; 256]; 2];
    rig.run(&mut sound, &Blocks::Fixed(128), &[(100, quiet)], |_, _| {});
    assert!((level(&mut rig) - 0.05).abs() < 1e-4);
    rig.controller.move_to("gain", 1).unwrap();
    assert!((level(&mut rig) - 0.05).abs() < 1e-4, "after it was moved");
    rig.controller.set_param("gain", "gain_db", 0.0).unwrap();
    assert!(
        (level(&mut rig) - 0.5).abs() < 1e-4,
        "after the controller spoke"
    );
}

#[test]
fn events_of_the_priming_block_are_taken() {
    let (controller, mut processor) = open(
        stream(RATE_HZ, 2),
        &rack([module("gain")]),
        &Memory::default(),
    )
    .unwrap();
    let change = controller.param_change("gain", "gain_db", -20.0).unwrap();
    let event = headroom_engine::Event { frame: 0, change };
    let (mut left, mut right) = ([0.5; 64], [0.5; 64]);
    processor.process(&mut [&mut left, &mut right], &[event]);
    assert_eq!(left, [0.0; 64]);
    (left, right) = ([0.5; 64], [0.5; 64]);
    processor.process(&mut [&mut left, &mut right], &[]);
    assert!((left[0] - 0.05).abs() < 1e-6, "{}", left[0]);
}

#[test]
fn mute_before_the_first_block_holds_whatever_else_waits() {
    let gains = |count| rack((0..count).map(|i| module("gain").with_id(format!("{i}"))));
    let (mut controller, mut processor) =
        open(stream(RATE_HZ, 2), &gains(12), &Memory::default()).unwrap();
    controller.edit(&gains(6)).unwrap();
    controller.edit(&gains(0)).unwrap();
    controller.mute(true).unwrap();
    for _ in 0..2 {
        let (mut left, mut right) = ([0.5; 64], [0.5; 64]);
        processor.process(&mut [&mut left, &mut right], &[]);
        assert_eq!(left, [0.0; 64]);
    }
}

#[test]
fn a_stereo_rack_that_is_given_one_channel_hears_no_other() {
    let narrow = rack([module("gain").with("width", 0.0)]);
    let mut rig = Rig::stereo(&narrow);
    let mut sound = vec![vec![0.5; 128]; 2];
    rig.play(&mut sound);
    // While a rack rings out the input goes through a buffer of the engine's own.
    rig.controller.load(&narrow).unwrap();
    rig.play(&mut sound);
    let mut silence = vec![vec![0.0; 128]];
    rig.play(&mut silence);
    assert_eq!(silence[0], [0.0; 128]);
}

#[test]
fn what_is_almost_too_large_for_a_number_never_leaves_as_infinity() {
    let mut rig = Rig::stereo(&rack([delay(50.0).with("level_db", 0.0)]));
    let mut sound = vec![vec![3e38; 24_000], vec![-3e38; 24_000]];
    rig.run(
        &mut sound,
        &Blocks::Fixed(128),
        &[],
        |controller, at| match at {
            6_400 => controller.remove("delay").unwrap(),
            9_600 => controller.load(&rack([delay(20.0)])).unwrap(),
            _ => {}
        },
    );
    assert!(sound.iter().flatten().all(|sample| sample.is_finite()));
}

#[test]
fn an_edit_of_every_value_of_a_full_rack_is_taken() {
    // 1,440 values, more than the queue has places.
    let eqs = |gain_db: f32, q: f32, freq: f32| {
        rack((0..60).map(|i| {
            let mut module = module("eq").with_id(format!("eq{i}"));
            for band in 1..=8 {
                module = module
                    .with(&format!("band{band}_gain_db"), gain_db)
                    .with(&format!("band{band}_q"), q)
                    .with(&format!("band{band}_freq_hz"), freq * band as f32);
            }
            module
        }))
    };
    let mut rig = Rig::stereo(&eqs(0.0, 1.0, 100.0));
    rig.controller.edit(&eqs(-0.1, 2.0, 200.0)).unwrap();
    let mut sound = vec![noise(1, 0.1, 9_600), noise(2, 0.1, 9_600)];
    rig.play(&mut sound);
    let mut fresh = Rig::stereo(&eqs(-0.1, 2.0, 200.0));
    let mut tone = vec![sine(1_000.0, 0.01, RATE_HZ, 96_000); 2];
    let mut other = tone.clone();
    rig.play(&mut tone);
    fresh.play(&mut other);
    let db = difference_dbfs(&tone[0][90_000..], &other[0][90_000..]);
    let level = 20.0 * f64::from(measure::peak(&other[0][90_000..])).log10();
    assert!(db < level - 60.0, "{db:.1} dB at a level of {level:.1}");
}

#[cfg(target_os = "linux")]
#[test]
fn no_edit_or_preset_change_touches_a_page_first_on_the_audio_thread() {
    use headroom_engine::realtime::ThreadFaults;

    let kinds = Catalog::builtin();
    let mut random = Random::new(23);
    let mut any_rack = || {
        // Many slots, so that the lists of them are longer than a page.
        let count = 1 + random.below(60);
        let modules = (0..count).map(|i| {
            let kind = kinds.kinds()[random.below(2)];
            lively(kind, random.bits()).with_id(format!("{}{}", kind.id, i % 50))
        });
        let mut seen = Vec::new();
        let mut modules: Vec<_> = modules.collect();
        modules.retain(|module| {
            let new = !seen.contains(&module.id);
            seen.push(module.id.clone());
            new
        });
        rack(modules)
    };
    let mut rig = Rig::stereo(&any_rack());
    let (mut left, mut right) = (noise(1, 0.2, 128), noise(2, 0.2, 128));
    let mut faults = 0;
    for round in 0..2_000 {
        if round % 20 == 0 {
            let spec = any_rack();
            match round % 100 {
                0 => rig.controller.load(&spec).unwrap(),
                20 => rig.controller.mute(round % 200 == 20).unwrap(),
                _ => rig.controller.edit(&spec).unwrap(),
            }
        }
        let before = ThreadFaults::of_this_thread();
        rig.processor.process(&mut [&mut left, &mut right], &[]);
        faults += ThreadFaults::of_this_thread().since(before).minor;
    }
    assert_eq!(faults, 0);
}
