//! The main thread's side of one engine: what the parameters ask for becomes edits and presets.

use std::time::{Duration, Instant};

use headroom_engine::preset::RackSpec;
use headroom_engine::{Capacity, Memory, open};
use headroom_engine::{ControlError, Controller, OpenError, Processor, SlotKey, Stream};
use headroom_ipc::{Publisher, Publishers};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::feed::{Feed, Line};
use crate::parameters::Parameters;
use crate::structure::{Values, is_same, rack, slot_of};

/// Layouts on their way to the audio thread, or back. Full: the next edit waits.
const LAYOUTS: usize = 8;
/// Publishers on their way. Full: at the next look.
const PUBLISHERS: usize = 4;
/// So long after a change all has been heard: what the rack stands at is then what was asked for.
const SETTLED: Duration = Duration::from_millis(200);
/// Reports that are kept for whoever asks.
const REPORTS: usize = 32;

/// What the audio thread has to know of a rack: which slot a row moves, and what it was last told.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Of each row: the slot that it moves, if it is in.
    pub(crate) slots: Box<[Option<SlotKey>]>,
    /// Of each row: the value that its slot was built with, or last told.
    pub(crate) told: Box<[f32]>,
    /// No module is in.
    pub(crate) is_empty: bool,
}

impl Layout {
    fn of(parameters: &Parameters, controller: &Controller) -> Self {
        let rack = controller.spec();
        let slots = parameters.rows().iter().map(|row| {
            let place = slot_of(parameters, rack, row.target)?;
            controller.slot_key(&rack.modules[place].id).ok()
        });
        let told = parameters.rows().iter().map(|row| {
            use crate::rows::Target::{Bypass, Mix, Value};
            let place = slot_of(parameters, rack, row.target)?;
            let module = &rack.modules[place];
            Some(match row.target {
                Bypass(_) => f32::from(u8::from(module.bypass)),
                Mix(_) => module.mix,
                Value(_, param) => module.values[param],
                _ => return None,
            })
        });
        Self {
            slots: slots.collect(),
            told: told.map(|told| told.unwrap_or(f32::NAN)).collect(),
            is_empty: rack.modules.is_empty(),
        }
    }
}

/// The main thread's end of one engine. Whoever works holds its lock; the audio thread does so when a
/// host renders offline, and never else.
pub(crate) struct Desk {
    controller: Controller,
    to_audio: Producer<Box<Layout>>,
    from_audio: Consumer<Box<Layout>>,
    publishers: Producer<Option<Publisher>>,
    used_publishers: Consumer<Publisher>,
    /// Through what the audio thread shall show its levels; sent when `is_sent`.
    shown_by: Option<Publishers>,
    is_sent: bool,
    /// Layouts that are with the audio thread.
    away: usize,
    /// The revision of the parameters that has been done.
    done: (u64, u64),
    /// The revision that was seen when it was last looked.
    seen: (u64, u64),
    settles_at: Option<Instant>,
    reports: Vec<String>,
}

impl Desk {
    /// `[main]` Opens an engine at the parameters of now, and runs its priming block.
    pub(crate) fn open(
        parameters: &Parameters,
        stream: Stream,
    ) -> Result<(Self, Feed, Processor), OpenError> {
        let revision = parameters.changed().revision();
        let memory = Memory {
            capacity: Capacity::STAGE,
            ..Memory::default()
        };
        let rack = rack(parameters, Values::Heard);
        let (controller, mut processor) = open(stream, &rack, &memory)?;
        let (to_audio, layouts) = RingBuffer::new(LAYOUTS);
        let (returned, from_audio) = RingBuffer::new(LAYOUTS);
        let layout = Box::new(Layout::of(parameters, &controller));
        let (publishers, to_show) = RingBuffer::new(PUBLISHERS);
        // One may be with the audio thread beside those that are on their way.
        let (back, used_publishers) = RingBuffer::new(2 * PUBLISHERS);
        let line = Line {
            publishers: to_show,
            returned: back,
        };
        let feed = Feed::new(parameters, stream, layout, layouts, returned, line);
        // The priming block is silent: it is not to be the host's first.
        processor.process(&mut [], &[]);
        let desk = Self {
            controller,
            to_audio,
            from_audio,
            publishers,
            used_publishers,
            shown_by: None,
            is_sent: true,
            away: 1,
            done: revision,
            seen: revision,
            settles_at: None,
            reports: Vec::new(),
        };
        Ok((desk, feed, processor))
    }

