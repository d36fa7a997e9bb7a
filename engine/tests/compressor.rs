//! The compressor's claims, measured from outside.

mod common;
#[path = "common/drive.rs"]
mod drive;

use common::build;
use drive::{Change, Random, bits, db, gain, param_index, rms, run, run_mono, run_with, tone};
use headroom_engine::{Catalog, Memory, Module, ModuleSpec, RackSpec, Scale, Stream, open};

const RATE_HZ: f64 = 48_000.0;

fn stream(channels: usize) -> Stream {
    Stream::new(48_000, 512, channels).unwrap()
}

/// The static curve as the paper writes it, in dB: what a level comes out at.
fn curve(level: f64, threshold: f64, ratio: f64, knee: f64) -> f64 {
    let over = level - threshold;
    if 2.0 * over < -knee {
        level
    } else if 2.0 * over.abs() <= knee && knee > 0.0 {
        level + (1.0 / ratio - 1.0) * (over + knee / 2.0).powi(2) / (2.0 * knee)
    } else {
        threshold + over / ratio
    }
}

/// Gain in dB that a settled `signal` gets, from its second half.
fn settled_gain_db(module: &mut dyn Module, signal: &[f32]) -> f64 {
    let out = run_mono(module, signal);
    let half = signal.len() / 2;
    db(rms(&out[half..]) / rms(&signal[half..]))
}

#[test]
fn static_curve_is_within_a_tenth_of_a_decibel_of_its_definition() {
    let mut worst = 0.0f64;
    for detector in [0.0f32, 1.0] {
        for (threshold, ratio, knee) in [
            (-20.0, 4.0, 0.0),
            (-20.0, 4.0, 6.0),
            (-40.0, 1.5, 24.0),
            (-30.0, 20.0, 12.0),
            (0.0, 20.0, 24.0),
        ] {
            for hz in [100.0, 997.0, 5_000.0] {
                for level in (-60..=6).step_by(3).map(f64::from) {
                    let values = [
                        ("threshold_db", threshold as f32),
                        ("ratio", ratio as f32),
                        ("knee_db", knee as f32),
                        ("attack_ms", 5.0),
                        ("release_ms", 100.0),
                        ("detector", detector),
                    ];
                    let mut module = build("compressor", stream(1), &values);
                    let signal = tone(48_000, hz, RATE_HZ, gain(level));
                    let read = level - if detector > 0.5 { db(2f64.sqrt()) } else { 0.0 };
                    let expected = curve(read, threshold, ratio, knee) - read;
                    let error = settled_gain_db(&mut *module, &signal) - expected;
                    worst = worst.max(error.abs());
                    assert!(
                        error.abs() < 0.1,
                        "{level} dB at {hz} Hz, {values:?}: off by {error:.3} dB"
                    );
                }
            }
        }
    }
}

#[test]
fn the_curve_has_no_corner_inside_its_knee_and_never_falls() {
    let slope_at = |level: f64, knee: f32| {
        let out = |level: f64| {
            let values = [("knee_db", knee), ("ratio", 20.0), ("attack_ms", 0.1)];
            let mut module = build("compressor", stream(1), &values);
            level + settled_gain_db(&mut *module, &vec![gain(level) as f32; 6_000])
        };
        (out(level + 0.1) - out(level - 0.1)) / 0.2
    };
    for knee in [6.0, 24.0] {
        let edge = f64::from(knee) / 2.0;
        let slopes: Vec<f64> = (0..=60)
            .map(|i| slope_at(-20.0 + edge * (f64::from(i) / 25.0 - 1.2), knee))
            .collect();
        for pair in slopes.windows(2) {
            assert!(pair[1] > 0.0 && pair[1] < pair[0] + 0.01, "{pair:?}");
            assert!(pair[0] - pair[1] < 0.06, "a corner: {pair:?}");
        }
    }
    let hard = slope_at(-20.5, 0.0) - slope_at(-19.5, 0.0);
    assert!(hard > 0.9, "a hard knee has its corner: {hard}");
}

