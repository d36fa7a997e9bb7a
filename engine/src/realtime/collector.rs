//! The collector: the thread that drops what the audio thread retired.
//!
//! The audio thread drops a `basedrop::Owned`, which pushes it on a lock-free list; this thread
//! takes it from there and gives the memory back. There is one in the process, shared by all
//! engines, joined when the last of them goes.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use basedrop::Handle;

use super::threads::enlist_thread;
use crate::memory::released_bytes;

/// At most so many objects are dropped before the thread sleeps again, and none any more once so many
/// bytes of audio memory are given back, so that giving back a big rack is spread over time: each
/// call to the system holds the lock of the whole process's memory.
const OBJECTS_A_TICK: u64 = 64;
const BYTES_A_TICK: u64 = 8 << 20;
const TICK: Duration = Duration::from_millis(10);
/// Between two ticks while there is more.
const PAUSE: Duration = Duration::from_millis(1);
/// When the last user goes and objects are still held somewhere, they are leaked after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the collector has done up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects dropped: slots, racks, orders.
    pub objects: u64,
    /// Bytes of audio memory given back.
    pub bytes: u64,
    /// Times it woke up and found something.
    pub ticks: u64,
    /// Times it stopped at the bound, more being left: back-pressure.
    pub full_ticks: u64,
    /// The most objects dropped in one tick.
    pub most_objects: u64,
    /// The most bytes given back in one tick: the bound, and one object more at most.
    pub most_bytes: u64,
    /// The longest tick.
    pub longest_tick_ns: u64,
}

/// Writer: the collector's thread. Relaxed: figures for people, each for itself.
#[derive(Debug, Default)]
struct Cells {
    objects: AtomicU64,
    bytes: AtomicU64,
    ticks: AtomicU64,
    full_ticks: AtomicU64,
    most_objects: AtomicU64,
    most_bytes: AtomicU64,
    longest_tick_ns: AtomicU64,
}

impl Cells {
    fn add(&self, objects: u64, bytes: u64, full: bool, took: Duration) {
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.objects.fetch_add(objects, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        self.ticks.fetch_add(1, Relaxed);
        self.full_ticks.fetch_add(u64::from(full), Relaxed);
        self.most_objects.fetch_max(objects, Relaxed);
        self.most_bytes.fetch_max(bytes, Relaxed);
        self.longest_tick_ns.fetch_max(took_ns, Relaxed);
    }
}

/// A share in the process's collector thread.
pub struct Collector {
    cells: Arc<Cells>,
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
        let cells = Arc::new(Cells::default());
        let thread = {
            let (stop, cells) = (Arc::clone(&stop), Arc::clone(&cells));
            std::thread::Builder::new()
                .name("hr-collector".into())
                .spawn(move || {
                    let _enlisted = enlist_thread("collector");
                    collect(collector, &stop, &cells);
                })?
        };
        Ok(Self {
            cells,
            handle: Some(handle),
            thread: Some(thread),
            stop,
        })
    }

    /// `[main]` What it has done up to now.
    pub fn collected(&self) -> Collected {
        let get = |cell: &AtomicU64| cell.load(Relaxed);
        let cells = &self.cells;
        Collected {
            objects: get(&cells.objects),
            bytes: get(&cells.bytes),
            ticks: get(&cells.ticks),
            full_ticks: get(&cells.full_ticks),
            most_objects: get(&cells.most_objects),
            most_bytes: get(&cells.most_bytes),
            longest_tick_ns: get(&cells.longest_tick_ns),
        }
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

fn collect(mut collector: basedrop::Collector, stop: &AtomicBool, cells: &Cells) {
    let mut stopped_at = None;
    loop {
        let full = tick(&mut collector, cells);
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
        } else {
            // Woken by nobody but time: whoever retires something may do nothing about it. After a
            // full tick others get a turn before the next.
            std::thread::park_timeout(if full { PAUSE } else { TICK });
        }
    }
}

/// Drops what was retired, up to the bound; whether there may be more.
fn tick(collector: &mut basedrop::Collector, cells: &Cells) -> bool {
    let (started, before) = (Instant::now(), released_bytes());
    let (mut objects, mut bytes) = (0, 0);
    let mut full = false;
    // A panic in somebody's Drop costs that object only: the next ones are still to be freed.
    while catch_unwind(AssertUnwindSafe(|| collector.collect_one())).unwrap_or(true) {
        objects += 1;
        bytes = released_bytes() - before;
        if objects >= OBJECTS_A_TICK || bytes >= BYTES_A_TICK {
            full = true;
            break;
        }
    }
    if objects > 0 {
        cells.add(objects, bytes, full, started.elapsed());
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use basedrop::Owned;

    use crate::memory::{Memory, Region};

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
    fn ten_thousand_retired_regions_drain_within_the_bound_of_a_tick() {
        let collector = Collector::acquire().unwrap();
        let before = collector.collected();
        let page = Memory {
            lock: false,
            ..Memory::default()
        };
        let retired: Vec<_> = (0..10_000)
            .map(|_| Owned::new(collector.handle(), Region::map(4_096, &page).unwrap()))
            .collect();
        drop(retired);
        // Two of these are more than one tick may give back.
        for _ in 0..4 {
            let large = Region::map(6 << 20, &page).unwrap();
            drop(Owned::new(collector.handle(), large));
        }
        let start = Instant::now();
        let now = loop {
            let now = collector.collected();
            if now.objects - before.objects >= 10_004 {
                break now;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{now:?}");
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(now.bytes - before.bytes >= 10_000 * 4_096 + 4 * (6 << 20));
        assert!(now.most_objects <= OBJECTS_A_TICK, "{now:?}");
        assert!(now.most_bytes < BYTES_A_TICK + (6 << 20), "{now:?}");
        assert!(
            now.full_ticks - before.full_ticks >= 10_000 / OBJECTS_A_TICK,
            "{now:?}"
        );
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
