//! The allocator of stage builds: it counts what is allocated and freed inside the guard, keeps the
//! first backtrace, prints nothing, and sound goes on.
//!
//! Development builds put `assert_no_alloc::AllocDisabler` in its place, which aborts. Both are
//! armed by the same guard.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::guard::is_armed;

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
    // Ordering: Relaxed decides only who is first; Release on READY publishes the frames.
    if !TAKEN.swap(true, Ordering::Relaxed) {
        FREED.store(deallocations > allocations, Ordering::Relaxed);
        capture();
        READY.store(true, Ordering::Release);
    }
}

const FRAMES: usize = 40;

// Written once, by the first thread to violate (TAKEN); read by whoever sees READY.
static TAKEN: AtomicBool = AtomicBool::new(false);
static READY: AtomicBool = AtomicBool::new(false);
static FREED: AtomicBool = AtomicBool::new(false);
static ADDRESSES: [AtomicUsize; FRAMES] = [const { AtomicUsize::new(0) }; FRAMES];

/// Keeps return addresses only: names are looked up later, on the main thread.
fn capture() {
    let mut at = 0;
    // SAFETY: the unsynchronised walk is for one thread at a time, which TAKEN assures.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            ADDRESSES[at].store(frame.ip() as usize, Ordering::Relaxed);
            at += 1;
            at < FRAMES
        });
    }
}

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
    // Ordering: Acquire pairs with the Release in count().
    if !READY.swap(false, Ordering::Acquire) {
        return None;
    }
    let mut backtrace = Vec::new();
    for address in &ADDRESSES {
        let address = address.load(Ordering::Relaxed);
        if address == 0 {
            break;
        }
        backtrace::resolve(address as *mut _, |symbol| {
            if let Some(name) = symbol.name() {
                backtrace.push(format!("{name:#}"));
            }
        });
    }
    let own = |name: &String| {
        let of_allocator = [
            "backtrace",
            "realtime::violation",
            "alloc::",
            "__rust_",
            "__rustc",
            "core::ptr::drop",
        ];
        of_allocator.iter().any(|part| name.contains(part))
    };
    let first = backtrace.iter().position(|name| !own(name)).unwrap_or(0);
    backtrace.drain(..first);
    Some(Violation {
        freed: FREED.load(Ordering::Relaxed),
        backtrace,
    })
}
