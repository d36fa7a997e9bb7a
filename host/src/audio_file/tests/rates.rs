//! A file at another rate.

use super::*;
use crate::audio_file::Resampled;

fn tone_file(path: &Path, rate: u32, hz: f64, frames: usize) {
    let tone = (0..frames)
        .map(|at| (0.5 * (std::f64::consts::TAU * hz * at as f64 / f64::from(rate)).sin()) as f32);
    let layout = Layout {
        channels: 1,
        sample_rate_hz: rate,
        format: SampleFormat::F32,
    };
    write_file(path, layout, &[tone.collect()]);
}

fn read_resampled(mut resampled: Resampled) -> Vec<f32> {
    let mut audio = Vec::new();
    for size in [480_usize, 1, 4_096].iter().cycle() {
        let mut block = vec![0.0; *size];
        let count = resampled.read(&mut [&mut block]).unwrap();
        audio.extend_from_slice(&block[..count]);
        if count == 0 {
            return audio;
        }
    }
    unreachable!()
}

#[test]
fn a_tone_keeps_its_time_pitch_and_level_at_any_rate() {
    let folder = folder();
    let path = folder.path().join("tone.wav");
    for (from, to) in [
        (44_100, 48_000),
        (48_000, 44_100),
        (8_000, 192_000),
        (96_000, 48_000),
        (44_100, 44_101),
    ] {
        let frames = from as usize / 2 + 13;
        tone_file(&path, from, 1_000.0, frames);
        let resampled = Resampled::new(Reader::open(&path).unwrap(), to).unwrap();
        let expected_frames = (frames as f64 * f64::from(to) / f64::from(from)).ceil() as usize;
        assert_eq!(resampled.length_frames(), Some(expected_frames as u64));
        let audio = read_resampled(resampled);
        assert_eq!(audio.len(), expected_frames, "{from} to {to}");
        // Away from the ends, where a tone that starts and stops is no tone.
        let worst = (to as usize / 8..to as usize * 3 / 8)
            .map(|at| {
                let exact =
                    0.5 * (std::f64::consts::TAU * 1_000.0 * at as f64 / f64::from(to)).sin();
                (f64::from(audio[at]) - exact).abs()
            })
            .fold(0.0, f64::max);
        assert!(
            worst < 1e-4,
            "{from} to {to}: {:.1} dB off",
            20.0 * worst.log10()
        );
    }
}

#[test]
fn what_the_new_rate_cannot_hold_does_not_fold_back() {
    let folder = folder();
    let path = folder.path().join("high.wav");
    tone_file(&path, 96_000, 30_000.0, 48_000);
    let audio = read_resampled(Resampled::new(Reader::open(&path).unwrap(), 48_000).unwrap());
    let peak = audio[6_000..18_000]
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    assert!(
        peak < 0.5e-5,
        "{:.1} dB of the tone came through",
        20.0 * (peak / 0.5).log10()
    );
}

#[test]
fn the_files_own_rate_changes_no_bit() {
    let folder = folder();
    let path = folder.path().join("own.wav");
    let audio = noise(1, 5_000);
    write_file(&path, layout(1, SampleFormat::F32), &audio);
    assert!(
        read_resampled(Resampled::new(Reader::open(&path).unwrap(), 48_000).unwrap()) == audio[0]
    );
}

#[test]
fn a_rate_outside_the_range_is_refused() {
    let folder = folder();
    let path = folder.path().join("own.wav");
    write_file(&path, layout(1, SampleFormat::F32), &noise(1, 10));
    for rate in [0, 1, 10_000_000] {
        assert!(matches!(
            Resampled::new(Reader::open(&path).unwrap(), rate),
            Err(ReadError::SampleRate { .. })
        ));
    }
}
