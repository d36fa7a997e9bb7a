//! The real program with its real screen in a real window: what is dragged there is heard, and however often
//! the screen dies or stops, the sound stays what it is, to the bit.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Screens that are killed or stopped while it plays.
const DEATHS: usize = 20;

/// The program beside the screen's.
fn headroom() -> PathBuf {
    let screen = Path::new(env!("CARGO_BIN_EXE_headroom-gui"));
    let program = screen.with_file_name("headroom");
    assert!(
        program.is_file(),
        "this test needs the program: build the package `headroom` first"
    );
    program
}

/// An X server without a screen.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "900x600x24",
                "+extension",
                "GLX",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Xvfb: install the package `xvfb`");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        Self {
            server,
            name: format!(":{}", number.trim()),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ended = self.server.kill();
        let _reaped = self.server.wait();
    }
}

struct Stage {
    display: Display,
    place: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(
            place.path().join("plain.toml"),
            "headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n",
        )
        .unwrap();
        write_noise(&place.path().join("noise.wav"), 48_000 * 3);
        Self {
            display: Display::start(),
            place,
        }
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let place = self.place.path();
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(place)
            .env("HOME", place)
            .env("XDG_CONFIG_HOME", place.join("config"))
            .env("XDG_STATE_HOME", place.join("state"))
            .env("XDG_RUNTIME_DIR", place)
            .env("DISPLAY", &self.display.name)
            .env("LP_NUM_THREADS", "1")
            .env("JACK_DEFAULT_SERVER", "headroom-test-none")
            .env("ALSA_CONFIG_PATH", "/dev/null")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null());
        command
    }

    fn play(&self, args: &[&str]) -> Child {
        let own = [
            "play",
            "--backend",
            "null",
            "--block",
            "128",
            "--fresh",
            "--json",
            "--input",
            "noise.wav",
            "--preset",
        ];
        self.command(&headroom(), &[&own, args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn seen(&self) -> Option<Value> {
        let output = self
            .command(&headroom(), &["watch", "--json", "--count", "1"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    fn gain_db(&self) -> Option<f64> {
        let seen = self.seen()?;
        let values = seen["modules"][0]["values"].as_array()?.clone();
        values.iter().find(|value| value[0] == "gain_db")?[1].as_f64()
    }

    fn xdotool(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool")
            .args(args)
            .env("DISPLAY", &self.display.name)
            .output()
            .expect("this test needs xdotool: install the package of that name");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Where the window's corner is, once there is one.
    fn window(&self) -> (i32, i32) {
        let found = wait_for("a window", || {
            let windows = self.xdotool(&["search", "--onlyvisible", "--name", "Headroom"]);
            windows.lines().next().map(str::to_owned)
        });
        // What it shows first is not yet the rack.
        std::thread::sleep(Duration::from_millis(1_500));
        let place = self.xdotool(&["getwindowgeometry", "--shell", &found]);
        let number = |name: &str| {
            let line = place.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        (number("X="), number("Y="))
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what}: waited for in vain"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn write_noise(path: &Path, frames: u32) {
    let mut bytes = Vec::new();
    let data_bytes = frames * 4;
    bytes.extend(b"RIFF");
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend([1, 0, 2, 0]);
    bytes.extend(48_000_u32.to_le_bytes());
    bytes.extend(192_000_u32.to_le_bytes());
    bytes.extend([4, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    let mut state = 0x2545_f491_u32;
    for _ in 0..frames * 2 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.extend(((state >> 18) as i16 - 8_192).to_le_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

fn end(mut program: Child) -> Value {
    let ended = Command::new("kill")
        .args(["-INT", &program.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    let output = wait(&mut program);
    report(&output)
}

fn wait(program: &mut Child) -> String {
    use std::io::Read;
    let mut text = String::new();
    program
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let status = program.wait().unwrap();
    let mut said = String::new();
    program
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(status.success(), "{status}: {said}");
    text
}

fn report(text: &str) -> Value {
    let report: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for figure in ["allocations", "deallocations"] {
        assert_eq!(report["audio_thread"][figure], 0, "{report}");
    }
    report
}

#[test]
fn what_is_dragged_on_the_screen_is_heard() {
    let stage = Stage::new();
    let program = stage.play(&["plain.toml", "--loop"]);
    let (x, y) = stage.window();
    let before = wait_for("the gain", || stage.gain_db());
    assert_eq!(before, 0.0);
    let at = |dx: i32, dy: i32| [(x + dx).to_string(), (y + dy).to_string()];
    // The first knob of the only module, upwards or downwards by hand.
    let moved = |dy: i32| {
        let [knob_x, knob_y] = at(136, 240);
        stage.xdotool(&["mousemove", &knob_x, &knob_y]);
        std::thread::sleep(Duration::from_millis(200));
        stage.xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            let [to_x, to_y] = at(136, 240 + dy * step / 10);
            stage.xdotool(&["mousemove", &to_x, &to_y]);
            std::thread::sleep(Duration::from_millis(30));
        }
        stage.xdotool(&["mouseup", "1"]);
        std::thread::sleep(Duration::from_millis(300));
    };
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
    let mut program = stage.play(&[
        "drum-bus",
        "--loop",
        "--seconds",
        "25",
        "--record",
        "heard.wav",
    ]);
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
    let mut stopped = Vec::new();
    let socket = std::fs::read_dir(stage.place.path().join("headroom"))
        .unwrap()
        .flatten()
        .next()
        .unwrap()
        .path();
    for round in 3..DEATHS {
        let mut screen = stage
            .command(
                Path::new(env!("CARGO_BIN_EXE_headroom-gui")),
                &["--attach", &socket.display().to_string()],
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(100 + (round as u64 * 137) % 500));
        if round % 3 == 0 && stopped.len() < 4 {
            kill("-STOP", screen.id());
            stopped.push(screen);
        } else {
            screen.kill().unwrap();
            screen.wait().unwrap();
        }
    }
    let report = report(&wait(&mut program));
    for mut screen in stopped {
        screen.kill().unwrap();
        screen.wait().unwrap();
    }
    let frames = report["frames"].as_u64().unwrap() as usize;
    assert!(frames >= 24 * 48_000, "{report}");

    // What it was given, end to end, and what `render` makes of that.
    let input = std::fs::read(stage.place.path().join("noise.wav")).unwrap();
    let mut looped = Vec::new();
    while looped.len() < frames * 4 {
        looped.extend_from_slice(&input[44..]);
    }
    looped.truncate(frames * 4);
    let mut wave = input[..44].to_vec();
    wave[4..8].copy_from_slice(&(36 + looped.len() as u32).to_le_bytes());
    wave[40..44].copy_from_slice(&(looped.len() as u32).to_le_bytes());
    wave.extend(looped);
    std::fs::write(stage.place.path().join("looped.wav"), wave).unwrap();
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
