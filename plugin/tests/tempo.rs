//! A host's tempo: echoes are where it says, to the frame, in CLAP and in VST3.

mod host;

use std::path::PathBuf;

use host::{Instance, Random, Set, load, noise, rendered_at};
use tempfile::TempDir;
use vst3_host::audio::AudioBuffers;
use vst3_host::{Plugin, Vst3Host};

const RATE_HZ: u32 = 48_000;

/// An echo alone: what went in is not heard.
fn echo(note: &str, feedback: f32) -> String {
    format!(
        "headroom = 1\n[[module]]\nkind = \"delay\"\n[module.params]\nsync = \"{note}\"\n\
         feedback = {feedback:?}\nlevel_db = 0.0\ndry = false\n"
    )
}

fn started(toml: &str) -> Instance {
    let mut instance = Instance::new(&load());
    instance.load_preset(toml);
    instance.start(f64::from(RATE_HZ), 512);
    instance
}

/// Blocks of random lengths, or of one.
fn play(
    input: &[Vec<f32>],
    mut size: impl FnMut() -> usize,
    mut process: impl FnMut(usize, &[Vec<f32>]) -> Vec<Vec<f32>>,
) -> Vec<Vec<f32>> {
    let (frames, mut at) = (input[0].len(), 0);
    let mut output = vec![Vec::new(); input.len()];
    while at < frames {
        let end = (at + size()).min(frames);
        let block: Vec<_> = input.iter().map(|of| of[at..end].to_vec()).collect();
        for (output, block) in output.iter_mut().zip(process(at, &block)) {
            output.extend(block);
        }
        at = end;
    }
    output
}

fn impulses(at: &[usize], frames: usize) -> Vec<Vec<f32>> {
    let mut channel = vec![0.0; frames];
    for &frame in at {
        channel[frame] = 1.0;
    }
    vec![channel.clone(), channel]
}

fn echoes(output: &[Vec<f32>]) -> Vec<usize> {
    let heard = output[0].iter().enumerate().filter(|(_, x)| x.abs() > 0.4);
    heard.map(|(frame, _)| frame).collect()
}

#[test]
fn what_a_host_hears_at_a_tempo_is_what_the_renderer_makes_at_it_to_the_bit() {
    let input = noise(5, 2, 90_000);
    for (bpm, note) in [(93.7, "1/8D"), (174.000_01, "1/16T"), (61.5, "1/32")] {
        let toml = echo(note, 0.6);
        let mut instance = started(&toml);
        instance.tempo = Some(bpm);
        let mut random = Random(8);
        let size = || 1 + random.below(512);
        let output = play(&input, size, |_, block| instance.process(block, &[]));
        let expected = rendered_at(bpm, &toml, RATE_HZ, &input);
        assert!(output == expected, "{note} at {bpm}");
        assert!(expected != rendered_at(bpm + 1.0, &toml, RATE_HZ, &input));
    }
}

#[test]
fn a_tempo_that_changes_between_blocks_moves_the_echo_to_the_frame() {
    let mut instance = started(&echo("1/8", 0.0));
    // At 120 an eighth is 12,000 frames, at 150 9,600, at 80 18,000; a change takes 1,920 at the most, and
    // comes when the echo of before has been heard.
    let input = impulses(&[100, 20_100, 40_100, 60_100], 90_000);
    let bpm_at = |frame: usize| match frame {
        0..15_000 => 120.0,
        15_000..39_000 => 150.0,
        39_000..59_000 => 80.0,
        _ => 240.0,
    };
    let output = play(
        &input,
        || 250,
        |at, block| {
            instance.tempo = Some(bpm_at(at));
            instance.process(block, &[])
        },
    );
    assert_eq!(echoes(&output), [12_100, 29_700, 58_100, 66_100]);
}

#[test]
fn a_change_within_a_block_is_the_same_as_one_at_a_blocks_start() {
    let toml = echo("1/16", 0.7);
    let input = noise(6, 2, 40_000);
    // Where blocks of 500 are cut, and 123 frames behind.
    let changes = [(10_123, 99.0), (10_623, 140.0), (30_123, 77.7)];
    let mut cut = started(&toml);
    let mut sizes = [123].into_iter().chain(std::iter::repeat(500));
    let expected = play(
        &input,
        || sizes.next().expect("endless"),
        |at, block| {
            let change = changes.iter().find(|(frame, _)| *frame == at);
            cut.tempo = change.map_or(cut.tempo.or(Some(120.0)), |(_, bpm)| Some(*bpm));
            cut.process(block, &[])
        },
    );
    let mut whole = started(&toml);
    let output = play(
        &input,
        || 500,
        |at, block| {
            let inside = changes
                .iter()
                .filter(|(frame, _)| (at..at + 500).contains(frame));
            whole.tempos = inside
                .clone()
                .map(|(frame, bpm)| ((frame - at) as u32, *bpm))
                .collect();
            let before = changes.iter().rev().find(|(frame, _)| *frame < at);
            whole.tempo = Some(before.map_or(120.0, |(_, bpm)| *bpm));
            whole.process(block, &[])
        },
    );
    assert!(output == expected);
}

