//! Where this library lies, on Linux: the screen's program is beside it.

use std::path::PathBuf;

/// `[main]` The folder of this library, as the system has it mapped.
pub(crate) fn beside() -> Option<PathBuf> {
    let here = beside as fn() -> Option<PathBuf> as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| path_of(line, here))?;
    PathBuf::from(path).parent().map(Into::into)
}

/// The file of a line of the system's list, if the address is in it: `from-to rwxp offset device inode path`.
fn path_of(line: &str, address: usize) -> Option<&str> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let is_here = (number(from)?..number(to)?).contains(&address);
    let path = rest.find('/').map(|at| &rest[at..]);
    path.filter(|_| is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_systems_list_gives_its_file_with_spaces_and_all() {
        let line = "7f01a000-7f02b000 r-xp 00001000 08:01 1234   /home/a b/.clap/Headroom.clap";
        let path = Some("/home/a b/.clap/Headroom.clap");
        assert_eq!(path_of(line, 0x7f01_a000), path);
        assert_eq!(path_of(line, 0x7f02_afff), path);
        assert_eq!(path_of(line, 0x7f02_b000), None);
        assert_eq!(
            path_of("7f01a000-7f02b000 rw-p 0 00:00 0 [heap]", 0x7f01_a000),
            None
        );
        assert_eq!(path_of("nonsense", 0), None);
    }

    #[test]
    fn a_library_finds_its_own_folder() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(beside().as_deref(), own.parent());
    }
}
