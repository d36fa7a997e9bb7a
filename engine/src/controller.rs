//! The main-thread end of an engine.

mod history;
mod left;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use basedrop::Owned;
use rtrb::{Consumer, Producer, RingBuffer};
use thiserror::Error;

use crate::builder::{LiveSlot, OpenError, SlotBuilder};
use crate::dsp::simd::ask_the_processor;
use crate::footprint::{Fixed, taken_map};
use crate::memory::{Carver, Memory, MemoryMap, Place, Scratch, Taken, populate_code};
use crate::message::{Change, Message, Notice, SlotKey};
use crate::meter::{Level, LevelCells};
use crate::panic::PanicButton;
use crate::plan::Plan;
use crate::preset::{ModuleSpec, RackSpec};
use crate::processor::{MAX_RACK_TAILS, Parts, Processor};
use crate::rack::{Item, Order, most_entries};
use crate::realtime::{Health, HealthCells, HighWater, Ticks, Violation, take_first_violation};
use crate::slot::SlotHealth;
use crate::stream::Stream;
use crate::tempo::{Tempo, TempoCell};

use history::Field;
pub use history::{History, MAX_STEPS};
use left::Left;

/// An edit that changes more than this goes to the audio thread as one message.
const CHANGES_APART: usize = 32;

/// Why the controller could not do what it was asked for. Nothing has changed.
#[derive(Debug, Error)]
pub enum ControlError {
    /// No module of this id.
    #[error("there is no module `{0}` in the rack: expected one of {1}")]
    UnknownModule(String, String),
    /// The module has no parameter of this id.
    #[error("`{module}` has no parameter `{param}`: expected one of {expected}")]
    UnknownParam {
        /// The module's id.
        module: String,
        /// What was asked for.
        param: String,
        /// What there is.
        expected: String,
    },
    /// A place outside the rack.
    #[error("place {index}: expected 0 to {len}")]
    Place {
        /// What was asked for.
        index: usize,
        /// The last place there is.
        len: usize,
    },
    /// The audio thread has not yet taken what was sent before: try again later.
    #[error("the audio thread is busy: too many commands wait already")]
    Busy,
    /// The rack cannot be built.
    #[error(transparent)]
    Build(#[from] OpenError),
}

/// Opens an engine: builds `spec` whole, and gives its two ends.
///
/// `[main]` This is the setup phase: all memory that the audio thread will use is taken here, or
/// later, for an edit or a preset change, by the controller.
pub fn open(
    stream: Stream,
    spec: &RackSpec,
    memory: &Memory,
) -> Result<(Controller, Processor), OpenError> {
    // The first reading calibrates the clock: not on the audio thread.
    let _ = Ticks::now();
    ask_the_processor();
    populate_code();
    let mut slots = SlotBuilder::new(stream, *memory)?;
    let (live, rack) = slots.build_rack(spec)?;

    let list = rack.list();

    let mut carver = Carver::carving(slots.take(Scratch::BYTES)?);
    let scratch = Scratch::carve(&mut carver);

    let (mut commands_in, commands_out) = touched_ring(memory.capacity.commands, || Message::Reset);
    let commands = place_of(&mut commands_in);
    let (mut notices_in, notices_out) = touched_ring(memory.capacity.notices, || Notice::RackCut);
    let notices = place_of(&mut notices_in);
    let health = Arc::new(HealthCells::default());
    let meter_cells = Arc::new(LevelCells::default());
    let panic_button = PanicButton::default();
    let tempo_cell = Arc::new(TempoCell::default());
    let processor = Processor::new(Parts {
        stream,
        rack,
        scratch,
        commands: commands_out,
        notices: notices_in,
        health: Arc::clone(&health),
        meter_cells: Arc::clone(&meter_cells),
        panic_button: panic_button.clone(),
        tempo_cell: Arc::clone(&tempo_cell),
        collector: Arc::clone(&slots.collector),
    });
    let fixed = Fixed {
        scratch: Taken::of(&carver),
        commands,
        notices,
        health: Place::at(Arc::as_ptr(&health), 1),
        meter: Place::at(Arc::as_ptr(&meter_cells), 1),
        tempo: Place::at(Arc::as_ptr(&tempo_cell), 1),
        tails: processor.tails(),
        list,
    };
    let controller = Controller {
        fixed,
        spec: spec.clone(),
        live,
        commands: commands_in,
        notices: notices_out,
        health,
        meter_cells,
        panic_button,
        tempo: Tempo::default(),
        tempo_cell,
        most_commands: 0,
        most_notices: 0,
        left: Left::default(),
        delta: None,
        history: History::default(),
        slots,
    };
    Ok((controller, processor))
}

/// An empty ring, every page of which has been written to: the audio thread shall not be the first.
fn touched_ring<T>(capacity: usize, filler: impl Fn() -> T) -> (Producer<T>, Consumer<T>) {
    let (mut sender, mut receiver) = RingBuffer::new(capacity);
    while sender.push(filler()).is_ok() {}
    while receiver.pop().is_ok() {}
    (sender, receiver)
}

/// Where an empty ring's elements are.
fn place_of<T>(ring: &mut Producer<T>) -> Place {
    let capacity = ring.buffer().capacity();
    match ring.write_chunk_uninit(capacity) {
        // Nothing is committed: the ring is as empty as before.
        Ok(mut room) => Place::of(room.as_mut_slices().0),
        Err(_) => Place::planned::<T>(capacity),
    }
}

/// The main-thread end of an engine: validates, builds, sends.
///
/// Everything it does is checked whole before anything is sent: an error means that nothing has
/// changed.
pub struct Controller {
    fixed: Fixed,
    spec: RackSpec,
    live: Vec<LiveSlot>,
    commands: Producer<Message>,
    notices: Consumer<Notice>,
    health: Arc<HealthCells>,
    meter_cells: Arc<LevelCells>,
    panic_button: PanicButton,
    /// As it was last asked for, and what events have set since.
    tempo: Tempo,
    tempo_cell: Arc<TempoCell>,
    /// The most that ever waited in each queue.
    most_commands: u64,
    most_notices: u64,
    /// Slots that have left, for notices that come late.
    left: Left,
    /// The slot of which only the difference is heard.
    delta: Option<SlotKey>,
    history: History,
    // Last: the collector outlives what it collects.
    slots: SlotBuilder,
}

/// The meters of a rack.
#[derive(Debug, Clone, PartialEq)]
pub struct Meters {
    /// What leaves the rack.
    pub master: Level,
    /// What leaves each slot, with the module's id, in the rack's order.
    pub slots: Vec<(String, Level)>,
}

/// Something that happened on the audio thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A module's output was not finite: it was muted for a chunk and reset.
    NotFinite(String),
    /// A module panicked: it is out of the chain, its input goes past it.
    Panicked(String),
    /// A module allocated or freed memory.
    Allocated(String),
    /// What had left still rang after 60 s and was cut off.
    TailCut(String),
    /// A rack that a preset change sent away still rang after 60 s and was cut off.
    RackCut,
    /// The first violation of the process, with its backtrace.
    Violation(Violation),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite(id) => write!(
                f,
                "`{id}` put out infinity or no number: it was muted and starts anew"
            ),
            Self::Panicked(id) => write!(f, "`{id}` panicked: it is bypassed from now on"),
            Self::Allocated(id) => write!(f, "`{id}` allocated or freed on the audio thread"),
            Self::TailCut(id) => write!(f, "`{id}` had left and still rang: it was cut off"),
            Self::RackCut => f.write_str("the rack before still rang: it was cut off"),
            Self::Violation(violation) => violation.fmt(f),
        }
    }
}