/// Seconds until the gain, in dB, has covered 63.2 % of the way from `from` to where it ends, when
/// the level of `signal` steps up at `step`.
fn time_to_cover(signal: &[f32], out: &[f32], step: usize, rate_hz: f64) -> f64 {
    let gains: Vec<f64> = signal
        .iter()
        .zip(out)
        .map(|(&x, &y)| db(f64::from(y / x).abs()))
        .collect();
    let (from, to) = (gains[step - 1], gains[gains.len() - 1]);
    let part = |frame: usize| (gains[frame] - from) / (to - from);
    let goal = 1.0 - (-1f64).exp();
    let after = (step..gains.len())
        .find(|&frame| part(frame) >= goal)
        .unwrap();
    let over = (part(after) - goal) / (part(after) - part(after - 1));
    // Frame `step` is the first of the new level: its end is one frame after the step.
    (after as f64 + 1.0 - over - step as f64) / rate_hz
}

/// Full level at every frame, so that what the detector reads steps at once.
fn stepped(frames: usize, step: usize, before_db: f64, after_db: f64) -> Vec<f32> {
    (0..frames)
        .map(|i| {
            let level = gain(if i < step { before_db } else { after_db });
            (if i / 24 % 2 == 0 { level } else { -level }) as f32
        })
        .collect()
}

#[test]
fn attack_takes_its_time_to_cover_63_percent() {
    for rate in [44_100u32, 48_000, 192_000] {
        let stream = Stream::new(rate, 512, 1).unwrap();
        for attack_ms in [0.1f32, 0.5, 1.0, 5.0, 30.0, 200.0] {
            for (before, after) in [(-30.0, -6.0), (-50.0, 0.0), (-15.0, -12.0)] {
                let values = [("attack_ms", attack_ms), ("ratio", 8.0), ("knee_db", 0.0)];
                let mut module = build("compressor", stream, &values);
                let step = rate as usize / 2;
                let tail = (f64::from(attack_ms) * 0.012 * f64::from(rate)) as usize + 2_000;
                let signal = stepped(step + tail, step, before, after);
                let out = run_mono(&mut *module, &signal);
                let secs = time_to_cover(&signal, &out, step, f64::from(rate));
                let error = secs / (f64::from(attack_ms) * 1e-3) - 1.0;
                assert!(
                    error.abs() < 0.05,
                    "{attack_ms} ms at {rate} Hz: {error:.3}"
                );
            }
        }
    }
}

#[test]
fn release_takes_its_time_to_cover_63_percent() {
    let mut worst = 0.0f64;
    for rate in [44_100u32, 48_000, 192_000] {
        let stream = Stream::new(rate, 512, 1).unwrap();
        for release_ms in [5.0f32, 10.0, 20.0, 50.0, 100.0, 500.0, 2_000.0] {
            // The step falls on different places of the detector's grid.
            for (place, (before, after)) in
                [(-6.0, -30.0), (0.0, -50.0), (-12.0, -15.0), (0.0, -9.0)]
                    .into_iter()
                    .enumerate()
            {
                let values = [
                    ("attack_ms", 1.0),
                    ("release_ms", release_ms),
                    ("knee_db", 0.0),
                ];
                let mut module = build("compressor", stream, &values);
                let step = rate as usize / 8 + 5 * place;
                let tail = (f64::from(release_ms) * 0.012 * f64::from(rate)) as usize;
                let signal = stepped(step + tail, step, before, after);
                let out = run_mono(&mut *module, &signal);
                let secs = time_to_cover(&signal, &out, step, f64::from(rate));
                let error = secs / (f64::from(release_ms) * 1e-3) - 1.0;
                worst = worst.max(error.abs());
                assert!(
                    error.abs() < 0.05,
                    "{release_ms} ms at {rate} Hz: {error:.3}"
                );
            }
        }
    }
}

#[test]
fn rms_detection_adds_ten_milliseconds_to_a_slow_attack() {
    let values = [("detector", 1.0), ("attack_ms", 100.0), ("knee_db", 0.0)];
    let mut module = build("compressor", stream(1), &values);
    let signal = stepped(120_000, 24_000, -30.0, -6.0);
    let out = run_mono(&mut *module, &signal);
    let added = time_to_cover(&signal, &out, 24_000, RATE_HZ) - 0.1;
    assert!((0.001..0.012).contains(&added), "{added}");
}

