//! One process may have several clients of one JACK server (sound, MIDI), but libjack knows one server at a
//! time: when the server has died and a new client is opened while an old one is still open, the library
//! frees the old one under its owner's hands. So nobody opens a client before the last of the dead server's
//! is closed.
//!
//! And jack2's library keeps one table for a process: by a client's number, the semaphore that wakes it. While our
//! first client opens, it takes in who is there, but not yet that somebody leaves
//! (`JackLibClient::ClientNotifyImp`, which looks for its own name first). The next client of that number is
//! then given a semaphore that nobody waits at, or waits at one that nobody signals, and a synchronous server waits
//! for it in every cycle.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Release;
use std::time::Duration;

/// How many times one of our clients was told that its server had gone.
static DEATHS: AtomicU64 = AtomicU64::new(0);
/// For each client that is open: `DEATHS` when it was opened. Main threads only.
static OPEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// A client's part in it. To be dropped after the client is closed.
#[derive(Debug)]
pub(crate) struct Member {
    since: u64,
}

/// `[any]` A client was told that its server has gone. Nothing but an atomic addition: the caller is a kind
/// of signal handler.
pub(crate) fn has_died() {
    DEATHS.fetch_add(1, Release);
}

impl Member {
    /// `[main]` A part for a client that is about to be opened; `None` while clients of a dead server are open.
    pub(crate) fn join() -> Option<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let now = DEATHS.load(Acquire);
        if open.iter().any(|since| *since != now) {
            return None;
        }
        open.push(now);
        Some(Self { since: now })
    }

    /// `[main]` Whether the client's server has gone: close the client soon.
    #[cfg_attr(not(any(target_os = "linux", target_os = "freebsd")), allow(dead_code))]
    pub(crate) fn is_orphaned(&self) -> bool {
        self.since != DEATHS.load(Acquire)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|since| *since == self.since) {
            open.swap_remove(at);
        }
    }
}

/// How long a client that leaves may take until the library has let go of it.
const LEAVING: Duration = Duration::from_millis(20);

/// `[main]` Whether the library still holds the semaphore of a client that has left, which no later client will
/// give back. Seen on Linux; nothing is known of it elsewhere.
pub(super) fn remembers_leavers() -> bool {
    let looks_so = || {
        let maps = std::fs::read_to_string("/proc/self/maps");
        maps.is_ok_and(|maps| maps.lines().any(is_of_a_leaver))
    };
    looks_so() && {
        std::thread::sleep(LEAVING);
        looks_so()
    }
}

/// A line of proc(5)'s `maps`: the server takes a client's semaphore out of its folder when the client leaves.
fn is_of_a_leaver(line: &str) -> bool {
    line.contains("/jack_sem.") && line.ends_with(" (deleted)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_joins_until_the_last_client_of_a_dead_server_is_closed() {
        let (one, two) = (Member::join().unwrap(), Member::join().unwrap());
        assert!(!one.is_orphaned());
        has_died();
        assert!(one.is_orphaned() && two.is_orphaned());
        assert!(Member::join().is_none());
        has_died();
        drop(one);
        assert!(Member::join().is_none());
        drop(two);
        let next = Member::join().unwrap();
        assert!(!next.is_orphaned());
    }
}
