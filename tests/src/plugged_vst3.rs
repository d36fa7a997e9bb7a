//! The same in a VST3 host: a seed, or blocks with everything that is no fault.
#![allow(unsafe_code)]

#[path = "../../plugin/tests/com/mod.rs"]
pub(crate) mod com;

use headroom_plugin::rows;
use headroom_tests::deep_seeds;

use self::com::{Block, Change, Instance, Module};
use super::{MOST_FRAMES, all, block, play_blocks, plugin_host, seeded};

/// Arms one seed by automation, between blocks that are clean.
pub(crate) fn seed(name: &str) {
    // SAFETY: it is a factory, and nobody else's.
    let module = unsafe { Module::of(seeded::vst3_factory()) };
    let instance = module.instance();
    let armed = instance.id(&format!("{name} Armed"));
    instance.say(instance.id(&format!("{name} Place")), 1.0 / 64.0);
    instance.start(48_000.0, MOST_FRAMES);
    let input = block(1, 64);
    let plays = |changes: &[Change]| {
        let output = instance.process(Block::of(&input).changing(changes));
        output.iter().flatten().all(|sample| *sample != 0.0)
    };
    for _ in 0..4 {
        assert!(plays(&[]), "before");
    }
    let holder = (name == deep_seeds::CONTENDED_MUTEX.id).then(deep_seeds::hold_mutex);
    assert!(plays(&[(armed, 0, 1.0)]), "sound goes on");
    if let Some(holder) = holder {
        holder.join().expect("it lets go of the lock");
    }
    assert!(plays(&[(armed, 0, 0.0)]), "and on");
}

/// The library that hosts load, with every module in: blocks of any length, automation inside them, a side-chain,
/// modules that come, go and change places.
pub(crate) fn play(seconds: usize) {
    let module = Module::load(&plugin_host::library());
    let instance: Instance = module.instance();
    instance.load(&plugin_host::state_of(&all())[8..]);
    instance.activate_bus(com::INPUT, 1, true);
    let rows = rows(&headroom_engine::Catalog::builtin());
    let ids: Vec<_> = rows.iter().map(|row| instance.id(&row.name)).collect();
    instance.start(48_000.0, MOST_FRAMES);
    play_blocks(seconds, |random, blocks, count| {
        let changes: Vec<Change> = (0..random.below(4))
            .map(|_| {
                let row = random.below(rows.len());
                let value = match &*rows[row].name {
                    // In, most of the time.
                    name if name.ends_with(" Place") => random.below(9) as f64 / 64.0,
                    "Bypass" => 0.0,
                    _ => f64::from(random.unit()),
                };
                (ids[row], random.below(count) as i32, value)
            })
            .collect();
        let input = block(blocks, count);
        let key = com::Bus::Sound(block(blocks + 7, count));
        let output = instance.process(Block::of(&input).with(key).changing(&changes));
        (changes.len(), output)
    });
}
