//! The runtime folder: where the programs of one user that can be attached to show themselves.
//!
//! One socket a program, `<pid>-<nonce>.sock`, in a folder that belongs to the user and that nobody else can
//! enter; on Windows a file that tells of a pipe. What a program that was killed has left there is swept by the next one that starts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use crate::folder::{self, is_alive};
use crate::segment::{name_prefix, nonce, remove_named};

/// Why the runtime folder cannot be used.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// The system refused.
    #[error("the runtime folder {path}: {error}")]
    System {
        /// Which folder.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is somebody else's, or open to others.
    #[error("the runtime folder {0}: expected a folder that is this user's and closed to others")]
    NotOurs(PathBuf),
}

/// A program that can be attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Its socket.
    pub path: PathBuf,
    since: SystemTime,
}

/// `[main]` The folder, made if it is not there. `HEADROOM_RUNTIME_DIR` goes first, then
/// where such things are on this system.
pub(crate) fn folder() -> Result<PathBuf, RuntimeError> {
    let path = path();
    let system = |error| RuntimeError::System {
        path: path.clone(),
        error,
    };
    match folder::make(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(system(error)),
    }
    if !folder::is_closed_to_others(&path).map_err(system)? {
        return Err(RuntimeError::NotOurs(path));
    }
    Ok(path)
}

fn path() -> PathBuf {
    let said = std::env::var_os("HEADROOM_RUNTIME_DIR").filter(|value| !value.is_empty());
    said.map_or_else(folder::usual, PathBuf::from)
}

/// `[main]` A path for this process's socket; it cannot be guessed.
pub(crate) fn own_socket(folder: &Path) -> PathBuf {
    let pid = std::process::id();
    folder.join(format!("{pid}-{:016x}.sock", nonce()))
}

/// `[main]` The programs of this user that show themselves, the newest first. Whether they answer is known
/// when one attaches.
///
/// # Errors
///
/// The folder cannot be read.
pub(crate) fn running() -> Result<Vec<Running>, RuntimeError> {
    if !path().exists() {
        // Looking makes nothing.
        return Ok(Vec::new());
    }
    let folder = folder()?;
    let mut found: Vec<Running> = sockets(&folder)?
        .into_iter()
        .filter(|one| is_alive(one.pid))
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.since));
    Ok(found)
}

fn sockets(folder: &Path) -> Result<Vec<Running>, RuntimeError> {
    let system = |error| RuntimeError::System {
        path: folder.to_owned(),
        error,
    };
    let entries = fs::read_dir(folder).map_err(system)?;
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let pid = name
            .strip_suffix(".sock")?
            .split('-')
            .next()?
            .parse()
            .ok()?;
        let since = entry.metadata().ok()?.modified().ok()?;
        Some(Running {
            pid,
            path: entry.path(),
            since,
        })
    };
    Ok(entries.filter_map(read).collect())
}

/// `[main]` Removes what programs that are gone have left: sockets, and segments that have names.
pub(crate) fn sweep(folder: &Path) {
    for one in sockets(folder).unwrap_or_default() {
        if !is_alive(one.pid) {
            // Somebody else swept at the same time: as good.
            let _gone = fs::remove_file(&one.path);
        }
    }
    // Where named segments are files, those of the dead can be found.
    for name in folder::named_segments() {
        if pid_of_segment(&name).is_some_and(|pid| !is_alive(pid)) {
            remove_named(&name);
        }
    }
}

fn pid_of_segment(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("/headroom")?.split('.').next()?;
    let pid = u32::from_str_radix(digits, 16).ok()?;
    name.starts_with(&name_prefix(pid)).then_some(pid)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_segment_tells_whose_it_is_and_nothing_else_does() {
        let name = format!("{}abc", name_prefix(0x1f2e));
        assert_eq!(pid_of_segment(&name), Some(0x1f2e));
        for other in ["/headroom", "/headroomx.1", "/pulse-shm-1", "/headroom12"] {
            assert_eq!(pid_of_segment(other), None, "{other}");
        }
        assert!(name.len() < 31, "macOS takes no longer ones");
    }
}
