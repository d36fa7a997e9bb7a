//! The two ends of an engine on two threads at once, as a program has them. Without a sanitizer it shows that
//! nothing is lost on the way; under ThreadSanitizer (`cargo xtask deep tsan`) that nothing is raced for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headroom_engine::{
    Catalog, ControlError, Controller, Memory, ModuleSpec, RackSpec, Stream, open,
};

const BLOCK_FRAMES: usize = 128;
/// Asked of the controller while blocks run.
const STEPS: usize = 600;
const PATIENCE: Duration = Duration::from_secs(120);

fn module(kind: &str, id: &str) -> ModuleSpec {
    let kind = Catalog::builtin().find(kind).expect("built in");
    ModuleSpec::new(kind).with_id(id)
}

fn rack(modules: impl IntoIterator<Item = ModuleSpec>) -> RackSpec {
    RackSpec {
        modules: modules.into_iter().collect(),
        ..RackSpec::default()
    }
}

/// Asks until there is room in the queue; the other thread makes it.
fn insist(
    controller: &mut Controller,
    mut ask: impl FnMut(&mut Controller) -> Result<(), ControlError>,
) {
    let start = Instant::now();
    loop {
        match ask(controller) {
            Ok(()) => return,
            Err(ControlError::Busy) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
        assert!(start.elapsed() < PATIENCE, "the queue stays full");
    }
}

#[test]
fn what_is_asked_while_blocks_run_on_another_thread_is_done_in_order_and_all_comes_back() {
    let stream = Stream::new(48_000, BLOCK_FRAMES, 2).expect("a stream like any");
    let gain = |db| module("gain", "gain").with("gain_db", db);
    let start = rack([gain(0.0), module("delay", "delay")]);
    let (mut controller, mut processor) =
        open(stream, &start, &Memory::default()).expect("the rack opens");
    let over = AtomicBool::new(false);
    let (processor, last) = std::thread::scope(|scope| {
        let over = &over;
        let audio = scope.spawn(move || {
            let mut block = [vec![0.0_f32; BLOCK_FRAMES], vec![0.0; BLOCK_FRAMES]];
            processor.process(&mut [], &[]);
            loop {
                // Once more behind the last thing that was asked, long enough for all fades.
                let ends = over.load(Ordering::Acquire);
                for _ in 0..if ends { 400 } else { 1 } {
                    block.iter_mut().for_each(|channel| channel.fill(0.25));
                    let [left, right] = &mut block;
                    processor.process(&mut [left, right], &[]);
                    assert!(samples(&block).all(|sample| sample.is_finite()));
                }
                if ends {
                    return (processor, block);
                }
            }
        });
        for step in 0..STEPS {
            let db = (step % 13) as f32 - 6.0;
            match step % 6 {
                0 => insist(&mut controller, |it| it.set_param("gain", "gain_db", db)),
                1 => {
                    let id = format!("filter{step}");
                    insist(&mut controller, |it| {
                        it.edit(&rack([gain(db), module("filter", &id)]))
                    });
                }
                2 => insist(&mut controller, |it| it.set_bypass("gain", step % 4 == 0)),
                3 => insist(&mut controller, |it| {
                    it.load(&rack([gain(db), module("compressor", "compressor")]))
                }),
                4 if step % 60 == 4 => controller.panic_button().press(),
                4 => controller.panic_button().release(),
                _ => insist(&mut controller, |it| it.set_mix("gain", 0.5)),
            }
            // What a panel asks for.
            let meters = controller.meters();
            assert!(meters.slots.len() <= 2);
            controller.health();
            controller.slot_health();
            controller.reports();
        }
        controller.panic_button().release();
        insist(&mut controller, |it| it.load(&rack([gain(-6.0206)])));
        over.store(true, Ordering::Release);
        audio.join().expect("the audio thread ends")
    });
    let half = |sample: f32| (sample - 0.125).abs() < 1e-5;
    assert!(samples(&last).all(half), "{last:?}");
    let start = Instant::now();
    while controller.memory_map().retired_bytes > 0 {
        assert!(start.elapsed() < PATIENCE, "not all comes back");
        std::thread::sleep(Duration::from_millis(2));
    }
    drop((controller, processor));
}

fn samples(block: &[Vec<f32>; 2]) -> impl Iterator<Item = f32> {
    block.iter().flatten().copied()
}
