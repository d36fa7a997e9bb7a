//! The panic button: silence in 5 ms, whatever else waits, and nothing of the old sound ever again.
//! All of it runs under `assert_no_alloc`.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use assert_no_alloc::AllocDisabler;
use headroom_engine::memory::ArenaBox;
use headroom_engine::{Block, Controller, Kind, Module, ModuleSpec, RackSpec, Setup};
use headroom_tests::measure::residual_above_dbfs;
use headroom_tests::rig::{Blocks, Rig, module, rack};
use headroom_tests::signal::{Random, noise, programme, sine};
use headroom_tests::{measure, seeds};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATE_HZ: u32 = 48_000;
/// 5 ms.
const FALL_FRAMES: usize = 240;

fn press(controller: &mut Controller) {
    controller.panic_button().press();
}

fn release(controller: &mut Controller) {
    controller.panic_button().release();
}

/// Everything that holds sound: echoes of 5 s that hardly fade, look-ahead, filters, a late dry path.
fn ringing() -> RackSpec {
    let delay = |id: &str, time_ms| {
        module("delay")
            .with_id(id)
            .with("time_ms", time_ms)
            .with("feedback", 0.98)
            .with("ping_pong", 1.0)
    };
    let mut late = ModuleSpec::new(&seeds::LATE).with("frames", 4_000.0);
    late.mix = 0.5;
    rack([
        delay("long", 5_000.0),
        delay("short", 30.0),
        module("eq").with("band1_gain_db", 12.0),
        module("compressor").with("threshold_db", -30.0),
        late,
        module("filter").with("highpass_on", 1.0),
    ])
}

/// More slots than are reset in one step, each with an echo of its own.
fn crowded() -> RackSpec {
    rack((0..30).map(|i| {
        module("delay")
            .with_id(format!("delay{i}"))
            .with("time_ms", 3.0 + 17.0 * i as f32)
            .with("feedback", 0.5)
            .with("level_db", -20.0)
    }))
}

#[test]
fn silence_comes_within_five_milliseconds_whatever_the_rack_and_the_block() {
    for spec in [rack([]), ringing(), crowded()] {
        for blocks in [
            Blocks::Fixed(1),
            Blocks::Fixed(37),
            Blocks::Fixed(512),
            Blocks::Random(Random::new(5)),
        ] {
            let sound = vec![noise(1, 0.5, 30_000), noise(2, 0.5, 30_000)];
            let (mut undisturbed, mut heard) = (sound.clone(), sound);
            Rig::stereo(&spec).run(&mut undisturbed, &blocks, &[], |_, _| {});
            let mut pressed = None;
            Rig::stereo(&spec).run(&mut heard, &blocks, &[], |controller, at| {
                if at >= 12_000 && pressed.is_none() {
                    press(controller);
                    pressed = Some(at);
                }
            });
            let at = pressed.unwrap();
            for (heard, undisturbed) in heard.iter().zip(&undisturbed) {
                assert!(heard[..at] == undisturbed[..at], "it was disturbed before");
                assert!(measure::peak(&heard[at..at + FALL_FRAMES]) > 0.01, "a fade");
                let after = &heard[at + FALL_FRAMES - 1..];
                assert!(after.iter().all(|sample| *sample == 0.0), "{blocks:?}");
            }
        }
    }
}

/// What two runs hear that differ in all that was before, and during, a panic from frame 24,000 to
/// `until`. `edit` is called before each block.
fn heard_after(
    spec: &RackSpec,
    until: usize,
    longest_frames: usize,
    mut edit: impl FnMut(&mut Controller, usize),
) -> [Vec<Vec<f32>>; 2] {
    [[0.9, 3.0, 7.0], [0.0, 0.0, 0.0]].map(|[before, seed, other]| {
        // As long as the longest echo, and then some.
        let frames = until + longest_frames + 24_000;
        let mut sound: Vec<Vec<f32>> = [seed, other]
            .map(|seed| noise(seed as u64, before, frames))
            .into();
        for (channel, seed) in sound.iter_mut().zip([11, 12]) {
            channel[until..].copy_from_slice(&programme(seed, RATE_HZ, frames - until));
        }
        let mut rig = Rig::stereo(spec);
        rig.run(&mut sound, &Blocks::Fixed(96), &[], |controller, at| {
            if at == 24_000 {
                press(controller);
            }
            edit(controller, at);
            if at == until {
                release(controller);
            }
        });
        sound
            .into_iter()
            .map(|channel| channel[until..].to_vec())
            .collect()
    })
}

