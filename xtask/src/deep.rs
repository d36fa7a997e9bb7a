//! `cargo xtask deep`: the long checks, in stages of half an hour at most, of which those that passed for
//! the present commit are not run again.

use crate::error::Error;
use crate::passed::Passed;
use crate::stage::Stage;
use crate::{
    deaths, fuzz, hosts, native_pipewire, races, sanitizer, shell, soak_picture, under_wine,
    valgrind,
};
use std::process::Command;
use std::time::Duration;

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
    /// A stage is ended after so many minutes
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// The toolchain for the stages that take a nightly one
    #[arg(long, value_name = "NAME", default_value = sanitizer::NIGHTLY)]
    toolchain: String,
}

/// One long check.
struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Stage<'_>) -> Result<(), Error>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "soak",
        about: "24 h of audio with everything at random: memory stays what it is",
        run: soak,
    },
    Check {
        name: "asan",
        about: "all tests of engine and ipc under AddressSanitizer and LeakSanitizer (nightly)",
        run: sanitizer::whole,
    },
    Check {
        name: "tsan",
        about: "what runs on several threads under ThreadSanitizer (nightly, rust-src)",
        run: races::run,
    },
    Check {
        name: "fuzz",
        about: "the fuzzer on each kind of input, its time shared by them (nightly, cargo-fuzz)",
        run: fuzz::run,
    },
    Check {
        name: "memcheck",
        about: "a short soak under Valgrind's memcheck: no invalid access, no leak",
        run: valgrind::memcheck,
    },
    Check {
        name: "massif",
        about: "the heap of an offline render over time, by Valgrind's massif",
        run: valgrind::massif,
    },
    Check {
        name: "pipewire",
        about: "the program on PipeWire's native door: it plays exactly, and waits out a killed server",
        run: native_pipewire::play,
    },
    Check {
        name: "deaths",
        about: "500 deaths of a screen while it plays, 200 of an editor: the sound is the same to the bit",
        run: deaths::run,
    },
    Check {
        name: "hosts",
        about: "the plugin in Ardour, Qtractor's scanner and DawDreamer, there with its screen; 10,000 instances one after the other",
        run: hosts::run,
    },
    Check {
        name: "windows",
        about: "built for Windows: ipc's tests, renders, the screen, the plugin and its editor under Wine; type-checked for macOS",
        run: under_wine::run,
    },
];

/// `[main]` Runs the stages; what a stage's own runner prints comes last. All of them run, whatever the
/// first ones find.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let chosen = chosen(&options.stages)?;
    let passed = Passed::here()?;
    if options.list {
        for check in chosen {
            let mark = if passed.has(check.name) { "passed" } else { "" };
            println!("{:<10} {mark:<7} {}", check.name, check.about);
        }
        return Ok(());
    }
    let skips = |check: &&Check| !options.again && passed.has(check.name);
    for check in chosen.iter().copied().filter(skips) {
        println!("{}: passed for {} before", check.name, passed.commit);
    }
    if passed.changed {
        println!("The source is not as committed: what passes is not remembered.");
    }
    let limit = Duration::from_secs(60 * u64::from(options.minutes));
    let mut failed = Vec::new();
    for check in chosen.iter().copied().filter(|check| !skips(check)) {
        println!("{}: {}", check.name, check.about);
        let stage = Stage::start(
            check.name,
            &options.toolchain,
            &passed,
            options.again,
            limit,
        );
        match (check.run)(&stage) {
            Ok(()) => passed.remember(check.name)?,
            Err(error) => {
                eprintln!("{}: {error}", check.name);
                failed.push(check.name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(", ");
    Err(Error::Check(format!("deep stages failed: {failed}")))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Check>, Error> {
    for name in names {
        if !CHECKS.iter().any(|check| check.name == name) {
            let known: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
            return Err(Error::Check(format!(
                "there is no stage `{name}`: expected one of {}",
                known.join(", ")
            )));
        }
    }
    let wanted = |check: &&Check| names.is_empty() || names.iter().any(|name| name == check.name);
    Ok(CHECKS.iter().filter(wanted).collect())
}

fn soak(stage: &Stage<'_>) -> Result<(), Error> {
    let program = shell::build("headroom-tests", "soak")?;
    let csv = stage.folder.join("soak.csv");
    let mut soak = Command::new(program);
    soak.arg("24").arg(&csv);
    let result = stage.run(&mut soak);
    // Of use most of all where it failed.
    soak_picture::save(&csv, &stage.folder.join("soak.png"))?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

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
