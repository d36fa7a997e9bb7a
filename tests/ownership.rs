//! Whatever is opened, edited and closed, as often as anybody likes: nothing of it stays behind.
#![cfg(target_os = "linux")]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap::Cap;
use headroom_engine::memory::{Memory, Region};
use headroom_engine::{Controller, Processor, RackSpec, open};
use headroom_tests::ownership::{Holdings, Left};
use headroom_tests::rig::{module, rack, stream};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a process holds is counted by one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn heap_bytes() -> usize {
    ALLOCATOR.allocated()
}

fn racks() -> Vec<RackSpec> {
    vec![
        rack([module("gain")]),
        rack([module("eq"), module("compressor")]),
        rack([module("filter"), module("gain"), module("eq")]),
        rack([]),
    ]
}

/// One life of an engine, or of two at once: opened, played, changed now and then, closed in either order,
/// with what is still under way.
fn live(number: usize, racks: &[RackSpec], with_delay: &RackSpec, sound: &mut [Vec<f32>; 2]) {
    let memory = Memory::default();
    let large = number % 16 == 15;
    let spec = if large {
        with_delay
    } else {
        &racks[number % racks.len()]
    };
    let (mut controller, mut processor) = open(stream(48_000, 2), spec, &memory).unwrap();
    let other = (number % 5 == 4).then(|| open(stream(44_100, 1), &racks[1], &memory).unwrap());
    play(&mut processor, sound);
    if number.is_multiple_of(3) {
        controller.edit(&racks[(number + 1) % racks.len()]).unwrap();
        play(&mut processor, sound);
    }
    if number.is_multiple_of(7) {
        controller.load(&racks[(number + 2) % racks.len()]).unwrap();
        play(&mut processor, sound);
    }
    if number.is_multiple_of(11) {
        // Never taken.
        let mut late = module("gain");
        late.id = "late".to_owned();
        controller.insert(0, late).unwrap();
    }
    if number.is_multiple_of(2) {
        close(controller, processor);
    } else {
        drop(processor);
        drop(controller);
    }
    drop(other);
}

fn close(controller: Controller, processor: Processor) {
    drop(controller);
    drop(processor);
}

fn play(processor: &mut Processor, sound: &mut [Vec<f32>; 2]) {
    let [left, right] = sound;
    for _ in 0..2 {
        processor.process(&mut [left, right], &[]);
    }
}

/// What `times` lives have left, after some to warm up.
fn left_after(times: usize, mut also: impl FnMut(usize)) -> Vec<Left> {
    let racks = racks();
    let with_delay = rack([module("delay"), module("gain")]);
    let mut sound = [vec![0.25; 64], vec![0.25; 64]];
    let mut live = |number| live(number, &racks, &with_delay, &mut sound);
    (0..240).for_each(&mut live);
    let before = Holdings::now(heap_bytes);
    for number in 0..times {
        live(number);
        also(number);
    }
    Holdings::left_since(before, heap_bytes)
}

#[test]
fn ten_thousand_engines_opened_and_closed_leave_nothing() {
    let _alone = alone();
    let left = left_after(10_000, |_| {});
    assert!(left.is_empty(), "{left:?}");
}

/// Leaks once, in the course of some lives, and gives what was found.
fn seeded(leak: impl Fn()) -> Vec<&'static str> {
    let _alone = alone();
    let left = left_after(48, |number| {
        if number == 30 {
            leak();
        }
    });
    left.iter().map(|left| left.what).collect()
}

#[test]
fn one_leak_of_any_kind_is_caught() {
    let found = seeded(|| std::mem::forget(std::hint::black_box(Box::new(7_u8))));
    assert!(found.contains(&"bytes of the heap"), "{found:?}");

    let found = seeded(|| std::mem::forget(memmap2::MmapMut::map_anon(4096).unwrap()));
    assert!(found.contains(&"mapped bytes"), "{found:?}");

    let found = seeded(|| {
        let mut map = memmap2::MmapMut::map_anon(1 << 20).unwrap();
        map.fill(1);
        std::mem::forget(map);
    });
    assert!(found.contains(&"resident bytes"), "{found:?}");

    let found = seeded(|| {
        std::mem::forget(Region::map(4096, &Memory::default()).unwrap());
    });
    assert!(found.contains(&"bytes of regions"), "{found:?}");

    let found = seeded(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    });
    assert!(found.contains(&"threads"), "{found:?}");

    let found = seeded(|| std::mem::forget(std::fs::File::open("/dev/null").unwrap()));
    assert!(found.contains(&"descriptors"), "{found:?}");

    // And an engine that is not closed.
    let found = seeded(|| {
        let engine = open(stream(48_000, 2), &rack([module("eq")]), &Memory::default());
        std::mem::forget(engine.unwrap());
    });
    assert!(
        found.contains(&"bytes of regions") && found.contains(&"threads"),
        "{found:?}"
    );
}
