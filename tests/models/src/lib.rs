//! The lock-free parts of the engine and the program under loom, which tries every order of their steps and
//! every value that a relaxed load may find.
//!
//! `build.rs` takes the parts from where they stand and plants the mutants. Each part has one model, which
//! must hold for what is shipped and must fail for each mutant; a mutant that no model catches stands in the
//! list as such, with the reason.
//!
//! To add a part: its file reaches its atomics by `crate::sync`; a line in `build.rs`, a module here. A package
//! that has its models beside its code is added in `xtask/src/models.rs`.
#![cfg(loom)]
#![allow(dead_code)] // each model uses its own part of what is modelled

mod sync {
    //! The model checker's atomics, in place of `engine/src/sync.rs` and `host/src/sync.rs`.

    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };

    /// Another thread may go on.
    pub(crate) fn sleep(_: std::time::Duration) {
        loom::thread::yield_now();
    }

    /// crossbeam's cell of a pointer: one exchange, which acquires and releases. So does a lock that is held
    /// for the exchange.
    pub(crate) struct AtomicCell<T>(loom::sync::Mutex<T>);

    impl<T: Default> AtomicCell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) const fn is_lock_free() -> bool {
            true
        }

        pub(crate) fn swap(&self, value: T) -> T {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }

        pub(crate) fn take(&self) -> T {
            self.swap(T::default())
        }
    }
}

mod coherent {
    //! For a part that is a single word. All that is done to one word has one order, which every thread sees
    //! (C++20, 6.9.2.2, coherence), and an exchange stands right behind what it has read. The checker lets a
    //! relaxed load find what an exchange has already replaced; so here each step is one behind the other, in
    //! every order.

    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::Ordering;

    #[derive(Debug)]
    pub(crate) struct AtomicU32(loom::sync::Mutex<u32>);

    impl Default for AtomicU32 {
        fn default() -> Self {
            Self(loom::sync::Mutex::new(0))
        }
    }

    impl AtomicU32 {
        pub(crate) fn load(&self, _: Ordering) -> u32 {
            *self.0.lock().unwrap()
        }

        pub(crate) fn store(&self, value: u32, _: Ordering) {
            *self.0.lock().unwrap() = value;
        }

        pub(crate) fn swap(&self, value: u32, _: Ordering) -> u32 {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }

        pub(crate) fn fetch_update(
            &self,
            _: Ordering,
            _: Ordering,
            change: impl FnOnce(u32) -> Option<u32>,
        ) -> Result<u32, u32> {
            let mut value = self.0.lock().unwrap();
            let before = *value;
            *value = change(before).ok_or(before)?;
            Ok(before)
        }
    }
}

/// A part: its models are made by its macro, in the module of what is shipped and of each mutant.
macro_rules! part {
    ($part:ident, $model:item) => {
        mod $part {
            macro_rules! model {
                () => {
                    $model
                };
            }
            pub(crate) use model;
            include!(concat!(env!("OUT_DIR"), "/", stringify!($part), ".rs"));
        }
    };
}

// The highest of what was raised is found, whenever the reader looks.
part!(
    peak_cell,
    pub(crate) fn model() {
        loom::model(|| {
            let cell = crate::sync::Arc::new(PeakCell::default());
            let writer = {
                let cell = cell.clone();
                loom::thread::spawn(move || [1.0, 3.0, 2.0].map(|value| cell.raise(value)))
            };
            let early = [cell.take(), cell.take()];
            writer.join().unwrap();
            let highest = early.into_iter().fold(cell.take(), f32::max);
            assert_eq!(highest, 3.0, "{early:?}");
            assert_eq!(cell.take(), 0.0);
        });
    }
);

// However many press and release at once: a change is counted once, and what nobody changed is not.
part!(
    button,
    pub(crate) fn model() {
        loom::model(|| {
            let button = PanicButton::default();
            let other = button.clone();
            let thread = loom::thread::spawn(move || other.press());
            button.press();
            thread.join().unwrap();
            assert!(button.is_pressed());
            assert_eq!(button.changes(), 1);
        });
        loom::model(|| {
            let button = PanicButton::default();
            let other = button.clone();
            let thread = loom::thread::spawn(move || other.press());
            button.press();
            button.release();
            let before = button.changes();
            thread.join().unwrap();
            assert!(button.changes() >= before.max(2));
        });
    }
);

// A note is whole, and the newest is found once its writer is done, the same thread's or another's.
part!(
    note_cell,
    pub(crate) fn model() {
        loom::model(|| {
            let cell = crate::sync::Arc::new(NoteCell::<2>::default());
            let writer = {
                let cell = cell.clone();
                loom::thread::spawn(move || {
                    for value in 1..=2 {
                        cell.clear();
                        cell.put([value; 2]);
                    }
                })
            };
            // On a thread of its own: the checker starts the first thread's first step before all others.
            let reader = {
                let cell = cell.clone();
                loom::thread::spawn(move || {
                    if let Some([one, other]) = cell.get() {
                        assert_eq!(one, other);
                    }
                })
            };
            writer.join().unwrap();
            reader.join().unwrap();
            assert_eq!(cell.get(), Some([2; 2]));
        });
    }
);

