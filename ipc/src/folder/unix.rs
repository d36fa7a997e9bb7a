//! On Unix: a folder of mode 0700 below `XDG_RUNTIME_DIR`, or below the folder for temporary files.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// `[main]` Where it is when nobody says otherwise.
pub(crate) fn usual() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty());
    match runtime {
        Some(folder) if Path::new(&folder).is_dir() => PathBuf::from(folder).join("headroom"),
        _ => std::env::temp_dir().join(format!("headroom-{}", user())),
    }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// `[main]` Makes it, closed to others.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(path)
}

/// `[main]` Whether it is this user's, and nobody else can enter.
pub(crate) fn is_closed_to_others(path: &Path) -> io::Result<bool> {
    // Not what a link points to: somebody else could have put it there.
    let state = fs::symlink_metadata(path)?;
    let is_ours = state.is_dir() && state.uid() == user();
    Ok(is_ours && state.permissions().mode() & 0o077 == 0)
}

/// `[main]` Whether there is such a process.
pub(crate) fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        // Refused: somebody else's, who is alive.
        rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
    })
}

/// `[main]` The named segments of this user, where they are files: the names of all of them, ours and others'.
pub(crate) fn named_segments() -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let own = entries.filter(|entry| entry.metadata().is_ok_and(|state| state.uid() == user()));
    own.filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| format!("/{name}"))
        .collect()
}

/// `[main]` Removes one of them.
pub(crate) fn remove_named(name: &str) -> io::Result<()> {
    // Not by opening it: one whose maker died at once has no size yet.
    Ok(rustix::shm::unlink(name)?)
}
