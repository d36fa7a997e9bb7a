//! Where a controller's position waits that found the ring full: the newest of each arrives, however fast it
//! moves and however long the audio thread is away.

use crate::sync::{
    AtomicBool, AtomicU8, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
    Ordering::Release,
};

/// 16 channels of 128 controllers.
const CELLS: usize = 16 * 128;

/// A cell for each controller of each channel.
#[derive(Debug)]
pub(super) struct Parking {
    /// Something is parked. While it is set, positions go nowhere else, so that none overtakes.
    /// Set by the port's thread after it has parked, cleared by the audio thread before it looks.
    open: AtomicBool,
    /// Which cells hold something: set by the port's thread behind the value, taken by the audio
    /// thread.
    taken: [AtomicU64; CELLS / 64],
    values: [AtomicU8; CELLS],
}

impl Parking {
    pub(super) fn new() -> Self {
        Self {
            open: AtomicBool::new(false),
            taken: std::array::from_fn(|_| AtomicU64::new(0)),
            values: std::array::from_fn(|_| AtomicU8::new(0)),
        }
    }

    /// `[any]` Whether something is parked.
    pub(super) fn is_open(&self) -> bool {
        // Acquire: what the audio thread took out of the cells, it took before it said so; and whoever sees
        // it open sees all that went into the ring before.
        self.open.load(Acquire)
    }

    /// The port's thread parks a position; whether it took the place of one that nobody has heard.
    pub(super) fn park(&self, channel: u8, number: u8, value: u8) -> bool {
        let cell = usize::from(channel) * 128 + usize::from(number);
        self.values[cell].store(value, Relaxed);
        let bit = 1 << (cell % 64);
        // Release: whoever sees the bit sees the value.
        let superseded = self.taken[cell / 64].fetch_or(bit, Release) & bit != 0;
        // Release: whoever sees it open sees all that went into the ring before.
        // An exchange, as the audio thread's is: each of them finds the one before.
        self.open.swap(true, Release);
        superseded
    }

    /// `[audio]` Takes what is parked: channel, number, value.
    pub(super) fn take(&self, mut each: impl FnMut(u8, u8, u8)) {
        // First: what is parked from here on opens it again.
        self.open.swap(false, AcqRel);
        for (word, taken) in self.taken.iter().enumerate() {
            let mut bits = taken.swap(0, Acquire);
            while bits != 0 {
                let cell = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let value = self.values[cell].load(Relaxed);
                each((cell / 128) as u8, (cell % 128) as u8, value);
            }
        }
    }
}
