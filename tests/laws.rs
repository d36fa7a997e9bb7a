//! What every module keeps, whatever it does to the sound. A new one is held to it by being in the
//! catalogue. All of it runs under `assert_no_alloc`: one allocation or free inside the callback
//! ends the process.

use std::sync::atomic::Ordering;

use assert_no_alloc::AllocDisabler;
use headroom_engine::{Catalog, Change, Kind, ModuleSpec, RackSpec, Scale, Tempo};
use headroom_tests::rig::{Blocks, Rig, lively, rack, stream};
use headroom_tests::seeds::{RULED, RULER};
use headroom_tests::signal::{Random, noise, programme};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATES_HZ: [u32; 5] = [1_000, 44_100, 48_000, 192_000, 1_536_000];

/// Every kind alone, in three settings, then all in one rack.
fn racks() -> Vec<RackSpec> {
    let kinds = Catalog::builtin();
    let alone = |kind: &&'static Kind| {
        let kind = *kind;
        (0..3).map(move |seed| rack([lively(kind, seed)]))
    };
    let mut racks: Vec<_> = kinds.kinds().iter().flat_map(alone).collect();
    racks.push(rack(kinds.kinds().iter().map(|kind| lively(kind, 3))));
    racks
}

fn name(spec: &RackSpec) -> String {
    let kinds: Vec<_> = spec.modules.iter().map(|module| module.kind.id).collect();
    kinds.join(" > ")
}

/// Changes of any parameter, bypass and mix of the rack, and of the tempo, at any frame.
fn storm(rig: &Rig, count: usize, frames: usize, seed: u64) -> Vec<(usize, Change)> {
    let mut random = Random::new(seed);
    let modules = rig.controller.spec().modules.clone();
    let mut storm: Vec<_> = (0..count)
        .map(|_| {
            let frame = random.below(frames);
            let module = &modules[random.below(modules.len())];
            let slot = rig.controller.slot_key(&module.id).unwrap();
            let what = random.below(module.kind.params.len() + 3);
            let change = match module.kind.params.get(what) {
                Some(param) => {
                    let value = param.denormalize(random.unit());
                    rig.controller
                        .param_change(&module.id, param.id, value)
                        .unwrap()
                }
                None if what == module.kind.params.len() => Change::Bypass {
                    slot,
                    on: random.unit() > 0.5,
                },
                None if what == module.kind.params.len() + 1 => Change::Mix {
                    slot,
                    value: random.unit(),
                },
                None => {
                    let bpm = 20.0 + 400.0 * f64::from(random.unit());
                    Change::Tempo(Tempo::new(bpm).unwrap())
                }
            };
            (frame, change)
        })
        .collect();
    storm.sort_by_key(|(frame, _)| *frame);
    storm
}

fn input(rate_hz: u32, channels: usize, frames: usize) -> Vec<Vec<f32>> {
    (0..channels)
        .map(|channel| programme(1 + channel as u64, rate_hz, frames))
        .collect()
}

#[test]
fn output_has_the_same_bits_for_any_split_into_blocks() {
    let frames = 12_000;
    for spec in racks() {
        for channels in [1, 2] {
            let run = |blocks: &Blocks| {
                let mut rig = Rig::new(stream(48_000, channels), &spec);
                let events = storm(&rig, 150, frames, 7);
                let mut sound = input(48_000, channels, frames);
                rig.run(&mut sound, blocks, &events, |_, _| {});
                sound
            };
            let whole = run(&Blocks::Fixed(512));
            let splits = [1, 7, 31, 64, 480].map(Blocks::Fixed);
            for blocks in splits.into_iter().chain([Blocks::Random(Random::new(5))]) {
                let other = run(&blocks);
                for (channel, (a, b)) in whole.iter().zip(&other).enumerate() {
                    let differs = a
                        .iter()
                        .zip(b)
                        .position(|(a, b)| a.to_bits() != b.to_bits());
                    assert_eq!(
                        differs,
                        None,
                        "{}, {channels} channels, channel {channel}, {blocks:?}: first frame that differs",
                        name(&spec)
                    );
                }
            }
        }
    }
}

#[test]
fn output_is_finite_for_any_input_and_any_storm_of_parameters() {
    for spec in racks() {
        for rate_hz in RATES_HZ {
            let frames = 24_000;
            let mut rig = Rig::new(stream(rate_hz, 2), &spec);
            let events = storm(&rig, 2_000, frames, 11);
            let mut random = Random::new(13);
            let mut sound: Vec<Vec<f32>> = (0..2)
                .map(|_| {
                    (0..frames)
                        .map(|i| match (i / 1_000) % 6 {
                            0 => 2.0 * random.unit() - 1.0,
                            1 => [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][random.below(3)],
                            2 => f32::from_bits(random.bits() as u32),
                            3 => f32::MIN_POSITIVE * random.unit(),
                            4 => 1e4 * (random.unit() - 0.5),
                            _ => 0.0,
                        })
                        .collect()
                })
                .collect();
            rig.run(
                &mut sound,
                &Blocks::Random(Random::new(2)),
                &events,
                |_, _| {},
            );
            for channel in &sound {
                let bad = channel.iter().position(|sample| !sample.is_finite());
                assert_eq!(bad, None, "{} at {rate_hz} Hz", name(&spec));
            }
            let health = rig.controller.health();
            assert!(health.non_finite_inputs > 1_000, "{health:?}");
            assert_eq!(health.panics, 0, "{}", name(&spec));
        }
    }
}