impl Controller {
    /// `[main]` The rack as it was last asked for.
    pub fn spec(&self) -> &RackSpec {
        &self.spec
    }

    /// `[main]` The rack as it sounds: as it was last asked for, with what events have set since.
    /// What people are shown, and what is saved.
    pub fn current(&self) -> RackSpec {
        let mut spec = self.spec.clone();
        for (module, live) in spec.modules.iter_mut().zip(&self.live) {
            live.cells.automation.overlay(module);
        }
        spec
    }

    /// `[any]` The stream it was opened for.
    pub fn stream(&self) -> Stream {
        self.slots.stream
    }

    /// `[main]` Frames by which the output is late.
    pub fn latency_frames(&self) -> usize {
        self.live.iter().map(|slot| slot.latency_frames).sum()
    }

    /// `[main]` Where the levels of the module at `place` of the rack stand in a meter frame.
    pub(crate) fn lane(&self, place: usize) -> u8 {
        self.live[place].cells.lane
    }

    /// `[main]` Frames by which the module at `place` of the rack is late.
    pub(crate) fn slot_latency_frames(&self, place: usize) -> usize {
        self.live[place].latency_frames
    }

    /// `[main]` The key that events name a slot by.
    pub fn slot_key(&self, module: &str) -> Result<SlotKey, ControlError> {
        Ok(self.live[self.place(module)?].key)
    }

