//! `seed-race number|published|nothing`: races that ThreadSanitizer has to name, or its silence over the tests says
//! nothing.
#![allow(unsafe_code, reason = "races for memory, for a sanitizer to see")]

use std::cell::UnsafeCell;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

/// Two threads count in one place, at one time: neither is over before the other has begun.
fn number() {
    let (count, begun) = (Shared(UnsafeCell::new(0)), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                count.add();
                // Relaxed, so that this puts nothing in an order.
                begun.fetch_add(1, Ordering::Relaxed);
                wait_until(|| begun.load(Ordering::Relaxed) == 2);
                count.add();
            });
        }
    });
    assert!(count.get() > 0);
}

/// One thread writes, and says that it has; the other looks for that, and reads. Without `Release` nothing puts the
/// two in an order, though on this processor it would be seen to work.
fn publish(order: Ordering) {
    let value = Shared(UnsafeCell::new(0));
    let (is_there, is_read) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            value.add();
            is_there.store(true, order);
            // Of a thread that is over the sanitizer forgets where it wrote.
            wait_until(|| is_read.load(Ordering::Relaxed));
        });
        wait_until(|| is_there.load(Ordering::Acquire));
        assert_eq!(value.get(), 1);
        is_read.store(true, Ordering::Relaxed);
    });
}

fn wait_until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}
