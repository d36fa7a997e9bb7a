//! A peak between two threads: the writer raises it, the reader takes it, and none is lost.

use crate::sync::{AtomicU32, Ordering::Relaxed};

/// The highest value since the reader last looked, as the bits of an `f32` that is not negative: such
/// bits are ordered as the values are. Relaxed: it stands for itself.
#[derive(Debug, Default)]
pub(crate) struct PeakCell(AtomicU32);

impl PeakCell {
    /// `[audio]` The maximum without a locked instruction, of what is not negative. Only this thread raises
    /// the cell, the reader only takes from it, at any time: before the load, and the cell is 0; after a load
    /// that found as much or more, and it took that with what was there; between the load and the store,
    /// and it took the lower value while the higher one waits for it. None is lost.
    #[inline(always)]
    pub(crate) fn raise(&self, value: f32) {
        let bits = value.to_bits();
        if bits > self.0.load(Relaxed) {
            self.0.store(bits, Relaxed);
        }
    }

    /// `[main]` The highest since the last call.
    pub(crate) fn take(&self) -> f32 {
        f32::from_bits(self.0.swap(0, Relaxed))
    }
}
