//! MIDI in `headroom play`, on a real JACK server with a real keyboard: a process that sends, and listens to
//! what the program plays.

#![cfg(all(target_os = "linux", feature = "jack"))]

mod play_common;

use std::path::Path;
use std::process::Child;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use play_common::assert_real_time;
use play_common::desk::Desk;
use play_common::headroom;
use play_common::jackd::Jackd;
use play_common::keys::Keys;
use play_common::keys::PORT;
use play_common::keys::be_the_keys;
use play_common::play;
use play_common::report;
use play_common::report_of;
use play_common::signal;
use play_common::sine;
use play_common::stderr;

/// The keyboard; see `play_common/keys.rs`.
#[test]
#[ignore = "a process of its own, started by the tests below"]
fn keys() {
    be_the_keys();
}

/// What the servers are called: not as a client of theirs, or the two would share a socket.
const SERVER: &str = "keys";

/// A sine at half of full scale, and presets whose levels can be told apart.
fn stage() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 48_000);
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    write(
        "loud.toml",
        "# By hand.\nheadroom = 1\nname = \"Loud\"\n\n[[module]]\nkind = \"gain\"\n\n\
         [[midi]]\ncc = 7\nparam = \"gain.gain_db\"\nmin = -60.0\nmax = 0.0\n\n\
         [[midi]]\nnote = 36\nbypass = \"gain\"\n",
    );
    write(
        "quiet.toml",
        "headroom = 1\nname = \"Quiet\"\n\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = -20.0\n",
    );
    write(
        "map.toml",
        "headroom = 1\n[[program]]\nprogram = 1\npreset = \"quiet.toml\"\n\
         [[program]]\nprogram = 2\nchannel = 2\npreset = \"loud.toml\"\n\
         [[midi]]\nnote = 40\nmute = true\n[[midi]]\nnote = 41\npanic = true\n",
    );
    place
}

/// `play` on the server, listening to the keyboard, until it is told to end.
struct Playing {
    child: Child,
}

impl Playing {
    fn start(jackd: &Jackd, place: &Path, args: &[&str]) -> Self {
        let usual = [
            "--backend",
            "jack",
            "--input",
            "sine.wav",
            "--loop",
            "--json",
        ];
        let mut command = play(place, &[&usual, args].concat());
        let child = jackd
            .env(&mut command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child }
    }

    fn end(self) -> Output {
        signal(&self.child, "TERM");
        self.child.wait_with_output().unwrap()
    }
}

#[test]
fn a_controller_moves_the_gain_and_a_program_change_the_preset() {
    let place = stage();
    let jackd = Jackd::start(SERVER);
    let mut keys = Keys::plug_in(&jackd);
    let args = [
        "--preset",
        "loud.toml",
        "--midi",
        PORT,
        "--midi-map",
        "map.toml",
    ];
    let playing = Playing::start(&jackd, place.path(), &args);
    keys.wait_for_level(0.5);
    // Until the port is connected nobody hears: the first message is sent until it is.
    let start = Instant::now();
    while keys.level() > 0.01 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the port is not connected"
        );
        keys.send(&[0xB0, 7, 0]);
    }
    keys.wait_for_level(0.0005);
    keys.send(&[0xB0, 7, 64]);
    keys.wait_for_level(0.5 * 10.0_f32.powf(-1.5));
    keys.send(&[0x90, 36, 100]);
    keys.wait_for_level(0.5);
    keys.send(&[0x90, 36, 100]);
    keys.wait_for_level(0.5 * 10.0_f32.powf(-1.5));
    keys.send(&[0xC0, 0]);
    keys.wait_for_level(0.05);
    // Its controller went with the preset; another channel's program is not this one.
    keys.send(&[0xB0, 7, 127]);
    keys.send(&[0xC0, 1]);
    keys.send(&[0x90, 40, 1]);
    keys.wait_for_level(0.0);
    keys.send(&[0x90, 40, 1]);
    keys.wait_for_level(0.05);
    keys.send(&[0xC1, 1]);
    keys.wait_for_level(0.5);
    // And with the preset came its controller.
    keys.send(&[0xB0, 7, 0]);
    keys.wait_for_level(0.0005);
    keys.send(&[0xB0, 7, 127]);
    keys.wait_for_level(0.5);
    keys.send(&[0x90, 41, 1]);
    keys.wait_for_level(0.0);
    keys.send(&[0x90, 41, 1]);
    keys.wait_for_level(0.5);

    // A nervous finger: the last one counts.
    for _ in 0..40 {
        keys.send(&[0xC1, 1]);
        keys.send(&[0xC0, 0]);
    }
    keys.wait_for_level(0.05);

    let output = playing.end();
    let report = report_of(&output);
    let said = stderr(&output);
    for line in [
        &format!("listening to the MIDI port `{PORT}`"),
        "program 1: preset `",
        "program 2: preset `",
        "warning: program 2 on channel 1: none in the MIDI map",
    ] {
        assert!(said.contains(line), "no `{line}` in {said}");
    }
    let midi = &report["midi"];
    assert!(midi["events"].as_u64().unwrap() >= 11, "{midi}");
    assert_eq!(midi["dropped"], 0, "{midi}");
    assert_real_time(&report);
    assert_eq!(report["audio_thread"]["minor_faults"], 0, "{report}");
}