#[test]
fn peak_and_rms_agree_on_a_square_and_differ_by_three_decibels_on_a_sine() {
    let gain_of = |detector: f32, signal: &[f32]| {
        let values = [("detector", detector), ("ratio", 20.0), ("knee_db", 0.0)];
        settled_gain_db(&mut *build("compressor", stream(1), &values), signal)
    };
    let square = stepped(48_000, 0, -6.0, -6.0);
    let sine = tone(48_000, 997.0, RATE_HZ, gain(-6.0));
    let of_square = gain_of(0.0, &square) - gain_of(1.0, &square);
    assert!(of_square.abs() < 0.01, "{of_square}");
    let of_sine = gain_of(1.0, &sine) - gain_of(0.0, &sine);
    let expected = db(2f64.sqrt()) * (1.0 - 1.0 / 20.0);
    assert!((of_sine - expected).abs() < 0.05, "{of_sine}");
}

#[test]
fn a_steady_tone_under_compression_stays_a_pure_tone() {
    for hz in [60.0, 100.0, 997.0] {
        let values = [("attack_ms", 5.0), ("release_ms", 100.0), ("ratio", 20.0)];
        let mut module = build("compressor", stream(1), &values);
        let signal = tone(96_000, hz, RATE_HZ, 1.0);
        let out = run_mono(&mut *module, &signal);
        let (signal, out) = (&signal[48_000..], &out[48_000..]);
        let dot: f64 = signal
            .iter()
            .zip(out)
            .map(|(&x, &y)| f64::from(x) * f64::from(y))
            .sum();
        let scale = dot / (rms(signal).powi(2) * signal.len() as f64);
        let rest: Vec<f32> = signal
            .iter()
            .zip(out)
            .map(|(&x, &y)| y - (scale * f64::from(x)) as f32)
            .collect();
        let distortion = db(rms(&rest) / rms(out));
        assert!(distortion < -80.0, "{hz} Hz: {distortion:.1} dB");
    }
}

#[test]
fn sidechain_highpass_takes_bass_out_of_the_detector_only() {
    let gain_of = |on: f32, hz: f64| {
        let values = [
            ("sidechain_highpass", on),
            ("sidechain_hz", 200.0),
            ("threshold_db", -40.0),
            ("knee_db", 0.0),
        ];
        let signal = tone(96_000, hz, RATE_HZ, gain(-6.0));
        settled_gain_db(&mut *build("compressor", stream(1), &values), &signal)
    };
    for hz in [60.0, 100.0, 200.0, 400.0, 2_000.0] {
        // Butterworth of the second order, analogue; the corners are far below half the rate.
        let heard = -6.0 - 10.0 * (1.0 + (200.0f64 / hz).powi(4)).log10();
        let expected = curve(heard, -40.0, 4.0, 0.0) - heard;
        let measured = gain_of(1.0, hz);
        assert!(
            (measured - expected).abs() < 0.1,
            "{hz} Hz: {measured} for {expected}"
        );
        let off = gain_of(0.0, hz);
        assert!(
            (off - (curve(-6.0, -40.0, 4.0, 0.0) + 6.0)).abs() < 0.1,
            "{hz} Hz off: {off}"
        );
    }
}

#[test]
fn link_sets_how_much_one_channel_pulls_the_other_down() {
    for link in [0.0f32, 0.25, 0.5, 1.0] {
        let values = [("link", link), ("knee_db", 0.0), ("threshold_db", -30.0)];
        let mut module = build("compressor", stream(2), &values);
        let loud = tone(48_000, 997.0, RATE_HZ, gain(-6.0));
        let quiet = tone(48_000, 1_511.0, RATE_HZ, gain(-26.0));
        let gain_of = |out: &[f32], x: &[f32]| db(rms(&out[24_000..]) / rms(&x[24_000..]));
        let reduction = |level: f64| curve(level, -30.0, 4.0, 0.0) - level;
        let heard = -26.0 + f64::from(link) * 20.0;
        for quiet_one in [0, 1] {
            let mut input = vec![loud.clone(), loud.clone()];
            input[quiet_one].clone_from(&quiet);
            module.reset();
            let out = run(&mut *module, input);
            let loud_gain = gain_of(&out[1 - quiet_one], &loud);
            assert!(
                (loud_gain - reduction(-6.0)).abs() < 0.1,
                "{link}: {loud_gain}"
            );
            let quiet_gain = gain_of(&out[quiet_one], &quiet);
            assert!(
                (quiet_gain - reduction(heard)).abs() < 0.1,
                "{link}: {quiet_gain}"
            );
        }
    }
}

