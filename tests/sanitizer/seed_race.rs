//! `seed-race number|published|nothing`: races that ThreadSanitizer has to name, or its silence over the tests says
//! nothing.
#![allow(unsafe_code, reason = "races for memory, for a sanitizer to see")]

use std::cell::UnsafeCell;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("number") => number(),
        Some("published") => publish(Ordering::Relaxed),
        Some("nothing") => publish(Ordering::Release),
        _ => {
            eprintln!("seed-race: expected number, published or nothing");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// A number that any thread may reach.
struct Shared(UnsafeCell<u64>);

// SAFETY: there is none: it is what the seeds race for.
unsafe impl Sync for Shared {}

impl Shared {
    #[inline(never)]
    fn add(&self) {
        // SAFETY: none, as above. The pointer itself is good.
        unsafe { *self.0.get() += 1 };
    }

    #[inline(never)]
    fn get(&self) -> u64 {
        // SAFETY: as in `add`.
        unsafe { *self.0.get() }
    }
}

/// Two threads count in one place.
fn number() {
    let count = Shared(UnsafeCell::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..1_000).for_each(|_| count.add()));
        }
    });
    assert!(count.get() > 0);
}

/// One thread writes, and says that it has; the other looks for that, and reads. Without `Release` nothing puts the
/// two in an order, though on this processor it would be seen to work.
fn publish(order: Ordering) {
    let (value, is_there) = (Shared(UnsafeCell::new(0)), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            value.add();
            is_there.store(true, order);
        });
        while !is_there.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(value.get(), 1);
    });
}
