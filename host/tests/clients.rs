//! Everything that a screen does, from another terminal: the commands that reach a running program.

#![cfg(unix)]

mod play_common;

use std::path::Path;
use std::process::Output;
use std::time::Duration;
use std::time::Instant;

use play_common::headroom;
use play_common::neutral;
use play_common::playing::Playing;
use play_common::report_of;
use play_common::sine;
use play_common::stderr;
use serde_json::Value;

/// The program on a clock without sound, and where it plays.
struct Stage {
    place: tempfile::TempDir,
    playing: Option<Playing>,
}

impl Stage {
    fn with(preset: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let input = sine(place.path(), 48_000, 48_000);
        neutral(place.path());
        let input = input.display().to_string();
        let playing = Self::start(place.path(), &["--preset", preset, "--input", &input]);
        let stage = Self {
            place,
            playing: Some(playing),
        };
        stage.wait();
        stage
    }

    fn start(place: &Path, args: &[&str]) -> Playing {
        let own = ["--backend", "null", "--loop", "--block", "128"];
        Playing::spawn(place, &[&own, args].concat(), |command| command)
    }

    fn wait(&self) {
        let start = Instant::now();
        while !self.ask(&["health"]).status.success() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "it does not play"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, args: &[&str]) -> Output {
        headroom(self.place.path(), args).output().unwrap()
    }

    /// What it says when it does it.
    fn done(&self, args: &[&str]) -> String {
        let output = self.ask(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What it says when it does not.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.ask(args);
        assert!(!output.status.success(), "{args:?}");
        let said = stderr(&output);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("panicked"), "{said}");
        said
    }

    fn seen(&self) -> Value {
        let line = self.done(&["watch", "--json", "--count", "1"]);
        serde_json::from_str(&line).unwrap()
    }

