//! What is done to the rack as a whole, and what must always be at hand.

use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use headroom_gui::view::Page;
use headroom_gui_tests::stage::{Set, Stage, harness};
use headroom_ipc::{Command, DeviceWish};

fn page(page: Page) -> Harness<'static, Stage> {
    let set = Set {
        secs: 0.0,
        page,
        ..Set::default()
    };
    let mut harness = harness(&set);
    harness.run_steps(2);
    harness
}

fn commands(harness: &mut Harness<'_, Stage>) -> Vec<Command> {
    std::mem::take(&mut harness.state_mut().engine.commands)
}

fn order(harness: &Harness<'_, Stage>) -> Vec<String> {
    let modules = &harness.state().engine.description.modules;
    modules.iter().map(|module| module.id.clone()).collect()
}

#[test]
fn a_card_is_dragged_to_another_place() {
    let mut harness = page(Page::Rack);
    let from = harness.get_by_label("1 Equaliser").rect().center();
    let to = harness.get_by_label("3 Delay").rect().center() + vec2(20.0, 0.0);
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    for step in 1..=4 {
        harness.hover_at(from + (to - from) * (step as f32 / 4.0));
        harness.step();
    }
    harness.drop_at(to);
    harness.run_steps(3);
    assert_eq!(order(&harness), ["compressor", "delay", "eq", "gain"]);
}

#[test]
fn a_card_is_moved_and_removed_by_the_keyboard() {
    let mut harness = page(Page::Rack);
    harness.get_by_label("2 Compressor").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::ArrowRight);
    harness.run_steps(3);
    assert_eq!(order(&harness), ["eq", "delay", "compressor", "gain"]);
    // The keyboard goes along with it.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::ArrowRight);
    harness.run_steps(3);
    assert_eq!(order(&harness), ["eq", "delay", "gain", "compressor"]);
    harness.get_by_label("3 Gain").focus();
    harness.run_steps(2);
    harness.key_press(Key::Delete);
    harness.run_steps(3);
    assert_eq!(order(&harness), ["eq", "delay", "compressor"]);
}

#[test]
fn a_module_is_found_by_its_name_and_added_behind_the_chosen_one() {
    let mut harness = page(Page::Rack);
    harness.get_by_label("Add a module").click();
    harness.run_steps(3);
    harness.event(Event::Text("echo".to_owned()));
    harness.run_steps(3);
    assert!(
        harness.query_by_label("Add Gain").is_none(),
        "the search hides what is not meant"
    );
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    let added = Command::Insert {
        kind: "delay".to_owned(),
        index: 1,
    };
    assert_eq!(commands(&mut harness), [added]);
}

#[test]
fn panic_mute_record_compare_and_undo_are_one_key_away_on_every_page() {
    for at in [
        Page::Rack,
        Page::Meters,
        Page::Health,
        Page::Presets,
        Page::Device,
    ] {
        let mut harness = page(at);
        for (modifiers, key, expected) in [
            (Modifiers::NONE, Key::P, Command::Panic { on: true }),
            (Modifiers::NONE, Key::P, Command::Panic { on: false }),
            (Modifiers::NONE, Key::M, Command::Mute { on: true }),
            (Modifiers::NONE, Key::R, Command::Record { on: true }),
            (Modifiers::NONE, Key::C, Command::Compare { slot: 1 }),
            (Modifiers::COMMAND, Key::Z, Command::Undo),
            (Modifiers::COMMAND, Key::Y, Command::Redo),
        ] {
            harness.key_press_modifiers(modifiers, key);
            harness.run_steps(3);
            assert_eq!(commands(&mut harness), [expected], "{at:?} {key:?}");
        }
    }
}

#[test]
fn the_panic_button_acts_on_the_press() {
    let mut harness = page(Page::Health);
    let at = harness.get_by_label("Panic").rect().center();
    harness.hover_at(at);
    harness.step();
    harness.drag_at(at);
    harness.run_steps(2);
    assert_eq!(commands(&mut harness), [Command::Panic { on: true }]);
    harness.drop_at(at);
    harness.run_steps(2);
    assert!(
        commands(&mut harness).is_empty(),
        "the release is no second press"
    );
}

#[test]
fn a_letter_in_a_text_field_is_no_shortcut() {
    let mut harness = page(Page::Presets);
    harness.get_by_label("Search presets").click();
    harness.run_steps(2);
    harness.event(Event::Text("p".to_owned()));
    harness.key_press(Key::P);
    harness.run_steps(3);
    assert!(commands(&mut harness).is_empty());
}

