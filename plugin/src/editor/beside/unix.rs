//! Where this library lies, on macOS and other Unix systems: the screen's program is beside it. Never run.

#![allow(unsafe_code, reason = "asks the system for a library's file")]

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `[main]` The folder of this library, as the system has it mapped.
pub(crate) fn beside() -> Option<PathBuf> {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here = beside as fn() -> Option<PathBuf> as *const libc::c_void;
    // SAFETY: any address may be asked for, and `found` is written during the call.
    if unsafe { libc::dladdr(here, found.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: it was all zeros, which is a valid one, and has been filled in.
    let name = unsafe { found.assume_init() }.dli_fname;
    if name.is_null() {
        return None;
    }
    // SAFETY: the system's own text, which ends with 0 and stays for as long as this library is loaded.
    let name = unsafe { CStr::from_ptr(name) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    path.parent().map(Into::into)
}
