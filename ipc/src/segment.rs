//! A segment of shared memory: made, opened, mapped, gone.
//!
//! On Linux it is a memory file without a name, sealed so that nobody can cut it (a cut mapping is a bus
//! error) and, where only one side writes, so that nobody else can map it for writing. It travels as a
//! descriptor. Elsewhere, and as the fallback, it has a name that cannot be guessed, through the crate
//! `shared_memory`, and whoever opens it checks its size. Both stand behind [`Segment`] and pass the same
//! tests.

#![allow(
    unsafe_code,
    reason = "maps memory that other processes write, and looks at it as atomics"
)]

use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use shared_memory::{Shmem, ShmemConf, ShmemError};
use thiserror::Error;

use crate::region::{CommandRegion, Doubt, Head, Region, VERSION};

#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Why there is no segment.
#[derive(Debug, Error)]
pub enum SegmentError {
    /// The system refused.
    #[error("shared memory of {bytes} bytes: the system refused: {error}")]
    System {
        /// How much was asked for.
        bytes: usize,
        /// Why not.
        error: io::Error,
    },
    /// The crate `shared_memory` says no.
    #[error("the segment `{name}`: {error}")]
    Named {
        /// Its name.
        name: String,
        /// Why not.
        error: ShmemError,
    },
    /// Not what it should be.
    #[error("this is no segment of Headroom: expected {expected} bytes, found {found}")]
    Size {
        /// What is agreed on.
        expected: usize,
        /// What there is.
        found: u64,
    },
    /// It could be cut under our hands.
    #[error("the segment is not sealed: expected one that nobody can cut")]
    NotSealed,
    /// Something else.
    #[error("this is no segment of Headroom, or it is not ready")]
    Foreign,
    /// Another version.
    #[error(
        "the other program speaks version {0}: expected {VERSION}; both must come from one release"
    )]
    Version(u32),
}

/// What may stand in a segment.
///
/// # Safety
///
/// The type is `repr(C)`, all of it is atomics (and unused words between), any bytes at all are a valid
/// value, and it needs no drop.
pub(crate) unsafe trait Shared {
    /// What it begins with.
    fn head(&self) -> &Head;
}

// SAFETY: repr(C) of fixed-width atomics, see region.rs; no bytes are invalid.
unsafe impl Shared for Region {
    fn head(&self) -> &Head {
        &self.head
    }
}

// SAFETY: repr(C) of fixed-width atomics, see region.rs; no bytes are invalid.
unsafe impl Shared for CommandRegion {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Who may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The process that made it.
    Maker,
    /// Whoever has it.
    Both,
}

/// Which kind of segment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backing {
    /// A sealed memory file on Linux, a named segment elsewhere.
    #[default]
    Usual,
    /// A named segment.
    Named,
}

/// A mapped segment that holds a `T`. Clones share the mapping; the last one unmaps it.
pub(crate) struct Segment<T> {
    mapping: Arc<Mapping>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Segment<T> {
    fn clone(&self) -> Self {
        Self {
            mapping: Arc::clone(&self.mapping),
            holds: PhantomData,
        }
    }
}

enum Mapping {
    #[cfg(target_os = "linux")]
    Sealed {
        map: memmap2::MmapRaw,
        file: OwnedFd,
    },
    Named(Shmem),
}

// SAFETY: both kinds are an address range that stays mapped until the last owner drops it, and what is
// reached through it is atomics only (`Shared`). Unmapping may happen on any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above: shared references reach atomics only.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn start(&self) -> *const u8 {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed { map, .. } => map.as_ptr(),
            Self::Named(shmem) => shmem.as_ptr(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed { map, .. } => map.len(),
            Self::Named(shmem) => shmem.len(),
        }
    }
}

impl<T: Shared> Segment<T> {
    /// `[main]` Makes one, all zeros, every page present; its head is not written yet.
    pub(crate) fn make(backing: Backing, access: Access) -> Result<Self, SegmentError> {
        let mapping = match backing {
            #[cfg(target_os = "linux")]
            Backing::Usual => sealed(size_of::<T>(), access)?,
            _ => {
                let _ = access;
                named(size_of::<T>())?
            }
        };
        Self::over(mapping)
    }

    /// `[main]` Announces what stands in it.
    pub(crate) fn announce(&self) {
        self.head().write(size_of::<T>(), std::process::id());
    }

