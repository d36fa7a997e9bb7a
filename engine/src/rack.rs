//! An ordered list of slots on the audio thread, and how it changes without a click.
//!
//! A slot that is inserted comes in by a crossfade at its input; one that is removed leaves the
//! same way and rings on in its place until it is silent. One that is rebuilt in its place shares
//! its input with its successor while it leaves, so that the two never run in series. Slots that
//! stay are moved, as pointers: an edit elsewhere does not touch one bit of their output.

use std::mem::MaybeUninit;

use basedrop::Owned;

use headroom_ipc::Lane;

use crate::block::Block;
use crate::fade::Fade;
use crate::memory::{ArenaBox, Chunk, Cursor, Place, Plane};
use crate::message::{Change, Notice, SlotKey};
use crate::meter::Measured;
use crate::slot::{Fault, Slot, Source};
use crate::stream::Stream;
use crate::tail::{Limits, Tail};
use crate::tempo::Tempo;

/// Slots in a rack at most.
pub const MAX_SLOTS: usize = 64;
/// Slots at most that have left and still ring: one more cuts the oldest off, in 20 ms.
pub const MAX_SLOT_TAILS: usize = 8;
/// How long what has left may ring, in seconds.
pub(crate) const TAIL_LIMIT_SECS: f64 = 60.0;

/// There is no room for one tail more until others have been faded out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom {
    /// Those that are being faded out from now on.
    pub(crate) cut: u64,
}

/// Live slots, as many that leave in one edit, and those that had left before.
pub(crate) const fn most_entries(slots: usize) -> usize {
    2 * slots + MAX_SLOT_TAILS
}

pub(crate) type SlotBox = Owned<ArenaBox<Slot>>;

/// What a chunk needs beside the sound itself while slots come or leave.
struct Room<'a> {
    /// The input of a slot that runs beside the main path.
    side: Chunk<'a>,
    /// What goes past a slot that comes or leaves.
    past: Chunk<'a>,
    /// What the slots that were replaced still say.
    carry: Chunk<'a>,
    /// For the slot's own mix.
    dry: Chunk<'a>,
    /// How much of a place's input its leaving instances take.
    taken: &'a mut Plane,
    /// How far in the place itself is.
    place: &'a mut Plane,
    /// A fade's values at the input.
    fade: &'a mut Plane,
    /// A fade's values at the output.
    gains: &'a mut Plane,
}

impl<'a> Room<'a> {
    fn take(scratch: &mut Cursor<'a>) -> Self {
        Self {
            dry: scratch.chunk(),
            side: scratch.chunk(),
            past: scratch.chunk(),
            carry: scratch.chunk(),
            taken: scratch.plane(),
            place: scratch.plane(),
            fade: scratch.plane(),
            gains: scratch.plane(),
        }
    }
}

/// Where a slot is in its life.
enum Stage {
    /// In the chain; `coming` until it is wholly in.
    Live { coming: Fade },
    /// Out of the order, still ringing.
    Leaving(Leaving),
}

struct Leaving {
    tail: Tail,
    /// Shares its input with the slot behind it, which replaces it.
    replaced: bool,
}

struct Entry {
    slot: SlotBox,
    stage: Stage,
}

impl Entry {
    fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    fn is_live_as(&self, key: SlotKey) -> bool {
        self.is_live() && self.slot.key == key
    }

    /// How much of its place's input this entry takes from its successor, if it has one.
    fn share(&self) -> Option<f32> {
        match &self.stage {
            Stage::Leaving(leaving) if leaving.replaced => Some(leaving.tail.input.now()),
            _ => None,
        }
    }

    fn is_replaced(&self) -> bool {
        matches!(&self.stage, Stage::Leaving(leaving) if leaving.replaced)
    }

    /// How far in its place is: the input's fade of the slot that stands there.
    fn place(&self) -> Fade {
        match &self.stage {
            Stage::Live { coming } => *coming,
            Stage::Leaving(leaving) => leaving.tail.input,
        }
    }

