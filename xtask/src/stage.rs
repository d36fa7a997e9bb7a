//! One stage of `cargo xtask deep`: its time, its folder, what of it passed before.

use crate::error::Error;
use crate::passed::Passed;
use crate::shell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A stage that runs.
pub(crate) struct Stage<'a> {
    pub(crate) name: &'a str,
    /// Where it leaves what it finds.
    pub(crate) folder: &'a Path,
    /// The toolchain to use where it takes a nightly one.
    pub(crate) nightly: &'a str,
    passed: &'a Passed,
    again: bool,
    until: Instant,
}

impl<'a> Stage<'a> {
    /// `[main]` Starts its time.
    pub(crate) fn start(
        name: &'a str,
        nightly: &'a str,
        passed: &'a Passed,
        again: bool,
        limit: Duration,
    ) -> Self {
        Self {
            name,
            folder: passed.folder(),
            nightly,
            passed,
            again,
            until: Instant::now() + limit,
        }
    }

    /// `[main]` What is left of its time.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// `[main]` Runs a command for what is left of the stage's time, then ends it.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), Error> {
        shell::run_within(command, self.left())
    }

    /// `[main]` Runs a part of the stage, unless it passed for the present commit: a stage that was ended goes on
    /// with the part that it was at.
    pub(crate) fn part(
        &self,
        part: &str,
        run: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let name = format!("{}-{part}", self.name);
        if !self.again && self.passed.has(&name) {
            println!("{} {part}: passed before", self.name);
            return Ok(());
        }
        run()?;
        self.passed.remember(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_was_ended_goes_on_with_the_part_that_it_was_at() {
        let folder = tempfile::tempdir().unwrap();
        let passed = Passed::of(folder.path(), "one", false).unwrap();
        let limit = Duration::from_secs(60);
        let mut ran = Vec::new();
        let mut go = |again, fails: &str| {
            let stage = Stage::start("fuzz", "nightly", &passed, again, limit);
            for part in ["preset", "midi"] {
                let result = stage.part(part, || {
                    ran.push(part.to_owned());
                    match part == fails {
                        true => Err(Error::Check("ended".to_owned())),
                        false => Ok(()),
                    }
                });
                assert_eq!(result.is_err(), part == fails);
            }
        };
        go(false, "midi");
        go(false, "");
        go(false, "");
        go(true, "");
        assert_eq!(ran, ["preset", "midi", "midi", "preset", "midi"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_stage_starts_has_the_rest_of_its_time_only() {
        let folder = tempfile::tempdir().unwrap();
        let passed = Passed::of(folder.path(), "one", false).unwrap();
        let limit = Duration::from_millis(300);
        let stage = Stage::start("soak", "nightly", &passed, false, limit);
        let error = stage.run(Command::new("sleep").arg("1000")).unwrap_err();
        assert!(matches!(error, Error::Late { .. }), "{error}");
        assert!(stage.left().is_zero());
    }
}
