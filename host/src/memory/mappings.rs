//! What the system says of this process's memory, beside what our map says of it: every mapping in
//! which something of ours lies, how much of it is ours, and how much of that is present. The rest is
//! listed by name.

use std::fmt;

use headroom_engine::memory;
use serde::{Deserialize, Serialize};

use super::report::{PartReport, grouped, hexadecimal};
use crate::table::columns;

#[cfg(target_os = "linux")]
const PAGE_BYTES: usize = 4096;

/// One mapping of the process, as `/proc/PID/smaps` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// A file, `[heap]`, `[stack]`; of memory without a name, what it is known to be for.
    pub name: String,
    /// Its first byte, as `0x7f00`.
    #[serde(with = "hexadecimal")]
    pub start: usize,
    /// Its size.
    pub bytes: usize,
    /// Present.
    pub rss_bytes: usize,
    /// Kept from being paged out.
    pub locked_bytes: usize,
    /// Of the map: bytes that lie in it, each counted once.
    pub ours_bytes: usize,
    /// Of which present.
    pub ours_present_bytes: usize,
    /// Present, and not of the map: `rss_bytes` less `ours_present_bytes`.
    pub rest_bytes: usize,
}

/// All mappings of a process that have anything present.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mappings {
    /// All that is present.
    pub rss_bytes: usize,
    /// All that is in the map.
    pub ours_bytes: usize,
    /// Of which present.
    pub ours_present_bytes: usize,
    /// Bytes of the map that lie in no mapping: a mistake of ours, or memory given back meanwhile.
    pub astray_bytes: usize,
    /// By address.
    pub list: Vec<Mapping>,
}

impl Mappings {
    /// `[main]` Reads the system's lists, lays `parts` over them, and corrects what they say of their pages;
    /// `None` where there are no such lists.
    pub(crate) fn of_this_process(parts: &mut [PartReport]) -> Option<Self> {
        // First: what is present now is counted below too, what comes meanwhile is not ours to count.
        let present: Vec<_> = parts.iter().map(present_bytes).collect();
        let smaps = std::fs::read_to_string("/proc/self/smaps").ok()?;
        let stacks = stack_pointers();
        Some(Self::new(&smaps, parts, &present, &stacks))
    }

    /// The list in the text of `smaps` (proc_pid_smaps(5)), with `parts` laid over it, of which `present`
    /// says how much is there, where it is known; `stacks` are the threads' names and stack pointers.
    fn new(
        smaps: &str,
        parts: &mut [PartReport],
        present: &[Option<usize>],
        stacks: &[(String, usize)],
    ) -> Self {
        let mut list: Vec<(Mapping, Flags)> = Vec::new();
        for line in smaps.lines() {
            if let Some(head) = memory::Mapping::parse(line) {
                let flags = Flags {
                    shared: head.rights.ends_with('s'),
                    locked: false,
                };
                list.push((Mapping::new(&head, stacks), flags));
            } else if let Some((mapping, flags)) = list.last_mut() {
                match field(line) {
                    Some(("Rss", bytes)) => mapping.rss_bytes = bytes,
                    Some(("Locked", bytes)) => mapping.locked_bytes = bytes,
                    _ => {}
                }
                if let Some(words) = line.strip_prefix("VmFlags:") {
                    flags.locked = words.split_ascii_whitespace().any(|word| word == "lo");
                }
            }
        }
        let mut astray_bytes = 0;
        let whole = parts.iter_mut().zip(present).filter(|(it, _)| !it.inside);
        for (part, present) in whole {
            let end = part.address + part.bytes;
            let mut found = 0;
            let mut known = Flags {
                shared: false,
                locked: true,
            };
            for (mapping, flags) in &mut list {
                let overlap = end
                    .min(mapping.start + mapping.bytes)
                    .saturating_sub(part.address.max(mapping.start));
                if overlap == 0 {
                    continue;
                }
                mapping.ours_bytes += overlap;
                // A part lies in one mapping, but for one that was locked piece by piece.
                let share = |bytes: usize| bytes * overlap / part.bytes;
                mapping.ours_present_bytes += present.map_or(overlap, share);
                found += overlap;
                known.locked &= flags.locked;
                known.shared |= flags.shared;
            }
            astray_bytes += part.bytes - found;
            if found > 0 {
                part.locked = known.locked;
                part.shared = known.shared;
                part.prefaulted = present.map_or(part.prefaulted, |bytes| bytes == part.bytes);
            }
        }
        let list = list.into_iter().map(|(mut mapping, _)| {
            mapping.rest_bytes = mapping.rss_bytes.saturating_sub(mapping.ours_present_bytes);
            mapping
        });
        let list: Vec<Mapping> = list
            .filter(|it| it.rss_bytes > 0 || it.ours_bytes > 0)
            .collect();
        let sum = |of: fn(&Mapping) -> usize| list.iter().map(of).sum();
        Self {
            rss_bytes: sum(|it| it.rss_bytes),
            ours_bytes: sum(|it| it.ours_bytes),
            ours_present_bytes: sum(|it| it.ours_present_bytes),
            astray_bytes,
            list,
        }
    }
}

