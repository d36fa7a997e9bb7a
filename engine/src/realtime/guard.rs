//! The guard: what the audio callback runs under.

use std::cell::Cell;
use std::sync::Once;

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

/// `[audio]` Runs `work` with flush-to-zero on and the allocator armed: where the program installed
/// [`super::StageAllocator`], an allocation or free is counted; where it installed
/// `assert_no_alloc::AllocDisabler`, the process aborts; with neither, nothing is checked.
pub fn guarded<R>(work: impl FnOnce() -> R) -> R {
    let _float = FlushToZero::on();
    let _armed = Armed::new();
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
