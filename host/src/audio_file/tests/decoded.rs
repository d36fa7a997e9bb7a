//! Compressed files against the sound they were made from.

use super::*;

/// The noise that `noise.flac` was made from: 3,000 frames of two channels, interleaved.
fn flac_original() -> Vec<f32> {
    let mut state = 1_u32;
    (0..6_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as f32 - 32_768.0) / 32_768.0
        })
        .collect()
}

#[test]
fn flac_gives_back_every_sample() {
    let original = flac_original();
    let bytes = fs::read(fixture("noise.flac")).unwrap();
    for mut reader in [
        Reader::open(&fixture("noise.flac")).unwrap(),
        piped(bytes).unwrap(),
    ] {
        assert_eq!(
            (
                reader.channels(),
                reader.sample_rate_hz(),
                reader.length_frames()
            ),
            (2, 44_100, Some(3_000))
        );
        let audio = read_all(&mut reader).unwrap();
        assert_eq!(audio[0].len(), 3_000);
        for (at, frame) in original.chunks_exact(2).enumerate() {
            assert_eq!([audio[0][at], audio[1][at]], frame, "frame {at}");
        }
    }
}

#[test]
fn a_truncated_flac_is_an_error() {
    let mut bytes = fs::read(fixture("noise.flac")).unwrap();
    bytes.truncate(bytes.len() - 1_000);
    let outcome = piped(bytes).and_then(|mut reader| read_all(&mut reader));
    assert!(matches!(
        outcome,
        Err(ReadError::Truncated {
            expected_frames: 3_000,
            ..
        } | ReadError::Damaged { .. })
    ));
}

/// Amplitude of the 440 Hz in `audio`, which starts at frame `from`, and by how many frames it is late.
/// `audio` holds whole periods.
fn tone(audio: &[f32], from: usize) -> (f64, f64) {
    let step = std::f64::consts::TAU * 440.0 / 48_000.0;
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (at, sample) in audio.iter().enumerate() {
        let phase = step * (from + at) as f64;
        sine += f64::from(*sample) * phase.sin() * 2.0 / audio.len() as f64;
        cosine += f64::from(*sample) * phase.cos() * 2.0 / audio.len() as f64;
    }
    (sine.hypot(cosine), -cosine.atan2(sine) / step)
}

#[test]
fn mp3_and_ogg_give_the_tone_at_its_level_and_time() {
    // A sine of 440 Hz at half scale from frame 0, 12,000 frames long.
    for name in ["sine.mp3", "sine.ogg"] {
        let mut reader = Reader::open(&fixture(name)).unwrap();
        assert_eq!(
            (reader.channels(), reader.sample_rate_hz()),
            (2, 48_000),
            "{name}"
        );
        let audio = read_all(&mut reader).unwrap();
        assert_eq!(
            audio[0].len(),
            12_000,
            "{name}: encoder delay and padding are cut"
        );
        assert_eq!(reader.damaged_packets(), 0);
        for channel in &audio {
            let (level, late_frames) = tone(&channel[1_200..10_800], 1_200);
            assert!(
                (20.0 * (level / 0.5).log10()).abs() < 0.6,
                "{name} has a level of {level}"
            );
            assert!(
                late_frames.abs() < 0.1,
                "{name} is {late_frames} frames late"
            );
        }
    }
}

#[test]
fn two_ogg_files_in_a_row_play_through() {
    let mut bytes = fs::read(fixture("sine.ogg")).unwrap();
    bytes.extend_from_within(..);
    let audio = read_all(&mut piped(bytes).unwrap()).unwrap();
    assert!(
        (23_900..=24_000).contains(&audio[0].len()),
        "{} frames",
        audio[0].len()
    );
}

#[test]
fn a_damaged_mp3_packet_is_silence_and_the_rest_stays_in_place() {
    let mut bytes = fs::read(fixture("sine.mp3")).unwrap();
    let middle = bytes.len() / 2;
    // Side information that points outside the packet.
    let sync = (middle..)
        .find(|&at| bytes[at..at + 2] == [0xff, 0xfb])
        .unwrap();
    bytes[sync + 4..sync + 36].fill(0xff);
    let mut reader = piped(bytes).unwrap();
    let audio = read_all(&mut reader).unwrap();
    assert!(reader.damaged_packets() > 0);
    assert_eq!(audio[0].len(), 12_000);
    let (level, late_frames) = tone(&audio[0][10_800..], 10_800);
    assert!(
        (0.45..0.55).contains(&level),
        "after the damage the level is {level}"
    );
    assert!(
        late_frames.abs() < 0.05,
        "after the damage the tone is {late_frames} frames late"
    );
}
