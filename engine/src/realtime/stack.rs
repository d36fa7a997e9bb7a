//! How much of its stack an audio thread uses: the part below is painted before the first sound, and
//! where the paint is gone it was used. Read from outside, so the audio thread pays nothing for it.
//!
//! Only for threads that the program itself has play: in a host, the thread is the host's.
#![allow(unsafe_code)]

use super::note_cell::NoteCell;
use crate::memory::Place;

/// The painted stack of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackWatch {
    thread_id: u64,
    /// The lowest byte of the stack, and one behind its highest.
    low: u64,
    top: u64,
    /// What was painted, inside of it.
    painted_low: u64,
    painted_top: u64,
}

/// No stack holds this by chance.
#[cfg(target_os = "linux")]
const PAINT: u64 = 0x5bad_c0de_7a1e_d0c5;
/// Left alone at the end of the stack, where libraries may have marks of their own.
#[cfg(target_os = "linux")]
const MARGIN_BYTES: u64 = 64;
/// Left alone below the stack pointer: the painter itself, the red zone, a signal's frame.
#[cfg(target_os = "linux")]
const OWN_BYTES: u64 = 4096;
/// Painted at most, the part nearest to what is used: a stack without a limit would be taken whole.
#[cfg(target_os = "linux")]
const MOST_PAINTED_BYTES: u64 = 8 << 20;
#[cfg(target_os = "linux")]
const READ_BYTES: usize = 64 * 1024;

impl StackWatch {
    /// `[audio]` Paints what is free of the calling thread's stack, which also makes it present. System
    /// calls, and about a millisecond for 2 MiB: in the priming block only. `None` on the first thread
    /// of a process, whose stack is not there before it grows, and where the system does not tell.
    pub fn paint() -> Option<Self> {
        #[cfg(target_os = "linux")]
        {
            let thread_id = super::thread_id();
            let (low, top) = bounds(thread_id)?;
            let here = 0_u8;
            let here = (&raw const here).expose_provenance() as u64;
            let painted_top = (here.checked_sub(OWN_BYTES)?) & !7;
            let lowest = low + MARGIN_BYTES;
            let painted_low = (lowest.max(painted_top.saturating_sub(MOST_PAINTED_BYTES)) + 7) & !7;
            // A stack of someone's own making, which this thread happens to run on, is not the one above.
            if !(low..top).contains(&here) || painted_low >= painted_top {
                return None;
            }
            paint(painted_low, painted_top);
            Some(Self {
                thread_id,
                low,
                top,
                painted_low,
                painted_top,
            })
        }
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// `[main]` Bytes of the stack that the thread has used since it was painted, at its deepest. `None`
    /// once the thread has ended, or where the system does not show. Reads what is left of the paint:
    /// a fraction of a millisecond.
    pub fn used_bytes(&self) -> Option<u64> {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::FileExt;
            // Through the system and not by a pointer: the stack of a thread that ends meanwhile is unmapped,
            // which here is an error.
            let memory = std::fs::File::open("/proc/self/mem").ok()?;
            let mut words = [0_u8; READ_BYTES];
            let mut at = self.painted_low;
            while at < self.painted_top {
                let left = usize::try_from(self.painted_top - at).unwrap_or(READ_BYTES);
                let piece = &mut words[..left.min(READ_BYTES)];
                memory.read_exact_at(piece, at).ok()?;
                if let Some(clean) = clean_bytes(piece) {
                    at += clean;
                    break;
                }
                at += piece.len() as u64;
            }
            // Another thread may have been given the stack of one that has ended.
            let task = format!("/proc/self/task/{}", self.thread_id);
            std::path::Path::new(&task)
                .exists()
                .then_some(self.top - at)
        }
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// `[any]` Bytes that the whole stack has.
    pub fn limit_bytes(&self) -> u64 {
        self.top - self.low
    }

    /// `[any]` Where the whole stack is.
    pub fn place(&self) -> Place {
        Place {
            address: self.low as usize,
            bytes: self.limit_bytes() as usize,
            align_bytes: 4096,
        }
    }

    /// `[any]` The number of the thread, as the system gave it.
    pub fn thread_id(&self) -> u64 {
        self.thread_id
    }
}

/// Where an audio thread leaves its watch for the main thread; another one later takes its place.
#[derive(Debug, Default)]
pub struct StackCell(NoteCell<5>);

impl StackCell {
    /// `[audio]` Paints the calling thread's stack, as [`StackWatch::paint`] does and with the same
    /// restrictions, and leaves the watch here.
    pub fn paint(&self) {
        self.0.clear();
        if let Some(watch) = StackWatch::paint() {
            let StackWatch {
                thread_id,
                low,
                top,
                painted_low,
                painted_top,
            } = watch;
            self.0.put([thread_id, low, top, painted_low, painted_top]);
        }
    }

