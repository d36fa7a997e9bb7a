//! What a process holds, and what is left of others: as Linux lists it.

/// Rounds of killing.
pub(crate) const ROUNDS: usize = 500;

pub(crate) fn own_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

pub(crate) fn own_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines()
        .filter(|line| line.contains("headroom"))
        .count()
}

pub(crate) fn named_segments() -> usize {
    let Ok(entries) = std::fs::read_dir("/dev/shm") else {
        return 0;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("headroom"))
        .count()
}
