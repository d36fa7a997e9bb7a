//! The mappings of this process, as the system lists them.

/// One mapping, as the lines of `/proc/PID/maps` and the heads in `/proc/PID/smaps` tell it (proc(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping<'a> {
    /// Its first byte, and one behind its last.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// `r-xp`: what may be done with it, and whether it is private.
    pub rights: &'a str,
    /// A file, `[heap]`, `[stack]`; empty where it has no name.
    pub path: &'a str,
}

impl<'a> Mapping<'a> {
    /// `[main]` `55d0-55e0 r-xp 00000000 08:01 1234   /usr/bin/headroom`; any other line is none.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let mut fields = rest.splitn(5, ' ');
        let rights = fields.next()?;
        Some(Self {
            start: number(start)?,
            end: number(end)?,
            rights,
            path: fields.nth(3).unwrap_or_default().trim(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_told_with_its_name_and_other_lines_are_none() {
        let file = "7f0000020000-7f0000021000 r-xp 00000000 fe:01 77       /usr/lib/a name.so";
        let found = Mapping {
            start: 0x7f00_0002_0000,
            end: 0x7f00_0002_1000,
            rights: "r-xp",
            path: "/usr/lib/a name.so",
        };
        assert_eq!(Mapping::parse(file), Some(found));
        let nameless = Mapping::parse("7f00-7f01 rw-p 00000000 00:00 0 ").unwrap();
        assert_eq!((nameless.rights, nameless.path), ("rw-p", ""));
        for other in ["", "Rss:  4 kB", "VmFlags: rd wr", "a-b"] {
            assert_eq!(Mapping::parse(other), None, "{other}");
        }
    }
}
