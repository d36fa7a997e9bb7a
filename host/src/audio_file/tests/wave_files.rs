//! WAV in all its shapes: large, through pipes, extensible, Wave64, with every width.

use super::*;

/// The first audio byte of a float file of ours.
const FLOAT_HEAD_BYTES: usize = 94;

#[test]
fn a_file_over_the_limit_becomes_rf64_and_reads_back() {
    let folder = folder();
    let path = folder.path().join("large.wav");
    for channels in [1, 2] {
        let audio = noise(channels, 4_321);
        let data_bytes = 4_321 * 4 * channels as u64;
        // RIFF's size is everything but its own eight bytes.
        let exact = FLOAT_HEAD_BYTES as u64 - 8 + data_bytes;
        write_file_with_limit(&path, layout(channels, SampleFormat::F32), &audio, exact);
        assert_eq!(fs::read(&path).unwrap()[..4], *b"RIFF");
        assert!(read_file(&path).unwrap() == audio);

        write_file_with_limit(
            &path,
            layout(channels, SampleFormat::F32),
            &audio,
            exact - 1,
        );
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[..8], *b"RF64\xff\xff\xff\xff");
        assert_eq!(bytes[12..20], *b"ds64\x1c\0\0\0");
        let at = |from: usize| u64::from_le_bytes(bytes[from..from + 8].try_into().unwrap());
        assert_eq!((at(20), at(28), at(36)), (exact, data_bytes, 4_321));
        assert_eq!(bytes.len() as u64, exact + 8);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.length_frames(), Some(4_321));
        assert!(read_file(&path).unwrap() == audio);
    }
}

#[test]
fn a_truncated_rf64_is_an_error() {
    let folder = folder();
    let path = folder.path().join("large.wav");
    write_file_with_limit(&path, layout(2, SampleFormat::S24), &noise(2, 1_000), 100);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 6]).unwrap();
    let Err(ReadError::Truncated {
        expected_frames: 1_000,
        found_frames: 999,
        ..
    }) = Reader::open(&path)
    else {
        panic!("taken for whole");
    };
}

#[test]
fn lengths_that_a_pipe_left_open_reach_to_the_last_frame() {
    let folder = folder();
    let path = folder.path().join("in.wav");
    let audio = noise(2, 5_003);
    write_file(&path, layout(2, SampleFormat::F32), &audio);
    let whole = fs::read(&path).unwrap();
    // What ffmpeg, sox, arecord and a recorder that was cut off leave.
    for (riff, data) in [
        (u32::MAX, u32::MAX),
        (0x7fff_f024, 0x7fff_f000),
        (0x8000_0024, 0x8000_0000),
        (0, 0),
    ] {
        let mut bytes = whole.clone();
        bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        bytes[FLOAT_HEAD_BYTES - 4..FLOAT_HEAD_BYTES].copy_from_slice(&data.to_le_bytes());
        let mut reader = piped(bytes.clone()).unwrap();
        assert_eq!(reader.length_frames(), None);
        assert!(
            read_all(&mut reader).unwrap() == audio,
            "{data:x} through a pipe"
        );
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            Reader::open(&path).unwrap().length_frames(),
            Some(5_003),
            "{data:x} in a file"
        );
        assert!(read_file(&path).unwrap() == audio, "{data:x} in a file");
    }
}

#[test]
fn a_pipe_that_ends_early_is_an_error_after_its_last_frame() {
    let folder = folder();
    let path = folder.path().join("in.wav");
    write_file(&path, layout(1, SampleFormat::S16), &noise(1, 4_000));
    let bytes = fs::read(&path).unwrap();
    let mut reader = piped(bytes[..bytes.len() - 2_000].to_vec()).unwrap();
    assert_eq!(reader.length_frames(), Some(4_000));
    let outcome = read_all(&mut reader);
    assert!(matches!(
        outcome,
        Err(ReadError::Truncated {
            expected_frames: 4_000,
            found_frames: 3_000,
            ..
        })
    ));
}

#[test]
fn an_empty_file_has_no_frames() {
    let folder = folder();
    let path = folder.path().join("empty.wav");
    write_file(
        &path,
        layout(2, SampleFormat::F32),
        &[Vec::new(), Vec::new()],
    );
    let mut bytes = fs::read(&path).unwrap();
    // Chunks after the audio are not audio.
    bytes.extend(b"LIST\x04\0\0\0INFO");
    let size = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&size);
    fs::write(&path, bytes).unwrap();
    assert_eq!(Reader::open(&path).unwrap().length_frames(), Some(0));
    assert!(read_file(&path).unwrap().iter().all(Vec::is_empty));
}

