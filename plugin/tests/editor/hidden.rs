//! Editors that are hidden and shown again, and hosts that draw larger than by one.

use std::time::Duration;

use crate::display::{files_and_threads, move_mouse, on_a_display};
use crate::host::{Instance, Told};
use crate::open::{KNOB, Open, load, plain};

/// What a process has taken of its processor so far, in hundredths of a second.
fn ticks_of(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, after) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = after.split_whitespace().collect();
    // `utime` and `stime`, by proc(5).
    [11, 12]
        .map(|at| fields[at].parse::<u64>().expect("a number"))
        .iter()
        .sum()
}

#[test]
fn a_hidden_editor_draws_nothing_and_is_the_same_when_it_is_seen_again() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        move_mouse(1_990, 1_390);
        open.play(Duration::from_millis(500));
        let pid = open.screen_pid().expect("a screen");
        let gui = open.gui;
        let spent = |open: &mut Open<'_>| {
            let before = ticks_of(pid);
            open.play(Duration::from_secs(2));
            ticks_of(pid) - before
        };
        let seen = spent(&mut open);
        let hide = |open: &mut Open<'_>| {
            let handle = open.instance.plugin.plugin_handle();
            gui.hide(&handle).expect("it is hidden");
        };
        let show = |open: &mut Open<'_>| {
            let handle = open.instance.plugin.plugin_handle();
            gui.show(&handle).expect("it is shown");
            open.wait_for_screen();
        };
        hide(&mut open);
        open.play(Duration::from_millis(500));
        assert!(!stage.is_seen(open.socket));
        let hidden = spent(&mut open);
        show(&mut open);
        assert_eq!(open.screen_pid(), Some(pid), "the same screen");
        // A host may also hide its own window, and say nothing.
        stage.put(open.window, false);
        open.play(Duration::from_millis(500));
        let unsaid = spent(&mut open);
        stage.put(open.window, true);
        open.wait_for_screen();
        assert_eq!(open.screen_pid(), Some(pid), "the same screen");
        eprintln!(
            "hundredths in two seconds: {seen} seen, {hidden} hidden, {unsaid} with the host"
        );
        for hidden in [hidden, unsaid] {
            assert!(hidden * 3 < seen, "{hidden} of {seen}");
        }

        // What was moved in the meantime is there, and it can be taken hold of.
        hide(&mut open);
        let id = open.instance.id("Gain Gain");
        open.play(Duration::from_millis(300));
        let rest = open.instance.value(id);
        open.process(&[crate::host::Set(0, id, 0.2)]);
        open.play(Duration::from_millis(300));
        let moved = open.instance.value(id);
        assert_ne!(moved, rest);
        show(&mut open);
        open.drag(KNOB, 20);
        let told = open.take_told();
        let first = told.iter().find_map(|told| match told {
            Told::Set(_, value) => Some(*value),
            _ => None,
        });
        let first = first.expect("it was moved");
        assert!(
            (first - moved).abs() < 0.05,
            "from where it stands: {first}"
        );

        // Many times: nothing is left of it.
        open.play(Duration::from_millis(500));
        let before = [std::process::id(), pid].map(files_and_threads);
        for round in 0..30 {
            hide(&mut open);
            open.play(Duration::from_millis(if round % 5 == 0 { 150 } else { 10 }));
            let handle = open.instance.plugin.plugin_handle();
            gui.show(&handle).expect("it is shown");
            open.play(Duration::from_millis(10));
        }
        open.wait_for_screen();
        assert_eq!(open.screen_pid(), Some(pid));
        let after = [std::process::id(), pid].map(files_and_threads);
        assert_eq!(
            after, before,
            "descriptors and threads, of the host and the screen"
        );
        stage.keep_picture("seen-again");
        open.close();
    });
}

#[test]
fn a_host_that_draws_by_two_has_an_editor_of_twice_the_pixels_from_the_first() {
    on_a_display(|stage| {
        let entry = load(stage);
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&plain()));
        let mut open = Open::of(stage, instance, (0, 0), Some(2.0));
        open.wait_for_screen();
        assert_eq!(stage.size(open.window), (1_800, 1_200));
        assert_eq!(stage.size(open.socket), (1_800, 1_200));
        let screen = stage.screen(open.socket).expect("a screen");
        assert_eq!(stage.size(screen), (1_800, 1_200));
        stage.keep_picture("by-two");
        let id = open.instance.id("Gain Gain");
        open.take_told();
        open.drag((2 * KNOB.0, 2 * KNOB.1), 120);
        let told = open.take_told();
        assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
        assert!(told.len() > 4, "the knob is where it is drawn: {told:?}");
        open.close();
    });
}

#[test]
fn words_in_the_place_of_a_screen_are_as_large_as_the_host_draws() {
    on_a_display(|stage| {
        std::fs::remove_file(stage.bundle.screen()).expect("it is there");
        let entry = load(stage);
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&plain()));
        let mut open = Open::of(stage, instance, (0, 0), None);
        let ink = |open: &mut Open<'_>| {
            open.play_until("words", |open| stage.has_words(open.socket));
            open.play(Duration::from_millis(300));
            let seen = stage.picture(0, 0, 1_800, 1_200);
            let ground = seen[0];
            let (width, mut rows) = (1_800, 0);
            // Rows of pixels that have some of a letter, in the first editor's part.
            for row in seen.chunks(width) {
                rows += usize::from(
                    row[1..890]
                        .iter()
                        .any(|pixel| *pixel != ground && *pixel != 0),
                );
            }
            rows
        };
        let small = ink(&mut open);
        assert!(small > 20, "{small} rows");
        open.close();
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&plain()));
        let mut open = Open::of(stage, instance, (0, 0), Some(2.0));
        let large = ink(&mut open);
        stage.keep_picture("words-by-two");
        assert!(large * 2 > small * 3, "{large} rows, and by one {small}");
        open.close();
    });
}
