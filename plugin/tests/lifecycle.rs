//! An instance's life: edits while it plays, many of them, and what is left when all are gone.

mod host;

use std::time::{Duration, Instant};

use host::{Instance, Set, load, noise, rendered, state_of};

const ECHO: &str = "headroom = 1\n[[module]]\nkind = \"delay\"\n[module.params]\ntime_ms = 5.0\n";

/// Plays in real time until `done`, or for ten seconds.
fn play_until(instance: &mut Instance, mut done: impl FnMut(&[Vec<f32>]) -> bool) -> bool {
    let started = Instant::now();
    let block = noise(37, 2, 480);
    while started.elapsed() < Duration::from_secs(10) {
        let output = instance.process(&block, &[]);
        if done(&output) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_module_that_is_put_in_while_it_plays_is_heard_and_gone_when_it_is_taken_out() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, 480);
    let input = noise(37, 2, 480);
    let (place, gain) = (instance.id("Gain Place"), instance.id("Gain Gain"));
    let low = instance.value_of(gain, "-40 dB").unwrap();
    // Said before the module is there: it comes in with it.
    instance.process(&input, &[Set(0, gain, low), Set(10, place, 1.0)]);
    let is_low = |output: &[Vec<f32>]| output[0].iter().all(|sample| sample.abs() < 0.006);
    assert!(play_until(&mut instance, is_low), "it comes in");
    // It moves at once, by its new slot.
    let high = instance.value_of(gain, "0 dB").unwrap();
    instance.process(&input, &[Set(0, gain, high)]);
    assert!(
        play_until(&mut instance, |output| output == input),
        "it moves"
    );
    instance.process(&input, &[Set(0, gain, low)]);
    assert!(play_until(&mut instance, is_low));
    instance.process(&input, &[Set(0, place, 0.0)]);
    assert!(
        play_until(&mut instance, |output| output == input),
        "it leaves"
    );
}

#[test]
fn a_change_that_comes_while_its_module_is_on_the_way_is_not_lost() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, 480);
    let input = noise(37, 2, 480);
    let (place, gain) = (instance.id("Gain Place"), instance.id("Gain Gain"));
    let low = instance.value_of(gain, "-40 dB").unwrap();
    let none = instance.value_of(gain, "0 dB").unwrap();
    instance.process(&input, &[Set(0, gain, low), Set(10, place, 1.0)]);
    // It is built at -40 dB, looked at once more when it has settled, and waits for a block.
    std::thread::sleep(Duration::from_millis(500));
    instance.process(&input, &[Set(0, gain, none)]);
    let rest: Vec<_> = (0..10).map(|_| instance.process(&input, &[])).collect();
    assert_eq!(rest[9], input, "0 dB, which is what it was told last");
}

#[test]
fn offline_a_change_of_structure_is_there_with_its_very_block() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.set_offline(true);
    instance.start(48_000.0, 480);
    let place = instance.id("Gain Place");
    let gain = instance.id("Gain Gain");
    let low = instance.value_of(gain, "-40 dB").unwrap();
    let input = noise(41, 2, 4_800);
    instance.process(&input, &[]);
    let output = instance.process(&input, &[Set(0, place, 1.0), Set(0, gain, low)]);
    // It comes in over 20 ms.
    let after = &output[0][1_200..];
    assert!(
        after.iter().all(|sample| sample.abs() < 0.006),
        "without any waiting"
    );
}

#[test]
fn a_state_that_is_loaded_before_the_first_block_is_played_from_its_first_frame() {
    let entry = load();
    let input = noise(43, 2, 4_800);
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, 4_800);
    instance.load_preset(ECHO);
    let output = instance.process(&input, &[]);
    assert_eq!(output, rendered(ECHO, 48_000, &input));
}

