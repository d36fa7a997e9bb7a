//! The first backtrace of its kind in a process: kept by the thread where it happened as bare
//! addresses, given names by the main thread.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

const FRAMES: usize = 40;

/// Room for one backtrace, taken by the first who comes.
pub(super) struct FirstTrace {
    // Written once, by the first thread that comes (`taken`); read by whoever sees `ready`.
    taken: AtomicBool,
    ready: AtomicBool,
    what: AtomicU64,
    addresses: [AtomicUsize; FRAMES],
}

impl FirstTrace {
    pub(super) const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            what: AtomicU64::new(0),
            addresses: [const { AtomicUsize::new(0) }; FRAMES],
        }
    }

    /// `[audio]` Keeps `what` happened and where, if nothing was kept before. Neither allocates nor
    /// locks; a signal handler may call it.
    pub(super) fn keep(&self, what: u64) {
        // Ordering: Relaxed decides only who is first; Release on `ready` publishes the rest.
        if self.taken.load(Ordering::Relaxed) || self.taken.swap(true, Ordering::Relaxed) {
            return;
        }
        self.what.store(what, Ordering::Relaxed);
        let mut at = 0;
        walk(|address| {
            self.addresses[at].store(address, Ordering::Relaxed);
            at += 1;
            at < FRAMES
        });
        self.ready.store(true, Ordering::Release);
    }

    /// `[main]` What was kept, and the functions that it came through, innermost first, from the
    /// first whose name holds none of `own`. `None` if nothing was kept or it was taken already.
    pub(super) fn take(&self, own: &[&str]) -> Option<(u64, Vec<String>)> {
        // Ordering: Acquire pairs with the Release in keep().
        if !self.ready.swap(false, Ordering::Acquire) {
            return None;
        }
        let mut names = Vec::new();
        for address in &self.addresses {
            let address = address.load(Ordering::Relaxed);
            if address == 0 {
                break;
            }
            backtrace::resolve(address as *mut _, |symbol| {
                if let Some(name) = symbol.name() {
                    names.push(format!("{name:#}"));
                }
            });
        }
        let is_own = |name: &String| own.iter().any(|part| name.contains(part));
        let first = names.iter().position(|name| !is_own(name)).unwrap_or(0);
        names.drain(..first);
        Some((self.what.load(Ordering::Relaxed), names))
    }
}

/// `[audio]` Calls `each` with the return addresses of the calling thread, innermost first, until it
/// says no more.
pub(super) fn walk(mut each: impl FnMut(usize) -> bool) {
    // SAFETY: what asks for one walk at a time is Windows' dbghelp; there a walk is only made by
    // the allocator's FirstTrace, whose `taken` lets one thread through. The unwinders of other
    // systems work on the walked thread's own stack.
    unsafe {
        backtrace::trace_unsynchronized(|frame| each(frame.ip() as usize));
    }
}
