//! The tempo reaches every slot, at its frame, however the blocks are cut. Under `assert_no_alloc`.

use assert_no_alloc::AllocDisabler;
use headroom_engine::{
    Board, Catalog, Change, Controller, Event, Memory, ModuleSpec, Processor, RackSpec, Stream,
    Tempo, kinds, open,
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn delay(id: &str, note: &str, feedback: f32) -> ModuleSpec {
    let kind = Catalog::builtin().find("delay").unwrap();
    let mut module = ModuleSpec::new(kind);
    id.clone_into(&mut module.id);
    let sync = kind.param_index("sync").unwrap();
    let labels = kind.params[sync].labels().unwrap();
    module.values[sync] = labels.iter().position(|label| *label == note).unwrap() as f32;
    for (param, value) in [("feedback", feedback), ("level_db", 0.0), ("dry", 0.0)] {
        module.values[kind.param_index(param).unwrap()] = value;
    }
    module
}

fn rack(modules: impl IntoIterator<Item = ModuleSpec>) -> RackSpec {
    RackSpec {
        modules: modules.into_iter().collect(),
        ..RackSpec::default()
    }
}

fn engine(spec: &RackSpec) -> (Controller, Processor) {
    let stream = Stream::new(48_000, 512, 1).unwrap();
    let (controller, mut processor) = open(stream, spec, &Memory::default()).unwrap();
    processor.process(&mut [], &[]);
    (controller, processor)
}

fn tempo(bpm: f64) -> Tempo {
    Tempo::new(bpm).unwrap()
}

/// Runs `input` in blocks of such sizes, with tempos by frame.
fn run(
    processor: &mut Processor,
    input: &[f32],
    tempos: &[(usize, f64)],
    mut size: impl FnMut() -> usize,
) -> Vec<f32> {
    let mut out = input.to_vec();
    let mut at = 0;
    while at < out.len() {
        let end = (at + size()).min(out.len());
        let inside = tempos.iter().filter(|(frame, _)| (at..end).contains(frame));
        let events: Vec<Event> = inside
            .map(|(frame, bpm)| Event {
                frame: (frame - at) as u32,
                change: Change::Tempo(tempo(*bpm)),
            })
            .collect();
        processor.process(&mut [&mut out[at..end]], &events);
        at = end;
    }
    out
}

fn play(processor: &mut Processor, input: &[f32]) -> Vec<f32> {
    run(processor, input, &[], || 128)
}

fn impulse_at(frame: usize, frames: usize) -> Vec<f32> {
    let mut signal = vec![0.0; frames];
    signal[frame] = 1.0;
    signal
}

fn echoes(out: &[f32]) -> Vec<usize> {
    let heard = out.iter().enumerate().filter(|(_, x)| x.abs() > 0.3);
    heard.map(|(frame, _)| frame).collect()
}

fn noise(frames: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..frames).map(next).collect()
}

#[test]
fn a_tempo_comes_at_its_frame_however_the_blocks_are_cut() {
    let input = noise(40_000);
    let tempos = [
        (0, 200.0),
        (5_001, 173.3),
        (5_002, 99.0),
        (13_999, 321.0),
        (14_000, 60.0),
        (30_017, 240.0),
    ];
    let spec = rack([delay("a", "1/16", 0.6), delay("b", "1/8T", 0.3)]);
    let heard = |size: &mut dyn FnMut() -> usize| {
        let (_controller, mut processor) = engine(&spec);
        let out = run(&mut processor, &input, &tempos, size);
        assert_eq!(processor.tempo(), tempo(240.0));
        out
    };
    let whole = heard(&mut || 512);
    let later: Vec<_> = tempos.map(|(frame, bpm)| (frame + 1, bpm)).into();
    let (_controller, mut processor) = engine(&spec);
    assert!(
        whole != run(&mut processor, &input, &later, || 512),
        "a frame later is heard"
    );
    for size in [1, 7, 64, 480] {
        assert!(whole == heard(&mut || size), "blocks of {size}");
    }
    let mut random = 7_usize;
    let mut any = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % 513
    };
    assert!(whole == heard(&mut any), "blocks of any size");
}

