//! The collector: the thread that drops what the audio thread retired.
//!
//! The audio thread drops a `basedrop::Owned`, which pushes it on a lock-free list; this thread
//! takes it from there and gives the memory back. There is one in the process, shared by all
//! engines, joined when the last of them goes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use basedrop::Handle;

/// At most so many objects are dropped before the thread sleeps again, so that giving back a big
/// rack is spread over time.
const OBJECTS_A_TICK: usize = 64;
const TICK: Duration = Duration::from_millis(10);
/// When the last user goes and objects are still held somewhere, they are leaked after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// A share in the process's collector thread.
pub struct Collector {
    handle: Option<Handle>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Collector {
    /// `[main]` The process's collector; its thread is started if there is none. An error when the
    /// system gives no thread.
    pub fn acquire() -> io::Result<Arc<Self>> {
        static CURRENT: Mutex<Weak<Collector>> = Mutex::new(Weak::new());
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(collector) = current.upgrade() {
            return Ok(collector);
        }
        let collector = Arc::new(Self::start()?);
        *current = Arc::downgrade(&collector);
        Ok(collector)
    }

    fn start() -> io::Result<Self> {
        let collector = basedrop::Collector::new();
        let handle = collector.handle();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let stop = Arc::clone(&stop);
            std::thread::Builder::new()
                .name("hr-collector".into())
                .spawn(move || collect(collector, &stop))?
        };
        Ok(Self {
            handle: Some(handle),
            thread: Some(thread),
            stop,
        })
    }

    /// `[main]` What `basedrop::Owned::new` asks for.
    pub fn handle(&self) -> &Handle {
        // PANIC: taken only in drop().
        self.handle.as_ref().expect("present until dropped")
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.handle = None;
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in a module's Drop ended the thread: there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

fn collect(mut collector: basedrop::Collector, stop: &AtomicBool) {
    let mut stopped_at = None;
    loop {
        let mut left = OBJECTS_A_TICK;
        // A panic in somebody's Drop costs that object only: the next ones are still to be freed.
        while left > 0 && catch_unwind(AssertUnwindSafe(|| collector.collect_one())).unwrap_or(true)
        {
            left -= 1;
        }
        // Ordering: Acquire pairs with the Release in drop().
        if stop.load(Ordering::Acquire) {
            collector = match collector.try_cleanup() {
                Ok(()) => return,
                Err(collector) => collector,
            };
            if stopped_at.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                // A basedrop collector has no Drop: what is still held stays valid, and leaks.
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        } else if left > 0 {
            std::thread::park_timeout(TICK);
        } else {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use basedrop::Owned;

    struct Tells(Arc<AtomicBool>);

    impl Drop for Tells {
        fn drop(&mut self) {
            assert_eq!(std::thread::current().name(), Some("hr-collector"));
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_is_retired_is_dropped_by_the_collectors_thread() {
        let collector = Collector::acquire().unwrap();
        let dropped = Arc::new(AtomicBool::new(false));
        let owned = Owned::new(collector.handle(), Tells(Arc::clone(&dropped)));
        assert!(Arc::ptr_eq(&collector, &Collector::acquire().unwrap()));
        drop(owned);
        let start = Instant::now();
        while !dropped.load(Ordering::SeqCst) {
            assert!(start.elapsed() < Duration::from_secs(10), "never dropped");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_panic_in_a_drop_does_not_end_the_collecting() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("seeded panic in a drop");
            }
        }
        let collector = Collector::acquire().unwrap();
        drop(Owned::new(collector.handle(), Bad));
        let dropped = Arc::new(AtomicBool::new(false));
        drop(Owned::new(collector.handle(), Tells(Arc::clone(&dropped))));
        let start = Instant::now();
        while !dropped.load(Ordering::SeqCst) {
            assert!(start.elapsed() < Duration::from_secs(10), "never dropped");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
