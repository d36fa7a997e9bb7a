//! What a VST3 host may do with buses, blocks and modes, by a host of our own on the interfaces themselves: the
//! side-chain is followed where there is one, and whatever a host leaves out, nothing is mistaken for it.
#![cfg(target_os = "linux")]

mod com;
mod host;

use com::{Block, Bus, INPUT, Instance, MONO, Module, NONE, OUTPUT, STEREO};
use host::{DUCKER, Random, keyed, library, noise, rendered, state_of};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{BusInfo_::BusFlags_, BusTypes_, SpeakerArr};
use nice_plug::wrapper::vst3::vst3::Steinberg::{kResultFalse, kResultOk};

const FRAMES: usize = 6_000;

fn arrangement(channels: usize) -> u64 {
    [NONE, MONO, STEREO][channels]
}

/// An instance with the ducker, so many channels, and so many at the side-chain.
fn ducker(module: &Module, main: usize, key: usize, is_on: bool) -> Instance {
    let instance = module.instance();
    assert_eq!(instance.load(&state_of(DUCKER)[8..]), kResultOk);
    let main = arrangement(main);
    assert_eq!(
        instance.arrange(&[main, arrangement(key)], &[main]),
        kResultOk
    );
    assert_eq!(instance.activate_bus(INPUT, 1, is_on), kResultOk);
    instance.start(48_000.0, 700);
    instance
}

/// A whole input in blocks of random lengths, each with what `key` gives for it.
fn play(
    instance: &Instance,
    input: &[Vec<f32>],
    mut key: impl FnMut(std::ops::Range<usize>) -> Option<Bus>,
) -> Vec<Vec<f32>> {
    let (mut random, mut at) = (Random(23), 0);
    let mut output = vec![Vec::new(); input.len()];
    while at < FRAMES {
        let end = (at + 1 + random.below(700)).min(FRAMES);
        let mut block = Block::of(&part(input, at..end));
        block.inputs.extend(key(at..end));
        for (output, block) in output.iter_mut().zip(instance.process(block)) {
            output.extend(block);
        }
        at = end;
    }
    output
}

fn part(bus: &[Vec<f32>], of: std::ops::Range<usize>) -> Vec<Vec<f32>> {
    bus.iter()
        .map(|channel| channel[of.clone()].to_vec())
        .collect()
}

#[test]
fn a_host_finds_main_in_a_side_chain_that_is_off_and_main_out() {
    let instance = Module::load(&library()).instance();
    let text = |name: &[u16]| {
        let end = name.iter().position(|&unit| unit == 0).expect("it ends");
        String::from_utf16(&name[..end]).expect("a text")
    };
    let found = |to| -> Vec<_> {
        let buses = instance.buses(to).into_iter();
        buses
            .map(|bus| {
                let is_on = bus.flags & BusFlags_::kDefaultActive != 0;
                (text(&bus.name), bus.channelCount, bus.busType, is_on)
            })
            .collect()
    };
    let (main, aux) = (BusTypes_::kMain as i32, BusTypes_::kAux as i32);
    assert_eq!(
        found(INPUT),
        [
            ("Input".to_owned(), 2, main, true),
            ("Side-chain".to_owned(), 2, aux, false)
        ]
    );
    assert_eq!(found(OUTPUT), [("Output".to_owned(), 2, main, true)]);
    assert_eq!(instance.activate_bus(INPUT, 1, true), kResultOk);
    assert_ne!(instance.activate_bus(INPUT, 2, true), kResultOk);
    assert_ne!(instance.activate_bus(OUTPUT, 1, true), kResultOk);
}