    /// `[main]` The newest watch; `None` before the first, and while one is being written.
    pub fn watch(&self) -> Option<StackWatch> {
        let [thread_id, low, top, painted_low, painted_top] = self.0.get()?;
        Some(StackWatch {
            thread_id,
            low,
            top,
            painted_low,
            painted_top,
        })
    }
}

/// `[any]` The calling thread's stack, without its guard; `None` on the first thread of a process, and where
/// the system does not tell.
pub(super) fn stack_of_this_thread() -> Option<Place> {
    #[cfg(target_os = "linux")]
    {
        let (low, top) = bounds(super::thread_id())?;
        Some(Place {
            address: usize::try_from(low).ok()?,
            bytes: usize::try_from(top - low).ok()?,
            align_bytes: 4096,
        })
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// The first and the last byte but one of the calling thread's stack, without its guard.
#[cfg(target_os = "linux")]
fn bounds(thread_id: u64) -> Option<(u64, u64)> {
    if thread_id == u64::from(std::process::id()) {
        return None;
    }
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut low = std::ptr::null_mut();
    let mut bytes = 0;
    // SAFETY: the calling thread is alive; the attributes are read only where the call says that it has
    // filled them, and given back then.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let mut attributes = attributes.assume_init();
        let refused = libc::pthread_attr_getstack(&raw const attributes, &mut low, &mut bytes);
        libc::pthread_attr_destroy(&raw mut attributes);
        if refused != 0 {
            return None;
        }
    }
    let low = low.addr() as u64;
    Some((low, low.checked_add(bytes as u64)?))
}

/// Paints the words from `low` up to `top`.
#[cfg(target_os = "linux")]
#[inline(never)]
fn paint(low: u64, top: u64) {
    // Downwards, as a stack grows: a system that only maps what lies near its end sees nothing strange.
    let mut at = top;
    while at > low {
        at -= 8;
        let word = std::ptr::with_exposed_provenance_mut::<u64>(at as usize);
        // SAFETY: paint() of the watch checked that the words from low to top lie in the calling thread's
        // own stack, OWN_BYTES below its pointer: mapped, writable, and in nobody's use.
        unsafe { word.write_volatile(PAINT) };
    }
}

/// How many bytes at the front are paint; `None` if all are.
#[cfg(target_os = "linux")]
fn clean_bytes(piece: &[u8]) -> Option<u64> {
    let (words, _) = piece.as_chunks::<8>();
    let used = words
        .iter()
        .position(|word| u64::from_ne_bytes(*word) != PAINT)?;
    Some(used as u64 * 8)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_thread_of_a_process_is_left_alone() {
        assert!(bounds(u64::from(std::process::id())).is_none());
    }

    #[test]
    fn what_is_used_is_found_to_the_word() {
        let mut piece = PAINT.to_ne_bytes().repeat(8);
        assert_eq!(clean_bytes(&piece), None);
        piece[43] ^= 1;
        assert_eq!(clean_bytes(&piece), Some(40));
        piece[0] ^= 1;
        assert_eq!(clean_bytes(&piece), Some(0));
    }

    #[test]
    fn a_cell_is_empty_until_a_thread_has_painted_and_then_shows_the_newest() {
        let cell = StackCell::default();
        assert_eq!(cell.watch(), None);
        let mut seen = Vec::new();
        for _ in 0..2 {
            let id = std::thread::scope(|scope| {
                let painted = scope.spawn(|| {
                    cell.paint();
                    super::super::thread_id()
                });
                painted.join().unwrap()
            });
            seen.push((cell.watch().unwrap().thread_id(), id));
        }
        assert!(seen.iter().all(|(seen, id)| seen == id), "{seen:?}");
        assert_ne!(seen[0].0, seen[1].0);
    }
}
