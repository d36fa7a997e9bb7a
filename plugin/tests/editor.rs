//! The screen inside a host's window, by a host of our own on a real display: what is dragged there the host
//! records and everybody hears, and however the screen ends, the sound stays what it is, to the bit.
#![cfg(target_os = "linux")]
// The host's windows are given by their numbers.
#![allow(unsafe_code)]

#[path = "display/mod.rs"]
mod display;
mod host;

use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_host::prelude::*;

use display::{
    Stage, host_to_kill, move_mouse, on_a_display, screens_of, signal, wait_for, xdotool,
};
use host::{Instance, Set, Told, noise};

const RATE_HZ: f64 = 48_000.0;
const BLOCK: usize = 512;
const X11: GuiConfiguration<'static> = GuiConfiguration {
    api_type: GuiApiType::X11,
    is_floating: false,
};
/// Where the knob of the only module is, in points from the corner of a screen of 900 by 600.
const KNOB: (i32, i32) = (136, 240);
/// Deaths that a screen is put to.
const KILLS: usize = 20;

fn plain() -> Vec<u8> {
    host::state_of("headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n")
}

fn size(width: u32, height: u32) -> GuiSize {
    GuiSize { width, height }
}

/// An instance with its editor open in a window of the host's.
struct Open<'a> {
    stage: &'a Stage,
    instance: Instance,
    window: u32,
    socket: u32,
    gui: PluginGui,
    /// What has gone in, and come out.
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    random: u64,
    /// The host comes back to its main thread when it is asked to; some never do.
    answers: bool,
}

impl<'a> Open<'a> {
    fn new(stage: &'a Stage, entry: &PluginEntry, x: i16, y: i16) -> Self {
        let mut instance = Instance::new(entry);
        assert!(instance.load_state(&plain()));
        instance.start(RATE_HZ, BLOCK as u32);
        let handle = instance.plugin.plugin_handle();
        let gui: PluginGui = handle.get_extension().expect("an editor");
        let mut open = Self {
            stage,
            instance,
            window: 0,
            socket: 0,
            gui,
            input: vec![Vec::new(); 2],
            output: vec![Vec::new(); 2],
            random: 7,
            answers: false,
        };
        open.open(x, y);
        open
    }

    /// As hosts do it: the size first, then the window, then all of it is shown.
    fn open(&mut self, x: i16, y: i16) {
        let handle = self.instance.plugin.plugin_handle();
        assert!(self.gui.is_api_supported(&handle, X11));
        self.gui.create(&handle, X11).expect("an editor");
        assert!(self.gui.can_resize(&handle));
        let asked = self.gui.get_size(&handle).expect("a size");
        self.window = self.stage.window(x, y, (asked.width, asked.height));
        let parent = Window::from_x11_handle(self.window.into());
        // SAFETY: the window is there until the editor is closed.
        unsafe { self.gui.set_parent(&handle, parent) }.expect("a parent");
        self.gui.show(&handle).expect("it is shown");
        self.socket = self.stage.socket(self.window);
    }

    fn close(&mut self) {
        let handle = self.instance.plugin.plugin_handle();
        self.gui.destroy(&handle);
        self.stage.destroy(self.window);
    }

    /// One block of noise.
    fn process(&mut self, sets: &[Set]) {
        self.random += 1;
        let input = noise(self.random, 2, BLOCK);
        let output = self.instance.process(&input, sets);
        for channel in 0..2 {
            self.input[channel].extend(&input[channel]);
            self.output[channel].extend(&output[channel]);
        }
    }