#[test]
fn a_host_without_a_tempo_has_120_or_that_of_before() {
    let input = impulses(&[0], 30_000);
    let run = |instance: &mut Instance| {
        let output = play(&input, || 512, |_, block| instance.process(block, &[]));
        echoes(&output)
    };
    for tempo in [
        None,
        Some(f64::NAN),
        Some(f64::INFINITY),
        Some(0.0),
        Some(-90.0),
    ] {
        let mut instance = started(&echo("1/8", 0.0));
        instance.tempo = tempo;
        assert_eq!(run(&mut instance), [12_000], "{tempo:?}");
        instance.tempo = Some(160.0);
        run(&mut instance);
        assert_eq!(run(&mut instance), [9_000]);
        instance.tempo = tempo;
        assert_eq!(run(&mut instance), [9_000], "{tempo:?}");
        // A new engine goes on at it.
        instance.stop();
        instance.start(24_000.0, 512);
        assert_eq!(run(&mut instance), [4_500], "{tempo:?}");
    }
}

#[test]
fn a_tempo_that_moves_with_every_block_is_followed_and_arrives() {
    let mut instance = started(&echo("1/8", 0.5));
    let input = noise(7, 2, 100_000);
    let output = play(
        &input,
        || 64,
        |at, block| {
            instance.tempo = Some(120.0 + at as f64 / 1_000.0);
            instance.process(block, &[])
        },
    );
    assert!(output.iter().flatten().all(|x| x.is_finite()));
    instance.tempo = Some(220.0);
    let silence = vec![vec![0.0; 480_000]; 2];
    play(&silence, || 512, |_, block| instance.process(block, &[]));
    let output = play(
        &impulses(&[0], 10_000),
        || 512,
        |_, block| instance.process(block, &[]),
    );
    assert_eq!(echoes(&output), [6_545], "half of 60 / 220 of a second");
}

#[test]
fn sync_that_is_switched_on_and_off_by_automation_goes_from_time_to_note_and_back() {
    let toml = "headroom = 1\n[[module]]\nkind = \"delay\"\n[module.params]\ntime_ms = 100.0\n\
                feedback = 0.0\nlevel_db = 0.0\ndry = false\n";
    let mut instance = started(toml);
    instance.tempo = Some(120.0);
    let sync = instance.id("Delay Sync");
    let input = impulses(&[100], 20_000);
    let mut heard = |value: Option<f64>| {
        let output = play(
            &input,
            || 500,
            |at, block| {
                let sets = value.filter(|_| at == 0).map(|value| Set(7, sync, value));
                instance.process(block, sets.as_slice())
            },
        );
        echoes(&output)
    };
    assert_eq!(heard(None), [4_900]);
    // 1/8 is the sixth note.
    heard(Some(6.0));
    assert_eq!(heard(None), [12_100]);
    heard(Some(0.0));
    assert_eq!(heard(None), [4_900]);
}

/// The library as VST3 hosts find it, and an instance that processes.
fn vst3(toml: &str) -> (TempDir, Plugin) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = host::bundle(folder.path());
    let builder = Vst3Host::builder().sample_rate(f64::from(RATE_HZ));
    let host = builder.block_size(512).build().expect("a host");
    let mut host = host;
    let mut plugin = host.load_plugin(&path).expect("it loads");
    plugin
        .load_state(&host::state_of(toml)[8..])
        .expect("it is loaded");
    plugin.start_processing().expect("it starts");
    (folder, plugin)
}

fn process_vst3(plugin: &mut Plugin, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let frames = input[0].len();
    let mut buffers = AudioBuffers::new(input.len(), input.len(), frames, plugin.sample_rate());
    buffers.inputs.clone_from_slice(input);
    plugin.process_audio(&mut buffers).expect("it processes");
    buffers.outputs
}

#[test]
fn a_vst3_hosts_tempo_is_the_renderers_to_the_bit() {
    let toml = echo("1/8T", 0.6);
    let input = noise(9, 2, 60_000);
    let (_folder, mut plugin) = vst3(&toml);
    plugin.set_tempo(143.21).expect("it is set");
    let mut random = Random(3);
    let output = play(
        &input,
        || 1 + random.below(512),
        |_, block| process_vst3(&mut plugin, block),
    );
    assert!(output == rendered_at(143.21, &toml, RATE_HZ, &input));
}

#[test]
fn a_vst3_hosts_tempo_that_changes_between_blocks_moves_the_echo_to_the_frame() {
    let (_folder, mut plugin) = vst3(&echo("1/8", 0.0));
    let input = impulses(&[100, 20_100, 40_100], 60_000);
    let output = play(
        &input,
        || 250,
        |at, block| {
            let bpm = match at {
                0..15_000 => 120.0,
                15_000..39_000 => 150.0,
                _ => 80.0,
            };
            plugin.set_tempo(bpm).expect("it is set");
            process_vst3(&mut plugin, block)
        },
    );
    assert_eq!(echoes(&output), [12_100, 29_700, 58_100]);
}
