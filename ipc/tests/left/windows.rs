//! What a process holds, and what is left of others: as Windows lists it.

#![allow(unsafe_code, reason = "asks the system for what a process holds")]

use windows_sys::Win32::Foundation::GetHandleInformation;
use windows_sys::Win32::System::Memory::{MEM_MAPPED, MEMORY_BASIC_INFORMATION, VirtualQuery};

/// Rounds of killing: a process is slow to start here.
pub(crate) const ROUNDS: usize = 100;

/// Its handles, found by asking for each: the system's own count is always 0 under Wine.
pub(crate) fn own_descriptors() -> usize {
    let handles = (4..0x1_0000_usize).step_by(4);
    let is_one = |handle: &usize| {
        let mut flags = 0;
        // SAFETY: any number may be asked for; the flags are written during the call.
        unsafe { GetHandleInformation(std::ptr::without_provenance_mut(*handle), &mut flags) != 0 }
    };
    let found = handles.filter(is_one).count();
    assert!(found > 3, "not even its standard streams");
    found
}

/// Pieces of its memory that are mapped sections, and no program's.
pub(crate) fn own_mappings() -> usize {
    let (mut address, mut pieces) = (0_usize, 0);
    loop {
        let mut known = MEMORY_BASIC_INFORMATION::default();
        let room = size_of_val(&known);
        // SAFETY: any address may be asked for, and no more than `room` bytes are written.
        let written = unsafe {
            let at = std::ptr::without_provenance(address);
            VirtualQuery(at, &mut known, room)
        };
        if written == 0 {
            return pieces;
        }
        pieces += usize::from(known.Type == MEM_MAPPED);
        address += known.RegionSize;
    }
}

/// Those that can be opened: what the crate `shared_memory` has deleted it renames first, and Wine may keep that.
pub(crate) fn named_segments() -> usize {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir().join("shared_memory-rs")) else {
        return 0;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with("headroom") && !name.ends_with("_deleted"))
        .count()
}