#[test]
fn a_storm_of_midi_is_bounded_and_neither_allocates_nor_faults() {
    let place = stage();
    let bind = |number: u32| {
        format!(
            "[[midi]]\ncc = {number}\nparam = \"eq.band{}_freq_hz\"\n",
            number % 8 + 1
        )
    };
    let bindings: String = (0..63).map(bind).collect();
    let text = format!(
        "headroom = 1\n[[module]]\nkind = \"gain\"\n[[module]]\nkind = \"eq\"\n{bindings}\
         [[midi]]\ncc = 63\nparam = \"gain.gain_db\"\nmin = -60.0\nmax = 0.0\n"
    );
    std::fs::write(place.path().join("storm.toml"), text).unwrap();
    let jackd = Jackd::start(SERVER);
    let mut keys = Keys::plug_in(&jackd);
    let args = ["--preset", "storm.toml", "--midi", PORT, "--trap"];
    let playing = Playing::start(&jackd, place.path(), &args);
    keys.wait_for_level(0.5);
    let start = Instant::now();
    while keys.level() > 0.01 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the port is not connected"
        );
        keys.send(&[0xB0, 63, 0]);
    }
    let sent = keys.storm(100_000, 3);
    keys.send(&[0xB0, 63, 0]);
    keys.wait_for_level(0.0005);
    keys.send(&[0xB0, 63, 127]);
    keys.wait_for_level(0.5);
    let report = report_of(&playing.end());
    let midi = &report["midi"];
    assert!(sent > 250_000, "the server took {sent} messages only");
    let [events, superseded] = ["events", "superseded"].map(|name| midi[name].as_u64().unwrap());
    assert!(events >= sent, "{sent} sent, {midi}");
    assert!(superseded > 0 && superseded < events, "{midi}");
    assert_eq!(midi["dropped"], 0, "{midi}");
    if cfg!(target_arch = "x86_64") {
        assert_eq!(report["audio_thread"]["system_calls"], 0, "{report}");
    }
    assert_real_time(&report);
    assert_eq!(report["audio_thread"]["minor_faults"], 0, "{report}");
}

#[test]
fn a_port_that_is_pulled_and_plugged_in_again_is_told_and_heard_again() {
    let place = stage();
    let jackd = Jackd::start(SERVER);
    let mut keys = Keys::plug_in(&jackd);
    // A part of the name will do.
    let args = ["--preset", "loud.toml", "--midi", "TEST-KEYS"];
    let playing = Playing::start(&jackd, place.path(), &args);
    keys.wait_for_level(0.5);
    for round in 0..2 {
        let start = Instant::now();
        while keys.level() > 0.01 {
            let waited = start.elapsed();
            assert!(
                waited < Duration::from_secs(10),
                "not heard in round {round}"
            );
            keys.send(&[0xB0, 7, 0]);
        }
        if round == 0 {
            keys.pull_out();
            // Longer than a look takes: that it is gone must be seen.
            std::thread::sleep(Duration::from_millis(900));
            keys = Keys::plug_in(&jackd);
        }
        keys.wait_for_level(0.0005);
        keys.send(&[0xB0, 7, 127]);
        let start = Instant::now();
        while keys.level() < 0.4 {
            assert!(start.elapsed() < Duration::from_secs(10), "not heard again");
            keys.send(&[0xB0, 7, 127]);
        }
    }
    let output = playing.end();
    assert_real_time(&report_of(&output));
    let said = stderr(&output);
    let count = |what: &str| said.matches(what).count();
    assert_eq!(count("went away: waiting for it"), 1, "{said}");
    assert_eq!(count("is back"), 1, "{said}");
}

