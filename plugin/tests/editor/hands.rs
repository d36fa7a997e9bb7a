//! What is done at the screen, and what the host does to it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::display::{move_mouse, on_a_display, xdotool};
use crate::host::{Set, Told};
use crate::open::{KNOB, Open, load, size};

#[test]
fn a_drag_is_a_gesture_that_the_host_is_told_of_and_hears_and_undoes() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        stage.keep_picture("clack");
        let id = open.instance.id("Gain Gain");
        let before = open.instance.value(id);
        let told = open.take_told();
        assert_eq!(told, [], "opening moves nothing");

        open.drag(KNOB, 80);
        let told = open.take_told();
        assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
        assert_eq!(told.last(), Some(&Told::End(id)), "{told:?}");
        let values: Vec<f64> = told
            .iter()
            .filter_map(|told| match told {
                Told::Set(of, value) if *of == id => Some(*value),
                _ => None,
            })
            .collect();
        assert_eq!(
            values.len() + 2,
            told.len(),
            "one gesture, of one parameter: {told:?}"
        );
        assert!(values.len() >= 3, "it moves while it is dragged: {told:?}");
        assert!(values.is_sorted_by(|a, b| a > b), "downwards: {values:?}");
        assert_eq!(Some(&open.instance.value(id)), values.last());
        let value = open.instance.value(id);
        let text = open.instance.text(id, value);
        let said: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
        assert!(said < -1.0, "{text}");
        assert!(
            (open.gain_db() - said).abs() < 0.1,
            "{} dB heard, {text} said",
            open.gain_db()
        );
        stage.keep_picture("clack-dragged");

        // The keyboard belongs to the screen since it was clicked.
        xdotool(&["key", "ctrl+z"]);
        open.play(Duration::from_millis(700));
        let told = open.take_told();
        let is_gesture = matches!(told[..], [Told::Begin(a), Told::Set(b, _), Told::End(c)] if a == id && b == id && c == id);
        assert!(is_gesture, "one step back is one gesture: {told:?}");
        assert_eq!(open.instance.value(id), before);
        assert!(open.gain_db().abs() < 0.01, "{} dB", open.gain_db());
        open.close();
    });
}

#[test]
fn what_the_host_moves_is_seen_and_what_is_let_go_of_does_not_jump_back() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        move_mouse(1_990, 1_390);
        open.play(Duration::from_millis(400));
        // Round the knob, its text with it.
        let knob = || stage.picture(KNOB.0 as i16 - 60, KNOB.1 as i16 - 70, 120, 140);
        let id = open.instance.id("Gain Gain");
        let at_rest = knob();
        let value = open.instance.value(id);
        open.process(&[Set(0, id, 0.2)]);
        open.play(Duration::from_millis(500));
        let automated = knob();
        assert_ne!(at_rest, automated, "automation moves the knob");
        open.process(&[Set(0, id, value)]);
        open.play(Duration::from_millis(500));
        assert!(at_rest == knob(), "and back to the pixel");

        // While the host takes its time (no block, no flush), what was set stays seen.
        move_mouse(KNOB.0, KNOB.1);
        open.play(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            move_mouse(KNOB.0, KNOB.1 + 6 * step);
            std::thread::sleep(Duration::from_millis(30));
        }
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(
            open.instance.value(id),
            value,
            "the host has not heard of it"
        );
        // The text under it: the ring round the knob shows whether it is held.
        let text = || stage.picture(KNOB.0 as i16 - 40, KNOB.1 as i16 + 36, 80, 30);
        let held = text();
        xdotool(&["mouseup", "1"]);
        std::thread::sleep(Duration::from_millis(250));
        assert!(held == text(), "it jumped when it was let go of");
        open.play(Duration::from_millis(300));
        assert!(held == text(), "it jumped when the host took it");
        assert_ne!(open.instance.value(id), value);
        open.close();
    });
}

