//! Devices that go and come back: a JACK server that is killed, stopped, or runs at other settings.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::jackd::Jackd;
use play_common::jackd::Setup;
use play_common::last_object;
use play_common::neutral;
use play_common::noise;
use play_common::play;
use play_common::playing::FROM;
use play_common::playing::INTO;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::sine;
use play_common::sine_at;
use play_common::stderr;
use play_common::told;
use play_common::wire;
use play_common::wire::Wire;
use play_common::write_s16;

/// Not a test: what the others start as the other end of the cables.
#[test]
#[ignore = "started by the other tests"]
fn wire() {
    wire::be_the_wire();
}

const SINE: &[&str] = &["--input", "sine.wav", "--loop", "--preset", "neutral.toml"];

/// Takes what the program plays, at its own pace.
fn taken(jackd: &Jackd, place: &std::path::Path, frames: usize) -> Vec<[f32; 2]> {
    let wire = Wire {
        ports: Some([wire::UNUSED, FROM]),
        frames,
        kept: frames,
        speed: 1,
    };
    wire.run(jackd, place, &[[0.0; 2]]).frames
}

/// Whether `frames` are a second of `sine` that is played again and again, from some place in it on.
fn is_the_sine(frames: &[[f32; 2]]) -> bool {
    let sine = |frame: usize| f32::from(sine_at(frame as u32 % 48_000, 48_000)) / 32_768.0;
    (0..48_000).any(|start| {
        frames
            .iter()
            .enumerate()
            .all(|(at, frame)| *frame == [sine(start + at); 2])
    })
}

#[test]
fn the_sound_is_back_within_two_seconds_of_a_server_that_was_killed() {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start("killed");
    sine(place.path(), 48_000, 48_000);
    neutral(place.path());
    let playing = Playing::start(&jackd, place.path(), SINE);
    playing.wait_for_ports(&jackd);
    assert!(is_the_sine(&taken(&jackd, place.path(), 4_800)));

    jackd.kill();
    std::thread::sleep(Duration::from_millis(600));
    jackd.restart(Setup::default());
    let back = Instant::now();
    let frames = taken(&jackd, place.path(), 4_800);
    let late = back.elapsed();
    assert!(late < Duration::from_secs(2), "{late:?}");
    assert!(is_the_sine(&frames), "{:?}", &frames[..8]);

    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(told(&output), (1, 1), "{}", stderr(&output));
    assert_eq!(report["reconnects"], 1, "{report}");
    assert!(report["away_secs"].as_f64().unwrap() > 0.6, "{report}");
    assert_real_time(&report);
    assert_eq!(report["audio_thread"]["minor_faults"], 0, "{report}");
}

/// A tone that begins with a soft second: whoever starts it over is heard doing it.
fn soft_then_loud(place: &std::path::Path) {
    let samples = (0..20 * 48_000).flat_map(|frame| {
        let sample = sine_at(frame, 48_000);
        [if frame < 48_000 { sample / 10 } else { sample }; 2]
    });
    write_s16(&place.join("sine.wav"), 48_000, samples);
}

#[test]
fn a_server_that_is_back_at_another_rate_has_the_rack_built_anew_as_it_was_and_where_it_was() {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start("rate");
    soft_then_loud(place.path());
    neutral(place.path());
    let quiet = "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = -20.0\n";
    std::fs::write(place.path().join("quiet.toml"), quiet).unwrap();
    // Quiet for the first second only: what is built anew is the rack of now, not that of the start.
    let setlist = format!("quiet.toml{}", ",neutral.toml".repeat(30));
    let args = ["--input", "sine.wav", "--setlist", &setlist, "--every", "1"];
    let playing = Playing::start(&jackd, place.path(), &args);
    playing.wait_for_ports(&jackd);
    taken(&jackd, place.path(), 48_000);
    jackd.kill();
    jackd.restart(Setup {
        rate_hz: 44_100,
        block_frames: 256,
    });
    let frames = taken(&jackd, place.path(), 44_100);
    let peak = frames
        .iter()
        .flatten()
        .fold(0.0_f32, |peak, it| peak.max(it.abs()));
    assert!((0.49..0.51).contains(&peak), "{peak}");
    let first = frames[2_000..4_000].iter().flatten();
    let first = first.fold(0.0_f32, |peak, it| peak.max(it.abs()));
    assert!(first > 0.45, "quiet or soft at first: {first}");
    // A tone of 440 Hz, still: 440 times a second from below to above.
    let rises = frames
        .windows(2)
        .filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0)
        .count();
    assert!((438..=442).contains(&rises), "{rises} Hz");

    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(told(&output), (1, 1), "{}", stderr(&output));
    assert!(stderr(&output).contains("at 44100 Hz (it was 48000)"));
    assert_eq!(report["sample_rate_hz"], 44_100, "{report}");
    assert_eq!(report["block_frames"], 256, "{report}");
    // Those of before, which were shorter, are counted too.
    let [blocks, frames] = [&report["audio_thread"]["blocks"], &report["frames"]];
    let [blocks, frames] = [blocks, frames].map(|count| count.as_u64().unwrap());
    assert!(blocks > frames / 256 + 100, "{report}");
    assert_real_time(&report);
}

