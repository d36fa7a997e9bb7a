//! Hands on every kind of control, against an engine behind a real segment.

use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, TouchPhase, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use headroom_gui_tests::stage::{Set, Stage, harness};
use headroom_ipc::Command;

fn rack(module: &str) -> Harness<'static, Stage> {
    let set = Set {
        secs: 0.0,
        ..Set::default()
    };
    let mut harness = harness(&set);
    harness.state_mut().screen.select(module);
    harness.run_steps(2);
    harness
}

fn center(harness: &Harness<'_, Stage>, label: &str) -> Pos2 {
    harness.get_by_label(label).rect().center()
}

fn drag(harness: &mut Harness<'_, Stage>, from: Pos2, by: Vec2, modifiers: Modifiers) {
    harness.event(Event::ModifiersChanged(modifiers));
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    for step in 1..=4 {
        harness.hover_at(from + by * (step as f32 / 4.0));
        harness.step();
    }
    harness.drop_at(from + by);
    harness.step();
    harness.event(Event::ModifiersChanged(Modifiers::NONE));
    harness.run_steps(2);
}

fn wheel(harness: &mut Harness<'_, Stage>, at: Pos2, lines: f32) {
    harness.hover_at(at);
    harness.step();
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: vec2(0.0, lines),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(3);
}

fn double_click(harness: &mut Harness<'_, Stage>, label: &str) {
    for _ in 0..2 {
        harness.get_by_label(label).click();
    }
    harness.run_steps(3);
}

fn commands(harness: &mut Harness<'_, Stage>) -> Vec<Command> {
    std::mem::take(&mut harness.state_mut().engine.commands)
}

fn sets(commands: &[Command], wanted: &str) -> Vec<f32> {
    let set = |command: &Command| match command {
        Command::Set { target, value } if target == wanted => Some(*value),
        _ => None,
    };
    commands.iter().filter_map(set).collect()
}

fn ends(commands: &[Command], wanted: &str) -> (usize, usize) {
    let begins = commands
        .iter()
        .filter(|c| matches!(c, Command::Begin { target } if target == wanted));
    let ends = commands
        .iter()
        .filter(|c| matches!(c, Command::End { target } if target == wanted));
    (begins.count(), ends.count())
}

const THRESHOLD: &str = "compressor.threshold_db";

#[test]
fn a_drag_of_a_knob_is_one_gesture_and_shift_makes_it_a_tenth() {
    let mut harness = rack("compressor");
    let from = center(&harness, "Compressor Threshold");
    drag(&mut harness, from, vec2(0.0, -88.0), Modifiers::NONE);
    let done = commands(&mut harness);
    assert_eq!(ends(&done, THRESHOLD), (1, 1), "{done:?}");
    let coarse = *sets(&done, THRESHOLD).last().expect("the knob was moved");
    assert!(
        coarse > -15.0,
        "from -24 dB up by two fifths of 60 dB: {coarse}"
    );
    let before = harness.state().engine.values.clone();
    drag(&mut harness, from, vec2(0.0, 88.0), Modifiers::SHIFT);
    let fine = *sets(&commands(&mut harness), THRESHOLD)
        .last()
        .expect("the knob was moved");
    let ratio = (coarse - fine) / (coarse + 24.0);
    assert!(
        (0.05..0.15).contains(&ratio),
        "{ratio} of the coarse way, values {before:?}"
    );
}

#[test]
fn the_wheel_and_the_arrows_step_and_home_end_and_delete_jump() {
    let mut harness = rack("compressor");
    let at = center(&harness, "Compressor Threshold");
    wheel(&mut harness, at, 1.0);
    let turned = sets(&commands(&mut harness), THRESHOLD);
    assert!(
        turned.len() == 1 && turned[0] > -24.0 && turned[0] < -20.0,
        "{turned:?}"
    );
    harness.get_by_label("Compressor Threshold").focus();
    harness.run_steps(2);
    for (key, expected) in [
        (Key::ArrowUp, turned[0] + 0.6),
        (Key::ArrowLeft, turned[0]),
        (Key::PageDown, turned[0] - 6.0),
        (Key::End, 0.0),
        (Key::Home, -60.0),
        (Key::Delete, -20.0),
    ] {
        harness.key_press(key);
        harness.run_steps(3);
        let set = sets(&commands(&mut harness), THRESHOLD);
        assert!(
            set.len() == 1 && (set[0] - expected).abs() < 0.01,
            "{key:?}: {set:?}"
        );
    }
}

