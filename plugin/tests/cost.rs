//! Blocks for whoever counts what the plugin costs around its engine, by callgrind: of what is between a host's
//! call and the engine's, and not of a host's own.
//!
//! ```text
//! valgrind --tool=callgrind --dump-instr=no --toggle-collect='*clap*process*' \
//!     target/release/deps/cost-* --ignored --exact PRESET
//! ```

mod host;

use headroom_engine::preset::factory;
use host::{Instance, load, noise};

const FRAMES: usize = 128;
const BLOCKS: usize = 2_000;

fn play(text: &str) {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(text);
    instance.start(48_000.0, FRAMES as u32);
    let input = noise(1, 2, FRAMES);
    for _ in 0..BLOCKS {
        instance.process(&input, &[]);
    }
}

#[test]
#[ignore = "for callgrind"]
fn vocal_strip() {
    let found = factory().iter().find(|preset| preset.name == "vocal-strip");
    play(found.expect("it is built in").text);
}

#[test]
#[ignore = "for callgrind"]
fn empty() {
    play("headroom = 1\n");
}
