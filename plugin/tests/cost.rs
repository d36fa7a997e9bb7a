//! Blocks for whoever counts what the plugin costs around its engine, by callgrind: of what is between a host's
//! call and the engine's, and not of a host's own.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=out target/release/deps/cost-* --ignored --exact clap_vocal_strip
//! callgrind_annotate --inclusive=yes out
//! ```
//!
//! `process` of the format, less the engine's `process_keyed`, by the blocks.
#![cfg(target_os = "linux")]

mod com;
mod host;

use headroom_engine::preset::factory;
use host::{Instance, library, load, noise, state_of};

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