#[test]
fn a_double_click_goes_to_the_default_in_one_step_of_undo() {
    let mut harness = rack("compressor");
    double_click(&mut harness, "Compressor Threshold");
    let done = commands(&mut harness);
    assert_eq!(sets(&done, THRESHOLD), [-20.0]);
    assert_eq!(ends(&done, THRESHOLD), (1, 1));
}

#[test]
fn a_value_is_typed_with_its_unit_and_escape_takes_it_back() {
    let mut harness = rack("compressor");
    harness.get_by_label("Compressor Release").focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    harness.event(Event::Text("0.25 s".to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert_eq!(
        sets(&commands(&mut harness), "compressor.release_ms"),
        [250.0]
    );
    harness.get_by_label("Compressor Release").focus();
    harness.run_steps(2);
    harness.event(Event::Text("9".to_owned()));
    harness.run_steps(3);
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert!(commands(&mut harness).is_empty());
}

#[test]
fn a_knob_does_not_jump_back_while_the_engine_is_slow() {
    let mut harness = rack("compressor");
    let from = center(&harness, "Compressor Threshold");
    harness.state_mut().is_slow = true;
    harness.hover_at(from);
    harness.drag_at(from);
    harness.step();
    harness.hover_at(from - vec2(0.0, 60.0));
    harness.run_steps(2);
    let value = |harness: &Harness<'_, Stage>| {
        let node = harness.get_by_label("Compressor Threshold");
        node.value().expect("a slider says its value")
    };
    let moved = value(&harness);
    assert_ne!(moved, "-24.0 dB");
    harness.drop_at(from - vec2(0.0, 60.0));
    harness.run_steps(2);
    assert_eq!(
        value(&harness),
        moved,
        "let go, and the engine has not answered yet"
    );
    harness.state_mut().is_slow = false;
    harness.run_steps(3);
    assert_eq!(value(&harness), moved, "the engine has it");
    assert!(!harness.state().hands.is_holding());
}

#[test]
fn a_switch_is_thrown_by_click_and_by_key() {
    let mut harness = rack("compressor");
    harness.get_by_label("Compressor Auto make-up").click();
    harness.run_steps(3);
    assert_eq!(
        sets(&commands(&mut harness), "compressor.auto_makeup"),
        [1.0]
    );
    harness.get_by_label("Compressor Auto make-up").focus();
    harness.run_steps(2);
    harness.key_press(Key::Space);
    harness.run_steps(3);
    assert_eq!(
        sets(&commands(&mut harness), "compressor.auto_makeup"),
        [0.0]
    );
}

#[test]
fn a_choice_is_made_from_its_list_and_by_the_wheel() {
    let mut harness = rack("compressor");
    harness.get_by_label("Compressor Detector").click();
    harness.run_steps(3);
    harness.get_by_label_contains("rms").click();
    harness.run_steps(3);
    assert_eq!(sets(&commands(&mut harness), "compressor.detector"), [1.0]);
    let at = center(&harness, "Compressor Detector");
    wheel(&mut harness, at, -1.0);
    assert_eq!(sets(&commands(&mut harness), "compressor.detector"), [0.0]);
}

#[test]
fn a_band_is_dragged_in_frequency_and_gain_at_once() {
    let mut harness = rack("eq");
    let from = center(&harness, "Equaliser handle 5");
    drag(&mut harness, from, vec2(30.0, 20.0), Modifiers::NONE);
    let done = commands(&mut harness);
    let hz = *sets(&done, "eq.band5_freq_hz")
        .last()
        .expect("moved to the right");
    let db = *sets(&done, "eq.band5_gain_db").last().expect("moved down");
    assert!(hz > 3_100.0 && hz < 4_800.0, "{hz}");
    assert!(db < 5.5 && db > 0.0, "{db}");
    assert_eq!(ends(&done, "eq.band5_freq_hz"), (1, 1));
    let at = center(&harness, "Equaliser handle 5");
    wheel(&mut harness, at, 2.0);
    let q = sets(&commands(&mut harness), "eq.band5_q");
    assert!(q.len() == 1 && q[0] > 1.1, "{q:?}");
}

#[test]
fn a_double_click_beside_the_bands_wakes_one_there() {
    let mut harness = rack("eq");
    let at = center(&harness, "Equaliser handle 4") - vec2(40.0, 60.0);
    for _ in 0..2 {
        harness.hover_at(at);
        harness.drag_at(at);
        harness.event(Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed: false,
            modifiers: Modifiers::NONE,
        });
    }
    harness.run_steps(3);
    let done = commands(&mut harness);
    assert_eq!(sets(&done, "eq.band3_on"), [1.0], "{done:?}");
    let hz = sets(&done, "eq.band3_freq_hz");
    assert!(hz.len() == 1 && (500.0..1_000.0).contains(&hz[0]), "{hz:?}");
    assert!(sets(&done, "eq.band3_gain_db")[0] > 3.0);
}

