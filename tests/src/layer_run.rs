//! What the programs run that show what a layer sees: a seed, or a minute of everything that is no
//! fault.

use headroom_engine::{Catalog, Change, Controller, Health, Kind, ModuleSpec, RackSpec};
use headroom_tests::rig::{Blocks, Rig, lively, module, rack, stream};
use headroom_tests::signal::{Random, noise};
use headroom_tests::{deep_seeds, seeds};

const RATE_HZ: usize = 48_000;

/// `[main]` Does what the command line says: `seed NAME` or `play SECONDS`. Prints one line, which
/// says what the engine counted.
pub(crate) fn run() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seed", name] => seed(name),
        ["play", seconds] => play(seconds.parse().expect("a number of seconds")),
        other => panic!("expected `seed NAME` or `play SECONDS`, not {other:?}"),
    }
}

/// Arms one seed for one block, between blocks that are clean.
fn seed(name: &str) {
    let catalog = deep_seeds::ALL
        .iter()
        .chain(&[&seeds::ALLOCATES, &seeds::FREES])
        .fold(Catalog::builtin(), |catalog, kind: &&'static Kind| {
            catalog.with(kind)
        });
    let kind = catalog.find(name).expect("a seed's name");
    let mut rig = Rig::stereo(&rack([ModuleSpec::new(kind), module("gain")]));
    let block = |rig: &mut Rig| {
        let mut sound = [noise(1, 0.5, 64), noise(2, 0.5, 64)];
        rig.play(&mut sound);
        sound.iter().flatten().all(|sample| *sample != 0.0)
    };
    assert!(block(&mut rig), "it sounds before");
    rig.controller.set_param(name, "armed", 1.0).expect("room");
    let before = rig.controller.health();
    let holder = (name == deep_seeds::CONTENDED_MUTEX.id).then(deep_seeds::hold_mutex);
    assert!(block(&mut rig), "sound goes on");
    if let Some(holder) = holder {
        holder.join().expect("it lets go of the lock");
    }
    let during = rig.controller.health();
    assert!(block(&mut rig), "and on");
    print(&rig.controller.health());
    let faults = |health: &Health| health.faults.expect("Linux counts them").minor;
    println!("faults={}", faults(&during) - faults(&before));
}

/// Racks of all modules, in blocks of any length from 0 to 512, with automation inside them and every
/// kind of change between them.
fn play(seconds: usize) {
    let mut random = Random::new(11);
    let (mut rig, mut done, mut loud) = (Rig::new(stream(48_000, 2), &any_rack(&mut random)), 0, 0);
    let mut sizes = Blocks::Random(Random::new(12));
    for half in 0..2 * seconds as u64 {
        let mut sound = [0, 1].map(|side| noise(2 * half + side, 0.5, RATE_HZ / 2));
        let events = automation(&mut random, &rig.controller);
        let before = |controller: &mut Controller, _| {
            if random.below(4) == 0 {
                done += usize::from(change(&mut random, controller));
            }
            controller.reports();
        };
        rig.run(&mut sound, &sizes, &events, before);
        sizes = Blocks::Random(Random::new(13 + half));
        loud += usize::from(sound.iter().flatten().any(|sample| sample.abs() > 0.01));
    }
    let health = rig.controller.health();
    assert_eq!(health.frames, (seconds * RATE_HZ) as u64);
    println!("changes={done} loud={loud}");
    print(&health);
}

fn any_rack(random: &mut Random) -> RackSpec {
    let kinds = Catalog::builtin();
    let count = 2 + random.below(5);
    rack((0..count).map(|at| {
        let kind = kinds.kinds()[random.below(kinds.kinds().len())];
        lively(kind, random.bits()).with_id(format!("{}-{at}", kind.id))
    }))
}

/// One change of any kind; whether there was room for it.
fn change(random: &mut Random, controller: &mut Controller) -> bool {
    let modules = controller.spec().modules.clone();
    let at = random.below(modules.len().max(1));
    let Some(some) = modules.get(at) else {
        return controller.load(&any_rack(random)).is_ok();
    };
    let param = &some.kind.params[random.below(some.kind.params.len())];
    let on = random.unit() > 0.5;
    let sent = match random.below(10) {
        0 => controller.load(&any_rack(random)),
        1 => controller.edit(&any_rack(random)),
        2 => controller.insert(
            at,
            module("delay").with_id(format!("new-{}", random.bits())),
        ),
        3 => controller.remove(&some.id),
        4 => controller.move_to(&some.id, modules.len() - 1),
        5 => controller.set_bypass(&some.id, on),
        6 => controller.set_mix(&some.id, random.unit()),
        7 if random.below(4) == 0 => controller.reset(),
        // Muted for a short while only: the next of these most likely ends it.
        8 => controller.mute(random.below(5) == 0),
        _ => controller.set_param(&some.id, param.id, param.denormalize(random.unit())),
    };
    sent.is_ok()
}

/// Automation of the slots there are, by frames of the coming half second. Some of it comes when its
/// slot has gone, which is no fault.
fn automation(random: &mut Random, controller: &Controller) -> Vec<(usize, Change)> {
    let mut events = Vec::new();
    for module in &controller.spec().modules {
        for _ in 0..8 {
            let param = &module.kind.params[random.below(module.kind.params.len())];
            let value = param.denormalize(random.unit());
            if let Ok(change) = controller.param_change(&module.id, param.id, value) {
                events.push((random.below(RATE_HZ / 2), change));
            }
        }
    }
    events.sort_by_key(|event| event.0);
    events
}

fn print(health: &Health) {
    println!(
        "blocks={} allocations={} deallocations={} panics={} muted={}",
        health.blocks, health.allocations, health.deallocations, health.panics, health.muted_chunks
    );
}
