//! The screen of a mono instance.

use std::time::Duration;

use crate::display::on_a_display_that_is_read;
use crate::eyes::{Seen, assert_sounds_like, rack_of};
use crate::host::{Instance, Told};
use crate::open::{KNOB, Open, load, plain};

/// The level that a master meter says.
fn peak_db(words: &str) -> f64 {
    let number = words
        .trim_start_matches("Output peak ")
        .trim_end_matches(" dB");
    // A minus as it is set in print.
    let number = number.replace('\u{2212}', "-");
    number.parse().unwrap_or(f64::NEG_INFINITY)
}

#[test]
fn a_mono_instance_has_a_screen_whose_meters_move_and_whose_knobs_are_heard() {
    on_a_display_that_is_read(|stage, eyes| {
        let entry = load(stage);
        let mut instance = Instance::mono(&entry);
        assert!(instance.load_state(&plain()));
        let mut open = Open::of(stage, instance, (0, 0), None);
        open.is_silent = true;
        open.wait_for_screen();
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        let silence = seen.read("Output peak");
        assert!(peak_db(&silence) < -90.0, "{silence}");
        let bars = || stage.picture(900 - 50, 120, 45, 400);
        let dark = bars();
        seen.open.is_silent = false;
        seen.open.play(Duration::from_millis(700));
        let loud = seen.read("Output peak");
        // Noise of half of full scale.
        assert!((peak_db(&loud) + 6.02).abs() < 0.15, "{loud}");
        let lit = bars();
        let changed = dark.iter().zip(&lit).filter(|(a, b)| a != b).count();
        assert!(changed > 2_000, "{changed} pixels of the bars");
        stage.keep_picture("mono");

        let id = seen.open.instance.id("Gain Gain");
        seen.open.drag(KNOB, 80);
        let told = seen.open.take_told();
        assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
        assert_eq!(told.last(), Some(&Told::End(id)), "{told:?}");
        let value = seen.open.instance.value(id);
        let text = seen.open.instance.text(id, value);
        let said: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
        assert!(said < -1.0, "{text}");
        let heard = seen.open.gain_db();
        assert!((heard - said).abs() < 0.1, "{heard} dB heard, {text} said");
        let saved = rack_of(&seen.open.instance.save());
        assert_sounds_like(&mut seen.open.instance, &saved);
        open.close();
    });
}
