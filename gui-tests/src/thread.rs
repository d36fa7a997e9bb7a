//! How an audio thread does that does not exist, and where its memory is.

use headroom_ipc::board::{MarkInfo, MemoryPart};
use headroom_ipc::{Description, HealthInfo, MemoryInfo};

/// A healthy audio thread.
pub fn health() -> HealthInfo {
    let histogram = [
        (12_288, 41),
        (16_384, 3_320),
        (20_480, 81_200),
        (24_576, 220_410),
        (28_672, 64_200),
        (32_768, 12_030),
        (40_960, 3_120),
        (49_152, 410),
        (65_536, 96),
        (98_304, 21),
        (131_072, 7),
        (262_144, 2),
    ];
    let mark = |name: &str, most, room| MarkInfo {
        name: name.to_owned(),
        most,
        room,
    };
    HealthInfo {
        blocks: 384_857,
        frames: 384_857 * 128,
        seconds: 1_026.3,
        deadline_ns: 2_666_667,
        block_p50_ns: 22_800,
        block_p99_ns: 38_400,
        block_max_ns: 214_000,
        histogram: histogram.to_vec(),
        system_calls: Some(0),
        stack: Some((11_240, 524_288)),
        marks: vec![
            mark("commands", 7, 256),
            mark("notices", 2, 256),
            mark("edits", 1, 8),
            mark("tails", 3, 8),
            mark("events", 34, 512),
            mark("recording", 9_600, 480_000),
        ],
        realtime: true,
        locked: true,
        ..HealthInfo::default()
    }
}

/// An audio thread that broke its promises.
pub fn bad_health() -> HealthInfo {
    let mut health = health();
    health.allocations = 3;
    health.deallocations = 2;
    health.faults = [12, 1];
    health.over_deadline = 41;
    health.xruns = 6;
    health.block_max_ns = 8_400_000;
    health.histogram.extend([(4_194_304, 30), (8_388_608, 11)]);
    health.marks[0].most = 256;
    health.recording = Some((83.4, 480));
    health.slots = vec![("eq".to_owned(), 3, 0), ("delay".to_owned(), 0, 12)];
    health.realtime = false;
    health.locked = false;
    health.messages = vec![
        "The output was lost: looking for Scarlett 2i2".to_owned(),
        "It is back after 1.4 s".to_owned(),
    ];
    health.violation = Some("an allocation of 512 bytes\n  at Eq::process (eq.rs:122)".to_owned());
    health
}

/// Where the rack's memory is.
pub fn memory(description: &Description) -> MemoryInfo {
    let mut parts = Vec::new();
    let mut address = 0x7f00_0000_0000;
    let mut add = |owner: &str, name: &str, sort: &str, inside: bool, bytes: u64, pages: u8| {
        parts.push(MemoryPart {
            owner: owner.to_owned(),
            name: name.to_owned(),
            sort: sort.to_owned(),
            inside,
            address,
            bytes,
            pages,
        });
        address += bytes;
    };
    for module in &description.modules {
        let kind = &description.kinds[usize::from(module.kind)].id;
        let inner: &[(&str, u64)] = match kind.as_str() {
            "delay" => &[
                ("delay line left", 1_920_512),
                ("delay line right", 1_920_512),
                ("loop filters", 512),
            ],
            "compressor" => &[("look-ahead", 16_384), ("detector", 1_024), ("state", 640)],
            "eq" => &[
                ("sections left", 2_048),
                ("sections right", 2_048),
                ("state", 1_280),
            ],
            _ => &[("state", 512), ("ramps", 384)],
        };
        let used: u64 = inner.iter().map(|(_, bytes)| bytes).sum();
        let bytes = used.div_ceil(4_096) * 4_096;
        add(&module.id, "arena", "region", false, bytes, 0b101);
        for (name, bytes) in inner {
            add(&module.id, name, "buffer", true, *bytes, 0b101);
        }
    }
    add("engine", "scratch", "region", false, 65_536, 0b101);
    add("engine", "commands", "ring", false, 98_304, 0b101);
    add("engine", "notices", "ring", false, 32_768, 0b101);
    add("engine", "meters", "cells", false, 4_096, 0b101);
    add("program", "recording", "ring", false, 3_840_000, 0b100);
    add("program", "stack", "stack", false, 524_288, 0b101);
    add("screen", "segment", "segment", false, 786_432, 0b1101);
    let bytes = parts
        .iter()
        .filter(|part| !part.inside)
        .map(|part| part.bytes)
        .sum();
    MemoryInfo {
        parts,
        bytes,
        resident_bytes: 31_457_280,
    }
}
