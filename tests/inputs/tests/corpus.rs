//! What the fuzzer has found before, every sound file that the tests have, and some thousand mutations of
//! them: none makes what reads them panic.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use headroom_inputs::INPUTS;

/// Mutations of each kind of input.
const MUTATIONS: usize = 4_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    // In one order everywhere, so that the mutations are the same.
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

/// The corpus, and the files beside it that are of the same kind.
fn seeds(kind: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut seeds = files(&root().join("fuzz/corpus").join(kind));
    match kind {
        "audio_file" => seeds.extend(files(&root().join("host/tests/data"))),
        "preset" => seeds.extend(files(&root().join("engine/presets"))),
        _ => {}
    }
    seeds
}

/// A random number of the kind that is the same every time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }
}

/// Bytes changed, cut, doubled, put in from another seed; mostly near the start, where headers are.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(6) {
        let reach = if random.below(2) == 0 { 96 } else { usize::MAX };
        let at = random.below(bytes.len().min(reach));
        match random.below(6) {
            _ if bytes.is_empty() => bytes.extend(&other[..other.len().min(8)]),
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = bytes.len().min(at + 1 + random.below(32));
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let end = bytes.len().min(at + 1 + random.below(16));
                bytes.drain(at..end);
            }
            _ => {
                let from = random.below(other.len());
                let to = other.len().min(from + random.below(48));
                let end = bytes.len().min(at + random.below(48));
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
}

#[test]
fn nothing_that_was_found_or_is_near_it_makes_a_reader_panic() {
    for (kind, read) in INPUTS {
        let seeds = seeds(kind);
        assert!(seeds.len() >= 3, "{kind}: a corpus of {}", seeds.len());
        let mut taken = [false; 2];
        for (path, bytes) in &seeds {
            let outcome = catch_unwind(|| read(bytes));
            let is_taken = outcome.unwrap_or_else(|_| panic!("{}", path.display()));
            taken[usize::from(is_taken)] = true;
        }
        assert_eq!(
            taken, [true; 2],
            "{kind}: the corpus has some of both, sound and not"
        );
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        // Each of those fills four megabytes.
        let mutations = if kind == "segment" {
            MUTATIONS / 10
        } else {
            MUTATIONS
        };
        for round in 0..mutations {
            let (path, bytes) = &seeds[round % seeds.len()];
            let mut bytes = bytes.clone();
            let other = &seeds[random.below(seeds.len())].1;
            mutate(&mut bytes, other, &mut random);
            if catch_unwind(|| read(&bytes)).is_err() {
                let kept = std::env::temp_dir().join(format!("headroom-{kind}-{round}"));
                fs::write(&kept, &bytes).unwrap();
                panic!(
                    "{kind}: mutation {round} of {}: {}",
                    path.display(),
                    kept.display()
                );
            }
        }
    }
}