#[test]
fn channels_that_were_apart_meet_without_a_jump_when_they_are_linked() {
    let values = [("link", 0.0), ("release_ms", 200.0)];
    let mut module = build("compressor", stream(2), &values);
    let loud = vec![0.5; 96_000];
    let quiet = vec![0.01; 96_000];
    let change = Change {
        frame: 48_000,
        id: "link",
        value: 1.0,
    };
    let out = run_with(
        &mut *module,
        "compressor",
        vec![loud, quiet],
        &[change],
        || 64,
    );
    let step = out[1]
        .windows(2)
        .map(|w| db(f64::from(w[1] / w[0])).abs())
        .fold(0.0, f64::max);
    assert!(step < 0.05, "{step} dB in a frame");
    let apart = db(f64::from(out[1][95_999] / 0.01)) - db(f64::from(out[0][95_999] / 0.5));
    assert!(apart.abs() < 0.001, "{apart}");
}

#[test]
fn range_makeup_and_ratio_one_do_what_they_say() {
    let square = stepped(48_000, 0, 0.0, 0.0);
    let gain_of = |values: &[(&str, f32)]| {
        let mut all = vec![("threshold_db", -40.0), ("knee_db", 0.0)];
        all.extend_from_slice(values);
        settled_gain_db(&mut *build("compressor", stream(1), &all), &square)
    };
    for (values, expected) in [
        (vec![], -30.0),
        (vec![("range_db", 12.0)], -12.0),
        (vec![("range_db", 0.0)], 0.0),
        (vec![("makeup_db", 7.5)], -22.5),
        (vec![("auto_makeup", 1.0)], -15.0),
    ] {
        let measured = gain_of(&values);
        assert!((measured - expected).abs() < 0.01, "{values:?}: {measured}");
    }
    let noise = Random(1).noise(10_000, 1.0);
    let mut module = build("compressor", stream(1), &[("ratio", 1.0)]);
    assert_eq!(bits(&[run_mono(&mut *module, &noise)]), bits(&[noise]));
}

#[test]
fn reduction_readout_tells_what_the_gain_is() {
    let mut module = build("compressor", stream(2), &[("makeup_db", 6.0)]);
    let signal = vec![vec![0.8; 10_007], vec![0.1; 10_007]];
    let out = run(&mut *module, signal);
    let measured = 6.0 - db(f64::from(out[0][10_006] / 0.8));
    let read = module.gain_reduction_db();
    assert!(
        measured > 10.0 && (f64::from(read) - measured).abs() < 0.001,
        "{read} {measured}"
    );
}

#[test]
fn a_slow_reader_of_the_meters_finds_the_most_that_a_slot_was_turned_down() {
    let kind = Catalog::builtin().find("compressor").unwrap();
    let module = ModuleSpec::new(kind).with("ratio", 4.0);
    let spec = RackSpec {
        modules: vec![module.with("threshold_db", -20.0).with("release_ms", 20.0)],
        ..RackSpec::default()
    };
    let (controller, mut processor) = open(stream(1), &spec, &Memory::default()).unwrap();
    processor.process(&mut [], &[]);
    // Loud for half a second, then silent for as long.
    for block in 0..375 {
        let level = if block < 187 { 1.0 } else { 0.0 };
        processor.process(&mut [&mut [level; 128]], &[]);
    }
    let read_db = controller.meters().slots[0].1.reduction_db;
    assert!((read_db - 15.0).abs() < 0.1, "{read_db} dB");
    processor.process(&mut [&mut [0.0; 128]], &[]);
    assert!(controller.meters().slots[0].1.reduction_db < 0.1);
    assert_eq!(controller.meters().master.reduction_db, 0.0);
}

