//! Presets, two racks that are compared, and steps back and forth, by a hand at the screen: the host's parameters
//! follow, and what it has recorded of it comes to the same.

use std::path::Path;
use std::time::Duration;

use headroom_engine::preset;

use crate::display::on_a_display_that_is_read;
use crate::eyes::{Seen, assert_sounds_like, kinds_of, rack_of, values};
use crate::host::{Instance, state_of};
use crate::open::{KNOB, Open, RATE_HZ, assert_untouched, load};

fn factory(name: &str) -> &'static str {
    let presets = preset::factory().iter();
    let mut found = presets.filter(|preset| preset.name == name);
    found.next().expect("a built-in preset").text
}

/// A preset of the user's own.
fn keep_own(name: &str, text: &str) {
    let config = std::env::var_os("XDG_CONFIG_HOME").expect("the test's own");
    let folder = Path::new(&config).join("headroom/presets");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(format!("{name}.toml")), text).expect("a preset");
}

/// A preset with all that it leaves to its defaults.
fn written_out(text: &str) -> String {
    let catalog = headroom_engine::Catalog::builtin();
    preset::to_toml(&preset::parse(text, "test", &catalog).expect("a preset"))
}

#[test]
fn a_preset_from_the_screen_moves_the_hosts_parameters_and_is_one_step() {
    on_a_display_that_is_read(|stage, eyes| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let plain = (values(&mut open.instance), open.instance.save());
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        seen.click("Presets");
        stage.keep_picture("presets");
        seen.click("Load Vocal Strip");
        assert_eq!(seen.read("preset"), "preset `vocal-strip`");
        stage.keep_picture("presets-loaded");
        let told = seen.take_recorded(&plain.0);
        assert!(told.len() > 30, "{told:?}");
        let vocal = (values(&mut seen.open.instance), seen.open.instance.save());
        let text = factory("vocal-strip");
        assert_eq!(written_out(&rack_of(&vocal.1)), written_out(text));
        assert_sounds_like(&mut seen.open.instance, text);
        seen.read("Rack Vocal Strip");

        let is_loaded = |seen: &mut Seen<'_, '_>| {
            let row = seen.find("Load Vocal Strip");
            eyes.is_pressed(&row)
        };
        assert!(is_loaded(&mut seen));

        // Back and forth, by the buttons and by the keys: as one step, to the last byte.
        for (step, is_back) in [("Undo", true), ("Redo", false)] {
            let (from, to) = if is_back {
                (&vocal, &plain)
            } else {
                (&plain, &vocal)
            };
            seen.click(step);
            seen.take_recorded(&from.0);
            assert_eq!(values(&mut seen.open.instance), to.0, "{step}");
            assert_eq!(seen.open.instance.save(), to.1, "{step}");
            assert_eq!(is_loaded(&mut seen), !is_back, "{step}");
        }
        seen.press("ctrl+z");
        seen.take_recorded(&vocal.0);
        assert_eq!(seen.open.instance.save(), plain.1);
        let is_enabled = |seen: &mut Seen<'_, '_>, name| {
            let button = seen.find(name);
            eyes.is_enabled(&button)
        };
        assert!(!is_enabled(&mut seen, "Undo"), "there was one step");
        assert!(is_enabled(&mut seen, "Redo"));
        seen.press("ctrl+shift+z");
        seen.take_recorded(&plain.0);
        assert_eq!(seen.open.instance.save(), vocal.1);
        assert!(!is_enabled(&mut seen, "Redo"));
        assert_sounds_like(&mut seen.open.instance, text);
        open.close();
    });
}

