//! The screen inside a VST3 host's window, by a host of our own on the interfaces themselves: its loop, its
//! sizes, what it is told and where, and nothing that two threads do at once ends it.
#![cfg(target_os = "linux")]

mod com;
#[path = "display/mod.rs"]
mod display;
mod host;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use com::frame::{Frame, attach, remove, resize, scale, size};
use com::{Block, Instance, Module, Told};
use display::{Stage, files_and_threads, move_mouse, on_a_display, screens_of, wait_for, xdotool};
use host::{noise, state_of};
use nice_plug::wrapper::vst3::vst3::Steinberg::{IPlugView, kResultFalse, kResultOk};
use nice_plug::wrapper::vst3::vst3::{ComPtr, ComWrapper};

const RATE_HZ: f64 = 48_000.0;
const BLOCK: usize = 512;
const PLAIN: &str = "headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n";
/// Where the knob of the only module is, in points from the corner of a screen of 900 by 600.
const KNOB: (i32, i32) = (136, 240);

/// An instance with its editor open in a window of the host's.
struct Open<'a> {
    stage: &'a Stage,
    frame: Option<ComWrapper<Frame>>,
    window: u32,
    view: ComPtr<IPlugView>,
    socket: u32,
    told: Vec<(Told, ThreadId)>,
    blocks: Cell<u64>,
    // Last: it is ended behind its editor.
    instance: Instance,
}

impl<'a> Open<'a> {
    fn new(stage: &'a Stage, module: &Module, frame: Option<Frame>) -> Self {
        let instance = module.instance();
        assert_eq!(instance.load(&state_of(PLAIN)[8..]), kResultOk);
        instance.start(RATE_HZ, BLOCK);
        let view = instance.view().expect("an editor");
        let window = stage.window(0, 0, (900, 600));
        let frame = frame.map(ComWrapper::new);
        assert_eq!(size(&view), (900, 600));
        assert_eq!(attach(&view, frame.as_ref(), window), kResultOk);
        Self {
            socket: stage.socket(window),
            stage,
            frame,
            window,
            view,
            told: Vec::new(),
            blocks: Cell::new(0),
            instance,
        }
    }

    /// A block of noise with what the host was told, and a turn of its loop.
    fn turn(&mut self) {
        let told = self.instance.handler.take();
        let sets = told.iter().filter_map(|(told, _)| match told {
            Told::Set(id, value) => Some((*id, 0, *value)),
            _ => None,
        });
        let changes: Vec<_> = sets.collect();
        self.blocks.set(self.blocks.get() + 1);
        let input = noise(self.blocks.get(), 2, BLOCK);
        self.instance.process(Block::of(&input).changing(&changes));
        self.told.extend(told);
        if let Some(frame) = &self.frame {
            frame.turn();
        }
        std::thread::sleep(Duration::from_millis(10));
    }

    fn play(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.turn();
        }
    }

    fn play_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{what}: waited for in vain"
            );
            self.turn();
        }
    }

    fn wait_for_screen(&mut self) {
        self.play_until("a screen", |open| open.stage.has_screen(open.socket));
        self.play(Duration::from_millis(500));
    }

    /// Takes hold at a place, pulls, and lets go.
    fn drag(&mut self, from: (i32, i32), by: (i32, i32)) {
        move_mouse(from.0, from.1);
        self.play(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        for step in 1..=10 {
            move_mouse(from.0 + by.0 * step / 10, from.1 + by.1 * step / 10);
            self.play(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        self.play(Duration::from_millis(300));
    }

    /// What the host was told, all of it on one thread.
    fn gesture(&mut self) -> (Vec<Told>, ThreadId) {
        let told = std::mem::take(&mut self.told);
        let threads: Vec<_> = told.iter().map(|(_, thread)| *thread).collect();
        let first = *threads.first().expect("it was told something");
        assert!(threads.iter().all(|thread| *thread == first));
        (told.into_iter().map(|(told, _)| told).collect(), first)
    }

    fn close(&mut self) {
        assert_eq!(remove(&self.view), kResultOk);
        self.stage.destroy(self.window);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stage.keep_picture("vst3-panicked");
        }
    }
}

/// One gesture of one parameter, downwards.
fn assert_drag(told: &[Told], id: u32) -> f64 {
    assert_eq!(told.first(), Some(&Told::Begin(id)), "{told:?}");
    assert_eq!(told.last(), Some(&Told::End(id)), "{told:?}");
    let of = |told: &Told| match told {
        Told::Set(of, value) if *of == id => Some(*value),
        _ => None,
    };
    let values: Vec<f64> = told.iter().filter_map(of).collect();
    assert_eq!(values.len() + 2, told.len(), "{told:?}");
    assert!(values.len() >= 3, "it moves while it is dragged: {told:?}");
    assert!(values.is_sorted_by(|a, b| a > b), "downwards: {values:?}");
    values[values.len() - 1]
}

#[test]
fn a_drag_is_a_gesture_told_on_the_hosts_main_thread() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::default()));
        open.wait_for_screen();
        stage.keep_picture("vst3");
        let id = open.instance.id("Gain Gain");
        assert_eq!(open.told, [], "opening moves nothing");
        open.drag(KNOB, (0, 80));
        let (told, thread) = open.gesture();
        assert_eq!(thread, std::thread::current().id());
        let last = assert_drag(&told, id);
        assert_eq!(open.instance.value(id), last, "it came back with a block");
        // The knob is where it is drawn, and a step back is a gesture, too.
        xdotool(&["key", "ctrl+z"]);
        open.play(Duration::from_millis(700));
        let (told, _) = open.gesture();
        let is_gesture = matches!(told[..], [Told::Begin(a), Told::Set(b, _), Told::End(c)] if [a, b, c] == [id; 3]);
        assert!(is_gesture, "{told:?}");
        assert!(open.instance.handler.restarts().is_empty());
        open.close();
    });
}