    /// `[main]` The change that moves a parameter, for an [`crate::Event`]. Not for structural ones.
    pub fn param_change(
        &self,
        module: &str,
        param: &str,
        value: f32,
    ) -> Result<Change, ControlError> {
        let place = self.place(module)?;
        let index = self.param(place, param)?;
        Ok(Change::Param {
            slot: self.live[place].key,
            index: index as u16,
            value,
        })
    }

    /// `[main]` Moves a parameter to `value`, in the table's unit. A structural one rebuilds its
    /// slot.
    pub fn set_param(&mut self, module: &str, param: &str, value: f32) -> Result<(), ControlError> {
        let place = self.place(module)?;
        let index = self.param(place, param)?;
        self.set(place, Field::Param(index), value)
    }

    /// `[main]` Passes a module by, or not.
    pub fn set_bypass(&mut self, module: &str, on: bool) -> Result<(), ControlError> {
        let place = self.place(module)?;
        self.set(place, Field::Bypass, f32::from(u8::from(on)))
    }

    /// `[main]` How much of a module is heard, 0 to 1.
    pub fn set_mix(&mut self, module: &str, mix: f32) -> Result<(), ControlError> {
        let place = self.place(module)?;
        self.set(place, Field::Mix, mix)
    }

    /// `[main]` Puts a module in at `index`.
    pub fn insert(&mut self, index: usize, module: ModuleSpec) -> Result<(), ControlError> {
        let mut spec = self.spec.clone();
        if index > spec.modules.len() {
            let len = spec.modules.len();
            return Err(ControlError::Place { index, len });
        }
        spec.modules.insert(index, module);
        self.edit(&spec)
    }

    /// `[main]` Takes a module out; it rings on until it is silent.
    pub fn remove(&mut self, module: &str) -> Result<(), ControlError> {
        let place = self.place(module)?;
        let mut spec = self.spec.clone();
        spec.modules.remove(place);
        self.edit(&spec)
    }

    /// `[main]` Moves a module to `index` of the order without it.
    pub fn move_to(&mut self, module: &str, index: usize) -> Result<(), ControlError> {
        let place = self.place(module)?;
        let mut spec = self.spec.clone();
        let module = spec.modules.remove(place);
        if index > spec.modules.len() {
            let len = spec.modules.len();
            return Err(ControlError::Place { index, len });
        }
        spec.modules.insert(index, module);
        self.edit(&spec)
    }

    /// `[main]` Makes the rack into `spec`, by the least that does it: modules of the same id and
    /// kind stay, with their sound, as far as their order and structure allow; the rest is built
    /// anew, comes in and leaves by crossfades.
    pub fn edit(&mut self, spec: &RackSpec) -> Result<(), ControlError> {
        let before = self.current();
        self.apply_edit(spec)?;
        let after = self.current();
        self.history.record_edit(before, after);
        Ok(())
    }

    /// `[main]` A preset change: a whole new rack; the old one fades out and rings on.
    pub fn load(&mut self, spec: &RackSpec) -> Result<(), ControlError> {
        let before = self.current();
        self.apply_load(spec)?;
        self.history.record_load(before, spec);
        Ok(())
    }

