//! The engine's tests under AddressSanitizer and LeakSanitizer, which only the nightly toolchain has.
//!
//! It sees the heap, stacks and statics. It does not see the inside of an arena, which comes from the
//! system in one piece: there the bounds of slices are the check.

use crate::error::Error;
use crate::{deep, shell};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "x86_64-unknown-linux-gnu";
const SANITIZE: &str = "-Zsanitizer=address";
const SEED: &str = "tests/sanitizer/seed_memory.rs";
/// It leaves 40 bytes, on purpose: of an object whose drop panics basedrop counts no end, so its collector can
/// never be taken down whole. What is left is the collector's own 24 bytes and the 16 of its list's first
/// node, once in a process; the object itself is freed.
const LEAKS_ON_PURPOSE: &str = "a_panic_in_a_drop_does_not_end_the_collecting";

/// `[main]` The tests inside the engine, and the seeds. Without the nightly toolchain it says so, and
/// that is all.
pub(crate) fn short() -> Result<(), Error> {
    if !is_here() {
        println!("AddressSanitizer: left out, there is no nightly toolchain for {TARGET}.");
        return Ok(());
    }
    run(&["--lib"])
}

/// `[main]` All of the engine's tests, and the seeds.
pub(crate) fn whole(_: &Path) -> Result<(), Error> {
    if !is_here() {
        return Err(Error::Check(format!(
            "no nightly toolchain for {TARGET}: `rustup toolchain install nightly`"
        )));
    }
    run(&["--lib", "--tests"])
}

fn is_here() -> bool {
    let mut version = nightly("rustc");
    shell::succeeds(version.args(["+nightly", "--version"]))
        && cfg!(all(
            target_os = "linux",
            target_arch = "x86_64",
            target_env = "gnu"
        ))
}

fn run(targets: &[&str]) -> Result<(), Error> {
    seeds_are_caught()?;
    let mut tests = cargo("test");
    tests
        .args(["-p", "headroom-engine", "-p", "headroom-ipc"])
        .args(targets);
    tests.args(["--", "--quiet", "--skip", LEAKS_ON_PURPOSE]);
    deep::run_within_limit(&mut tests)
}

/// A cargo of the nightly toolchain that builds with AddressSanitizer, in a folder of its own.
fn cargo(task: &str) -> Command {
    let mut cargo = nightly("cargo");
    cargo.args(["+nightly", task, "--release", "--target", TARGET]);
    cargo.env("RUSTFLAGS", SANITIZE);
    cargo.env("CARGO_TARGET_DIR", folder());
    cargo
}

/// A program of another toolchain than the one that this program runs under.
pub(crate) fn nightly(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(shell::root());
    for inherited in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(inherited);
    }
    command
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| shell::root().join("target"), PathBuf::from);
    target.join("asan")
}

/// The two seeded faults are named by the sanitizers, and a sound run is not.
fn seeds_are_caught() -> Result<(), Error> {
    std::fs::create_dir_all(folder()).map_err(|source| Error::file(&folder(), source))?;
    let program = folder().join("seed-memory");
    // By itself: nothing of the workspace is built for it.
    let mut build = nightly("rustc");
    build.args(["+nightly", "--edition", "2024", "-O", "-g", SANITIZE]);
    build.args(["--target", TARGET, SEED, "-o"]).arg(&program);
    shell::run(&mut build)?;
    for (seed, name) in [
        ("overflow", "heap-buffer-overflow"),
        ("leak", "detected memory leaks"),
        ("nothing", ""),
    ] {
        let mut run = Command::new(&program);
        run.arg(seed).stdin(Stdio::null());
        shell::announce(&run);
        let output = run.output().map_err(|source| Error::Spawn {
            command: shell::line(&run),
            source,
        })?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() != name.is_empty() || !said.contains(name) {
            return Err(Error::output(
                format!("seed-memory {seed} under AddressSanitizer"),
                format!("expected `{name}`, found {}: {said}", output.status),
            ));
        }
    }
    println!("AddressSanitizer and LeakSanitizer name their seeded faults.");
    Ok(())
}