#[test]
fn what_echoes_in_the_rack_that_a_preset_replaces_rings_out_as_it_was() {
    on_a_display_that_is_read(|stage, eyes| {
        let delay = "\n[[module]]\nkind = \"delay\"\n[module.params]\ntime_ms = 3000.0\nfeedback = 0.0\ndry = false\n";
        let gain = "\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = -72.0\n";
        let echo = format!("headroom = 1\nname = \"Echo\"\n{delay}");
        keep_own(
            "hush",
            &format!("headroom = 1\nname = \"Hush\"\n{delay}{gain}"),
        );
        let entry = load(stage);
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&state_of(&echo)));
        let mut open = Open::of(stage, instance, (0, 0), None);
        open.is_silent = true;
        open.wait_for_screen();
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        seen.click("Presets");
        seen.click("Yours");
        seen.middle("Load Hush");
        // A burst, and another rack before its echo.
        seen.open.is_silent = false;
        seen.open.play(Duration::from_millis(100));
        seen.open.is_silent = true;
        let burst = seen.open.input[0].len();
        seen.click("Load Hush");
        seen.read("Rack Hush");
        assert_eq!(kinds_of(&seen.open.instance.save()), ["delay", "gain"]);
        let changed = seen.open.input[0].len();
        assert!(
            changed < burst + 2 * RATE_HZ as usize,
            "in {changed} frames"
        );
        while seen.open.input[0].len() < burst + 4 * RATE_HZ as usize {
            seen.open.process(&[]);
        }
        let heard = seen.open.output[0][changed..].iter();
        let peak = heard.fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak > 0.2, "an edit of that rack would hush it: {peak}");
        open.close();
    });
}

#[test]
fn two_racks_are_compared_and_each_is_found_again_to_the_last_byte() {
    on_a_display_that_is_read(|stage, eyes| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let a = (values(&mut open.instance), open.instance.save());
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        // The other one begins as a copy: nothing moves.
        seen.click("Compare B");
        assert_eq!(seen.take_recorded(&a.0), []);
        assert_eq!(seen.open.instance.save(), a.1);
        seen.open.drag(KNOB, 60);
        seen.click("Add a module");
        seen.click("Add Compressor");
        seen.take_recorded(&a.0);
        let b = (values(&mut seen.open.instance), seen.open.instance.save());
        assert_eq!(kinds_of(&b.1), ["gain", "compressor"]);
        // By the button, and by the key from where the hand is.
        for by_key in [false, true] {
            for (name, from, to) in [("Compare A", &b, &a), ("Compare B", &a, &b)] {
                if by_key {
                    seen.press("c");
                } else {
                    seen.click(name);
                }
                let button = seen.find(name);
                assert!(eyes.is_pressed(&button), "{name}");
                let told = seen.take_recorded(&from.0);
                assert_eq!(told.len(), 6, "the gain and the place: {told:?}");
                assert_eq!(values(&mut seen.open.instance), to.0, "{name}");
                assert_eq!(seen.open.instance.save(), to.1, "{name}");
            }
        }
        stage.keep_picture("compared");
        let saved = rack_of(&b.1);
        assert_sounds_like(&mut seen.open.instance, &saved);
        seen.click("Compare A");
        let saved = rack_of(&a.1);
        assert_sounds_like(&mut seen.open.instance, &saved);
        open.close();
    });
}

#[test]
fn a_preset_that_the_strip_cannot_hold_is_refused_in_words_and_nothing_moves() {
    on_a_display_that_is_read(|stage, eyes| {
        let twice = "headroom = 1\nname = \"Twice\"\n[[module]]\nkind = \"eq\"\n[[module]]\nkind = \"eq\"\nid = \"eq2\"\n";
        keep_own("twice", twice);
        keep_own(
            "torn",
            "headroom = 1\nname = \"Torn\"\n[[module]]\nkind = \"eq",
        );
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let before = (values(&mut open.instance), open.instance.save());
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        seen.click("Presets");
        seen.click("Yours");
        seen.click("Load Twice");
        let words = seen.read("the rack has");
        assert!(words.contains("`eq` twice"), "{words}");
        assert!(words.ends_with("plays such racks)"), "all of it: {words}");
        stage.keep_picture("refused");
        assert_eq!(seen.take_recorded(&before.0), [], "the host hears nothing");
        assert_eq!(seen.open.instance.save(), before.1);
        // It is the screen's alone: the rack is called as before, and there is nothing to undo.
        seen.read("Rack Plain");
        let undo = seen.find("Undo");
        assert!(!eyes.is_enabled(&undo));
        assert_untouched(&open, &entry);
        open.close();
    });
}