    fn set(&mut self, place: usize, field: Field, value: f32) -> Result<(), ControlError> {
        let before = self.sounding(place, field);
        self.apply_value(place, field, value)?;
        let module = &self.spec.modules[place].id;
        self.history.record_value(module, field, before, value);
        Ok(())
    }

    fn apply_param(&mut self, place: usize, index: usize, value: f32) -> Result<(), ControlError> {
        let mut spec = self.spec.clone();
        spec.modules[place].values[index] = value;
        if spec.modules[place].kind.params[index].structural {
            return self.apply_edit(&spec);
        }
        let slot = self.live[place].key;
        let index = index as u16;
        self.tell(spec, place, Change::Param { slot, index, value })
    }

    fn apply_bypass(&mut self, place: usize, on: bool) -> Result<(), ControlError> {
        let mut spec = self.spec.clone();
        spec.modules[place].bypass = on;
        let slot = self.live[place].key;
        self.tell(spec, place, Change::Bypass { slot, on })
    }

    fn apply_mix(&mut self, place: usize, mix: f32) -> Result<(), ControlError> {
        let mut spec = self.spec.clone();
        spec.modules[place].mix = mix;
        let slot = self.live[place].key;
        self.tell(spec, place, Change::Mix { slot, value: mix })
    }

    fn apply_edit(&mut self, spec: &RackSpec) -> Result<(), ControlError> {
        self.slots.check(spec)?;
        let plan = Plan::new(&self.spec, spec);
        let changes = plan.changes(&self.spec, spec, |place| self.live[place].key);
        let structural = plan.is_structural(&self.spec);
        // Many changes go as one message, so that any edit fits an empty queue.
        let in_order = structural || changes.len() > CHANGES_APART;
        let messages = if in_order { 1 } else { changes.len() };
        if self.commands.slots() < messages {
            return Err(ControlError::Busy);
        }
        // Whatever happens to the slots, theirs is the controller's word again.
        let word_stands = |live: &[LiveSlot], old: &RackSpec| {
            for (place, module) in spec.modules.iter().enumerate() {
                if let Some(was) = plan.was(place) {
                    let cells = &live[was].cells.automation;
                    cells.clear_changed(&old.modules[was], module);
                }
            }
        };
        if in_order {
            let footprints = self.slots.measure(spec)?;
            let mut live = Vec::with_capacity(spec.modules.len());
            let mut items = Vec::with_capacity(spec.modules.len());
            let bits = self.live.iter().map(|slot| 1 << slot.cells.lane);
            let mut lanes: u64 = bits.fold(0, |all, bit| all | bit);
            for (place, module) in spec.modules.iter().enumerate() {
                if let Some(stays) = plan.stays(place) {
                    live.push(self.live[stays].clone());
                    items.push(Item::Stay(self.live[stays].key));
                    continue;
                }
                let (key, cells) = match plan.was(place) {
                    Some(was) => (self.live[was].key, self.live[was].cells.clone()),
                    None => (
                        self.slots.new_key(),
                        self.slots.new_cells(module, &mut lanes),
                    ),
                };
                let (known, slot) = self.slots.build(module, &footprints[place], key, cells)?;
                live.push(known);
                items.push(Item::New(Some(slot)));
            }
            let order = Owned::new(
                self.slots.collector.handle(),
                Order::new(items, changes, self.slots.most_slots()),
            );
            self.fixed.list = order.list();
            word_stands(&self.live, &self.spec);
            self.send(Message::Edit(order))?;
            self.left.note(&self.spec, &self.live, &live);
            self.live = live;
        } else {
            word_stands(&self.live, &self.spec);
            for change in changes {
                self.send(Message::Change(change))?;
            }
        }
        self.spec = spec.clone();
        Ok(())
    }

    fn apply_load(&mut self, spec: &RackSpec) -> Result<(), ControlError> {
        if self.commands.slots() == 0 {
            return Err(ControlError::Busy);
        }
        let (live, rack) = self.slots.build_rack(spec)?;
        let list = rack.list();
        self.send(Message::Preset(rack))?;
        self.fixed.list = list;
        self.left.note(&self.spec, &self.live, &live);
        self.live = live;
        self.spec = spec.clone();
        Ok(())
    }

