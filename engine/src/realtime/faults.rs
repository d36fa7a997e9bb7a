//! Page faults and context switches of a thread, read outside the guard.
#![allow(unsafe_code)]

/// Page faults of one thread since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadFaults {
    /// Faults served without the disk: a page touched for the first time.
    pub minor: u64,
    /// Faults that waited for the disk.
    pub major: u64,
}

impl ThreadFaults {
    /// `[any]` Of the calling thread; a system call, so never inside the guard. Zero where the system
    /// does not tell.
    pub fn of_this_thread() -> Self {
        #[cfg(target_os = "linux")]
        {
            let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
            // SAFETY: the kernel fills the struct it is given; zeroed is a valid rusage.
            let usage = unsafe {
                if libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) != 0 {
                    return Self::default();
                }
                usage.assume_init()
            };
            Self {
                minor: usage.ru_minflt as u64,
                major: usage.ru_majflt as u64,
            }
        }
        #[cfg(not(target_os = "linux"))]
        Self::default()
    }

    /// `[main]` Of another thread of this process, by the number the system gave it; `None` when it is
    /// gone or the system does not tell.
    pub fn of_thread(thread_id: u64) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let stat = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/stat")).ok()?;
        // The name in parentheses may hold anything; the fields start behind the last one. proc(5):
        // minflt is field 10, majflt field 12, and the first field behind the name is field 3.
        let fields = stat.rsplit_once(')')?.1;
        let mut fields = fields.split_ascii_whitespace().skip(10 - 3);
        let minor = fields.next()?.parse().ok()?;
        let major = fields.nth(1)?.parse().ok()?;
        Some(Self { minor, major })
    }

    /// `[any]` What came after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            minor: self.minor.saturating_sub(earlier.minor),
            major: self.major.saturating_sub(earlier.major),
        }
    }
}

/// How often a thread gave the processor away since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadSwitches {
    /// It waited: for the device, between two blocks.
    pub voluntary: u64,
    /// Another was put in its place while it had work.
    pub involuntary: u64,
}

impl ThreadSwitches {
    /// `[main]` Of a thread of this process; `None` when it is gone or the system does not tell.
    pub fn of_thread(thread_id: u64) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let status = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/status")).ok()?;
        let count = |key: &str| {
            let mut lines = status.lines();
            lines.find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
        };
        Some(Self {
            voluntary: count("voluntary_ctxt_switches:")?,
            involuntary: count("nonvoluntary_ctxt_switches:")?,
        })
    }

    /// `[any]` What came after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            voluntary: self.voluntary.saturating_sub(earlier.voluntary),
            involuntary: self.involuntary.saturating_sub(earlier.involuntary),
        }
    }
}

/// `[any]` The calling thread's number; a system call. Zero where there is none.
pub(crate) fn thread_id() -> u64 {
    #[cfg(target_os = "linux")]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::gettid() } as u64;
    #[cfg(not(target_os = "linux"))]
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_seen_as_switches_of_ones_own_will() {
        let switches = || ThreadSwitches::of_thread(thread_id()).unwrap();
        let before = switches();
        for _ in 0..10 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let since = switches().since(before);
        assert!(since.voluntary >= 10, "{since:?}");
    }

    #[test]
    fn touching_fresh_pages_is_seen_from_inside_and_outside() {
        let before = ThreadFaults::of_this_thread();
        let mut map = memmap2::MmapMut::map_anon(64 * 4096).unwrap();
        for page in map.chunks_mut(4096) {
            page[0] = 1;
        }
        let inside = ThreadFaults::of_this_thread().since(before);
        assert!(inside.minor >= 1, "{inside:?}");
        let outside = ThreadFaults::of_thread(thread_id()).unwrap().since(before);
        assert!(outside.minor >= inside.minor, "{outside:?} {inside:?}");
    }
}
