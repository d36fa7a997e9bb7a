//! What a CLAP host hears: the engine, to the bit.

mod host;

use headroom_engine::preset::factory;
use host::{DUCKER, Instance, Random, Set, has_a_kind_twice, keyed, load, noise, rendered};

/// One of each kind, in an order that is not the catalogue's.
const CHAIN: &str = r#"
headroom = 1
[[module]]
kind = "compressor"
[module.params]
threshold_db = -30.0
attack_ms = 3.3
[[module]]
kind = "eq"
[module.params]
band2_freq_hz = 333.3
band2_gain_db = 4.7
[[module]]
kind = "gain"
mix = 0.7
[module.params]
gain_db = -2.9
[[module]]
kind = "delay"
[module.params]
time_ms = 7.0
feedback = 0.3
"#;

/// Runs a whole input through in blocks of random lengths.
fn play(
    instance: &mut Instance,
    random: &mut Random,
    input: &[Vec<f32>],
    most: usize,
) -> Vec<Vec<f32>> {
    let frames = input[0].len();
    let mut output = vec![Vec::new(); input.len()];
    let mut at = 0;
    while at < frames {
        let end = (at + 1 + random.below(most)).min(frames);
        let block: Vec<_> = input
            .iter()
            .map(|channel| channel[at..end].to_vec())
            .collect();
        // With itself at the side-chain: who follows that follows what it would without one.
        for (output, block) in output
            .iter_mut()
            .zip(instance.process_keyed(&block, &block, &[]))
        {
            output.extend(block);
        }
        at = end;
    }
    output
}

fn assert_same(output: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    for (channel, (output, expected)) in output.iter().zip(expected).enumerate() {
        assert_eq!(output.len(), expected.len(), "{what}");
        let differ = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits();
        let first = output.iter().zip(expected).position(differ);
        if let Some(at) = first {
            panic!(
                "{what}: channel {channel}, frame {at}: {} is not {}",
                output[at], expected[at]
            );
        }
    }
}

/// What a host hears of a latency that it takes out itself.
fn aligned(output: &[Vec<f32>], latency: usize) -> Vec<Vec<f32>> {
    output
        .iter()
        .map(|channel| channel[latency..].to_vec())
        .collect()
}

#[test]
fn every_preset_sounds_as_rendered_to_the_bit() {
    let entry = load();
    let mut random = Random(7);
    let mut presets: Vec<_> = factory()
        .iter()
        .map(|preset| (preset.name, preset.text))
        .collect();
    presets.push(("chain", CHAIN));
    for (name, text) in presets {
        let mut instance = Instance::new(&entry);
        let is_taken = instance.load_state(&host::state_of(text));
        assert_eq!(
            is_taken,
            !has_a_kind_twice(text),
            "{name}: the host is told"
        );
        instance.start(48_000.0, 700);
        if has_a_kind_twice(text) {
            let kept = host::json_of(&instance.save())["fields"]["rack"].clone();
            assert_eq!(
                kept, "headroom = 1\n",
                "{name} is refused, the strip stays empty"
            );
            continue;
        }
        let input = noise(3, 2, 30_000);
        let latency = instance.latency_frames();
        let mut padded = input.clone();
        padded
            .iter_mut()
            .for_each(|channel| channel.resize(30_000 + latency, 0.0));
        let output = play(&mut instance, &mut random, &padded, 700);
        assert_same(
            &aligned(&output, latency),
            &rendered(text, 48_000, &input),
            name,
        );
    }
}

#[test]
fn all_rates_and_both_layouts_sound_as_rendered() {
    let entry = load();
    let mut random = Random(11);
    for rate in [
        1_000, 8_000, 11_025, 44_100, 48_000, 96_000, 192_000, 384_000, 1_536_000,
    ] {
        for channels in [1, 2] {
            let mut instance = match channels {
                1 => Instance::mono(&entry),
                _ => Instance::new(&entry),
            };
            instance.load_preset(CHAIN);
            instance.start(f64::from(rate), 333);
            let input = noise(5, channels, 9_000);
            let latency = instance.latency_frames();
            let mut padded = input.clone();
            padded
                .iter_mut()
                .for_each(|channel| channel.resize(9_000 + latency, 0.0));
            let output = play(&mut instance, &mut random, &padded, 333);
            let expected = rendered(CHAIN, rate, &input);
            assert_same(
                &aligned(&output, latency),
                &expected,
                &format!("{rate} Hz, {channels}"),
            );
        }
    }
    let mut instance = Instance::new(&entry);
    for rate in [999.0, 1_536_001.0, 0.0] {
        assert!(!instance.try_start(rate, 64), "{rate} Hz");
    }
    instance.start(48_000.0, 64);
}

