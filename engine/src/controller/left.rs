//! Names of slots that have left: what happens in one while it rings out is still told by its name.

use std::sync::{Arc, Weak};

use crate::builder::LiveSlot;
use crate::message::SlotKey;
use crate::meter::LevelCells;
use crate::preset::RackSpec;

/// So many are kept before anybody asks for reports: then those that are gone are forgotten unasked.
const UNASKED: usize = 256;

/// The slots that have left and are still there, and those that are gone since the last look.
#[derive(Default)]
pub(super) struct Left {
    slots: Vec<LeftSlot>,
}

struct LeftSlot {
    key: SlotKey,
    id: String,
    /// The slot holds the other end until the collector drops it.
    there: Weak<LevelCells>,
    gone: bool,
}

impl Left {
    /// `[main]` Keeps the names of those slots of a rack that are not in the next one.
    pub(super) fn note(&mut self, rack: &RackSpec, live: &[LiveSlot], next: &[LiveSlot]) {
        for (slot, module) in live.iter().zip(&rack.modules) {
            if next.iter().all(|stays| stays.key != slot.key) {
                self.slots.push(LeftSlot {
                    key: slot.key,
                    id: module.id.clone(),
                    there: Arc::downgrade(&slot.cells.level),
                    gone: false,
                });
            }
        }
        if self.slots.len() > UNASKED {
            self.mark_gone();
            self.forget_gone();
        }
    }

    /// `[main]` The name of one.
    pub(super) fn id(&self, key: SlotKey) -> Option<&str> {
        let slot = self.slots.iter().find(|slot| slot.key == key)?;
        Some(&slot.id)
    }

    /// `[main]` Marks what is no more. What such a slot had to tell is in the queue by now.
    pub(super) fn mark_gone(&mut self) {
        for slot in &mut self.slots {
            slot.gone = slot.there.strong_count() == 0;
        }
    }

    /// `[main]` Forgets what was marked, once the queue has been read.
    pub(super) fn forget_gone(&mut self) {
        let before = self.slots.len();
        self.slots.retain(|slot| !slot.gone);
        if self.slots.len() < before {
            self.slots.shrink_to_fit();
        }
    }
}