    fn age_frames(&self) -> usize {
        match &self.stage {
            Stage::Live { .. } => 0,
            Stage::Leaving(leaving) => leaving.tail.age_frames(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.stage {
            Stage::Live { .. } => false,
            Stage::Leaving(leaving) => leaving.tail.is_over(),
        }
    }
}

/// A new order of a rack, built whole on the main thread.
pub(crate) struct Order {
    items: Vec<Item>,
    /// What changes in the slots that stay.
    changes: Vec<Change>,
    /// Empty, with room for all entries; goes back to the collector with the old list in it.
    merged: Vec<Entry>,
}

/// One place in a new order.
pub(crate) enum Item {
    /// A slot that is there already. Those that stay come in the order in which they stand.
    Stay(SlotKey),
    /// A slot that was built for this edit. If one of the same key is live, this one adopts its
    /// control state and the old one leaves. Empty once it is taken.
    New(Option<SlotBox>),
}

impl Order {
    /// `[main]` The places of the new rack, of `slots` at most, and the changes that go with it.
    pub(crate) fn new(items: Vec<Item>, changes: Vec<Change>, slots: usize) -> Self {
        Self {
            items,
            changes,
            merged: entries_touched(slots),
        }
    }

    /// `[main]` Where the rack's list will be.
    pub(crate) fn list(&self) -> Place {
        Place::at(self.merged.as_ptr(), self.merged.capacity())
    }

    fn staying(&self) -> usize {
        let stays = |item: &&Item| matches!(item, Item::Stay(_));
        self.items.iter().filter(stays).count()
    }
}

/// An empty list with room for all entries, every page of which has been written to: the audio
/// thread will be the first to use it.
fn entries_touched(slots: usize) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(most_entries(slots));
    for room in entries.spare_capacity_mut() {
        *room = MaybeUninit::zeroed();
    }
    std::hint::black_box(entries)
}

/// A chain of slots.
pub(crate) struct Rack {
    entries: Vec<Entry>,
    /// Every slot is wholly there, and none has left: found by the chunk before.
    steady: bool,
    /// Some slot follows the key.
    keyed: bool,
    /// For slots that are still to come.
    tempo: Tempo,
    fade_frames: usize,
    limit_frames: usize,
}

impl Rack {
    /// `[main]` A rack that is wholly there from its first frame, with room for `most` slots.
    pub(crate) fn new(
        stream: &Stream,
        slots: impl IntoIterator<Item = SlotBox>,
        most: usize,
    ) -> Self {
        let fade_frames = stream.frames(crate::fade::FADE_SECS);
        let mut entries = entries_touched(most);
        entries.extend(slots.into_iter().map(|slot| Entry {
            slot,
            stage: Stage::Live {
                coming: Fade::all(),
            },
        }));
        Self {
            keyed: follow_key(&entries),
            entries,
            steady: false,
            tempo: Tempo::default(),
            fade_frames,
            limit_frames: stream.frames(TAIL_LIMIT_SECS),
        }
    }

    /// `[main]` Where its list is.
    pub(crate) fn list(&self) -> Place {
        Place::at(self.entries.as_ptr(), self.entries.capacity())
    }

    /// `[main]` What the list of a rack of so many slots takes.
    pub(crate) fn planned_list(slots: usize) -> Place {
        Place::planned::<Entry>(most_entries(slots))
    }

    /// `[audio]` Whether there is room for what `order` makes leave. If not, the oldest tails are
    /// being cut off, so many since it was asked last: ask again in the next block.
    pub(crate) fn has_room_for(&mut self, order: &Order) -> Result<(), NoRoom> {
        let live = self.entries.iter().filter(|entry| entry.is_live()).count();
        let leaving = self.entries.len() - live;
        let more = live.saturating_sub(order.staying());
        // An edit that alone removes more than that may have them all, once the place is empty.
        if more == 0 || leaving == 0 || leaving + more <= MAX_SLOT_TAILS {
            return Ok(());
        }
        let being_cut = |entry: &&Entry| match &entry.stage {
            Stage::Leaving(leaving) => leaving.tail.is_cut(),
            Stage::Live { .. } => false,
        };
        let being_cut = self.entries.iter().filter(being_cut).count();
        let too_many = (leaving + more - MAX_SLOT_TAILS).min(leaving);
        let cut = self.cut_oldest(too_many.saturating_sub(being_cut));
        Err(NoRoom { cut })
    }

