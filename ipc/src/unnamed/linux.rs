//! On Linux: a memory file that nobody can cut, and that nobody but its maker can map for writing where only the
//! maker writes.

#![allow(
    unsafe_code,
    reason = "asks the system to keep what is mapped in memory"
)]

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};

use crate::segment::{Access, SegmentError};
use crate::stream::{Lent, Luggage};

/// Whether there is such memory here.
pub(crate) const IS_USUAL: bool = true;

/// A mapped memory file.
pub(crate) struct Unnamed {
    map: memmap2::MmapRaw,
    file: OwnedFd,
}

impl Unnamed {
    /// `[main]` Makes one, all zeros, every page present.
    pub(crate) fn make(bytes: usize, access: Access) -> Result<Self, SegmentError> {
        let system = |error: io::Error| SegmentError::System { bytes, error };
        let os = |error: rustix::io::Errno| system(error.into());
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("headroom", flags).map_err(os)?;
        // Real memory from the start: where there is none this is an error, and not a bus error later.
        rustix::fs::ftruncate(&file, bytes as u64).map_err(os)?;
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes as u64).map_err(os)?;
        let mut options = memmap2::MmapOptions::new();
        let map = options
            .len(bytes)
            .populate()
            .map_raw(&file)
            .map_err(system)?;
        let mut seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        if access == Access::Maker {
            // From now on nobody can map it for writing; our own mapping stays.
            seals |= SealFlags::FUTURE_WRITE;
        }
        rustix::fs::fcntl_add_seals(&file, seals).map_err(os)?;
        Ok(Self { map, file })
    }

    /// `[main]` Maps what somebody else made, for reading or for both. Its size and its seals are checked.
    pub(crate) fn open(given: Luggage, bytes: usize, access: Access) -> Result<Self, SegmentError> {
        let system = |error: io::Error| SegmentError::System { bytes, error };
        let state = rustix::fs::fstat(&given).map_err(|error| system(error.into()))?;
        let found = u64::try_from(state.st_size).unwrap_or(0);
        if found != bytes as u64 {
            return Err(SegmentError::Size {
                expected: bytes,
                found,
            });
        }
        let seals = rustix::fs::fcntl_get_seals(&given).unwrap_or(SealFlags::empty());
        if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) {
            return Err(SegmentError::NotSealed);
        }
        let mut options = memmap2::MmapOptions::new();
        options.len(bytes);
        let map = match access {
            Access::Maker => options.map_raw_read_only(&given),
            Access::Both => options.map_raw(&given),
        };
        Ok(Self {
            map: map.map_err(system)?,
            file: given,
        })
    }

    /// `[any]` Where it is mapped.
    pub(crate) fn start(&self) -> *const u8 {
        self.map.as_ptr()
    }

    /// `[any]` How much is mapped.
    pub(crate) fn bytes(&self) -> usize {
        self.map.len()
    }

    /// `[main]` What is handed over.
    pub(crate) fn lent(&self) -> Lent<'_> {
        self.file.as_fd()
    }
}

/// `[main]` Keeps mapped memory of this process from being paged out, if the limit allows; whether it did.
pub(crate) fn lock(start: *const u8, bytes: usize) -> bool {
    // SAFETY: locking changes no contents, and what is not mapped is an error.
    unsafe { rustix::mm::mlock(start.cast_mut().cast(), bytes) }.is_ok()
}
