//! The delay's claims, measured from outside.

mod common;
#[path = "common/drive.rs"]
mod drive;

use common::build;
use drive::{Change, Random, bits, db, gain, peak_above, rms, run, run_mono, run_with, tone};
use headroom_engine::{Block, Catalog, Stream, Tempo};

const RATE_HZ: f64 = 48_000.0;

fn stream(channels: usize) -> Stream {
    Stream::new(48_000, 512, channels).unwrap()
}

fn impulse(frames: usize) -> Vec<f32> {
    let mut signal = vec![0.0; frames];
    signal[0] = 1.0;
    signal
}

/// Frames and values of all that is not silent.
fn events(samples: &[f32]) -> Vec<(usize, f32)> {
    let heard = samples.iter().enumerate().filter(|(_, x)| **x != 0.0);
    heard.map(|(frame, &x)| (frame, x)).collect()
}

#[test]
fn echoes_come_on_the_frame_and_fall_by_exactly_the_feedback() {
    for rate in [8_000u32, 44_100, 48_000, 384_000] {
        for (time_ms, feedback) in [
            (1.0f32, 0.5f32),
            (1.3, 0.98),
            (33.3, 0.4),
            (350.0, 0.0),
            (5_000.0, 0.7),
        ] {
            let delay = (f64::from(time_ms) * f64::from(rate) / 1_000.0).round() as usize;
            let stream = Stream::new(rate, 512, 1).unwrap();
            let values = [
                ("time_ms", time_ms),
                ("feedback", feedback),
                ("level_db", 0.0),
            ];
            let frames = (delay * 4 + 10).min(3 * delay + 100_000);
            let heard = events(&run_mono(
                &mut *build("delay", stream, &values),
                &impulse(frames),
            ));
            let mut expected = vec![(0, 1.0), (delay, 1.0)];
            for n in 2..=3 {
                let level = feedback.powi(n - 1);
                if level > 0.0 {
                    expected.push((n as usize * delay, level));
                }
            }
            for (heard, expected) in heard.iter().zip(&expected) {
                assert_eq!(heard.0, expected.0, "{time_ms} ms at {rate} Hz");
                assert!(
                    (heard.1 / expected.1 - 1.0).abs() < 1e-6,
                    "{heard:?} {expected:?}"
                );
            }
            assert!(heard.len() >= expected.len(), "{heard:?}");
        }
    }
}

#[test]
fn level_and_dry_set_what_they_say() {
    let values = [
        ("time_ms", 10.0),
        ("feedback", 0.5),
        ("level_db", -20.0),
        ("dry", 0.0),
    ];
    let heard = events(&run_mono(
        &mut *build("delay", stream(1), &values),
        &impulse(1_000),
    ));
    assert_eq!(heard.len(), 2);
    assert!(
        heard[0].0 == 480 && (heard[0].1 - 0.1).abs() < 1e-7,
        "{heard:?}"
    );
    assert!(
        heard[1].0 == 960 && (heard[1].1 - 0.05).abs() < 1e-7,
        "{heard:?}"
    );
}

#[test]
fn ping_pong_alternates_from_the_left() {
    let values = [
        ("time_ms", 20.0),
        ("feedback", 0.5),
        ("level_db", 0.0),
        ("dry", 0.0),
        ("ping_pong", 1.0),
    ];
    for (left, right) in [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.6, -0.2)] {
        let mut input = vec![vec![0.0; 5_000]; 2];
        (input[0][3], input[1][3]) = (left, right);
        let out = run(&mut *build("delay", stream(2), &values), input);
        let middle = 0.5 * (left + right);
        let expected = |first: usize| -> Vec<(usize, f32)> {
            let numbers = (first..=5).step_by(2);
            numbers
                .map(|n| (3 + 960 * n, middle * 0.5f32.powi(n as i32 - 1)))
                .collect()
        };
        assert_eq!(events(&out[0]), expected(1));
        assert_eq!(events(&out[1]), expected(2));
    }
}

#[test]
fn without_ping_pong_the_channels_never_meet() {
    let mut random = Random(2);
    let input = vec![random.noise(9_000, 1.0), random.noise(9_000, 1.0)];
    let values = [
        ("time_ms", 7.0),
        ("low_cut_hz", 100.0),
        ("high_cut_hz", 5_000.0),
    ];
    let both = run(&mut *build("delay", stream(2), &values), input.clone());
    for (input, out) in input.iter().zip(&both) {
        let alone = run(
            &mut *build("delay", stream(1), &values),
            vec![input.clone()],
        );
        assert!(bits(&alone)[0] == bits(std::slice::from_ref(out))[0]);
    }
}

