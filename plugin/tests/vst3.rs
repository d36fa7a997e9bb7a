//! What a VST3 host finds and hears: the same as a CLAP host, from the same library.

mod host;

use std::path::PathBuf;

use headroom_engine::{Catalog, Scale, preset::factory};
use headroom_plugin::rows;
use host::{Random, noise, rendered, state_of};
use tempfile::TempDir;
use vst3_host::audio::{AudioBuffers, SpeakerArrangement};
use vst3_host::{Plugin, Vst3Host};

/// The library as hosts find it.
struct Bundle {
    _folder: TempDir,
    path: PathBuf,
}

impl Bundle {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            path: host::bundle(folder.path()),
            _folder: folder,
        }
    }

    /// An instance that processes.
    fn start(&self, rate_hz: f64, most_frames: usize) -> Plugin {
        let host = Vst3Host::builder()
            .sample_rate(rate_hz)
            .block_size(most_frames)
            .build();
        let plugin = host.expect("a host").load_plugin(&self.path);
        let mut plugin = plugin.expect("it loads");
        plugin.start_processing().expect("it starts");
        plugin
    }
}

/// One block.
fn process(plugin: &mut Plugin, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let frames = input[0].len();
    let mut buffers = AudioBuffers::new(input.len(), input.len(), frames, plugin.sample_rate());
    buffers.inputs.clone_from_slice(input);
    for output in &mut buffers.outputs {
        output.fill(f32::NAN);
    }
    plugin.process_audio(&mut buffers).expect("it processes");
    buffers.outputs
}

/// A whole input in blocks of random lengths.
fn play(
    plugin: &mut Plugin,
    random: &mut Random,
    input: &[Vec<f32>],
    most: usize,
) -> Vec<Vec<f32>> {
    let (frames, mut at) = (input[0].len(), 0);
    let mut output = vec![Vec::new(); input.len()];
    while at < frames {
        let end = (at + 1 + random.below(most)).min(frames);
        let block: Vec<_> = input
            .iter()
            .map(|channel| channel[at..end].to_vec())
            .collect();
        for (output, block) in output.iter_mut().zip(process(plugin, &block)) {
            output.extend(block);
        }
        at = end;
    }
    output
}

/// A state as VST3 hosts keep it: JSON.
fn load_preset(plugin: &mut Plugin, toml: &str) {
    let state = state_of(toml);
    plugin.load_state(&state[8..]).expect("it loads");
}

fn id(plugin: &Plugin, name: &str) -> u32 {
    plugin.find_parameter(name).expect("it is there").id
}

#[test]
fn a_host_sees_every_row_with_its_steps_flags_and_text() {
    let bundle = Bundle::new();
    let plugin = bundle.start(48_000.0, 512);
    let (rows, list) = (
        rows(&Catalog::builtin()),
        plugin.get_parameters().expect("a list"),
    );
    assert_eq!(list.len(), rows.len());
    for (row, param) in rows.iter().zip(list) {
        assert_eq!(param.name, row.name);
        let steps = match row.table.scale {
            Scale::Choice(labels) => labels.len() as i32 - 1,
            Scale::Switch => 1,
            _ if row.id.ends_with(".place") => 64,
            _ => 0,
        };
        assert_eq!(param.step_count, steps, "{}", row.id);
        assert_eq!(param.can_automate, !row.table.structural, "{}", row.id);
        assert_eq!(param.is_bypass, row.id == "bypass", "{}", row.id);
        assert_eq!(param.value, param.default, "{}", row.id);
        let text = plugin
            .format_parameter(param.id, param.default)
            .expect("a text");
        if row.id.ends_with(".place") {
            assert_eq!(text, "out", "{}", row.id);
        } else {
            // The unit is told apart.
            let unit = row.table.unit.symbol();
            let whole = row.table.format(row.table.default);
            let number = whole.strip_suffix(unit).unwrap_or(&whole);
            assert_eq!(text.trim_end(), number.trim_end(), "{}", row.id);
        }
    }
}

#[test]
fn an_empty_strip_nulls_in_stereo_and_mono() {
    let bundle = Bundle::new();
    let mut plugin = bundle.start(48_000.0, 512);
    assert_eq!(plugin.latency_samples(), 0);
    let input = noise(3, 2, 512);
    assert_eq!(process(&mut plugin, &input), input);
    plugin.stop_processing().expect("it stops");
    plugin
        .set_bus_arrangements(&[SpeakerArrangement::MONO], &[SpeakerArrangement::MONO])
        .expect("it takes mono");
    let now = plugin.bus_arrangements().expect("arrangements");
    // The side-chain stays what it was.
    let stereo = SpeakerArrangement::STEREO;
    assert_eq!(now.inputs, [SpeakerArrangement::MONO, stereo]);
    plugin.start_processing().expect("it starts");
    let mono = noise(3, 1, 512);
    assert_eq!(process(&mut plugin, &mono), mono);
    let gain = id(&plugin, "Gain Gain");
    assert_eq!(
        plugin.format_parameter(gain, 0.75).expect("a text").trim(),
        "0.00"
    );
}

#[test]
fn every_preset_that_fits_sounds_as_rendered_to_the_bit() {
    let bundle = Bundle::new();
    let mut random = Random(7);
    let mut fit = 0;
    for preset in factory() {
        let mut kinds: Vec<_> = preset
            .text
            .lines()
            .filter(|line| line.starts_with("kind"))
            .collect();
        let all = kinds.len();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() < all {
            continue;
        }
        fit += 1;
        let mut plugin = bundle.start(44_100.0, 700);
        load_preset(&mut plugin, preset.text);
        let input = noise(3, 2, 20_000);
        let output = play(&mut plugin, &mut random, &input, 700);
        assert!(
            output == rendered(preset.text, 44_100, &input),
            "{}",
            preset.name
        );
    }
    assert!(fit > 0);
}