#[test]
fn both_sides_resize_and_the_host_says_how_large_is_drawn() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.answers = true;
        open.wait_for_screen();
        let handle = open.instance.plugin.plugin_handle();
        let (gui, socket) = (open.gui, open.socket);
        let screen = stage.screen(socket).unwrap();
        assert_eq!(stage.size(screen), (900, 600));

        // The host's window is pulled.
        let least = gui.adjust_size(&handle, size(10, 10)).unwrap();
        assert_eq!(least, size(400, 250));
        let wanted = gui.adjust_size(&handle, size(1_100, 700)).unwrap();
        assert_eq!(wanted, size(1_100, 700));
        stage.resize(open.window, (1_100, 700));
        gui.set_size(&handle, wanted).unwrap();
        open.play_until("the screen's new size", |_| {
            stage.size(screen) == (1_100, 700)
        });
        assert_eq!(stage.size(socket), (1_100, 700));
        open.play(Duration::from_millis(700));
        stage.keep_picture("clack-larger");

        // The screen's corner is pulled: refused, then granted.
        let asked = |open: &Open<'_>| {
            open.instance
                .plugin
                .access_shared_handler(|asked| *asked.size.lock().unwrap())
        };
        assert_eq!(asked(&open), None);
        for (is_strict, pull) in [(true, -10), (false, -10), (false, 12)] {
            open.instance.plugin.access_shared_handler(|asked| {
                asked.is_strict.store(is_strict, Ordering::SeqCst);
                *asked.size.lock().unwrap() = None;
            });
            let before = stage.size(socket);
            let corner = (before.0 as i32 - 5, before.1 as i32 - 5);
            move_mouse(corner.0, corner.1);
            open.play(Duration::from_millis(200));
            xdotool(&["mousedown", "1"]);
            open.play(Duration::from_millis(200));
            for step in 1..=10 {
                move_mouse(corner.0 + pull * step, corner.1 + pull * step / 2);
                open.play(Duration::from_millis(30));
                open.instance.plugin.call_on_main_thread_callback();
            }
            open.play_until("the host is asked", |open| asked(open).is_some());
            let wish = asked(&open).expect("it was");
            assert_eq!(wish.width < before.0, pull < 0, "{wish:?}");
            let pulled = |side: u32, by: i32| (side as i32 + by) as u32;
            let after = if is_strict {
                before
            } else {
                (pulled(before.0, 10 * pull), pulled(before.1, 5 * pull))
            };
            if is_strict {
                // It would be asked again with each move.
                xdotool(&["mouseup", "1"]);
            }
            open.play_until("one size of both", |_| {
                stage.size(socket) == after && stage.size(screen) == after
            });
            xdotool(&["mouseup", "1"]);
            stage.resize(open.window, after);
            open.play(Duration::from_millis(300));
            assert_eq!(stage.size(socket), after);
            assert_eq!(stage.size(screen), after);
        }

        // A host that never comes back to its main thread: the screen is made as it was.
        open.answers = false;
        let before = stage.size(socket);
        move_mouse(before.0 as i32 - 5, before.1 as i32 - 5);
        open.play(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        open.play(Duration::from_millis(200));
        move_mouse(before.0 as i32 - 60, before.1 as i32 - 40);
        open.play_until("another size", |_| stage.size(screen) != before);
        xdotool(&["mouseup", "1"]);
        open.play_until("the size from before", |_| stage.size(screen) == before);
        assert_eq!(stage.size(socket), before);
        open.answers = true;

        // The host draws at another scale from now on: as much is seen, in more pixels.
        let handle = open.instance.plugin.plugin_handle();
        gui.set_size(&handle, size(900, 600)).unwrap();
        gui.set_scale(&handle, 1.5).unwrap();
        open.play_until("the screen in more pixels", |_| {
            stage.size(screen) == (1_350, 900)
        });
        assert_eq!(asked(&open), Some(size(1_350, 900)));
        stage.resize(open.window, (1_350, 900));
        open.play(Duration::from_millis(700));
        stage.keep_picture("clack-scaled");
        open.take_told();
        open.drag((KNOB.0 * 3 / 2, KNOB.1 * 3 / 2), 60);
        assert!(open.take_told().len() > 3, "the knob is where it is drawn");
        open.close();
    });
}
