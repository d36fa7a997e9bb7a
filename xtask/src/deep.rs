//! `cargo xtask deep`: the long checks, in stages of half an hour at most, of which those that passed for
//! the present commit are not run again.

use crate::error::Error;
use crate::{fuzz, hosts, native_pipewire, sanitizer, shell, soak_picture, valgrind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// No stage takes longer: it is ended.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only these stages, in their order; all if none is given
    stages: Vec<String>,
    /// Say what stages there are, and which passed for the present commit
    #[arg(long)]
    list: bool,
    /// Run them even if they passed
    #[arg(long)]
    again: bool,
}

/// One long check.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<(), Error>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "soak",
        about: "24 h of audio with everything at random: memory stays what it is",
        run: soak,
    },
    Stage {
        name: "asan",
        about: "all of the engine's tests under AddressSanitizer and LeakSanitizer (nightly)",
        run: sanitizer::whole,
    },
    Stage {
        name: "fuzz",
        about: "five minutes of the fuzzer on each kind of input (nightly, cargo-fuzz)",
        run: fuzz::run,
    },
    Stage {
        name: "memcheck",
        about: "a short soak under Valgrind's memcheck: no invalid access, no leak",
        run: valgrind::memcheck,
    },
    Stage {
        name: "massif",
        about: "the heap of an offline render over time, by Valgrind's massif",
        run: valgrind::massif,
    },
    Stage {
        name: "pipewire",
        about: "the program on PipeWire's native door: it plays exactly, and waits out a killed server",
        run: native_pipewire::play,
    },
    Stage {
        name: "hosts",
        about: "the plugin in Ardour, Qtractor's scanner and DawDreamer; 10,000 instances one after the other",
        run: hosts::run,
    },
];

/// `[main]` Runs the stages; what a stage's own runner prints comes last. All of them run, whatever the
/// first ones find.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let chosen = chosen(&options.stages)?;
    let passed = Passed::here()?;
    if options.list {
        for stage in chosen {
            let mark = if passed.has(stage.name) { "passed" } else { "" };
            println!("{:<10} {mark:<7} {}", stage.name, stage.about);
        }
        return Ok(());
    }
    let skips = |stage: &&Stage| !options.again && passed.has(stage.name);
    for stage in chosen.iter().copied().filter(skips) {
        println!("{}: passed for {} before", stage.name, passed.commit);
    }
    if passed.changed {
        println!("The source is not as committed: what passes is not remembered.");
    }
    let mut failed = Vec::new();
    for stage in chosen.iter().copied().filter(|stage| !skips(stage)) {
        println!("{}: {}", stage.name, stage.about);
        match (stage.run)(&passed.folder) {
            Ok(()) => passed.remember(stage.name)?,
            Err(error) => {
                eprintln!("{}: {error}", stage.name);
                failed.push(stage.name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(", ");
    Err(Error::Check(format!("deep stages failed: {failed}")))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Stage>, Error> {
    for name in names {
        if !STAGES.iter().any(|stage| stage.name == name) {
            let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
            return Err(Error::Check(format!(
                "there is no stage `{name}`: expected one of {}",
                known.join(", ")
            )));
        }
    }
    let wanted = |stage: &&Stage| names.is_empty() || names.iter().any(|name| name == stage.name);
    Ok(STAGES.iter().filter(wanted).collect())
}

/// What passed, in `target/deep/`: a file for each stage that holds the commit it passed for.
struct Passed {
    folder: PathBuf,
    commit: String,
    /// The source differs from the commit.
    changed: bool,
}

impl Passed {
    fn here() -> Result<Self, Error> {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            shell::read(git.args(arguments).current_dir(shell::root()))
        };
        Self::of(
            &shell::root().join("target/deep"),
            git(&["rev-parse", "HEAD"])?.trim(),
            !git(&["status", "--porcelain"])?.trim().is_empty(),
        )
    }

    fn of(folder: &Path, commit: &str, changed: bool) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
        Ok(Self {
            folder: folder.to_owned(),
            commit: commit.to_owned(),
            changed,
        })
    }

    fn file(&self, stage: &str) -> PathBuf {
        self.folder.join(format!("{stage}.passed"))
    }

    fn has(&self, stage: &str) -> bool {
        let said = std::fs::read_to_string(self.file(stage));
        !self.changed && said.is_ok_and(|commit| commit == self.commit)
    }

    fn remember(&self, stage: &str) -> Result<(), Error> {
        if self.changed {
            return Ok(());
        }
        let file = self.file(stage);
        std::fs::write(&file, &self.commit).map_err(|source| Error::file(&file, source))
    }
}

/// `[main]` Runs a command of a stage, for [`LIMIT`] at most.
pub(crate) fn run_within_limit(command: &mut Command) -> Result<(), Error> {
    shell::run_within(command, LIMIT)
}

fn soak(folder: &Path) -> Result<(), Error> {
    let program = shell::build("headroom-tests", "soak")?;
    let csv = folder.join("soak.csv");
    let mut soak = Command::new(program);
    soak.arg("24").arg(&csv);
    let result = run_within_limit(&mut soak);
    // Of use most of all where it failed.
    soak_picture::save(&csv, &folder.join("soak.png"))?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_passed_is_remembered_for_its_commit_and_an_unchanged_source_only() {
        let folder = tempfile::tempdir().unwrap();
        let of = |commit, changed| Passed::of(folder.path(), commit, changed).unwrap();
        of("one", true).remember("soak").unwrap();
        assert!(!of("one", false).has("soak"));
        of("one", false).remember("soak").unwrap();
        assert!(of("one", false).has("soak"));
        assert!(!of("one", true).has("soak"));
        assert!(!of("two", false).has("soak"));
        assert!(!of("one", false).has("asan"));
    }

    #[test]
    fn a_stage_that_is_not_there_is_named_with_those_that_are() {
        let error = chosen(&["saok".to_owned()]).err().unwrap().to_string();
        assert!(
            error.contains("`saok`") && error.contains("soak"),
            "{error}"
        );
        let order: Vec<_> = chosen(&["massif".to_owned(), "soak".to_owned()])
            .unwrap()
            .iter()
            .map(|stage| stage.name)
            .collect();
        assert_eq!(order, ["soak", "massif"]);
    }
}