#[test]
fn what_is_heard_afterwards_does_not_depend_on_what_was_before() {
    // Released long after, while the rack is being reset, in the fall, and in the same block.
    for (name, spec, longest_frames) in [
        ("ringing", ringing(), 240_000),
        ("crowded", crowded(), 24_000),
    ] {
        for until in [60_000, 24_384, 24_096, 24_000] {
            let [loud, silent] = heard_after(&spec, until, longest_frames, |_, _| {});
            // The fall itself is the old sound's; all that comes after it is not.
            let from = (24_000 + FALL_FRAMES).saturating_sub(until);
            for (loud, silent) in loud.iter().zip(&silent) {
                assert!(
                    measure::peak(&silent[from..]) > 0.1,
                    "{name}: sound is back"
                );
                assert!(loud[from..] == silent[from..], "{name}, {until}");
            }
        }
    }
}

#[test]
fn edits_and_preset_changes_during_a_panic_bring_nothing_back() {
    // At the press, in the fall, while the rack is being reset, and in silence.
    for at_edit in [24_000, 24_096, 24_288, 24_384, 48_000] {
        for preset in [false, true] {
            let [loud, silent] = heard_after(&crowded(), 72_000, 48_000, |controller, at| {
                if at == at_edit && preset {
                    controller.load(&ringing()).unwrap();
                } else if at == at_edit {
                    controller.remove("delay29").unwrap();
                    controller.set_param("delay7", "time_ms", 1_000.0).unwrap();
                    controller.move_to("delay20", 3).unwrap();
                }
            });
            for (loud, silent) in loud.iter().zip(&silent) {
                assert!(measure::peak(silent) > 0.1);
                assert!(loud == silent, "edit at {at_edit}, preset {preset}");
            }
        }
    }
}

#[test]
fn neither_the_press_nor_the_release_clicks_under_a_50_hz_sine() {
    let racks = [
        ("nothing", rack([])),
        ("gain", rack([module("gain").with("gain_db", 6.0)])),
        (
            "delay",
            rack([module("delay").with("time_ms", 170.0).with("level_db", 0.0)]),
        ),
        ("eq", rack([module("eq").with("band1_gain_db", 6.0)])),
    ];
    for (name, spec) in &racks {
        // Every phase of the sine, in steps of an eighth.
        for phase in 0..8 {
            let at = 48_000 + 120 * phase;
            let mut sound = vec![sine(50.0, 0.5, RATE_HZ, 192_000); 2];
            let mut rig = Rig::stereo(spec);
            rig.run(&mut sound, &Blocks::Fixed(120), &[], |controller, frame| {
                if frame == at {
                    press(controller);
                }
                if frame == at + 48_000 {
                    release(controller);
                }
            });
            let press_db = residual_above_dbfs(&sound[0][24_000..72_000], 2_000.0, RATE_HZ);
            let release_db = residual_above_dbfs(&sound[0][72_000..], 2_000.0, RATE_HZ);
            assert!(
                press_db < -60.0 && release_db < -80.0,
                "{name}, phase {phase}: {press_db:.1}, {release_db:.1} dBFS above 2 kHz"
            );
        }
    }
}

