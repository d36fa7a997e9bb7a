//! The real program with its real screen in a real window: what is dragged there is heard, and however often
//! the screen dies or stops, the sound stays what it is, to the bit.

#![cfg(target_os = "linux")]

mod common;

use common::{Stage, end, headroom, wait_for, write_wave};
use serde_json::Value;
use std::process::{Child, Command};
use std::time::Duration;

/// Screens that are killed or stopped while it plays, unless `HEADROOM_SCREEN_DEATHS` says another number.
const DEATHS: usize = 20;

#[test]
fn what_is_dragged_on_the_screen_is_heard() {
    let stage = Stage::new();
    let program = stage.play(&["plain.toml", "--loop"]);
    let (x, y) = stage.window();
    let before = wait_for("the gain", || stage.gain_db());
    assert_eq!(before, 0.0);
    // The first knob of the only module.
    let moved = |dy: i32| stage.drag_first_knob((x, y), dy);
    moved(60);
    let quieter = wait_for("a drag down", || {
        stage.gain_db().filter(|gain| *gain < -1.0)
    });
    std::thread::sleep(Duration::from_millis(300));
    let heard = |seen: &Value| seen["master"]["rms_dbfs"][0].as_f64();
    let soft = wait_for("sound", || heard(&stage.seen()?));
    moved(-60);
    let louder = wait_for("a drag up", || {
        stage.gain_db().filter(|gain| *gain > quieter + 1.0)
    });
    std::thread::sleep(Duration::from_millis(300));
    let loud = wait_for("sound", || heard(&stage.seen()?));
    let difference = loud - soft - (louder - quieter);
    assert!(
        difference.abs() < 0.5,
        "{quieter} dB sounds at {soft}, {louder} dB at {loud}"
    );
    // One drag is one step back.
    let undone = stage.command(&headroom(), &["undo"]).output().unwrap();
    assert!(undone.status.success());
    let after = wait_for("the gain", || stage.gain_db());
    assert!((after - quieter).abs() < 1e-3, "{after} {quieter}");
    end(program);
}

#[test]
fn however_often_the_screen_dies_the_sound_is_the_same_to_the_bit() {
    let stage = Stage::new();
    let deaths = std::env::var("HEADROOM_SCREEN_DEATHS").ok();
    let deaths = deaths.map_or(DEATHS, |number| number.parse().expect("a number"));
    let program = stage.play(&["drum-bus", "--loop", "--record", "heard.wav"]);
    // Its own screen, three times: it is started anew each time.
    let pid = program.id();
    let own = || {
        let output = Command::new("pgrep")
            .args(["-P", &pid.to_string(), "-x", "headroom-gui"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse::<u32>()
            .ok()
    };
    let kill = |signal: &str, pid: u32| {
        Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .unwrap();
    };
    let mut last = 0;
    for _ in 0..3 {
        let screen = wait_for("the screen", || own().filter(|screen| *screen != last));
        std::thread::sleep(Duration::from_millis(400));
        kill("-KILL", screen);
        last = screen;
    }
    // And others, that die or stop at any moment.
    let mut stopped = std::collections::VecDeque::new();
    let socket = std::fs::read_dir(stage.place.path().join("headroom"))
        .unwrap()
        .flatten()
        .next()
        .unwrap()
        .path();
    let reap = |mut screen: Child| {
        screen.kill().unwrap();
        screen.wait().unwrap();
    };
    for round in 3..deaths {
        let screen = stage.screen(&["--attach", &socket.display().to_string()]);
        std::thread::sleep(Duration::from_millis(100 + (round as u64 * 137) % 500));
        if round % 3 == 0 {
            kill("-STOP", screen.id());
            stopped.push_back(screen);
            if stopped.len() > 4 {
                stopped.pop_front().map(reap);
            }
        } else {
            reap(screen);
        }
    }
    let report = end(program);
    stopped.into_iter().for_each(reap);
    let frames = report["frames"].as_u64().unwrap() as usize;
    assert!(frames >= deaths * 48_000 / 10, "{report}");

    // What it was given, end to end, and what `render` makes of that.
    let noise = hound::WavReader::open(stage.place.path().join("noise.wav")).unwrap();
    let noise: Vec<i16> = noise.into_samples().map(Result::unwrap).collect();
    let looped = noise.into_iter().cycle().take(frames * 2);
    write_wave(&stage.place.path().join("looped.wav"), looped);
    let args = [
        "render",
        "looped.wav",
        "expected.wav",
        "--preset",
        "drum-bus",
        "--tail",
        "0.1",
    ];
    let rendered = stage.command(&headroom(), &args).output().unwrap();
    assert!(
        rendered.status.success(),
        "{}",
        String::from_utf8_lossy(&rendered.stderr)
    );
    let sound = |name: &str| {
        let bytes = std::fs::read(stage.place.path().join(name)).unwrap();
        let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 8;
        bytes[data..].to_vec()
    };
    let (heard, expected) = (sound("heard.wav"), sound("expected.wav"));
    // The last 30 ms fade out.
    let compared = (frames - 48_000 / 20) * 8;
    let same = heard
        .iter()
        .zip(&expected)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    assert!(
        same >= compared,
        "other bits from frame {} of {frames} on",
        same / 8
    );
}
