//! Claims about the module `filter`.

mod common;
#[path = "common/drive.rs"]
mod drive;
#[path = "common/response.rs"]
mod response;

use common::build;
use drive::Random;
use headroom_engine::Stream;
use response::{above, kind, magnitude_db, peak_dbfs, run_mono, run_stereo, set};

const RATE_HZ: u32 = 48_000;

/// After this many frames every movement is over.
const SETTLED_FRAMES: usize = RATE_HZ as usize / 15;

fn stream(channels: usize) -> Stream {
    Stream::new(RATE_HZ, 512, channels).unwrap()
}

/// The parameters of the side that scipy calls `highpass` or `lowpass`.
fn side(name: &str, order: usize, cutoff_hz: f32) -> [(String, f32); 3] {
    [
        (format!("{name}_on"), 1.0),
        (format!("{name}_slope"), (order - 1) as f32),
        (format!("{name}_cutoff_hz"), cutoff_hz),
    ]
}

fn borrowed(values: &[(String, f32)]) -> Vec<(&str, f32)> {
    values.iter().map(|(id, value)| (&id[..], *value)).collect()
}

/// Analogue Butterworth filters by scipy.signal.butter (data/analogue.py) against the Fourier
/// integral of the module's own impulse response.
#[test]
fn every_slope_is_within_half_a_decibel_of_the_analogue_butterworth() {
    let mut lines = include_str!("data/filter.csv").lines();
    let hz: Vec<f64> = lines
        .next()
        .unwrap()
        .split(',')
        .skip(3)
        .map(|hz| hz.parse().unwrap())
        .collect();
    let mut response = vec![0.0; 1 << 16];
    let mut worst = (0.0, String::new());
    let mut cases = 0;
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let order = fields[1].parse().unwrap();
        let values = side(fields[0], order, fields[2].parse().unwrap());
        let mut filter = build("filter", stream(1), &borrowed(&values));
        response.fill(0.0);
        response[0] = 1.0;
        run_mono(&mut *filter, &mut response);
        for (&hz, expected) in hz.iter().zip(&fields[3..]) {
            let expected: f64 = expected.parse().unwrap();
            if expected < -90.0 {
                continue; // Near the noise of f32.
            }
            cases += 1;
            let error = (magnitude_db(&response, hz, f64::from(RATE_HZ)) - expected).abs();
            if error > worst.0 {
                worst = (error, format!("{hz} Hz of {}", fields[..3].join(" ")));
            }
        }
    }
    println!("worst of {cases}: {:.3} dB at {}", worst.0, worst.1);
    assert!(cases > 1_000);
    assert!(worst.0 < 0.5, "{:.3} dB at {}", worst.0, worst.1);
}

#[test]
fn what_is_off_passes_every_bit_at_once_and_after_having_been_on() {
    let signal = Random(1).noise(2 * SETTLED_FRAMES, 1.0);
    let mut filter = build("filter", stream(2), &[]);
    let (mut left, mut right) = (signal.clone(), signal.clone());
    run_stereo(&mut *filter, &mut left, &mut right, || 64);
    assert!(left == signal && right == signal);

    for name in ["highpass_on", "lowpass_on"] {
        set(&mut *filter, "filter", name, 1.0);
    }
    run_stereo(&mut *filter, &mut left, &mut right, || 64);
    assert!(left != signal);
    for name in ["highpass_on", "lowpass_on"] {
        set(&mut *filter, "filter", name, 0.0);
    }
    left.copy_from_slice(&signal);
    right.copy_from_slice(&signal);
    run_stereo(&mut *filter, &mut left, &mut right, || 64);
    assert!(left[SETTLED_FRAMES..] == signal[SETTLED_FRAMES..]);
    assert!(right[SETTLED_FRAMES..] == signal[SETTLED_FRAMES..]);
}

/// Each slope, cutoff and switch moves under a loud 50 Hz sine.
#[test]
fn no_change_clicks() {
    let moves: [(&str, &str, &[f32]); 6] = [
        ("highpass", "on", &[0.0, 1.0]),
        ("lowpass", "on", &[0.0, 1.0]),
        ("highpass", "slope", &[0.0, 7.0, 3.0, 2.0]),
        ("lowpass", "slope", &[0.0, 7.0, 3.0, 2.0]),
        ("highpass", "cutoff_hz", &[20.0, 30.0, 45.0, 400.0]),
        ("lowpass", "cutoff_hz", &[100.0, 70.0, 20.0, 20_000.0]),
    ];
    for (name, what, steps) in moves {
        for slope in [0, 1, 7] {
            for every in [480, 4_800] {
                let values = side(
                    name,
                    slope + 1,
                    if name == "highpass" { 40.0 } else { 90.0 },
                );
                let mut filter = build("filter", stream(1), &borrowed(&values));
                let mut signal: Vec<f32> = (0..RATE_HZ as usize * 2)
                    .map(|i| 0.5 * (std::f32::consts::TAU * ((i % 960) as f32) / 960.0).sin())
                    .collect();
                let half = RATE_HZ as usize;
                run_mono(&mut *filter, &mut signal[..half]);
                for (i, chunk) in signal[half..].chunks_mut(every).enumerate() {
                    let value = steps[i % steps.len()];
                    set(&mut *filter, "filter", &format!("{name}_{what}"), value);
                    run_mono(&mut *filter, chunk);
                }
                let residual = above(&signal[half - 2_000..], 2_000.0, f64::from(RATE_HZ));
                let residual = peak_dbfs(&residual);
                println!("{name} {what} at slope {slope} every {every}: {residual:.1} dBFS");
                assert!(
                    residual < -80.0,
                    "{name}_{what} every {every}: {residual:.1} dBFS"
                );
            }
        }
    }
}