#[test]
fn mix_bypass_delta_and_midi_are_at_hand() {
    let mut harness = rack("delay");
    let from = center(&harness, "Mix");
    drag(&mut harness, from, vec2(30.0, 0.0), Modifiers::NONE);
    let done = commands(&mut harness);
    assert!(*sets(&done, "delay.mix").last().expect("moved") > 0.35);
    assert_eq!(ends(&done, "delay.mix"), (1, 1));
    for label in ["Bypass", "Delta"] {
        harness.get_by_label(label).click();
        harness.run_steps(2);
    }
    let done = commands(&mut harness);
    assert_eq!(sets(&done, "delay.bypass"), [1.0]);
    let delta = Command::Delta {
        module: "delay".to_owned(),
        on: true,
    };
    assert!(done.contains(&delta), "{done:?}");
    harness.get_by_label("Delay Time").click_secondary();
    harness.run_steps(3);
    harness.get_by_label("Learn MIDI").click();
    harness.run_steps(3);
    let learn = Command::Learn {
        target: "delay.time_ms".to_owned(),
        on: true,
    };
    assert_eq!(commands(&mut harness), [learn]);
}

#[test]
fn a_choice_is_walked_by_the_keyboard_and_goes_to_its_default() {
    let mut harness = rack("eq");
    harness.get_by_label("Equaliser Band 1 type").focus();
    harness.run_steps(2);
    let types = (0.0, 4.0);
    for (key, expected) in [
        (Key::Home, Some(types.0)),
        (Key::ArrowRight, Some(1.0)),
        (Key::ArrowLeft, Some(0.0)),
        (Key::ArrowLeft, None),
        (Key::ArrowUp, Some(1.0)),
        (Key::Delete, Some(0.0)),
    ] {
        harness.key_press(key);
        harness.run_steps(3);
        let set = sets(&commands(&mut harness), "eq.band1_type");
        assert_eq!(set.last().copied(), expected, "{key:?}: {set:?}");
    }
}

