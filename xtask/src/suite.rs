//! `cargo xtask test`: everything that can be claimed, checked in one run.

use crate::check;
use crate::error::Error;
use crate::{models, packages, python, sanitizer, shell};

/// What to leave out of a run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave out formatting, clippy, documentation and the import rules
    #[arg(long)]
    no_check: bool,
    /// Install no system packages and no Python
    #[arg(long)]
    no_install: bool,
    /// Handed to the test runner: a filter, for example
    #[arg(last = true)]
    runner: Vec<String>,
}

/// `[main]` Installs, checks, and runs documentation tests, the models of what is lock-free, the engine's own
/// tests under AddressSanitizer, and all tests. The runner's own summary is the
/// last that is printed.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    if !options.no_install {
        packages::ensure(&[packages::BUILD, packages::TEST, packages::PYTHON])?;
        python::ensure(python::HOSTS)?;
    }
    if !options.no_check {
        check::run(&[])?;
    }
    let mut documentation = shell::cargo();
    documentation.args(["test", "--release", "--workspace", "--doc"]);
    let mut tests = shell::cargo();
    // The runner that gives each test its own process, where it is installed.
    if shell::succeeds(shell::cargo().args(["nextest", "--version"])) {
        tests.args([
            "nextest",
            "run",
            "--release",
            "--workspace",
            "--no-fail-fast",
        ]);
        tests.args(&options.runner);
    } else {
        tests.args(["test", "--release", "--workspace", "--no-fail-fast"]);
        tests.args(["--lib", "--bins", "--tests"]);
        if !options.runner.is_empty() {
            tests.arg("--").args(&options.runner);
        }
    }
    // A filter speaks of tests; the documentation's have no names to filter by.
    if options.runner.is_empty() {
        shell::run(&mut documentation)?;
        models::run()?;
        sanitizer::short()?;
    }
    shell::run(&mut tests)
}
