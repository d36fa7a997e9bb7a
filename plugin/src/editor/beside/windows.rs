//! Where this library lies, on Windows: the screen's program is beside it.

#![allow(unsafe_code, reason = "asks the system for a library's file")]

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr::null_mut;

use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
    GetModuleFileNameW, GetModuleHandleExW,
};

/// Characters of the longest path.
const LONGEST: usize = 32_768;

/// `[main]` The folder of this library, as the system has it loaded.
pub(crate) fn beside() -> Option<PathBuf> {
    let mut path = vec![0; LONGEST];
    // SAFETY: no more is written than is said that there is room for.
    let length = unsafe { GetModuleFileNameW(image(), path.as_mut_ptr(), LONGEST as u32) };
    let path = PathBuf::from(OsString::from_wide(path.get(..length as usize)?));
    path.parent().map(Into::into)
}

/// `[any]` This library, as the system has it loaded.
pub(crate) fn image() -> *mut std::ffi::c_void {
    let mut found = null_mut();
    let here = image as fn() -> *mut std::ffi::c_void as *const u16;
    let how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    // SAFETY: with these flags the name is an address; the image is written during the call.
    unsafe { GetModuleHandleExW(how, here, &mut found) };
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_finds_its_own_folder() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(beside().as_deref(), own.parent());
    }
}