#[test]
fn a_switch_is_thrown_by_wheel_and_keys_and_goes_to_its_default() {
    let mut harness = rack("compressor");
    let auto = "compressor.auto_makeup";
    let at = center(&harness, "Compressor Auto make-up");
    wheel(&mut harness, at, 1.0);
    assert_eq!(sets(&commands(&mut harness), auto), [1.0]);
    wheel(&mut harness, at, -1.0);
    assert_eq!(sets(&commands(&mut harness), auto), [0.0]);
    harness.get_by_label("Compressor Auto make-up").focus();
    harness.run_steps(2);
    for (key, expected) in [
        (Key::End, 1.0),
        (Key::Home, 0.0),
        (Key::ArrowUp, 1.0),
        (Key::Delete, 0.0),
    ] {
        harness.key_press(key);
        harness.run_steps(3);
        let done = commands(&mut harness);
        assert_eq!(sets(&done, auto), [expected], "{key:?}");
        assert_eq!(ends(&done, auto), (1, 1), "{key:?}");
    }
}

#[test]
fn the_mix_has_all_that_a_knob_has() {
    let mut harness = rack("delay");
    let mix = "delay.mix";
    let from = center(&harness, "Mix");
    drag(&mut harness, from, vec2(36.0, 0.0), Modifiers::NONE);
    let coarse = *sets(&commands(&mut harness), mix).last().expect("moved");
    drag(&mut harness, from, vec2(-36.0, 0.0), Modifiers::SHIFT);
    let fine = *sets(&commands(&mut harness), mix).last().expect("moved");
    let ratio = (coarse - fine) / (coarse - 0.35);
    assert!((0.05..0.15).contains(&ratio), "{ratio} of the coarse way");
    wheel(&mut harness, from, 1.0);
    let turned = sets(&commands(&mut harness), mix);
    assert!(turned.len() == 1 && turned[0] > fine, "{turned:?}");
    harness.get_by_label("Mix").focus();
    harness.run_steps(2);
    for (key, expected) in [(Key::Home, 0.0), (Key::PageUp, 0.1), (Key::End, 1.0)] {
        harness.key_press(key);
        harness.run_steps(3);
        let set = sets(&commands(&mut harness), mix);
        assert!(
            set.len() == 1 && (set[0] - expected).abs() < 1e-3,
            "{key:?}: {set:?}"
        );
    }
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    harness.event(Event::Text("25 %".to_owned()));
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert_eq!(sets(&commands(&mut harness), mix), [0.25]);
    double_click(&mut harness, "Mix");
    let done = commands(&mut harness);
    assert_eq!(sets(&done, mix), [1.0], "{done:?}");
}

#[test]
fn a_band_is_dragged_finely_and_moved_by_keys_and_goes_back_to_nothing() {
    let mut harness = rack("eq");
    let from = center(&harness, "Equaliser handle 5");
    drag(&mut harness, from, vec2(0.0, 30.0), Modifiers::NONE);
    let coarse = *sets(&commands(&mut harness), "eq.band5_gain_db")
        .last()
        .expect("moved down");
    let from = center(&harness, "Equaliser handle 5");
    drag(&mut harness, from, vec2(0.0, -30.0), Modifiers::SHIFT);
    let fine = *sets(&commands(&mut harness), "eq.band5_gain_db")
        .last()
        .expect("moved up");
    let ratio = (fine - coarse) / (5.5 - coarse);
    assert!((0.05..0.15).contains(&ratio), "{ratio} of the coarse way");
    harness.get_by_label("Equaliser handle 5").focus();
    harness.run_steps(2);
    for (key, target, is_up) in [
        (Key::ArrowRight, "eq.band5_freq_hz", true),
        (Key::ArrowUp, "eq.band5_gain_db", true),
        (Key::ArrowDown, "eq.band5_gain_db", false),
        (Key::PageUp, "eq.band5_q", true),
    ] {
        let before = value_of(&harness, target);
        harness.key_press(key);
        harness.run_steps(3);
        let set = sets(&commands(&mut harness), target);
        assert!(
            set.len() == 1 && (set[0] > before) == is_up && set[0] != before,
            "{key:?}: {before} {set:?}"
        );
    }
    harness.key_press(Key::Space);
    harness.run_steps(3);
    assert_eq!(sets(&commands(&mut harness), "eq.band5_on"), [0.0]);
    for wanted in ["eq.band5_on", "eq.band5_gain_db"] {
        double_click(&mut harness, "Equaliser handle 5");
        let done = commands(&mut harness);
        let set = sets(&done, wanted);
        let expected = f32::from(u8::from(wanted.ends_with("_on")));
        assert_eq!(set, [expected], "{done:?}");
        // The next two clicks are not to be its third and fourth.
        harness.run_steps(60);
    }
}

