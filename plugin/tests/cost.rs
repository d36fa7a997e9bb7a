//! Blocks for whoever counts what the plugin costs around its engine, by callgrind: of what is between a host's
//! call and the engine's, and not of a host's own.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=out target/release/deps/cost-* --ignored --exact clap_vocal_strip
//! callgrind_annotate --inclusive=yes out
//! ```
//!
//! `process` of the format, less the engine's `process_keyed`, by the blocks.
//!
//! `--ignored --nocapture --exact times` says how long a host waits for a first block, and how long an empty strip's
//! block takes, the host's call among it: the least of many.
#![cfg(target_os = "linux")]

mod com;
mod host;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headroom_engine::preset::factory;
use host::{AROUND, Instance, library, load, noise, state_of};

const FRAMES: usize = 128;
const BLOCKS: usize = 2_000;

fn vocal_strip() -> &'static str {
    let found = factory().iter().find(|preset| preset.name == "vocal-strip");
    found.expect("it is built in").text
}

fn in_clap(text: &str) {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(text);
    instance.start(48_000.0, FRAMES as u32);
    let input = noise(1, 2, FRAMES);
    for _ in 0..BLOCKS {
        instance.process(&input, &[]);
    }
}

fn in_vst3(text: &str) {
    let instance = com::Module::load(&library()).instance();
    instance.load(&state_of(text)[8..]);
    instance.activate_bus(com::INPUT, 1, true);
    instance.start(48_000.0, FRAMES);
    let (input, silence) = (noise(1, 2, FRAMES), vec![vec![0.0; FRAMES]; 2]);
    for _ in 0..BLOCKS {
        instance.process(com::Block::of(&input).with(com::Bus::Sound(silence.clone())));
    }
}

#[test]
#[ignore = "for callgrind"]
fn clap_vocal_strip() {
    in_clap(vocal_strip());
}

#[test]
#[ignore = "for callgrind"]
fn clap_empty() {
    in_clap("headroom = 1\n");
}

#[test]
#[ignore = "for callgrind"]
fn vst3_vocal_strip() {
    in_vst3(vocal_strip());
}

#[test]
#[ignore = "for callgrind"]
fn vst3_empty() {
    in_vst3("headroom = 1\n");
}

/// The least time that something takes.
fn least(times: usize, mut work: impl FnMut()) -> Duration {
    let timed = (0..times).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    timed.min().expect("once at the least")
}

#[test]
#[ignore = "says how long it takes, which is no test"]
fn times() {
    let input = noise(1, 2, FRAMES);
    let first_block = least(50, || {
        let entry = load();
        let mut instance = Instance::new(&entry);
        instance.load_preset(vocal_strip());
        instance.start(48_000.0, FRAMES as u32);
        instance.process(&input, &[]);
    });
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, FRAMES as u32);
    let clock = least(100_000, || ());
    AROUND.set(around).expect("nobody else has");
    for _ in 0..100_000 {
        instance.process(&input, &[]);
    }
    let in_call = Duration::from_nanos(LEAST_NS.load(Ordering::Relaxed)).saturating_sub(clock);
    println!("load to first block {first_block:?}; an empty strip's block {in_call:?}");
}

/// Of a call of `process`.
static LEAST_NS: AtomicU64 = AtomicU64::new(u64::MAX);

fn around(process: &mut dyn FnMut()) {
    let took = least(1, process);
    LEAST_NS.fetch_min(took.as_nanos() as u64, Ordering::Relaxed);
}
