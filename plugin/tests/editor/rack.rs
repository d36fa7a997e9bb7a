//! Modules come, change places and go by a hand at the screen: what the host is told, what it saves, how late it is
//! told that it is, and what is heard.

use clack_host::prelude::ClapId;
use headroom_engine::{Catalog, Memory, Stream, open as engine, preset};

use crate::display::{on_a_display_that_is_read, xdotool};
use crate::eyes::{Seen, assert_sounds_like, kinds_of, rack_of, values};
use crate::host::{Instance, Told, state_of};
use crate::open::{BLOCK, Open, RATE_HZ, load};

const LOUD: &str = r#"headroom = 1
name = "Loud"

[[module]]
kind = "gain"

[module.params]
gain_db = 9.0
"#;

/// Nine decibels, and a compressor at one end of them, as new ones are.
fn pressed(compressor_first: bool) -> String {
    let compressor = "\n[[module]]\nkind = \"compressor\"\n";
    let gain = "\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = 9.0\n";
    let modules = if compressor_first {
        [compressor, gain]
    } else {
        [gain, compressor]
    };
    format!("headroom = 1\nname = \"Loud\"\n{}", modules.concat())
}

/// The host has been asked to start it anew if it is later or less late than before, and only then; and it is as
/// late as the engine says of the same rack.
fn assert_as_late(open: &mut Open<'_>, preset: &str) {
    let spec = preset::parse(preset, "test", &Catalog::builtin()).expect("a preset");
    let stream = Stream::new(RATE_HZ as u32, BLOCK, 2).expect("a stream");
    let (controller, _) = engine(stream, &spec, &Memory::default()).expect("an engine");
    let told = open.instance.latency_frames();
    let restarts = open.instance.asked_for_restarts();
    open.instance.stop();
    open.instance.start(RATE_HZ, BLOCK as u32);
    let late = open.instance.latency_frames();
    assert_eq!(late, controller.latency_frames());
    assert_eq!(
        restarts > 0,
        late != told,
        "{restarts} for {told} to {late}"
    );
}

/// A place in the strip is one gesture.
fn to_place(id: ClapId, place: f64) -> [Told; 3] {
    [Told::Begin(id), Told::Set(id, place), Told::End(id)]
}

#[test]
fn modules_come_move_and_go_on_the_screen_and_the_host_has_it_all() {
    on_a_display_that_is_read(|stage, eyes| {
        let entry = load(stage);
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&state_of(LOUD)));
        let mut open = Open::of(stage, instance, (0, 0), None);
        open.answers = true;
        open.wait_for_screen();
        let [gain, compressor] =
            ["Gain Place", "Compressor Place"].map(|name| open.instance.id(name));
        let loud = rack_of(&open.instance.save());
        // What the host saves after each step.
        let mut saved = vec![open.instance.save()];

        // It comes behind the module that is worked on.
        let mut before = values(&mut open.instance);
        let mut seen = Seen {
            open: &mut open,
            eyes,
        };
        seen.click("Add a module");
        stage.keep_picture("rack-add");
        seen.click("Add Compressor");
        assert_eq!(seen.read("inserted"), "inserted compressor");
        assert_eq!(seen.take_recorded(&before), to_place(compressor, 2.0));
        stage.keep_picture("rack-inserted");
        let open = &mut *seen.open;
        assert_eq!(kinds_of(&open.instance.save()), ["gain", "compressor"]);
        saved.push(open.instance.save());
        assert_as_late(open, &pressed(false));
        assert_sounds_like(&mut open.instance, &pressed(false));

        // Its card is pulled before the other one.
        before = values(&mut open.instance);
        let first = seen.middle("1 Gain");
        seen.drag_to("2 Compressor", (first.0 - 60, first.1));
        assert_eq!(seen.read("moved"), "moved compressor");
        let told = seen.take_recorded(&before);
        let both = [to_place(gain, 2.0), to_place(compressor, 1.0)];
        assert_eq!(told, both.concat(), "one gesture for each that moved");
        stage.keep_picture("rack-moved");
        let open = &mut *seen.open;
        assert_eq!(kinds_of(&open.instance.save()), ["compressor", "gain"]);
        saved.push(open.instance.save());
        assert_as_late(open, &pressed(true));
        assert_sounds_like(&mut open.instance, &pressed(true));

        // By the keyboard, back behind it.
        before = values(&mut open.instance);
        seen.click("1 Compressor");
        seen.press("ctrl+Right");
        seen.find("2 Compressor");
        let told = seen.take_recorded(&before);
        let both = [to_place(gain, 1.0), to_place(compressor, 2.0)];
        assert_eq!(told, both.concat());
        saved.push(seen.open.instance.save());
        assert_sounds_like(&mut seen.open.instance, &pressed(false));

        // One goes by its cross, the other by a key: what it was set to stays with its preset, not with it.
        before = values(&mut seen.open.instance);
        seen.click("2 Compressor");
        seen.click("Remove module");
        assert_eq!(seen.read("removed"), "removed compressor");
        assert_eq!(seen.take_recorded(&before), to_place(compressor, 0.0));
        let open = &mut *seen.open;
        assert_eq!(rack_of(&open.instance.save()), loud);
        saved.push(open.instance.save());
        assert_as_late(open, LOUD);
        assert_sounds_like(&mut open.instance, LOUD);
        before = values(&mut open.instance);
        seen.click("1 Gain");
        seen.press("Delete");
        assert_eq!(seen.read("removed g"), "removed gain");
        assert_eq!(seen.take_recorded(&before), to_place(gain, 0.0));
        stage.keep_picture("rack-empty");
        let open = &mut *seen.open;
        assert_eq!(kinds_of(&open.instance.save()), [""; 0]);
        assert_sounds_like(&mut open.instance, "headroom = 1\nname = \"Loud\"\n");

        // What the host saved is the same rack in another instance.
        saved.push(open.instance.save());
        let mut other = Instance::new(&entry);
        assert!(other.load_state(&saved[5]));
        assert_eq!(values(&mut other), values(&mut open.instance));

        // Each was one step: back by the keys past two that went and one that moved, and forth again, to the byte.
        let back = saved[2..5].iter().rev().map(|to| ("ctrl+z", to));
        let forth = saved[3..].iter().map(|to| ("ctrl+y", to));
        for (keys, to) in back.chain(forth) {
            before = values(&mut seen.open.instance);
            seen.press(keys);
            assert!(!seen.take_recorded(&before).is_empty(), "{keys}");
            assert_eq!(seen.open.instance.save(), *to, "{keys}");
        }

        // What is typed is that number, and no other one near it.
        seen.press("ctrl+z");
        seen.press("ctrl+z");
        seen.open.take_told();
        before = values(&mut seen.open.instance);
        seen.click("1 Gain");
        seen.click("Gain Gain");
        xdotool(&["type", "--delay", "30", "3.3"]);
        seen.press("Return");
        let gain = seen.open.instance.id("Gain Gain");
        let told = seen.take_recorded(&before);
        assert!(
            matches!(told[..], [Told::Begin(a), Told::Set(..), Told::End(b)] if a == gain && b == gain),
            "{told:?}"
        );
        let rack = rack_of(&seen.open.instance.save());
        assert!(rack.contains("gain_db = 3.3\n"), "{rack}");
        seen.open.close();
    });
}
