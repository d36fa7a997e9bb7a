//! The tests of engine and ipc under AddressSanitizer and LeakSanitizer, which only a nightly toolchain has.
//!
//! It sees the heap, stacks and statics. It does not see the inside of an arena, which comes from the
//! system in one piece: there the bounds of slices are the check.

use crate::error::Error;
use crate::shell;
use crate::stage::Stage;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The toolchain that is taken where none is named.
pub(crate) const NIGHTLY: &str = "nightly";
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";
const SANITIZE: &str = "-Zsanitizer=address";
const SEED: &str = "tests/sanitizer/seed_memory.rs";
/// It leaves 40 bytes, on purpose: of an object whose drop panics basedrop counts no end, so its collector can
/// never be taken down whole. What is left is the collector's own 24 bytes and the 16 of its list's first
/// node, once in a process; the object itself is freed.
const LEAKS_ON_PURPOSE: &str = "a_panic_in_a_drop_does_not_end_the_collecting";

/// `[main]` The tests inside engine and ipc, and the seeds. Without the nightly toolchain it says so, and
/// that is all.
pub(crate) fn short() -> Result<(), Error> {
    if !is_here(NIGHTLY) {
        println!("AddressSanitizer: left out, there is no nightly toolchain for {TARGET}.");
        return Ok(());
    }
    seeds_are_caught(NIGHTLY)?;
    shell::run(&mut tests(NIGHTLY, &["--lib"]))
}

/// `[main]` All tests of engine and ipc, and the seeds.
pub(crate) fn whole(stage: &Stage<'_>) -> Result<(), Error> {
    expect(stage.nightly)?;
    seeds_are_caught(stage.nightly)?;
    stage.run(&mut tests(stage.nightly, &["--lib", "--tests"]))
}

/// `[main]` An error that says the way out where a toolchain is not there.
pub(crate) fn expect(toolchain: &str) -> Result<(), Error> {
    if is_here(toolchain) {
        return Ok(());
    }
    Err(Error::Check(format!(
        "no toolchain `{toolchain}` for {TARGET}: `rustup toolchain install {toolchain}`"
    )))
}

fn is_here(toolchain: &str) -> bool {
    let mut version = command("rustc");
    shell::succeeds(version.args([&format!("+{toolchain}"), "--version"]))
        && cfg!(all(
            target_os = "linux",
            target_arch = "x86_64",
            target_env = "gnu"
        ))
}

fn tests(toolchain: &str, targets: &[&str]) -> Command {
    let mut tests = cargo(toolchain);
    tests.args(["test", "--release", "--target", TARGET]);
    tests.env("RUSTFLAGS", SANITIZE);
    tests.env("CARGO_TARGET_DIR", folder());
    tests.args(["-p", "headroom-engine", "-p", "headroom-ipc"]);
    tests.args(targets);
    tests.args(["--", "--quiet", "--skip", LEAKS_ON_PURPOSE]);
    tests
}

/// A toolchain's cargo.
pub(crate) fn cargo(toolchain: &str) -> Command {
    let mut cargo = command("cargo");
    cargo.arg(format!("+{toolchain}"));
    cargo
}

/// A program of another toolchain than the one that this program runs under.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(shell::root());
    for inherited in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(inherited);
    }
    command
}

fn folder() -> PathBuf {
    shell::target().join("asan")
}

/// The two seeded faults are named by the sanitizers, and a sound run is not.
fn seeds_are_caught(toolchain: &str) -> Result<(), Error> {
    std::fs::create_dir_all(folder()).map_err(|source| Error::file(&folder(), source))?;
    let program = folder().join("seed-memory");
    // By itself: nothing of the workspace is built for it.
    let mut build = command("rustc");
    build.arg(format!("+{toolchain}"));
    build.args(["--edition", "2024", "-O", "-g", SANITIZE]);
    build.args(["--target", TARGET, SEED, "-o"]).arg(&program);
    shell::run(&mut build)?;
    named(
        &mut Command::new(&program),
        "overflow",
        "heap-buffer-overflow",
    )?;
    named(&mut Command::new(&program), "leak", "detected memory leaks")?;
    named(&mut Command::new(&program), "nothing", "")?;
    println!("AddressSanitizer and LeakSanitizer name their seeded faults.");
    Ok(())
}

/// `[main]` Runs a seeded fault: the sanitizer has to end it and say `name`; without one it has to end well.
pub(crate) fn named(program: &mut Command, seed: &str, name: &str) -> Result<(), Error> {
    program.arg(seed).stdin(Stdio::null());
    shell::announce(program);
    let output = program.output().map_err(|source| Error::Spawn {
        command: shell::line(program),
        source,
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() == name.is_empty() && said.contains(name) {
        return Ok(());
    }
    Err(Error::output(
        format!("the seed `{seed}`"),
        format!("expected `{name}`, found {}: {said}", output.status),
    ))
}