#[test]
fn a_host_without_a_loop_is_told_all_the_same() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, None);
        open.wait_for_screen();
        let id = open.instance.id("Gain Gain");
        open.drag(KNOB, (0, 80));
        let (told, thread) = open.gesture();
        assert_ne!(thread, std::thread::current().id());
        let last = assert_drag(&told, id);
        assert_eq!(open.instance.value(id), last);
        open.close();
    });
}

#[test]
fn a_host_that_is_switched_off_has_its_parameters_moved() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::default()));
        open.wait_for_screen();
        let id = open.instance.id("Gain Gain");
        let before = open.instance.value(id);
        open.instance.activate(false);
        move_mouse(KNOB.0, KNOB.1);
        std::thread::sleep(Duration::from_millis(300));
        xdotool(&["mousedown", "1"]);
        let frame = open.frame.clone().expect("a frame");
        for step in 1..=10 {
            move_mouse(KNOB.0, KNOB.1 + 8 * step);
            frame.turn();
            std::thread::sleep(Duration::from_millis(40));
        }
        xdotool(&["mouseup", "1"]);
        wait_for("the end of the gesture", || {
            frame.turn();
            let told = open.instance.handler.0.lock().expect("no panic");
            told.iter()
                .any(|(told, _)| *told == Told::End(id))
                .then_some(())
        });
        assert!(open.instance.value(id) < before);
        open.close();
    });
}

#[test]
fn both_sides_resize_and_the_host_says_how_large_it_draws() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::default()));
        open.wait_for_screen();
        let socket = open.socket;
        let screen = stage.screen(socket).expect("a screen");

        // The host.
        stage.resize(open.window, (1_000, 700));
        assert_eq!(resize(&open.view, (1_000, 700)), kResultOk);
        open.play_until("the screen in it", |_| stage.size(screen) == (1_000, 700));
        assert_eq!(size(&open.view), (1_000, 700));

        // The screen, by its corner.
        let asked = |open: &Open<'_>| open.frame.as_ref().expect("a frame").asked();
        assert_eq!(asked(&open), []);
        open.drag((994, 694), (-60, -40));
        open.play_until("the host asked", |open| !asked(open).is_empty());
        open.play(Duration::from_millis(500));
        let granted = *asked(&open).last().expect("a size");
        assert!(granted.0 < 1_000 && granted.1 < 700, "{granted:?}");
        assert_eq!(size(&open.view), granted);
        assert_eq!(stage.size(socket), granted);
        assert_eq!(stage.size(screen), granted);

        // It draws at another scale from now on: as much is seen, in more pixels.
        assert_eq!(resize(&open.view, (900, 600)), kResultOk);
        assert_eq!(scale(&open.view, 1.5), kResultOk);
        open.play_until("the screen in more pixels", |_| {
            stage.size(screen) == (1_350, 900)
        });
        assert_eq!(asked(&open).last(), Some(&(1_350, 900)));
        open.close();

        // And the next one from its start.
        let view = open.instance.view().expect("an editor");
        assert_eq!(size(&view), (1_350, 900));
        assert_eq!(scale(&view, 1.0), kResultOk);
        assert_eq!(size(&view), (900, 600));
    });
}

