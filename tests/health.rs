//! What the audio thread says of itself: counted where it happens, by the slot's name, at no cost
//! that a system call would have.

use assert_no_alloc::AllocDisabler;
use headroom_engine::{Kind, ModuleSpec, SlotHealth};
use headroom_tests::rig::{Rig, module, rack};
use headroom_tests::seeds::{FLUSHER, NAN};
use headroom_tests::signal::noise;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn armed(kind: &'static Kind) -> ModuleSpec {
    let mut module = ModuleSpec::new(kind);
    module.values[0] = 1.0;
    module
}

fn sound() -> [Vec<f32>; 2] {
    [noise(1, 0.5, 48_000), noise(2, 0.5, 48_000)]
}

fn slot(rig: &Rig, id: &str) -> SlotHealth {
    let slots = rig.controller.slot_health();
    slots
        .into_iter()
        .find(|(of, _)| of == id)
        .expect("it is there")
        .1
}

#[test]
fn what_is_flushed_to_zero_is_counted_with_the_slot_that_does_it() {
    let mut rig = Rig::stereo(&rack([module("gain"), armed(&FLUSHER), module("eq")]));
    rig.play(&mut sound());
    let health = rig.controller.health();
    assert!(health.flushed_blocks > 300, "{health:?}");
    assert!(slot(&rig, "flusher").flushed_chunks > 300);
    assert_eq!(slot(&rig, "gain").flushed_chunks, 0);
    assert_eq!(slot(&rig, "eq").flushed_chunks, 0);
}

#[test]
fn loud_sound_flushes_nothing_through_any_module() {
    let kinds = ["gain", "filter", "eq", "compressor", "delay"];
    let mut rig = Rig::stereo(&rack(kinds.map(module)));
    rig.play(&mut sound());
    assert_eq!(rig.controller.health().flushed_blocks, 0);
}

#[test]
fn what_is_no_number_is_counted_with_the_slot_that_put_it_out() {
    let mut rig = Rig::stereo(&rack([module("gain"), armed(&NAN), module("eq")]));
    rig.play(&mut sound());
    assert!(slot(&rig, NAN.id).not_finite_chunks > 0);
    assert_eq!(slot(&rig, "gain").not_finite_chunks, 0);
    assert_eq!(slot(&rig, "eq").not_finite_chunks, 0);
}

#[test]
fn queues_and_lists_remember_how_full_they_ever_were() {
    let mut rig = Rig::stereo(&rack([module("gain"), module("eq")]));
    let health = rig.controller.health();
    assert_eq!((health.slots.most, health.slots.room), (2, 2 * 64 + 8));
    assert_eq!((health.commands.most, health.commands.room), (0, 1_024));
    for step in 0..700 {
        let gain_db = -0.01 * step as f32;
        rig.controller
            .set_param("gain", "gain_db", gain_db)
            .unwrap();
    }
    rig.play(&mut sound());
    let health = rig.controller.health();
    assert_eq!(health.commands.most, 700);
    for _ in 0..2 {
        rig.controller.load(&rack([module("delay")])).unwrap();
        rig.play(&mut [vec![0.1; 512], vec![0.1; 512]]);
    }
    // Added, and the one it replaces rings on.
    rig.controller.insert(1, module("compressor")).unwrap();
    rig.controller.remove("delay").unwrap();
    rig.play(&mut sound());
    let health = rig.controller.health();
    assert_eq!((health.rack_tails.most, health.rack_tails.room), (2, 2));
    assert_eq!(health.slots.most, 2);
    assert_eq!(health.commands.most, 700);
}

/// An echo that rings for a minute.
fn echo(number: usize) -> ModuleSpec {
    module("delay")
        .with("time_ms", 300.0)
        .with("feedback", 0.95)
        .with_id(format!("echo{number}"))
}

#[test]
fn each_tail_that_is_cut_for_want_of_room_is_counted_and_no_other() {
    let mut rig = Rig::stereo(&rack([echo(0)]));
    let mut sound = [noise(1, 0.5, 4_096), noise(2, 0.5, 4_096)];
    rig.play(&mut sound);
    // Eight may ring: those that the first eight edits make leave.
    for number in 1..=12 {
        rig.controller.edit(&rack([echo(number)])).unwrap();
        rig.play(&mut sound);
        let cut = rig.controller.health().cut_tails;
        assert_eq!(cut, number.saturating_sub(8) as u64, "edit {number}");
    }
    // Of racks two.
    let mut rig = Rig::stereo(&rack([echo(0)]));
    rig.play(&mut sound);
    for number in 1..=5 {
        rig.controller.load(&rack([echo(number)])).unwrap();
        rig.play(&mut sound);
        let cut = rig.controller.health().cut_tails;
        assert_eq!(cut, number.saturating_sub(2) as u64, "preset {number}");
    }
    // What rings out by itself is not counted.
    let mut rig = Rig::stereo(&rack([module("gain")]));
    for number in 0..20 {
        let gain = module("gain").with_id(format!("gain{number}"));
        rig.controller.edit(&rack([gain])).unwrap();
        rig.play(&mut sound);
    }
    assert_eq!(rig.controller.health().cut_tails, 0);
}

