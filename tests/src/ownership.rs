//! What a process holds of the system, and what is left of it after something should be gone.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use headroom_engine::memory::audio_memory;

/// What a process holds: every figure is zero for what has been given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Bytes that live on the heap.
    pub heap_bytes: usize,
    /// Bytes of audio memory.
    pub region_bytes: usize,
    /// Address space.
    pub mapped_bytes: usize,
    /// Of which are present.
    pub resident_bytes: usize,
    /// Pieces of it.
    pub mappings: usize,
    /// Threads.
    pub threads: usize,
    /// Open file descriptors.
    pub descriptors: usize,
}

/// The C library keeps pages for its next allocations, as many as it likes: what is present may be more by
/// this, and no more than that however long a test runs. Bytes of the heap itself are counted exactly.
const RESIDENT_SLACK_BYTES: usize = 512 << 10;
/// A thread that was joined is still listed for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

impl Holdings {
    /// What this process holds now; `heap_bytes` is told by its allocator.
    pub fn now(heap_bytes: impl Fn() -> usize) -> Self {
        // Before the lists below are read, which live on the heap themselves.
        let heap_bytes = heap_bytes();
        let count = |list: &str| {
            let list = std::fs::read_dir(Path::new("/proc/self").join(list));
            list.expect("Linux shows it").count()
        };
        let read = |file: &str| {
            std::fs::read_to_string(Path::new("/proc/self").join(file)).expect("Linux shows it")
        };
        let threads = count("task");
        let descriptors = count("fd");
        let mappings = read("maps").lines().count();
        // Pages: the whole program, and what is present (proc_pid_statm(5)).
        let statm = read("statm");
        let mut pages = statm.split_ascii_whitespace().map(|pages| {
            let pages: usize = pages.parse().expect("a number");
            pages * 4096
        });
        Self {
            heap_bytes,
            region_bytes: audio_memory().bytes,
            mapped_bytes: pages.next().expect("the first field"),
            resident_bytes: pages.next().expect("the second field"),
            mappings,
            threads,
            descriptors,
        }
    }

    /// What there is now and was not `before`, each by its name; empty when all was given back. Waits a
    /// while for what is still on its way.
    pub fn left_since(before: Self, heap_bytes: impl Fn() -> usize) -> Vec<Left> {
        let start = Instant::now();
        loop {
            let left = Self::now(&heap_bytes).beyond(before);
            if left.is_empty() || start.elapsed() > PATIENCE {
                return left;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn beyond(self, before: Self) -> Vec<Left> {
        let slack = RESIDENT_SLACK_BYTES;
        let figures = [
            ("bytes of the heap", self.heap_bytes, before.heap_bytes, 0),
            (
                "bytes of regions",
                self.region_bytes,
                before.region_bytes,
                0,
            ),
            ("mapped bytes", self.mapped_bytes, before.mapped_bytes, 0),
            (
                "resident bytes",
                self.resident_bytes,
                before.resident_bytes,
                slack,
            ),
            ("mappings", self.mappings, before.mappings, 0),
            ("threads", self.threads, before.threads, 0),
            ("descriptors", self.descriptors, before.descriptors, 0),
        ];
        let more = figures
            .into_iter()
            .filter(|(_, now, before, slack)| *now > before + slack);
        more.map(|(what, now, before, _)| Left {
            what,
            more: now - before,
        })
        .collect()
    }
}

/// Something that was not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What it is.
    pub what: &'static str,
    /// How much there is more of it.
    pub more: usize,
}

impl fmt::Display for Left {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {} more", self.more, self.what)
    }
}