#[test]
fn what_went_in_wrong_is_forgotten_when_the_input_is_good_again() {
    for spec in racks() {
        let mut rig = Rig::stereo(&spec);
        let mut bad = vec![vec![f32::NAN; 1_000], vec![f32::INFINITY; 1_000]];
        rig.play(&mut bad);
        assert!(
            bad.iter().flatten().all(|sample| *sample == 0.0),
            "{}",
            name(&spec)
        );
        assert_eq!(rig.controller.health().muted_chunks, 0, "{}", name(&spec));
    }
}

#[test]
fn reset_repeats_the_first_run_exactly() {
    for spec in racks() {
        let mut rig = Rig::stereo(&spec);
        let mut first = input(48_000, 2, 20_000);
        let mut again = first.clone();
        rig.play(&mut first);
        rig.processor.reset();
        rig.play(&mut again);
        assert!(first == again, "{}", name(&spec));
    }
}

#[test]
fn a_bypassed_module_is_its_input_to_the_bit() {
    for kind in Catalog::builtin().kinds() {
        let mut module = lively(kind, 1);
        module.bypass = true;
        let mut rig = Rig::stereo(&rack([module]));
        let latency_frames = rig.controller.latency_frames();
        let dry = input(48_000, 2, 9_000);
        let mut wet = dry.clone();
        rig.run(&mut wet, &Blocks::Random(Random::new(3)), &[], |_, _| {});
        for (dry, wet) in dry.iter().zip(&wet) {
            assert!(
                dry[..9_000 - latency_frames] == wet[latency_frames..],
                "{}",
                kind.id
            );
        }
    }
}

#[test]
fn default_values_are_in_range_and_survive_text() {
    for kind in Catalog::builtin().kinds() {
        for (i, param) in kind.params.iter().enumerate() {
            assert!(param.accepts(param.default), "{}.{}", kind.id, param.id);
            assert!(param.min < param.max, "{}.{}", kind.id, param.id);
            assert!(
                param.scale != Scale::Log || param.min > 0.0,
                "{}.{}",
                kind.id,
                param.id
            );
            let twin = kind.params.iter().position(|other| other.id == param.id);
            assert_eq!(twin, Some(i), "{}.{} twice", kind.id, param.id);
            for position in [0.0, 0.25, 0.5, 1.0] {
                let value = param.denormalize(position);
                let back = param.denormalize(param.normalize(value));
                let scale = value.abs().max(1e-3);
                assert!(
                    (back - value).abs() <= 1e-4 * scale,
                    "{}.{}",
                    kind.id,
                    param.id
                );
                assert!(!param.format(value).is_empty());
            }
        }
    }
}

#[test]
fn silence_in_ends_in_silence_out() {
    for kind in Catalog::builtin().kinds() {
        let mut spec = ModuleSpec::new(kind);
        if let Some(index) = kind.param_index("time_ms") {
            spec.values[index] = 50.0;
        }
        let mut rig = Rig::stereo(&rack([spec]));
        let mut sound = vec![noise(1, 0.5, 4_800), noise(2, 0.5, 4_800)];
        rig.play(&mut sound);
        let mut silence = vec![vec![0.0; 48_000 * 4]; 2];
        rig.play(&mut silence);
        let last = &silence[0][48_000 * 4 - 4_800..];
        let peak = headroom_tests::measure::peak(last);
        assert!(peak < 1e-5, "{}: {peak} after four seconds", kind.id);
    }
}

#[test]
fn every_chunk_starts_on_a_cache_line_wherever_the_hosts_buffers_lie() {
    let gain = |seed| lively(Catalog::builtin().find("gain").unwrap(), seed);
    let ruler = || ModuleSpec::new(&RULER);
    let mut rig = Rig::new(stream(48_000, 2), &rack([ruler(), gain(1)]));
    let mut channels = [noise(1, 0.5, 60_000), noise(2, 0.5, 60_000)];
    let blocks = Blocks::Random(Random::new(5));
    let mut done = [0; 3];
    rig.run(&mut channels, &blocks, &[], |controller, at| {
        // What comes and leaves runs in other buffers: in these too.
        let outcome = match at % 5 {
            0 => controller.load(&rack([ruler(), gain(2)])),
            1 => controller.edit(&rack([gain(1), ruler()])),
            2 => controller.edit(&rack([gain(1)])),
            _ => Ok(()),
        };
        done[(at % 5).min(2)] += usize::from(outcome.is_ok());
    });
    let [chunks, off] = RULED.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(done.iter().all(|done| *done > 10), "{done:?}");
    assert!(chunks > 1_000, "{chunks}");
    assert_eq!(off, 0, "of {chunks} chunks");
}
