//! What stands in shared memory, byte by byte: fixed-width atomics and nothing else, so that any bytes at all
//! are a valid one. Nothing here is believed: who reads checks.
//!
//! [`Region`] is written by the audio process and mapped read-only by everybody else; [`CommandRegion`] is one
//! client's, written by both. A change of either bumps [`VERSION`].

use crate::cells::Cell;
use crate::meters::{MAX_LANES, MeterRing};
use crate::sheet::Sheet;
use crate::sound::SoundRing;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// `headroom` in a number's bytes.
const MAGIC: u64 = u64::from_le_bytes(*b"headroom");
/// Of all that two processes agree on: layout, description, commands. Both must have the same.
pub const VERSION: u32 = 4;
/// Values on the board: bypass, mix and parameters of all modules.
pub const MAX_VALUES: usize = 4_096;
/// Points of a curve.
pub const MAX_POINTS: usize = 256;
/// Clients that are attached at once.
pub const MAX_CLIENTS: usize = 8;
/// Bytes of a value's text.
pub const VALUE_TEXT_BYTES: usize = 24;
/// Commands that wait in a client's ring.
pub const COMMANDS: usize = 128;
/// Bytes of one command, coded.
pub const COMMAND_BYTES: usize = 512;
/// Answers that are kept for a client.
pub(crate) const REPLIES: usize = 16;
/// Bytes of an answer's text.
pub const REPLY_BYTES: usize = 480;

/// Words of a value: its bits, its text.
pub(crate) const VALUE_WORDS: usize = 1 + VALUE_TEXT_BYTES / 4;
/// Words of a curve: count and stems, two axes with their ends, points.
pub(crate) const CURVE_WORDS: usize = 2 + 6 + 2 * MAX_POINTS;
/// Words of an answer: its command's number, whether it was done, text.
pub(crate) const REPLY_WORDS: usize = 3 + REPLY_BYTES / 4;

const DESCRIPTION_BYTES: usize = 256 * 1024;
const HEALTH_BYTES: usize = 32 * 1024;
const MEMORY_BYTES: usize = 512 * 1024;

/// What both kinds of segment begin with.
#[repr(C, align(64))]
pub(crate) struct Head {
    /// Stored last (Release), looked at first (Acquire).
    magic: AtomicU64,
    version: AtomicU32,
    /// The audio process.
    pub(crate) pid: AtomicU32,
    bytes: AtomicU64,
}

/// What a segment turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Not ours, or not ready.
    Magic,
    /// Another program version.
    Version(u32),
    /// Another size.
    Bytes(u64),
}

impl Head {
    /// `[main]` Writes the head of a new segment, behind all that it announces.
    pub(crate) fn write(&self, bytes: usize, pid: u32) {
        self.version.store(VERSION, Ordering::Relaxed);
        self.pid.store(pid, Ordering::Relaxed);
        self.bytes.store(bytes as u64, Ordering::Relaxed);
        // Release: whoever sees it finds the rest. Partner: `check`.
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// `[any]` Whether this is a segment of ours, of our version, of `bytes` bytes.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), Doubt> {
        // Acquire: with the Release in `write`.
        if self.magic.load(Ordering::Acquire) != MAGIC {
            return Err(Doubt::Magic);
        }
        let version = self.version.load(Ordering::Relaxed);
        if version != VERSION {
            return Err(Doubt::Version(version));
        }
        let said = self.bytes.load(Ordering::Relaxed);
        if said != bytes as u64 {
            return Err(Doubt::Bytes(said));
        }
        Ok(())
    }
}

