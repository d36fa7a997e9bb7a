//! The fuzzer on what is read from outside. What it finds in a target stays in `fuzz/artifacts/`: once it is
//! mended the file belongs into the corpus, which the tests replay.

use crate::error::Error;
use crate::stage::Stage;
use crate::{sanitizer, shell};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGETS: [&str; 6] = [
    "preset",
    "audio_file",
    "midi",
    "midi_map",
    "command",
    "segment",
];
/// Known to build these targets.
const VERSION: &str = "0.13.2";
/// One target gets so long at most.
const MOST_SECS: u64 = 300;
/// It is not worth starting one for less.
const LEAST_SECS: u64 = 10;
/// For a target's start and end, of its share.
const AROUND_SECS: u64 = 10;
/// One input may take so long at most.
const INPUT_SECS: u32 = 10;

/// `[main]` Runs every target; they share the stage's time. The inputs that the fuzzer makes up are kept beside
/// what the stage leaves, and are where the next run goes on.
pub(crate) fn run(stage: &Stage<'_>) -> Result<(), Error> {
    let fuzzer = Fuzzer::ready(stage)?;
    stage.run(fuzzer.command("build", stage).current_dir(shell::root()))?;
    let mut found_in = Vec::new();
    for (at, target) in TARGETS.into_iter().enumerate() {
        let result = stage.part(target, || {
            let targets_left = TARGETS.len() - at;
            let secs = share_secs(stage.left().as_secs(), targets_left).ok_or_else(|| {
                let left = TARGETS[at..].join(", ");
                Error::Check(format!("no time left for {left}: run it again"))
            })?;
            let inputs = stage.folder.join("fuzz").join(target);
            std::fs::create_dir_all(&inputs).map_err(|source| Error::file(&inputs, source))?;
            let mut fuzz = fuzzer.command("run", stage);
            fuzz.arg(target).arg(inputs);
            fuzz.arg(Path::new("fuzz/corpus").join(target));
            fuzz.args(["--", &format!("-max_total_time={secs}")]);
            fuzz.args([&format!("-timeout={INPUT_SECS}"), "-max_len=65536"]);
            stage.run(&mut fuzz)
        });
        match result {
            Ok(()) => {}
            Err(Error::Failed { .. }) => found_in.push(target),
            Err(error) => return Err(error),
        }
    }
    if found_in.is_empty() {
        return Ok(());
    }
    let found_in = found_in.join(", ");
    Err(Error::Check(format!(
        "something was found in {found_in}: see fuzz/artifacts/"
    )))
}

/// Of the seconds that are left, what the next of so many targets gets; `None` if that is too little.
fn share_secs(left_secs: u64, targets_left: usize) -> Option<u64> {
    let share = left_secs / targets_left as u64;
    let secs = share.saturating_sub(AROUND_SECS).min(MOST_SECS);
    (secs >= LEAST_SECS).then_some(secs)
}

/// A cargo-fuzz that runs.
enum Fuzzer {
    /// As a command of cargo's.
    Cargos,
    /// By itself.
    Program(PathBuf),
}

impl Fuzzer {
    /// The one that is installed, or one of ours: built once, in `target/tools/`.
    fn ready(stage: &Stage<'_>) -> Result<Self, Error> {
        sanitizer::expect(stage.nightly)?;
        if shell::succeeds(Self::Cargos.command("--version", stage).arg("--version")) {
            return Ok(Self::Cargos);
        }
        let root = shell::target().join("tools");
        let program = root.join("bin/cargo-fuzz");
        if !program.is_file() {
            println!("cargo-fuzz {VERSION} is built once, in {}", root.display());
            let mut install = shell::cargo();
            install.args(["install", "cargo-fuzz", "--locked", "--version", VERSION]);
            stage.run(install.arg("--root").arg(&root))?;
        }
        Ok(Self::Program(program))
    }

    fn command(&self, task: &str, stage: &Stage<'_>) -> Command {
        match self {
            Self::Cargos => {
                let mut fuzz = sanitizer::cargo(stage.nightly);
                fuzz.args(["fuzz", task]);
                fuzz
            }
            Self::Program(program) => {
                let mut fuzz = sanitizer::command(program);
                fuzz.env("RUSTUP_TOOLCHAIN", stage.nightly);
                fuzz.args(["fuzz", task]);
                fuzz
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_share_the_time_that_is_left_and_none_gets_too_little() {
        let total = |mut left: u64| {
            let mut secs = Vec::new();
            for at in 0..TARGETS.len() {
                let share = share_secs(left, TARGETS.len() - at);
                left -= share.map_or(0, |secs| secs + AROUND_SECS);
                secs.push(share);
            }
            secs
        };
        // Half an hour, of which some went for building.
        let secs = total(25 * 60);
        assert!(secs.iter().all(|secs| *secs == Some(240)), "{secs:?}");
        assert_eq!(total(2 * 60 * 60), [Some(MOST_SECS); 6]);
        assert_eq!(total(110)[0], None);
    }
}
