//! The allocator of stage builds: it counts what is allocated and freed inside the guard, keeps the
//! first backtrace, prints nothing, and sound goes on.
//!
//! Development builds put `assert_no_alloc::AllocDisabler` in its place, which aborts. Both are
//! armed by the same guard.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;

use super::guard::is_armed;
use super::trace::FirstTrace;

/// Allocations and frees inside the guard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViolationCounts {
    /// Calls that took memory (`realloc` counts as one of each).
    pub allocations: u64,
    /// Calls that gave memory back.
    pub deallocations: u64,
}

impl ViolationCounts {
    /// `[audio]` What this thread has been counted for, since it began.
    pub fn of_this_thread() -> Self {
        COUNTS.get()
    }

    /// `[any]` What came after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            allocations: self.allocations - earlier.allocations,
            deallocations: self.deallocations - earlier.deallocations,
        }
    }

    /// `[any]` Whether nothing was counted.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

thread_local! {
    static COUNTS: Cell<ViolationCounts> = const {
        Cell::new(ViolationCounts { allocations: 0, deallocations: 0 })
    };
}

/// The system's allocator, counting inside the guard. A program installs it as its
/// `#[global_allocator]`.
#[derive(Debug, Default)]
pub struct StageAllocator;

// SAFETY: every call goes to System with the arguments as they came.
unsafe impl GlobalAlloc for StageAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, 0);
        // SAFETY: the caller keeps GlobalAlloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, 1);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        note(0, 1);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[inline]
fn note(allocations: u64, deallocations: u64) {
    if is_armed() {
        count(allocations, deallocations);
    }
}

#[cold]
fn count(allocations: u64, deallocations: u64) {
    let mut counts = COUNTS.get();
    counts.allocations += allocations;
    counts.deallocations += deallocations;
    COUNTS.set(counts);
    FIRST.keep(u64::from(deallocations > allocations), None);
}

static FIRST: FirstTrace = FirstTrace::new();

/// The first allocation or free inside the guard of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Whether memory was given back, rather than taken.
    pub freed: bool,
    /// Functions, innermost first, without the allocator's own.
    pub backtrace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.freed { "freed" } else { "allocated" };
        write!(f, "the audio thread {what} memory in ")?;
        match self.backtrace.first() {
            Some(function) => f.write_str(function),
            None => f.write_str("a function without a name"),
        }
    }
}

/// `[main]` The first violation of this process with the names of its functions; `None` if there was
/// none, or it was taken already.
pub fn take_first_violation() -> Option<Violation> {
    let (freed, backtrace) = FIRST.take(&[
        "backtrace",
        "realtime::trace",
        "realtime::violation",
        "alloc::",
        "__rust_",
        "__rustc",
        "core::ptr::drop",
    ])?;
    Some(Violation {
        freed: freed != 0,
        backtrace,
    })
}