#[test]
fn every_arrangement_in_every_order_is_taken_and_what_cannot_be_leaves_all_as_it_was() {
    let instance = Module::load(&library()).instance();
    let all: Vec<_> = [1, 2]
        .into_iter()
        .flat_map(|main| [0, 1, 2].map(|key| (main, key)))
        .collect();
    let surround = SpeakerArr::k51;
    let refused: [(&[u64], &[u64]); 8] = [
        (&[MONO, MONO], &[STEREO]),
        (&[STEREO, MONO], &[MONO]),
        (&[surround, STEREO], &[surround]),
        (&[STEREO, surround], &[STEREO]),
        (&[NONE, STEREO], &[NONE]),
        (&[STEREO, STEREO, STEREO], &[STEREO]),
        (&[STEREO, STEREO], &[STEREO, STEREO]),
        (&[STEREO, STEREO], &[]),
    ];
    for (turn, &first) in all.iter().enumerate() {
        for &second in &all {
            for (main, key) in [first, second] {
                let [main_is, key_is] = [main, key].map(arrangement);
                assert_eq!(instance.arrange(&[main_is, key_is], &[main_is]), kResultOk);
                let is = [Some(main_is), Some(key_is), Some(main_is)];
                assert_eq!(instance.arrangements(), is);
                let channels = instance.buses(INPUT).into_iter();
                let channels: Vec<_> = channels.map(|bus| bus.channelCount as usize).collect();
                assert_eq!(channels, [main, key]);
                for (inputs, outputs) in refused {
                    assert_eq!(instance.arrange(inputs, outputs), kResultFalse);
                    assert_eq!(instance.arrangements(), is, "{inputs:?}, {outputs:?}");
                }
            }
            // The last one plays.
            instance.start(48_000.0, 64);
            let input = noise(turn as u64, second.0, 64);
            let key = Bus::Sound(noise(5, second.1, 64));
            assert_eq!(instance.process(Block::of(&input).with(key)), input);
            // While it does, it stays.
            let other = arrangement(3 - second.0);
            assert_eq!(instance.arrange(&[other, STEREO], &[other]), kResultFalse);
            let is = arrangement(second.0);
            assert_eq!(instance.arrangements()[0], Some(is));
            instance.activate(false);
        }
    }
    // Of a side-chain that it knows nothing of a host says nothing.
    assert_eq!(instance.arrange(&[MONO, STEREO], &[MONO]), kResultOk);
    assert_eq!(instance.arrange(&[STEREO], &[STEREO]), kResultOk);
    assert_eq!(
        instance.arrangements(),
        [Some(STEREO), Some(STEREO), Some(STEREO)]
    );
}

#[test]
fn the_side_chain_is_what_a_compressor_that_asks_for_it_follows() {
    let module = Module::load(&library());
    for (main, key) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let (input, loud) = (noise(25, main, FRAMES), noise(27, key, FRAMES));
        let bus = |loud: &[Vec<f32>], of| Some(Bus::Sound(part(loud, of)));
        let instance = ducker(&module, main, key, true);
        let ducked = play(&instance, &input, |of| bus(&loud, of));
        assert!(
            ducked == keyed(DUCKER, &input, &loud),
            "{main} channels, {key} at the side-chain"
        );
        let silence = vec![vec![0.0; FRAMES]; key];
        let instance = ducker(&module, main, key, true);
        let open = play(&instance, &input, |of| bus(&silence, of));
        assert!(open == keyed(DUCKER, &input, &silence));
        // By ear: 30 dB above a ratio of 8 is turned down by 26 dB or so, silence by nothing.
        let level = |sound: &[Vec<f32>]| -> f32 {
            let late = sound[0][FRAMES / 2..].iter();
            10.0 * (late.map(|it| it * it).sum::<f32>() / (FRAMES / 2) as f32).log10()
        };
        let turned_down_db = level(&open) - level(&ducked);
        assert!(turned_down_db > 15.0, "{turned_down_db} dB");
    }
}