#[test]
fn presets_are_searched_loaded_and_saved() {
    let mut harness = page(Page::Presets);
    harness.get_by_label("Search presets").click();
    harness.run_steps(2);
    harness.event(Event::Text("sm58".to_owned()));
    harness.run_steps(3);
    assert!(harness.query_by_label("Load Drum bus").is_none());
    harness.get_by_label("Load Anna, SM58").click();
    harness.run_steps(3);
    let load = Command::Preset {
        name: "anna-sm58".to_owned(),
    };
    assert_eq!(commands(&mut harness), [load]);
    harness.get_by_label("Preset name").click();
    harness.run_steps(2);
    harness.event(Event::Text("stage left".to_owned()));
    harness.run_steps(2);
    harness.get_by_label("Save preset").click();
    harness.run_steps(3);
    let save = Command::SavePreset {
        name: "stage left".to_owned(),
    };
    assert_eq!(commands(&mut harness), [save]);
}

#[test]
fn a_device_is_asked_for_only_when_it_is_applied() {
    let mut harness = page(Page::Device);
    harness.get_by_label("Sample rate 96000 Hz").click();
    harness.run_steps(2);
    harness.get_by_label("Block 256 frames").click();
    harness.run_steps(2);
    assert!(commands(&mut harness).is_empty());
    harness.get_by_label("Apply").click();
    harness.run_steps(3);
    let wish = DeviceWish {
        sample_rate_hz: 96_000,
        block_frames: 256,
        ..DeviceWish::default()
    };
    assert_eq!(commands(&mut harness), [Command::Device { wish }]);
}

#[test]
fn the_memory_map_is_walked_into_and_back() {
    let mut harness = page(Page::Health);
    harness.get_by_label_contains("delay , 3.7 MiB").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("delay line left").is_some());
    assert!(harness.query_by_label_contains("program , ").is_none());
    harness.get_by_label("All audio memory").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("program , ").is_some());
}

#[test]
fn tab_reaches_every_control_of_the_rack() {
    let mut harness = page(Page::Rack);
    harness.state_mut().screen.select("compressor");
    harness.run_steps(2);
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..80 {
        harness.key_press(Key::Tab);
        harness.run_steps(2);
        let focused =
            harness.query_all(egui_kittest::kittest::By::new().predicate(|node| node.is_focused()));
        reached.extend(focused.filter_map(|node| node.accesskit_node().label()));
    }
    for label in [
        "Health",
        "Panic",
        "Compare B",
        "Mute",
        "Record",
        "2 Compressor",
        "Compressor on",
        "Add a module",
        "Mix",
        "Bypass",
        "Delta",
        "Remove module",
        "Compressor handle 1",
        "Compressor Threshold",
        "Compressor Range",
        "Compressor Side-chain corner",
        "Compressor Key",
    ] {
        assert!(
            reached.contains(label),
            "`{label}` is not among {reached:?}"
        );
    }
}

#[test]
fn the_end_of_the_engine_is_said_within_a_look() {
    let mut harness = page(Page::Rack);
    assert!(harness.query_by_label("Engine gone").is_none());
    harness.state_mut().end_engine();
    harness.run_steps(2);
    assert!(harness.query_by_label("Engine gone").is_some());
}

#[test]
fn every_control_of_the_compressor_is_seen_in_the_smallest_window() {
    let set = Set {
        secs: 0.0,
        size: (800.0, 500.0),
        ..Set::default()
    };
    let mut harness = harness(&set);
    harness.state_mut().screen.select("compressor");
    harness.run_steps(3);
    for label in [
        "Compressor Threshold",
        "Compressor Detector",
        "Compressor Stereo link",
    ] {
        let rect = harness.get_by_label(label).rect();
        assert!(
            rect.is_positive() && rect.max.y <= 500.0 - 4.0,
            "{label} at {rect:?}"
        );
    }
}

#[test]
fn messages_and_what_a_recording_lost_are_said_on_the_health_page() {
    let mut harness = page(Page::Health);
    let said = |harness: &Harness<'_, Stage>, words: &str| {
        harness.query_by_label_contains(words).is_some()
    };
    assert!(said(&harness, "Nothing to be said"));
    let health = headroom_gui_tests::thread::bad_health();
    let state = harness.state_mut();
    state.engine.server.0.show_health(&health);
    harness.run_steps(3);
    for words in [
        "Recording 1:23, 480 frames lost",
        "eq: 3 chunks were no numbers",
        "No real-time priority",
        "Memory is not locked",
        "The output was lost",
    ] {
        assert!(said(&harness, words), "{words}");
    }
    assert!(!said(&harness, "Nothing to be said"));
    let height = |words| harness.get_by_label_contains(words).rect().min.y;
    let newest = height("It is back after");
    assert!(newest < height("The output was lost"), "the newest first");
}