    /// `[main]` Maps a memory file that somebody else made, for reading or for both. Its size, its seals and
    /// its head are checked.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_file(file: OwnedFd, access: Access) -> Result<Self, SegmentError> {
        let system = |error: io::Error| SegmentError::System {
            bytes: size_of::<T>(),
            error,
        };
        let state = rustix::fs::fstat(&file).map_err(|error| system(error.into()))?;
        let found = u64::try_from(state.st_size).unwrap_or(0);
        if found != size_of::<T>() as u64 {
            return Err(SegmentError::Size {
                expected: size_of::<T>(),
                found,
            });
        }
        let seals = rustix::fs::fcntl_get_seals(&file).unwrap_or(rustix::fs::SealFlags::empty());
        let needed = rustix::fs::SealFlags::SHRINK | rustix::fs::SealFlags::GROW;
        if !seals.contains(needed) {
            return Err(SegmentError::NotSealed);
        }
        let mut options = memmap2::MmapOptions::new();
        options.len(size_of::<T>());
        let map = match access {
            Access::Maker => options.map_raw_read_only(&file),
            Access::Both => options.map_raw(&file),
        }
        .map_err(system)?;
        let segment = Self::over(Mapping::Sealed { map, file })?;
        segment.checked()
    }

    /// `[main]` Opens a named segment that somebody else made; size and head are checked.
    pub(crate) fn open_named(name: &str) -> Result<Self, SegmentError> {
        let shmem = ShmemConf::new()
            .os_id(name)
            .open()
            .map_err(|error| SegmentError::Named {
                name: name.to_owned(),
                error,
            })?;
        Self::over(Mapping::Named(shmem))?.checked()
    }

    fn checked(self) -> Result<Self, SegmentError> {
        match self.head().check(size_of::<T>()) {
            Ok(()) => Ok(self),
            Err(Doubt::Magic) => Err(SegmentError::Foreign),
            Err(Doubt::Version(version)) => Err(SegmentError::Version(version)),
            Err(Doubt::Bytes(found)) => Err(SegmentError::Size {
                expected: size_of::<T>(),
                found,
            }),
        }
    }

    fn over(mapping: Mapping) -> Result<Self, SegmentError> {
        let fits = mapping.bytes() >= size_of::<T>()
            && mapping.start().addr().is_multiple_of(align_of::<T>());
        if !fits {
            return Err(SegmentError::Size {
                expected: size_of::<T>(),
                found: mapping.bytes() as u64,
            });
        }
        Ok(Self {
            mapping: Arc::new(mapping),
            holds: PhantomData,
        })
    }

    /// `[main]` Its memory file, to be handed over: for reading only where only the maker writes.
    #[cfg(target_os = "linux")]
    pub(crate) fn file(&self) -> Option<BorrowedFd<'_>> {
        match &*self.mapping {
            Mapping::Sealed { file, .. } => Some(file.as_fd()),
            Mapping::Named(_) => None,
        }
    }

    /// `[main]` Its name, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match &*self.mapping {
            #[cfg(target_os = "linux")]
            Mapping::Sealed { .. } => None,
            Mapping::Named(shmem) => Some(shmem.get_os_id()),
        }
    }

    /// `[main]` Keeps its first bytes from being paged out, if the limit allows; whether it did.
    pub(crate) fn lock(&self, bytes: usize) -> bool {
        #[cfg(unix)]
        {
            let bytes = bytes.min(self.mapping.bytes());
            // SAFETY: the range lies inside the mapping; locking changes no contents.
            unsafe { rustix::mm::mlock(self.mapping.start().cast_mut().cast(), bytes) }.is_ok()
        }
        #[cfg(not(unix))]
        {
            let _ = bytes;
            false
        }
    }

    /// `[any]` Where it is mapped.
    pub(crate) fn address(&self) -> usize {
        self.mapping.start().addr()
    }
}

impl<T: Shared> Deref for Segment<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `over` checked that the mapping has room for a `T` and is aligned for it, `Shared` says
        // that any bytes are a valid one and that it is atomics only, so that other processes may write it
        // meanwhile; the mapping lives as long as `self`. A sealed file cannot be cut under it.
        unsafe { &*self.mapping.start().cast::<T>() }
    }
}

#[cfg(target_os = "linux")]
fn sealed(bytes: usize, access: Access) -> Result<Mapping, SegmentError> {
    use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};

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
    Ok(Mapping::Sealed { map, file })
}

fn named(bytes: usize) -> Result<Mapping, SegmentError> {
    let mut last = None;
    // A name that is taken is another's: the next one.
    for _ in 0..8 {
        let name = free_name();
        match ShmemConf::new().size(bytes).os_id(&name).create() {
            Ok(shmem) => return Ok(Mapping::Named(shmem)),
            Err(error) => last = Some((name, error)),
        }
    }
    match last {
        Some((name, error)) => Err(SegmentError::Named { name, error }),
        None => Err(SegmentError::Foreign),
    }
}

/// What the names of this program's segments begin with: short, since macOS takes 30 characters only.
pub(crate) fn name_prefix(pid: u32) -> String {
    format!("/headroom{pid:x}.")
}

/// A name that cannot be guessed: the hash keys of the standard library come from the system's randomness.
fn free_name() -> String {
    format!("{}{:x}", name_prefix(std::process::id()), nonce() >> 20)
}

/// `[main]` 64 bits that nobody can guess.
pub(crate) fn nonce() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

/// `[main]` Removes a named segment that nobody uses any more.
pub(crate) fn remove_named(name: &str) {
    // Not by opening it: one whose maker died at once has no size yet. Gone already: as good.
    #[cfg(unix)]
    let _gone = rustix::shm::unlink(name);
    #[cfg(not(unix))]
    let _ = name;
}
