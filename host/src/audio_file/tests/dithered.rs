//! The noise of the integer formats, measured on what they write.

use crate::audio_file::dither::Dither;

/// Errors in steps of `count` samples of a constant that lies `offset` of a step above zero.
fn errors(offset: f64, count: usize) -> Vec<f64> {
    let mut dither = Dither::new(16, 0);
    let sample = (offset / 32_768.0) as f32;
    (0..count)
        .map(|_| f64::from(dither.quantise(sample)) - offset)
        .collect()
}

fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}

#[test]
fn the_error_does_not_follow_the_sound() {
    // Without dither the mean would be -offset, with one uniform value the variance would follow the offset.
    const COUNT: usize = 400_000;
    for offset in [0.0, 0.125, 0.25, 0.5, 0.875] {
        let errors = errors(offset, COUNT);
        let average = mean(errors.iter().copied(), COUNT);
        let power = mean(errors.iter().map(|error| error * error), COUNT);
        // Five standard deviations of each estimate: 0.5 / sqrt(COUNT), and 0.35 / sqrt(COUNT).
        assert!(average.abs() < 0.004, "mean {average} at {offset}");
        // Triangular dither and rounding: 1/6 + 1/12 of a step squared.
        assert!((power - 0.25).abs() < 0.003, "power {power} at {offset}");
    }
}

#[test]
fn the_noise_is_white_and_differs_between_channels() {
    const COUNT: usize = 1 << 18;
    const SIZE: usize = 1 << 10;
    let mut dithers = [Dither::new(24, 0), Dither::new(24, 1)];
    let noise: Vec<[f64; 2]> = (0..COUNT)
        .map(|_| [0, 1].map(|channel| f64::from(dithers[channel].quantise(0.0))))
        .collect();
    let shared = mean(noise.iter().map(|[left, right]| left * right), COUNT);
    assert!(
        shared.abs() < 0.25 * 5.0 / (COUNT as f64).sqrt(),
        "channels share {shared}"
    );

    let mut planner = realfft::RealFftPlanner::<f64>::new();
    let transform = planner.plan_fft_forward(SIZE);
    let mut powers = vec![0.0; SIZE / 2 + 1];
    for block in noise.chunks_exact(SIZE) {
        let mut input: Vec<f64> = block.iter().map(|[left, _]| *left).collect();
        let mut output = transform.make_output_vec();
        transform.process(&mut input, &mut output).unwrap();
        for (power, bin) in powers.iter_mut().zip(&output) {
            *power += bin.norm_sqr();
        }
    }
    // Each eighth of the spectrum holds the same power within 3 %.
    let bins = &powers[1..SIZE / 2];
    let whole = mean(bins.iter().copied(), bins.len());
    for part in bins.chunks(bins.len().div_ceil(8)) {
        let ratio = mean(part.iter().copied(), part.len()) / whole;
        assert!(
            (ratio - 1.0).abs() < 0.03,
            "a part of the spectrum has {ratio} of the mean power"
        );
    }
}

#[test]
fn a_tone_below_one_step_survives() {
    // A sine of a third of a step is lost by rounding; through dither it is still there at its level.
    const COUNT: usize = 480_000;
    let mut dither = Dither::new(16, 0);
    let tone = |at: usize| (std::f64::consts::TAU * 997.0 * at as f64 / 48_000.0).sin();
    let level = mean(
        (0..COUNT).map(|at| {
            f64::from(dither.quantise((tone(at) / 3.0 / 32_768.0) as f32)) * tone(at) * 2.0
        }),
        COUNT,
    );
    assert!((level - 1.0 / 3.0).abs() < 0.01, "level {level} steps");
}

#[test]
fn too_loud_samples_are_cut_and_counted() {
    let mut dither = Dither::new(16, 0);
    for (sample, expected) in [(2.0, 32_767), (-2.0, -32_768), (f32::INFINITY, 32_767)] {
        assert_eq!(dither.quantise(sample), expected);
    }
    assert_eq!(dither.clipped_samples(), 3);
    for _ in 0..1_000 {
        assert!((-32_768..=-32_767).contains(&dither.quantise(-1.0)));
        assert!((32_765..=32_767).contains(&dither.quantise(32_767.0 / 32_768.0)));
    }
    assert_eq!(dither.clipped_samples(), 3);
}
