//! The plugin with modules that misbehave: what goes wrong in one stays in it, a module with latency is
//! told to the host, and what is done inside `process` is watched from the host's side.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

#[path = "../plugin/tests/host/mod.rs"]
mod host;
mod seeded;

use std::time::{Duration, Instant};

use headroom_plugin::caught_panics;
use headroom_tests::watched::{intercepted, line, number, run};
use host::{Instance, Set, noise, state_of};

fn rack(kinds: &[&str]) -> String {
    kinds
        .iter()
        .fold("headroom = 1\n".to_owned(), |rack, kind| {
            rack + &format!("[[module]]\nkind = \"{kind}\"\n")
        })
}

/// Plays blocks in real time until `done` says so of one, or for ten seconds.
fn play_until(
    instance: &mut Instance,
    mut done: impl FnMut(&Instance, &[Vec<f32>]) -> bool,
) -> bool {
    let started = Instant::now();
    let block = noise(37, 2, 480);
    while started.elapsed() < Duration::from_secs(10) {
        let output = instance.process(&block, &[]);
        if done(instance, &output) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_module_that_panics_in_a_hosts_block_is_passed_by_and_the_host_lives() {
    let entry = seeded::entry();
    for kind in ["seed-panics", "seed-panics-when-set"] {
        let mut instance = Instance::new(&entry);
        instance.load_preset(&rack(&[kind, "gain"]));
        instance.start(48_000.0, 480);
        let name = match kind {
            "seed-panics" => "seed-panics Armed",
            _ => "Panics when set Armed",
        };
        let armed = instance.id(name);
        let input = noise(3, 2, 480);
        assert_eq!(instance.process(&input, &[]), input, "{kind}: before");
        instance.process(&input, &[Set(100, armed, 1.0)]);
        for _ in 0..10 {
            assert_eq!(instance.process(&input, &[]), input, "{kind}: passed by");
        }
        // The rest of the strip goes on.
        let gain = instance.id("Gain Gain");
        let low = instance.value_of(gain, "-40 dB").expect("a value");
        instance.process(&input, &[Set(0, gain, low)]);
        instance.process(&input, &[]);
        instance.process(&input, &[]);
        let output = instance.process(&input, &[]);
        let is_low = output[0].iter().all(|sample| sample.abs() < 0.006);
        assert!(is_low, "{kind}: a gain behind it is heard");
    }
}

#[test]
fn a_panic_that_the_engine_does_not_expect_leaves_sound_and_host_as_they_are() {
    let entry = seeded::entry();
    let mut instance = Instance::new(&entry);
    instance.load_preset(&rack(&["seed-panics-when-asked"]));
    instance.start(48_000.0, 480);
    let armed = instance.id("seed-panics-when-asked Armed");
    // Silent: only then is it asked.
    let silence = vec![vec![0.0; 480]; 2];
    instance.process(&silence, &[]);
    let before = caught_panics();
    instance.process(&silence, &[Set(0, armed, 1.0)]);
    instance.process(&silence, &[]);
    assert!(caught_panics() > before, "it did panic");
    let input = noise(5, 2, 480);
    assert_eq!(instance.process(&input, &[]), input, "sound goes on");
    instance.reset();
    instance.save();
    instance.stop();
    instance.start(48_000.0, 240);
}

#[test]
fn a_module_that_panics_while_it_is_built_leaves_the_rack_of_before() {
    let entry = seeded::entry();
    let kind = "seed-panics-when-built";
    let mut instance = Instance::new(&entry);
    instance.load_preset(&rack(&["gain"]));
    instance.start(48_000.0, 480);
    let (place, number) = (
        instance.id(&format!("{kind} Place")),
        instance.id(&format!("{kind} Number")),
    );
    let gain = instance.id("Gain Gain");
    let low = instance.value_of(gain, "-40 dB").expect("a value");
    let input = noise(3, 2, 480);
    // By housekeeping, while it plays.
    let before = caught_panics();
    instance.process(&input, &[Set(0, number, 1.0), Set(0, place, 1.0)]);
    assert!(
        play_until(&mut instance, |_, _| caught_panics() > before),
        "housekeeping builds it"
    );
    instance.process(&input, &[Set(0, gain, low)]);
    assert!(
        play_until(&mut instance, |_, output| output[0]
            .iter()
            .all(|sample| sample.abs() < 0.006)),
        "the gain that was there goes on, and moves"
    );
    // By a host's loading.
    let broken = rack(&[kind]) + "[module.params]\nnumber = 1.0\n";
    instance.load_state(&state_of(&broken));
    instance.process(&input, &[]);
    // By its activation: refused, and not the end.
    instance.stop();
    assert!(!instance.try_start(96_000.0, 480), "it cannot be built");
    instance.load_preset(&rack(&["gain"]));
    instance.start(48_000.0, 480);
    assert_eq!(instance.process(&input, &[]), input, "and plays again");
}

/// Restarts it as often as it asks for, and plays a little; gives how often that was.
fn restart_as_asked(instance: &mut Instance, seen: &mut usize) -> usize {
    let before = *seen;
    loop {
        for _ in 0..20 {
            instance.process(&vec![vec![0.0; 4_800]; 2], &[]);
        }
        if instance.asked_for_restarts() == *seen {
            return *seen - before;
        }
        *seen = instance.asked_for_restarts();
        assert!(*seen - before <= 1, "once for each latency");
        instance.stop();
        instance.start(48_000.0, 4_800);
    }
}

#[test]
fn a_change_of_latency_asks_for_a_restart_and_is_right_after_it() {
    let entry = seeded::entry();
    let mut instance = Instance::new(&entry);
    let mut seen = 0;
    instance.load_preset(&(rack(&["late"]) + "[module.params]\nframes = 100.0\n"));
    instance.start(48_000.0, 4_800);
    let impulse = |instance: &mut Instance| {
        let mut input = vec![vec![0.0; 4_800]; 2];
        input[0][0] = 1.0;
        let output = instance.process(&input, &[]);
        output[0].iter().position(|sample| *sample != 0.0)
    };
    assert_eq!(instance.latency_frames(), 100, "at once");
    assert_eq!(impulse(&mut instance), Some(100));
    assert_eq!(restart_as_asked(&mut instance, &mut seen), 0, "it knows");
    // Edited while it plays: the latency that the host was told stands until it has restarted.
    let frames = instance.id("Late Frames");
    let longer = instance.value_of(frames, "777").expect("a value");
    instance.process(&noise(1, 2, 480), &[Set(0, frames, longer)]);
    assert!(
        play_until(&mut instance, |instance, _| instance.asked_for_restarts()
            > seen),
        "the host is asked to restart"
    );
    assert_eq!(instance.latency_frames(), 100, "as it was told");
    assert_eq!(restart_as_asked(&mut instance, &mut seen), 1);
    assert_eq!(instance.latency_frames(), 777);
    assert_eq!(impulse(&mut instance), Some(777));
    // Bypassed it is as late.
    let bypass = instance.id("Bypass");
    instance.process(&vec![vec![0.0; 4_800]; 2], &[Set(0, bypass, 1.0)]);
    assert_eq!(restart_as_asked(&mut instance, &mut seen), 0);
    assert_eq!(impulse(&mut instance), Some(777), "bypassed");
    // A loaded state changes it, too.
    instance.load_preset("headroom = 1\n");
    assert_eq!(restart_as_asked(&mut instance, &mut seen), 1);
    assert_eq!(instance.latency_frames(), 0);
    assert_eq!(impulse(&mut instance), Some(0));
}

/// The first words for each format.
const FORMATS: [&[&str]; 2] = [&[], &["vst3"]];

fn under_trap(format: &[&str], words: &[&str]) -> String {
    run(
        env!("CARGO_BIN_EXE_plugged-trap"),
        &[format, words].concat(),
    )
}

fn under_rtsan(format: &[&str], words: &[&str]) -> String {
    run(
        env!("CARGO_BIN_EXE_plugged-rtsan"),
        &[format, words].concat(),
    )
}

#[test]
fn the_trap_sees_a_seeded_system_call_in_a_hosts_process() {
    let seeds = [
        ("seed-write", "write", "seeded_write"),
        (
            "seed-thread-sleep",
            "clock_nanosleep",
            "seeded_thread_sleep",
        ),
        ("seed-contended-mutex", "futex", "seeded_contended_mutex"),
        (
            "seed-inline-system-call",
            "getppid",
            "seeded_inline_system_call",
        ),
    ];
    let all = FORMATS
        .iter()
        .flat_map(|format| seeds.map(|seed| (*format, seed)));
    for (format, (seed, call, function)) in all {
        let text = under_trap(format, &["seed", seed]);
        assert_eq!(number(&text, "watched"), 1, "{format:?} {seed}: {text}");
        assert!(
            number(&text, "system_calls") >= 1,
            "{format:?} {seed}: {text}"
        );
        let told = line(&text, "trap: ").unwrap_or_else(|| panic!("{seed}: {text}"));
        assert!(told.starts_with(call) && told.contains(function), "{text}");
    }
    for format in FORMATS {
        let text = under_trap(format, &["seed", "seed-allocates"]);
        assert_eq!(number(&text, "system_calls"), 0, "{text}");
        assert!(
            text.contains("allocator: ") && text.contains("seeded_allocation"),
            "{text}"
        );
    }
}

#[cfg_attr(not(rtsan), ignore = "this toolchain has no RealtimeSanitizer")]
#[test]
fn realtime_sanitizer_sees_a_seed_in_a_hosts_process() {
    let seeds: [(&str, &[&str]); 6] = [
        ("seed-allocates", &["malloc"]),
        ("seed-frees", &["free"]),
        ("seed-c-malloc", &["malloc"]),
        (
            "seed-pthread-mutex-lock",
            &["pthread_mutex_lock", "pthread_mutex_unlock"],
        ),
        ("seed-write", &["write"]),
        ("seed-nanosleep", &["nanosleep"]),
    ];
    let all = FORMATS
        .iter()
        .flat_map(|format| seeds.map(|seed| (*format, seed)));
    for (format, (seed, names)) in all {
        let text = under_rtsan(format, &["seed", seed]);
        assert_eq!(intercepted(&text), names, "{seed}: {text}");
    }
}

#[test]
fn a_minute_of_a_hosts_calls_of_process_makes_no_system_call() {
    for format in FORMATS {
        let text = under_trap(format, &["play", "60"]);
        assert!(
            text.contains("system_calls=0 watched=1 unwatched=0"),
            "{text}"
        );
        assert!(!text.contains("allocator: "), "{text}");
        assert_played(&text);
    }
}

#[cfg_attr(not(rtsan), ignore = "this toolchain has no RealtimeSanitizer")]
#[test]
fn a_minute_of_a_hosts_calls_of_process_is_clean_under_realtime_sanitizer() {
    for format in FORMATS {
        let text = under_rtsan(format, &["play", "60"]);
        assert_eq!(intercepted(&text), [""; 0], "{text}");
        assert!(!text.contains("RealtimeSanitizer"), "{text}");
        assert_played(&text);
    }
}

fn assert_played(text: &str) {
    assert!(number(text, "blocks") >= 5_000, "{text}");
    assert!(number(text, "changes") >= 5_000, "{text}");
    assert!(number(text, "loud") >= 2_000, "{text}");
}