#[test]
fn a_side_chain_that_is_off_or_that_a_host_does_not_give_is_none() {
    let module = Module::load(&library());
    let (input, loud) = (noise(25, 2, FRAMES), noise(27, 2, FRAMES));
    let own = keyed(DUCKER, &input, &[]);
    assert!(own != keyed(DUCKER, &input, &loud));
    let instance = ducker(&module, 2, 2, false);
    let given = |of| Some(Bus::Sound(part(&loud, of)));
    assert!(
        play(&instance, &input, given) == own,
        "off, though it sounds"
    );
    let instance = ducker(&module, 2, 2, false);
    assert!(
        play(&instance, &input, |_| None) == own,
        "off, and not there"
    );
    let instance = ducker(&module, 2, 0, true);
    assert!(
        play(&instance, &input, given) == own,
        "no channels agreed on"
    );
    for missing in [
        None,
        Some(Bus::NoChannels),
        Some(Bus::NoTable(2)),
        Some(Bus::NullChannels(2)),
    ] {
        let instance = ducker(&module, 2, 2, true);
        let output = play(&instance, &input, |_| missing.clone());
        assert!(output == own, "on, and the host gives {missing:?}");
    }
    // Switched while it plays: from the next block on.
    let instance = ducker(&module, 2, 2, false);
    let block = |of: std::ops::Range<usize>| {
        let key = Bus::Sound(part(&loud, of.clone()));
        Block::of(&part(&input, of)).with(key)
    };
    let before = instance.process(block(0..700));
    assert!(before == part(&own, 0..700));
    assert_eq!(instance.activate_bus(INPUT, 1, true), kResultOk);
    assert!(instance.process(block(700..1_400)) != part(&own, 700..1_400));
}

#[test]
fn a_key_that_lies_where_the_output_does_is_heard_as_it_came() {
    let module = Module::load(&library());
    let input = noise(25, 2, 700);
    let instance = ducker(&module, 2, 2, true);
    let output = instance.process(Block {
        in_place: true,
        key_is_main: true,
        ..Block::of(&input)
    });
    assert!(output == keyed(DUCKER, &input, &input));
}

#[test]
fn what_a_host_leaves_out_of_the_main_buses_is_silence_or_no_sound_at_all() {
    let module = Module::load(&library());
    let input = noise(3, 2, 64);
    let silence = vec![vec![0.0; 64]; 2];
    let instance = module.instance();
    instance.start(48_000.0, 64);
    for missing in [
        vec![],
        vec![Bus::NoChannels],
        vec![Bus::NoTable(2)],
        vec![Bus::NullChannels(2)],
    ] {
        let block = Block {
            inputs: missing.clone(),
            ..Block::of(&input)
        };
        assert_eq!(instance.process(block), silence, "{missing:?}");
    }
    // One of two channels: the other is silent.
    let block = Block {
        inputs: vec![Bus::Sound(vec![input[0].clone()])],
        ..Block::of(&input)
    };
    let half = [input[0].clone(), silence[1].clone()];
    assert_eq!(instance.process(block), half);
    // No output, or not all of it: what is changed is, and that is all.
    let id = instance.id("Gain Gain");
    for (at, output) in [vec![], vec![vec![7.0; 64]]].into_iter().enumerate() {
        let value = 0.25 + at as f64 / 4.0;
        let block = Block {
            output: output.clone(),
            frames: Some(64),
            ..Block::of(&input)
        };
        assert_eq!(instance.process(block.changing(&[(id, 3, value)])), output);
        assert_eq!(instance.value(id), value);
    }
    // A flush.
    let block = Block {
        inputs: vec![],
        output: vec![],
        ..Block::default()
    };
    instance.process(block.changing(&[(id, 0, 1.0)]));
    assert_eq!(instance.value(id), 1.0);
    assert_eq!(instance.process(Block::of(&input)), input);
}

#[test]
fn an_offline_render_is_one_from_its_first_activation_on() {
    let module = Module::load(&library());
    let input = noise(3, 2, 4_800);
    // Whether a module is there with the very block that it is put in with.
    let is_there_at_once = |of_setup: i32, of_block: i32| {
        let instance = module.instance();
        let (place, gain) = (instance.id("Gain Place"), instance.id("Gain Gain"));
        instance.set_up(48_000.0, 4_800, of_setup);
        instance.activate(true);
        let block = Block {
            mode: of_block,
            ..Block::of(&input)
        };
        let changes = [(place, 0, 1.0 / 64.0), (gain, 0, 32.0 / 96.0)];
        let output = instance.process(block.changing(&changes));
        // It comes in over 20 ms.
        output[0][1_200..].iter().all(|sample| sample.abs() < 0.006)
    };
    const REAL_TIME: i32 = 0;
    const OFFLINE: i32 = 2;
    assert!(is_there_at_once(OFFLINE, OFFLINE));
    assert!(is_there_at_once(OFFLINE, REAL_TIME), "a host says it once");
    assert!(is_there_at_once(REAL_TIME, OFFLINE), "or there alone");
    assert!(!is_there_at_once(REAL_TIME, REAL_TIME), "built elsewhere");
}