/// What holds for a whole mapping.
struct Flags {
    shared: bool,
    locked: bool,
}

impl Mapping {
    fn new(head: &memory::Mapping<'_>, stacks: &[(String, usize)]) -> Self {
        Self {
            name: name(head, stacks),
            start: head.start,
            bytes: head.end - head.start,
            rss_bytes: 0,
            locked_bytes: 0,
            ours_bytes: 0,
            ours_present_bytes: 0,
            rest_bytes: 0,
        }
    }
}

/// The system's name of a mapping, or else what it is known to hold: a thread's stack, by where that thread's
/// stack pointer is; the heap of threads, which glibc puts at multiples of 64 MiB.
fn name(head: &memory::Mapping<'_>, stacks: &[(String, usize)]) -> String {
    if !head.path.is_empty() {
        return head.path.to_owned();
    }
    let holds = |(_, at): &&(String, usize)| (head.start..head.end).contains(at);
    if let Some((thread, _)) = stacks.iter().find(holds) {
        return format!("(stack of {thread})");
    }
    let is_heap = cfg!(target_env = "gnu")
        && head.start.is_multiple_of(64 << 20)
        && head.rights.starts_with("rw");
    let known = if is_heap {
        "(heap of threads)"
    } else {
        "(no name)"
    };
    known.to_owned()
}

/// The threads of this process by name, and their stack pointers, as far as the system tells:
/// `/proc/PID/task/TID/syscall` (proc(5)) has none of a thread that runs.
fn stack_pointers() -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten() {
        let Ok(task) = task else { continue };
        let read = |file: &str| std::fs::read_to_string(task.path().join(file));
        if let (Ok(name), Ok(call)) = (read("comm"), read("syscall"))
            && let Some(pointer) = stack_pointer(&call)
        {
            found.push((name.trim().to_owned(), pointer));
        }
    }
    found
}

/// `202 0x7f.. 0x0 0x0 0x0 0x0 0x0 0x7ffd.. 0x7f..`: the last but one.
fn stack_pointer(call: &str) -> Option<usize> {
    let pointer = call.split_ascii_whitespace().rev().nth(1)?;
    usize::from_str_radix(pointer.strip_prefix("0x")?, 16).ok()
}

/// How many of a part's bytes lie on pages that are present (proc_pid_pagemap(5)); `None` where the system
/// does not tell.
fn present_bytes(part: &PartReport) -> Option<usize> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::FileExt;
        const ENTRY_BYTES: usize = 8;
        const PRESENT: u64 = 1 << 63;
        if part.inside || part.bytes == 0 {
            return None;
        }
        let pages = std::fs::File::open("/proc/self/pagemap").ok()?;
        let end = part.address + part.bytes;
        let first = part.address / PAGE_BYTES;
        let count = end.div_ceil(PAGE_BYTES) - first;
        let mut entries = vec![0; count * ENTRY_BYTES];
        let at = (first * ENTRY_BYTES) as u64;
        pages.read_exact_at(&mut entries, at).ok()?;
        let mut present = 0;
        for (page, entry) in (first..).zip(entries.as_chunks::<ENTRY_BYTES>().0) {
            if u64::from_ne_bytes(*entry) & PRESENT != 0 {
                let page = page * PAGE_BYTES;
                present += end.min(page + PAGE_BYTES) - part.address.max(page);
            }
        }
        Some(present)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = part;
        None
    }
}

/// `Rss:        132 kB`
fn field(line: &str) -> Option<(&str, usize)> {
    let (key, rest) = line.split_once(':')?;
    let kilobytes: usize = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((key, kilobytes << 10))
}

