//! `headroom devices --latency` on a real JACK server without a sound card, with a connection of its graph as
//! the cable.

#![cfg(target_os = "linux")]

mod play_common;

use std::path::Path;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use play_common::headroom;
use play_common::jackd::Jackd;
use play_common::jackd::Setup;
use play_common::report_of;
use play_common::stderr;

const ON_JACK: &[&str] = &["devices", "--latency", "--backend", "jack", "--json"];

/// Measures on JACK, with the outputs connected to the inputs as soon as they are there.
fn measure_connected(jackd: &Jackd, place: &Path) -> Output {
    let measuring = jackd
        .env(&mut headroom(place, ON_JACK))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let [outputs, inputs] = loop {
        let ports = jackd.tool("jack_lsp", &["-p"]);
        let ours = our_ports(&ports);
        if ours.iter().all(|ports| ports.len() == 2) {
            break ours;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{ports}");
        std::thread::sleep(Duration::from_millis(20));
    };
    for (output, input) in outputs.iter().zip(&inputs) {
        jackd.tool("jack_connect", &[output, input]);
    }
    measuring.wait_with_output().unwrap()
}

/// Our outputs and our inputs, in what `jack_lsp -p` says: a port, and on the next line what it is.
fn our_ports(list: &str) -> [Vec<String>; 2] {
    let mut ports = [Vec::new(), Vec::new()];
    let lines: Vec<&str> = list.lines().collect();
    for pair in lines.windows(2) {
        if pair[0].starts_with("headroom") {
            let is_input = pair[1].contains("properties: input");
            ports[usize::from(is_input)].push(pair[0].to_owned());
        }
    }
    ports
}

#[test]
fn a_jack_cable_measures_the_one_block_that_a_loop_in_the_graph_costs() {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start("latency");
    for block_frames in [128, 512] {
        jackd.restart(Setup {
            block_frames,
            ..Setup::default()
        });
        // Another try for each in which the machine stalled: it says so itself.
        let (output, measured) = (0..8)
            .map(|_| {
                let output = measure_connected(&jackd, place.path());
                let measured = report_of(&output);
                (output, measured)
            })
            .inspect(|(_, measured)| {
                let frames = measured["latency_frames"].as_u64().unwrap();
                assert_eq!(frames % u64::from(block_frames), 0, "{measured}");
            })
            .find(|(_, measured)| measured["gaps"] == 0)
            .expect("one of eight without a gap");
        // No sound card, so nothing but the loop: what is put out in one cycle comes in in the next.
        assert_eq!(measured["latency_frames"], block_frames, "{measured}");
        let ms = f64::from(block_frames) / 48.0;
        assert!((measured["latency_ms"].as_f64().unwrap() - ms).abs() < 1e-9);
        assert_eq!(measured["block_frames"], block_frames, "{measured}");
        assert_eq!(measured["sample_rate_hz"], 48_000, "{measured}");
        assert!(measured["confidence"].as_f64().unwrap() > 0.9, "{measured}");
        assert!(
            measured["gain_db"].as_f64().unwrap().abs() < 0.01,
            "{measured}"
        );
        assert_eq!(measured["inverted"], false, "{measured}");
        let said = stderr(&output);
        assert!(
            said.contains("warning: in 2 s a noise at -20 dBFS"),
            "{said}"
        );
    }
}

#[test]
fn without_a_cable_one_line_says_that_nothing_came_back() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("no-cable");
    let output = jackd
        .env(&mut headroom(place.path(), ON_JACK))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = stderr(&output);
    let last = said.lines().last().unwrap();
    for part in ["nothing came back", "but silence", "expected a cable"] {
        assert!(last.contains(part), "no `{part}` in {said}");
    }
}

#[test]
fn what_cannot_be_measured_is_one_line_and_a_code() {
    let place = tempfile::tempdir().unwrap();
    let latency = ["devices", "--latency"];
    for (args, expected) in [
        (&["--backend", "null"][..], "has no input to listen to"),
        (&["--backend", "jack"], "no JACK server is running"),
        (&["--rate", "1"], "8000 to 384000 Hz"),
        (&["--inputs", "0"], "one or two channels"),
    ] {
        let args = [&latency[..], args].concat();
        let output = headroom(place.path(), &args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    let alone = headroom(place.path(), &["devices", "--rate", "48000"])
        .output()
        .unwrap();
    assert!(!alone.status.success());
    assert!(stderr(&alone).contains("--latency"), "{alone:?}");
}
