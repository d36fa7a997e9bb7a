//! Mapped files that are cut while they are read: an error, and not the end of the program.
//!
//! Reading a mapped page behind the end of its file raises SIGBUS, and so does a disk that fails. For
//! the ranges that are watched, and for no other address, the signal's handler puts pages of zeros in
//! the place of what is not there any more and notes it; the reading thread goes on, sees the note, and
//! throws away what it has read. Every other SIGBUS goes where it went before.
#![allow(unsafe_code)]

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;

/// Ranges that can be watched at once. A file beyond them is read and not mapped.
const MAX_RANGES: usize = 32;

/// What the handler knows of one range. Only the thread that reads the range raises its faults, and the
/// range stays as it is while that thread reads: so the handler, which runs on that thread, sees it whole.
struct Place {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    cut: AtomicBool,
}

static PLACES: [Place; MAX_RANGES] = [const {
    Place {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        cut: AtomicBool::new(false),
    }
}; MAX_RANGES];

/// What SIGBUS did before, and the size of a page.
static BEFORE: OnceLock<(libc::sigaction, usize)> = OnceLock::new();

/// A range of addresses that may be read even where its file has ended. Dropping it ends the watch: keep it
/// for as long as the range is read.
pub(super) struct BusGuard {
    place: &'static Place,
}

impl BusGuard {
    /// `[main]` Watches a mapping of `bytes` that starts at the page `start`; `None` when there is no room, or
    /// the system refuses.
    pub(super) fn new(start: *const u8, bytes: usize) -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let (_, page_bytes) = BEFORE.get()?;
        let start = start as usize;
        // A mapping ends on a whole page.
        let end = start + bytes.next_multiple_of(*page_bytes);
        let free = |place: &&Place| {
            let taken = place.taken.compare_exchange(false, true, Acquire, Relaxed);
            taken.is_ok()
        };
        let place = PLACES.iter().find(free)?;
        place.cut.store(false, Relaxed);
        place.end.store(end, Relaxed);
        // Release, for a reader that is another thread than this one.
        place.start.store(start, Release);
        Some(Self { place })
    }

    /// `[any]` Whether some of what was read was not there.
    pub(super) fn is_cut(&self) -> bool {
        self.place.cut.load(Acquire)
    }
}

impl Drop for BusGuard {
    fn drop(&mut self) {
        self.place.end.store(0, Relaxed);
        self.place.start.store(0, Relaxed);
        self.place.taken.store(false, Release);
    }
}

/// Sets the handler, once in a process.
fn is_installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| install().is_ok())
}

fn install() -> io::Result<()> {
    // SAFETY: both calls are given valid pointers to structures of the kind they are for; a zeroed
    // `sigaction` is a valid one. The handler does nothing that is forbidden in one (see there).
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut before) != 0 {
            return Err(io::Error::last_os_error());
        }
        let page_bytes = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
        // Before the handler can run.
        let _set_once = BEFORE.set((before, page_bytes));
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = on_bus_error as *const () as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        if libc::sigaction(libc::SIGBUS, &ours, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Runs on the thread that reads. It allocates nothing, takes no lock, and leaves `errno` as it was.
extern "C" fn on_bus_error(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) {
    // SAFETY: the kernel hands a valid `info` to a handler with SA_SIGINFO. `errno` is this thread's. What
    // is mapped anew lies inside a range that its owner keeps mapped for as long as the guard lives, and
    // holds nothing but a file's bytes, which are only ever copied out.
    unsafe {
        let errno = *libc::__errno_location();
        // Positive: the kernel's own, about an address. Others sent the rest.
        let is_fault = (*info).si_code > 0;
        if is_fault && mend((*info).si_addr() as usize) {
            *libc::__errno_location() = errno;
            return;
        }
        if let Some((before, _)) = BEFORE.get() {
            // A fault happens again when this returns, and then it is theirs.
            libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut());
            if !is_fault {
                libc::raise(signal);
            }
        }
        *libc::__errno_location() = errno;
    }
}

/// Puts zeros in the place of a watched range's rest, from the page of `address` on; `false` if it is not in
/// one.
fn mend(address: usize) -> bool {
    let Some((_, page_bytes)) = BEFORE.get() else {
        return false;
    };
    let holds = |place: &&Place| {
        let start = place.start.load(Acquire);
        start != 0 && (start..place.end.load(Relaxed)).contains(&address)
    };
    let Some(place) = PLACES.iter().find(holds) else {
        return false;
    };
    let page = address - address % page_bytes;
    let bytes = place.end.load(Relaxed) - page;
    // SAFETY: the pages lie inside the watched range (see above), which starts and ends on whole pages.
    let zeros = unsafe {
        libc::mmap(
            page as *mut libc::c_void,
            bytes,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    if zeros == libc::MAP_FAILED {
        return false;
    }
    place.cut.store(true, Release);
    true
}
