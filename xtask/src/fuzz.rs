//! The fuzzer on what is read from outside. What it finds in a target stays in `fuzz/artifacts/`: once it is
//! mended the file belongs into the corpus, which the tests replay.

use crate::error::Error;
use crate::{deep, sanitizer, shell};
use std::path::Path;

const TARGETS: [&str; 6] = [
    "preset",
    "audio_file",
    "midi",
    "midi_map",
    "command",
    "segment",
];
/// For each target.
const SECS: u32 = 300;
/// One input may take so long at most.
const INPUT_SECS: u32 = 10;

/// `[main]` Runs every target; the inputs that it makes up are kept beside what the stage leaves, and are
/// where the next run goes on.
pub(crate) fn run(folder: &Path) -> Result<(), Error> {
    let mut version = sanitizer::nightly("cargo");
    if !shell::succeeds(version.args(["+nightly", "fuzz", "--version"])) {
        return Err(Error::Check(
            "no cargo-fuzz for the nightly toolchain: `cargo install cargo-fuzz`".to_owned(),
        ));
    }
    for target in TARGETS {
        let found = folder.join("fuzz").join(target);
        std::fs::create_dir_all(&found).map_err(|source| Error::file(&found, source))?;
        let mut fuzz = sanitizer::nightly("cargo");
        fuzz.args(["+nightly", "fuzz", "run", target]).arg(found);
        fuzz.arg(Path::new("fuzz/corpus").join(target));
        fuzz.args(["--", &format!("-max_total_time={SECS}")]);
        fuzz.args([&format!("-timeout={INPUT_SECS}"), "-max_len=65536"]);
        deep::run_within_limit(&mut fuzz)?;
    }
    Ok(())
}
