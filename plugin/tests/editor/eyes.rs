//! Somebody who reads the screen and has a hand at its mouse: what is clicked on is found by its name, where it is
//! drawn. And what a host makes of it: gestures, values, the state that it saves.

use std::collections::HashMap;
use std::time::Duration;

use clack_host::prelude::ClapId;

use crate::display::listener::{Listener, Place};
use crate::display::{move_mouse, xdotool};
use crate::host::{Instance, Told, json_of, noise, rendered};
use crate::open::{BLOCK, Open, RATE_HZ};

/// An editor in the corner of the display, and who looks at it.
pub(crate) struct Seen<'a, 'b> {
    pub(crate) open: &'b mut Open<'a>,
    pub(crate) eyes: &'b Listener,
}

impl Seen<'_, '_> {
    /// Something of this name, once it is there. The host plays on.
    pub(crate) fn find(&mut self, name: &str) -> Place {
        let mut found = None;
        let eyes = self.eyes;
        self.open.play_until(name, |_| {
            found = eyes.seek(|known| known == name);
            found.is_some()
        });
        found.expect("it was found")
    }

    /// The words of something whose name begins so.
    pub(crate) fn read(&mut self, start: &str) -> String {
        let mut words = String::new();
        let eyes = self.eyes;
        self.open.play_until(start, |_| {
            let found = eyes.seek(|known| {
                known.starts_with(start) && {
                    words = known.to_owned();
                    true
                }
            });
            found.is_some()
        });
        words
    }

    /// Where its middle is, on the display.
    pub(crate) fn middle(&mut self, name: &str) -> (i32, i32) {
        let mut middle = None;
        let eyes = self.eyes;
        self.open.play_until(name, |_| {
            let found = eyes.seek(|known| known == name);
            middle = found.and_then(|found| eyes.middle(&found));
            middle.is_some()
        });
        middle.expect("it was found")
    }

    /// Clicks on it, and lets what it does be done.
    pub(crate) fn click(&mut self, name: &str) {
        let (x, y) = self.middle(name);
        move_mouse(x, y);
        self.open.play(Duration::from_millis(150));
        xdotool(&["click", "1"]);
        self.open.play(Duration::from_millis(350));
    }

    pub(crate) fn press(&mut self, keys: &str) {
        xdotool(&["key", keys]);
        self.open.play(Duration::from_millis(400));
    }

    /// Takes it from its middle to a point on the display.
    pub(crate) fn drag_to(&mut self, name: &str, to: (i32, i32)) {
        let from = self.middle(name);
        move_mouse(from.0, from.1);
        self.open.play(Duration::from_millis(150));
        xdotool(&["mousedown", "1"]);
        for step in 1..=8 {
            let part = |from: i32, to: i32| from + (to - from) * step / 8;
            move_mouse(part(from.0, to.0), part(from.1, to.1));
            self.open.play(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        self.open.play(Duration::from_millis(400));
    }

    /// What the host has been told since it last looked. What it has recorded of it, played over what was before,
    /// comes to what is now; nothing moves that is not in a hand, and no hand stays.
    pub(crate) fn take_recorded(&mut self, before: &Values) -> Vec<Told> {
        let told = self.open.take_told();
        let mut recorded = before.clone();
        let mut held: Vec<ClapId> = Vec::new();
        for one in &told {
            match one {
                Told::Begin(id) => {
                    assert!(!held.contains(id), "{id:?} is held twice: {told:?}");
                    held.push(*id);
                }
                Told::Set(id, value) => {
                    assert!(held.contains(id), "{id:?} is not held: {told:?}");
                    recorded.insert(*id, *value);
                }
                Told::End(id) => {
                    assert!(held.contains(id), "{id:?} was not held: {told:?}");
                    held.retain(|other| other != id);
                }
            }
        }
        assert!(held.is_empty(), "{told:?}");
        assert_eq!(values(&mut self.open.instance), recorded);
        told
    }
}

/// What the host has of each parameter.
pub(crate) type Values = HashMap<ClapId, f64>;

pub(crate) fn values(instance: &mut Instance) -> Values {
    let list = instance.list();
    let value = |(id, ..): &(ClapId, String, f64, f64)| (*id, instance.value(*id));
    list.iter().map(value).collect()
}

/// The preset in a state that a host has saved.
pub(crate) fn rack_of(state: &[u8]) -> String {
    let json = json_of(state);
    let rack = json["fields"]["rack"].as_str().expect("a rack");
    rack.to_owned()
}

/// The kinds of its modules, in their order.
pub(crate) fn kinds_of(state: &[u8]) -> Vec<String> {
    let rack = rack_of(state);
    let kinds = rack.lines().filter_map(|line| line.strip_prefix("kind = "));
    kinds
        .map(|kind| kind.trim_matches('"').to_owned())
        .collect()
}

/// What an instance plays from here on is what the engine itself makes of a preset, to the bit.
pub(crate) fn assert_sounds_like(instance: &mut Instance, preset: &str) {
    instance.reset();
    let channels = instance.channels;
    let mut input: Vec<Vec<f32>> = vec![Vec::new(); channels];
    let mut output = input.clone();
    for block in 0..40 {
        let noise = noise(1_000 + block, channels, BLOCK);
        let heard = instance.process(&noise, &[]);
        for channel in 0..channels {
            input[channel].extend(&noise[channel]);
            output[channel].extend(&heard[channel]);
        }
    }
    let expected = rendered(preset, RATE_HZ as u32, &input);
    for (channel, (heard, expected)) in output.iter().zip(&expected).enumerate() {
        let differs = heard.iter().zip(expected).position(|(a, b)| a != b);
        assert_eq!(differs, None, "channel {channel}, of {preset}");
    }
}
