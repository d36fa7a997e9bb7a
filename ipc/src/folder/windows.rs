//! On Windows: a folder of the user's own application data. What stands in it only tells of pipes, and each pipe
//! asks for itself who opens it (`stream/windows.rs`).

#![allow(unsafe_code, reason = "asks the system for processes")]

use std::fs;
use std::io;
use std::os::windows::fs::MetadataExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, WAIT_TIMEOUT};
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_REPARSE_POINT;
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

/// `[main]` Where it is when nobody says otherwise.
pub(crate) fn usual() -> PathBuf {
    let own = std::env::var_os("LOCALAPPDATA").filter(|value| !value.is_empty());
    let base = own.map_or_else(std::env::temp_dir, PathBuf::from);
    base.join("headroom").join("run")
}

/// `[main]` Makes it; it is as closed to others as what it stands in.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(path)
}

/// `[main]` Whether it is a folder, and no link that leads elsewhere.
pub(crate) fn is_closed_to_others(path: &Path) -> io::Result<bool> {
    let state = fs::symlink_metadata(path)?;
    Ok(state.is_dir() && state.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT == 0)
}

/// `[main]` Whether there is such a process.
pub(crate) fn is_alive(pid: u32) -> bool {
    // SAFETY: any number may be asked for.
    let process = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, pid) };
    if process.is_null() {
        // Refused: somebody else's, who is alive.
        let none = ERROR_INVALID_PARAMETER.cast_signed();
        return io::Error::last_os_error().raw_os_error() != Some(none);
    }
    // SAFETY: it was just opened, and nobody else has it.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    // One that has ended can be opened for as long as somebody holds it.
    // SAFETY: the process is held by `process`.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_TIMEOUT }
}

/// Where the crate `shared_memory` has the files of named segments.
fn shared_memory_files() -> PathBuf {
    std::env::temp_dir().join("shared_memory-rs")
}

/// `[main]` The named segments of this user: the names of all of them, ours and others'.
pub(crate) fn named_segments() -> Vec<String> {
    let entries = fs::read_dir(shared_memory_files()).into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| format!("/{name}"))
        .collect()
}

/// `[main]` Removes one of them.
pub(crate) fn remove_named(name: &str) -> io::Result<()> {
    fs::remove_file(shared_memory_files().join(name.trim_start_matches('/')))
}