    /// `[main]` Has levels and sound be shown through one of `publishers`, or no more.
    pub(crate) fn show(&mut self, publishers: Option<Publishers>) {
        self.shown_by = publishers;
        self.is_sent = false;
        self.send_publisher();
    }

    /// `[main]` Whether somebody has asked for levels and sound.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown_by.is_some()
    }

    /// `[main]` The engine, for whoever shows it.
    pub(crate) fn controller(&mut self) -> &mut Controller {
        &mut self.controller
    }

    /// `[main]` Blocks that the audio thread has done.
    pub(crate) fn blocks(&self) -> u64 {
        self.controller.health().blocks
    }

    /// `[main]` Frames of them.
    pub(crate) fn frames(&self) -> u64 {
        self.controller.health().frames
    }

    fn send_publisher(&mut self) {
        while self.used_publishers.pop().is_ok() {}
        if self.is_sent || self.publishers.is_full() {
            return;
        }
        let publisher = self.shown_by.as_ref().map(Publishers::take);
        // One that is still about belongs to an engine before this one: at the next look.
        self.is_sent = match publisher {
            Some(None) => false,
            Some(publisher) => self.publishers.push(publisher).is_ok(),
            None => self.publishers.push(None).is_ok(),
        };
    }

    /// `[any]` The stream it was opened for.
    pub(crate) fn stream(&self) -> Stream {
        self.controller.stream()
    }

    /// `[main]` Frames by which the output is late.
    pub(crate) fn latency_frames(&self) -> usize {
        self.controller.latency_frames()
    }

    /// `[main]` What happened in the engine, oldest first.
    pub(crate) fn take_reports(&mut self) -> Vec<String> {
        std::mem::take(&mut self.reports)
    }

    /// `[main]` One look by housekeeping: what changed is done when it has stood for one look, so that a
    /// burst of changes, or a state that is just being set, is one edit.
    pub(crate) fn look(&mut self, parameters: &Parameters) {
        self.send_publisher();
        let revision = parameters.changed().revision();
        if std::mem::replace(&mut self.seen, revision) == revision {
            self.catch_up(parameters);
            self.compare(parameters);
        }
        for report in self.controller.reports() {
            if self.reports.len() < REPORTS {
                self.reports.push(report.to_string());
            }
        }
    }

    /// `[main]` Brings the rack to what the parameters ask for, now; `false` if the audio thread first has
    /// to take what was sent before.
    pub(crate) fn catch_up(&mut self, parameters: &Parameters) -> bool {
        while self.from_audio.pop().is_ok() {
            self.away -= 1;
        }
        let revision = parameters.changed().revision();
        if revision == self.done {
            return true;
        }
        if self.away >= LAYOUTS {
            return false;
        }
        let wanted = rack(parameters, Values::Heard);
        match self.build(&wanted, revision.1 != self.done.1) {
            // The audio thread has not taken what was sent before: at the next look.
            Err(ControlError::Busy) => return false,
            Err(why) => self.reports.push(why.to_string()),
            Ok(false) => {}
            Ok(true) => {
                let layout = Box::new(Layout::of(parameters, &self.controller));
                // There is room: fewer are away than the queue holds.
                if self.to_audio.push(layout).is_ok() {
                    self.away += 1;
                }
            }
        }
        self.done = revision;
        self.settles_at = Some(Instant::now() + SETTLED);
        true
    }

    /// Whether anything was built.
    fn build(&mut self, wanted: &RackSpec, is_state: bool) -> Result<bool, ControlError> {
        if is_same(self.controller.spec(), wanted) {
            return Ok(false);
        }
        if is_state {
            self.controller.load(wanted)?;
        } else {
            self.controller.edit(wanted)?;
        }
        Ok(true)
    }

    /// Some time after a change: does the rack stand where the parameters do? A change for a slot that
    /// still waited for room was dropped, and a position may have been read before its exact value.
    fn compare(&mut self, parameters: &Parameters) {
        if self.settles_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        self.settles_at = None;
        let (now, wanted) = (self.controller.current(), rack(parameters, Values::Heard));
        let differs = now
            .modules
            .iter()
            .zip(&wanted.modules)
            .any(|(now, wanted)| {
                now.bypass != wanted.bypass || now.mix != wanted.mix || now.values != wanted.values
            });
        if differs && is_same(&now, &wanted) {
            parameters.changed().say_again();
        }
    }
}