#[test]
fn ports_are_listed_and_a_wrong_one_is_told_with_those_there_are() {
    let place = stage();
    let jackd = Jackd::start(SERVER);
    let _keys = Keys::plug_in(&jackd);
    let list = report(jackd.env(&mut headroom(place.path(), &["devices", "--json"])));
    let jack = &list["midi"][0];
    assert_eq!(
        (&jack["name"], &jack["available"]),
        (&"jack".into(), &true.into()),
        "{list}"
    );
    let ports = jack["ports"].as_array().unwrap();
    assert!(ports.contains(&PORT.into()), "{list}");
    let output = jackd
        .env(&mut headroom(place.path(), &["devices"]))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("jack     {PORT}")), "{text}");

    let mut command = play(place.path(), &["--backend", "null", "--midi", "Scarlett"]);
    let output = jackd.env(&mut command).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(said.contains("`Scarlett`") && said.contains(PORT), "{said}");
}

#[test]
fn what_is_wrong_without_any_port_is_one_line_too() {
    let place = stage();
    std::fs::write(
        place.path().join("bad.toml"),
        "headroom = 1\n[[program]]\nprogram = 0\n",
    )
    .unwrap();
    for (args, parts) in [
        (
            &["--midi", "Scarlett"][..],
            &[
                "no MIDI port is called `Scarlett`",
                "there are none (jack: ",
            ][..],
        ),
        (
            &["--midi", "auto", "--midi-map", "bad.toml"],
            &["bad.toml:3", "`program` is 0", "1 to 128"],
        ),
        (&["--midi-map", "not-there.toml"], &["not-there.toml"]),
    ] {
        let args = [&["--backend", "null"], args].concat();
        let output = play(place.path(), &args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
}

#[test]
fn a_pedal_that_only_the_map_names_may_come_later() {
    let place = stage();
    let config = place.path().join("config/headroom");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("midi.toml"), "headroom = 1\nport = \"Pedal\"\n").unwrap();
    let args = [
        "--backend",
        "null",
        "--input",
        "sine.wav",
        "--seconds",
        "0.5",
        "--json",
    ];
    let heard = report(&mut play(place.path(), &args));
    assert_eq!(heard["midi"]["events"], 0, "{heard}");
    let deaf = report(&mut play(
        place.path(),
        &[&args[..], &["--midi", "none"]].concat(),
    ));
    assert!(deaf.get("midi").is_none(), "{deaf}");
}

/// Learns what is chosen, moves it to its end, and saves.
fn learn(desk: &mut Desk, keyboard: &mut Keys) {
    desk.wait_for(&format!("listening to the MIDI port `{PORT}`"));
    desk.press(b"l");
    desk.wait_for("LEARN");
    keyboard.send(&[0xB4, 21, 10]);
    desk.wait_for("cc 21 on channel 5 moves ");
    keyboard.send(&[0xB4, 21, 0]);
    desk.wait_for("cc 21 = 0, channel 5 > ");
    desk.press(b"s");
    desk.wait_for("saved: ");
}

#[test]
fn a_controller_is_learned_on_the_terminal_and_saved_with_where_it_stands() {
    let place = stage();
    let jackd = Jackd::start(SERVER);
    let mut keyboard = Keys::plug_in(&jackd);
    let args = format!("--preset loud.toml --midi {PORT}");
    let mut desk = Desk::start(&jackd, place.path(), &args);
    learn(&mut desk, &mut keyboard);
    // Escape leaves learning, not the program.
    desk.press(b"\x1b");
    desk.wait_without("LEARN");
    let screen = desk.quit();
    let moves = "cc 21 on channel 5 moves gain.gain_db";
    assert!(screen.contains(moves), "no `{moves}` in {screen}");
    let saved = std::fs::read_to_string(place.path().join("loud.toml")).unwrap();
    for part in [
        "# By hand.",
        "cc = 21",
        "channel = 5",
        "gain_db = -72.0",
        "note = 36",
    ] {
        assert!(saved.contains(part), "no `{part}` in {saved}");
    }
    assert!(
        !saved.contains("cc = 7\n"),
        "it moves by one controller: {saved}"
    );

    // A built-in preset stays: what is saved is a copy, under a name of its own.
    let args = format!("--preset voice --midi {PORT}");
    let mut desk = Desk::start(&jackd, place.path(), &args);
    learn(&mut desk, &mut keyboard);
    desk.quit();
    let copy = place.path().join("config/headroom/presets/my-voice.toml");
    let copy = std::fs::read_to_string(copy).unwrap();
    assert!(copy.contains("cc = 21"), "{copy}");
    let list = report(&mut headroom(place.path(), &["presets", "--json"]));
    let names: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert!(names.contains(&&"my-voice".into()), "{list}");
}
