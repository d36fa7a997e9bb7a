//! A display, a program that plays on it, hands.

// Each test takes what it needs.
#![allow(dead_code, unreachable_pub)]

pub(crate) mod listener;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headroom_test_kit::XServer;
pub(crate) use headroom_test_kit::wait_for;
use serde_json::Value;

/// The program beside the screen's.
pub(crate) fn headroom() -> PathBuf {
    let screen = Path::new(env!("CARGO_BIN_EXE_headroom-gui"));
    let program = screen.with_file_name("headroom");
    assert!(
        program.is_file(),
        "this test needs the program: build the package `headroom` first"
    );
    program
}

pub(crate) struct Stage {
    pub(crate) display: XServer,
    pub(crate) place: tempfile::TempDir,
    /// Where programs find a session bus; none if empty.
    pub(crate) bus: Option<String>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(
            place.path().join("plain.toml"),
            "headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n",
        )
        .unwrap();
        write_noise(&place.path().join("noise.wav"), 48_000 * 3);
        Self {
            display: XServer::start("900x600"),
            place,
            bus: None,
        }
    }

    pub(crate) fn command(&self, program: &Path, args: &[&str]) -> Command {
        let place = self.place.path();
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(place)
            .env("HOME", place)
            .env("XDG_CONFIG_HOME", place.join("config"))
            .env("XDG_STATE_HOME", place.join("state"))
            .env("XDG_RUNTIME_DIR", place)
            .env("DISPLAY", self.display.name())
            .env("LP_NUM_THREADS", "1")
            .env("JACK_DEFAULT_SERVER", "headroom-test-none")
            .env("ALSA_CONFIG_PATH", "/dev/null")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("AT_SPI_BUS_ADDRESS")
            .envs(self.bus.iter().map(|bus| ("DBUS_SESSION_BUS_ADDRESS", bus)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn play(&self, args: &[&str]) -> Child {
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

    pub(crate) fn seen(&self) -> Option<Value> {
        let output = self
            .command(&headroom(), &["watch", "--json", "--count", "1"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    pub(crate) fn gain_db(&self) -> Option<f64> {
        let seen = self.seen()?;
        let values = seen["modules"][0]["values"].as_array()?.clone();
        values.iter().find(|value| value[0] == "gain_db")?[1].as_f64()
    }

    pub(crate) fn xdotool(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool")
            .args(args)
            .env("DISPLAY", self.display.name())
            .output()
            .expect("this test needs xdotool: install the package of that name");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The screen's program, with these arguments; what it says is kept.
    pub(crate) fn screen(&self, args: &[&str]) -> Child {
        self.command(Path::new(env!("CARGO_BIN_EXE_headroom-gui")), args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The windows that can be seen, by their numbers.
    pub(crate) fn windows(&self) -> Vec<String> {
        let windows = self.xdotool(&["search", "--onlyvisible", "--name", "Headroom"]);
        windows.lines().map(str::to_owned).collect()
    }

    /// Drags the first knob by `dy` points, downwards if that is above 0.
    pub(crate) fn drag_first_knob(&self, (x, y): (i32, i32), dy: i32) {
        let at = |dx: i32, dy: i32| [(x + dx).to_string(), (y + dy).to_string()];
        let [knob_x, knob_y] = at(136, 240);
        self.xdotool(&["mousemove", &knob_x, &knob_y]);
        std::thread::sleep(Duration::from_millis(200));
        self.xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            let [to_x, to_y] = at(136, 240 + dy * step / 10);
            self.xdotool(&["mousemove", &to_x, &to_y]);
            std::thread::sleep(Duration::from_millis(30));
        }
        self.xdotool(&["mouseup", "1"]);
        std::thread::sleep(Duration::from_millis(300));
    }

    /// Where the window's corner is, once there is one.
    pub(crate) fn window(&self) -> (i32, i32) {
        let found = wait_for("a window", || self.windows().into_iter().next());
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

/// Noise that is never as loud as it may be.
pub(crate) fn write_noise(path: &Path, frames: u32) {
    let mut state = 0x2545_f491_u32;
    let samples = (0..frames * 2).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 18) as i16 - 8_192
    });
    write_wave(path, samples);
}

/// A stereo 16-bit WAV file at 48 kHz.
pub(crate) fn write_wave(path: &Path, samples: impl Iterator<Item = i16>) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    samples.for_each(|sample| file.write_sample(sample).unwrap());
    file.finalize().unwrap();
}

pub(crate) fn end(mut program: Child) -> Value {
    let ended = Command::new("kill")
        .args(["-INT", &program.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    let output = wait(&mut program);
    report(&output)
}

pub(crate) fn wait(program: &mut Child) -> String {
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

pub(crate) fn report(text: &str) -> Value {
    let report: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for figure in ["allocations", "deallocations"] {
        assert_eq!(report["audio_thread"][figure], 0, "{report}");
    }
    report
}

/// Waits for the end of `screen`, whose window was taken; what it said.
pub(crate) fn last_words(mut screen: Child) -> String {
    let mut said = String::new();
    let mut errors = screen.stderr.take().unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert!(!screen.wait().unwrap().success(), "{said}");
    said
}

/// How many frames it says that it drew.
pub(crate) fn frames(said: &str) -> f64 {
    let (_, after) = said.split_once("; ").expect("the figures are said");
    let (number, _) = after.split_once(" frames").expect("the figures are said");
    number.parse().unwrap()
}