    /// `[main]` Fades the output out, or in again, over 20 ms. What runs goes on running. Before the
    /// first block it takes effect at once.
    pub fn mute(&mut self, on: bool) -> Result<(), ControlError> {
        self.send(Message::Mute(on))
    }

    /// `[main]` The tempo by which its modules go: as it was last asked for, or an event has set since.
    pub fn tempo(&self) -> Tempo {
        self.tempo_cell.get().unwrap_or(self.tempo)
    }

    /// `[main]` Has the music go at another tempo. No step to undo: it is none of the rack's.
    ///
    /// # Errors
    ///
    /// Too many commands wait.
    pub fn set_tempo(&mut self, tempo: Tempo) -> Result<(), ControlError> {
        if self.commands.slots() == 0 {
            return Err(ControlError::Busy);
        }
        self.tempo_cell.set(None);
        self.send(Message::Change(Change::Tempo(tempo)))?;
        self.tempo = tempo;
        Ok(())
    }

    /// `[main]` Where every byte of the engine's audio memory is.
    ///
    /// The racks' own lists are those of the rack as it was last asked for.
    pub fn memory_map(&self) -> MemoryMap {
        let mut map = taken_map(&self.fixed, &self.spec, &self.live);
        map.retired_bytes = self.retired_bytes();
        map
    }

    /// `[main]` Bytes of what has left and is not given back yet: without the list of all that is there.
    pub fn retired_bytes(&self) -> usize {
        let slots: usize = self.live.iter().map(|slot| slot.taken.bytes).sum();
        let known = self.fixed.scratch.bytes + slots;
        // Relaxed: a figure for people. The collector may give back between the two readings.
        let all = self.slots.region_bytes.load(Ordering::Relaxed);
        all.saturating_sub(known)
    }

    /// `[main]` Has only what one module changes of its input be heard, or all again: over 20 ms, and without
    /// a step to undo.
    ///
    /// # Errors
    ///
    /// There is no such module, or too many commands wait.
    pub fn listen_to_delta(&mut self, module: Option<&str>) -> Result<(), ControlError> {
        let to = module.map(|module| self.place(module)).transpose()?;
        let to = to.map(|place| self.live[place].key);
        let before = self.delta;
        if self.commands.slots() < 2 {
            return Err(ControlError::Busy);
        }
        if let Some(slot) = before.filter(|before| Some(*before) != to) {
            self.send(Message::Change(Change::Delta { slot, on: false }))?;
        }
        if let Some(slot) = to {
            self.send(Message::Change(Change::Delta { slot, on: true }))?;
        }
        self.delta = to;
        Ok(())
    }

    /// `[main]` The module of which only the difference is heard.
    pub fn delta(&self) -> Option<&str> {
        let key = self.delta?;
        let place = self.live.iter().position(|slot| slot.key == key)?;
        Some(&self.spec.modules[place].id)
    }

    /// `[main]` The panic button; whoever may need it takes a clone.
    pub fn panic_button(&self) -> &PanicButton {
        &self.panic_button
    }

    /// `[main]` Forgets all sound at the start of the next block.
    pub fn reset(&mut self) -> Result<(), ControlError> {
        self.send(Message::Reset)
    }

    /// `[main]` The meters of now. Peaks are the highest since the last call.
    pub fn meters(&self) -> Meters {
        let slots = self.spec.modules.iter().zip(&self.live);
        Meters {
            master: self.meter_cells.take(),
            slots: slots
                .map(|(module, slot)| (module.id.clone(), slot.cells.level.take()))
                .collect(),
        }
    }

    /// `[main]` What the audio thread did up to now.
    pub fn health(&self) -> Health {
        let mut health = self.health.read();
        let capacity = self.slots.memory.capacity;
        health.commands = HighWater {
            most: self.most_commands,
            room: capacity.commands as u64,
        };
        health.notices = HighWater {
            most: self.most_notices,
            room: capacity.notices as u64,
        };
        health.slots.room = most_entries(self.slots.most_slots()) as u64;
        health.rack_tails.room = MAX_RACK_TAILS as u64;
        health.scratch_bytes.room = Scratch::BYTES as u64;
        health.collected = self.slots.collector.collected();
        health
    }