/// Noise through a filter whose parameters move at fixed frames, cut by `next_chunk`.
fn storm(frames: usize, every: usize, next_chunk: &mut dyn FnMut() -> usize) -> Vec<f32> {
    let mut random = Random(4);
    let (mut left, mut right) = (random.noise(frames, 0.5), random.noise(frames, 0.5));
    let params = kind("filter").params;
    let mut filter = build("filter", stream(2), &[("lowpass_on", 1.0)]);
    for start in (0..frames).step_by(every) {
        let index = random.below(params.len());
        filter.set_param(index, params[index].denormalize(random.unit()));
        let end = (start + every).min(frames);
        run_stereo(
            &mut *filter,
            &mut left[start..end],
            &mut right[start..end],
            &mut *next_chunk,
        );
    }
    left.extend(right);
    left
}

#[test]
fn the_output_is_the_same_bits_for_any_split_into_chunks() {
    for every in [977, 5_003] {
        let whole = storm(60_000, every, &mut || 64);
        for chunk in [1, 7, 8, 32] {
            assert!(
                whole == storm(60_000, every, &mut || chunk),
                "chunks of {chunk}"
            );
        }
        let mut random = Random(5);
        assert!(
            whole == storm(60_000, every, &mut || 1 + random.below(64)),
            "random chunks"
        );
    }
}

#[test]
fn a_minute_of_parameter_storms_stays_finite_and_bounded() {
    let output = storm(60 * RATE_HZ as usize, 61, &mut || 64);
    assert!(output.iter().all(|x| x.is_finite()));
    let peak = peak_dbfs(&output);
    println!("peak {peak:.1} dBFS");
    assert!(peak < 20.0, "{peak} dBFS");
}

#[test]
fn mono_is_the_left_channel_of_stereo() {
    let mut random = Random(3);
    let (signal, other) = (random.noise(20_000, 0.7), random.noise(20_000, 0.7));
    for order in 1..=8 {
        let mut values = side("highpass", order, 300.0).to_vec();
        values.extend(side("lowpass", 9 - order, 9_000.0));
        let mut mono = build("filter", stream(1), &borrowed(&values));
        let mut stereo = build("filter", stream(2), &borrowed(&values));
        for module in [&mut mono, &mut stereo] {
            set(&mut **module, "filter", "highpass_cutoff_hz", 30.0);
        }
        let (mut left, mut right, mut alone) = (signal.clone(), other.clone(), signal.clone());
        run_mono(&mut *mono, &mut alone);
        run_stereo(&mut *stereo, &mut left, &mut right, || 64);
        assert!(left == alone);
    }
}

/// A new instance with other settings takes over where the old one's coefficients are: with the
/// same input from silence on, it starts out as the old one was and ends as it was built.
#[test]
fn adopting_glides_from_the_old_settings_to_the_new() {
    let old_values = side("highpass", 4, 2_000.0);
    let new_values = side("lowpass", 3, 500.0);
    let old = build("filter", stream(1), &borrowed(&old_values));
    let mut adopting = build("filter", stream(1), &borrowed(&new_values));
    adopting.adopt(&*old);
    let mut as_old = build("filter", stream(1), &borrowed(&old_values));
    let mut as_new = build("filter", stream(1), &borrowed(&new_values));

    let signal = Random(9).noise(4 * SETTLED_FRAMES, 0.5);
    let run = |module: &mut dyn headroom_engine::Module| {
        let mut output = signal.clone();
        run_mono(module, &mut output);
        output
    };
    let adopted = run(&mut *adopting);
    let (old, new) = (run(&mut *as_old), run(&mut *as_new));
    let difference = |a: &[f32], b: &[f32]| {
        let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        peak_dbfs(&difference)
    };
    assert!(difference(&adopted[..4], &old[..4]) < -60.0);
    assert!(difference(&old[..4], &new[..4]) > -20.0);
    let end = 3 * SETTLED_FRAMES..;
    assert!(difference(&adopted[end.clone()], &new[end]) < -100.0);
}

#[test]
fn what_has_been_silent_for_quiet_frames_stays_silent() {
    for order in [1, 2, 8] {
        let mut values = side("highpass", order, 10.0).to_vec();
        values.extend(side("lowpass", order, 40.0));
        let mut filter = build("filter", stream(1), &borrowed(&values));
        let mut burst = Random(7).noise(RATE_HZ as usize / 10, 1.0);
        run_mono(&mut *filter, &mut burst);
        let mut tail = vec![0.0; 20 * RATE_HZ as usize];
        run_mono(&mut *filter, &mut tail);
        let quiet = filter.quiet_frames();
        let silent = |x: &f32| x.abs() < 1e-6;
        let mut run = 0;
        for (i, x) in tail.iter().enumerate() {
            run = if silent(x) { run + 1 } else { 0 };
            if run == quiet {
                println!("order {order}: silent from frame {}", i + 1 - quiet);
                assert!(tail[i..].iter().all(silent), "order {order}");
            }
        }
        assert!(run >= quiet, "order {order}: it falls silent");
    }
}