    /// How many were there to cut.
    fn cut_oldest(&mut self, count: usize) -> u64 {
        for done in 0..count {
            let tails = self
                .entries
                .iter_mut()
                .filter_map(|entry| match &mut entry.stage {
                    Stage::Leaving(leaving) => Some(&mut leaving.tail),
                    Stage::Live { .. } => None,
                });
            let uncut = tails.filter(|tail| !tail.is_cut());
            let Some(oldest) = uncut.max_by_key(|tail| tail.age_frames()) else {
                return done as u64;
            };
            oldest.cut_off(self.fade_frames);
        }
        count as u64
    }

    /// `[audio]` Takes the new order. What is left of the old list stays in `order`, to be dropped by
    /// the collector.
    pub(crate) fn apply(&mut self, order: &mut Order) {
        let fade_frames = self.fade_frames;
        self.steady = false;
        let Order {
            items,
            changes,
            merged,
        } = order;
        let mut old = self.entries.drain(..);
        for at in 0..items.len() {
            match &mut items[at] {
                &mut Item::Stay(key) => {
                    for mut entry in old.by_ref() {
                        if entry.is_live_as(key) {
                            merged.push(entry);
                            break;
                        }
                        leave(&mut entry, fade_frames);
                        merged.push(entry);
                    }
                }
                Item::New(slot) => {
                    let Some(mut slot) = slot.take() else {
                        continue;
                    };
                    let key = slot.key;
                    slot.set_tempo(self.tempo);
                    let mut coming = Fade::into(fade_frames);
                    let before_next_stay = place_in(&old, next_stay(&items[at + 1..]));
                    if place_in(&old, Some(key)) < before_next_stay {
                        // Rebuilt in its place.
                        for mut entry in old.by_ref() {
                            if entry.is_live_as(key) {
                                slot.adopt(&entry.slot);
                                coming = hand_over(&mut entry, merged, fade_frames);
                                merged.push(entry);
                                break;
                            }
                            leave(&mut entry, fade_frames);
                            merged.push(entry);
                        }
                    } else if let Some(from) = merged
                        .iter()
                        .chain(old.as_slice())
                        .filter(|entry| entry.slot.key == key)
                        .min_by_key(|entry| entry.age_frames())
                    {
                        slot.adopt(&from.slot);
                    }
                    merged.push(Entry {
                        slot,
                        stage: Stage::Live { coming },
                    });
                }
            }
        }
        for mut entry in old {
            leave(&mut entry, fade_frames);
            merged.push(entry);
        }
        std::mem::swap(&mut self.entries, merged);
        for &change in &*changes {
            if let Some(key) = change.slot() {
                self.change(key, change, Source::Controller);
            }
        }
        self.keyed = follow_key(&self.entries);
    }

    /// `[audio]` Whether any slot follows the key.
    pub(crate) fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// `[audio]` The music goes at `tempo` from now on: for all slots, and those that come later.
    pub(crate) fn set_tempo(&mut self, tempo: Tempo) {
        self.tempo = tempo;
        for entry in &mut self.entries {
            entry.slot.set_tempo(tempo);
        }
    }

    /// `[audio]` Hands a change to its slot; `false` when there is none of that key.
    pub(crate) fn change(&mut self, key: SlotKey, change: Change, source: Source) -> bool {
        let live = |entry: &&mut Entry| entry.is_live_as(key);
        match self.entries.iter_mut().find(live) {
            Some(entry) => {
                entry.slot.change(change, source);
                self.keyed = self.keyed || entry.slot.follows_key();
                true
            }
            None => false,
        }
    }