fn value_of(harness: &Harness<'_, Stage>, target: &str) -> f32 {
    let engine = &harness.state().engine;
    let (module, param) = target.split_once('.').expect("a module and a parameter");
    let (_, module) = engine.description.module(module).expect("a module");
    let kind = engine.description.kind_of(module).expect("a kind");
    let index = kind.params.iter().position(|known| known.id == param);
    engine.values[module.param_value(index.expect("a parameter"))]
}

#[test]
fn a_key_and_a_button_learn_the_next_controller_for_the_control_in_hand() {
    let mut harness = rack("compressor");
    let learn = |on| Command::Learn {
        target: "compressor.ratio".to_owned(),
        on,
    };
    harness.get_by_label("Compressor Ratio").focus();
    harness.run_steps(2);
    harness.key_press(Key::L);
    harness.run_steps(3);
    assert_eq!(commands(&mut harness), [learn(true)]);
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    assert_eq!(commands(&mut harness), [learn(false)], "Escape ends it");
    // The button takes the focus, but it is for the control that was touched.
    harness.get_by_label("Learn MIDI controller").click();
    harness.run_steps(3);
    assert_eq!(commands(&mut harness), [learn(true)]);
    harness.get_by_label("Learn MIDI controller").click();
    harness.run_steps(3);
    assert_eq!(commands(&mut harness), [learn(false)], "pressed again");
}

#[test]
fn nothing_is_learnt_for_a_control_of_another_module() {
    let mut harness = rack("compressor");
    harness.get_by_label("Compressor Ratio").focus();
    harness.run_steps(2);
    harness.state_mut().screen.select("delay");
    harness.run_steps(2);
    harness.get_by_label("Learn MIDI controller").click();
    harness.run_steps(3);
    assert_eq!(commands(&mut harness), []);
}

fn with_tempo(bpm: f64, is_hosts: bool) -> Harness<'static, Stage> {
    let mut harness = rack("delay");
    let description = &mut harness.state_mut().engine.description;
    description.tempo_bpm = bpm;
    description.tempo_is_hosts = is_hosts;
    harness.state_mut().engine.show();
    harness.run_steps(2);
    harness
}

#[test]
fn what_is_a_hosts_is_not_offered() {
    for is_hosts in [false, true] {
        let mut harness = with_tempo(120.0, is_hosts);
        let offered = ["Record", "Learn MIDI controller"];
        let shown = offered.map(|name| harness.query_by_label(name).is_some());
        assert_eq!(shown, [!is_hosts; 2]);
        harness.get_by_label("Delay Time").focus();
        harness.run_steps(2);
        harness.key_press(Key::R);
        harness.key_press(Key::L);
        harness.run_steps(3);
        let asked: Vec<bool> = commands(&mut harness)
            .iter()
            .map(|command| matches!(command, Command::Record { .. } | Command::Learn { .. }))
            .collect();
        assert_eq!(asked, vec![true; if is_hosts { 0 } else { 2 }]);
    }
}

fn tempos(harness: &mut Harness<'_, Stage>) -> Vec<f64> {
    let tempo = |command: Command| match command {
        Command::Tempo { bpm } => Some(bpm),
        _ => None,
    };
    commands(harness).into_iter().filter_map(tempo).collect()
}

