//! Where there is no memory without a name that could be handed over: segments have names there.

#![allow(
    unsafe_code,
    reason = "asks the system to keep what is mapped in memory"
)]

use crate::segment::{Access, SegmentError};
use crate::stream::{Lent, Luggage};

/// Whether there is such memory here.
pub(crate) const IS_USUAL: bool = false;

/// None.
pub(crate) enum Unnamed {}

impl Unnamed {
    /// `[main]` There is none.
    pub(crate) fn make(_bytes: usize, _access: Access) -> Result<Self, SegmentError> {
        Err(SegmentError::Foreign)
    }

    /// `[main]` Nobody hands such over.
    pub(crate) fn open(_: Luggage, _bytes: usize, _access: Access) -> Result<Self, SegmentError> {
        Err(SegmentError::Foreign)
    }

    /// `[any]` Where it is mapped.
    pub(crate) fn start(&self) -> *const u8 {
        match *self {}
    }

    /// `[any]` How much is mapped.
    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    /// `[main]` What is handed over.
    pub(crate) fn lent(&self) -> Lent<'_> {
        match *self {}
    }
}

/// `[main]` Keeps mapped memory of this process from being paged out, if the limit allows; whether it did.
pub(crate) fn lock(start: *const u8, bytes: usize) -> bool {
    // SAFETY: locking changes no contents, and what is not mapped is an error.
    unsafe { rustix::mm::mlock(start.cast_mut().cast(), bytes) }.is_ok()
}