#[test]
fn a_rack_a_slot_and_a_tail_all_go_by_the_tempo_of_now() {
    let (mut controller, mut processor) = engine(&rack([delay("a", "1/16", 0.9)]));
    controller.set_tempo(tempo(240.0)).unwrap();
    // 1/16 at 240 is 3,000 frames; an echo of what came in behind the old time is there.
    assert_eq!(
        echoes(&play(&mut processor, &impulse_at(0, 7_000))),
        [3_000, 6_000]
    );

    // A slot that comes later: 1/32 at 240 is 1,500 frames. It comes in over 960 frames.
    controller.insert(1, delay("b", "1/32", 0.0)).unwrap();
    controller.remove("a").unwrap();
    play(&mut processor, &vec![0.0; 400_000]);
    assert_eq!(
        echoes(&play(&mut processor, &impulse_at(100, 4_000))),
        [1_600]
    );

    // A rack that comes later.
    controller.load(&rack([delay("x", "1/8T", 0.0)])).unwrap();
    play(&mut processor, &vec![0.0; 48_000]);
    let heard = play(&mut processor, &impulse_at(0, 10_000));
    assert_eq!(echoes(&heard), [4_000]);

    // Another, while the one before rings on, and both follow.
    controller.load(&rack([delay("c", "1/8", 0.9)])).unwrap();
    play(&mut processor, &vec![0.0; 48_000]);
    play(&mut processor, &impulse_at(0, 3_000));
    controller.load(&rack([delay("d", "1/16T", 0.0)])).unwrap();
    controller.set_tempo(tempo(120.0)).unwrap();
    let heard = play(&mut processor, &impulse_at(2_000, 48_000));
    // The rack that left goes from 6,000 to 12,000 frames before its first echo, and its impulse came 3,000
    // frames before; the new one's echo is 4,000 frames late.
    assert_eq!(echoes(&heard), [6_000, 9_000, 21_000, 33_000, 45_000]);
}

#[test]
fn what_is_told_before_the_first_block_and_at_its_first_frame_is_the_same() {
    let spec = rack([delay("a", "1/32", 0.5)]);
    let input = noise(20_000);
    let (_controller, mut processor) = engine(&spec);
    let at_frame = run(&mut processor, &input, &[(0, 280.0)], || 100);

    let stream = Stream::new(48_000, 512, 1).unwrap();
    let (mut controller, mut processor) = open(stream, &spec, &Memory::default()).unwrap();
    controller.set_tempo(tempo(280.0)).unwrap();
    processor.process(&mut [], &[]);
    assert!(at_frame == play(&mut processor, &input));

    // And behind a reset again.
    processor.reset();
    assert!(at_frame == play(&mut processor, &input));
}

#[test]
fn the_controller_knows_the_tempo_by_whomever_it_was_set() {
    let (mut controller, mut processor) = engine(&rack([delay("a", "1/4", 0.0)]));
    assert_eq!(controller.tempo(), tempo(120.0));
    run(&mut processor, &[0.0; 256], &[(200, 77.25)], || 128);
    assert_eq!(controller.tempo(), tempo(77.25));
    controller.set_tempo(tempo(99.0)).unwrap();
    assert_eq!(controller.tempo(), tempo(99.0));
    run(&mut processor, &[0.0; 256], &[], || 128);
    assert_eq!(controller.tempo(), tempo(99.0));
    run(&mut processor, &[0.0; 256], &[(0, 50.0)], || 128);
    assert_eq!(controller.tempo(), tempo(50.0));
    assert_eq!(controller.undo_label(), None, "no step of the rack's");
}

#[test]
fn a_screen_is_shown_the_echoes_where_the_tempo_puts_them() {
    let (mut server, client) = headroom_ipc::pair().unwrap();
    let (mut controller, _processor) = engine(&rack([delay("a", "1/8D", 0.5)]));
    let kinds = kinds(&Catalog::builtin());
    let modules = Board::modules(&controller, &kinds);
    let mut board = Board::default();
    let mut stems = |controller: &Controller| {
        board.show(controller, &modules, &mut server);
        let curve = client.curve(0).unwrap();
        curve.points.iter().map(|point| point.0).collect::<Vec<_>>()
    };
    let near = |stems: &[f32], secs: f32| {
        let expected = (1..).map(|echo| echo as f32 * secs);
        stems
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-4)
    };
    assert!(near(&stems(&controller), 0.375));
    controller.set_tempo(tempo(90.0)).unwrap();
    assert!(near(&stems(&controller), 0.5));
}
