//! Other clients of the JACK server that `headroom play` plays on: they come and go beside it.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use jack::AudioIn;
use jack::Client;
use jack::Control;
use jack::ProcessScope;
use play_common::clients;
use play_common::jackd::Jackd;
use play_common::jackd::Setup;
use play_common::neutral;
use play_common::playing::FROM;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::sine;
use play_common::stderr;

/// Clients of a crowd.
const CROWD: usize = 8;
/// What a crowd is started for.
const PART: &str = "HEADROOM_TEST_CROWD";
/// They open, and close one after the other as soon as they are told to.
const LEAVE: &str = "leave";
/// They listen to the program, and say who heard nothing.
const HEAR: &str = "hear";

/// Not a test: what the test below starts, in a process of its own, as libjack knows one server a process.
#[test]
#[ignore = "started by another test"]
fn crowd() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    let names: Vec<String> = (0..CROWD).map(|at| format!("{part}-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let clients = clients::open(&names);
    if part == LEAVE {
        println!("\nready");
        std::io::stdin().read_exact(&mut [0]).unwrap();
        clients.into_iter().for_each(drop);
        return;
    }
    let heard: Vec<_> = clients.into_iter().map(hear).collect();
    let start = Instant::now();
    while heard.iter().any(|(heard, _)| !heard.load(Relaxed)) {
        let deaf = heard.iter().map(|(heard, _)| !heard.load(Relaxed));
        let deaf: Vec<bool> = deaf.collect();
        assert!(start.elapsed() < Duration::from_secs(10), "deaf: {deaf:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has a client listen to the program; what is with the answer is to be kept meanwhile.
fn hear(client: Client) -> (Arc<AtomicBool>, impl Sized) {
    let port = client.register_port("in", AudioIn::default()).unwrap();
    let into = port.name().unwrap();
    let heard = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&heard);
    let process =
        jack::contrib::ClosureProcessHandler::new(move |_: &Client, scope: &ProcessScope| {
            if port.as_slice(scope).iter().any(|sample| *sample != 0.0) {
                told.store(true, Relaxed);
            }
            Control::Continue
        });
    let client = client.activate_async((), process).unwrap();
    clients::connect(client.as_client(), FROM[0], &into);
    (heard, client)
}

fn start_crowd(jackd: &Jackd, part: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    jackd
        .env(&mut command)
        .args(["--exact", "crowd", "--ignored", "--nocapture"])
        .env(PART, part)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A crowd that leaves while the program opens, and another that takes its places and hears the program.
fn crowds_come_and_go(jackd: &Jackd, place: &Path) {
    let mut leaving = start_crowd(jackd, LEAVE);
    // Kept to the end: the crowd's own test runner has a last word to say.
    let mut told = BufReader::new(leaving.stdout.take().unwrap()).lines();
    assert!(told.any(|line| line.unwrap() == "ready"));
    jackd.forget_client("headroom");
    let args = ["--input", "sine.wav", "--loop", "--preset", "neutral.toml"];
    let playing = Playing::start(jackd, place, &args);
    jackd.wait_for_client("headroom");
    leaving.stdin.take().unwrap().write_all(b".").unwrap();
    assert!(leaving.wait().unwrap().success());
    playing.wait_for_ports(jackd);
    let heard = start_crowd(jackd, HEAR).wait_with_output().unwrap();
    assert!(heard.status.success(), "{}", stderr(&heard));
    report_of(&playing.end());
}

#[test]
fn who_takes_the_place_of_a_client_that_left_while_the_program_opened_hears_it() {
    let place = tempfile::tempdir().unwrap();
    // Short cycles: the server lets one client go in each.
    let setup = Setup {
        block_frames: 64,
        ..Setup::default()
    };
    let jackd = Jackd::start_with("neighbours", setup);
    sine(place.path(), 48_000, 48_000);
    neutral(place.path());
    for _ in 0..2 {
        crowds_come_and_go(&jackd, place.path());
    }
}
