//! PipeWire that is killed, or runs at other settings, while the program plays by its doors: JACK's,
//! PulseAudio's and, where that is built in, its own. What is played is heard through JACK's door.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::last_object;
use play_common::neutral;
use play_common::pipewire::PipeWire;
use play_common::playing::FROM;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::sine;
use play_common::stderr;
use play_common::told;
use play_common::wire;
use play_common::wire::Wire;

/// Not a test: what the others start as the other end of the cables.
#[test]
#[ignore = "started by the other tests"]
fn wire() {
    wire::be_the_wire();
}

const SINE: &[&str] = &["--input", "sine.wav", "--loop", "--preset", "neutral.toml"];
/// What the sink plays.
const SINK: [&str; 2] = ["headroom-sink:monitor_FL", "headroom-sink:monitor_FR"];
/// What is heard of the sound at a time: a tenth of a second.
const HEARD_FRAMES: usize = 4_800;
/// How soon sound is to be back.
const SOON: Duration = Duration::from_secs(2);

fn stage() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 48_000);
    neutral(place.path());
    place
}

/// What comes out of `ports`, from the first sound on.
fn taken(pipewire: &PipeWire, place: &Path, ports: [&str; 2], frames: usize) -> Vec<[f32; 2]> {
    let wire = Wire {
        ports: Some([wire::UNUSED, ports]),
        frames,
        kept: frames,
        speed: 1,
    };
    let door = pipewire.jack_door();
    wire.run(&door, place, &[[0.0; 2]]).frames
}

/// Whether `frames` are the tone of 440 Hz at half of full scale, in some phase, at a rate. A resampler may
/// have been at work: -60 dB beside it are forgiven, a click is not.
fn is_the_tone(frames: &[[f32; 2]], rate_hz: f64) -> bool {
    let step = 440.0 * std::f64::consts::TAU / rate_hz;
    let along = |wave: fn(f64) -> f64| {
        let sum = frames.iter().enumerate();
        let sum = sum.map(|(at, frame)| f64::from(frame[0]) * wave(step * at as f64));
        sum.sum::<f64>() * 2.0 / frames.len() as f64
    };
    let (sine, cosine) = (along(f64::sin), along(f64::cos));
    let level = sine.hypot(cosine);
    let expected = |at: usize| {
        let phase = step * at as f64;
        sine * phase.sin() + cosine * phase.cos()
    };
    (level - 0.5).abs() < 0.005
        && frames.iter().enumerate().all(|(at, frame)| {
            let beside = frame.map(|sample| (f64::from(sample) - expected(at)).abs());
            beside.iter().all(|beside| *beside < 0.005)
        })
}

/// Asserts that the tone is heard, soon. A machine that stalls leaves a gap now and then: one tenth of a second
/// of three must be whole, and every one must be sound.
fn assert_tone_soon(pipewire: &PipeWire, place: &Path, ports: [&str; 2], rate_hz: f64) {
    let start = Instant::now();
    for round in 0..3 {
        let frames = taken(pipewire, place, ports, HEARD_FRAMES);
        if round == 0 {
            assert!(start.elapsed() < SOON, "heard after {:?}", start.elapsed());
        }
        let peak = frames
            .iter()
            .flatten()
            .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.45..0.51).contains(&peak), "noise: {peak}");
        if is_the_tone(&frames, rate_hz) {
            return;
        }
    }
    panic!("not the tone, three times");
}

/// Whether a thread of the program is scheduled first in, first out: proc(5), field 41.
fn is_realtime(program: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{program}/task")).unwrap();
    tasks.flatten().any(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_ascii_whitespace().nth(41 - 3) == Some("1")
    })
}

/// Whether this machine allows it.
fn may_be_realtime() -> bool {
    let asked = Command::new("chrt").args(["-f", "55", "true"]).status();
    asked.is_ok_and(|status| status.success())
}

fn assert_told(output: &Output, lost_and_back: (usize, usize)) {
    assert_eq!(told(output), lost_and_back, "{}", stderr(output));
    assert_real_time(&last_object(output));
}