#[test]
fn a_gain_is_that_gain_and_is_set_at_its_frame() {
    let bundle = Bundle::new();
    let mut plugin = bundle.start(48_000.0, 512);
    load_preset(&mut plugin, "headroom = 1\n[[module]]\nkind = \"gain\"\n");
    let gain = id(&plugin, "Gain Gain");
    let ones = vec![vec![1.0; 512]; 2];
    // -72 to 24 dB: -20 dB.
    plugin
        .set_parameter_at(gain, 52.0 / 96.0, 100)
        .expect("it takes it");
    let output = process(&mut plugin, &ones);
    assert!(output[0][..100].iter().all(|&sample| sample == 1.0));
    assert!(output[0][100] < 1.0, "{}", output[0][100]);
    for _ in 0..4 {
        process(&mut plugin, &ones);
    }
    let output = process(&mut plugin, &ones);
    assert!((output[1][511] - 0.1).abs() < 1e-5, "{}", output[1][511]);
}

#[test]
fn a_state_brings_every_parameter_back_and_a_damaged_one_changes_nothing() {
    let bundle = Bundle::new();
    let mut one = bundle.start(48_000.0, 512);
    let mut random = Random(5);
    let list = one.get_parameters().expect("a list");
    for param in &list {
        let unit = random.unit();
        let value = match param.step_count {
            0 => unit,
            steps => (unit * f64::from(steps)).round() / f64::from(steps),
        };
        one.set_parameter(param.id, value).expect("it is set");
    }
    process(&mut one, &noise(1, 2, 512));
    let values = |plugin: &Plugin| -> Vec<f32> {
        let list = plugin.get_parameters().expect("a list");
        list.iter().map(|param| param.value as f32).collect()
    };
    let state = one.save_state().expect("a state");
    let mut other = bundle.start(48_000.0, 512);
    assert_ne!(values(&other), values(&one));
    other.load_state(&state).expect("it loads");
    assert_eq!(values(&other), values(&one));
    let twice = state_of(
        "headroom = 1\n[[module]]\nkind = \"gain\"\n[[module]]\nkind = \"gain\"\nid = \"b\"\n",
    );
    for damaged in [&twice[8..], b"{", b"", &state[..state.len() / 2]] {
        // Whether the host hears of it is not ours to say; the strip stays.
        let _ = other.load_state(damaged);
        assert_eq!(
            values(&other),
            values(&one),
            "{}",
            String::from_utf8_lossy(damaged)
        );
    }
}

#[test]
fn all_rates_and_block_sizes_of_a_session_sound_as_rendered() {
    const RACK: &str = "headroom = 1\n[[module]]\nkind = \"eq\"\n[module.params]\nband2_gain_db = 6.0\n[[module]]\nkind = \"compressor\"\n";
    let bundle = Bundle::new();
    let mut plugin = bundle.start(48_000.0, 64);
    load_preset(&mut plugin, RACK);
    let mut random = Random(9);
    for (rate, most) in [(8_000, 64), (44_100, 1_000), (96_000, 33), (384_000, 4_096)] {
        plugin.stop_processing().expect("it stops");
        plugin
            .reconfigure(f64::from(rate), most)
            .expect("it takes it");
        plugin.start_processing().expect("it starts");
        let input = noise(5, 2, 9_000);
        let output = play(&mut plugin, &mut random, &input, most);
        assert!(output == rendered(RACK, rate, &input), "{rate} Hz");
    }
}

#[test]
fn a_module_put_in_offline_is_there_with_its_very_block() {
    use vst3_host::plugin::ProcessMode;
    let bundle = Bundle::new();
    let mut plugin = bundle.start(48_000.0, 4_800);
    plugin.stop_processing().expect("it stops");
    let mode = ProcessMode::Offline;
    plugin.set_process_mode(mode).expect("it takes it");
    plugin.start_processing().expect("it starts");
    let input = noise(3, 2, 4_800);
    let (place, gain) = (id(&plugin, "Gain Place"), id(&plugin, "Gain Gain"));
    plugin.set_parameter(place, 1.0 / 64.0).expect("it is set");
    plugin.set_parameter(gain, 32.0 / 96.0).expect("it is set");
    let output = process(&mut plugin, &input);
    // It comes in over 20 ms.
    assert!(output[0][1_200..].iter().all(|sample| sample.abs() < 0.006));
}

#[test]
fn instances_one_after_the_other_leave_no_thread_and_no_descriptor() {
    let cycles = std::env::var("HEADROOM_CYCLES").ok();
    let cycles: usize = cycles.map_or(200, |cycles| cycles.parse().expect("a number"));
    let bundle = Bundle::new();
    let count = |list: &str| std::fs::read_dir(list).expect("Linux shows it").count();
    let input = noise(59, 2, 64);
    let once = || {
        let mut plugin = bundle.start(48_000.0, 64);
        load_preset(&mut plugin, "headroom = 1\n[[module]]\nkind = \"delay\"\n");
        process(&mut plugin, &input);
    };
    (0..20).for_each(|_| once());
    let before = [count("/proc/self/task"), count("/proc/self/fd")];
    (0..cycles).for_each(|_| once());
    let after = [count("/proc/self/task"), count("/proc/self/fd")];
    assert_eq!(after, before, "threads and descriptors");
}
