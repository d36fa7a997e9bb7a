//! On the audio thread: from messages to the rack's events.
//!
//! A block plays the messages that came while the block before was played, each as far from its
//! start as it was from that one's: all are late by one block, and none early or late against the
//! others. What a block may cost is bounded: so many messages are taken, so many events made; events
//! fall on a grid of 32 frames (0.7 ms, shorter than a message takes on a MIDI cable), and of one
//! binding the newest on each place of the grid counts.

use std::sync::Arc;

use headroom_engine::Change;
use headroom_engine::Event;
use headroom_engine::GRID_FRAMES;
use headroom_engine::MemoryMap;
use headroom_engine::Processor;
use headroom_engine::SlotKey;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::heard::Heard;
use super::lane::LaneReceiver;
use super::lane::Stamped;
use super::message::Message;
use super::table::MAX_BOUND;
use super::table::Order;
use super::table::Press;
use super::table::Table;

/// Ports that are listened to at once.
pub(crate) const MAX_LANES: usize = 16;
/// Messages that a block takes: so many, and beside them some for each frame. At 48 kHz that is
/// 200,000 a second and more.
const MESSAGES_A_BLOCK: usize = 64;
const MESSAGES_A_FRAME: usize = 4;
/// Events of one block. What has no room keeps its newest value for the next.
const EVENTS: usize = 1_024;
/// Tables on their way; the main thread waits when there are more.
const TABLES: usize = 4;

/// The audio thread's end: belongs to the output callback.
pub(crate) struct Feed {
    lanes: [Option<Box<LaneReceiver>>; MAX_LANES],
    table: Box<Table>,
    heard: Arc<Heard>,
    inbox: Inbox,
    events: Vec<Event>,
    /// Which of the events is the newest of each binding.
    newest: [Option<u16>; MAX_BOUND],
    /// What each binding is to be set to in the next block.
    later: [Option<Change>; MAX_BOUND],
    mute: Option<bool>,
    /// When the block before began.
    before_ns: u64,
    /// How far the block has been handed out, in frames and events.
    at_frame: u32,
    at_event: usize,
}

/// What comes from other threads, and what goes back there to be dropped. A queue back that is full
/// leaves what is new where it is, for the next block.
struct Inbox {
    lanes: Consumer<Box<LaneReceiver>>,
    lanes_back: Producer<Box<LaneReceiver>>,
    tables: Consumer<Box<Table>>,
    tables_back: Producer<Box<Table>>,
}

/// The other ends of a feed's queues: dropped by the main thread, after the feed.
pub(crate) struct FeedEnds {
    pub(super) lanes: Producer<Box<LaneReceiver>>,
    pub(super) lanes_back: Consumer<Box<LaneReceiver>>,
    pub(super) tables: Producer<Box<Table>>,
    pub(super) tables_back: Consumer<Box<Table>>,
}

impl Feed {
    /// `[main]` A feed that hears nothing yet and moves by `table`.
    pub(crate) fn new(heard: &Arc<Heard>, table: Table) -> (Self, FeedEnds) {
        let (lanes_in, lanes) = RingBuffer::new(MAX_LANES);
        let (lanes_back, lanes_out) = RingBuffer::new(MAX_LANES);
        let (tables_in, tables) = RingBuffer::new(TABLES);
        let (tables_back, tables_out) = RingBuffer::new(TABLES);
        let nothing = Event {
            frame: 0,
            change: Change::Mix {
                slot: SlotKey::NONE,
                value: 0.0,
            },
        };
        // Filled once, so that no page of it is new to the audio thread.
        let mut events = vec![nothing; EVENTS];
        events.clear();
        let feed = Self {
            lanes: [const { None }; MAX_LANES],
            table: Box::new(table),
            heard: Arc::clone(heard),
            inbox: Inbox {
                lanes,
                lanes_back,
                tables,
                tables_back,
            },
            events,
            newest: [None; MAX_BOUND],
            later: [None; MAX_BOUND],
            mute: None,
            before_ns: heard.now_ns(),
            at_frame: 0,
            at_event: 0,
        };
        let ends = FeedEnds {
            lanes: lanes_in,
            lanes_back: lanes_out,
            tables: tables_in,
            tables_back: tables_out,
        };
        (feed, ends)
    }

    /// `[main]` Lists its memory; the lanes are listed by [`Heard`].
    pub(crate) fn list(&self, map: &mut MemoryMap) {
        let midi = || Owner::Program("midi");
        map.add_heap(midi(), "feed", Sort::State, Place::at(self, 1));
        let events = Place::at(self.events.as_ptr(), self.events.capacity());
        map.add_heap(midi(), "events of a block", Sort::Table, events);
        map.add_heap(midi(), "table", Sort::Table, Place::at(&*self.table, 1));
    }

    /// `[main]` Moves by another table, while no callback has the feed.
    pub(crate) fn move_to(&mut self, table: Table) {
        *self.table = table;
        self.later = [None; MAX_BOUND];
    }

    /// `[audio]` Makes the events of a block that begins now. `processor` says where switches are.
    pub(crate) fn begin(&mut self, frames: usize, processor: &mut Processor) {
        let now_ns = self.heard.now_ns();
        self.begin_at(now_ns, frames, processor);
    }

