//! `cargo xtask check`: what must hold before anything is run.

use crate::arrows;
use crate::error::Error;
use crate::shell;

/// One of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Check {
    /// The source is formatted as rustfmt formats it.
    Fmt,
    /// Imports follow the design, `unsafe` stands in its listed files only.
    Arrows,
    /// Clippy has nothing to say, on any target.
    Clippy,
    /// The documentation builds without a warning.
    Docs,
}

const ALL: [Check; 4] = [Check::Fmt, Check::Arrows, Check::Clippy, Check::Docs];

/// `[main]` Runs `only`, or all checks if it is empty; all of them run, whatever the first ones find.
pub(crate) fn run(only: &[Check]) -> Result<(), Error> {
    let chosen = if only.is_empty() { &ALL[..] } else { only };
    let mut failed = Vec::new();
    for check in chosen {
        if let Err(error) = check.run() {
            eprintln!("{error}");
            failed.push(format!("{check:?}").to_lowercase());
        }
    }
    if failed.is_empty() {
        println!("Checks passed: {}.", chosen.len());
        Ok(())
    } else {
        Err(Error::Check(format!(
            "checks failed: {}",
            failed.join(", ")
        )))
    }
}

impl Check {
    fn run(self) -> Result<(), Error> {
        match self {
            Check::Fmt => shell::run(shell::cargo().args(["fmt", "--all", "--check"])),
            Check::Arrows => {
                let found = arrows::violations()?;
                println!("Arrows and lists: {} violations.", found.len());
                if found.is_empty() {
                    Ok(())
                } else {
                    Err(Error::Check(found.join("\n")))
                }
            }
            Check::Clippy => shell::run(
                shell::cargo()
                    .args(["clippy", "--release", "--workspace", "--all-targets"])
                    .args(["--", "-D", "warnings"]),
            ),
            Check::Docs => shell::run(
                shell::cargo()
                    .args(["doc", "--release", "--workspace", "--no-deps"])
                    .args(["--document-private-items"])
                    .env("RUSTDOCFLAGS", "-D warnings"),
            ),
        }
    }
}
