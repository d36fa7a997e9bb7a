//! The program's own code is memory too: a function that runs for the first time on the audio thread
//! would fault its pages in there.
#![allow(unsafe_code)]

use std::sync::Once;

#[cfg(target_os = "linux")]
use super::maps::Mapping;

/// `[main]` Makes all code of this process present, once; a few milliseconds. Where the system has
/// no such call nothing happens: the first call of each function then faults once.
pub(crate) fn populate_code() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(target_os = "linux")]
        for (start, end) in code_ranges() {
            // SAFETY: asks the kernel to map in pages that are mapped for reading already; changes
            // no contents. A range that has gone since it was listed is refused, which costs speed
            // only.
            unsafe {
                libc::madvise(start as *mut _, end - start, libc::MADV_POPULATE_READ);
            }
        }
    });
}

/// The executable and read-only mappings of files, as proc(5) lists them in /proc/self/maps.
#[cfg(target_os = "linux")]
fn code_ranges() -> Vec<(usize, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let is_code = |mapping: &Mapping<'_>| {
        matches!(mapping.rights, "r-xp" | "r--p") && mapping.path.contains('/')
    };
    maps.lines()
        .filter_map(Mapping::parse)
        .filter(is_code)
        .map(|mapping| (mapping.start, mapping.end))
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_very_function_lies_in_a_range_that_is_found() {
        let here = this_very_function_lies_in_a_range_that_is_found as fn() as usize;
        let ranges = code_ranges();
        let found = ranges
            .iter()
            .any(|(start, end)| (*start..*end).contains(&here));
        assert!(found, "{here:x} in {ranges:x?}");
    }
}