    /// Sound for a while, as a host makes it: a block each ten milliseconds.
    fn play(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.process(&[]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until it is so; a host comes back to its main thread all the while.
    fn play_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            if self.answers {
                self.instance.plugin.call_on_main_thread_callback();
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{what}: waited for in vain"
            );
            self.process(&[]);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until the screen is seen, with the rack on it.
    fn wait_for_screen(&mut self) {
        self.play_until("a screen", |open| open.stage.has_screen(open.socket));
        self.play(Duration::from_millis(500));
    }

    fn screen_pid(&self) -> Option<u32> {
        screens_of(std::process::id())
            .into_iter()
            .find(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok())
    }

    /// By how many decibels the last blocks came out louder than they went in.
    fn gain_db(&self) -> f64 {
        let energy = |channels: &[Vec<f32>]| -> f64 {
            let last = &channels[0][channels[0].len() - 4 * BLOCK..];
            last.iter().map(|sample| f64::from(*sample).powi(2)).sum()
        };
        10.0 * (energy(&self.output) / energy(&self.input)).log10()
    }

    /// Takes hold of the knob, pulls it `dy` points down, and lets go.
    fn drag(&mut self, from: (i32, i32), dy: i32) {
        move_mouse(from.0, from.1);
        self.play(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            move_mouse(from.0, from.1 + dy * step / 10);
            self.play(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        self.play(Duration::from_millis(300));
        move_mouse(1_990, 1_390);
        self.play(Duration::from_millis(300));
    }

    /// What the host was told of one parameter since it last looked.
    fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.instance.told)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.stage.keep_picture("panicked");
    }
}

/// A plugin loaded from a bundle.
fn load(stage: &Stage) -> PluginEntry {
    // SAFETY: it is the library that this package has built, and its initialisers only set statics.
    unsafe { PluginEntry::load(stage.bundle.plugin()) }.expect("the library loads")
}

/// What came out of a rack at 0 dB that nobody touched: what another instance makes of the same, without an
/// editor.
fn assert_untouched(open: &Open<'_>, entry: &PluginEntry) {
    let mut other = Instance::new(entry);
    assert!(other.load_state(&plain()));
    other.start(RATE_HZ, BLOCK as u32);
    for (block, at) in (0..open.input[0].len()).step_by(BLOCK).enumerate() {
        let input = [0, 1].map(|channel| open.input[channel][at..at + BLOCK].to_vec());
        let output = other.process(&input, &[]);
        for (channel, output) in output.iter().enumerate() {
            let is_same = output[..] == open.output[channel][at..at + BLOCK];
            assert!(is_same, "block {block}, channel {channel}");
        }
    }
}

#[test]
fn a_drag_is_a_gesture_that_the_host_is_told_of_and_hears_and_undoes() {
    on_a_display(
        "a_drag_is_a_gesture_that_the_host_is_told_of_and_hears_and_undoes",
        |stage| {
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
        },
    );
}

#[test]
fn what_the_host_moves_is_seen_and_what_is_let_go_of_does_not_jump_back() {
    on_a_display(
        "what_the_host_moves_is_seen_and_what_is_let_go_of_does_not_jump_back",
        |stage| {
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
        },
    );
}

#[test]
fn both_sides_resize_and_the_host_says_how_large_is_drawn() {
    on_a_display(
        "both_sides_resize_and_the_host_says_how_large_is_drawn",
        |stage| {
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
        },
    );
}

#[test]
fn a_screen_that_is_killed_is_back_once_by_itself_and_then_by_a_click() {
    on_a_display(
        "a_screen_that_is_killed_is_back_once_by_itself_and_then_by_a_click",
        |stage| {
            let entry = load(stage);
            let mut open = Open::new(stage, &entry, 0, 0);
            open.wait_for_screen();
            let kills =
                std::env::var("HEADROOM_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
            let mut slowest = Duration::ZERO;
            let mut by_click = 0;
            for kill in 0..kills {
                let pid = open.screen_pid().expect("a screen");
                signal(pid, "KILL");
                let killed = Instant::now();
                open.play_until("words where it was", |open| stage.has_words(open.socket));
                slowest = slowest.max(killed.elapsed());
                if kill == 1 {
                    open.play(Duration::from_millis(200));
                    stage.keep_picture("clack-killed");
                }
                // It comes by itself the first time, and by a click when it had not lived for long.
                open.play(Duration::from_millis(300));
                if screens_of(std::process::id()).is_empty() {
                    by_click += 1;
                    move_mouse(300 + kill as i32 % 7, 300);
                    xdotool(&["click", "1"]);
                }
                open.play_until("another screen", |open| {
                    stage.has_screen(open.socket) && open.screen_pid().is_some_and(|it| it != pid)
                });
            }
            eprintln!("{kills} kills, {by_click} by a click; words after at most {slowest:?}");
            assert!(slowest < Duration::from_secs(3), "{slowest:?}");
            assert!((1..kills).contains(&by_click), "{by_click} of {kills}");
            assert_untouched(&open, &entry);
            open.close();
            wait_for("no screen", || {
                screens_of(std::process::id()).is_empty().then_some(())
            });
        },
    );
}

#[test]
fn a_screen_that_hangs_is_told_of_and_comes_back_or_is_replaced() {
    on_a_display(
        "a_screen_that_hangs_is_told_of_and_comes_back_or_is_replaced",
        |stage| {
            let entry = load(stage);
            let mut open = Open::new(stage, &entry, 0, 0);
            open.wait_for_screen();
            let pid = open.screen_pid().expect("a screen");
            signal(pid, "STOP");
            let stopped = Instant::now();
            open.play_until("words over it", |open| stage.has_words(open.socket));
            eprintln!(
                "words over a screen that hangs after {:?}",
                stopped.elapsed()
            );
            assert!(stopped.elapsed() < Duration::from_secs(3));
            stage.keep_picture("clack-hangs");
            // It goes on: nothing was lost.
            signal(pid, "CONT");
            open.play_until("the same again", |open| stage.has_screen(open.socket));
            assert_eq!(open.screen_pid(), Some(pid));
            // It does not: another comes.
            signal(pid, "STOP");
            open.play_until("another screen", |open| {
                open.screen_pid().is_some_and(|it| it != pid) && stage.has_screen(open.socket)
            });
            assert_untouched(&open, &entry);
            open.close();
        },
    );
}

#[test]
fn a_screen_that_is_missing_is_said_to_be_and_found_by_a_click() {
    on_a_display(
        "a_screen_that_is_missing_is_said_to_be_and_found_by_a_click",
        |stage| {
            std::fs::remove_file(stage.bundle.screen()).unwrap();
            let entry = load(stage);
            let mut open = Open::new(stage, &entry, 0, 0);
            open.play_until("words", |open| stage.has_words(open.socket));
            open.play(Duration::from_millis(300));
            assert!(screens_of(std::process::id()).is_empty());
            stage.keep_picture("clack-missing");
            // There is something to read: more than the ground's colour.
            let seen = stage.picture(0, 0, 900, 600);
            let ground = seen[0];
            assert!(seen.iter().filter(|pixel| **pixel != ground).count() > 500);
            stage.bundle.add_screen();
            move_mouse(450, 300);
            xdotool(&["click", "1"]);
            open.wait_for_screen();
            assert_untouched(&open, &entry);
            open.close();
        },
    );
}

#[test]
fn a_hundred_openings_leave_no_descriptor_no_process_and_no_thread() {
    on_a_display(
        "a_hundred_openings_leave_no_descriptor_no_process_and_no_thread",
        |stage| {
            let entry = load(stage);
            let mut open = Open::new(stage, &entry, 0, 0);
            open.wait_for_screen();
            open.close();
            let count = |what: &str| {
                std::fs::read_dir(format!("/proc/self/{what}"))
                    .unwrap()
                    .count()
            };
            let settled = |open: &mut Open<'_>| {
                open.play_until("the end of it", |_| {
                    screens_of(std::process::id()).is_empty()
                });
                open.play(Duration::from_millis(200));
                (count("fd"), count("task"))
            };
            let before = settled(&mut open);
            for round in 0..100 {
                open.open(0, 0);
                match round % 10 {
                    // All the way, in its first moments, and before there is one.
                    0 => open.wait_for_screen(),
                    1..=6 => open.play(Duration::from_millis(15 * round % 200)),
                    _ => {}
                }
                open.close();
            }
            assert_eq!(settled(&mut open), before, "descriptors and threads");
            assert_untouched(&open, &entry);
        },
    );
}

#[test]
fn two_editors_at_once_are_two_screens_and_move_each_their_own() {
    on_a_display(
        "two_editors_at_once_are_two_screens_and_move_each_their_own",
        |stage| {
            let entry = load(stage);
            let mut left = Open::new(stage, &entry, 0, 0);
            let mut right = Open::new(stage, &entry, 950, 0);
            left.wait_for_screen();
            right.wait_for_screen();
            assert_eq!(screens_of(std::process::id()).len(), 2);
            let id = left.instance.id("Gain Gain");
            let rest = left.instance.value(id);
            right.drag((950 + KNOB.0, KNOB.1), 60);
            left.play(Duration::from_millis(100));
            assert!(right.take_told().contains(&Told::Begin(id)));
            assert_eq!(left.take_told(), []);
            assert_eq!(left.instance.value(id), rest);
            assert_ne!(right.instance.value(id), rest);
            stage.keep_picture("clack-two");
            right.close();
            wait_for("one screen", || {
                (screens_of(std::process::id()).len() == 1).then_some(())
            });
            left.drag(KNOB, 60);
            assert!(left.take_told().contains(&Told::Begin(id)));
            left.close();
        },
    );
}

#[test]
fn a_screen_inherits_nothing_of_the_host() {
    on_a_display("a_screen_inherits_nothing_of_the_host", |stage| {
        let entry = load(stage);
        let secret = stage.bundle.path().join("secret");
        let file = std::fs::File::create(&secret).unwrap();
        // As the files of many hosts are: open for every child.
        let none = nix::fcntl::FdFlag::empty();
        nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFD(none)).unwrap();
        assert!(std::env::var_os("LD_LIBRARY_PATH").is_some());
        let mut open = Open::new(stage, &entry, 0, 0);
        open.wait_for_screen();
        let pid = open.screen_pid().expect("a screen");
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let names: Vec<_> = files
            .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
            .collect();
        assert!(names.len() > 3, "{names:?}");
        assert!(
            !names.contains(&secret),
            "descriptor {}: {names:?}",
            file.as_raw_fd()
        );
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let has = |name: &str| {
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|variable| variable.starts_with(name.as_bytes()))
        };
        assert!(has("DISPLAY="));
        assert!(
            !has("LD_LIBRARY_PATH="),
            "the host's libraries are not the screen's"
        );
        open.close();
    });
}

