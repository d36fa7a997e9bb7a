//! What the programs run that watch a plugin's `process` from the host's side: a seed, or a minute of
//! everything that is no fault.

#[path = "plugged_vst3.rs"]
pub(crate) mod plugged_vst3;
#[path = "../../plugin/tests/host/mod.rs"]
pub(crate) mod plugin_host;
#[path = "../seeded/mod.rs"]
pub(crate) mod seeded;

use headroom_tests::deep_seeds;
use headroom_tests::signal::{Random, noise};
use plugin_host::{Instance, Set};

const MOST_FRAMES: usize = 512;

/// `[main]` Does what the command line says: `seed NAME` or `play SECONDS`, or `vst3` and one of these.
pub(crate) fn run() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seed", name] => seed(name),
        ["play", seconds] => play(seconds.parse().expect("a number of seconds")),
        ["vst3", "seed", name] => plugged_vst3::seed(name),
        ["vst3", "play", seconds] => {
            plugged_vst3::play(seconds.parse().expect("a number of seconds"));
        }
        other => panic!("expected `seed NAME` or `play SECONDS`, not {other:?}"),
    }
}

fn block(seed: u64, frames: usize) -> Vec<Vec<f32>> {
    vec![noise(seed, 0.5, frames), noise(seed + 1, 0.5, frames)]
}

/// Arms one seed by automation, between blocks that are clean.
fn seed(name: &str) {
    let entry = seeded::entry();
    let mut instance = Instance::new(&entry);
    let rack = format!(
        "headroom = 1\n[[module]]\nkind = \"{name}\"\nid = \"it\"\n[[module]]\nkind = \"gain\"\n"
    );
    instance.load_preset(&rack);
    let armed = instance.id(&format!("{name} Armed"));
    instance.start(48_000.0, MOST_FRAMES as u32);
    let input = block(1, 64);
    let sounds = |output: &[Vec<f32>]| output.iter().flatten().all(|sample| *sample != 0.0);
    for _ in 0..4 {
        assert!(sounds(&instance.process(&input, &[])), "before");
    }
    let holder = (name == deep_seeds::CONTENDED_MUTEX.id).then(deep_seeds::hold_mutex);
    let output = instance.process(&input, &[Set(0, armed, 1.0)]);
    assert!(sounds(&output), "sound goes on");
    if let Some(holder) = holder {
        holder.join().expect("it lets go of the lock");
    }
    assert!(
        sounds(&instance.process(&input, &[Set(0, armed, 0.0)])),
        "and on"
    );
}

/// A rack of every module.
fn all() -> String {
    let kinds = headroom_engine::Catalog::builtin();
    let kinds = kinds.kinds().iter();
    kinds.fold("headroom = 1\n".to_owned(), |rack, kind| {
        rack + &format!("[[module]]\nkind = \"{}\"\n", kind.id)
    })
}

/// The library that hosts load, with every module in: blocks of any length, automation inside them,
/// modules that come, go and change places.
fn play(seconds: usize) {
    let entry = plugin_host::load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(&all());
    let list = instance.list();
    instance.start(48_000.0, MOST_FRAMES as u32);
    play_blocks(seconds, |random, blocks, count| {
        let mut sets: Vec<Set> = (0..random.below(4))
            .map(|_| {
                let (id, name, _, max) = &list[random.below(list.len())];
                let unit = f64::from(random.unit());
                let value = match &**name {
                    // In, most of the time.
                    name if name.ends_with(" Place") => f64::from(random.below(9) as u16),
                    "Bypass" => 0.0,
                    _ if *max > 1.0 => (unit * max).round(),
                    _ => unit * max,
                };
                Set(random.below(count) as u32, *id, value)
            })
            .collect();
        sets.sort_by_key(|Set(frame, _, _)| *frame);
        let output = instance.process(&block(blocks, count), &sets);
        (sets.len(), output)
    });
}

/// Blocks of any length, for so many seconds of sound. `play_one` is given the number of those before, and how
/// many frames; it gives how many changes it made, and what came out.
fn play_blocks(
    seconds: usize,
    mut play_one: impl FnMut(&mut Random, u64, usize) -> (usize, Vec<Vec<f32>>),
) {
    let (mut random, mut frames, mut blocks, mut changes, mut loud) = (Random::new(3), 0, 0, 0, 0);
    while frames < seconds * 48_000 {
        let count = 1 + random.below(MOST_FRAMES);
        let (changed, output) = play_one(&mut random, blocks, count);
        changes += changed;
        assert!(output.iter().flatten().all(|sample| sample.is_finite()));
        loud += usize::from(output.iter().flatten().any(|sample| sample.abs() > 0.01));
        frames += count;
        blocks += 1;
        if blocks % 64 == 0 {
            // Housekeeping looks every 10 ms, and does what stands for two looks.
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
    }
    println!("blocks={blocks} changes={changes} loud={loud}");
}
