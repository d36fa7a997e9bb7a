//! No panic reaches the host: nice-plug does not catch any, and one that left a callback would end the
//! host's process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Panics that were caught here, in the whole process. Relaxed: a figure for people.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// `[any]` Runs `work`; `None` if it panicked, which is counted.
pub(crate) fn shielded<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(payload) => {
            CAUGHT.fetch_add(1, Ordering::Relaxed);
            // What was thrown may panic in its turn when it is dropped.
            std::mem::forget(payload);
            None
        }
    }
}

/// `[any]` How many panics were kept from hosts up to now, in the whole process.
pub fn caught_panics() -> u64 {
    CAUGHT.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_goes_no_further() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("seeded panic in a payload's drop");
            }
        }
        let before = caught_panics();
        assert_eq!(shielded(|| 3), Some(3));
        assert_eq!(caught_panics(), before);
        assert_eq!(shielded(|| panic!("seeded panic")), None::<()>);
        let thrown = shielded(|| std::panic::panic_any(Bomb));
        assert_eq!(thrown, None::<()>);
        assert_eq!(caught_panics(), before + 2);
    }
}
