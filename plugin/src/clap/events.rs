//! What a host changes within a block, in the order of the frames, and what it is told there of what was done
//! at the screen.

use std::sync::{Mutex, PoisonError};

use clack_plugin::events::event_types::{
    ParamGestureBeginEvent, ParamGestureEndEvent, ParamModEvent, ParamValueEvent, TransportEvent,
    TransportFlags,
};
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::{Event as _, EventFlags, Pckn, UnknownEvent};
use clack_plugin::utils::ClapId;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::table::Table;

/// Gestures on their way to the host. Full: a value is set, and the host is not told of it.
const ROOM: usize = 2_048;

/// Something that a host changes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Value(u16, f32),
    Modulation(u16, f32),
    Tempo(f64),
}

impl Change {
    /// `[audio]` What an event changes, if it changes anything here.
    fn of(event: &UnknownEvent, table: &Table) -> Option<Self> {
        let row_of = |id: Option<ClapId>| table.row(id?.get());
        if let Some(event) = event.as_event::<ParamValueEvent>() {
            let row = row_of(event.param_id())?;
            return Some(Self::Value(row, (event.value() / table.steps(row)) as f32));
        }
        if let Some(event) = event.as_event::<ParamModEvent>() {
            let row = row_of(event.param_id())?;
            let by = event.amount() / table.steps(row);
            return Some(Self::Modulation(row, by as f32));
        }
        tempo(event.as_event::<TransportEvent>()?).map(Self::Tempo)
    }
}

/// `[audio]` The tempo that a transport says, in beats a minute.
pub(super) fn tempo(transport: &TransportEvent) -> Option<f64> {
    let has_one = transport.flags.contains(TransportFlags::HAS_TEMPO);
    has_one.then_some(transport.tempo)
}

/// A host's events, from the first that is not done yet.
pub(super) struct Walk<'a> {
    events: &'a InputEvents<'a>,
    next: u32,
    count: u32,
}

impl<'a> Walk<'a> {
    /// `[audio]` From the first.
    pub(super) fn new(events: &'a InputEvents<'a>) -> Self {
        Self {
            events,
            next: 0,
            count: events.len(),
        }
    }

    /// `[audio]` Sets what is due at `frame` of so many; gives the frame of the next change, if there is one. A
    /// tempo goes to `go_by`.
    #[inline]
    pub(super) fn set_until(
        &mut self,
        frame: usize,
        frames: usize,
        table: &Table,
        go_by: impl FnMut(f64),
    ) -> Option<usize> {
        // Most blocks bring nothing.
        if self.next == self.count {
            return None;
        }
        self.walk(frame, frames, table, go_by)
    }

    fn walk(
        &mut self,
        frame: usize,
        frames: usize,
        table: &Table,
        mut go_by: impl FnMut(f64),
    ) -> Option<usize> {
        while self.next < self.count {
            let event = self.events.get(self.next);
            let change =
                event.and_then(|event| Some((event.header().time(), Change::of(event, table)?)));
            if let Some((time, change)) = change {
                let at = (time as usize).min(frames.saturating_sub(1));
                if at > frame {
                    return Some(at);
                }
                match change {
                    Change::Value(row, position) => table.set(row, position),
                    Change::Modulation(row, by) => table.modulate(row, by),
                    Change::Tempo(bpm) => go_by(bpm),
                }
            }
            self.next += 1;
        }
        None
    }

    /// `[any]` Sets all that is left: there is no sound for it to be at a frame of.
    pub(super) fn set_all(&mut self, table: &Table, go_by: impl FnMut(f64)) {
        self.set_until(usize::MAX, 0, table, go_by);
    }
}

/// What was done at a control, by its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Gesture {
    Begin(u16),
    /// To a position, 0 to 1.
    Set(u16, f32),
    End(u16),
}

/// The screen's end of what the host is told.
pub(super) struct ToHost(Mutex<Producer<Gesture>>);

impl ToHost {
    /// `[main]` One more.
    pub(super) fn push(&self, gesture: Gesture, table: &Table) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A host that does not take them hears of it, all the same.
        if let Err(rtrb::PushError::Full(Gesture::Set(row, position))) = queue.push(gesture) {
            table.set(row, position);
        }
    }
}

/// The host's end.
pub(super) struct Gestures(Consumer<Gesture>);

impl Gestures {
    /// `[main]` Both ends.
    pub(super) fn new() -> (ToHost, Self) {
        let (to_host, gestures) = RingBuffer::new(ROOM);
        (ToHost(Mutex::new(to_host)), Self(gestures))
    }

    /// `[audio]` Tells the host what was done, and does it: values are set here, between two blocks. What the
    /// host has no room for waits.
    #[inline]
    pub(super) fn tell(&mut self, events: &mut OutputEvents, table: &Table) {
        if !self.0.is_empty() {
            self.tell_all(events, table);
        }
    }

    fn tell_all(&mut self, events: &mut OutputEvents, table: &Table) {
        while let Ok(gesture) = self.0.peek() {
            let (Gesture::Begin(row) | Gesture::Set(row, _) | Gesture::End(row)) = *gesture;
            let Some(id) = ClapId::from_raw(table.id(row)) else {
                // PANIC: none; no number is the one that is none.
                return;
            };
            let told = match *gesture {
                Gesture::Begin(_) => events.try_push(ParamGestureBeginEvent::new(0, id)),
                Gesture::Set(row, position) => {
                    let value = f64::from(position) * table.steps(row);
                    let event = ParamValueEvent::new(0, id, Pckn::match_all(), value);
                    events.try_push(event.with_flags(EventFlags::IS_LIVE))
                }
                Gesture::End(_) => events.try_push(ParamGestureEndEvent::new(0, id)),
            };
            if told.is_err() {
                return;
            }
            if let Ok(Gesture::Set(row, position)) = self.0.pop() {
                table.set(row, position);
            }
        }
    }
}
