//! The memory map: every byte has an owner, what is planned is what is taken, and a strip is small.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use assert_no_alloc::AllocDisabler;
use headroom_engine::memory::{MemoryError, Owner, Part, Sort};
use headroom_engine::{
    Capacity, Catalog, Memory, ModuleSpec, OpenError, RackSpec, Stream, footprint, open, preset,
};
use headroom_tests::rig::{Blocks, Rig, module, rack, stream};
use headroom_tests::signal::noise;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// What a small device has for one fixed strip.
const STRIP_BUDGET_BYTES: usize = 32 << 10;

/// Gain, an eq of three bands, a compressor; each slot and the whole have their meters.
fn strip() -> RackSpec {
    let mut eq = module("eq");
    for (band, freq_hz) in [(1, 120.0), (2, 1_000.0), (3, 6_000.0)] {
        set(&mut eq, &format!("band{band}_freq_hz"), freq_hz);
        set(&mut eq, &format!("band{band}_gain_db"), 3.0);
    }
    rack([module("gain"), eq, module("compressor")])
}

fn set(module: &mut ModuleSpec, param: &str, value: f32) {
    let index = module.kind.params.iter().position(|of| of.id == param);
    module.values[index.unwrap_or_else(|| panic!("no `{param}`"))] = value;
}

fn factory() -> Vec<RackSpec> {
    let parse = |factory: &preset::Factory| {
        preset::parse(factory.text, factory.name, &Catalog::builtin()).unwrap()
    };
    preset::factory().iter().map(parse).collect()
}

#[test]
fn a_strip_and_all_its_audio_memory_fit_32_kib() {
    let stream = Stream::new(48_000, 32, 2).unwrap();
    let memory = Memory {
        budget_bytes: Some(STRIP_BUDGET_BYTES),
        capacity: Capacity::STRIP,
        ..Memory::default()
    };
    let (controller, mut processor) = open(stream, &strip(), &memory).unwrap();
    let map = controller.memory_map();
    assert!(map.bytes() <= STRIP_BUDGET_BYTES, "{}", map.bytes());
    // It is not small for want of parts: all of them are there, and it works.
    let has = |name: &str| map.parts.iter().any(|part| part.name == name);
    for name in [
        "scratch",
        "commands",
        "notices",
        "health",
        "master meter",
        "slots",
    ] {
        assert!(has(name), "no `{name}`");
    }
    assert_eq!(
        map.parts.iter().filter(|part| part.name == "meter").count(),
        3
    );
    processor.process(&mut [], &[]);
    let mut sound = [noise(1, 0.5, 32), noise(2, 0.5, 32)];
    for _ in 0..100 {
        let [left, right] = &mut sound;
        processor.process(&mut [left, right], &[]);
    }
    let meters = controller.meters();
    assert!(
        meters
            .slots
            .iter()
            .all(|(_, level)| level.peak_dbfs() > -60.0),
        "{meters:?}"
    );
    assert_eq!(controller.health().blocks, 100);
}

#[test]
fn what_is_planned_is_what_is_taken() {
    for spec in factory().iter().chain([&strip()]) {
        for rate_hz in [44_100, 192_000] {
            let memory = Memory::default();
            let planned = footprint::plan(stream(rate_hz, 2), spec, &memory).unwrap();
            let (controller, _processor) = open(stream(rate_hz, 2), spec, &memory).unwrap();
            let taken = controller.memory_map();
            assert_eq!(planned.bytes(), taken.bytes(), "{}", spec.name);
            let shape = |part: &Part| (part.owner.clone(), part.name, part.sort, part.bytes);
            assert_eq!(
                planned.parts.iter().map(shape).collect::<Vec<_>>(),
                taken.parts.iter().map(shape).collect::<Vec<_>>(),
                "{}",
                spec.name
            );
            assert!(planned.parts.iter().all(|part| part.address == 0));
            assert!(taken.parts.iter().all(|part| part.address != 0));
        }
    }
}

#[test]
fn parts_lie_apart_fill_their_regions_and_are_aligned() {
    for spec in factory() {
        let (controller, _processor) = open(stream(48_000, 2), &spec, &Memory::default()).unwrap();
        let map = controller.memory_map();
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        let mut region = 0..0;
        let mut filled = 0;
        for part in &map.parts {
            let end = part.address + part.bytes;
            assert_eq!(part.address % part.align_bytes, 0, "{part:?}");
            if part.is_inside() {
                assert!(
                    region.start <= part.address && end <= region.end,
                    "{part:?}"
                );
                filled += part.bytes;
                continue;
            }
            assert_eq!(filled, region.len(), "the region before {part:?}");
            (region, filled) = match part.sort {
                Sort::Region => (part.address..end, 0),
                _ => (0..0, 0),
            };
            let before = taken.range(..end).next_back();
            assert!(
                before.is_none_or(|(_, end)| *end <= part.address),
                "{part:?}"
            );
            taken.insert(part.address, end);
        }
        let owners = map.by_owner();
        assert_eq!(
            owners.iter().map(|(_, bytes)| bytes).sum::<usize>(),
            map.bytes()
        );
        for module in &spec.modules {
            let of_it = |owner: &Owner| matches!(owner, Owner::Slot { id, .. } if *id == module.id);
            assert!(
                owners.iter().any(|(owner, _)| of_it(owner)),
                "{}",
                module.id
            );
        }
    }
}