// Of two who come at once one is kept, whole, and it is read once.
part!(
    first,
    pub(crate) fn model() {
        loom::model(|| {
            let first = crate::sync::Arc::new(First::<1>::new());
            let keepers = [1, 2].map(|what| {
                let first = first.clone();
                loom::thread::spawn(move || {
                    first.keep(what as u64, |addresses| {
                        addresses[0].store(what, Ordering::Relaxed);
                    });
                })
            });
            let mut found = vec![first.take()];
            for keeper in keepers {
                keeper.join().unwrap();
            }
            found.extend([first.take(), first.take()]);
            let found: Vec<_> = found.into_iter().flatten().collect();
            assert_eq!(found.len(), 1);
            let (what, [address]) = found[0];
            assert_eq!(what, address as u64);
        });
    }
);

// Whoever has the work has it alone; a call under way is not lost; an old seat stays empty for ever.
part!(
    lease,
    pub(crate) fn model() {
        loom::model(|| {
            let mut lease = Lease::new();
            lease.grant(Box::new(0_u32));
            let mut old = lease.seat();
            let callback = loom::thread::spawn(move || {
                let calls = u32::from(old.with(|work| *work += 1).is_some());
                (calls, old)
            });
            // A call that is under way ends, and is waited for.
            let work = lease
                .revoke(Duration::from_secs(3_600))
                .expect("it was granted");
            let mut new = lease.seat();
            lease.grant(work);
            assert!(new.with(|_| ()).is_some());
            let (calls, mut old) = callback.join().unwrap();
            assert!(old.with(|_| ()).is_none());
            let work = lease.revoke(Duration::ZERO).expect("it was granted anew");
            assert_eq!(*work, calls);
        });
    }
);

// The newest position arrives, and none behind a newer one.
part!(
    parking,
    pub(crate) fn model() {
        loom::model(|| {
            let parking = crate::sync::Arc::new(Parking::new());
            let port = {
                let parking = parking.clone();
                loom::thread::spawn(move || [1, 2].map(|value| parking.park(0, 5, value)))
            };
            let mut heard = Vec::new();
            let mut look = || {
                if parking.is_open() {
                    parking.take(|_, number, value| {
                        assert_eq!(number, 5);
                        heard.push(value);
                    });
                }
            };
            look();
            let superseded = port.join().unwrap();
            look();
            assert_eq!(heard.last(), Some(&2), "{heard:?}");
            assert!(heard.is_sorted(), "{heard:?}");
            let lost = superseded.iter().filter(|it| **it).count();
            assert!(heard.len() + lost >= 2, "{heard:?} and {lost}");
        });
    }
);

#[cfg(test)]
mod tests {
    macro_rules! models {
        ($($part:ident: $($mutant:ident),+;)+) => {
            [$($((stringify!($part), stringify!($mutant), crate::$part::$mutant::model as fn())),+),+]
        };
    }

    /// Whether a model fails, on a thread of its own: what it leaves behind goes with it.
    fn fails(model: fn()) -> bool {
        std::thread::spawn(model).join().is_err()
    }

    #[test]
    fn what_is_shipped_holds_in_every_order() {
        let shipped = models! {
            peak_cell: as_shipped;
            button: as_shipped;
            note_cell: as_shipped;
            first: as_shipped;
            lease: as_shipped;
            parking: as_shipped;
        };
        for (part, _, model) in shipped {
            assert!(!fails(model), "{part}");
        }
    }

    #[test]
    fn every_planted_mutant_is_caught() {
        let mutants = models! {
            peak_cell: take_in_two_steps, raise_without_looking;
            button: change_in_two_steps, count_what_changes_nothing;
            note_cell: no_fence_behind_the_odd_number, no_fence_before_the_second_look,
                number_without_release, first_look_without_acquire, no_second_look,
                the_same_number_for_every_note;
            first: two_may_be_first, ready_without_release, ready_before_it_is_written,
                read_without_acquire, read_twice;
            lease: revoke_leaves_the_place, a_call_does_not_put_back, revoke_leaves_before_it_takes;
            parking: closed_behind_the_look, bit_before_the_value, bit_without_release,
                bits_without_acquire, never_opened;
        };
        // Not one at a time: the list says at once what is not seen.
        let unseen: Vec<_> = mutants
            .into_iter()
            .filter(|(_, _, model)| !fails(*model))
            .map(|(part, mutant, _)| format!("{part}: {mutant}"))
            .collect();
        assert_eq!(unseen, [""; 0]);
    }
}
