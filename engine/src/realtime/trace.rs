//! The first backtrace of its kind in a process: kept by the thread where it happened as bare
//! addresses, given names by the main thread.
#![allow(unsafe_code)]

use super::first::First;
use crate::sync::Ordering;

const FRAMES: usize = 40;

/// Room for one backtrace, taken by the first who comes.
pub(super) struct FirstTrace(First<FRAMES>);

impl FirstTrace {
    pub(super) const fn new() -> Self {
        Self(First::new())
    }

    /// `[audio]` Keeps `what` happened and where, if nothing was kept before; from the address `from`
    /// on, where a signal handler knows where its thread was. Neither allocates nor locks.
    pub(super) fn keep(&self, what: u64, from: Option<usize>) {
        self.0.keep(what, |addresses| {
            let (mut at, mut within) = (0, from.is_none());
            walk(|address| {
                within |= from == Some(address);
                if within {
                    addresses[at].store(address, Ordering::Relaxed);
                    at += 1;
                }
                at < FRAMES
            });
            if !within {
                // The walk did not get through the handler's frame: where it was is known all the same.
                addresses[0].store(from.unwrap_or(0), Ordering::Relaxed);
            }
        });
    }

    /// `[main]` What was kept, and the functions that it came through, innermost first, from the
    /// first that was called under a name that holds none of `own`. `None` if nothing was kept or it
    /// was taken already.
    pub(super) fn take(&self, own: &[&str]) -> Option<(u64, Vec<String>)> {
        let (what, addresses) = self.0.take()?;
        let mut names = Vec::new();
        for address in addresses {
            if address == 0 {
                break;
            }
            let inlined_from = names.len();
            backtrace::resolve(address as *mut _, |symbol| {
                if let Some(name) = symbol.name() {
                    names.push(format!("{name:#}"));
                }
            });
            // A function comes behind what was inlined into it, and it alone has its full name.
            let is_own = |name: &String| own.iter().any(|part| name.contains(part));
            if inlined_from == 0 && names.last().is_some_and(|name| !is_own(name)) {
                names.drain(..names.len() - 1);
            } else if inlined_from == 0 {
                names.clear();
            }
        }
        Some((what, names))
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
