//! What is written is read back, and a file appears only when it is whole.

use super::*;

#[test]
fn float_files_keep_every_bit() {
    let folder = folder();
    for channels in [1, 2] {
        let path = folder.path().join("float.wav");
        let mut audio = noise(channels, 12_345);
        audio[0][..5].copy_from_slice(&[1.5, -3.0, f32::MIN_POSITIVE / 8.0, -0.0, f32::MAX]);
        let written = write_file(&path, layout(channels, SampleFormat::F32), &audio);
        assert_eq!(
            written,
            Written {
                frames: 12_345,
                clipped_samples: 0
            }
        );
        let reader = Reader::open(&path).unwrap();
        assert_eq!(
            (
                reader.channels(),
                reader.sample_rate_hz(),
                reader.length_frames()
            ),
            (channels, 48_000, Some(12_345))
        );
        let bits = |audio: &[Vec<f32>]| {
            audio
                .concat()
                .iter()
                .map(|sample| sample.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&read_file(&path).unwrap()), bits(&audio));
    }
}

#[test]
fn integer_files_stay_within_a_step_and_a_half() {
    let folder = folder();
    for (format, step) in [
        (SampleFormat::S16, 1.0 / 32_768.0),
        (SampleFormat::S24, 1.0 / 8_388_608.0),
    ] {
        // An odd number of bytes of audio: the chunk is padded.
        let path = folder.path().join("integer.wav");
        let audio: Vec<Vec<f32>> = noise(1, 9_999)
            .iter()
            .map(|channel| channel.iter().map(|sample| sample * 0.99).collect())
            .collect();
        write_file(&path, layout(1, format), &audio);
        assert_eq!(fs::metadata(&path).unwrap().len() % 2, 0);
        let back = read_file(&path).unwrap();
        assert_eq!(back[0].len(), 9_999);
        let worst = audio[0]
            .iter()
            .zip(&back[0])
            .map(|(one, other)| (one - other).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 1.5 * step, "{format:?}: {} steps", worst / step);
        assert!(worst > 0.9 * step, "{format:?}: no dither");
    }
}

#[test]
fn the_same_audio_gives_the_same_bytes() {
    let folder = folder();
    let (one, other) = (
        folder.path().join("one.wav"),
        folder.path().join("other.wav"),
    );
    let audio = noise(2, 5_000);
    write_file(&one, layout(2, SampleFormat::S16), &audio);
    write_file(&other, layout(2, SampleFormat::S16), &audio);
    assert!(fs::read(one).unwrap() == fs::read(other).unwrap());
}

#[test]
fn other_readers_accept_every_format() {
    let folder = folder();
    for format in [SampleFormat::F32, SampleFormat::S24, SampleFormat::S16] {
        let path = folder.path().join("any.wav");
        write_file(&path, layout(2, format), &noise(2, 3_001));
        // Symphonia's own WAV reader, by the back door.
        let source = ByteSource::open(&path).unwrap();
        let mut other = super::super::decoded::Decoded::new(&path, source).unwrap();
        assert_eq!(
            (
                other.channels(),
                other.sample_rate_hz(),
                other.length_frames()
            ),
            (2, 48_000, Some(3_001))
        );
        let (mut left, mut right) = (vec![0.0; 4_000], vec![0.0; 4_000]);
        assert_eq!(other.read(&mut [&mut left, &mut right]).unwrap(), 3_001);
        let ours = read_file(&path).unwrap();
        assert!(
            left[..3_001] == ours[0][..] && right[..3_001] == ours[1][..],
            "{format:?}"
        );
    }
}

#[test]
fn nothing_appears_under_the_final_name_before_the_end() {
    let folder = folder();
    let path = folder.path().join("out.wav");
    fs::write(&path, "what was there").unwrap();
    let audio = noise(2, 200_000);
    let mut writer = Writer::create(
        &Target::File(path.clone()),
        None,
        layout(2, SampleFormat::F32),
        None,
    )
    .unwrap();
    write(&mut writer, &audio);
    assert_eq!(fs::read(&path).unwrap(), b"what was there");
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"what was there");
    assert_eq!(
        names_in(folder.path()),
        ["out.wav"],
        "an unfinished file was left"
    );
}

#[test]
#[cfg(unix)]
fn a_new_file_has_the_rights_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours.wav"));
    fs::write(&plain, "").unwrap();
    write_file(&ours, layout(1, SampleFormat::F32), &noise(1, 10));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
    // And one that replaces another takes its rights over.
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).unwrap();
    write_file(&ours, layout(1, SampleFormat::F32), &noise(1, 10));
    assert_eq!(mode(&ours) & 0o777, 0o640);
}

#[test]
#[cfg(unix)]
fn the_input_is_refused_as_the_output_under_any_name() {
    let folder = folder();
    let path = folder.path().join("in.wav");
    write_file(&path, layout(1, SampleFormat::F32), &noise(1, 10));
    let (hard, soft) = (
        folder.path().join("hard.wav"),
        folder.path().join("soft.wav"),
    );
    fs::hard_link(&path, &hard).unwrap();
    std::os::unix::fs::symlink(&path, &soft).unwrap();
    for output in [
        path.clone(),
        hard,
        soft,
        folder.path().join(".").join("in.wav"),
    ] {
        let outcome = Writer::create(
            &Target::File(output),
            Some(&path),
            layout(1, SampleFormat::F32),
            None,
        );
        assert!(matches!(
            outcome,
            Err(super::super::WriteError::SameFile { .. })
        ));
    }
}

#[test]
#[cfg(unix)]
fn a_link_stays_a_link_when_written_through() {
    let folder = folder();
    let (real, link) = (
        folder.path().join("real.wav"),
        folder.path().join("link.wav"),
    );
    fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    write_file(&link, layout(1, SampleFormat::F32), &noise(1, 10));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(read_file(&real).unwrap()[0].len(), 10);
}
