//! On Windows: a section of the paging file without a name. Its size is fixed when it is made; others get a handle
//! with which they can map it for reading only where only the maker writes.

#![allow(
    unsafe_code,
    reason = "asks the system for memory that two processes map"
)]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{DuplicateHandle, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_BASIC_INFORMATION,
    MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE, UnmapViewOfFile, VirtualLock,
    VirtualQuery,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::segment::{Access, SegmentError};
use crate::stream::{Guarded, Lent, Luggage};

/// Whether there is such memory here.
pub(crate) const IS_USUAL: bool = true;

/// Of the processors that Windows runs on; on a larger page this touches it more than once.
const PAGE_BYTES: usize = 4_096;

/// A mapped section.
pub(crate) struct Unnamed {
    view: View,
    bytes: usize,
    /// With the rights that others get.
    section: OwnedHandle,
}

/// Where it is mapped, until this is dropped.
struct View(MEMORY_MAPPED_VIEW_ADDRESS);

impl View {
    fn of(section: BorrowedHandle<'_>, rights: u32) -> io::Result<Self> {
        // SAFETY: the section is held by the caller; all of it is mapped, wherever there is room.
        let view = unsafe { MapViewOfFile(section.as_raw_handle(), rights, 0, 0, 0) };
        if view.Value.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(view))
    }

    /// In whole pages.
    fn bytes(&self) -> usize {
        let mut known = MEMORY_BASIC_INFORMATION::default();
        let room = size_of_val(&known);
        // SAFETY: any address may be asked for, and no more than `room` bytes are written.
        let written = unsafe { VirtualQuery(self.0.Value, &mut known, room) };
        if written == 0 { 0 } else { known.RegionSize }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: it was mapped by `of`; whoever reaches it goes through its owner (`segment.rs`).
        unsafe { UnmapViewOfFile(self.0) };
    }
}

impl Unnamed {
    /// `[main]` Makes one, all zeros, every page present.
    pub(crate) fn make(bytes: usize, access: Access) -> Result<Self, SegmentError> {
        let system = |error: io::Error| SegmentError::System { bytes, error };
        // Nobody may ask for more than the handle that they are given can do: without this a section without a
        // name gives anybody any right. It holds for its maker too, whose handle has all rights already.
        let nobody = Guarded::by("D:P").map_err(system)?;
        // SAFETY: the attributes live during the call; there is no name.
        let section = unsafe {
            CreateFileMappingW(
                INVALID_HANDLE_VALUE,
                &nobody.attributes(),
                PAGE_READWRITE,
                (bytes as u64 >> 32) as u32,
                bytes as u32,
                std::ptr::null(),
            )
        };
        if section.is_null() {
            return Err(system(io::Error::last_os_error()));
        }
        // SAFETY: it was just made, and nobody else has it.
        let section = unsafe { OwnedHandle::from_raw_handle(section) };
        let view = View::of(section.as_handle(), FILE_MAP_READ | FILE_MAP_WRITE).map_err(system)?;
        for at in (0..bytes).step_by(PAGE_BYTES) {
            // SAFETY: `at` lies in the view, which is as long as was asked for, and which nobody else has yet.
            unsafe { view.0.Value.cast::<u8>().add(at).write_volatile(0) };
        }
        // Our own way of writing is the view; the handle that stays has what others may.
        let section = with_rights(&section, rights(access)).map_err(system)?;
        Ok(Self {
            view,
            bytes,
            section,
        })
    }

    /// `[main]` Maps what somebody else made, for reading or for both. Its size is checked: nobody can change it.
    pub(crate) fn open(given: Luggage, bytes: usize, access: Access) -> Result<Self, SegmentError> {
        let view = View::of(given.as_handle(), rights(access));
        let view = view.map_err(|error| SegmentError::System { bytes, error })?;
        let found = view.bytes();
        if found != bytes.next_multiple_of(PAGE_BYTES) {
            return Err(SegmentError::Size {
                expected: bytes,
                found: found as u64,
            });
        }
        Ok(Self {
            view,
            bytes,
            section: given,
        })
    }

    /// `[any]` Where it is mapped.
    pub(crate) fn start(&self) -> *const u8 {
        self.view.0.Value.cast_const().cast()
    }

    /// `[any]` How much is mapped.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// `[main]` What is handed over.
    pub(crate) fn lent(&self) -> Lent<'_> {
        self.section.as_handle()
    }
}

/// What others may do.
fn rights(access: Access) -> u32 {
    match access {
        Access::Maker => FILE_MAP_READ,
        Access::Both => FILE_MAP_READ | FILE_MAP_WRITE,
    }
}

/// The same section by a handle that can do less.
fn with_rights(section: &OwnedHandle, rights: u32) -> io::Result<OwnedHandle> {
    let mut less: HANDLE = std::ptr::null_mut();
    // SAFETY: the section is open, and `less` is written during the call.
    let copied = unsafe {
        let this = GetCurrentProcess();
        DuplicateHandle(this, section.as_raw_handle(), this, &mut less, rights, 0, 0)
    };
    if copied == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just made, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(less) })
}

/// `[main]` Keeps mapped memory of this process from being paged out, if the limit allows; whether it did.
pub(crate) fn lock(start: *const u8, bytes: usize) -> bool {
    // SAFETY: locking changes no contents, and what is not mapped is an error.
    unsafe { VirtualLock(start.cast(), bytes) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_given_what_only_its_maker_writes_can_map_it_for_reading_alone() {
        let made = Unnamed::make(10_000, Access::Maker).unwrap();
        let given = || made.lent().try_clone_to_owned().unwrap();
        assert!(Unnamed::open(given(), 10_000, Access::Maker).is_ok());
        assert!(Unnamed::open(given(), 10_000, Access::Both).is_err());
        // Nor by asking the system for a handle that can do more.
        assert!(with_rights(&given(), FILE_MAP_READ | FILE_MAP_WRITE).is_err());

        let shared = Unnamed::make(10_000, Access::Both).unwrap();
        let given = shared.lent().try_clone_to_owned().unwrap();
        assert!(Unnamed::open(given, 10_000, Access::Both).is_ok());
    }

    #[test]
    fn a_section_of_another_size_is_refused() {
        let made = Unnamed::make(10_000, Access::Both).unwrap();
        for bytes in [1, 4_096, 8_192, 12_289, 100_000] {
            let given = made.lent().try_clone_to_owned().unwrap();
            assert!(
                Unnamed::open(given, bytes, Access::Both).is_err(),
                "{bytes}"
            );
        }
    }
}
