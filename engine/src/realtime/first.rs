//! The first of its kind: whoever comes first writes it down, and it is read once.

use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Room for what happened and up to `N` addresses.
pub(super) struct First<const N: usize> {
    // Written once, by the first thread that comes (`taken`); read by whoever sees `ready`.
    taken: AtomicBool,
    ready: AtomicBool,
    what: AtomicU64,
    addresses: [AtomicUsize; N],
}

impl<const N: usize> First<N> {
    pub(super) const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            what: AtomicU64::new(0),
            addresses: [const { AtomicUsize::new(0) }; N],
        }
    }

    /// `[audio]` Keeps `what` happened, and the addresses that `fill` puts into their places, if nothing was
    /// kept before. Neither allocates nor locks.
    pub(super) fn keep(&self, what: u64, fill: impl FnOnce(&[AtomicUsize; N])) {
        // Ordering: Relaxed decides only who is first; Release on `ready` publishes the rest.
        if self.taken.load(Ordering::Relaxed) || self.taken.swap(true, Ordering::Relaxed) {
            return;
        }
        self.what.store(what, Ordering::Relaxed);
        fill(&self.addresses);
        self.ready.store(true, Ordering::Release);
    }

    /// `[main]` What was kept, and where; `None` if nothing was, or it was taken already.
    pub(super) fn take(&self) -> Option<(u64, [usize; N])> {
        // Ordering: Acquire pairs with the Release in keep(). Looked at first: nothing is written while there is
        // nothing to take.
        if !self.ready.load(Ordering::Relaxed) || !self.ready.swap(false, Ordering::Acquire) {
            return None;
        }
        let addresses = std::array::from_fn(|at| self.addresses[at].load(Ordering::Relaxed));
        Some((self.what.load(Ordering::Relaxed), addresses))
    }
}
