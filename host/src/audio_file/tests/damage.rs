//! Files with bytes changed, cut and put together at random: an error or some frames, never a panic or a hang.

use super::*;
use std::panic;

/// Frames that a damaged file of a few kilobytes may give before it counts as endless.
const MAX_FRAMES: usize = 20_000_000;

fn survives(bytes: Vec<u8>, what: &str) -> bool {
    let outcome = panic::catch_unwind(|| {
        let Ok(mut reader) = piped(bytes) else {
            return false;
        };
        assert!((1..=2).contains(&reader.channels()));
        let (mut left, mut right) = (vec![0.0; 4_096], vec![0.0; 4_096]);
        let mut frames = 0;
        loop {
            let mut slices = [&mut left[..], &mut right[..]];
            let channels = reader.channels();
            match reader.read(&mut slices[..channels]) {
                Ok(0) => return true,
                Ok(count) => frames += count,
                Err(_) => return false,
            }
            assert!(frames < MAX_FRAMES, "endless");
        }
    });
    outcome.unwrap_or_else(|_| panic!("{what}: a panic"))
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let folder = folder();
    let wav = folder.path().join("a.wav");
    write_file(&wav, layout(2, SampleFormat::S24), &noise(2, 300));
    let large = folder.path().join("b.wav");
    write_file_with_limit(&large, layout(1, SampleFormat::F32), &noise(1, 300), 100);
    let mut seeds = vec![
        ("wav", fs::read(wav).unwrap()),
        ("rf64", fs::read(large).unwrap()),
    ];
    for name in ["noise.flac", "sine.mp3", "sine.ogg"] {
        seeds.push((name, fs::read(fixture(name)).unwrap()));
    }
    seeds
}

#[test]
fn no_damaged_file_makes_it_panic() {
    let mut noise = Noise(11);
    let mut errors = 0;
    for (name, seed) in seeds() {
        assert!(survives(seed.clone(), name), "{name} itself is sound");
        for round in 0..300 {
            let mut bytes = seed.clone();
            // Headers hold most of what can be believed wrongly.
            let reach = if round % 2 == 0 {
                bytes.len().min(128)
            } else {
                bytes.len()
            };
            for _ in 0..1 + noise.next() % 6 {
                let at = noise.next() as usize % reach;
                bytes[at] = match noise.next() % 3 {
                    0 => noise.next() as u8,
                    1 => bytes[at] ^ (1 << (noise.next() % 8)),
                    _ => [0, 1, 0x7f, 0x80, 0xff][noise.next() as usize % 5],
                };
            }
            if round % 5 == 0 {
                bytes.truncate(noise.next() as usize % bytes.len());
            }
            errors += usize::from(!survives(bytes, &format!("{name}, round {round}")));
        }
    }
    assert!(
        errors > 100,
        "only {errors} of the damaged files were found out"
    );
}

#[test]
fn every_cut_of_a_header_is_an_error() {
    for (name, seed) in seeds() {
        for length in 0..90 {
            assert!(
                !survives(seed[..length].to_vec(), name),
                "{name} cut to {length} bytes"
            );
        }
    }
}

#[test]
fn what_is_no_audio_is_named_so() {
    for bytes in [
        Vec::new(),
        b"hello".to_vec(),
        vec![0; 100_000],
        b"# A text\n".repeat(5_000),
    ] {
        let error = piped(bytes).map(|_| ()).unwrap_err();
        assert!(matches!(error, ReadError::NotAudio { .. }), "{error}");
    }
}
