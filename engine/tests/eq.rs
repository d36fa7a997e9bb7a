//! Claims about the module `eq`.

mod common;
#[path = "common/drive.rs"]
mod drive;
#[path = "common/response.rs"]
mod response;

use common::build;
use drive::Random;
use headroom_engine::Stream;
use headroom_engine::dsp::design::{Design, Frequency};
use response::{above, kind, magnitude_db, peak_dbfs, run_mono, run_stereo, set};

const RATE_HZ: u32 = 48_000;

fn stream(channels: usize) -> Stream {
    Stream::new(RATE_HZ, 512, channels).unwrap()
}

const TYPES: [&str; 6] = [
    "bell",
    "low shelf",
    "high shelf",
    "notch",
    "high-pass",
    "low-pass",
];

/// The prototypes by scipy.signal.freqs (data/analogue.py) against the Fourier integral of the
/// module's own impulse response.
#[test]
fn every_type_is_within_half_a_decibel_of_its_analogue_prototype() {
    let table = include_str!("data/eq.csv");
    let mut lines = table.lines();
    let hz: Vec<f64> = lines
        .next()
        .unwrap()
        .split(',')
        .skip(4)
        .map(|x| x.parse().unwrap())
        .collect();
    let mut response = vec![0.0; 1 << 16];
    let mut worst = (0.0, String::new());
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let shape = TYPES.iter().position(|t| *t == fields[0]).unwrap();
        let number = |i: usize| fields[i].parse::<f32>().unwrap();
        let mut eq = build(
            "eq",
            stream(1),
            &[
                ("band3_type", shape as f32),
                ("band3_freq_hz", number(1)),
                ("band3_gain_db", number(2)),
                ("band3_q", number(3)),
            ],
        );
        response.fill(0.0);
        response[0] = 1.0;
        run_mono(&mut *eq, &mut response);
        for (&hz, expected) in hz.iter().zip(&fields[4..]) {
            let expected: f64 = expected.parse().unwrap();
            if expected < -90.0 {
                continue; // Near the noise of f32; a notch's own null among them.
            }
            let error = (magnitude_db(&response, hz, f64::from(RATE_HZ)) - expected).abs();
            if error > worst.0 {
                worst = (error, format!("{hz} Hz of {}", fields[..4].join(" ")));
            }
        }
    }
    println!("worst: {:.3} dB at {}", worst.0, worst.1);
    assert!(worst.0 < 0.5, "{:.3} dB at {}", worst.0, worst.1);
}

/// Robert Bristow-Johnson's prototypes, evaluated as written: no formula of the design itself.
fn prototype_db(shape: &str, corner_hz: f64, gain_db: f64, q: f64, hz: f64) -> f64 {
    let a = 10f64.powf(gain_db / 40.0);
    let r = a.sqrt();
    let (n, d) = match shape {
        "bell" => ([1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0]),
        "low shelf" => ([a * a, a * r / q, a], [1.0, r / q, a]),
        "high shelf" => ([a, a * r / q, a * a], [a, r / q, 1.0]),
        "notch" => ([1.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0]),
        "high-pass" => ([0.0, 0.0, 1.0], [1.0, 1.0 / q, 1.0]),
        _ => ([1.0, 0.0, 0.0], [1.0, 1.0 / q, 1.0]),
    };
    let u = hz / corner_hz;
    let magnitude = |c: [f64; 3]| (c[0] - c[2] * u * u).hypot(c[1] * u);
    20.0 * (magnitude(n) / magnitude(d)).max(1e-12).log10()
}