/// The audio process's segment.
#[repr(C, align(64))]
pub(crate) struct Region {
    pub(crate) head: Head,
    pub(crate) pulse: Pulse,
    /// First what the audio thread writes: that much is locked.
    pub(crate) meters: MeterRing,
    pub(crate) before: SoundRing,
    pub(crate) after: SoundRing,
    pub(crate) description: Sheet<{ DESCRIPTION_BYTES / 8 }>,
    pub(crate) health: Sheet<{ HEALTH_BYTES / 8 }>,
    pub(crate) memory: Sheet<{ MEMORY_BYTES / 8 }>,
    pub(crate) values: [Cell<VALUE_WORDS>; MAX_VALUES],
    pub(crate) curves: [Cell<CURVE_WORDS>; MAX_LANES],
    pub(crate) clients: [ClientLine; MAX_CLIENTS],
}

/// What shows that somebody is at home. Writer: housekeeping; Relaxed: each stands for itself.
#[repr(C, align(64))]
pub(crate) struct Pulse {
    /// Rises at least ten times a second.
    pub(crate) beats: AtomicU64,
    /// 1 while the device or the host calls the audio thread.
    pub(crate) calling: AtomicU32,
    /// Frames from one publication of meters to the next.
    pub(crate) publication_frames: AtomicU32,
    pub(crate) sample_rate_hz: AtomicU32,
    _even: AtomicU32,
    /// Rises with every value or curve that is written. Release, with the readers' Acquire.
    pub(crate) values_generation: AtomicU64,
    /// Commands of all clients that made no sense and were dropped.
    pub(crate) bad_commands: AtomicU64,
}

/// What one client is told. Writer: the audio process's main thread.
#[repr(C, align(64))]
pub(crate) struct ClientLine {
    /// The number behind the newest command that was taken. Release: the board is at least as new.
    pub(crate) applied: AtomicU64,
    /// Answers so far; answer `n` stands in place `n % REPLIES`. Release, with the reader's Acquire.
    pub(crate) replied: AtomicU64,
    pub(crate) replies: [Cell<REPLY_WORDS>; REPLIES],
}

/// One client's segment: the client writes it, the audio process too.
#[repr(C, align(64))]
pub(crate) struct CommandRegion {
    pub(crate) head: Head,
    /// Commands so far. Writer: the client, Release, with the audio process's Acquire.
    pub(crate) written: AtomicU64,
    /// Commands taken so far, for the client to see how much room there is. Writer: the audio process,
    /// which does not read it back.
    pub(crate) taken: AtomicU64,
    /// Not 0 while the client wants sound. Writer: the client.
    pub(crate) wants_sound: AtomicU32,
    /// Rises while the client looks and draws. Writer: the client, Relaxed: it stands for itself.
    pub(crate) beats: AtomicU32,
    pub(crate) slots: [CommandSlot; COMMANDS],
}

/// One command, coded.
#[repr(C)]
pub(crate) struct CommandSlot {
    pub(crate) bytes: AtomicU32,
    /// Of the bytes and the command's number: what was written by anybody but a sender of ours, or is only
    /// half there, does not pass for a command by chance.
    pub(crate) check: AtomicU32,
    pub(crate) words: [AtomicU32; COMMAND_BYTES / 4],
}

// Nothing may creep in between that differs from one build to the next. (The checker's atomics are larger.)
#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Head>() == 64);
    assert!(size_of::<Pulse>() == 64);
    assert!(size_of::<CommandSlot>() == 8 + COMMAND_BYTES);
    assert!(size_of::<CommandRegion>().is_multiple_of(64));
    assert!(size_of::<Region>().is_multiple_of(64));
    assert!(size_of::<Region>() < 8 << 20);
};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Whoever changes the layout changes the version, and these numbers.
    #[test]
    fn the_layout_of_this_version_is_this() {
        let found = [
            u64::from(VERSION),
            size_of::<Region>() as u64,
            size_of::<CommandRegion>() as u64,
            std::mem::offset_of!(Region, before) as u64,
            std::mem::offset_of!(Region, description) as u64,
            std::mem::offset_of!(Region, values) as u64,
            std::mem::offset_of!(Region, clients) as u64,
        ];
        assert_eq!(
            found,
            [
                4, 4_083_264, 66_688, 1_591_808, 2_116_224, 3_754_816, 4_019_264
            ]
        );
    }
}
