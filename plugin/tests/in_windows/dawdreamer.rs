//! The VST3 in DawDreamer's window. It has no CLAP.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::display::{Stage, files_and_threads, on_a_display, screens_of, wait_for, xdotool};
use crate::guest::{Ended, Guest, KILLS, KNOB, window_manager};
use crate::host::{python, vstpreset};

const RACK: &str = r#"
headroom = 1
[[module]]
kind = "gain"
[[module]]
kind = "compressor"
[module.params]
threshold_db = -30.0
[[module]]
kind = "delay"
mix = 0.4
[module.params]
time_ms = 130.0
feedback = 0.5
"#;

/// The program, with its plugin.
struct DawDreamer<'a> {
    stage: &'a Stage,
    process: Ended,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl<'a> DawDreamer<'a> {
    fn start(stage: &'a Stage) -> Self {
        let preset = stage.bundle.path().join("it.vstpreset");
        std::fs::write(&preset, vstpreset(RACK)).expect("it is written");
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/in_windows/in_dawdreamer.py");
        let process = Command::new(python())
            .arg(script)
            .arg(stage.bundle.vst3())
            .arg(preset)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = Ended(process.expect("it starts"));
        let commands = process.0.stdin.take().expect("it was piped");
        let said = process.0.stdout.take().expect("it was piped");
        let answers = lines_of(said);
        let host = Self {
            stage,
            process,
            commands,
            answers,
        };
        let parameters = host.answer();
        assert!(parameters["parameters"].as_u64() > Some(50), "{parameters}");
        host
    }

    fn pid(&self) -> u32 {
        self.process.0.id()
    }

    fn say(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("it listens");
    }

    /// The next line; others print there too.
    fn answer(&self) -> Value {
        loop {
            let line = self.answers.recv_timeout(Duration::from_secs(60));
            let line = line.expect("an answer");
            if let Ok(answer @ Value::Object(_)) = serde_json::from_str(&line) {
                return answer;
            }
        }
    }

    fn open(&mut self) -> Guest<'a> {
        self.say("open");
        Guest::wait(self.stage, self.pid())
    }

    /// Closes the window as people do.
    fn close(&mut self) {
        let window = self.window();
        self.stage.close(window);
        assert_eq!(self.answer()["closed"], true);
        wait_for("no screen", || {
            screens_of(self.pid()).is_empty().then_some(())
        });
    }

    fn window(&self) -> u32 {
        wait_for("its window", || self.stage.named("DawDreamer: Headroom"))
    }

    /// A parameter's position.
    fn value(&mut self, name: &str) -> f64 {
        self.say(&format!("value {name}"));
        self.answer()["position"].as_f64().expect("a number")
    }

    /// How loud two seconds of noise come out.
    fn render(&mut self) -> f64 {
        self.say("render");
        self.answer()["rms"].as_f64().expect("a number")
    }

    /// What it says; the editor is closed.
    fn text(&mut self, name: &str) -> String {
        self.say(&format!("text {name}"));
        self.answer()["text"].as_str().expect("a text").to_owned()
    }
}

fn lines_of(said: ChildStdout) -> Receiver<String> {
    let (lines, answers) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    answers
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs DawDreamer"]
fn dawdreamer_sees_a_drag_and_both_sides_resize() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let mut host = DawDreamer::start(stage);
        let before = (host.value("Gain Gain"), host.render());
        let guest = host.open();
        assert_eq!(screens_of(host.pid()).len(), 1);
        assert_eq!(guest.size(), (900, 600));
        guest.drag(KNOB, (0, 60));
        stage.keep_picture("dawdreamer");
        // It glides there in the first.
        host.render();
        let quieter = host.render();
        assert!(quieter < before.1 * 0.9, "{before:?}, then {quieter}");

        // The screen's corner takes the host's window along, and the host's window the screen.
        guest.pull((100, 50));
        wait_for("a larger screen", || {
            (guest.size() == (1_000, 650)).then_some(())
        });
        let window = host.window();
        wait_for("a larger window", || {
            (stage.size(window) == (1_000, 650)).then_some(())
        });
        xdotool(&["windowsize", &window.to_string(), "960", "700"]);
        wait_for("the window's size", || {
            (guest.size() == (960, 700)).then_some(())
        });
        assert_eq!(stage.size(guest.socket), (960, 700));
        host.close();
        // It looks at what an editor has done when that is closed.
        let after = (host.value("Gain Gain"), host.render());
        assert!(after.0 < before.0 - 0.01, "{before:?}, then {after:?}");
        assert_eq!(after.1, quieter, "it stays where it was put");
        let text = host.text("Gain Gain");
        let gain_db: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
        assert!(gain_db < -1.0, "{text}");
    });
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs DawDreamer"]
fn dawdreamer_renders_the_same_while_screens_die() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let mut host = DawDreamer::start(stage);
        let guest = host.open();
        host.say("play");
        assert!(
            host.answer()["rms"].as_f64() > Some(0.001),
            "there is something to hear"
        );
        let clicks = guest.kill(KILLS);
        host.say("stop");
        let report = host.answer();
        eprintln!("{KILLS} kills, {clicks} by a click: {report}");
        assert_eq!(report["others"], 0);
        assert!(report["renders"].as_u64() > Some(100), "{report}");
        assert!((1..KILLS).contains(&clicks));
        host.close();
    });
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs DawDreamer"]
fn dawdreamer_opens_and_closes_and_keeps_nothing() {
    on_a_display(|stage| {
        let _openbox = window_manager();
        let mut host = DawDreamer::start(stage);
        let mut counts = Vec::new();
        for _ in 0..12 {
            host.open();
            host.close();
            counts.push(files_and_threads(host.pid()));
        }
        eprintln!("descriptors and threads: {counts:?}");
        assert_eq!(counts[1], counts[11], "{counts:?}");
    });
}