impl fmt::Display for Mappings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "of {} bytes of this process that are present, {} are in this map:\n",
            grouped(self.rss_bytes),
            grouped(self.ours_present_bytes)
        )?;
        let head = [
            "mapping", "present", "of ours", "the rest", "ours", "locked",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        // Mappings of one name, such as the parts of a library, are one line.
        let mut names: Vec<(&str, [usize; 5])> = Vec::new();
        for mapping in &self.list {
            let name = match (mapping.name.as_str(), mapping.ours_bytes) {
                ("(no name)", 1..) => "(no name, ours)",
                (name, _) => name,
            };
            let sizes = [
                mapping.rss_bytes,
                mapping.ours_present_bytes,
                mapping.rest_bytes,
                mapping.ours_bytes,
                mapping.locked_bytes,
            ];
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sums)) => sums
                    .iter_mut()
                    .zip(sizes)
                    .for_each(|(sum, size)| *sum += size),
                None => names.push((name, sizes)),
            }
        }
        names.sort_by_key(|(_, [rss, _, _, ours, _])| {
            (std::cmp::Reverse(*ours), std::cmp::Reverse(*rss))
        });
        rows.extend(names.iter().map(|(name, sizes)| {
            let [rss, present, rest, ours, locked] =
                sizes.map(|size| format!("{:>12}", grouped(size)));
            [(*name).to_owned(), rss, present, rest, ours, locked]
        }));
        f.write_str(&columns(&rows))?;
        if self.astray_bytes > 0 {
            writeln!(
                f,
                "\nnot found in any mapping: {} bytes",
                grouped(self.astray_bytes)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use headroom_engine::memory::{Owner, Place, Sort};
    use headroom_engine::{MemoryMap, Stream};

    use super::super::report::MemoryReport;
    use super::*;

    const SMAPS: &str = "\
55d000000000-55d000003000 rw-p 00000000 00:00 0                          [heap]
Size:                 12 kB
Rss:                   8 kB
Locked:                0 kB
7f0000100000-7f0000110000 rw-p 00000000 00:00 0 
Rss:                  64 kB
Locked:               64 kB
VmFlags: rd wr mr mw me lo ac 
7f0000120000-7f0000121000 r-xp 00000000 fe:01 77                         /usr/lib/a name with blanks.so
Rss:                   4 kB
Locked:                0 kB
7f0004000000-7f0004021000 rw-p 00000000 00:00 0 
Rss:                   4 kB
7f0008001000-7f0008021000 rw-p 00000000 00:00 0 
Rss:                  12 kB
";

    fn parts(places: &[(usize, usize)]) -> Vec<PartReport> {
        let mut map = MemoryMap::default();
        for &(address, bytes) in places {
            let place = Place {
                address,
                bytes,
                align_bytes: 1,
            };
            map.add_heap(Owner::Engine, "part", Sort::Table, place);
        }
        let stream = Stream::new(48_000, 64, 2).unwrap();
        MemoryReport::new("test", &stream, &map).parts
    }

    #[test]
    fn each_part_is_laid_over_the_mapping_it_lies_in_and_the_rest_has_a_name() {
        let mut parts = parts(&[
            (0x55d0_0000_0100, 0x100),
            (0x7f00_0010_0000, 0x8000),
            (0x7f00_0010_8000, 0x1000),
            // The half of it lies nowhere.
            (0x7f00_0010_f000, 0x2000),
        ]);
        let present = [None, Some(0x6000), Some(0x1000), Some(0x1000)];
        let stacks = [("worker".to_owned(), 0x7f00_0801_0000)];
        let mappings = Mappings::new(SMAPS, &mut parts, &present, &stacks);
        let found: Vec<_> = mappings
            .list
            .iter()
            .map(|of| {
                let ours = [of.ours_bytes, of.ours_present_bytes];
                (of.name.as_str(), of.rss_bytes, ours, of.rest_bytes)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("[heap]", 8 << 10, [0x100, 0x100], (8 << 10) - 0x100),
                ("(no name)", 64 << 10, [0xa000, 0x7800], (64 << 10) - 0x7800),
                ("/usr/lib/a name with blanks.so", 4 << 10, [0, 0], 4 << 10),
                ("(heap of threads)", 4 << 10, [0, 0], 4 << 10),
                ("(stack of worker)", 12 << 10, [0, 0], 12 << 10),
            ]
        );
        assert_eq!(mappings.astray_bytes, 0x1000);
        // What the system says of the pages counts, not what was wished.
        let said: Vec<_> = parts.iter().map(|it| (it.locked, it.prefaulted)).collect();
        let (yes, no) = (true, false);
        assert_eq!(said, [(no, yes), (yes, no), (yes, yes), (yes, no)]);
    }

    #[test]
    fn a_stack_pointer_is_found_where_there_is_one() {
        let call = "202 0x7f12 0x189 0x0 0x0 0x0 0xffffffff 0x7f0008010000 0x7f0a\n";
        assert_eq!(stack_pointer(call), Some(0x7f00_0801_0000));
        assert_eq!(stack_pointer("-1 0x7ffd1000 0x7f0a\n"), Some(0x7ffd_1000));
        assert_eq!(stack_pointer("running\n"), None);
        assert_eq!(stack_pointer(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_that_were_never_touched_are_not_present() {
        let mut map = memmap2::MmapOptions::new()
            .len(64 << 12)
            .map_anon()
            .unwrap();
        // Not a huge page, which would come whole.
        map.advise(memmap2::Advice::NoHugePage).unwrap();
        map[..5 << 12].fill(1);
        map[9 << 12] = 1;
        let mut parts = parts(&[(map.as_ptr().addr() + 0x800, (64 << 12) - 0x800)]);
        assert_eq!(present_bytes(&parts[0]), Some((6 << 12) - 0x800));
        let mappings = Mappings::of_this_process(&mut parts).unwrap();
        assert_eq!(mappings.astray_bytes, 0);
        assert_eq!(mappings.ours_present_bytes, (6 << 12) - 0x800);
        assert!(!parts[0].prefaulted);
    }
}