#[test]
fn blocks_longer_than_the_engine_plans_for_are_played_whole() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(CHAIN);
    instance.start(48_000.0, 40_000);
    let input = noise(5, 2, 40_000);
    let output = instance.process(&input, &[]);
    assert_same(&output, &rendered(CHAIN, 48_000, &input), "one block");
}

#[test]
fn automation_is_heard_at_its_frame_however_blocks_are_cut() {
    let entry = load();
    let mut whole = Instance::new(&entry);
    let mut cut = Instance::new(&entry);
    let frames = 24_000;
    let input = noise(9, 2, frames);
    let ids: Vec<_> = {
        let list = whole.list();
        let moves = |name: &str| !name.ends_with("Place");
        list.into_iter()
            .filter(|(_, name, _, _)| moves(name))
            .collect()
    };
    let mut random = Random(13);
    let mut sets: Vec<Set> = (0..400)
        .map(|_| {
            let (id, _, _, max) = &ids[random.below(ids.len())];
            let value = if *max > 1.0 {
                (random.unit() * max).round()
            } else {
                random.unit()
            };
            Set(random.below(frames) as u32, *id, value)
        })
        .collect();
    sets.sort_by_key(|Set(frame, _, _)| *frame);
    for instance in [&mut whole, &mut cut] {
        instance.load_preset(CHAIN);
        instance.start(48_000.0, frames as u32);
    }
    let expected = whole.process(&input, &sets);
    let mut output = vec![Vec::new(); 2];
    let mut at = 0;
    while at < frames {
        let end = (at + 1 + random.below(500)).min(frames);
        let here = sets
            .iter()
            .filter(|set| (at..end).contains(&(set.0 as usize)));
        let here: Vec<_> = here
            .map(|Set(frame, id, value)| Set(frame - at as u32, *id, *value))
            .collect();
        let block: Vec<_> = input
            .iter()
            .map(|channel| channel[at..end].to_vec())
            .collect();
        for (output, block) in output.iter_mut().zip(cut.process(&block, &here)) {
            output.extend(block);
        }
        at = end;
    }
    assert_same(&output, &expected, "cut");
    assert!(expected.iter().flatten().all(|sample| sample.is_finite()));
    let still = {
        let mut still = Instance::new(&entry);
        still.load_preset(CHAIN);
        still.start(48_000.0, frames as u32);
        still.process(&input, &[])
    };
    let first = sets[0].0 as usize;
    assert_same(
        &[expected[0][..first].to_vec()],
        &[still[0][..first].to_vec()],
        "before the first change",
    );
    assert_ne!(
        expected[0][first..],
        still[0][first..],
        "the changes are heard"
    );
}

#[test]
fn a_change_is_heard_from_its_frame_on_and_not_before() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset("headroom = 1\n[[module]]\nkind = \"gain\"\n");
    instance.start(48_000.0, 512);
    let gain = instance.id("Gain Gain");
    let value = instance.value_of(gain, "-20 dB").unwrap();
    let ones = vec![vec![1.0; 512]; 2];
    let output = instance.process(&ones, &[Set(100, gain, value)]);
    assert!(output[0][..100].iter().all(|&sample| sample == 1.0));
    assert!(output[0][100] < 1.0, "{}", output[0][100]);
    let after = instance.process(&vec![vec![1.0; 2_000]; 2], &[]);
    assert!((after[0][1_999] - 0.1).abs() < 1e-4, "{}", after[0][1_999]);
}

#[test]
fn the_hosts_bypass_gives_back_the_input_at_the_latency_that_is_reported() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(CHAIN);
    instance.start(48_000.0, 4_096);
    let latency = instance.latency_frames();
    let bypass = instance.id("Bypass");
    let input = noise(17, 2, 4_096);
    let wet = instance.process(&input, &[]);
    assert_ne!(wet[0][latency..], input[0][..4_096 - latency]);
    instance.process(&input, &[Set(0, bypass, 1.0)]);
    instance.process(&input, &[]);
    let dry = instance.process(&input, &[]);
    let late = aligned(&dry, latency);
    let on_time: Vec<_> = input
        .iter()
        .map(|channel| channel[..4_096 - latency].to_vec())
        .collect();
    assert_same(&late, &on_time, "bypassed");
    assert_eq!(instance.latency_frames(), latency);
    instance.process(&input, &[Set(0, bypass, 0.0)]);
    assert_ne!(instance.process(&input, &[]), dry);
}