#[test]
fn no_parameter_jump_moves_the_gain_by_more_than_a_tenth_of_a_decibel_a_frame() {
    let catalog = Catalog::builtin();
    let kind = catalog.find("compressor").unwrap();
    for param in kind.params {
        for (from, to) in [(param.min, param.max), (param.max, param.min)] {
            let mut values = vec![("attack_ms", 5.0), ("threshold_db", -30.0), ("ratio", 8.0)];
            values.retain(|value| value.0 != param.id);
            values.push((param.id, from));
            let mut module = build("compressor", stream(2), &values);
            let square = stepped(120_000, 0, -10.0, -10.0);
            let change = Change {
                frame: 96_001,
                id: param.id,
                value: to,
            };
            let input = vec![square.clone(), square.iter().map(|x| x * 0.3).collect()];
            let out = run_with(&mut *module, "compressor", input, &[change], || 64);
            for (out, level) in out.iter().zip([1.0, 0.3]) {
                let gains: Vec<f64> = (90_000..120_000)
                    .map(|i| db(f64::from(out[i] / square[i] / level)))
                    .collect();
                let step = gains
                    .windows(2)
                    .map(|w| (w[1] - w[0]).abs())
                    .fold(0.0, f64::max);
                assert!(step < 0.1, "{} from {from} to {to}: {step:.3} dB", param.id);
            }
        }
    }
}

#[test]
fn switching_what_is_heard_is_a_fade_even_with_the_fastest_times() {
    for (id, corner) in [("detector", 100.0), ("sidechain_highpass", 1_000.0)] {
        for (from, to) in [(0.0, 1.0), (1.0, 0.0)] {
            let values = [
                ("attack_ms", 0.1),
                ("release_ms", 5.0),
                ("sidechain_hz", corner),
                (id, from),
            ];
            let mut module = build("compressor", stream(1), &values);
            let signal = tone(48_000, 997.0, RATE_HZ, gain(-6.0));
            let input = vec![signal.clone()];
            let change = Change {
                frame: 24_001,
                id,
                value: to,
            };
            let out = run_with(&mut *module, "compressor", input, &[change], || 64).remove(0);
            let gains: Vec<f64> = (20_000..48_000)
                .filter(|&i| signal[i].abs() > 0.1)
                .map(|i| db(f64::from(out[i] / signal[i])))
                .collect();
            let (first, last) = (gains[0], gains[gains.len() - 1]);
            assert!((first - last).abs() > 2.0, "{id} changes nothing");
            let step = gains.windows(2).map(|w| (w[1] - w[0]).abs());
            let step = step.fold(0.0, f64::max);
            assert!(step < 0.1, "{id} to {to}: {step:.3} dB in a frame");
            let inside = |gain: &f64| (first.min(last) - 0.1..first.max(last) + 0.1).contains(gain);
            // The high-pass turns the phase, so half of it may be less than either end.
            let direct = id == "sidechain_highpass" || gains.iter().all(inside);
            assert!(direct, "{id} to {to} goes past its goal");
        }
    }
}

/// Random changes of all parameters, sorted by frame.
fn storm(random: &mut Random, frames: usize, count: usize) -> Vec<Change<'static>> {
    let catalog = Catalog::builtin();
    let params = catalog.find("compressor").unwrap().params;
    let mut changes: Vec<Change<'static>> = (0..count)
        .map(|_| {
            let param = &params[random.below(params.len())];
            let position = match random.below(4) {
                0 => 0.0,
                1 => 1.0,
                _ => random.unit(),
            };
            Change {
                frame: random.below(frames),
                id: param.id,
                value: param.denormalize(position),
            }
        })
        .collect();
    changes.sort_by_key(|change| change.frame);
    changes
}

#[test]
fn output_is_bit_identical_for_any_split_with_moving_parameters() {
    for channels in [1, 2] {
        let mut random = Random(7);
        let input: Vec<Vec<f32>> = (0..channels).map(|_| random.noise(30_000, 1.0)).collect();
        let changes = storm(&mut random, 30_000, 60);
        let run_in = |mut block_frames: Box<dyn FnMut() -> usize>| {
            let mut module = build("compressor", stream(channels), &[("link", 0.4)]);
            let out = run_with(
                &mut *module,
                "compressor",
                input.clone(),
                &changes,
                &mut block_frames,
            );
            bits(&out)
        };
        let whole = run_in(Box::new(|| 64));
        for frames in [1, 7, 31, 32, 33, 480] {
            assert!(
                whole == run_in(Box::new(move || frames)),
                "{channels}: blocks of {frames}"
            );
        }
        let mut sizes = Random(3);
        assert!(whole == run_in(Box::new(move || sizes.below(200))));
    }
}