    /// `[audio]` Whether the slot of this key is passed by; `None` when there is none.
    pub(crate) fn is_bypassed(&self, key: SlotKey) -> Option<bool> {
        let live = |entry: &&Entry| entry.is_live_as(key);
        let entry = self.entries.iter().find(live)?;
        Some(entry.slot.is_bypassed())
    }

    /// `[audio]` Forgets all sound; what has left is gone, what comes is there.
    pub(crate) fn reset(&mut self) {
        self.drop_tails();
        self.reset_some(0, usize::MAX);
    }

    /// `[audio]` What has left is gone, what comes is there; what is there keeps its sound.
    pub(crate) fn drop_tails(&mut self) {
        self.entries.retain_mut(|entry| match &mut entry.stage {
            Stage::Live { coming } => {
                *coming = Fade::all();
                true
            }
            Stage::Leaving(_) => false,
        });
    }

    /// `[any]` Slots, with those that have left and still ring.
    pub(crate) fn slots(&self) -> usize {
        self.entries.len()
    }

    /// `[audio]` Forgets the sound of so many slots, from one on, in the chain's order.
    pub(crate) fn reset_some(&mut self, from: usize, count: usize) {
        for entry in self.entries.iter_mut().skip(from).take(count) {
            entry.slot.reset();
        }
    }

    /// `[audio]` For how many frames its output must be silent to be so for good.
    pub(crate) fn quiet_frames(&self) -> usize {
        let quiet = |entry: &Entry| entry.slot.quiet_frames();
        self.entries.iter().map(quiet).sum()
    }

    /// `[audio]` How many slots it has, those that have left included.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// `[audio]` Has each slot say, for so many frames, whether it is the one whose results are
    /// flushed to zero.
    pub(crate) fn watch_flushing(&mut self, frames: usize) {
        for entry in &mut self.entries {
            entry.slot.watch_flushing(frames);
        }
    }

    /// `[audio]` Shows all meters, once a block.
    pub(crate) fn publish(&mut self) {
        for entry in &mut self.entries {
            if entry.is_live() {
                entry.slot.publish();
            }
        }
    }

    /// `[audio]` Gives the levels of each slot since the last call, and where they stand on a screen.
    pub(crate) fn show(&mut self, mut visit: impl FnMut(usize, Lane)) {
        for entry in &mut self.entries {
            if entry.is_live() {
                let (lane, levels) = entry.slot.take_shown();
                visit(lane, levels);
            }
        }
    }

    /// `[audio]` Runs one chunk through the chain, in place. Returns whether `measured` is what comes
    /// out: what the last slot's meter found.
    pub(crate) fn process(
        &mut self,
        block: &mut Block<'_>,
        scratch: &mut Cursor<'_>,
        measured: &mut Measured,
        mut notify: impl FnMut(Notice),
    ) -> bool {
        let mut scratch = scratch.nested();
        let mut tell = |key: SlotKey, fault: Option<Fault>| match fault {
            None => {}
            Some(Fault::NotFinite) => notify(Notice::NotFinite(key)),
            Some(Fault::Panicked) => notify(Notice::Panicked(key)),
            Some(Fault::Allocated) => notify(Notice::Allocated(key)),
        };
        if self.steady {
            let dry = scratch.chunk();
            for entry in &mut self.entries {
                let fault = entry.slot.process(block, dry.0, measured);
                entry.slot.delay_key(block);
                if fault.is_some() {
                    tell(entry.slot.key, fault);
                }
            }
            return !self.entries.is_empty();
        }
        let room = &mut Room::take(&mut scratch);
        let mut shared = false;
        let mut any_left = false;
        let mut any_comes = false;
        let mut known = false;
        let limit_frames = self.limit_frames;
        for at in 0..self.entries.len() {
            if self.entries[at].is_replaced() && !shared {
                // The input is shared by all that follow, up to the slot that stands in this place.
                let rest = &self.entries[at..];
                let standing = rest.iter().find(|entry| !entry.is_replaced());
                let place = standing.map_or(Fade::all(), Entry::place);
                place.peek(&mut room.place[..block.frames()]);
                room.carry.silence();
                room.taken.fill(0.0);
                shared = true;
            }
            let entry = &mut self.entries[at];
            let key = entry.slot.key;
            known = false;
            match &mut entry.stage {
                Stage::Leaving(leaving) => {
                    any_left = true;
                    let limits = Limits {
                        quiet_frames: entry.slot.quiet_frames(),
                        age_frames: limit_frames,
                    };
                    let slot = &mut entry.slot;
                    if leaving.replaced {
                        tell(key, run_replaced(slot, leaving, block, room, limits));
                        continue;
                    }
                    let fault = run_leaving(slot, leaving, block, room, limits, shared);
                    tell(key, fault);
                }
                Stage::Live { coming } => {
                    any_comes |= coming.is_moving();
                    let fault = if coming.is_moving() || shared {
                        run_coming(&mut entry.slot, coming, block, room, shared)
                    } else {
                        known = true;
                        entry.slot.process(block, room.dry.0, measured)
                    };
                    entry.slot.delay_key(block);
                    tell(key, fault);
                }
            }
            shared = false;
        }
        if any_left {
            self.age(&mut notify);
        }
        self.steady = !any_left && !any_comes;
        known
    }

