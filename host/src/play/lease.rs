//! Who has the player: its device's callback for the length of a call, the main thread when the device
//! is gone. So a device that is lost, even one whose thread hangs for good, takes nothing along.

use std::time::Duration;
use std::time::Instant;

use crate::sync::{Arc, AtomicCell, sleep};

/// The main thread's end: lends `W` to the callbacks that hold a [`Seat`], and takes it back.
pub(super) struct Lease<W> {
    place: Arc<AtomicCell<Option<Box<W>>>>,
}

/// A callback's end. It may outlive the lease; nothing is in its place then.
pub(super) struct Seat<W> {
    place: Arc<AtomicCell<Option<Box<W>>>>,
}

impl<W> Lease<W> {
    /// The exchange is one atomic instruction, and no lock in disguise.
    const LOCK_FREE: () = assert!(AtomicCell::<Option<Box<W>>>::is_lock_free());

    /// `[main]` A lease with nothing to lend yet.
    pub(super) fn new() -> Self {
        let () = Self::LOCK_FREE;
        Self {
            place: Arc::new(AtomicCell::new(None)),
        }
    }

    /// `[main]` Another place at it; only one callback may use its own at a time.
    pub(super) fn seat(&self) -> Seat<W> {
        Seat {
            place: Arc::clone(&self.place),
        }
    }

    /// `[main]` Lends `work` from the next call on.
    pub(super) fn grant(&self, work: Box<W>) {
        // What was there before, which should be nothing, is dropped here and not on the audio thread.
        drop(self.place.swap(Some(work)));
    }

    /// `[main]` Takes it back, and every seat stays empty for ever; waits for a call that is under way.
    /// `None` when that call does not end within `patience`, or when nothing was granted.
    pub(super) fn revoke(&mut self, patience: Duration) -> Option<Box<W>> {
        let start = Instant::now();
        let work = loop {
            match self.place.take() {
                Some(work) => break Some(work),
                None if start.elapsed() >= patience => break None,
                None => sleep(Duration::from_micros(200)),
            }
        };
        // A callback of the lost device that wakes late finds a place where nothing is put any more.
        self.place = Arc::new(AtomicCell::new(None));
        work
    }
}

impl<W> Seat<W> {
    /// `[audio]` Runs `call` on the work, if it is there: taken for the length of the call, and put back,
    /// also when the call panics.
    pub(super) fn with<R>(&mut self, call: impl FnOnce(&mut W) -> R) -> Option<R> {
        let mut taken = Taken {
            work: self.place.take(),
            place: &self.place,
        };
        taken.work.as_mut().map(|work| call(work))
    }
}

impl<W> Clone for Seat<W> {
    fn clone(&self) -> Self {
        Self {
            place: Arc::clone(&self.place),
        }
    }
}

/// Puts back what was taken.
struct Taken<'a, W> {
    work: Option<Box<W>>,
    place: &'a AtomicCell<Option<Box<W>>>,
}

impl<W> Drop for Taken<'_, W> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            // The place is empty: only the one callback takes, and the main thread does not grant what
            // it has not taken back. Were it not, what is in it would be dropped here, which the
            // allocator would count.
            drop(self.place.swap(Some(work)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_revoked_is_never_seen_again_by_an_old_seat() {
        let mut lease = Lease::new();
        let mut old = lease.seat();
        assert_eq!(old.with(|work: &mut u32| *work), None);
        lease.grant(Box::new(7));
        assert_eq!(old.with(|work| std::mem::replace(work, 8)), Some(7));
        let work = lease.revoke(Duration::ZERO).expect("nobody uses it");
        assert_eq!(*work, 8);
        let mut new = lease.seat();
        lease.grant(work);
        assert_eq!(old.with(|work| *work), None);
        assert_eq!(new.with(|work| *work), Some(8));
    }

    #[test]
    fn a_call_under_way_is_waited_for_and_a_call_that_hangs_is_not() {
        let mut lease = Lease::new();
        lease.grant(Box::new(0_u32));
        let mut seat = lease.seat();
        let (begun, wait) = std::sync::mpsc::channel();
        let callback = std::thread::spawn(move || {
            seat.with(|work| {
                begun.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(100));
                *work = 1;
            })
        });
        wait.recv().unwrap();
        assert_eq!(lease.revoke(Duration::from_secs(5)).as_deref(), Some(&1));
        callback.join().unwrap();

        lease.grant(Box::new(2));
        let mut seat = lease.seat();
        let (begun, wait) = std::sync::mpsc::channel();
        let (free, held) = std::sync::mpsc::channel::<()>();
        let callback = std::thread::spawn(move || {
            seat.with(|_| {
                begun.send(()).unwrap();
                held.recv().unwrap();
            })
        });
        wait.recv().unwrap();
        assert_eq!(lease.revoke(Duration::from_millis(20)), None);
        free.send(()).unwrap();
        callback.join().unwrap();
    }

    #[test]
    fn a_call_that_panics_puts_the_work_back() {
        let lease = Lease::new();
        lease.grant(Box::new(3_u32));
        let mut seat = lease.seat();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            seat.with(|work| {
                *work = 4;
                panic!("in the middle");
            })
        }));
        assert!(result.is_err());
        assert_eq!(seat.with(|work| *work), Some(4));
    }
}