#[test]
fn a_host_that_is_killed_takes_its_screen_with_it() {
    let body = |stage: &Stage| {
        let entry = load(stage);
        let mut open = Open::new(stage, &entry, 0, 0);
        open.play(Duration::from_secs(60));
    };
    let look = |host| {
        let screen = screens_of(host).first().copied()?;
        // It has started by itself when it has read who it is.
        let started = std::fs::read_link(format!("/proc/{screen}/exe")).ok()?;
        let is_up = std::fs::read_dir(format!("/proc/{screen}/fd"))
            .ok()?
            .count()
            > 8;
        (is_up && started.ends_with("headroom-gui")).then_some(screen)
    };
    host_to_kill("a_host_that_is_killed_takes_its_screen_with_it", body, look);
}

#[test]
fn a_plugin_that_is_let_go_of_with_its_editor_open_leaves_nothing() {
    on_a_display(
        "a_plugin_that_is_let_go_of_with_its_editor_open_leaves_nothing",
        |stage| {
            let entry = load(stage);
            let mut open = Open::new(stage, &entry, 0, 0);
            open.wait_for_screen();
            // The window goes first, as when a host is closed in a hurry.
            stage.destroy(open.window);
            open.play(Duration::from_millis(300));
            assert_untouched(&open, &entry);
            drop(open);
            wait_for("no screen", || {
                screens_of(std::process::id()).is_empty().then_some(())
            });
        },
    );
}