    /// `[audio]` The same at a given time.
    pub(super) fn begin_at(&mut self, now_ns: u64, frames: usize, processor: &mut Processor) {
        self.take_new();
        self.events.clear();
        self.newest = [None; MAX_BOUND];
        (self.at_frame, self.at_event) = (0, 0);
        if frames == 0 {
            return;
        }
        for binding in 0..MAX_BOUND {
            if let Some(change) = self.later[binding].take() {
                self.set(binding, 0, change);
            }
        }
        let parked: [bool; MAX_LANES] = std::array::from_fn(|lane| {
            let lane = self.lanes[lane].as_ref();
            lane.is_some_and(|lane| lane.has_parked())
        });
        let mut budget = MESSAGES_A_BLOCK + MESSAGES_A_FRAME * frames;
        let span_ns = u128::from(now_ns.saturating_sub(self.before_ns).max(1));
        while budget > 0
            && let Some(Stamped { at_ns, message }) = self.next_before(now_ns)
        {
            budget -= 1;
            let into_ns = u128::from(at_ns.saturating_sub(self.before_ns));
            let frame = ((into_ns * frames as u128 + span_ns / 2) / span_ns) as usize;
            self.act(message, on_grid(frame.min(frames - 1)), processor);
        }
        self.before_ns = now_ns;
        for (at, parked) in parked.into_iter().enumerate() {
            let Some(lane) = &mut self.lanes[at] else {
                continue;
            };
            if parked && lane.front().is_none() {
                let mut lane = self.lanes[at].take();
                if let Some(lane) = &mut lane {
                    lane.take_parked(|message| {
                        self.act(message, on_grid(frames - 1), processor);
                    });
                }
                self.lanes[at] = lane;
            }
        }
        if let Some(on) = self.mute.take() {
            processor.mute(on);
            self.heard.set_muted(on);
        }
    }

    /// `[audio]` The events of the block's next `frames`, by frames from there.
    pub(crate) fn next(&mut self, frames: usize) -> &[Event] {
        let first = self.at_event;
        let end = self.at_frame + frames as u32;
        for event in &mut self.events[first..] {
            if event.frame >= end {
                break;
            }
            event.frame -= self.at_frame;
            self.at_event += 1;
        }
        self.at_frame = end;
        &self.events[first..self.at_event]
    }

    /// Takes lanes and tables that have come; gives back what has had its day.
    fn take_new(&mut self) {
        let inbox = &mut self.inbox;
        while !inbox.tables_back.is_full()
            && let Ok(table) = inbox.tables.pop()
        {
            let old = std::mem::replace(&mut self.table, table);
            // What waits is for the rack of before.
            self.later = [None; MAX_BOUND];
            // Cannot fail: it has been asked whether there is room.
            let _has_room = inbox.tables_back.push(old);
        }
        for place in &mut self.lanes {
            if place.as_ref().is_some_and(|lane| lane.is_over())
                && !inbox.lanes_back.is_full()
                && let Some(over) = place.take()
            {
                // Cannot fail, as above.
                let _has_room = inbox.lanes_back.push(over);
            }
            if place.is_none() {
                *place = inbox.lanes.pop().ok();
            }
        }
    }

    /// The oldest message of all lanes, if it came before `now_ns`.
    fn next_before(&mut self, now_ns: u64) -> Option<Stamped> {
        let mut oldest = None;
        for (at, lane) in self.lanes.iter().enumerate() {
            let front = lane.as_ref().and_then(|lane| lane.front());
            if let Some(front) = front
                && front.at_ns < oldest.map_or(now_ns, |(_, at_ns)| at_ns)
            {
                oldest = Some((at, front.at_ns));
            }
        }
        let (at, _) = oldest?;
        self.lanes[at].as_mut()?.pop()
    }

    fn act(&mut self, message: Message, frame: u32, processor: &Processor) {
        let mut listeners = self.table.listeners(message);
        while listeners != 0 {
            let binding = listeners.trailing_zeros() as usize;
            listeners &= listeners - 1;
            let Some(order) = self.table.order(binding, message) else {
                continue;
            };
            match order {
                Order::Change(change) => self.set(binding, frame, change),
                Order::Bypass { slot, press } => {
                    let now = || processor.is_bypassed(slot).unwrap_or(false);
                    let now = self.last_bypass(binding).unwrap_or_else(now);
                    let on = press.from(now);
                    self.set(binding, frame, Change::Bypass { slot, on });
                }
                Order::Mute(press) => {
                    let now = self.mute.unwrap_or_else(|| processor.is_muted());
                    self.mute = Some(press.from(now));
                }
                Order::Panic(press) => {
                    let button = self.table.panic_button();
                    match press {
                        Press::To(true) => button.press(),
                        Press::To(false) => button.release(),
                        Press::Over if button.is_pressed() => button.release(),
                        Press::Over => button.press(),
                    }
                }
            }
        }
    }

    /// Where a bypass will be after what this block already does.
    fn last_bypass(&self, binding: usize) -> Option<bool> {
        let event = || self.newest[binding].map(|at| self.events[usize::from(at)].change);
        match self.later[binding].or_else(event) {
            Some(Change::Bypass { on, .. }) => Some(on),
            _ => None,
        }
    }

    /// One event more, or another value for the one that stands in its place.
    fn set(&mut self, binding: usize, frame: u32, change: Change) {
        let newest = self.newest[binding].map(usize::from);
        if let Some(later) = &mut self.later[binding] {
            *later = change;
            self.heard.count_superseded(1);
        } else if let Some(at) = newest
            && self.events[at].frame == frame
        {
            self.events[at].change = change;
            self.heard.count_superseded(1);
        } else if self.events.len() < EVENTS {
            self.newest[binding] = Some(self.events.len() as u16);
            self.events.push(Event { frame, change });
        } else {
            self.later[binding] = Some(change);
        }
    }
}

fn on_grid(frame: usize) -> u32 {
    (frame / GRID_FRAMES * GRID_FRAMES) as u32
}
