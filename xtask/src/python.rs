//! The Python of the tests' references and of the peers: a virtual environment in `target/venv`.

use crate::error::Error;
use crate::shell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// What the benches compare with.
pub(crate) const PEERS: &[&str] = &["numpy==2.4.6", "pedalboard==0.9.26"];

/// Plugin hosts that the tests have the plugin loaded in.
pub(crate) const HOSTS: &[&str] = PEERS;

/// The same, those that are large.
pub(crate) const LARGE_HOSTS: &[&str] = &["dawdreamer==0.9.0"];

/// `[main]` Makes the environment if need be, installs what it lacks of `packages` (each with its
/// exact version), and returns its interpreter.
pub(crate) fn ensure(packages: &[&str]) -> Result<PathBuf, Error> {
    let folder = shell::root().join("target").join("venv");
    let python = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    };
    if !shell::succeeds(Command::new(&python).args(["-c", "import pip"])) {
        // Absent, or the interpreter that it was made with has gone.
        let host = if cfg!(windows) { "python" } else { "python3" };
        let make = &mut Command::new(host);
        shell::run(make.args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    // What was installed here before, so that a second run asks no server.
    let stamp = folder.join("installed.txt");
    let text = std::fs::read_to_string(&stamp).unwrap_or_default();
    let mut installed: BTreeSet<&str> = text.lines().collect();
    let wanted: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !installed.contains(package))
        .collect();
    if !wanted.is_empty() {
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        shell::run(Command::new(&python).args(pip).args(&wanted))?;
        installed.extend(wanted);
        let lines: Vec<&str> = installed.into_iter().collect();
        std::fs::write(&stamp, lines.join("\n")).map_err(|source| Error::file(&stamp, source))?;
    }
    Ok(python)
}
