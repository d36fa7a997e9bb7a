//! What is always counted while it plays, for the panel and for the report.

use headroom_engine::Health;
use headroom_engine::SlotHealth;
use headroom_engine::realtime::HighWater;
use headroom_engine::realtime::Violation;
use serde::Serialize;

/// What `--json` says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// Samples of the input that were infinite or no number, and became 0.
    pub non_finite_inputs: u64,
    /// Chunks that were muted because something in them was no number.
    pub muted_chunks: u64,
    /// Blocks in which a result was too small for a number and was flushed to zero.
    pub flushed_blocks: u64,
    /// Modules that panicked.
    pub panics: u64,
    /// Notices that found their queue full.
    pub lost_notices: u64,
    /// Slots and racks that had left and were faded out before they had rung out, to make room for one more.
    pub cut_tails: u64,
    /// What went wrong in each slot of the newest rack, in its order.
    pub slots: Vec<SlotFaults>,
    /// The most that ever was in each thing of fixed room.
    pub high_water: HighWaterMarks,
    /// What the collector has done.
    pub collector: CollectorReport,
    /// How often the audio thread gave its processor away; `null` once it is gone, or where the system does
    /// not tell.
    pub context_switches: Option<Switches>,
    /// Where memory was first taken or given back on the audio thread; `null` where it never was.
    pub first_violation: Option<FirstViolation>,
}

/// What went wrong in one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotFaults {
    /// The module's id.
    pub id: String,
    /// Chunks in which its output was no number.
    pub not_finite_chunks: u64,
    /// Chunks, of those that were watched, in which it flushed something to zero.
    pub flushed_chunks: u64,
}

/// The most that ever was, and what there is room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The most there was.
    pub most: u64,
    /// The room.
    pub room: u64,
}

/// The marks of all queues, lists, pools and arenas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HighWaterMarks {
    /// Commands that waited for the audio thread.
    pub commands: Mark,
    /// Notices that waited for the main thread.
    pub notices: Mark,
    /// Slots in the rack's list, with those that have left.
    pub slots: Mark,
    /// Racks that have left and still ring, in their pool.
    pub rack_tails: Mark,
    /// Bytes of scratch.
    pub scratch_bytes: Mark,
}

/// What the collector has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CollectorReport {
    /// Objects dropped.
    pub objects: u64,
    /// Bytes of audio memory given back.
    pub bytes: u64,
    /// Times it found something.
    pub ticks: u64,
    /// Times it stopped at its bound, more being left.
    pub full_ticks: u64,
    /// The most objects of one tick.
    pub most_objects: u64,
    /// The most bytes of one tick.
    pub most_bytes: u64,
    /// The longest tick.
    pub longest_tick_ns: u64,
}

/// How often a thread gave its processor away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Switches {
    /// It waited: for the device, between two blocks.
    pub voluntary: u64,
    /// Another was put in its place while it had work.
    pub involuntary: u64,
}

/// The first allocation or free of the audio thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstViolation {
    /// Whether memory was given back, rather than taken.
    pub freed: bool,
    /// Functions, innermost first.
    pub backtrace: Vec<String>,
}

impl HealthReport {
    /// `[main]` From the engine's figures.
    pub(super) fn new(
        health: &Health,
        slots: Vec<(String, SlotHealth)>,
        first: Option<&Violation>,
    ) -> Self {
        let collected = health.collected;
        Self {
            non_finite_inputs: health.non_finite_inputs,
            muted_chunks: health.muted_chunks,
            flushed_blocks: health.flushed_blocks,
            panics: health.panics,
            lost_notices: health.lost_notices,
            cut_tails: health.cut_tails,
            slots: slots
                .into_iter()
                .map(|(id, faults)| SlotFaults {
                    id,
                    not_finite_chunks: faults.not_finite_chunks,
                    flushed_chunks: faults.flushed_chunks,
                })
                .collect(),
            high_water: HighWaterMarks {
                commands: health.commands.into(),
                notices: health.notices.into(),
                slots: health.slots.into(),
                rack_tails: health.rack_tails.into(),
                scratch_bytes: health.scratch_bytes.into(),
            },
            collector: CollectorReport {
                objects: collected.objects,
                bytes: collected.bytes,
                ticks: collected.ticks,
                full_ticks: collected.full_ticks,
                most_objects: collected.most_objects,
                most_bytes: collected.most_bytes,
                longest_tick_ns: collected.longest_tick_ns,
            },
            context_switches: health.switches.map(|switches| Switches {
                voluntary: switches.voluntary,
                involuntary: switches.involuntary,
            }),
            first_violation: first.map(|first| FirstViolation {
                freed: first.freed,
                backtrace: first.backtrace.clone(),
            }),
        }
    }

    /// `[main]` Of a kind of fault: how many there were, and in which slots.
    pub(super) fn named(&self, all: u64, of: fn(&SlotFaults) -> u64) -> String {
        let names = self.slots.iter().filter(|slot| of(slot) > 0);
        let names: Vec<&str> = names.map(|slot| slot.id.as_str()).collect();
        if names.is_empty() {
            all.to_string()
        } else {
            format!("{all} ({})", names.join(", "))
        }
    }

    /// `[main]` The marks and the collector's figures, as the panel and the report say them.
    pub(super) fn marks(&self) -> String {
        let marks = &self.high_water;
        let list = [
            ("commands", marks.commands),
            ("notices", marks.notices),
            ("slots", marks.slots),
            ("tails", marks.rack_tails),
            ("scratch", marks.scratch_bytes),
        ];
        let list = list.map(|(name, mark)| format!("{name} {}/{}", mark.most, mark.room));
        // Of room that there was not: said where it happened only, the line is long enough.
        let full = [
            ("lost notices", self.lost_notices),
            ("cut tails", self.cut_tails),
        ];
        let full = full.iter().filter(|(_, count)| *count > 0);
        let full: String = full
            .map(|(name, count)| format!("  {name} {count}"))
            .collect();
        let collector = self.collector;
        format!(
            "{}{full}  freed {} ({} full)",
            list.join("  "),
            collector.objects,
            collector.full_ticks
        )
    }
}

impl From<HighWater> for Mark {
    fn from(mark: HighWater) -> Self {
        Self {
            most: mark.most,
            room: mark.room,
        }
    }
}