#[test]
fn a_size_that_the_host_refuses_is_given_up() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::strict()));
        open.wait_for_screen();
        let screen = stage.screen(open.socket).expect("a screen");
        open.drag((894, 594), (-60, -40));
        open.play_until("the host asked", |open| {
            !open.frame.as_ref().expect("a frame").asked().is_empty()
        });
        open.play_until("the size from before", |_| stage.size(screen) == (900, 600));
        assert_eq!(size(&open.view), (900, 600));
        assert_eq!(stage.size(open.socket), (900, 600));
        open.close();
    });
}

#[test]
fn a_view_is_open_once_and_closed_once() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::default()));
        let other = open.instance.view().expect("an editor");
        let window = stage.window(950, 0, (900, 600));
        assert_eq!(attach(&other, None, window), kResultFalse, "one is open");
        assert_eq!(remove(&other), kResultFalse, "it is not this one's");
        open.wait_for_screen();
        open.close();
        assert_eq!(remove(&open.view), kResultFalse);
        assert_eq!(attach(&other, None, window), kResultOk);
        // The host lets go of the instance first, and of the view at last.
        let Open { instance, .. } = &open;
        let component = instance.component.clone();
        drop(open);
        drop(component);
        drop(other);
        wait_for("no screen", || {
            screens_of(std::process::id()).is_empty().then_some(())
        });
    });
}

#[test]
fn a_hundred_openings_leave_no_descriptor_no_process_and_no_handler() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let mut open = Open::new(stage, &module, Some(Frame::default()));
        open.wait_for_screen();
        open.close();
        let settled = |open: &mut Open<'_>| {
            open.play_until("the end of it", |_| {
                screens_of(std::process::id()).is_empty()
            });
            open.play(Duration::from_millis(200));
            files_and_threads(std::process::id())
        };
        let before = settled(&mut open);
        let window = stage.window(0, 0, (900, 600));
        for round in 0..100 {
            let view = open.instance.view().expect("an editor");
            assert_eq!(attach(&view, open.frame.as_ref(), window), kResultOk);
            let frame = open.frame.as_ref().expect("a frame");
            assert_eq!(frame.handlers(), 1);
            open.play(Duration::from_millis(10 * (round % 10)));
            assert_eq!(remove(&view), kResultOk);
        }
        assert_eq!(settled(&mut open), before, "descriptors and threads");
        let frame = open.frame.as_ref().expect("a frame");
        assert_eq!(frame.handlers(), 0, "in the host's loop");
    });
}

/// A storm of changes in blocks on one thread, while the main thread opens and closes an editor.
#[test]
fn a_storm_of_changes_while_an_editor_opens_and_closes_200_times_ends_nothing() {
    on_a_display(|stage| {
        let module = Module::load(&stage.bundle.plugin());
        let instance = module.instance();
        instance.start(RATE_HZ, 64);
        let id = instance.id("Gain Gain");
        let (is_over, blocks) = (AtomicBool::new(false), AtomicU64::new(0));
        let frame = ComWrapper::new(Frame::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let input = noise(3, 2, 64);
                while !is_over.load(Ordering::Relaxed) {
                    let block = blocks.fetch_add(1, Ordering::Relaxed);
                    let at = |frame: i32| ((block as i32 * 8 + frame) % 100) as f64 / 100.0;
                    let changes: Vec<_> = (0..8).map(|frame| (id, frame * 8, at(frame))).collect();
                    instance.process(Block::of(&input).changing(&changes));
                }
            });
            let window = stage.window(0, 0, (900, 600));
            for _ in 0..200 {
                let view = instance.view().expect("an editor");
                assert_eq!(attach(&view, Some(&frame), window), kResultOk);
                frame.turn();
                assert_eq!(remove(&view), kResultOk);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(blocks.load(Ordering::Relaxed) > 200);
        assert!(is_there("bg-worker"), "nice-plug's thread has ended");
        drop(instance);
        assert!(!is_there("bg-worker"), "it is joined");
    });
}

/// Whether a thread of this process is called so.
fn is_there(name: &str) -> bool {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux shows it");
    let mut names = tasks.filter_map(|task| {
        let comm = task.ok()?.path().join("comm");
        std::fs::read_to_string(comm).ok()
    });
    names.any(|found| found.trim() == name)
}