#[test]
fn the_tail_lasts_as_long_as_the_echo() {
    use clack_host::process::ProcessStatus;
    let entry = load();
    let mut instance = Instance::new(&entry);
    let long = "headroom = 1\n[[module]]\nkind = \"delay\"\n[module.params]\ntime_ms = 900.0\nfeedback = 0.0\n";
    instance.load_preset(long);
    instance.start(48_000.0, 4_800);
    let silence = vec![vec![0.0; 4_800]; 2];
    instance.process(&noise(47, 2, 4_800), &[]);
    let mut seen = Vec::new();
    for _ in 0..30 {
        let output = instance.process(&silence, &[]);
        let loud = output[0].iter().any(|sample| sample.abs() > 1e-3);
        seen.push((loud, instance.status == Some(ProcessStatus::Continue)));
    }
    // 0.1 s a block: the echo is heard 0.9 s later.
    assert!(seen[8].0, "{seen:?}");
    assert!(
        seen[..9].iter().all(|(_, rings)| *rings),
        "the host must go on: {seen:?}"
    );
    assert!(!seen[29].1, "and may rest then: {seen:?}");
}

#[test]
fn sixty_four_instances_play_apart_from_each_other() {
    let entry = load();
    let mut all: Vec<Instance> = (0..64)
        .map(|at| {
            let mut instance = Instance::new(&entry);
            let gain = at as f32 * 0.25;
            instance.load_preset(&format!(
                "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = -{gain:.2}\n"
            ));
            instance.start(48_000.0, 256);
            instance
        })
        .collect();
    let input = noise(53, 2, 256);
    for _ in 0..20 {
        for (at, instance) in all.iter_mut().enumerate() {
            let output = instance.process(&input, &[]);
            let gain = 10f32.powf(-(at as f32) * 0.25 / 20.0);
            for (output, input) in output[0].iter().zip(&input[0]) {
                assert!((output - input * gain).abs() < 1e-6, "instance {at}");
            }
        }
    }
    assert_eq!(
        threads_named("hr-plugin"),
        1,
        "one housekeeping thread for all"
    );
    assert_eq!(threads_named("hr-collector"), 1, "one collector for all");
    assert_eq!(threads_named("bg-worker"), 0, "and none of nice-plug's");
    drop(all);
    assert_eq!(threads_named("hr-plugin"), 0);
    assert_eq!(threads_named("hr-collector"), 0);
}

/// Threads of this process by their name.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux shows it");
    let name_of = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    let names = tasks.filter_map(|task| name_of(task.ok()?));
    names.filter(|known| known.trim() == name).count()
}

/// What this process holds: threads, descriptors, mappings, and bytes that are present.
fn holdings() -> (usize, usize, usize, usize) {
    let count = |list: &str| std::fs::read_dir(list).expect("Linux shows it").count();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux shows it");
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux shows it");
    let resident = statm
        .split_ascii_whitespace()
        .nth(1)
        .expect("the second field");
    let resident: usize = resident.parse().expect("a number");
    (
        count("/proc/self/task"),
        count("/proc/self/fd"),
        maps.lines().count(),
        resident * 4_096,
    )
}

#[test]
fn an_empty_instance_takes_less_than_a_mebibyte() {
    const COUNT: usize = 32;
    let entry = load();
    let input = noise(61, 2, 128);
    let open = || {
        let mut instance = Instance::new(&entry);
        instance.start(48_000.0, 128);
        instance.process(&input, &[]);
        instance
    };
    // What all share is there with the first.
    let _first = open();
    let before = holdings().3;
    let all: Vec<Instance> = (0..COUNT).map(|_| open()).collect();
    let each = holdings().3.saturating_sub(before) / COUNT;
    assert!((1..1 << 20).contains(&each), "{each} bytes each");
    drop(all);
}

#[test]
fn a_thousand_instances_one_after_the_other_leave_nothing() {
    let cycles = std::env::var("HEADROOM_CYCLES").ok();
    let cycles: usize = cycles.map_or(1_000, |cycles| cycles.parse().expect("a number"));
    let input = noise(59, 2, 64);
    let once = || {
        let entry = load();
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&state_of(ECHO)));
        instance.start(48_000.0, 64);
        instance.process(&input, &[]);
        instance.stop();
    };
    (0..50).for_each(|_| once());
    let before = holdings();
    (0..cycles).for_each(|_| once());
    let after = holdings();
    assert_eq!(after.0, before.0, "threads");
    assert_eq!(after.1, before.1, "descriptors");
    assert!(
        after.2 <= before.2 + 4,
        "mappings: {} were {}",
        after.2,
        before.2
    );
    // An instance's engine is larger than this a hundred times over all cycles.
    assert!(
        after.3 < before.3 + (2 << 20),
        "bytes: {} were {}",
        after.3,
        before.3
    );
}