    /// Cuts off what rings too long and drops what is over.
    fn age(&mut self, notify: &mut impl FnMut(Notice)) {
        let fade_frames = self.fade_frames;
        for entry in &mut self.entries {
            if let Stage::Leaving(leaving) = &mut entry.stage
                && leaving.tail.is_old()
                && !leaving.tail.is_cut()
            {
                leaving.tail.cut_off(fade_frames);
                notify(Notice::TailCut(entry.slot.key));
            }
        }
        for at in (0..self.entries.len()).rev() {
            if self.entries[at].is_over() {
                // If it was the one that stood in its place, those that it had replaced stand alone
                // now; their fades are over, since they began before its own.
                let stood = !self.entries[at].is_replaced();
                let before = self.entries[..at].iter_mut().rev();
                for entry in before.take_while(|entry| stood && entry.is_replaced()) {
                    if let Stage::Leaving(leaving) = &mut entry.stage {
                        leaving.replaced = false;
                    }
                }
                self.entries.remove(at);
            }
        }
    }
}

fn follow_key(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.slot.follows_key())
}

/// The key of the first slot that stays in the rest of an order.
fn next_stay(items: &[Item]) -> Option<SlotKey> {
    items.iter().find_map(|item| match item {
        Item::Stay(key) => Some(*key),
        Item::New(_) => None,
    })
}

/// Where the live slot of this key stands in what is left of the old list; its end if nowhere.
fn place_in(old: &std::vec::Drain<'_, Entry>, key: Option<SlotKey>) -> usize {
    let old = old.as_slice();
    key.and_then(|key| old.iter().position(|entry| entry.is_live_as(key)))
        .unwrap_or(old.len())
}

/// A live entry that is in the order no more.
fn leave(entry: &mut Entry, fade_frames: usize) {
    if let Stage::Live { coming } = &entry.stage {
        entry.stage = Stage::Leaving(Leaving {
            tail: Tail::new(coming.now(), fade_frames),
            replaced: false,
        });
    }
}

/// A live entry whose successor is put right behind it. Returns how far the place itself is in.
fn hand_over(entry: &mut Entry, before: &[Entry], fade_frames: usize) -> Fade {
    let Stage::Live { coming } = entry.stage else {
        return Fade::all();
    };
    let taken: f32 = before.iter().rev().map_while(Entry::share).sum();
    entry.stage = Stage::Leaving(Leaving {
        tail: Tail::new(1.0 - taken, fade_frames),
        replaced: true,
    });
    coming
}