#[test]
fn changes_of_several_parameters_take_effect_in_the_order_of_their_frames() {
    const RACK: &str = "headroom = 1\n[[module]]\nkind = \"gain\"\n";
    let module = Module::load(&library());
    let input = noise(7, 2, 512);
    let start = || {
        let instance = module.instance();
        assert_eq!(instance.load(&state_of(RACK)[8..]), kResultOk);
        instance.start(48_000.0, 512);
        instance
    };
    let instance = start();
    let (gain, pan) = (instance.id("Gain Gain"), instance.id("Gain Pan"));
    // One list for each parameter, as hosts give them; the last of two at one frame counts.
    let changes = [
        (gain, 100, 0.5),
        (gain, 300, 0.9),
        (gain, 300, 0.6),
        (pan, 50, 0.2),
        (pan, 300, 0.8),
        (pan, 511, 0.5),
    ];
    let output = instance.process(Block::of(&input).changing(&changes));
    // The same in blocks of their own.
    let instance = start();
    let mut expected = vec![Vec::new(); 2];
    for (from, to) in [(0, 50), (50, 100), (100, 300), (300, 511), (511, 512)] {
        let due = changes.iter().filter(|(_, at, _)| *at == from as i32);
        let due: Vec<_> = due.map(|(id, _, to)| (*id, 0, *to)).collect();
        let block = Block::of(&part(&input, from..to)).changing(&due);
        for (expected, block) in expected.iter_mut().zip(instance.process(block)) {
            expected.extend(block);
        }
    }
    assert!(output == expected);
    assert!(output != rendered(RACK, 48_000, &input));
}

#[test]
fn a_flood_of_changes_ends_where_each_list_ends() {
    let module = Module::load(&library());
    let instance = module.instance();
    instance.start(48_000.0, 512);
    let input = noise(7, 2, 512);
    let ids = ["Gain Gain", "Gain Pan", "Gain Width", "Gain Mix"].map(|name| instance.id(name));
    let mut changes = Vec::new();
    for (list, id) in ids.into_iter().enumerate() {
        let end = 0.1 + list as f64 / 10.0;
        changes.extend((0..1_500).map(|at| (id, at / 3, f64::from(at % 7) / 7.0)));
        changes.push((id, 511, end));
    }
    // What no host may say does no harm.
    changes.push((ids[0] ^ 0x5555, 3, 0.5));
    changes.push((ids[3], 511, f64::NAN));
    changes.push((ids[2], -7, 0.3));
    assert_eq!(
        instance.process(Block::of(&input).changing(&changes)),
        input
    );
    for (list, id) in ids.into_iter().enumerate().take(2) {
        let end = (0.1 + list as f64 / 10.0) as f32;
        assert_eq!(instance.value(id) as f32, end);
    }
}

#[test]
fn a_controller_says_what_its_host_said_until_a_block_moves_it() {
    let module = Module::load(&library());
    let instance = module.instance();
    let id = instance.id("Gain Gain");
    instance.start(48_000.0, 64);
    let say = |value| instance.say(id, value);
    say(0.25);
    assert_eq!(instance.value(id), 0.25);
    instance.process(Block::of(&noise(3, 2, 64)).changing(&[(id, 0, 0.75)]));
    assert_eq!(instance.value(id), 0.75);
    say(0.25);
    assert_eq!(instance.load(&state_of("headroom = 1\n")[8..]), kResultOk);
    assert_eq!(instance.value(id), 0.75, "a state is another");
}
