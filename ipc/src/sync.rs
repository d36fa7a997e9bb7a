//! The atomics: the processor's, or those of the model checker that tries every order (`--cfg loom`).
//!
//! The orderings that carry something have names of their own here, so that the checker can be shown each of
//! them weakened, one at a time, and must find it.

#[cfg(not(loom))]
pub(crate) use plain::*;

#[cfg(loom)]
pub(crate) use checked::*;

#[cfg(not(loom))]
mod plain {
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    /// Of a load whose value says that something else may be read.
    pub(crate) const fn acquire() -> Ordering {
        Ordering::Acquire
    }

    /// Of a store whose value says that something else may be read.
    pub(crate) const fn release() -> Ordering {
        Ordering::Release
    }

    /// Between a note that something is about to be written and the first word of it.
    #[inline(always)]
    pub(crate) fn release_fence() {
        std::sync::atomic::fence(Ordering::Release);
    }

    /// Between the last word that is read and the look whether it was being written.
    #[inline(always)]
    pub(crate) fn acquire_fence() {
        std::sync::atomic::fence(Ordering::Acquire);
    }
}

#[cfg(loom)]
mod checked {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    std::thread_local! {
        /// Which of the four below is weakened; 0: none. The checker runs all of a model's threads on one.
        pub(crate) static WEAKENED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    fn is_weakened(which: usize) -> bool {
        WEAKENED.get() == which
    }

    pub(crate) fn acquire() -> Ordering {
        if is_weakened(1) {
            Ordering::Relaxed
        } else {
            Ordering::Acquire
        }
    }

    pub(crate) fn release() -> Ordering {
        if is_weakened(2) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        }
    }

    pub(crate) fn release_fence() {
        if !is_weakened(3) {
            loom::sync::atomic::fence(Ordering::Release);
        }
    }

    pub(crate) fn acquire_fence() {
        if !is_weakened(4) {
            loom::sync::atomic::fence(Ordering::Acquire);
        }
    }
}
