//! What is said in words at the foot of the screen, and what can be pressed while there is nobody to answer.

use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use headroom_gui::model::Link;
use headroom_gui::view::Page;
use headroom_gui_tests::stage::{Set, Stage, harness, harness_of};

fn still() -> Set {
    Set {
        secs: 0.0,
        ..Set::default()
    }
}

fn notes(harness: &Harness<'_, Stage>) -> Vec<String> {
    let notes = harness.state().picture.notes.iter();
    notes.map(|note| note.text.clone()).collect()
}

fn drag(harness: &mut Harness<'_, Stage>, label: &str) {
    let from = harness.get_by_label(label).rect().center();
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    for step in 1..=8 {
        harness.hover_at(from + vec2(-5.0, 5.0) * step as f32);
        harness.step();
    }
    harness.drop_at(from + vec2(-40.0, 40.0));
    harness.run_steps(3);
}

#[test]
fn what_a_control_shows_by_itself_is_not_said_again_and_what_it_does_not_is() {
    let mut harness = harness(&still());
    harness.state_mut().engine.description.tempo_bpm = 120.0;
    harness.state_mut().engine.show();
    harness.run_steps(2);
    for control in ["Tempo", "Mix"] {
        harness.state_mut().engine.commands.clear();
        drag(&mut harness, control);
        let sent = harness.state().engine.commands.len();
        assert!(sent >= 5, "{control}: a drag is {sent} commands");
        assert_eq!(notes(&harness), [""; 0], "{control}");
    }
    harness.get_by_label("Compare B").click();
    harness.run_steps(3);
    assert_eq!(harness.state().engine.description.compared, 1);
    assert_eq!(notes(&harness), [""; 0], "the button shows it");
    harness.get_by_label("Mute").click();
    harness.run_steps(3);
    assert_eq!(notes(&harness), ["Done"]);
    // A screen reader says it too.
    assert!(harness.query_by_label("Done").is_some());
}

#[test]
fn without_a_rack_nothing_can_be_pressed_but_pages() {
    for link in [Link::Connecting, Link::Gone] {
        let mut stage = Stage::new(&still());
        stage.end_engine();
        stage.look();
        stage.picture.link = link;
        stage.is_frozen = true;
        let mut harness = harness_of(stage, &still());
        harness.run_steps(2);
        for label in [
            "Compare A",
            "Compare B",
            "Undo",
            "Redo",
            "Mute",
            "Record",
            "Panic",
        ] {
            let button = harness.get_by_label(label);
            let is_disabled = button.accesskit_node().is_disabled();
            assert!(is_disabled, "{label}, {link:?}");
            let at = button.rect().center();
            harness.drag_at(at);
            harness.step();
            harness.drop_at(at);
            harness.step();
        }
        for key in [Key::P, Key::M, Key::R, Key::T, Key::C] {
            harness.key_press(key);
            harness.step();
        }
        harness.event(Event::Key {
            key: Key::Z,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::COMMAND,
        });
        harness.step();
        assert_eq!(harness.state().hands.waiting(), [], "{link:?}");
        harness.key_press(Key::F3);
        harness.run_steps(2);
        assert_eq!(harness.state().screen.page, Page::Health);
    }
}

#[test]
fn with_a_rack_they_can() {
    let mut harness = harness(&still());
    for label in ["Compare A", "Compare B", "Mute", "Record", "Panic"] {
        let button = harness.get_by_label(label);
        assert!(!button.accesskit_node().is_disabled(), "{label}");
    }
    harness.key_press(Key::M);
    harness.run_steps(2);
    assert!(harness.state().engine.description.muted);
}