#[test]
fn a_reset_plays_as_the_first_time() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(CHAIN);
    instance.start(48_000.0, 4_096);
    let input = noise(19, 2, 4_096);
    let first = instance.process(&input, &[]);
    assert_ne!(instance.process(&input, &[]), first, "its echoes are in it");
    instance.reset();
    assert_same(&instance.process(&input, &[]), &first, "after a reset");
    instance.stop();
    instance.start(48_000.0, 4_096);
    assert_same(&instance.process(&input, &[]), &first, "started again");
    instance.stop();
    instance.start(48_000.0, 64);
    let block = |at: usize| {
        input
            .iter()
            .map(|c| c[at..at + 64].to_vec())
            .collect::<Vec<_>>()
    };
    for at in (0..4_096).step_by(64) {
        let expected: Vec<_> = first.iter().map(|c| c[at..at + 64].to_vec()).collect();
        assert_same(
            &instance.process(&block(at), &[]),
            &expected,
            "at another block size",
        );
    }
}

#[test]
fn an_empty_strip_gives_what_it_gets_and_never_what_is_no_number() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, 512);
    let mut input = noise(21, 2, 512);
    assert_same(&instance.process(&input, &[]), &input, "empty");
    input[0][7] = f32::NAN;
    input[1][9] = f32::NEG_INFINITY;
    let output = instance.process(&input, &[]);
    input[0][7] = 0.0;
    input[1][9] = 0.0;
    assert_same(&output, &input, "not finite");
}

#[test]
fn the_side_chain_is_what_a_compressor_that_asks_for_it_follows() {
    let entry = load();
    let mut random = Random(23);
    for channels in [1, 2] {
        let new = || match channels {
            1 => Instance::mono(&entry),
            _ => Instance::new(&entry),
        };
        let (input, key) = (noise(25, channels, 9_000), noise(27, channels, 9_000));
        let mut instance = new();
        instance.load_preset(DUCKER);
        instance.start(48_000.0, 700);
        let mut output = vec![Vec::new(); channels];
        let mut at = 0;
        while at < 9_000 {
            let end = (at + 1 + random.below(700)).min(9_000);
            let part = |bus: &[Vec<f32>]| -> Vec<_> {
                bus.iter()
                    .map(|channel| channel[at..end].to_vec())
                    .collect()
            };
            let block = instance.process_keyed(&part(&input), &part(&key), &[]);
            for (output, block) in output.iter_mut().zip(block) {
                output.extend(block);
            }
            at = end;
        }
        assert_same(&output, &keyed(DUCKER, &input, &key), "keyed");
        let internal = DUCKER.replace("external", "internal");
        let mut instance = new();
        instance.load_preset(&internal);
        instance.start(48_000.0, 9_000);
        let own = instance.process_keyed(&input, &key, &[]);
        assert_same(&own, &rendered(&internal, 48_000, &input), "internal");
        assert_ne!(own, output);
        // Nothing at the side-chain: nothing to turn down for.
        let mut instance = new();
        instance.load_preset(DUCKER);
        instance.start(48_000.0, 9_000);
        let open = DUCKER.replace(
            "[[module]]\nkind = \"compressor\"",
            "[[module]]\nkind = \"compressor\"\nbypass = true",
        );
        assert_same(
            &instance.process(&input, &[]),
            &rendered(&open, 48_000, &input),
            "a silent key",
        );
    }
}

#[test]
fn both_layouts_have_a_main_port_and_a_side_chain_of_as_many_channels() {
    use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
    let entry = load();
    for (mut instance, channels) in [(Instance::new(&entry), 2), (Instance::mono(&entry), 1)] {
        let handle = instance.plugin.plugin_handle();
        let ports: PluginAudioPorts = handle.get_extension().expect("ports");
        let mut buffer = AudioPortInfoBuffer::new();
        assert_eq!(
            [ports.count(&handle, true), ports.count(&handle, false)],
            [2, 1]
        );
        for at in 0..2 {
            let port = ports.get(&handle, at, true, &mut buffer).expect("a port");
            assert_eq!(port.channel_count, channels);
            let name = String::from_utf8_lossy(port.name).into_owned();
            assert_eq!(name == "Side-chain", at == 1, "{name}");
            assert_eq!(port.flags.contains(AudioPortFlags::IS_MAIN), at == 0);
        }
    }
}
