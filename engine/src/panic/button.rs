//! The button itself: a count of how often it changed, for any thread.

use crate::sync::{Arc, AtomicU32, Ordering::Relaxed};

/// The panic button of an engine, for any thread: a key, a pedal, a signal's handler.
///
/// It does not pass through the queue of commands: neither a full queue nor an edit that waits in it
/// keeps the button from working. Pressed: silence within 5 ms of the next block's start, and all
/// that rings is forgotten: echoes, tails, what has left. Released: sound comes in again over 20 ms,
/// and nothing from before is heard. Parameters, edits and preset changes go on meanwhile.
#[derive(Debug, Clone, Default)]
pub struct PanicButton {
    /// How often it changed: pressed when odd. Writers: whoever holds the button. Reader: the audio
    /// thread. Relaxed: it carries nothing but itself.
    changes: Arc<AtomicU32>,
}

impl PanicButton {
    /// `[any]` Silence now.
    pub fn press(&self) {
        self.set(true);
    }

    /// `[any]` Lets sound in again.
    pub fn release(&self) {
        self.set(false);
    }

    /// `[any]` Whether it is pressed.
    pub fn is_pressed(&self) -> bool {
        is_pressed(self.changes())
    }

    /// `[audio]` How often it changed up to now.
    pub(crate) fn changes(&self) -> u32 {
        self.changes.load(Relaxed)
    }

    fn set(&self, pressed: bool) {
        let change = |changes| (is_pressed(changes) != pressed).then_some(changes.wrapping_add(1));
        // An error says that it is as it was asked to be.
        let _as_asked = self.changes.fetch_update(Relaxed, Relaxed, change);
    }
}

/// `[any]` Whether a button that has changed so often is pressed.
pub(crate) fn is_pressed(changes: u32) -> bool {
    changes % 2 == 1
}