fn worst_design_error_db(rate_hz: f64, seed: u64) -> (f64, String) {
    let mut random = Random(seed);
    let mut log = |low: f64, high: f64| low * (high / low).powf(f64::from(random.unit()));
    let mut worst = (0.0, String::new());
    for round in 0..60_000 {
        let shape = TYPES[round % TYPES.len()];
        let corner_hz = log(10.0, 22_000.0);
        let q = log(0.1, 40.0);
        // Every other gain is one of the two that are hardest to follow.
        let gain_db = match round / TYPES.len() % 4 {
            0 => 24.0,
            1 => -24.0,
            _ => 48.0 * (log(1.0, 2.0) - 1.5),
        };
        let corner = Frequency::new(corner_hz, rate_hz);
        let design = match shape {
            "bell" => Design::bell(corner, gain_db, q),
            "low shelf" => Design::low_shelf(corner, gain_db, q),
            "high shelf" => Design::high_shelf(corner, gain_db, q),
            "notch" => Design::notch(corner, q),
            "high-pass" => Design::high_pass(corner, q),
            _ => Design::low_pass(corner, q),
        };
        assert!(design.g > 0.0 && design.k > 0.0, "{design:?}");
        let near = corner_hz * log(0.8, 1.25);
        for hz in [
            near,
            corner_hz,
            log(5.0, 10_000.0),
            log(1_000.0, 10_000.0),
            10_000.0,
        ] {
            let expected = prototype_db(shape, corner_hz, gain_db, q, hz);
            if hz > 10_000.0 || expected < -120.0 {
                continue;
            }
            let got = 20.0
                * design
                    .magnitude(std::f64::consts::TAU * hz / rate_hz)
                    .log10();
            if (got - expected).abs() > worst.0 {
                worst = (
                    (got - expected).abs(),
                    format!("{hz:.0} Hz: {shape} {corner_hz:.0} Hz {gain_db:.1} dB Q {q:.2}"),
                );
            }
        }
    }
    worst
}

#[test]
fn the_design_holds_half_a_decibel_over_the_whole_parameter_space() {
    for rate_hz in [48_000.0, 88_200.0, 96_000.0, 192_000.0, 384_000.0] {
        let (error, at) = worst_design_error_db(rate_hz, 11);
        println!("{rate_hz} Hz: {error:.3} dB at {at}");
        assert!(error < 0.5, "{rate_hz} Hz: {error:.3} dB at {at}");
    }
    // 10 kHz is nearer to Nyquist here.
    let (error, at) = worst_design_error_db(44_100.0, 12);
    println!("44100 Hz: {error:.3} dB at {at}");
    assert!(error < 0.75, "44100 Hz: {error:.3} dB at {at}");
}

/// A curve with every band at work.
const WORKING: [(&str, f32); 12] = [
    ("band1_gain_db", 3.0),
    ("band2_gain_db", -2.0),
    ("band3_type", 3.0),
    ("band3_q", 5.0),
    ("band4_gain_db", -3.0),
    ("band5_gain_db", 9.0),
    ("band5_q", 8.0),
    ("band6_gain_db", -12.0),
    ("band7_type", 5.0),
    ("band7_freq_hz", 15_000.0),
    ("band8_gain_db", 3.0),
    ("band8_q", 0.5),
];

#[test]
fn neutral_bands_pass_every_bit() {
    let mut random = Random(1);
    let signal = random.noise(5_000, 1.0);
    for values in [
        &[][..],
        &[("band2_freq_hz", 50.0), ("band5_q", 12.0)],
        &[
            ("band3_on", 0.0),
            ("band3_gain_db", 12.0),
            ("band4_on", 0.0),
            ("band4_type", 3.0),
        ],
    ] {
        let mut eq = build("eq", stream(2), values);
        let (mut left, mut right) = (signal.clone(), signal.clone());
        run_stereo(&mut *eq, &mut left, &mut right, || 64);
        assert!(left == signal && right == signal, "{values:?}");
    }
}

#[test]
fn a_band_that_goes_back_to_neutral_passes_every_bit_again() {
    let signal = Random(2).noise(RATE_HZ as usize, 1.0);
    let mut eq = build("eq", stream(2), &WORKING);
    for band in 1..=8 {
        set(&mut *eq, "eq", &format!("band{band}_on"), 0.0);
    }
    let (mut left, mut right) = (signal.clone(), signal.clone());
    run_stereo(&mut *eq, &mut left, &mut right, || 64);
    let settled = RATE_HZ as usize / 15;
    assert!(left[..400] != signal[..400], "it does not jump there");
    assert!(left[settled..] == signal[settled..] && right[settled..] == signal[settled..]);
}