#[test]
fn neighbours_do_not_begin_with_the_same_sets_of_the_cache() {
    let kinds = ["gain", "filter", "compressor", "gain"];
    let mut modules = kinds.map(module);
    modules[3].id = "last".to_owned();
    let map = footprint::plan(stream(48_000, 2), &rack(modules), &Memory::default()).unwrap();
    let starts: Vec<bool> = map
        .parts
        .windows(2)
        .filter(|pair| pair[0].sort == Sort::Region && pair[0].owner != Owner::Engine)
        .map(|pair| pair[1].sort == Sort::Padding)
        .collect();
    assert_eq!(starts, [false, true, false, true]);
}

#[cfg(target_os = "linux")]
#[test]
fn every_page_of_the_map_is_present_before_the_first_block() {
    let spec = rack([module("delay"), module("eq")]);
    let (controller, _processor) = open(stream(48_000, 2), &spec, &Memory::default()).unwrap();
    let mut pagemap = std::fs::File::open("/proc/self/pagemap").unwrap();
    let mut pages = 0;
    for part in controller.memory_map().parts {
        if part.bytes == 0 || part.is_inside() {
            continue;
        }
        assert!(part.pages.prefaulted, "{part:?}");
        for page in part.address / 4096..(part.address + part.bytes).div_ceil(4096) {
            // One word a page; the highest bit says that it is present (proc_pid_pagemap(5)).
            let mut word = [0; 8];
            pagemap.seek(SeekFrom::Start(page as u64 * 8)).unwrap();
            pagemap.read_exact(&mut word).unwrap();
            assert!(
                u64::from_ne_bytes(word) >> 63 == 1,
                "page {page:#x} of {part:?}"
            );
            pages += 1;
        }
    }
    // Five seconds of two channels.
    assert!(pages > 5 * 48_000 * 2 * 4 / 4096, "{pages}");
}

#[test]
fn what_has_left_is_counted_until_it_is_given_back() {
    let mut rig = Rig::stereo(&rack([module("gain"), module("delay")]));
    let mut sound = [noise(1, 0.5, 4_096), noise(2, 0.5, 4_096)];
    rig.play(&mut sound);
    assert_eq!(rig.controller.memory_map().retired_bytes, 0);
    let before = rig.controller.memory_map();
    let cells = before.parts.iter().filter(|part| part.sort == Sort::Cells);
    let of_delay = cells.filter(|part| part.owner.to_string() == "delay");
    let cells_bytes: usize = of_delay.map(|part| part.bytes).sum();
    rig.controller.remove("delay").unwrap();
    rig.play(&mut sound);
    let map = rig.controller.memory_map();
    // It still rings: its memory is no longer the rack's, and not free yet.
    assert!(
        map.retired_bytes >= 5 * 48_000 * 2 * 4,
        "{}",
        map.retired_bytes
    );
    // The cells are shared with whoever still reads them, and not counted with it.
    assert_eq!(
        map.bytes() + map.retired_bytes,
        before.bytes() - cells_bytes
    );
    let start = Instant::now();
    while rig.controller.memory_map().retired_bytes > 0 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "never given back"
        );
        let mut silence = [vec![0.0; 48_000], vec![0.0; 48_000]];
        rig.run(&mut silence, &Blocks::Fixed(512), &[], |_, _| {});
    }
}

#[test]
fn a_rack_over_its_budget_is_refused_with_what_is_too_large() {
    let memory = Memory {
        budget_bytes: Some(100_000),
        ..Memory::default()
    };
    let spec = rack([module("gain"), module("delay")]);
    let refused = |result: Result<(), OpenError>| match result {
        Err(OpenError::Memory(MemoryError::OverBudget {
            needed,
            budget,
            map,
        })) => {
            assert_eq!((needed, budget), (map.bytes(), 100_000));
            let largest = map.by_owner().into_iter().max_by_key(|(_, bytes)| *bytes);
            let (owner, bytes) = largest.unwrap();
            assert_eq!(owner.to_string(), "delay");
            assert!(bytes >= 5 * 48_000 * 2 * 4, "{bytes}");
        }
        other => panic!("{other:?}"),
    };
    refused(open(stream(48_000, 2), &spec, &memory).map(drop));
    refused(footprint::plan(stream(48_000, 2), &spec, &memory).map(drop));
    // What fits is not refused, and an edit that would not fit leaves all as it was.
    let (mut controller, _processor) =
        open(stream(48_000, 2), &rack([module("gain")]), &memory).unwrap();
    let before = controller.memory_map();
    assert!(controller.insert(1, module("delay")).is_err());
    assert_eq!(controller.memory_map(), before);
    assert_eq!(controller.spec().modules.len(), 1);
}