    /// `[main]` How many blocks took how long: the upper end in nanoseconds and the count, rising, empty ones
    /// left out.
    pub fn block_histogram(&self) -> Vec<(u64, u64)> {
        self.health.histogram()
    }

    /// `[main]` What went wrong in each slot up to now, with the module's id, in the rack's order.
    pub fn slot_health(&self) -> Vec<(String, SlotHealth)> {
        let slots = self.spec.modules.iter().zip(&self.live);
        slots
            .map(|(module, slot)| (module.id.clone(), slot.cells.health.read()))
            .collect()
    }

    /// `[main]` What happened on the audio thread since the last call; ask a few times a second.
    pub fn reports(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        // Only this empties the queue: it is never fuller than here.
        self.most_notices = self.most_notices.max(self.notices.slots() as u64);
        self.left.mark_gone();
        while let Ok(notice) = self.notices.pop() {
            let id = |key| self.id_of(key);
            reports.push(match notice {
                Notice::NotFinite(key) => Report::NotFinite(id(key)),
                Notice::Panicked(key) => Report::Panicked(id(key)),
                Notice::Allocated(key) => Report::Allocated(id(key)),
                Notice::TailCut(key) => Report::TailCut(id(key)),
                Notice::RackCut => Report::RackCut,
                // A change that was on its way when its slot left.
                Notice::UnknownSlot(_) => continue,
            });
        }
        self.left.forget_gone();
        reports.extend(take_first_violation().map(Report::Violation));
        reports
    }

    fn id_of(&self, key: SlotKey) -> String {
        let live = self.live.iter().position(|slot| slot.key == key);
        live.map(|place| self.spec.modules[place].id.clone())
            .or_else(|| self.left.id(key).map(str::to_owned))
            .unwrap_or_default()
    }

    /// Sends one change, even of a value to itself: an event may have moved it since, of which the
    /// controller does not know.
    fn tell(&mut self, spec: RackSpec, place: usize, change: Change) -> Result<(), ControlError> {
        spec.modules[place].check()?;
        if self.commands.slots() == 0 {
            return Err(ControlError::Busy);
        }
        let cells = &self.live[place].cells.automation;
        match change {
            Change::Param { index, .. } => cells.set_value(usize::from(index), None),
            Change::Bypass { .. } => cells.set_bypass(None),
            Change::Mix { .. } => cells.set_mix(None),
            Change::Delta { .. } | Change::Tempo(_) => {}
        }
        self.send(Message::Change(change))?;
        self.spec = spec;
        Ok(())
    }

    fn send(&mut self, message: Message) -> Result<(), ControlError> {
        self.commands
            .push(message)
            .map_err(|_| ControlError::Busy)?;
        let capacity = self.slots.memory.capacity.commands;
        let waiting = capacity.saturating_sub(self.commands.slots());
        self.most_commands = self.most_commands.max(waiting as u64);
        Ok(())
    }

    fn place(&self, module: &str) -> Result<usize, ControlError> {
        let modules = &self.spec.modules;
        modules
            .iter()
            .position(|known| known.id == module)
            .ok_or_else(|| {
                let ids: Vec<_> = modules.iter().map(|known| known.id.as_str()).collect();
                ControlError::UnknownModule(module.to_owned(), format!("`{}`", ids.join("`, `")))
            })
    }

    fn param(&self, place: usize, param: &str) -> Result<usize, ControlError> {
        let module = &self.spec.modules[place];
        module.kind.param_index(param).ok_or_else(|| {
            let ids: Vec<_> = module.kind.params.iter().map(|param| param.id).collect();
            ControlError::UnknownParam {
                module: module.id.clone(),
                param: param.to_owned(),
                expected: format!("`{}`", ids.join("`, `")),
            }
        })
    }
}