    fn modules(&self) -> Vec<String> {
        let seen = self.seen();
        let modules = seen["modules"].as_array().unwrap().iter();
        modules
            .map(|module| module["id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn value(&self, module: &str, param: &str) -> (f64, String) {
        let seen = self.seen();
        let mut modules = seen["modules"].as_array().unwrap().iter();
        let module = modules.rfind(|it| it["id"] == module).unwrap();
        let mut values = module["values"].as_array().unwrap().iter();
        let value = values.rfind(|it| it[0] == param).unwrap();
        (
            value[1].as_f64().unwrap(),
            value[2].as_str().unwrap().to_owned(),
        )
    }

    fn end(mut self) -> Value {
        let report = report_of(&self.playing.take().unwrap().end());
        assert_eq!(report["audio_thread"]["allocations"], 0, "{report}");
        assert_eq!(report["audio_thread"]["deallocations"], 0, "{report}");
        report
    }
}

#[test]
fn a_parameter_is_set_as_people_write_it_and_what_is_wrong_is_said() {
    let stage = Stage::with("drum-bus");
    let modules = stage.modules();
    let module = modules
        .iter()
        .find(|id| {
            stage
                .seen()
                .to_string()
                .contains(&format!("\"{id}\",\"kind\":\"eq\""))
        })
        .cloned()
        .unwrap_or_else(|| panic!("no eq: {modules:?}"));
    let gain = format!("{module}.band4_gain_db");
    assert_eq!(
        stage.done(&["set", &gain, "-3.5 dB"]),
        format!("{gain} -3.50 dB")
    );
    assert_eq!(
        stage.value(&module, "band4_gain_db"),
        (-3.5, "-3.50 dB".to_owned())
    );
    let frequency = format!("{module}.band4_freq_hz");
    stage.done(&["set", &frequency, "1.5k"]);
    assert_eq!(stage.value(&module, "band4_freq_hz").1, "1.50 kHz");
    stage.done(&["set", &format!("{module}.band4_type"), "notch"]);
    assert_eq!(stage.value(&module, "band4_type").1, "notch");
    stage.done(&["bypass", &module]);
    assert_eq!(stage.value(&module, "bypass").0, 1.0);
    stage.done(&["bypass", &module, "off"]);
    stage.done(&["set", &format!("{module}.mix"), "50 %"]);
    assert_eq!(stage.value(&module, "mix").0, 0.5);

    // Four steps back, in their order.
    for _ in 0..3 {
        stage.done(&["undo"]);
    }
    assert_eq!(stage.value(&module, "mix").0, 1.0);
    assert_eq!(stage.value(&module, "band4_type").1, "notch");
    assert!(stage.done(&["undo"]).contains("band4_type"));
    assert!(stage.done(&["redo"]).contains("band4_type"));

    for (args, expected) in [
        (&["set", &gain, "100"][..], "expected -24 to 24 dB"),
        (&["set", &gain, "loud"], "expected -24 to 24 dB"),
        (&["set", &gain, "3 Hz"], "expected -24 to 24 dB"),
        (&["set", "nobody.gain_db", "1"], "expected one of"),
        (
            &["set", &format!("{module}.nothing"), "1"],
            "has no parameter `nothing`: expected one of band1_on",
        ),
        (&["set", "gain", "1"], "expected module.parameter"),
        (
            &["set", &format!("{module}.bypass"), "maybe"],
            "expected on or off",
        ),
        (&["remove", "nobody"], "there is no module `nobody`"),
        (&["insert", "reverb"], "expected one of gain, filter, eq"),
        (
            &["preset", "nothing"],
            "expected a file, or one of voice, drum-bus, master",
        ),
        (
            &["preset", "../../etc/passwd"],
            "expected a preset's name, not a path",
        ),
        (&["save", "voice"], "is built in"),
        (&["learn", &gain], "MIDI is off"),
        (&["device", "--backend", "gramophone"], "expected one of"),
        (&["device", "--rate", "1"], "expected 8000 to 384000"),
        (
            &["--pid", "1", "undo"],
            "no program of yours with the process number 1",
        ),
    ] {
        let said = stage.refused(args);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    stage.end();
}

#[test]
fn the_racks_order_is_edited_and_undone_and_a_copy_is_saved_and_loaded() {
    let stage = Stage::with("master");
    let before = stage.modules();
    assert_eq!(stage.done(&["insert", "delay", "1"]), "inserted delay");
    assert_eq!(stage.done(&["insert", "delay"]), "inserted delay2");
    let with_both: Vec<String> =
        [&["delay".to_owned()], &before[..], &["delay2".to_owned()]].concat();
    assert_eq!(stage.modules(), with_both);
    stage.done(&["move", "delay2", "1"]);
    assert_eq!(stage.modules()[..2], ["delay2", "delay"]);
    stage.done(&["remove", "delay"]);
    assert_eq!(stage.modules()[1..], before[..]);
    stage.done(&["set", "delay2.time_ms", "123"]);
    let said = stage.done(&["save", "Echo master"]);
    assert!(said.contains("Echo master.toml"), "{said}");
    stage.done(&["preset", "drum-bus"]);
    assert!(!stage.modules().contains(&"delay2".to_owned()));
    stage.done(&["preset", "Echo master"]);
    assert_eq!(stage.modules()[1..], before[..]);
    assert_eq!(stage.value("delay2", "time_ms").0, 123.0);
    stage.done(&["undo"]);
    stage.done(&["undo"]);
    assert_eq!(stage.modules()[1..], before[..]);
    for _ in 0..5 {
        stage.done(&["undo"]);
    }
    assert_eq!(stage.modules(), before);
    assert!(stage.refused(&["undo"]).contains("nothing to undo"));
    for _ in 0..4 {
        stage.done(&["redo"]);
    }
    assert_eq!(stage.modules()[1..], before[..]);

    // Two racks side by side.
    stage.done(&["compare", "b"]);
    stage.done(&["remove", "delay2"]);
    assert_eq!(stage.modules(), before);
    stage.done(&["compare", "a"]);
    assert_eq!(stage.modules()[1..], before[..]);
    stage.done(&["compare", "b"]);
    assert_eq!(stage.modules(), before);
    stage.end();
}

fn peak_dbfs(seen: &Value) -> f64 {
    seen["master"]["peak_dbfs"][0]
        .as_f64()
        .unwrap_or(f64::NEG_INFINITY)
}

#[test]
fn mute_panic_and_delta_are_heard_by_who_watches() {
    let stage = Stage::with("neutral.toml");
    let loud = |stage: &Stage| {
        std::thread::sleep(Duration::from_millis(150));
        peak_dbfs(&stage.seen())
    };
    assert!((loud(&stage) + 6.0).abs() < 0.1);
    for (on, off) in [
        (["mute", "on"], ["mute", "off"]),
        (["panic", "on"], ["panic", "off"]),
        (["delta", "gain"], ["delta", "gain"]),
    ] {
        stage.done(&on);
        let quiet = loud(&stage);
        assert!(quiet < -100.0, "{on:?}: {quiet}");
        if on[0] == "delta" {
            stage.done(&["delta", "gain", "off"]);
        } else {
            stage.done(&off);
        }
        let back = loud(&stage);
        assert!((back + 6.0).abs() < 0.1, "{off:?}: {back}");
    }
    // A gain of -6 dB takes half away, and that half is what is heard of it.
    stage.done(&["set", "gain.gain_db", "-6.0206"]);
    stage.done(&["delta", "gain"]);
    assert!((loud(&stage) + 12.04).abs() < 0.1);
    stage.end();
}

#[test]
fn several_clients_see_the_same_and_each_learns_when_the_program_ends_or_is_killed() {
    let stage = Stage::with("voice");
    // Into files: nobody empties a pipe meanwhile.
    let seen = |number: usize| stage.place.path().join(format!("seen-{number}.json"));
    let watchers: Vec<_> = (0..3)
        .map(|number| {
            let mut watch = headroom(stage.place.path(), &["watch", "--json", "--every", "20"]);
            watch
                .stdout(std::fs::File::create(seen(number)).unwrap())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    stage.done(&["insert", "gain"]);
    std::thread::sleep(Duration::from_millis(300));
    stage.playing.as_ref().unwrap().signal("KILL");
    let killed = Instant::now();
    for (number, watcher) in watchers.into_iter().enumerate() {
        let output = watcher.wait_with_output().unwrap();
        assert!(
            killed.elapsed() < Duration::from_secs(5),
            "it is not noticed"
        );
        assert!(
            stderr(&output).contains("the program has ended"),
            "{}",
            stderr(&output)
        );
        let text = std::fs::read_to_string(seen(number)).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let modules = last["modules"].as_array().unwrap();
        assert_eq!(modules.last().unwrap()["id"], "gain");
        assert!(text.lines().count() > 10, "{}", text.lines().count());
        let heard = |line: &str| !serde_json::from_str::<Value>(line).unwrap()["master"].is_null();
        assert!(text.lines().filter(|line| heard(line)).count() > 5);
    }
    assert!(
        stage
            .refused(&["undo"])
            .contains("no program of yours is running")
    );
    let mut stage = stage;
    let _killed = stage.playing.take().unwrap().wait();
    // The next one sweeps what is left, and is found.
    stage.playing = Some(Stage::start(stage.place.path(), &["--input", "sine.wav"]));
    stage.wait();
    let sockets = || {
        let folder = std::fs::read_dir(stage.place.path().join("headroom")).unwrap();
        folder.count()
    };
    assert_eq!(sockets(), 1);
    assert!(!stage.modules().is_empty());
    let place = stage.place.path().join("headroom");
    let place = (place, stage.end()).0;
    // The folder of the test is gone with it.
    assert!(!place.exists());
}

#[test]
fn health_and_memory_of_the_running_program_are_printed() {
    let stage = Stage::with("voice");
    let health: Value = serde_json::from_str(&stage.done(&["health", "--json"])).unwrap();
    assert!(health["blocks"].as_u64().unwrap() > 0);
    assert_eq!(health["allocations"], 0);
    let counted: u64 = health["histogram"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket[1].as_u64().unwrap())
        .sum();
    let blocks = health["blocks"].as_u64().unwrap();
    assert!(counted.abs_diff(blocks) < 50, "{counted} of {blocks}");
    // The stack is looked at once a second.
    let start = Instant::now();
    let text = loop {
        let text = stage.done(&["health"]);
        if text.contains("stack") || start.elapsed() > Duration::from_secs(5) {
            break text;
        }
    };
    for word in [
        "allocations",
        "page faults",
        "stack",
        "commands",
        "given back",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let memory: Value =
        serde_json::from_str(&stage.done(&["memory", "--running", "--json"])).unwrap();
    let parts = memory["parts"].as_array().unwrap();
    for (owner, sort) in [
        ("engine", "ring"),
        ("screen", "segment"),
        ("rack", "table"),
        ("tone", "region"),
    ] {
        let is_it = |part: &&Value| part["owner"] == owner && part["sort"] == sort;
        assert!(parts.iter().any(|part| is_it(&part)), "{owner} {sort}");
    }
    let whole: u64 = parts
        .iter()
        .filter(|part| part["inside"] == false)
        .map(|part| part["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(memory["bytes"].as_u64().unwrap(), whole);
    stage.end();
}

#[test]
fn the_device_is_changed_while_it_plays_and_one_that_does_not_come_is_given_up() {
    let stage = Stage::with("voice");
    stage.done(&["set", "tone.band1_gain_db", "-7"]);
    let device = || {
        let health = stage.done(&["watch", "--count", "1"]);
        health.lines().next().unwrap_or_default().to_owned()
    };
    let wait_for = |what: &str| {
        let start = Instant::now();
        while !device().contains(what) {
            assert!(
                start.elapsed() < Duration::from_secs(15),
                "{what}: {}",
                device()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    stage.done(&["device", "--block", "64"]);
    wait_for("block 64");
    stage.done(&["device", "--rate", "96000"]);
    wait_for("96000 Hz");
    assert_eq!(
        stage.value("tone", "band1_gain_db").0,
        -7.0,
        "the rack goes on as it was"
    );
    assert!(peak_dbfs(&stage.seen()) > -40.0);
    stage.done(&["device", "--backend", "jack"]);
    let start = Instant::now();
    while !stage
        .done(&["health", "--json"])
        .contains("\"reconnects\":3")
    {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it does not go back"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(
        stage.seen()["messages"]
            .to_string()
            .contains("back to `null`")
    );
    wait_for("null 96000 Hz");
    let report = stage.end();
    assert!(report["reconnects"].as_u64().unwrap() >= 3, "{report}");
}

#[test]
fn the_tempo_is_set_from_elsewhere_and_shown_and_what_is_none_is_refused() {
    let stage = Stage::with("drum-bus");
    assert_eq!(stage.seen()["tempo_bpm"], 120.0);
    assert_eq!(stage.done(&["tempo", "93.75"]), "tempo 93.75");
    assert_eq!(stage.seen()["tempo_bpm"], 93.75);
    for bad in ["0", "-1", "1000", "NaN"] {
        let said = stage.refused(&["tempo", bad]);
        assert!(
            said.contains("expected 1 to 999 beats a minute"),
            "{bad}: {said}"
        );
    }
    // It is the performance's: neither a preset nor an undo changes it.
    stage.done(&["preset", "master"]);
    stage.done(&["undo"]);
    assert_eq!(stage.seen()["tempo_bpm"], 93.75);
    assert_eq!(stage.end()["tempo_bpm"], 93.75);
}
