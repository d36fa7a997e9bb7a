//! Keeping in memory what is not audio memory but what the audio thread runs on: the program's code, its
//! libraries, the heap that queues lie in, what it shares with other processes, the threads' stacks.
//!
//! Range by range and never `mlockall`: with `MCL_FUTURE` and a limit a later allocation fails and the
//! program ends, and a mapped sound file would be held whole. The main thread's stack is left out: one that
//! is locked and grows past the limit is a segmentation fault.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
use super::maps::Mapping;

/// What [`lock_program`] found and did, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockedProgram {
    /// All that it would have locked.
    pub wanted_bytes: u64,
    /// What is locked now, of that.
    pub locked_bytes: u64,
}

/// `[main]` Locks what is mapped now and not locked yet, most needed first, taking no more than
/// `budget_bytes` of the limit (`None` where there is no limit). Code and heap become present; stacks and
/// large buffers stay present once touched.
///
/// Where the system has no such call, or refuses, less is locked than wanted, and nothing else happens.
#[cfg(target_os = "linux")]
pub fn lock_program(budget_bytes: Option<u64>) -> LockedProgram {
    let mut done = LockedProgram::default();
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let program = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    let mut left_bytes = budget_bytes.unwrap_or(u64::MAX);
    for range in ranges(&maps, &program.to_string_lossy()) {
        let bytes = (range.end - range.start) as u64;
        done.wanted_bytes += bytes;
        // Part of the code is better than none; part of a stack would be the wrong end.
        let bytes = match range.rank {
            Rank::Anonymous if bytes > left_bytes => 0,
            _ => bytes.min(left_bytes / PAGE_BYTES * PAGE_BYTES),
        };
        if bytes > 0 && lock(&range, bytes as usize) {
            left_bytes -= bytes;
            done.locked_bytes += bytes;
        }
    }
    done
}

/// `[main]` There is no such call here: nothing is wanted, nothing is locked.
#[cfg(not(target_os = "linux"))]
pub fn lock_program(_: Option<u64>) -> LockedProgram {
    LockedProgram::default()
}

#[cfg(target_os = "linux")]
const PAGE_BYTES: u64 = 4096;

/// The first `bytes` of a range, at most all of it.
#[cfg(target_os = "linux")]
fn lock(range: &Range, bytes: usize) -> bool {
    let start = range.start as *const libc::c_void;
    // SAFETY: locking changes neither contents nor rights of pages; a range that has been unmapped since
    // it was listed is refused.
    unsafe {
        match range.rank {
            Rank::Anonymous => libc::mlock2(start, bytes, libc::MLOCK_ONFAULT) == 0,
            Rank::Heap | Rank::Shared | Rank::Program | Rank::Library => {
                libc::mlock(start, bytes) == 0
            }
        }
    }
}

/// What a range is for us; the first is locked first.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Queues and planes that the audio thread reads and writes.
    Heap,
    /// What is shared with other processes: meters and sound for the screen, a sound server's buffers.
    Shared,
    /// Our own code and data.
    Program,
    /// Stacks of threads, large buffers; mostly address space that is never touched.
    Anonymous,
    /// Code and data of shared libraries.
    Library,
}

#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    rank: Rank,
    start: usize,
    end: usize,
}

/// The ranges of /proc/PID/smaps, proc(5), that are worth locking and are not locked yet, most needed first.
#[cfg(target_os = "linux")]
fn ranges(maps: &str, program: &str) -> Vec<Range> {
    let entries: Vec<Entry<'_>> = entries(maps);
    // A file is code if any part of it can run: a mapped sound file is none.
    let is_code = |path: &str| {
        let mut mappings = entries.iter().map(|entry| entry.mapping);
        mappings.any(|mapping| mapping.path == path && mapping.rights.contains('x'))
    };
    let mut ranges: Vec<Range> = entries
        .iter()
        .filter(|entry| !entry.is_locked && entry.mapping.rights.starts_with('r'))
        .filter_map(|entry| {
            let Mapping {
                start,
                end,
                rights,
                path,
            } = entry.mapping;
            let rank = match path {
                "[heap]" => Rank::Heap,
                "" if rights == "rw-p" => Rank::Anonymous,
                path if rights.ends_with('s') && is_shared_memory(path) => Rank::Shared,
                path if path.starts_with('[') || rights.ends_with('s') => return None,
                path if path == program => Rank::Program,
                path if is_code(path) => Rank::Library,
                _ => return None,
            };
            Some(Range { rank, start, end })
        })
        .collect();
    ranges.sort();
    ranges
}

