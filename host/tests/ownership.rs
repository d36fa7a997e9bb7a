//! A hundred starts of the program, and what is left of them on the machine: nothing.
#![cfg(target_os = "linux")]

mod play_common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use play_common::play;
use play_common::signal;

/// Starts at a time: most of a run is waiting.
const TOGETHER: usize = 5;
/// Something that ends by itself may take so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names in the folder of shared memory, but for those of sound servers, which other tests start.
fn shared_memory() -> BTreeSet<String> {
    let foreign = ["jack", "sem.jack", "pulse", "pipewire"];
    let entries = std::fs::read_dir("/dev/shm").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names
        .filter(|name| !foreign.iter().any(|it| name.starts_with(it)))
        .collect()
}

/// Processes whose folder of temporary files is `folder`: what a run has started, and what that has.
fn processes(folder: &Path) -> Vec<String> {
    let mark = format!("TMPDIR={}", folder.display());
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        name.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(name)
    });
    // One that has ended meanwhile, or is another user's, is none of ours.
    let is_ours = |number: &String| {
        let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|it| it == mark.as_bytes())
    };
    numbers.filter(is_ours).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect()
}

/// Runs `times` of what `command` makes for a folder, a few at a time, and gives what is left when all have
/// ended: files, processes, shared memory.
fn left_after(
    times: usize,
    command: impl Fn(&Path) -> Command,
    meanwhile: impl Fn(usize, &Child),
) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let before = shared_memory();
    for first in (0..times).step_by(TOGETHER) {
        let mut children: Vec<Child> = (first..times.min(first + TOGETHER))
            .map(|_| {
                let mut command = command(folder);
                command
                    .env("TMPDIR", folder)
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        for (at, child) in children.iter_mut().enumerate() {
            meanwhile(first + at, child);
            let status = child.wait().unwrap();
            assert!(status.success(), "start {}: {status}", first + at);
        }
    }
    let start = Instant::now();
    loop {
        let left: Vec<String> = files(folder)
            .into_iter()
            .chain(processes(folder))
            .chain(shared_memory().difference(&before).cloned())
            .collect();
        if left.is_empty() || start.elapsed() > PATIENCE {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hundred_starts_and_stops_leave_nothing_on_the_machine() {
    let args = ["--backend", "null", "--json", "--seconds"];
    let left = left_after(
        100,
        |folder| {
            let mut command = play(folder, &args);
            command.arg("0.05");
            command
        },
        |_, _| {},
    );
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ends_by_a_signal_leave_nothing_on_the_machine() {
    let left = left_after(
        10,
        |folder| play(folder, &["--backend", "null"]),
        |at, child| {
            // It ends by itself only when asked to: the question must come after it listens.
            while !listens(child, libc::SIGTERM) {
                std::thread::sleep(Duration::from_millis(5));
            }
            signal(child, if at % 2 == 0 { "TERM" } else { "INT" });
        },
    );
    assert!(left.is_empty(), "{left:?}");
}

/// Whether the process has a handler for a signal: `SigCgt` in proc_pid_status(5).
fn listens(child: &Child, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[test]
fn one_thing_of_any_kind_that_is_left_is_caught() {
    let seeded = |script: &'static str| {
        let shell = |_: &Path| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        left_after(3, shell, |_, _| {})
    };
    assert!(seeded("true").is_empty());
    let left = seeded(": > $TMPDIR/left.tmp");
    assert!(left.len() == 1 && left[0].ends_with("left.tmp"), "{left:?}");

    let left = seeded(": > /dev/shm/headroom-seed-$$");
    let seeds: Vec<_> = left
        .iter()
        .filter(|name| name.starts_with("headroom-seed-"))
        .collect();
    for seed in &seeds {
        std::fs::remove_file(Path::new("/dev/shm").join(seed)).unwrap();
    }
    assert_eq!(seeds.len(), 3, "{left:?}");

    // Longer than the patience, and not for ever.
    let left = seeded("sleep 6 >/dev/null 2>&1 &");
    assert_eq!(left.len(), 3, "{left:?}");
}
