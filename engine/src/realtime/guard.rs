//! The guard: what the audio callback runs under.

use std::cell::Cell;
use std::sync::{Once, OnceLock};

use super::float::FlushToZero;

thread_local! {
    static ARMED: Cell<u32> = const { Cell::new(0) };
}

/// `[any]` Whether this thread is inside the guard.
#[inline]
pub fn is_armed() -> bool {
    ARMED.get() > 0
}

struct Armed;

impl Armed {
    fn new() -> Self {
        ARMED.set(ARMED.get() + 1);
        Self
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        ARMED.set(ARMED.get() - 1);
    }
}

/// Who is told when a thread enters the guard and when it leaves: a check that a program asks for
/// at its start, such as a trap for system calls.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// `[audio]` Before the work, outside the allocator's check.
    pub enter: fn(),
    /// `[audio]` After it, also when it panicked.
    pub exit: fn(),
}

static WATCH: OnceLock<Watch> = OnceLock::new();

/// `[main]` From now on `watch` is told; call it before the first block. Only a process's first
/// stands: `false` for any later one.
pub fn install_watch(watch: Watch) -> bool {
    WATCH.set(watch).is_ok()
}

/// Holds the watch that was told of the entry, so that the same is told of the end.
struct Watched(Option<&'static Watch>);

impl Watched {
    /// One load where nobody watches. The guard nests; only its outermost entry is told.
    fn new() -> Self {
        let watch = WATCH.get().filter(|_| ARMED.get() == 1);
        if let Some(watch) = watch {
            (watch.enter)();
        }
        Self(watch)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(watch) = self.0 {
            (watch.exit)();
        }
    }
}

/// `[audio]` Runs `work` with flush-to-zero on and the allocator armed: where the program installed
/// [`super::StageAllocator`], an allocation or free is counted; where it installed
/// `assert_no_alloc::AllocDisabler`, the process aborts; with neither, nothing is checked.
pub fn guarded<R>(work: impl FnOnce() -> R) -> R {
    let _float = FlushToZero::on();
    let _armed = Armed::new();
    let _watched = Watched::new();
    assert_no_alloc::assert_no_alloc(work)
}

/// `[main]` From now on a panic inside the guard prints nothing and takes no lock; the processor
/// catches and counts it. Panics elsewhere print as before. Call it once at the program's start.
pub fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !is_armed() {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static TOLD: Cell<[u32; 2]> = const { Cell::new([0; 2]) };
    }

    #[test]
    fn a_watch_is_told_of_the_outermost_guard_alone_and_of_its_end_after_a_panic_too() {
        let watch = Watch {
            enter: || TOLD.set([TOLD.get()[0] + 1, TOLD.get()[1]]),
            exit: || TOLD.set([TOLD.get()[0], TOLD.get()[1] + 1]),
        };
        assert!(install_watch(watch));
        assert!(!install_watch(watch), "the first stands");
        guarded(|| {
            assert_eq!(TOLD.get(), [1, 0]);
            guarded(|| assert_eq!(TOLD.get(), [1, 0]));
            assert_eq!(TOLD.get(), [1, 0]);
        });
        assert_eq!(TOLD.get(), [1, 1]);
        let panicked =
            std::panic::catch_unwind(|| guarded(|| std::panic::resume_unwind(Box::new(()))));
        assert!(panicked.is_err());
        assert_eq!(TOLD.get(), [2, 2]);
        assert!(!is_armed());
    }
}