#[test]
fn each_echo_has_passed_the_loops_filters_once_more() {
    // Long bursts, so that each echo holds a settled stretch of the tone.
    let (delay, burst) = (24_000, 20_000);
    for (low_cut, high_cut) in [(300.0, 20_000.0), (20.0, 2_000.0), (500.0, 4_000.0)] {
        for hz in [100.0, 500.0, 1_000.0, 2_000.0, 8_000.0] {
            let values = [
                ("time_ms", 500.0),
                ("feedback", 0.8),
                ("level_db", 0.0),
                ("low_cut_hz", low_cut),
                ("high_cut_hz", high_cut),
            ];
            let mut signal = tone(4 * delay, hz, RATE_HZ, 0.5);
            signal[burst..].fill(0.0);
            let out = run_mono(&mut *build("delay", stream(1), &values), &signal);
            // First-order analogue prototypes at the bilinear transform's warped frequencies.
            let warp = |hz: f64| (std::f64::consts::PI * hz / RATE_HZ).tan();
            let mut once = 0.0;
            if low_cut > 20.0 {
                once -= 10.0 * (1.0 + (warp(f64::from(low_cut)) / warp(hz)).powi(2)).log10();
            }
            if high_cut < 20_000.0 {
                once -= 10.0 * (1.0 + (warp(hz) / warp(f64::from(high_cut))).powi(2)).log10();
            }
            for n in 1..=3usize {
                let echo = &out[n * delay + 8_000..n * delay + 18_000];
                let measured = db(rms(echo) / rms(&signal[8_000..18_000]));
                let expected = once * n as f64 + db(0.8) * (n as f64 - 1.0);
                assert!(
                    (measured - expected).abs() < 0.05,
                    "echo {n} at {hz} Hz, {low_cut} to {high_cut}: {measured:.2} for {expected:.2}"
                );
            }
        }
    }
}

/// A tone of 50 Hz that begins so gently that its start leaves no trace above it.
fn faded_tone(frames: usize, peak: f64) -> Vec<f32> {
    let mut signal = tone(frames, 50.0, RATE_HZ, peak);
    for (i, x) in signal[..20_000].iter_mut().enumerate() {
        *x *= 0.5 - 0.5 * (std::f32::consts::PI * i as f32 / 20_000.0).cos();
    }
    signal
}

#[test]
fn a_time_change_under_a_low_tone_is_not_heard_above_it() {
    // 50 Hz, and delays that put the two heads in every relation of phase.
    for (from, to) in [
        (10.0, 20.0),
        (20.0, 30.0),
        (350.0, 5.0),
        (3.0, 777.0),
        (1.0, 2.0),
    ] {
        for feedback in [0.0, 0.9] {
            let values = [("time_ms", from), ("feedback", feedback), ("level_db", 0.0)];
            let mut module = build("delay", stream(1), &values);
            let signal = faded_tone(200_000, gain(-6.0) * (1.0 - f64::from(feedback)));
            let changes = [
                Change {
                    frame: 120_000,
                    id: "time_ms",
                    value: to,
                },
                // While the first fades.
                Change {
                    frame: 121_000,
                    id: "time_ms",
                    value: 100.0,
                },
                Change {
                    frame: 121_500,
                    id: "time_ms",
                    value: from,
                },
            ];
            let out = run_with(&mut *module, "delay", vec![signal], &changes, || 64);
            let residual = db(peak_above(&out[0][118_000..150_000], 2_000.0, RATE_HZ));
            assert!(
                residual < -80.0,
                "{from} to {to} ms, {feedback}: {residual:.1} dBFS"
            );
        }
    }
}

