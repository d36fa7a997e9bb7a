//! The real program between real ports: what comes out is what `headroom render` writes, to the bit and at
//! the latency that is told, and the audio thread does nothing that it should not, edits included. The server
//! runs in freewheel: no cycle can be missed, and minutes take seconds.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::jackd::Setup;
use play_common::noise;
use play_common::playing::FROM;
use play_common::playing::INTO;
use play_common::playing::Playing;
use play_common::rendered;
use play_common::report_of;
use play_common::stderr;
use play_common::wire;
use play_common::wire::Taken;
use play_common::wire::Wire;

/// Not a test: what the others start as the other end of the cables.
#[test]
#[ignore = "started by the other tests"]
fn wire() {
    wire::be_the_wire();
}

fn bits(frames: &[[f32; 2]]) -> Vec<[u32; 2]> {
    frames.iter().map(|frame| frame.map(f32::to_bits)).collect()
}

#[test]
fn what_comes_out_of_the_ports_is_what_render_writes_at_the_latency_that_is_told() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("exact");
    let noise = noise(5 * 48_000);
    for preset in ["voice", "drum-bus", "master"] {
        // The program finds the wire by its name, and the sound is there already: what is compared begins
        // with the first frame that the rack was ever given.
        let wire = Wire {
            frames: 4 * 48_000,
            kept: 4 * 48_000,
            speed: 0,
            ..Wire::default()
        };
        let wire = wire.start(&jackd, place.path(), &noise);
        let devices = [
            "--input-device",
            wire::SOURCE,
            "--output-device",
            wire::SINK,
        ];
        let args = [&["--preset", preset], &devices[..]].concat();
        let playing = Playing::start(&jackd, place.path(), &args);
        let Taken { offset, frames } = wire.end();
        let report = report_of(&playing.end());

        let trip = &report["round_trip"];
        assert_eq!(trip["bridge_frames"], 0, "{report}");
        let late = trip["rack_frames"].as_u64().unwrap() as usize;
        let heard: Vec<[f32; 2]> = (0..frames.len())
            .map(|at| noise[(offset + at) % noise.len()])
            .collect();
        let expected = rendered(place.path(), preset, &heard);
        let sound = frames.iter().flatten();
        let peak = sound.fold(0.0_f32, |peak, it| peak.max(it.abs()));
        assert!(peak > 0.1, "{preset}: peak {peak}");
        let (frames, expected) = (bits(&frames[late..]), bits(&expected));
        let pairs = frames.iter().zip(&expected);
        let same = pairs.take_while(|(ours, theirs)| ours == theirs).count();
        assert_eq!(
            same,
            frames.len(),
            "{preset}: other bits from frame {same} on"
        );
        assert_real_time(&report);
    }
}

#[test]
fn a_minute_in_freewheel_neither_allocates_nor_frees_nor_faults_nor_calls_the_system() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("minute");
    let trap: &[&str] = if cfg!(target_arch = "x86_64") {
        &["--trap"]
    } else {
        &[]
    };
    let args = [&["--preset", "voice"], trap].concat();
    let playing = Playing::start(&jackd, place.path(), &args).alone(&jackd);
    let wire = Wire {
        ports: Some([INTO, FROM]),
        frames: 60 * 48_000,
        ..Wire::default()
    };
    wire.run(&jackd, place.path(), &noise(48_000));
    let output = playing.end();
    let report = report_of(&output);
    assert!(report["frames"].as_u64().unwrap() > 60 * 48_000, "{report}");
    assert_real_time(&report);
    let thread = &report["audio_thread"];
    assert_eq!(thread["minor_faults"], 0, "{report}");
    if !trap.is_empty() {
        assert_eq!(thread["system_calls"], 0, "{report}\n{}", stderr(&output));
    }
}

/// What the program has in memory, in bytes.
fn resident_bytes(program: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{program}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_preset_every_100_ms_for_ten_minutes_leaves_memory_flat_and_the_audio_thread_silent() {
    const MINUTES: usize = 10;
    let place = tempfile::tempdir().unwrap();
    let setup = Setup {
        block_frames: 1024,
        ..Setup::default()
    };
    let jackd = Jackd::start_with("presets", setup);
    let args = ["--setlist", "voice,drum-bus,master", "--every", "0.1"];
    let playing = Playing::start(&jackd, place.path(), &args).alone(&jackd);
    // Twenty times as fast as life: a preset every 5 ms.
    let wire = |minutes: usize| Wire {
        ports: Some([INTO, FROM]),
        frames: minutes * 60 * 48_000,
        speed: 20,
        ..Wire::default()
    };
    let noise = noise(48_000);
    wire(1).run(&jackd, place.path(), &noise);
    let before = resident_bytes(playing.id());
    wire(MINUTES - 1).run(&jackd, place.path(), &noise);
    let after = resident_bytes(playing.id());
    let report = report_of(&playing.end());

    let grown = after.saturating_sub(before);
    assert!(grown < 4 << 20, "{before} bytes before, {after} after");
    let seconds = report["seconds"].as_f64().unwrap();
    assert!(seconds >= MINUTES as f64 * 60.0, "{report}");
    // Late ones are left out, not made up for: at this speed one in fifty, on two cores with work for five.
    let changes = report["preset_changes"].as_f64().unwrap();
    assert!(changes > seconds * 10.0 * 0.85, "{report}");
    assert_real_time(&report);
    assert_eq!(report["audio_thread"]["minor_faults"], 0, "{report}");
}