/// A plain WAV with any `fmt ` chunk.
fn riff(format: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    bytes.extend((format.len() as u32).to_le_bytes());
    bytes.extend(format);
    // An odd chunk in between, with its padding.
    bytes.extend(b"odd \x03\0\0\0abc\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    let size = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&size);
    bytes
}

fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let frame = channels * bits.div_ceil(8);
    let mut bytes = Vec::new();
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate.wrapping_mul(u32::from(frame))).to_le_bytes());
    bytes.extend(frame.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes
}

#[test]
fn every_width_has_its_full_scale_at_one() {
    let cases: [(u16, u16, &[u8], &[f32]); 7] = [
        (1, 8, &[0, 128, 192], &[-1.0, 0.0, 0.5]),
        (1, 16, &[0, 128, 0, 64], &[-1.0, 0.5]),
        (1, 20, &[0, 0, 128, 0, 0, 64], &[-1.0, 0.5]),
        (1, 24, &[0, 0, 128, 1, 0, 0], &[-1.0, 1.0 / 8_388_608.0]),
        (1, 32, &[0, 0, 0, 128, 0, 0, 0, 64], &[-1.0, 0.5]),
        (3, 32, &[0, 0, 192, 63], &[1.5]),
        (3, 64, &[0, 0, 0, 0, 0, 0, 248, 63], &[1.5]),
    ];
    for (tag, bits, data, expected) in cases {
        let audio =
            read_all(&mut piped(riff(&format(tag, 1, 44_100, bits), data)).unwrap()).unwrap();
        assert_eq!(audio, [expected.to_vec()], "{bits} bits");
    }
}

#[test]
fn an_extensible_header_is_read_by_its_inner_format() {
    for (tag, bits, data, expected) in [
        (1_u16, 16, vec![0, 64], 0.5_f32),
        (3, 32, vec![0, 0, 192, 63], 1.5),
    ] {
        let mut extensible = format(0xfffe, 1, 96_000, bits);
        extensible.extend(22_u16.to_le_bytes());
        extensible.extend(bits.to_le_bytes());
        extensible.extend(4_u32.to_le_bytes());
        extensible.extend(tag.to_le_bytes());
        extensible.extend(b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
        let mut reader = piped(riff(&extensible, &data)).unwrap();
        assert_eq!(reader.sample_rate_hz(), 96_000);
        assert_eq!(read_all(&mut reader).unwrap(), [[expected]]);
    }
}

#[test]
fn wave64_is_read() {
    // Sonic Foundry's ids: four letters and twelve fixed bytes; sizes of 64 bits count the header of 24 bytes.
    let id = |name: &[u8; 4]| {
        let mut id = name.to_vec();
        id.extend(b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a");
        id
    };
    let mut bytes = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00".to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(id(b"wave"));
    bytes.extend(id(b"fmt "));
    bytes.extend(40_u64.to_le_bytes());
    bytes.extend(format(1, 2, 48_000, 16));
    bytes.extend(id(b"odd "));
    bytes.extend(27_u64.to_le_bytes());
    bytes.extend(b"abc\0\0\0\0\0");
    bytes.extend(id(b"data"));
    bytes.extend((24_u64 + 8).to_le_bytes());
    bytes.extend([0, 64, 0, 128, 0, 0, 0, 192]);
    let audio = read_all(&mut piped(bytes).unwrap()).unwrap();
    assert_eq!(audio, [[0.5, 0.0], [-1.0, -0.5]]);
}

#[test]
fn layouts_outside_the_range_are_named() {
    for channels in [0, 3, 200, 65_535] {
        let outcome = piped(riff(&format(1, channels, 48_000, 8), &[0; 400]))
            .map(|_| ())
            .unwrap_err();
        let expected =
            format!("unsupported number of channels: a pipe: expected 1 or 2, found {channels}");
        assert_eq!(outcome.to_string(), expected);
    }
    for rate in [0, 1, 7_999, 384_001, 10_000_000, u32::MAX] {
        let outcome = piped(riff(&format(1, 2, rate, 16), &[0; 400]))
            .map(|_| ())
            .unwrap_err();
        let expected =
            format!("unsupported sample rate: a pipe: expected 8000 to 384000 Hz, found {rate} Hz");
        assert_eq!(outcome.to_string(), expected);
    }
    for rate in [8_000, 384_000] {
        assert_eq!(
            piped(riff(&format(1, 2, rate, 16), &[0; 400]))
                .unwrap()
                .sample_rate_hz(),
            rate
        );
    }
}
