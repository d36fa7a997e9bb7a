//! The screen inside a VST3 host's window, by a host of our own on the interfaces themselves.
#![cfg(target_os = "linux")]

mod com;
#[path = "display/mod.rs"]
mod display;
mod host;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use com::frame::{Frame, attach, remove};
use com::{Block, Module};
use display::on_a_display;
use host::noise;
use nice_plug::wrapper::vst3::vst3::ComWrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::kResultOk;

const RATE_HZ: f64 = 48_000.0;

/// A storm of changes in blocks on one thread, while the main thread opens and closes an editor.
#[test]
fn a_storm_of_changes_while_an_editor_opens_and_closes_200_times_ends_nothing() {
    let name = "a_storm_of_changes_while_an_editor_opens_and_closes_200_times_ends_nothing";
    on_a_display(name, |stage| {
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