#[test]
fn a_time_change_waits_for_the_one_that_fades_and_the_last_one_wins() {
    let values = [
        ("time_ms", 10.0),
        ("feedback", 0.0),
        ("level_db", 0.0),
        ("dry", 0.0),
    ];
    let mut module = build("delay", stream(1), &values);
    let ramp: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
    let changes = [
        Change {
            frame: 2_000,
            id: "time_ms",
            value: 20.0,
        },
        Change {
            frame: 2_500,
            id: "time_ms",
            value: 1.0,
        },
        Change {
            frame: 3_000,
            id: "time_ms",
            value: 30.0,
        },
    ];
    let out = run_with(&mut *module, "delay", vec![ramp], &changes, || 64).remove(0);
    let delay_at = |frame: usize| frame as f32 - out[frame];
    assert_eq!(delay_at(1_999), 480.0);
    // 40 ms are 1,920 frames: the first fade ends at 3,920, the second at 5,840.
    assert!(delay_at(3_000) > 480.0 && delay_at(3_000) < 960.0);
    assert_eq!(delay_at(3_919), 960.0);
    assert!(delay_at(4_880) > 960.0 && delay_at(4_880) < 1_440.0);
    assert_eq!(delay_at(5_839), 1_440.0);
    assert_eq!(delay_at(9_999), 1_440.0);
}

#[test]
fn no_change_of_another_parameter_clicks() {
    let catalog = Catalog::builtin();
    for param in catalog.find("delay").unwrap().params {
        for (from, to) in [(param.min, param.max), (param.max, param.min)] {
            let mut values = vec![("time_ms", 100.0), ("level_db", 0.0)];
            values.retain(|value| value.0 != param.id);
            values.push((param.id, from));
            let mut module = build("delay", stream(2), &values);
            let left = faded_tone(60_000, 0.1);
            let right = vec![0.0; 60_000];
            let change = Change {
                frame: 48_001,
                id: param.id,
                value: to,
            };
            let out = run_with(&mut *module, "delay", vec![left, right], &[change], || 64);
            // Of a tone of 0.1 and echoes of it: a straight ramp bends, but nothing jumps.
            for channel in &out {
                let heard = &channel[47_000..60_000];
                let bend = heard
                    .windows(3)
                    .map(|w| (w[2] - 2.0 * w[1] + w[0]).abs())
                    .fold(0.0f32, f32::max);
                assert!(bend < 0.0015, "{} from {from} to {to}: {bend}", param.id);
            }
        }
    }
}