#[test]
fn mono_is_the_left_channel_of_stereo() {
    let mut random = Random(3);
    let (signal, other) = (random.noise(20_000, 0.7), random.noise(20_000, 0.7));
    for values in [&WORKING[..], &WORKING[..1], &WORKING[..5]] {
        let mut mono = build("eq", stream(1), values);
        let mut stereo = build("eq", stream(2), values);
        for module in [&mut mono, &mut stereo] {
            set(&mut **module, "eq", "band4_freq_hz", 3_000.0);
        }
        let (mut left, mut right, mut alone) = (signal.clone(), other.clone(), signal.clone());
        run_mono(&mut *mono, &mut alone);
        run_stereo(&mut *stereo, &mut left, &mut right, || 64);
        assert!(left == alone);
        assert!(left != signal);
    }
}

/// Runs noise through an equaliser whose parameters move at fixed frames, cut by `next_chunk`.
fn storm(
    frames: usize,
    every: usize,
    next_chunk: &mut dyn FnMut() -> usize,
) -> (Vec<f32>, Vec<f32>) {
    let mut random = Random(4);
    let (mut left, mut right) = (random.noise(frames, 0.5), random.noise(frames, 0.5));
    let params = kind("eq").params;
    let mut eq = build("eq", stream(2), &WORKING);
    for start in (0..frames).step_by(every) {
        let index = random.below(params.len());
        eq.set_param(index, params[index].denormalize(random.unit()));
        let end = (start + every).min(frames);
        run_stereo(
            &mut *eq,
            &mut left[start..end],
            &mut right[start..end],
            &mut *next_chunk,
        );
    }
    (left, right)
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
    let (left, right) = storm(60 * RATE_HZ as usize, 61, &mut || 64);
    let peak = peak_dbfs(&left).max(peak_dbfs(&right));
    println!("peak {peak:.1} dBFS");
    assert!(left.iter().chain(&right).all(|x| x.is_finite()));
    // Eight bands of 24 dB in one place are 192 dB.
    assert!(peak < 195.0, "{peak} dBFS");
}

#[test]
fn reset_repeats() {
    let mut eq = build("eq", stream(2), &WORKING);
    let signal = Random(6).noise(3_000, 0.5);
    let mut run = || {
        let (mut left, mut right) = (signal.clone(), signal.clone());
        run_stereo(&mut *eq, &mut left, &mut right, || 64);
        set(&mut *eq, "eq", "band5_gain_db", 9.0);
        eq.reset();
        (left, right)
    };
    let first = run();
    assert!(first == run());
}

