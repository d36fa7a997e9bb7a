//! A segment of shared memory: made, opened, mapped, gone.
//!
//! On Linux it is a memory file without a name, sealed so that nobody can cut it (a cut mapping is a bus
//! error) and, where only one side writes, so that nobody else can map it for writing. It travels as a
//! descriptor. On Windows it is a section without a name, of which others get a handle for reading only where
//! only one side writes. Elsewhere, and as the fallback, it has a name that cannot be guessed, through the crate
//! `shared_memory`, and whoever opens it checks its size. All stand behind [`Segment`] and pass the same tests.

#![allow(
    unsafe_code,
    reason = "looks at memory that other processes write as atomics"
)]

use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use shared_memory::{Shmem, ShmemConf, ShmemError};
use thiserror::Error;

use crate::region::{CommandRegion, Doubt, Head, Region, VERSION};
use crate::stream::{Lent, Luggage};
use crate::unnamed::{self, Unnamed};

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
    /// A sealed memory file on Linux, a section without a name on Windows, a named segment elsewhere.
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
    Unnamed(Unnamed),
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
            Self::Unnamed(memory) => memory.start(),
            Self::Named(shmem) => shmem.as_ptr(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Unnamed(memory) => memory.bytes(),
            Self::Named(shmem) => shmem.len(),
        }
    }
}

impl<T: Shared> Segment<T> {
    /// `[main]` Makes one, all zeros, every page present; its head is not written yet.
    pub(crate) fn make(backing: Backing, access: Access) -> Result<Self, SegmentError> {
        let bytes = size_of::<T>();
        let mapping = match backing {
            Backing::Usual if unnamed::IS_USUAL => Mapping::Unnamed(Unnamed::make(bytes, access)?),
            Backing::Usual | Backing::Named => named(bytes)?,
        };
        Self::over(mapping)
    }

    /// `[main]` Announces what stands in it.
    pub(crate) fn announce(&self) {
        self.head().write(size_of::<T>(), std::process::id());
    }

    /// `[main]` Maps memory that somebody else made and handed over, for reading or for both. Its size, its seals
    /// and its head are checked.
    pub(crate) fn open_given(given: Luggage, access: Access) -> Result<Self, SegmentError> {
        let memory = Unnamed::open(given, size_of::<T>(), access)?;
        Self::over(Mapping::Unnamed(memory))?.checked()
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

    /// `[main]` What is handed over of it: for reading only where only the maker writes.
    pub(crate) fn lent(&self) -> Option<Lent<'_>> {
        match &*self.mapping {
            Mapping::Unnamed(memory) => Some(memory.lent()),
            Mapping::Named(_) => None,
        }
    }

    /// `[main]` Its name, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match &*self.mapping {
            Mapping::Unnamed(_) => None,
            Mapping::Named(shmem) => Some(shmem.get_os_id()),
        }
    }

    /// `[main]` Keeps its first bytes from being paged out, if the limit allows; whether it did.
    pub(crate) fn lock(&self, bytes: usize) -> bool {
        unnamed::lock(self.mapping.start(), bytes.min(self.mapping.bytes()))
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
    // Gone already: as good.
    let _gone = crate::folder::remove_named(name);
}
