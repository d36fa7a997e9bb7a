//! What the MIDI threads and the audio thread let the main thread know.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use headroom_engine::MemoryMap;
use serde::Serialize;

use super::lane::LaneMemory;
use super::message::Message;

/// The words between the threads. Each stands for itself, so all are `Relaxed`.
///
/// Of what a player does more often than the main thread looks, the newest counts: a cell is
/// overwritten, never queued.
#[derive(Debug)]
pub(crate) struct Heard {
    /// What all time stamps count from.
    epoch: Instant,
    /// The channels whose program changes are listened to, a bit each. Written before the first.
    program_channels: u16,
    /// The newest program change that was not taken yet. Writers: MIDI threads; taken by main.
    program: AtomicU32,
    /// The newest controller or key since the main thread began to learn. Writers: MIDI threads.
    touched: AtomicU32,
    /// The newest message, for people. Writers: MIDI threads.
    newest: AtomicU32,
    /// What a pedal did to the mute: 0 nothing, 1 on, 2 off. Writer: audio thread; taken by main.
    muted: AtomicU8,
    /// Messages that were understood. Writers: MIDI threads.
    events: AtomicU64,
    /// Messages that moved nothing, since a newer one of the same controller came before they
    /// could be heard. Writers: MIDI threads and the audio thread.
    superseded: AtomicU64,
    /// Keys that were lost because the audio thread did not take them. Writers: MIDI threads.
    dropped: AtomicU64,
    /// Where the lanes are: for the thread that finds ports, and the main thread.
    lanes: Mutex<Vec<LaneMemory>>,
}

/// The figures of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MidiCounts {
    /// Messages that were understood.
    pub events: u64,
    /// Of which a newer one of the same controller took the place before they could be heard.
    pub superseded: u64,
    /// Of which were lost: keys, while the audio thread took nothing.
    pub dropped: u64,
}

impl Heard {
    /// `[main]` Program changes are taken from these channels, a bit each.
    pub(crate) fn new(program_channels: u16) -> Self {
        Self {
            epoch: Instant::now(),
            program_channels,
            program: AtomicU32::new(0),
            touched: AtomicU32::new(0),
            newest: AtomicU32::new(0),
            muted: AtomicU8::new(0),
            events: AtomicU64::new(0),
            superseded: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            lanes: Mutex::default(),
        }
    }

    /// `[main]` A new lane, from the thread that finds ports.
    pub(super) fn add_lane(&self, lane: LaneMemory) {
        self.lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(lane);
    }

    /// `[main]` Lists the lanes that are there.
    pub(crate) fn list(&self, map: &mut MemoryMap) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|lane| lane.list(map));
    }

    /// `[audio]` Nanoseconds since the epoch.
    pub(crate) fn now_ns(&self) -> u64 {
        self.epoch
            .elapsed()
            .as_nanos()
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// `[audio]` Notes a message as it comes in.
    pub(super) fn note(&self, message: Message) {
        self.events.fetch_add(1, Relaxed);
        self.newest.store(message.pack(), Relaxed);
        match message {
            Message::Program { channel, .. } => {
                if self.program_channels >> channel & 1 == 1 {
                    self.program.store(message.pack(), Relaxed);
                }
            }
            Message::Note { down: false, .. } => {}
            _ => self.touched.store(message.pack(), Relaxed),
        }
    }

    /// `[audio]` Counts messages that a newer one took the place of.
    pub(super) fn count_superseded(&self, count: u64) {
        self.superseded.fetch_add(count, Relaxed);
    }

    /// `[audio]` Counts a key that was lost.
    pub(super) fn count_dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// `[audio]` Notes what a pedal did to the mute.
    pub(super) fn set_muted(&self, on: bool) {
        self.muted.store(if on { 1 } else { 2 }, Relaxed);
    }

    /// `[main]` Whether a pedal has muted or unmuted since the last call.
    pub(super) fn take_muted(&self) -> Option<bool> {
        match self.muted.swap(0, Relaxed) {
            0 => None,
            word => Some(word == 1),
        }
    }

    /// `[main]` The program change since the last call: channel and number, from 0.
    pub(super) fn take_program(&self) -> Option<(u8, u8)> {
        match Message::unpack(self.program.swap(0, Relaxed)) {
            Some(Message::Program { channel, number }) => Some((channel, number)),
            _ => None,
        }
    }

    /// `[main]` The controller or key that was touched since the last call.
    pub(super) fn take_touched(&self) -> Option<Message> {
        Message::unpack(self.touched.swap(0, Relaxed))
    }

    /// `[main]` The newest message.
    pub(super) fn newest(&self) -> Option<Message> {
        Message::unpack(self.newest.load(Relaxed))
    }

    /// `[main]` The figures of now.
    pub(crate) fn counts(&self) -> MidiCounts {
        MidiCounts {
            events: self.events.load(Relaxed),
            superseded: self.superseded.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
        }
    }
}
