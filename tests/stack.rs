//! The stack of an audio thread: what a module takes of it shows in the mark, read from outside.
#![cfg(target_os = "linux")]

use std::sync::mpsc;

use headroom_engine::block::Block;
use headroom_engine::realtime::StackWatch;
use headroom_engine::{Kind, Module, ModuleSpec, Param};
use headroom_tests::rig::{Rig, module, rack};
use headroom_tests::signal::noise;

const ARMED: &[Param] = &[Param::switch("armed", "Armed", false)];

macro_rules! deep {
    ($kind:ident, $id:literal, $go_deep:expr) => {
        static $kind: Kind = Kind {
            id: $id,
            name: $id,
            about: "needs much stack while it is armed",
            face: headroom_engine::Face::PLAIN,
            params: ARMED,
            build: |setup| {
                setup.module(Deep {
                    armed: false,
                    go_deep: $go_deep,
                })
            },
        };
    };
}

deep!(ARRAY, "array", one_array);
deep!(RECURSES, "recurses", |x| recurse(x, 300));

struct Deep {
    armed: bool,
    go_deep: fn(f32) -> f32,
}

impl Module for Deep {
    fn set_param(&mut self, _: usize, value: f32) {
        self.armed = value > 0.5;
    }

    fn process(&mut self, block: &mut Block<'_>) {
        if self.armed {
            block.left()[0] = (self.go_deep)(block.left()[0]);
        }
    }

    fn reset(&mut self) {}
}

#[inline(never)]
fn one_array(x: f32) -> f32 {
    let mut array = [x; 16 * 1024];
    std::hint::black_box(&mut array)[7]
}

#[inline(never)]
fn recurse(x: f32, times: usize) -> f32 {
    let mut frame = [x; 128];
    std::hint::black_box(&mut frame);
    if times > 0 {
        frame[0] = recurse(x, times - 1);
    }
    std::hint::black_box(frame)[0]
}

const STACK_BYTES: usize = 1 << 20;

/// What the mark was after an ordinary second, and after another with `deep` armed; and the thread's watch,
/// after it has ended.
fn marks(deep: &'static Kind) -> ([u64; 2], StackWatch) {
    let (say, told) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let thread = thread
        .spawn(move || {
            let spec = rack([module("eq"), ModuleSpec::new(deep), module("delay")]);
            let mut rig = Rig::stereo(&spec);
            let mut sound = [noise(1, 0.5, 48_000), noise(2, 0.5, 48_000)];
            let watch = StackWatch::paint().expect("this is a thread of its own");
            for armed in [0.0, 1.0] {
                rig.controller.set_param(deep.id, "armed", armed).unwrap();
                rig.play(&mut sound);
                say.send(watch).unwrap();
                may_go_on.recv().unwrap();
            }
        })
        .unwrap();
    let mut watch = None;
    let marks = [(); 2].map(|()| {
        watch = Some(told.recv().unwrap());
        let used_bytes = watch.and_then(|watch| watch.used_bytes());
        go_on.send(()).unwrap();
        used_bytes.expect("the thread is there")
    });
    thread.join().unwrap();
    (marks, watch.unwrap())
}

#[test]
fn an_array_of_64_kib_on_the_stack_shows_in_the_mark() {
    let ([before, after], _) = marks(&ARRAY);
    assert!(before < 48 * 1024, "{before}");
    assert!((64 * 1024..128 * 1024).contains(&after), "{after}");
}

#[test]
fn a_module_that_recurses_shows_in_the_mark() {
    let ([before, after], _) = marks(&RECURSES);
    assert!(before < 48 * 1024, "{before}");
    assert!((300 * 512..2 * 300 * 1024).contains(&after), "{after}");
}

#[test]
fn the_stack_of_a_thread_that_has_ended_is_not_read() {
    let (_, watch) = marks(&ARRAY);
    assert_eq!(watch.used_bytes(), None);
    let limit = watch.limit_bytes();
    assert!(
        (STACK_BYTES as u64 - 64 * 1024..=STACK_BYTES as u64 + 64 * 1024).contains(&limit),
        "{limit}"
    );
}
