//! From one port's thread to the audio thread.
//!
//! A ring of messages with their times. When it is full, what a controller says is parked in a cell
//! of its own, where the newest overwrites the one before: however fast a controller moves and however
//! long the audio thread is away, its last position arrives. A key that finds the ring full is lost
//! and counted.

use std::sync::Arc;
use std::sync::Weak;

use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::heard::Heard;
use super::message::Message;
use super::parking::Parking;
use crate::memory::ring_place;

/// Messages that may wait: a fifth of a second of a storm of 10,000 a second.
const RING: usize = 2_048;
/// A message and when it came, in nanoseconds since [`Heard`]'s epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamped {
    pub(crate) at_ns: u64,
    pub(crate) message: Message,
}

/// Where a lane is, for as long as it is there.
#[derive(Debug)]
pub(super) struct LaneMemory {
    ring: Place,
    parking: Weak<Parking>,
}

impl LaneMemory {
    /// `[main]` Lists it; `false` once it is gone.
    pub(super) fn list(&self, map: &mut MemoryMap) -> bool {
        let is_there = self.parking.strong_count() > 0;
        if is_there {
            let midi = || Owner::Program("midi");
            map.add_heap(midi(), "lane", Sort::Ring, self.ring);
            let parking = Place::at(self.parking.as_ptr(), 1);
            map.add_heap(midi(), "lane's newest values", Sort::Cells, parking);
        }
        is_there
    }
}

/// The port's end.
pub(crate) struct LaneSender {
    ring: Producer<Stamped>,
    parking: Arc<Parking>,
    heard: Arc<Heard>,
}

/// The audio thread's end.
pub(crate) struct LaneReceiver {
    ring: Consumer<Stamped>,
    parking: Arc<Parking>,
}

/// `[main]` A lane for one port.
pub(crate) fn lane(heard: &Arc<Heard>) -> (LaneSender, LaneReceiver) {
    // Every page of the ring is written here, so that none is new to a real-time thread.
    let (mut ring_in, mut ring_out) = RingBuffer::new(RING);
    let nothing = Stamped {
        at_ns: 0,
        message: Message::Program {
            channel: 0,
            number: 0,
        },
    };
    let ring = ring_place(&mut ring_in);
    while ring_in.push(nothing).is_ok() {}
    while ring_out.pop().is_ok() {}
    let parking = Arc::new(Parking::new());
    heard.add_lane(LaneMemory {
        ring,
        parking: Arc::downgrade(&parking),
    });
    let sender = LaneSender {
        ring: ring_in,
        parking: Arc::clone(&parking),
        heard: Arc::clone(heard),
    };
    let receiver = LaneReceiver {
        ring: ring_out,
        parking,
    };
    (sender, receiver)
}

impl LaneSender {
    /// `[audio]` Takes the bytes of one message, which came at `at_ns`. Called on threads that may be
    /// real-time: never waits.
    pub(crate) fn hear(&mut self, bytes: &[u8], at_ns: u64) {
        let Some(message) = Message::parse(bytes) else {
            return;
        };
        self.heard.note(message);
        match message {
            // The main thread's, which has been told.
            Message::Program { .. } => {}
            Message::Controller {
                channel,
                number,
                value,
            } => {
                if (self.parking.is_open() || self.ring.push(Stamped { at_ns, message }).is_err())
                    && self.parking.park(channel, number, value)
                {
                    self.heard.count_superseded(1);
                }
            }
            Message::Note { .. } => {
                if self.ring.push(Stamped { at_ns, message }).is_err() {
                    self.heard.count_dropped();
                }
            }
        }
    }

    /// `[audio]` Nanoseconds since the epoch.
    pub(crate) fn now_ns(&self) -> u64 {
        self.heard.now_ns()
    }
}

impl LaneReceiver {
    /// `[audio]` Whether positions are parked: ask before the ring is emptied.
    pub(crate) fn has_parked(&self) -> bool {
        self.parking.is_open()
    }

    /// `[audio]` The next message, left where it is.
    pub(crate) fn front(&self) -> Option<Stamped> {
        self.ring.peek().ok().copied()
    }

    /// `[audio]` Takes the next message.
    pub(crate) fn pop(&mut self) -> Option<Stamped> {
        self.ring.pop().ok()
    }

    /// `[audio]` Takes what is parked. Only when [`Self::has_parked`] said so and the ring has been
    /// seen empty since: what is in the cells is newer than all of that.
    pub(crate) fn take_parked(&mut self, mut take: impl FnMut(Message)) {
        self.parking.take(|channel, number, value| {
            take(Message::Controller {
                channel,
                number,
                value,
            });
        });
    }

    /// `[audio]` Whether the port has gone and all that it said was taken.
    pub(crate) fn is_over(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty() && !self.has_parked()
    }
}