/// Random changes of all parameters, sorted by frame.
fn storm(random: &mut Random, frames: usize, count: usize) -> Vec<Change<'static>> {
    let catalog = Catalog::builtin();
    let params = catalog.find("delay").unwrap().params;
    let mut changes: Vec<Change<'static>> = (0..count)
        .map(|_| {
            let param = &params[random.below(params.len())];
            let position = match random.below(4) {
                0 => 0.0,
                1 => 1.0,
                _ => 0.5 * random.unit(),
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
            let mut module = build("delay", stream(channels), &[("time_ms", 1.0)]);
            bits(&run_with(
                &mut *module,
                "delay",
                input.clone(),
                &changes,
                &mut block_frames,
            ))
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
fn output_is_finite_and_dies_away_after_a_parameter_storm() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let channels = 1 + seed as usize % 2;
        let input: Vec<Vec<f32>> = (0..channels)
            .map(|_| {
                let mut noise = random.noise(400_000, 1.0);
                noise[60_000..].fill(0.0);
                noise
            })
            .collect();
        let mut changes = storm(&mut random, 60_000, 300);
        changes.push(Change {
            frame: 70_000,
            id: "time_ms",
            value: 2.0,
        });
        changes.push(Change {
            frame: 70_000,
            id: "sync",
            value: 0.0,
        });
        changes.push(Change {
            frame: 70_000,
            id: "feedback",
            value: 0.98,
        });
        let mut module = build("delay", stream(channels), &[]);
        let out = run_with(&mut *module, "delay", input, &changes, || 97);
        for channel in &out {
            assert!(
                channel.iter().all(|x| x.is_finite() && x.abs() < 1_000.0),
                "seed {seed}"
            );
            assert!(
                channel[390_000..].iter().all(|x| x.abs() < 1e-5),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn reset_repeats_to_the_bit_and_lets_no_echo_through() {
    let values = [("time_ms", 77.0), ("low_cut_hz", 200.0), ("feedback", 0.9)];
    let mut module = build("delay", stream(2), &values);
    let mut random = Random(5);
    let input = vec![random.noise(9_000, 1.0), random.noise(9_000, 0.3)];
    let first = bits(&run(&mut *module, input.clone()));
    assert!(
        first != bits(&run(&mut *module, input.clone())),
        "it remembers"
    );
    module.reset();
    let silence = run(&mut *module, vec![vec![0.0; 9_000]; 2]);
    assert!(silence.iter().flatten().all(|&x| x == 0.0));
    module.reset();
    assert!(first == bits(&run(&mut *module, input)));
}

#[test]
fn reset_ends_a_fade_and_what_waits_for_it() {
    let values = [
        ("time_ms", 10.0),
        ("feedback", 0.0),
        ("level_db", 0.0),
        ("dry", 0.0),
    ];
    let mut module = build("delay", stream(1), &values);
    module.set_param(0, 20.0);
    module.process(&mut Block::mono(&mut [0.5; 64], 0));
    module.set_param(0, 30.0);
    module.reset();
    assert_eq!(
        events(&run_mono(&mut *module, &impulse(3_000))),
        [(1_440, 1.0)]
    );
}

#[test]
fn silence_shorter_than_quiet_frames_is_not_the_end() {
    for time_ms in [1.0f32, 350.0, 5_000.0] {
        let mut module = build("delay", stream(1), &[("time_ms", time_ms)]);
        let delay = (time_ms * 48.0) as usize;
        assert!(module.quiet_frames() > delay);
        module.set_param(0, 4_000.0);
        assert!(
            module.quiet_frames() > delay.max(192_000),
            "a fade under way counts"
        );
    }
}

#[test]
fn a_new_instance_never_sounds_what_the_old_one_heard() {
    let values = [("time_ms", 50.0), ("high_cut_hz", 1_000.0)];
    let mut old = build("delay", stream(2), &values);
    let mut random = Random(8);
    let _ = run(
        &mut *old,
        vec![random.noise(9_000, 1.0), random.noise(9_000, 1.0)],
    );
    old.set_param(5, 12.0);
    let mut new = build("delay", stream(2), &values);
    new.adopt(&*old);
    let out = run(&mut *new, vec![vec![0.0; 20_000]; 2]);
    assert!(out.iter().flatten().all(|&x| x == 0.0));
}

/// Echoes of an impulse, wet alone, with `sync` at this label and the tempo told before the first frame.
fn synced(rate: u32, bpm: f64, note: &str, more: &[(&str, f32)]) -> Vec<(usize, f32)> {
    let mut values = vec![
        ("sync", note_value(note)),
        ("level_db", 0.0),
        ("dry", 0.0),
        ("feedback", 0.0),
    ];
    values.extend(more);
    let stream = Stream::new(rate, 512, 1).unwrap();
    let mut module = build("delay", stream, &values);
    module.set_tempo(Tempo::new(bpm).unwrap());
    events(&run_mono(&mut *module, &impulse(6 * rate as usize)))
}

fn note_value(note: &str) -> f32 {
    let sync = Catalog::builtin().find("delay").unwrap().params[7];
    assert_eq!(sync.id, "sync", "new parameters come last");
    let labels = sync.labels().unwrap();
    labels.iter().position(|label| *label == note).unwrap() as f32
}

/// Frames as a musician counts them: at 120 a quarter is half a second, at 90 two thirds.
#[test]
fn a_synced_echo_is_a_note_late_to_the_frame() {
    for (rate, bpm, note, frame) in [
        (48_000, 120.0, "1/4", 24_000),
        (48_000, 120.0, "1/8D", 18_000),
        (48_000, 120.0, "1/8", 12_000),
        (48_000, 120.0, "1/16", 6_000),
        (48_000, 120.0, "1/32", 3_000),
        (48_000, 120.0, "1/4T", 16_000),
        (48_000, 120.0, "1/16T", 4_000),
        (48_000, 120.0, "1/2D", 72_000),
        (48_000, 120.0, "1/1", 96_000),
        (44_100, 90.0, "1/4", 29_400),
        (48_000, 90.0, "1/8T", 10_667),
        (96_000, 174.0, "1/16D", 12_414),
        // What a host counts with: no f32 gives this frame.
        (384_000, 61.000_07, "1/1", 1_510_818),
    ] {
        let heard = synced(rate, bpm, note, &[("time_ms", 77.0)]);
        assert_eq!(heard, [(frame, 1.0)], "{note} at {bpm} and {rate} Hz");
    }
}

#[test]
fn a_note_that_is_longer_than_the_line_is_halved_until_it_fits() {
    for (bpm, note, secs) in [
        (48.0, "1/1", 5.0),
        (47.5, "1/1", 240.0 / 47.5 / 2.0),
        (20.0, "1/1", 3.0),
        (20.0, "1/2D", 4.5),
        (10.0, "1/4", 3.0),
        (1.0, "1/1", 3.75),
        (1.0, "1/32", 3.75),
    ] {
        let frame = (secs * 8_000.0_f64).round() as usize;
        let heard = synced(8_000, bpm, note, &[]);
        assert_eq!(heard, [(frame, 1.0)], "{note} at {bpm}");
    }
}

#[test]
fn without_sync_no_tempo_changes_a_bit() {
    let values = [("time_ms", 33.0), ("feedback", 0.7)];
    let mut random = Random(9);
    let input = vec![random.noise(20_000, 1.0), random.noise(20_000, 1.0)];
    let plain = bits(&run(
        &mut *build("delay", stream(2), &values),
        input.clone(),
    ));
    let mut module = build("delay", stream(2), &values);
    let mut heard: Vec<Vec<f32>> = vec![Vec::new(); 2];
    for from in (0..20_000).step_by(500) {
        module.set_tempo(Tempo::new(60.0 + from as f64 / 100.0).unwrap());
        let part = |channel: &Vec<f32>| channel[from..from + 500].to_vec();
        let out = run(&mut *module, input.iter().map(part).collect());
        for (heard, out) in heard.iter_mut().zip(out) {
            heard.extend(out);
        }
    }
    assert!(plain == bits(&heard));

    // Not even where a time was set before the first frame, which fades in.
    let first = |is_told: bool| {
        let mut module = build("delay", stream(1), &[("time_ms", 5.0)]);
        module.set_param(0, 2.0);
        if is_told {
            module.set_tempo(Tempo::new(200.0).unwrap());
        }
        bits(&[run_mono(&mut *module, &input[0])])
    };
    assert!(first(false) == first(true));
}

/// A host that moves its tempo says another with every block.
#[test]
fn a_ramp_of_tempo_is_not_heard_above_a_low_tone_and_arrives() {
    for (from, to) in [(60.0, 180.0), (180.0, 60.0), (118.0, 122.0)] {
        let values = [
            ("sync", note_value("1/8")),
            ("feedback", 0.5),
            ("level_db", 0.0),
        ];
        let mut module = build("delay", stream(1), &values);
        module.set_tempo(Tempo::new(from).unwrap());
        let signal = faded_tone(240_000, 0.2);
        let mut out = Vec::new();
        for (at, block) in signal.chunks(64).enumerate() {
            let part = ((at * 64) as f64 - 100_000.0) / 96_000.0;
            let bpm = from + (to - from) * part.clamp(0.0, 1.0);
            module.set_tempo(Tempo::new(bpm).unwrap());
            let mut block = block.to_vec();
            module.process(&mut Block::mono(&mut block, 64 * at as u64));
            out.extend(block);
        }
        let residual = db(peak_above(&out[98_000..220_000], 2_000.0, RATE_HZ));
        assert!(residual < -80.0, "{from} to {to}: {residual:.1} dBFS");
        // Two fades later at most it is there: a further impulse says so.
        let mut rest = vec![0.0; 400_000];
        rest[300_000] = 1.0;
        let rest = run_mono(&mut *module, &rest);
        let echo = rest[300_001..].iter().position(|x| *x > 0.5).unwrap() + 1;
        assert_eq!(echo, (48_000.0 * 30.0 / to).round() as usize);
    }
}

#[test]
fn a_tempo_that_is_told_before_the_first_frame_or_behind_a_reset_holds_from_there_on() {
    // Shorter than a crossfade: one would be heard in the first echo.
    let values = [
        ("sync", note_value("1/32")),
        ("level_db", 0.0),
        ("dry", 0.0),
    ];
    let mut module = build("delay", stream(1), &values);
    module.set_tempo(Tempo::new(300.0).unwrap());
    let first = events(&run_mono(&mut *module, &impulse(1_300)));
    assert_eq!(first, [(1_200, 1.0)]);
    module.reset();
    module.set_tempo(Tempo::new(600.0).unwrap());
    assert_eq!(events(&run_mono(&mut *module, &impulse(700))), [(600, 1.0)]);
    // Without a reset it fades.
    module.set_tempo(Tempo::new(300.0).unwrap());
    let faded = run_mono(&mut *module, &impulse(1_300));
    assert!(faded[600] > 0.5 && faded[600] < 1.0, "{}", faded[600]);
}
