//! What runs on several threads under ThreadSanitizer. It has to see the standard library too, so that is built
//! with it: from the source that the toolchain has as its component `rust-src`.

use crate::error::Error;
use crate::stage::Stage;
use crate::{sanitizer, shell};
use std::path::Path;
use std::process::Command;

/// What is run: a package, and which of its tests.
const TESTS: [(&str, &[&str]); 2] = [
    ("headroom-engine", &["--lib", "--test", "two_threads"]),
    ("headroom-ipc", &["--lib", "--tests"]),
];

/// `[main]` The seeds, then the tests.
pub(crate) fn run(stage: &Stage<'_>) -> Result<(), Error> {
    sanitizer::expect(stage.nightly)?;
    with_source(stage)?;
    seeds_are_caught(stage)?;
    for (package, targets) in TESTS {
        stage.part(package, || {
            let mut tests = cargo(stage, "test");
            tests.args(["--package", package]).args(targets);
            tests.args(["--", "--quiet"]);
            stage.run(&mut tests)
        })?;
    }
    Ok(())
}

/// A cargo that builds everything with ThreadSanitizer, in a folder of its own.
fn cargo(stage: &Stage<'_>, task: &str) -> Command {
    let mut cargo = sanitizer::cargo(stage.nightly);
    cargo.args([task, "--release", "-Zbuild-std"]);
    cargo.args(["--target", sanitizer::TARGET]);
    cargo.env("RUSTFLAGS", "-Zsanitizer=thread");
    cargo.env("CARGO_TARGET_DIR", shell::target().join("tsan"));
    cargo
}

/// The toolchain has the standard library's source, or gets it.
fn with_source(stage: &Stage<'_>) -> Result<(), Error> {
    let toolchain = stage.nightly;
    let mut sysroot = sanitizer::command("rustc");
    sysroot.args([&format!("+{toolchain}"), "--print", "sysroot"]);
    let sysroot = shell::read(&mut sysroot)?;
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
    if source.is_file() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["component", "add", "rust-src", "--toolchain", toolchain]);
    stage.run(&mut add).map_err(|error| {
        Error::Check(format!(
            "{error}; without the standard library's source there is no ThreadSanitizer: have that run, or name a \
             toolchain that has it with --toolchain"
        ))
    })
}

/// A race for a number, and one for what was published without an order, are named; what is published with one is
/// not.
fn seeds_are_caught(stage: &Stage<'_>) -> Result<(), Error> {
    let mut build = cargo(stage, "build");
    stage.run(build.args(["--package", "headroom-sanitizer"]))?;
    let program = shell::target()
        .join("tsan")
        .join(sanitizer::TARGET)
        .join("release/seed-race");
    for seed in ["number", "published"] {
        sanitizer::named(
            &mut Command::new(&program),
            seed,
            "ThreadSanitizer: data race",
        )?;
    }
    sanitizer::named(&mut Command::new(&program), "nothing", "")?;
    println!("ThreadSanitizer names its seeded races.");
    Ok(())
}