/// The f32 output against the same filter in f64, run as a plain difference equation.
#[test]
fn noise_at_20_hz_is_110_db_below_the_signal() {
    let rate = f64::from(RATE_HZ);
    for (shape, gain_db, q) in [(0, 6.0, 1.0), (1, 9.0, 0.7), (4, 0.0, 0.7), (5, 0.0, 0.7)] {
        let corner = Frequency::new(20.0, rate);
        let q64 = f64::from(q as f32);
        let design = match shape {
            0 => Design::bell(corner, gain_db, q64),
            1 => Design::low_shelf(corner, gain_db, q64),
            4 => Design::high_pass(corner, q64),
            _ => Design::low_pass(corner, q64),
        };
        let mut eq = build(
            "eq",
            stream(1),
            &[
                ("band1_type", shape as f32),
                ("band1_freq_hz", 20.0),
                ("band1_gain_db", gain_db as f32),
                ("band1_q", q as f32),
            ],
        );
        let frames = 4 * RATE_HZ as usize;
        let sine = |i: usize| (0.5 * (std::f64::consts::TAU * 37.0 * i as f64 / rate).sin()) as f32;
        let mut output: Vec<f32> = (0..frames).map(sine).collect();
        run_mono(&mut *eq, &mut output);
        // The biquad of the mix: (1 + z^-1)^2 for 1, 1 - z^-2 for jO, (1 - z^-1)^2 for (jO)^2.
        let Design {
            g,
            k,
            low,
            band,
            high,
        } = design;
        let g2 = g * g;
        let a = [g2 + k * g + 1.0, 2.0 * (g2 - 1.0), g2 - k * g + 1.0];
        let b = [
            low * g2 + band * g + high,
            2.0 * (low * g2 - high),
            low * g2 - band * g + high,
        ];
        let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
        let (mut noise, mut power) = (0.0, 0.0);
        for (i, &got) in output.iter().enumerate() {
            let x = f64::from(sine(i));
            let y = (b[0] * x + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2) / a[0];
            (x2, x1, y2, y1) = (x1, x, y1, y);
            if i > RATE_HZ as usize {
                noise += (f64::from(got) - y).powi(2);
                power += y * y;
            }
        }
        let db = 10.0 * (noise / power).log10();
        println!("{}: {db:.1} dB", TYPES[shape]);
        assert!(db < -110.0, "{}: {db:.1} dB", TYPES[shape]);
    }
}

/// Moves of one parameter under a loud 50 Hz sine, each reached or overtaken by the next.
#[test]
fn moving_parameters_make_no_zipper_noise_or_clicks() {
    type Values = &'static [(&'static str, f32)];
    let moves: [(&str, Values, &str, &[f32]); 8] = [
        (
            "gain",
            &[("band1_freq_hz", 60.0)],
            "band1_gain_db",
            &[12.0, -12.0],
        ),
        (
            "bell gain",
            &[("band2_freq_hz", 50.0)],
            "band2_gain_db",
            &[6.0, -3.0, 0.0, 1.0],
        ),
        (
            "frequency",
            &[("band2_gain_db", 9.0)],
            "band2_freq_hz",
            &[40.0, 50.0, 62.0, 80.0, 200.0, 5_000.0],
        ),
        (
            "Q",
            &[("band2_gain_db", 9.0), ("band2_freq_hz", 70.0)],
            "band2_q",
            &[0.3, 5.0, 40.0],
        ),
        ("on", &[("band1_gain_db", 9.0)], "band1_on", &[1.0, 0.0]),
        (
            "type",
            &[("band1_gain_db", 9.0)],
            "band1_type",
            &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        ),
        (
            "high band",
            &[("band8_gain_db", 9.0)],
            "band8_gain_db",
            &[24.0, -24.0],
        ),
        (
            "high-pass",
            &[("band1_type", 4.0)],
            "band1_freq_hz",
            &[20.0, 25.0, 31.0, 40.0, 300.0],
        ),
    ];
    for (name, values, param, steps) in moves {
        for every in [480, 4_800] {
            let mut eq = build("eq", stream(1), values);
            let mut signal: Vec<f32> = (0..RATE_HZ as usize * 2)
                .map(|i| 0.5 * (std::f32::consts::TAU * ((i % 960) as f32) / 960.0).sin())
                .collect();
            let mut before = signal.clone();
            let half = RATE_HZ as usize;
            run_mono(&mut *eq, &mut signal[..half]);
            for (i, chunk) in signal[half..].chunks_mut(every).enumerate() {
                set(&mut *eq, "eq", param, steps[i % steps.len()]);
                run_mono(&mut *eq, chunk);
            }
            before.truncate(8_000);
            let floor = peak_dbfs(&above(&before, 2_000.0, f64::from(RATE_HZ)));
            let residual = peak_dbfs(&above(&signal[half - 2_000..], 2_000.0, f64::from(RATE_HZ)));
            println!("{name} every {every}: {residual:.1} dBFS (input {floor:.1})");
            assert!(residual < -80.0, "{name} every {every}: {residual:.1} dBFS");
        }
    }
}