#[test]
fn each_notice_that_finds_its_queue_full_is_counted_and_those_before_it_are_kept() {
    let mut rig = Rig::stereo(&rack([module("gain")]));
    let gone = rig.controller.slot_key("gain").unwrap();
    rig.controller.edit(&rack([])).unwrap();
    rig.play(&mut sound());
    // Each names a slot that is no more, of which the main thread is told.
    let room = rig.controller.health().notices.room;
    let change = headroom_engine::Change::Mix {
        slot: gone,
        value: 0.5,
    };
    let event = headroom_engine::Event { frame: 0, change };
    let mut block = [vec![0.0; 64], vec![0.0; 64]];
    for _ in 0..room + 7 {
        let [left, right] = &mut block;
        rig.processor.process(&mut [left, right], &[event]);
    }
    let health = rig.controller.health();
    assert_eq!(health.lost_notices, 7);
    rig.controller.reports();
    assert_eq!(rig.controller.health().notices.most, room);
    let [left, right] = &mut block;
    rig.processor.process(&mut [left, right], &[event]);
    // There is room again.
    assert_eq!(rig.controller.health().lost_notices, 7);
}

#[cfg(target_os = "linux")]
#[test]
fn the_collector_says_what_it_has_given_back() {
    let mut rig = Rig::stereo(&rack([module("gain")]));
    rig.play(&mut sound());
    let before = rig.controller.health().collected;
    for _ in 0..50 {
        rig.controller
            .load(&rack([module("gain"), module("eq")]))
            .unwrap();
        rig.play(&mut [vec![0.0; 4_096], vec![0.0; 4_096]]);
    }
    let start = std::time::Instant::now();
    while rig.controller.health().collected.bytes - before.bytes < 90 * 4_096 {
        assert!(
            start.elapsed().as_secs() < 30,
            "{:?}",
            rig.controller.health().collected
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
        rig.play(&mut [vec![0.0; 512], vec![0.0; 512]]);
    }
}

const KEY: &[&[f32]] = &[&[0.5; 512], &[0.25; 512]];

/// One block of noise beside a key, in buffers that start `off` samples behind a cache line.
fn one_block(rig: &mut Rig, off: usize) {
    let mut sound = [noise(1, 0.5, 512), noise(2, 0.5, 512)].map(|noise| {
        let mut buffer = headroom_engine::Buffer::silent(512 + off);
        buffer[off..].copy_from_slice(&noise);
        buffer
    });
    let [left, right] = &mut sound;
    rig.processor
        .process_keyed(&mut [&mut left[off..], &mut right[off..]], KEY, &[]);
}

#[test]
fn scratch_is_reset_at_every_callback_and_its_mark_is_what_the_worst_chunk_took() {
    const PLANE_BYTES: u64 = 64 * 4;
    let mut rig = Rig::stereo(&rack([module("gain"), module("eq")]));
    let most = |rig: &Rig| rig.controller.health().scratch_bytes.most;
    // The priming block runs in the engine's own buffers, through all that a change needs.
    assert_eq!(most(&rig), 14 * PLANE_BYTES);
    for _ in 0..1_000 {
        one_block(&mut rig, 0);
        one_block(&mut rig, 1);
    }
    assert_eq!(
        most(&rig),
        14 * PLANE_BYTES,
        "it adds up from block to block"
    );
    rig.controller.load(&rack([module("delay")])).unwrap();
    one_block(&mut rig, 0);
    assert_eq!(most(&rig), 18 * PLANE_BYTES);
    rig.controller.load(&rack([module("compressor")])).unwrap();
    one_block(&mut rig, 1);
    assert_eq!(most(&rig), 20 * PLANE_BYTES);
    // With somebody who follows the key, and two racks still.
    let mut follows = module("compressor").with_id("follows");
    let key = follows.kind.param_index("key").unwrap();
    follows.values[key] = 1.0;
    rig.controller.load(&rack([follows])).unwrap();
    // The oldest is faded out before there is room.
    for _ in 0..4 {
        one_block(&mut rig, 1);
    }
    let health = rig.controller.health();
    assert_eq!(health.scratch_bytes.most, 24 * PLANE_BYTES);
    assert_eq!(health.scratch_bytes.most, health.scratch_bytes.room);
    assert_eq!(health.panics, 0);
}
