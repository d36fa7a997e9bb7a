//! The lock-free parts under the model checker loom, with their mutants. In a folder of its own: `--cfg loom`
//! is a flag of everything that is built.

use crate::error::Error;
use crate::shell;

/// The packages that have models, each in tests that `--cfg loom` builds.
const PACKAGES: &[&str] = &["headroom-models", "headroom-ipc"];

/// `[main]` Runs all models.
pub(crate) fn run() -> Result<(), Error> {
    for package in PACKAGES {
        let mut models = shell::cargo();
        models.args(["test", "--release", "--lib", "--package", package]);
        models.env("RUSTFLAGS", "--cfg loom");
        models.env("CARGO_TARGET_DIR", shell::root().join("target/loom"));
        // A mutant that is caught panics, as it must: nobody needs its backtrace.
        models.env("RUST_BACKTRACE", "0");
        shell::run(&mut models)?;
    }
    Ok(())
}