/// A slot that was replaced: it gets its share of the input, and what it says is carried to behind
/// its successor.
fn run_replaced(
    slot: &mut SlotBox,
    leaving: &mut Leaving,
    block: &mut Block<'_>,
    room: &mut Room<'_>,
    limits: Limits,
) -> Option<Fault> {
    let (frames, channels, position) = (block.frames(), block.channels(), block.position());
    let fade = &mut room.fade[..frames];
    leaving.tail.input.fill(fade);
    for (taken, fade) in room.taken[..frames].iter_mut().zip(&*fade) {
        *taken += fade;
    }
    for (input, side) in block.iter_mut().zip(room.side.0.iter_mut()) {
        let shares = fade.iter().zip(&*room.place);
        for ((side, input), (fade, place)) in side[..frames].iter_mut().zip(&*input).zip(shares) {
            *side = input * fade * place;
        }
    }
    let side = room.side.block(channels, frames, position);
    let mut side = side.with_key(block.lend_key());
    let mut measured = Measured::SILENT;
    let fault = slot.process(&mut side, room.dry.0, &mut measured);
    leaving.tail.finish_chunk(&mut side, room.gains, limits);
    for (carry, side) in room.carry.0.iter_mut().zip(side.iter_mut()) {
        for (carry, side) in carry.iter_mut().zip(&*side) {
            *carry += side;
        }
    }
    fault
}

/// A slot that was removed: `out = slot(in * f) + in * (1 - f)`, f from 1 to 0 and then 0.
fn run_leaving(
    slot: &mut SlotBox,
    leaving: &mut Leaving,
    block: &mut Block<'_>,
    room: &mut Room<'_>,
    limits: Limits,
    shared: bool,
) -> Option<Fault> {
    let (frames, channels, position) = (block.frames(), block.channels(), block.position());
    leaving.tail.input.fill(&mut room.fade[..frames]);
    split(block, room, shared);
    let side = room.side.block(channels, frames, position);
    let mut side = side.with_key(block.lend_key());
    let mut measured = Measured::SILENT;
    let fault = slot.process(&mut side, room.dry.0, &mut measured);
    leaving.tail.finish_chunk(&mut side, room.gains, limits);
    join(block, room, shared);
    fault
}

/// A slot that comes in: the same, f from 0 to 1.
fn run_coming(
    slot: &mut SlotBox,
    coming: &mut Fade,
    block: &mut Block<'_>,
    room: &mut Room<'_>,
    shared: bool,
) -> Option<Fault> {
    let (frames, channels, position) = (block.frames(), block.channels(), block.position());
    coming.fill(&mut room.fade[..frames]);
    split(block, room, shared);
    let side = room.side.block(channels, frames, position);
    let mut side = side.with_key(block.lend_key());
    let mut measured = Measured::SILENT;
    let fault = slot.process(&mut side, room.dry.0, &mut measured);
    join(block, room, shared);
    fault
}

/// `side = in * f`, less what replaced instances take; `past = in * (1 - f)`, with f in `room.fade`.
fn split(block: &mut Block<'_>, room: &mut Room<'_>, shared: bool) {
    let frames = block.frames();
    let channels = room.side.0.iter_mut().zip(room.past.0.iter_mut());
    for (input, (side, past)) in block.iter_mut().zip(channels) {
        for (i, &input) in input.iter().enumerate() {
            let fade = room.fade[i];
            side[i] = input * fade;
            past[i] = input * (1.0 - fade);
        }
        if shared {
            for (side, taken) in side[..frames].iter_mut().zip(&*room.taken) {
                *side *= 1.0 - taken;
            }
        }
    }
}

/// `out = side + past`, and what replaced instances said.
fn join(block: &mut Block<'_>, room: &Room<'_>, shared: bool) {
    let channels = room
        .side
        .0
        .iter()
        .zip(room.past.0.iter())
        .zip(room.carry.0.iter());
    for (out, ((side, past), carry)) in block.iter_mut().zip(channels) {
        for (i, out) in out.iter_mut().enumerate() {
            // Adding nothing could still turn a negative zero, and an end that falls inside a chunk
            // must not be told from one at its end.
            *out = if room.fade[i] == 1.0 {
                side[i]
            } else {
                side[i] + past[i]
            };
            if shared {
                *out += carry[i];
            }
            // Two halves of what is almost too large for a number can be too large.
            if !out.is_finite() {
                *out = 0.0;
            }
        }
    }
}
