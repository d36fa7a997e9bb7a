//! Rendering: aligned with the input, the tail whole, the same whatever the block.

use std::convert::Infallible;

use assert_no_alloc::AllocDisabler;
use headroom_engine::offline::{Rendered, Tail, render};
use headroom_engine::{Memory, ModuleSpec, RackSpec, Stream, Tempo};
use headroom_tests::rig::{module, rack};
use headroom_tests::seeds;
use headroom_tests::signal::{impulse, programme};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn run(spec: &RackSpec, input: &[f32], block_frames: usize, tail: Tail) -> (Vec<f32>, Rendered) {
    let stream = Stream::new(48_000, block_frames, 1).unwrap();
    let mut at = 0;
    let mut output = Vec::new();
    let rendered = render(
        stream,
        spec,
        &Memory::default(),
        Tempo::default(),
        tail,
        |channels| {
            let frames = channels[0].len().min(input.len() - at);
            channels[0][..frames].copy_from_slice(&input[at..at + frames]);
            at += frames;
            Ok::<_, Infallible>(frames)
        },
        |channels| {
            output.extend_from_slice(channels[0]);
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(rendered.frames as usize, output.len());
    (output, rendered)
}

fn late(frames: f32) -> ModuleSpec {
    ModuleSpec::new(&seeds::LATE).with("frames", frames)
}

#[test]
fn latency_is_taken_out_to_the_frame() {
    let input = programme(1, 48_000, 10_000);
    for frames in [1.0, 63.0, 64.0, 100.0, 4_096.0] {
        for block_frames in [1, 64, 480, 8_192] {
            let spec = rack([late(frames), late(frames).with_id("again")]);
            let (output, rendered) = run(&spec, &input, block_frames, Tail::Secs(0.0));
            assert_eq!(rendered.latency_frames, 2 * frames as usize);
            assert!(
                output == input,
                "{frames} frames late, blocks of {block_frames}"
            );
        }
    }
}

#[test]
fn a_bypassed_or_dry_module_with_latency_keeps_it_and_nulls() {
    let input = programme(1, 48_000, 10_000);
    for (bypass, mix) in [(true, 1.0), (false, 0.0), (false, 0.5)] {
        let mut module = late(777.0);
        module.bypass = bypass;
        module.mix = mix;
        let (output, _) = run(&rack([module]), &input, 128, Tail::Secs(0.0));
        let db = headroom_tests::measure::difference_dbfs(&output, &input);
        assert!(db < -140.0, "bypass {bypass}, mix {mix}: {db} dB");
    }
}

#[test]
fn the_block_size_changes_no_bit() {
    let input = programme(1, 48_000, 30_000);
    let spec = rack(["gain", "filter", "eq", "compressor", "delay"].map(module));
    let (whole, _) = run(&spec, &input, 8_192, Tail::Auto);
    for block_frames in [1, 33, 512] {
        let (output, _) = run(&spec, &input, block_frames, Tail::Auto);
        assert!(output == whole, "blocks of {block_frames}");
    }
}

#[test]
fn an_automatic_tail_ends_with_the_last_echo_above_minus_90_db() {
    // Echoes of 0.5 s at half the level each, the first at 0.5: the last above 10^-4.5 is the 14th.
    let delay = module("delay")
        .with("time_ms", 500.0)
        .with("feedback", 0.5)
        .with("level_db", -6.020_6);
    let input = impulse(0, 1_000);
    let (output, rendered) = run(&rack([delay]), &input, 512, Tail::Auto);
    assert_eq!(output.len(), 14 * 24_000 + 1);
    assert_eq!(rendered.tail_frames as usize, output.len() - 1_000);
    assert!(output[14 * 24_000] > 10f32.powf(-4.5));
}

#[test]
fn an_automatic_tail_waits_for_echoes_that_come_late() {
    let delay = module("delay")
        .with("time_ms", 4_500.0)
        .with("feedback", 0.5)
        .with("level_db", -6.020_6);
    let (output, _) = run(&rack([delay]), &impulse(0, 1_000), 512, Tail::Auto);
    // The 14th would come after a minute and three seconds.
    assert_eq!(output.len(), 13 * 216_000 + 1);
}

#[test]
fn a_tail_that_never_ends_is_cut_after_a_minute() {
    let delay = module("delay")
        .with("time_ms", 400.0)
        .with("feedback", 0.98);
    let (output, _) = run(&rack([delay]), &impulse(0, 1_000), 512, Tail::Auto);
    assert_eq!(output.len().div_ceil(48_000), 61);
}

#[test]
fn silence_has_no_tail_and_a_fixed_tail_is_exact() {
    let spec = rack([module("delay")]);
    let (output, _) = run(&spec, &[0.0; 5_000], 512, Tail::Auto);
    assert_eq!(output.len(), 5_000);
    let (output, _) = run(&spec, &[0.5; 5_000], 512, Tail::Secs(1.5));
    assert_eq!(output.len(), 5_000 + 72_000);
    let (output, rendered) = run(&spec, &[], 512, Tail::Auto);
    assert_eq!((output.len(), rendered.frames), (0, 0));
}

#[test]
fn nothing_is_allocated_and_no_page_is_touched_first_while_rendering() {
    let spec = rack(["filter", "eq", "compressor", "delay", "gain"].map(module));
    let (_, rendered) = run(&spec, &programme(1, 48_000, 480_000), 128, Tail::Secs(5.0));
    assert_eq!(
        (rendered.health.allocations, rendered.health.deallocations),
        (0, 0)
    );
    assert_eq!(rendered.faults.major, 0);
    assert_eq!(rendered.faults.minor, 0, "{:?}", rendered.faults);
    assert_eq!(rendered.health.blocks, (480_000 + 240_000) / 128);
}