#[test]
fn a_panic_has_the_same_bits_for_any_split() {
    let run = |blocks: usize| {
        let mut rig = Rig::stereo(&crowded());
        let mut sound = vec![programme(1, RATE_HZ, 60_000), programme(2, RATE_HZ, 60_000)];
        // Multiples of 480, which all these sizes of blocks meet.
        rig.run(&mut sound, &Blocks::Fixed(blocks), &[], |controller, at| {
            match at {
                9_600 | 28_800 | 38_400 => press(controller),
                // The rack is still being reset; it is silent; it is rising.
                10_080 | 33_600 | 48_000 => release(controller),
                48_480 => press(controller),
                48_960 => release(controller),
                14_400 => controller.remove("delay3").unwrap(),
                // Released before it has fallen: it rises as soon as the rack is reset.
                19_200 => {
                    press(controller);
                    release(controller);
                }
                _ => {}
            }
        });
        sound
    };
    let whole = run(480);
    for blocks in [1, 5, 32, 96, 160] {
        assert!(whole == run(blocks), "blocks of {blocks}");
    }
}

#[test]
fn neither_a_full_queue_nor_an_edit_that_waits_holds_it_up() {
    let delays = (0..12).map(|i| {
        module("delay")
            .with_id(format!("delay{i}"))
            .with("feedback", 0.98)
    });
    let mut rig = Rig::stereo(&rack(delays));
    let mut sound = vec![noise(1, 0.5, 48_000); 2];
    rig.run(&mut sound, &Blocks::Fixed(64), &[], |controller, at| {
        if at == 24_000 {
            // Nine tails, one more than there is room for, and then as much as the queue takes.
            for i in 0..9 {
                controller.remove(&format!("delay{i}")).unwrap();
            }
            while controller.set_mix("delay9", 0.9).is_ok() {}
            press(controller);
        }
    });
    for channel in &sound {
        let after = &channel[24_000 + FALL_FRAMES - 1..];
        assert!(after.iter().all(|sample| *sample == 0.0));
    }
}

static RESETS: AtomicUsize = AtomicUsize::new(0);

/// A module that counts its resets.
static COUNTER: Kind = Kind {
    id: "counter",
    name: "Counter",
    about: "Counts its resets",
    face: headroom_engine::Face::PLAIN,
    params: &[],
    build: build_counter,
};

struct Counter;

impl Module for Counter {
    fn set_param(&mut self, _index: usize, _value: f32) {}
    fn process(&mut self, _block: &mut Block<'_>) {}
    fn reset(&mut self) {
        RESETS.fetch_add(1, Relaxed);
    }
}

fn build_counter(setup: &mut Setup<'_>) -> ArenaBox<dyn Module> {
    setup.module(Counter)
}

#[test]
fn a_rack_of_sixty_four_slots_is_reset_eight_at_a_time_and_each_once() {
    let counters = (0..64).map(|i| ModuleSpec::new(&COUNTER).with_id(format!("counter{i}")));
    let mut rig = Rig::stereo(&rack(counters));
    let mut sound = vec![noise(1, 0.5, 9_600); 2];
    let mut before = RESETS.load(Relaxed);
    let mut done = Vec::new();
    rig.run(&mut sound, &Blocks::Fixed(32), &[], |controller, at| {
        if at == 960 {
            press(controller);
        }
        let now = RESETS.load(Relaxed);
        done.push(now - before);
        before = now;
    });
    done.retain(|resets| *resets > 0);
    assert_eq!(done, [8; 8]);
}

#[test]
fn pressed_before_the_first_block_it_holds() {
    use headroom_engine::{Memory, open};
    let stream = headroom_tests::rig::stream(RATE_HZ, 2);
    let (controller, mut processor) = open(stream, &rack([]), &Memory::default()).unwrap();
    controller.panic_button().press();
    processor.process(&mut [], &[]);
    let (mut left, mut right) = (noise(1, 0.5, 512), noise(2, 0.5, 512));
    processor.process(&mut [&mut left, &mut right], &[]);
    assert!(left.iter().chain(&right).all(|sample| *sample == 0.0));
    assert!(controller.panic_button().is_pressed());
}