/// Memory that has a file's name and is none on a disk.
#[cfg(target_os = "linux")]
fn is_shared_memory(path: &str) -> bool {
    path.starts_with("/memfd:") || path.starts_with("/dev/shm/")
}

#[cfg(target_os = "linux")]
struct Entry<'a> {
    mapping: Mapping<'a>,
    is_locked: bool,
}

#[cfg(target_os = "linux")]
fn entries(maps: &str) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for line in maps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            if let Some(last) = entries.last_mut() {
                // `lo`: locked; `io` and `pf`: a device's memory, which cannot be.
                let mut flags = flags.split_ascii_whitespace();
                last.is_locked = flags.any(|flag| matches!(flag, "lo" | "io" | "pf"));
            }
        } else if let Some(mapping) = Mapping::parse(line) {
            entries.push(Entry {
                mapping,
                is_locked: false,
            });
        }
    }
    entries
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d000000000-55d000001000 r--p 00000000 fe:00 11   /bin/my rack
Rss:                   4 kB
VmFlags: rd mr mw me
55d000001000-55d000003000 r-xp 00001000 fe:00 11   /bin/my rack
VmFlags: rd ex mr mw me
55d000100000-55d000121000 rw-p 00000000 00:00 0    [heap]
VmFlags: rd wr mr mw me ac
7f0000000000-7f0000200000 rw-p 00000000 00:00 0 
VmFlags: rd wr mr mw me ac
7f0000200000-7f0000300000 rw-p 00000000 00:00 0 
VmFlags: rd wr mr mw me ac lo
7f0000300000-7f0000301000 ---p 00000000 00:00 0 
VmFlags: mr mw me
7f0001000000-7f0002000000 r--s 00000000 fe:00 12   /music/loop.wav
VmFlags: rd mr me
7f0002000000-7f0003000000 r--p 00000000 fe:00 13   /music/loop.flac
VmFlags: rd mr me
7f0003000000-7f0003001000 r--p 00000000 fe:00 14   /lib/libc.so.6
VmFlags: rd mr mw me
7f0003001000-7f0003002000 r-xp 00001000 fe:00 14   /lib/libc.so.6
VmFlags: rd ex mr mw me
7f0004000000-7f0004001000 rw-s 00000000 00:05 15   /dev/snd/pcmC0D0p
VmFlags: rd wr sh mr mw me ms io pf
7f0005000000-7f0005004000 rw-s 00000000 00:01 16   /memfd:headroom (deleted)
VmFlags: rd wr sh mr mw me ms
7f0006000000-7f0006004000 rw-s 00000000 00:02 17   /dev/shm/jack-0-buffers
VmFlags: rd wr sh mr mw me ms
7f0006004000-7f0006008000 rw-s 00000000 00:02 17   /dev/shm/jack-0-locked
VmFlags: rd wr sh mr mw me ms lo
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0    [stack]
VmFlags: rd wr mr mw me gd ac
7ffc00100000-7ffc00102000 r-xp 00000000 00:00 0    [vdso]
VmFlags: rd ex mr mw me de
";

    #[test]
    fn code_heap_shared_memory_and_thread_stacks_are_locked_and_nothing_that_grows_or_is_a_file_of_sound()
     {
        let found: Vec<_> = ranges(MAPS, "/bin/my rack")
            .iter()
            .map(|range| (range.rank, range.start))
            .collect();
        assert_eq!(
            found,
            [
                (Rank::Heap, 0x55d0_0010_0000),
                (Rank::Shared, 0x7f00_0500_0000),
                (Rank::Shared, 0x7f00_0600_0000),
                (Rank::Program, 0x55d0_0000_0000),
                (Rank::Program, 0x55d0_0000_1000),
                (Rank::Anonymous, 0x7f00_0000_0000),
                (Rank::Library, 0x7f00_0300_0000),
                (Rank::Library, 0x7f00_0300_1000),
            ]
        );
    }

    #[test]
    fn no_more_is_locked_than_the_budget_allows() {
        let locked_kib = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmLck"));
            let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1));
            kib.unwrap().parse::<u64>().unwrap()
        };
        let before = locked_kib();
        let budget = 600 * 1024;
        let done = lock_program(Some(budget));
        assert!(done.wanted_bytes > budget, "{done:?}");
        assert!(
            0 < done.locked_bytes && done.locked_bytes <= budget,
            "{done:?}"
        );
        // Other tests of this process lock regions of their own meanwhile, where they share it.
        assert!(locked_kib() >= before, "{done:?}");
        assert_eq!(lock_program(Some(0)).locked_bytes, 0);
    }
}