#[test]
fn by_the_jack_door_the_servers_blocks_and_rate_are_followed_and_its_death_is_waited_out() {
    let place = stage();
    let mut pipewire = PipeWire::start();
    let playing = Playing::start(&pipewire.jack_door(), place.path(), SINE);
    let _connected = taken(&pipewire, place.path(), FROM, HEARD_FRAMES);
    assert_tone_soon(&pipewire, place.path(), FROM, 48_000.0);

    pipewire.set("clock.force-quantum", "256");
    assert_tone_soon(&pipewire, place.path(), FROM, 48_000.0);
    pipewire.set("clock.force-rate", "44100");
    assert_tone_soon(&pipewire, place.path(), FROM, 44_100.0);

    // It comes back with the settings of its start.
    pipewire.kill_server();
    std::thread::sleep(Duration::from_millis(600));
    pipewire.start_server();
    assert_tone_soon(&pipewire, place.path(), FROM, 48_000.0);

    let output = playing.end();
    let report = report_of(&output);
    // The change of the rate is over at once: nothing is said of a loss.
    assert_told(&output, (1, 2));
    for said in [
        "blocks of 256 frames from now on",
        "at 44100 Hz (it was 48000)",
        "the device or its server went away after",
        "at 48000 Hz (it was 44100)",
    ] {
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    assert_eq!(report["reconnects"], 2, "{report}");
    assert!(report["away_secs"].as_f64().unwrap() > 0.6, "{report}");
}

#[test]
fn by_the_pulseaudio_door_other_settings_are_not_noticed_and_the_death_of_either_server_is_waited_out()
 {
    let place = stage();
    let mut pipewire = PipeWire::start_with_sink();
    let args = [&["--backend", "pulseaudio"], SINE].concat();
    let playing = Playing::spawn(place.path(), &args, |command| pipewire.env(command));
    let _connected = taken(&pipewire, place.path(), SINK, HEARD_FRAMES);
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);
    pipewire.set("clock.force-quantum", "512");
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);
    pipewire.set("clock.force-rate", "44100");
    assert_tone_soon(&pipewire, place.path(), SINK, 44_100.0);
    pipewire.set("clock.force-rate", "48000");
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);

    pipewire.kill_pulse();
    std::thread::sleep(Duration::from_millis(600));
    pipewire.start_pulse();
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);

    pipewire.kill_server();
    std::thread::sleep(Duration::from_millis(600));
    pipewire.start_server();
    pipewire.start_sink();
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);

    assert_eq!(is_realtime(playing.id()), may_be_realtime());
    let output = playing.end();
    let report = report_of(&output);
    assert_told(&output, (2, 2));
    let said = stderr(&output);
    assert_eq!(said.matches("its server went away").count(), 2, "{said}");
    assert_eq!(report["reconnects"], 2, "{report}");
    assert_eq!(report["sample_rate_hz"], 48_000, "{report}");
}

#[test]
fn live_input_by_the_pulseaudio_door_comes_back_with_its_server() {
    let place = stage();
    let mut pipewire = PipeWire::start_with_sink();
    // One program plays the tone into the sink, another listens to the sink, muted.
    let tone = [&["--backend", "pulseaudio"], SINE].concat();
    let tone = Playing::spawn(place.path(), &tone, |command| pipewire.env(command));
    let args = [
        "--backend",
        "pulseaudio",
        "--preset",
        "neutral.toml",
        "--record",
        "out.wav",
        "--record-dry",
        "heard.wav",
        "--record-format",
        "s16",
    ];
    let listening = Playing::spawn(place.path(), &args, |command| pipewire.env(command));
    std::thread::sleep(Duration::from_millis(1_500));
    pipewire.kill_pulse();
    std::thread::sleep(Duration::from_millis(300));
    pipewire.start_pulse();
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);
    std::thread::sleep(SOON);
    let output = listening.end();
    tone.end();
    assert_told(&output, (1, 1));
    let bytes = std::fs::read(place.path().join("heard.wav")).unwrap();
    let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 8;
    // The last half second, in parts of 10 ms.
    let last = &bytes[data.max(bytes.len() - 24_000 * 4)..];
    let loud = last.chunks_exact(1_920).filter(|part| {
        let mut samples = part.chunks_exact(2);
        samples.any(|two| i16::from_le_bytes([two[0], two[1]]) > 15_000)
    });
    let loud = loud.count();
    assert!(loud >= 40, "{loud} of 50 parts were heard");
}

#[cfg(feature = "pipewire")]
#[test]
fn by_its_own_door_the_servers_blocks_and_rate_are_followed_and_its_death_is_waited_out() {
    let place = stage();
    let mut pipewire = PipeWire::start_with_sink();
    let args = [&["--backend", "pipewire"], SINE].concat();
    let playing = Playing::spawn(place.path(), &args, |command| pipewire.env(command));
    let _connected = taken(&pipewire, place.path(), SINK, HEARD_FRAMES);
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);
    pipewire.set("clock.force-quantum", "512");
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);
    pipewire.set("clock.force-rate", "44100");
    assert_tone_soon(&pipewire, place.path(), SINK, 44_100.0);

    pipewire.kill_server();
    std::thread::sleep(Duration::from_millis(600));
    pipewire.start_server();
    pipewire.start_sink();
    assert_tone_soon(&pipewire, place.path(), SINK, 48_000.0);

    let output = playing.end();
    let report = report_of(&output);
    assert_eq!(told(&output).0, 1, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("its server went away"),
        "{}",
        stderr(&output)
    );
    assert_real_time(&report);
}