#[test]
fn the_tempo_is_dragged_turned_and_typed() {
    let mut harness = with_tempo(120.0, false);
    let at = center(&harness, "Tempo");
    drag(&mut harness, at, vec2(0.0, -40.0), Modifiers::NONE);
    let dragged = *tempos(&mut harness).last().expect("it was moved");
    assert!((dragged - 140.0).abs() < 0.5, "{dragged}");
    drag(&mut harness, at, vec2(0.0, 40.0), Modifiers::SHIFT);
    let fine = *tempos(&mut harness).last().expect("it was moved");
    assert!((dragged - fine - 2.0).abs() < 0.2, "{dragged} to {fine}");
    wheel(&mut harness, at, 1.0);
    assert_eq!(tempos(&mut harness), [fine + 1.0]);
    harness.get_by_label("Tempo").focus();
    harness.run_steps(2);
    harness.key_press(Key::PageDown);
    harness.run_steps(3);
    assert_eq!(tempos(&mut harness), [fine - 9.0]);

    for (typed, expected) in [("93,5 bpm", Some(93.5)), ("fast", None)] {
        harness.get_by_label("Tempo").focus();
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(3);
        harness.event(Event::Text(typed.to_owned()));
        harness.step();
        harness.key_press(Key::Enter);
        harness.run_steps(3);
        assert_eq!(tempos(&mut harness), Vec::from_iter(expected), "{typed}");
    }
    assert_eq!(harness.state().engine.description.tempo_bpm, 93.5);

    // Out of range is refused, and said.
    harness.get_by_label("Tempo").focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    harness.event(Event::Text("2000".to_owned()));
    harness.step();
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert_eq!(tempos(&mut harness), []);
    let notes = &harness.state().picture.notes;
    assert!(
        notes
            .iter()
            .any(|note| note.refused && note.text.contains("1 to 999")),
        "{notes:?}"
    );
}

#[test]
fn the_tempo_is_tapped_by_the_button_and_by_the_key() {
    let mut harness = with_tempo(120.0, false);
    // Each step is a fixed part of a second: a tap on every third one, in four rows of taps.
    let step_secs = f64::from(harness.input().predicted_dt);
    for by_key in [false, true] {
        let mut last = None;
        for tap in 0..6 {
            if by_key {
                harness.key_press(Key::T);
            } else {
                harness.get_by_label("Tap tempo").click();
            }
            harness.run_steps(6);
            let set = tempos(&mut harness);
            assert_eq!(set.len(), usize::from(tap > 0), "tap {tap}: {set:?}");
            last = set.first().copied().or(last);
        }
        let expected = 60.0 / (6.0 * step_secs);
        let last = last.expect("it was tapped");
        assert!((last / expected - 1.0).abs() < 0.35, "{last} of {expected}");
        // Longer than any row of taps.
        harness.run_steps((3.0 / step_secs) as usize);
    }
}

#[test]
fn a_hosts_tempo_is_shown_and_cannot_be_set() {
    let mut harness = with_tempo(97.3, true);
    assert!(harness.query_by_label("Tempo").is_none());
    assert!(harness.query_by_label("Tap tempo").is_none());
    let shown = "Tempo 97.3 BPM, set by the host";
    let at = center(&harness, shown);
    drag(&mut harness, at, vec2(0.0, -40.0), Modifiers::NONE);
    wheel(&mut harness, at, 1.0);
    harness.key_press(Key::T);
    harness.run_steps(6);
    harness.key_press(Key::T);
    harness.run_steps(6);
    assert_eq!(tempos(&mut harness), []);
    assert!(harness.query_by_label(shown).is_some());
}

#[test]
fn where_there_is_no_tempo_none_is_shown() {
    for bpm in [0.0, f64::NAN, f64::INFINITY, -1.0, 1e9] {
        let mut harness = with_tempo(bpm, false);
        assert!(harness.query_by_label("Tempo").is_none(), "{bpm}");
        harness.key_press(Key::T);
        harness.run_steps(6);
        harness.key_press(Key::T);
        harness.run_steps(6);
        assert_eq!(tempos(&mut harness), [], "{bpm}");
    }
}
