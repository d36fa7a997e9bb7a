//! The threads that this program starts itself, and where their stacks are: for the memory map.
//!
//! The audio thread is not among them: it may be the host's, or the audio system's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stack::stack_of_this_thread;
use crate::memory::Place;

/// One thread of ours that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnThread {
    /// What it does.
    pub name: &'static str,
    /// The system's number of it; 0 where the system has none.
    pub thread_id: u64,
    /// Its stack, all of it that may be used; of no bytes where the system does not tell.
    pub stack: Place,
}

static THREADS: Mutex<Vec<OwnThread>> = Mutex::new(Vec::new());

/// The list is whole after any panic: each change is one call.
fn threads() -> MutexGuard<'static, Vec<OwnThread>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the calling thread in the list for as long as it lives.
#[derive(Debug)]
#[must_use]
pub struct Enlisted(OwnThread);

/// `[main]` Puts the calling thread into the list, from a thread that may wait: the first thing that it
/// does.
pub fn enlist_thread(name: &'static str) -> Enlisted {
    let thread_id = super::thread_id();
    let thread = OwnThread {
        name,
        thread_id,
        stack: stack_of_this_thread().unwrap_or(Place::planned::<u8>(0)),
    };
    threads().push(thread);
    Enlisted(thread)
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        let mut threads = threads();
        if let Some(at) = threads.iter().position(|thread| *thread == self.0) {
            threads.swap_remove(at);
        }
    }
}

/// `[main]` The threads that are in the list now.
pub fn own_threads() -> Vec<OwnThread> {
    threads().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_in_the_list_while_it_runs_and_its_stack_holds_what_it_has_there() {
        let named = |name| own_threads().into_iter().find(|it| it.name == name);
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _enlisted = enlist_thread("test one");
                let here = 0_u8;
                let here = (&raw const here).addr();
                (named("test one").expect("it runs"), here)
            });
            let (thread, here) = thread.join().unwrap();
            if cfg!(target_os = "linux") {
                let stack = thread.stack;
                assert!(
                    (stack.address..stack.address + stack.bytes).contains(&here),
                    "{stack:?} {here:#x}"
                );
            }
        });
        assert_eq!(named("test one"), None);
    }
}
