//! What passes between the two ends of an engine.

use basedrop::Owned;

use crate::rack::{Order, Rack};
use crate::tempo::Tempo;

/// Names one slot for as long as it lives, across edits; a rebuilt slot keeps its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotKey(pub(crate) u64);

impl SlotKey {
    /// The key of no slot: what fills a list of events that is written before there are any.
    pub const NONE: Self = Self(0);
}

/// A change that needs no memory: what automation, knobs and switches do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Parameter `index` of the slot's kind goes to `value`, in the table's unit. Values outside
    /// the range are clamped; structural parameters are ignored.
    Param {
        /// Whose.
        slot: SlotKey,
        /// Which row of the table.
        index: u16,
        /// In the table's unit.
        value: f32,
    },
    /// The slot is passed by, or not.
    Bypass {
        /// Whose.
        slot: SlotKey,
        /// Passed by.
        on: bool,
    },
    /// How much of the slot is heard, 0 (dry) to 1.
    Mix {
        /// Whose.
        slot: SlotKey,
        /// 0 to 1.
        value: f32,
    },
    /// Only what the slot changes of its input is heard, or its output again. No automation: a way of
    /// listening.
    Delta {
        /// Whose.
        slot: SlotKey,
        /// Only the difference.
        on: bool,
    },
    /// The music goes at this tempo from now on, for every slot: those that have left and those that come
    /// later too.
    Tempo(Tempo),
}

impl Change {
    /// Whose it is; `None` for all slots'.
    pub(crate) fn slot(&self) -> Option<SlotKey> {
        match *self {
            Self::Param { slot, .. }
            | Self::Bypass { slot, .. }
            | Self::Mix { slot, .. }
            | Self::Delta { slot, .. } => Some(slot),
            Self::Tempo(_) => None,
        }
    }
}

/// A change at one frame of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Frames from the block's start. Beyond its end: with its last frame; out of order: at once.
    pub frame: u32,
    /// What changes.
    pub change: Change,
}

/// From the controller to the processor.
///
/// When this queue is full the controller gets the message back and its caller an error that says
/// "busy": nothing is half done, and nothing is dropped.
pub(crate) enum Message {
    Change(Change),
    Edit(Owned<Order>),
    Preset(Owned<Rack>),
    Mute(bool),
    Reset,
}

/// From the processor to the controller.
///
/// When this queue is full the notice is dropped and counted (`lost_notices`): the counters in
/// `Health` are complete, notices only add names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    NotFinite(SlotKey),
    Panicked(SlotKey),
    Allocated(SlotKey),
    UnknownSlot(SlotKey),
    TailCut(SlotKey),
    RackCut,
}
