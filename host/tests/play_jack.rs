//! `headroom play` on a real JACK server without a sound card: jackd's dummy driver, synchronous. Xruns are
//! not counted here, since the machine that runs the tests stalls now and then; what is claimed is that the
//! frames are exact and that the audio thread neither allocates nor frees.

#![cfg(target_os = "linux")]

mod play_common;

use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::headroom;
use play_common::last_object;
use play_common::neutral;
use play_common::play;
use play_common::report;
use play_common::report_of;
use play_common::signal;
use play_common::sine;
use play_common::stderr;

/// One server at a time: two would share two cores with whatever else runs.
static ALONE: Mutex<()> = Mutex::new(());

struct Jackd {
    name: String,
    server: Option<Child>,
    _alone: MutexGuard<'static, ()>,
}

impl Jackd {
    /// Starts a server at 48 kHz and 128 frames, and waits until it answers.
    ///
    /// JACK has places for eight servers in a registry in shared memory, and one that is killed keeps
    /// its place until another of the same name starts. So each test has one name for all its runs,
    /// and a registry that is full of the dead is thrown away.
    fn start(test: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut jackd = Self {
            name: format!("headroom-{test}"),
            server: None,
            _alone: alone,
        };
        for _ in 0..4 {
            jackd.server = Some(launch(&jackd.name));
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(6) && jackd.is_alive() {
                if jackd.answers() {
                    return jackd;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            jackd.stop();
            forget_dead_servers();
        }
        panic!("jackd does not answer, started four times");
    }

    fn is_alive(&mut self) -> bool {
        let server = self.server.as_mut();
        server.is_some_and(|server| matches!(server.try_wait(), Ok(None)))
    }

    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        // TERM first: a server that is killed leaves its shared memory behind.
        signal_if_alive(&mut server);
        let start = Instant::now();
        while matches!(server.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _already_gone = server.kill();
        let _already_gone = server.wait();
    }

    fn answers(&self) -> bool {
        let place = tempfile::tempdir().unwrap();
        let list = report(self.env(&mut headroom(place.path(), &["devices", "--json"])));
        list["backends"][0]["name"] == "jack" && list["backends"][0]["available"] == true
    }

    fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("JACK_DEFAULT_SERVER", &self.name)
            .env("JACK_NO_AUDIO_RESERVATION", "1")
    }
}

impl Drop for Jackd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Throws JACK's registry away if no server runs that could need it.
fn forget_dead_servers() {
    let running = Command::new("pgrep").args(["-x", "jackd"]).output();
    if running.is_ok_and(|running| running.stdout.is_empty()) {
        // It may not be there at all.
        let _already_gone = std::fs::remove_file("/dev/shm/jack-shm-registry");
    }
}

fn launch(name: &str) -> Child {
    Command::new("jackd")
        .args([
            "-n", name, "-R", "-P", "70", "-S", "-d", "dummy", "-r", "48000", "-p", "128",
        ])
        .env("JACK_NO_AUDIO_RESERVATION", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs the program `jackd`: install the package `jackd2`")
}

fn signal_if_alive(server: &mut Child) {
    if matches!(server.try_wait(), Ok(None)) {
        signal(server, "TERM");
    }
}

#[test]
fn auto_takes_a_running_jack_server_and_plays_exact_frames_without_allocating() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("auto");
    sine(place.path(), 48_000, 30_000);
    neutral(place.path());
    let output = jackd
        .env(&mut play(
            place.path(),
            &[
                "--input",
                "sine.wav",
                "--loop",
                "--preset",
                "neutral.toml",
                "--seconds",
                "1.5",
                "--json",
            ],
        ))
        .output()
        .unwrap();
    let report = report_of(&output);
    assert!(
        stderr(&output).contains("playing on `jack`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(report["backend"], "jack");
    assert_eq!(report["frames"], 72_000);
    assert_eq!(report["input_frames"], 72_000);
    assert_eq!(report["block_frames"], 128);
    assert_eq!(report["deadline_ns"], 2_666_666);
    let peak_dbfs = report["peak_dbfs"].as_f64().unwrap();
    assert!((-6.1..-6.0).contains(&peak_dbfs), "{report}");
    assert_real_time(&report);
}

#[test]
fn live_input_starts_muted_with_a_warning() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("live");
    let output = jackd
        .env(&mut play(place.path(), &["--seconds", "0.5", "--json"]))
        .output()
        .unwrap();
    let report = report_of(&output);
    assert_eq!(report["frames"], 24_000);
    assert!(report["input_device"].is_string(), "{report}");
    assert!(report["peak_dbfs"].is_null(), "{report}");
    assert!(
        stderr(&output).contains("warning: muted"),
        "{}",
        stderr(&output)
    );
    assert_real_time(&report);
}

#[test]
fn what_the_server_does_not_run_at_is_refused_with_what_it_does() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("refused");
    for (args, expected) in [
        (["--rate", "44100"], ["44100 Hz", "expected 48000 Hz"]),
        (["--block", "64"], ["64", "128"]),
        (
            ["--output-device", "Scarlett"],
            ["`Scarlett`", "expected one of `output`"],
        ),
    ] {
        let args = [&["--backend", "jack"], &args[..]].concat();
        let output = jackd.env(&mut play(place.path(), &args)).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        for part in expected {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
}

#[test]
fn a_killed_server_ends_a_run_that_does_not_reconnect_with_its_report() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("killed");
    sine(place.path(), 48_000, 48_000);
    let mut command = play(
        place.path(),
        &[
            "--backend",
            "jack",
            "--input",
            "sine.wav",
            "--loop",
            "--no-reconnect",
            "--json",
        ],
    );
    let child = jackd
        .env(&mut command)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    signal(jackd.server.as_ref().expect("it runs"), "KILL");
    let lost = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(
        lost.elapsed() < Duration::from_secs(10),
        "{:?}",
        lost.elapsed()
    );
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let told = said
        .lines()
        .filter(|line| line.starts_with("headroom: "))
        .count();
    assert_eq!(told, 1, "{said}");
    assert!(
        said.contains("backend `jack`") && said.contains("went away"),
        "{said}"
    );
    let report = last_object(&output);
    assert!(report["frames"].as_u64().unwrap() > 0, "{report}");
    assert_real_time(&report);
}
