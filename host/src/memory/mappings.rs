//! What the system says of this process's memory, beside what our map says of it: every mapping in
//! which something of ours lies, how much of it is ours, and how much is present. The rest is listed
//! by name.

use std::fmt;

use headroom_engine::{MemoryMap, memory};
use serde_json::{Value, json};

use super::listing::grouped;
use crate::table::columns;

/// One mapping of the process, as `/proc/PID/smaps` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A file, `[heap]`, `[stack]`, or nothing for memory without a name.
    pub(crate) name: String,
    /// Present.
    pub(crate) rss_bytes: usize,
    /// Kept from being paged out.
    pub(crate) locked_bytes: usize,
    /// Of the map: bytes that lie in it, each counted once.
    pub(crate) ours_bytes: usize,
}

/// All mappings of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mappings {
    pub(crate) list: Vec<Mapping>,
    /// Bytes of the map that lie in no mapping: a mistake of ours, or memory given back meanwhile.
    pub(crate) astray_bytes: usize,
}

impl Mappings {
    /// `[main]` Reads the system's list and lays `map` over it; `None` where there is no such list.
    pub(crate) fn of_this_process(map: &MemoryMap) -> Option<Self> {
        let smaps = std::fs::read_to_string("/proc/self/smaps").ok()?;
        Some(Self::new(&smaps, map))
    }

    /// The list in the text of `smaps` (proc_pid_smaps(5)), with `map` laid over it.
    fn new(smaps: &str, map: &MemoryMap) -> Self {
        let mut list: Vec<Mapping> = Vec::new();
        for line in smaps.lines() {
            if let Some(head) = memory::Mapping::parse(line) {
                list.push(Mapping {
                    start: head.start,
                    end: head.end,
                    name: head.path.to_owned(),
                    rss_bytes: 0,
                    locked_bytes: 0,
                    ours_bytes: 0,
                });
            } else if let (Some(mapping), Some((key, bytes))) = (list.last_mut(), field(line)) {
                match key {
                    "Rss" => mapping.rss_bytes = bytes,
                    "Locked" => mapping.locked_bytes = bytes,
                    _ => {}
                }
            }
        }
        let mut astray_bytes = 0;
        for part in map.parts.iter().filter(|part| !part.is_inside()) {
            let end = part.address + part.bytes;
            let mut found = 0;
            for mapping in &mut list {
                let overlap = end
                    .min(mapping.end)
                    .saturating_sub(part.address.max(mapping.start));
                mapping.ours_bytes += overlap;
                found += overlap;
            }
            astray_bytes += part.bytes - found;
        }
        Self { list, astray_bytes }
    }

    /// `[main]` For programs.
    pub(crate) fn json(&self) -> Value {
        let list = self.list.iter().filter(|mapping| mapping.rss_bytes > 0);
        let list = list.map(|mapping| {
            json!({
                "name": mapping.name,
                "start": format!("{:#x}", mapping.start),
                "bytes": mapping.end - mapping.start,
                "rss_bytes": mapping.rss_bytes,
                "locked_bytes": mapping.locked_bytes,
                "ours_bytes": mapping.ours_bytes,
            })
        });
        json!({
            "rss_bytes": self.rss_bytes(),
            "ours_bytes": self.ours_bytes(),
            "astray_bytes": self.astray_bytes,
            "list": list.collect::<Vec<_>>(),
        })
    }

    fn rss_bytes(&self) -> usize {
        self.list.iter().map(|mapping| mapping.rss_bytes).sum()
    }

    fn ours_bytes(&self) -> usize {
        self.list.iter().map(|mapping| mapping.ours_bytes).sum()
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
            "of {} bytes of this process that are present, {} are audio memory:\n",
            grouped(self.rss_bytes()),
            grouped(self.ours_bytes())
        )?;
        let head = ["mapping", "present", "ours", "locked"].map(str::to_owned);
        let mut rows = vec![head];
        // Mappings of one name, such as the parts of a library, are one line.
        let mut names: Vec<(&str, [usize; 3])> = Vec::new();
        for mapping in self.list.iter().filter(|mapping| mapping.rss_bytes > 0) {
            let name = match (mapping.name.as_str(), mapping.ours_bytes) {
                ("", 0) => "(no name)",
                ("", _) => "(no name, with audio memory)",
                (name, _) => name,
            };
            let sizes = [mapping.rss_bytes, mapping.ours_bytes, mapping.locked_bytes];
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sums)) => sums
                    .iter_mut()
                    .zip(sizes)
                    .for_each(|(sum, size)| *sum += size),
                None => names.push((name, sizes)),
            }
        }
        names
            .sort_by_key(|(_, [rss, ours, _])| (std::cmp::Reverse(*ours), std::cmp::Reverse(*rss)));
        rows.extend(names.iter().map(|(name, [rss, ours, locked])| {
            let [rss, ours, locked] =
                [rss, ours, locked].map(|size| format!("{:>12}", grouped(*size)));
            [(*name).to_owned(), rss, ours, locked]
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

    use super::*;

    const SMAPS: &str = "\
55d000000000-55d000003000 rw-p 00000000 00:00 0                          [heap]
Size:                 12 kB
Rss:                   8 kB
Locked:                0 kB
7f0000000000-7f0000010000 rw-p 00000000 00:00 0 
Rss:                  64 kB
Locked:               32 kB
VmFlags: rd wr mr mw me ac 
7f0000020000-7f0000021000 r-xp 00000000 fe:01 77                         /usr/lib/a name with blanks.so
Rss:                   4 kB
Locked:                0 kB
";

    fn map(places: &[(usize, usize)]) -> MemoryMap {
        let mut map = MemoryMap::default();
        for &(address, bytes) in places {
            let place = Place {
                address,
                bytes,
                align_bytes: 1,
            };
            map.add_heap(Owner::Engine, "part", Sort::Table, place);
        }
        map
    }

    #[test]
    fn each_part_is_laid_over_the_mapping_it_lies_in() {
        let parts = [
            (0x55d0_0000_0100, 0x100),
            (0x7f00_0000_0000, 0x8000),
            (0x7f00_0000_8000, 0x1000),
            // The half of it lies nowhere.
            (0x7f00_0000_f000, 0x2000),
        ];
        let mappings = Mappings::new(SMAPS, &map(&parts));
        let found: Vec<_> = mappings
            .list
            .iter()
            .map(|of| {
                (
                    of.name.as_str(),
                    of.rss_bytes,
                    of.locked_bytes,
                    of.ours_bytes,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("[heap]", 8 << 10, 0, 0x100),
                ("", 64 << 10, 32 << 10, 0xa000),
                ("/usr/lib/a name with blanks.so", 4 << 10, 0, 0),
            ]
        );
        assert_eq!(mappings.astray_bytes, 0x1000);
    }
}
