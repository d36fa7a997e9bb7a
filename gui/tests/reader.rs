//! The screen to somebody who does not see it: on the system's accessibility bus, where screen readers listen,
//! its controls have names and values, and what is done there is heard.

#![cfg(target_os = "linux")]

mod common;

use common::listener::{self, FRAME, Listener, Place, SLIDER, TOGGLE_BUTTON};
use common::{Stage, end, frames, last_words, wait_for};
use headroom_test_kit::Server;
use std::time::Duration;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};

/// A bus of a stage's own.
fn start_bus(stage: &mut Stage) -> Server {
    let bus = listener::start_bus(stage.command("dbus-daemon".as_ref(), &[]));
    stage.bus = Some(bus.said().to_owned());
    bus
}

/// Waits until something on a screen has this name.
fn find(listener: &Listener, name: &str) -> Place {
    wait_for(name, || listener.seek(|known| known == name))
}

#[test]
fn what_a_screen_reader_finds_has_names_and_values_and_what_it_does_is_heard() {
    let mut stage = Stage::new();
    let bus = start_bus(&mut stage);
    let program = stage.play(&["plain.toml", "--loop"]);
    wait_for("the gain", || stage.gain_db().filter(|gain| *gain == 0.0));
    // It comes to a screen that is there already.
    let window = wait_for("a window", || stage.windows().into_iter().next());
    let listener = Listener::come(bus.said());
    assert_eq!(listener.role(&find(&listener, "Headroom")), FRAME);
    let knob = find(&listener, "Gain Gain");
    assert_eq!(listener.role(&knob), SLIDER);
    assert_eq!(listener.number(&knob, "CurrentValue"), Some(0.0));
    let ends = ["MinimumValue", "MaximumValue"].map(|end| listener.number(&knob, end).unwrap());
    assert!(
        ends[0] < -40.0 && ends[1] > 10.0 && ends[1] < 100.0,
        "{ends:?}"
    );

    listener.set_number(&knob, -12.0);
    wait_for("what the reader set", || {
        stage.gain_db().filter(|gain| *gain == -12.0)
    });
    wait_for("what it says then", || {
        let said = listener.text(&knob, "Description")?;
        let is_said = said.contains("12") && said.contains("dB");
        let number = listener.number(&knob, "CurrentValue");
        (number == Some(-12.0) && is_said).then_some(())
    });

    // It takes the keyboard to where it reads.
    stage.xdotool(&["windowfocus", &window]);
    assert!(!listener.has_focus(&knob));
    listener.focus(&knob);
    wait_for("the keyboard", || listener.has_focus(&knob).then_some(()));
    stage.xdotool(&["key", "Up"]);
    wait_for("what the key does", || {
        stage.gain_db().filter(|gain| *gain > -12.0 && *gain < 0.0)
    });

    let mute = find(&listener, "Mute");
    assert_eq!(listener.role(&mute), TOGGLE_BUTTON);
    assert!(!listener.is_pressed(&mute));
    listener.press(&mute);
    wait_for("silence", || {
        let seen = stage.seen()?;
        let heard = seen["master"]["rms_dbfs"].as_array()?[0].as_f64();
        heard.is_none_or(|level| level < -90.0).then_some(())
    });
    wait_for("the button to be in", || {
        listener.is_pressed(&mute).then_some(())
    });
    // And one that goes is told no more.
    listener.listen(false);
    wait_for("silence", || listener.screens().is_empty().then_some(()));
    end(program);
}

#[test]
fn a_screen_reader_finds_a_screen_inside_another_programs_window() {
    let mut stage = Stage::new();
    let bus = start_bus(&mut stage);
    let program = stage.play(&["plain.toml", "--loop", "--no-gui"]);
    let (display, screen) = x11rb::connect(Some(stage.display.name())).unwrap();
    let root = display.setup().roots[screen].root;
    let parent = display.generate_id().unwrap();
    let looks = CreateWindowAux::new();
    display
        .create_window(
            0,
            parent,
            root,
            0,
            0,
            900,
            600,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &looks,
        )
        .unwrap();
    display.map_window(parent).unwrap();
    display.flush().unwrap();
    // Somebody listens from the beginning.
    let listener = Listener::come(bus.said());
    let mut screen = stage.screen(&["--parent", &parent.to_string()]);
    let knob = find(&listener, "Gain Pan");
    listener.set_number(&knob, 0.5);
    wait_for("what the reader set", || {
        let seen = stage.seen()?;
        let values = seen["modules"][0]["values"].as_array()?.clone();
        let pan = values.iter().find(|value| value[0] == "pan")?[1].as_f64()?;
        (pan == 0.5).then_some(())
    });
    screen.kill().unwrap();
    screen.wait().unwrap();
    end(program);
}

#[test]
fn nothing_is_drawn_while_nothing_changes_though_a_reader_listens() {
    let mut stage = Stage::new();
    let bus = start_bus(&mut stage);
    let listener = Listener::come(bus.said());
    let screen = stage.screen(&["--stats"]);
    find(&listener, "Panic");
    std::thread::sleep(Duration::from_secs(4));
    let window = wait_for("a window", || stage.windows().into_iter().next());
    stage.xdotool(&["windowclose", &window]);
    let said = last_words(screen);
    assert!((1.0..=4.0).contains(&frames(&said)), "{said}");
}