#[test]
fn output_is_finite_under_parameter_storms_and_any_finite_input() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let channels = 1 + seed as usize % 2;
        let peaks = [1e-38, 1e-20, 1.0, 100.0, 1e36];
        let input: Vec<Vec<f32>> = (0..channels)
            .map(|_| {
                let peak = peaks[random.below(peaks.len())];
                let mut noise = random.noise(20_000, peak);
                noise[5_000..8_000].fill(0.0);
                noise
            })
            .collect();
        let changes = storm(&mut random, 20_000, 300);
        let mut module = build("compressor", stream(channels), &[]);
        let out = run_with(&mut *module, "compressor", input, &changes, || 97);
        assert!(out.iter().flatten().all(|x| x.is_finite()), "seed {seed}");
        assert!(
            out.iter()
                .all(|x| x[6_000..8_000].iter().all(|&x| x == 0.0))
        );
    }
}

#[test]
fn one_monstrous_sample_is_forgotten_in_two_seconds() {
    for (detector, high_pass) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
        let values = [("detector", detector), ("sidechain_highpass", high_pass)];
        let mut signal = tone(120_000, 997.0, RATE_HZ, 0.01);
        signal[1_000] = f32::MAX;
        let out = run_mono(&mut *build("compressor", stream(1), &values), &signal);
        let error = db(rms(&out[96_000..]) / rms(&signal[96_000..]));
        assert!(error.abs() < 0.01, "{values:?}: {error} dB");
    }
}

#[test]
fn reset_repeats_to_the_bit() {
    let values = [
        ("sidechain_highpass", 1.0),
        ("detector", 1.0),
        ("link", 0.3),
    ];
    for values in [&values[..], &[]] {
        let mut module = build("compressor", stream(2), values);
        let mut random = Random(5);
        let input = vec![random.noise(9_000, 1.0), random.noise(9_000, 0.3)];
        let first = bits(&run(&mut *module, input.clone()));
        assert!(
            first != bits(&run(&mut *module, input.clone())),
            "it remembers"
        );
        let index = param_index("compressor", "threshold_db");
        module.set_param(index, -50.0);
        module.set_param(index, -20.0);
        module.reset();
        assert!(first == bits(&run(&mut *module, input)));
    }
}

#[test]
fn mono_sounds_like_either_channel_of_two_alike() {
    for detector in [0.0, 1.0] {
        let values = [("sidechain_highpass", 1.0), ("detector", detector)];
        let noise = Random(9).noise(20_000, 0.9);
        let mono = run(
            &mut *build("compressor", stream(1), &values),
            vec![noise.clone()],
        );
        let both = vec![noise.clone(), noise];
        let stereo = run(&mut *build("compressor", stream(2), &values), both);
        assert!(bits(&mono)[0] == bits(&stereo)[0] && bits(&stereo)[0] == bits(&stereo)[1]);
    }
}

#[test]
fn a_new_instance_that_adopts_goes_on_where_the_old_one_was() {
    for values in [
        &[][..],
        &[
            ("detector", 1.0),
            ("link", 0.0),
            ("sidechain_highpass", 1.0),
        ],
    ] {
        let mut random = Random(11);
        let input = [random.noise(20_000, 1.0), random.noise(20_000, 0.4)];
        let part = |range: std::ops::Range<usize>| -> Vec<Vec<f32>> {
            input
                .iter()
                .map(|channel| channel[range.clone()].to_vec())
                .collect()
        };
        let mut old = build("compressor", stream(2), values);
        // A slice of the detector may last up to 128 frames: both parts begin on its grid.
        let _ = run(&mut *old, part(0..10_240));
        let mut new = build("compressor", stream(2), values);
        new.adopt(&*old);
        let adopted = run(&mut *new, part(10_240..20_000));
        assert!(bits(&adopted) == bits(&run(&mut *old, part(10_240..20_000))));
    }
}

#[test]
fn choices_and_switches_are_the_only_whole_parameters() {
    let catalog = Catalog::builtin();
    for param in catalog.find("compressor").unwrap().params {
        let whole = matches!(param.scale, Scale::Choice(_) | Scale::Switch);
        assert_eq!(
            whole,
            param.clamp(param.min + 0.4) == param.min,
            "{}",
            param.id
        );
        assert!(
            param.accepts(param.default) && !param.structural,
            "{}",
            param.id
        );
    }
}
