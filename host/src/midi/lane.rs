//! From one port's thread to the audio thread.
//!
//! A ring of messages with their times. When it is full, what a controller says is parked in a cell
//! of its own, where the newest overwrites the one before: however fast a controller moves and however
//! long the audio thread is away, its last position arrives. A key that finds the ring full is lost
//! and counted.

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::AcqRel;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;

use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::heard::Heard;
use super::message::Message;
use crate::memory::ring_place;

/// Messages that may wait: a fifth of a second of a storm of 10,000 a second.
const RING: usize = 2_048;
/// 16 channels of 128 controllers.
const CELLS: usize = 16 * 128;

/// A message and when it came, in nanoseconds since [`Heard`]'s epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamped {
    pub(crate) at_ns: u64,
    pub(crate) message: Message,
}

/// Positions that found the ring full.
#[derive(Debug)]
struct Parking {
    /// Something is parked. While it is set, positions go nowhere else, so that none overtakes.
    /// Set by the port's thread after it has parked, cleared by the audio thread before it looks.
    open: AtomicBool,
    /// Which cells hold something: set by the port's thread behind the value, taken by the audio
    /// thread.
    taken: [AtomicU64; CELLS / 64],
    values: [AtomicU8; CELLS],
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
    let parking = Arc::new(Parking {
        open: AtomicBool::new(false),
        taken: [const { AtomicU64::new(0) }; CELLS / 64],
        values: [const { AtomicU8::new(0) }; CELLS],
    });
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
                // Acquire: what the audio thread took out of the cells, it took before it said so.
                if self.parking.open.load(Acquire)
                    || self.ring.push(Stamped { at_ns, message }).is_err()
                {
                    self.park(channel, number, value);
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

    fn park(&mut self, channel: u8, number: u8, value: u8) {
        let cell = usize::from(channel) * 128 + usize::from(number);
        self.parking.values[cell].store(value, Relaxed);
        let bit = 1 << (cell % 64);
        // Release: whoever sees the bit sees the value.
        if self.parking.taken[cell / 64].fetch_or(bit, Release) & bit != 0 {
            self.heard.count_superseded(1);
        }
        // Release: whoever sees it open sees all that went into the ring before.
        self.parking.open.store(true, Release);
    }
}

impl LaneReceiver {
    /// `[audio]` Whether positions are parked: ask before the ring is emptied.
    pub(crate) fn has_parked(&self) -> bool {
        self.parking.open.load(Acquire)
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
        // First: what is parked from here on opens it again.
        self.parking.open.swap(false, AcqRel);
        for (word, taken) in self.parking.taken.iter().enumerate() {
            let mut bits = taken.swap(0, Acquire);
            while bits != 0 {
                let cell = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                take(Message::Controller {
                    channel: (cell / 128) as u8,
                    number: (cell % 128) as u8,
                    value: self.parking.values[cell].load(Relaxed),
                });
            }
        }
    }

    /// `[audio]` Whether the port has gone and all that it said was taken.
    pub(crate) fn is_over(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty() && !self.has_parked()
    }
}