#[test]
fn the_servers_blocks_change_their_length_without_a_break_or_an_allocation() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("blocks");
    neutral(place.path());
    let playing = Playing::start(&jackd, place.path(), &["--preset", "neutral.toml"]);
    let playing = playing.alone(&jackd);
    let noise = noise(48_000);
    for block_frames in ["1024", "64"] {
        jackd.tool("jack_bufsize", &[block_frames]);
        let wire = Wire {
            ports: Some([INTO, FROM]),
            frames: noise.len(),
            kept: noise.len(),
            speed: 0,
        };
        let taken = wire.run(&jackd, place.path(), &noise);
        assert_eq!(taken.offset, 0);
        assert!(taken.frames == noise, "other bits at {block_frames}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(told(&output), (0, 0), "{}", stderr(&output));
    assert!(stderr(&output).contains("blocks of 64 frames from now on"));
    assert_eq!(
        (&report["block_frames"], &report["reconnects"]),
        (&64.into(), &0.into())
    );
    assert_real_time(&report);
}

/// A run whose server was killed and stays away, and how long it took to end from then on.
fn abandoned(test: &str, args: &[&str], end: impl FnOnce(&Playing)) -> (Output, Duration) {
    let place = tempfile::tempdir().unwrap();
    let mut jackd = Jackd::start(test);
    sine(place.path(), 48_000, 48_000);
    neutral(place.path());
    let playing = Playing::start(&jackd, place.path(), &[SINE, args].concat());
    playing.wait_for_ports(&jackd);
    jackd.kill();
    let killed = Instant::now();
    end(&playing);
    (playing.wait(), killed.elapsed())
}

#[test]
fn a_run_of_so_many_seconds_ends_after_them_with_its_report_though_its_device_is_lost() {
    let (output, took) = abandoned("seconds", &["--seconds", "3"], |_| ());
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(told(&output), (1, 0), "{}", stderr(&output));
    let report = last_object(&output);
    assert!(report["away_secs"].as_f64().unwrap() > 0.5, "{report}");
    assert_eq!(report["reconnects"], 0, "{report}");
    assert_real_time(&report);
}

#[test]
fn ctrl_c_ends_the_wait_for_a_device_cleanly_and_with_the_report() {
    let (output, took) = abandoned("ctrl-c", &[], |playing| {
        std::thread::sleep(Duration::from_millis(800));
        playing.signal("INT");
    });
    assert!(took < Duration::from_secs(6), "{took:?}");
    let report = report_of(&output);
    assert_eq!(told(&output), (1, 0), "{}", stderr(&output));
    assert!(report["away_secs"].as_f64().unwrap() > 0.5, "{report}");
    assert_real_time(&report);
}

#[test]
fn a_server_that_stands_still_is_told_at_the_start_and_waited_for_while_playing() {
    let place = tempfile::tempdir().unwrap();
    let jackd = Jackd::start("still");
    neutral(place.path());
    sine(place.path(), 48_000, 48_000);
    let playing = Playing::start(&jackd, place.path(), SINE);
    playing.wait_for_ports(&jackd);
    jackd.signal("STOP");
    let start = Instant::now();
    let refused = jackd
        .env(&mut play(place.path(), &["--backend", "jack", "--fresh"]))
        .output()
        .unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("no answer within 3 s"),
        "{}",
        stderr(&refused)
    );
    jackd.signal("CONT");
    let frames = taken(&jackd, place.path(), 4_800);
    assert!(is_the_sine(&frames), "{:?}", &frames[..8]);
    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(told(&output), (1, 1), "{}", stderr(&output));
    assert!(stderr(&output).contains("no longer asks for sound"));
    assert_eq!(report["reconnects"], 1, "{report}");
    assert_real_time(&report);
}

/// Starts the program and, `delay` after its client has come to be at the server, sends the server a signal.
/// Gives how the program ended, and how long after the signal.
fn opened_on_what_goes(jackd: &Jackd, signal: &str, delay: Duration) -> (Output, Duration) {
    let place = tempfile::tempdir().unwrap();
    neutral(place.path());
    jackd.forget_client("headroom");
    let args = ["--preset", "neutral.toml", "--seconds", "2"];
    let playing = Playing::start(jackd, place.path(), &args);
    jackd.wait_for_client("headroom");
    std::thread::sleep(delay);
    jackd.signal(signal);
    let gone = Instant::now();
    (playing.wait_for(Duration::from_secs(20)), gone.elapsed())
}

#[test]
fn a_server_that_goes_or_stops_while_it_is_opened_is_told_once_and_soon() {
    let mut jackd = Jackd::start("opening");
    for (signal, delay_ms) in [
        ("KILL", 0),
        ("KILL", 3),
        ("KILL", 10),
        ("KILL", 30),
        ("STOP", 0),
        ("STOP", 10),
    ] {
        let (output, took) = opened_on_what_goes(&jackd, signal, Duration::from_millis(delay_ms));
        let case = format!(
            "{signal} after {delay_ms} ms: {took:?}, {}",
            stderr(&output)
        );
        assert_eq!(output.status.code(), Some(1), "{case}");
        let said = stderr(&output);
        let of_the_device: Vec<&str> = said.lines().filter(|it| it.contains("`jack`")).collect();
        match of_the_device[..] {
            // In the opening: this and nothing else.
            [refused] => {
                assert!(refused.contains("is not available: "), "{case}");
                assert_eq!(said.lines().count(), 1, "{case}");
                let limit_secs = if signal == "KILL" { 4 } else { 12 };
                assert!(took < Duration::from_secs(limit_secs), "{case}");
            }
            // It had just begun to play: told at once, and again as the reason of the end.
            [lost, end] if delay_ms > 0 => {
                assert_eq!(told(&output), (1, 0), "{case}");
                assert!(lost.starts_with(end), "{case}");
                assert!(took < Duration::from_secs(12), "{case}");
            }
            _ => panic!("{case}"),
        }
        // One that was stopped cannot be asked to end.
        jackd.kill();
        jackd.restart(Setup::default());
    }
}
