//! The main-thread end of an engine.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use basedrop::Owned;
use rtrb::{Consumer, Producer, RingBuffer};
use thiserror::Error;

use crate::memory::{Carver, Memory, MemoryError, Region};
use crate::message::{Change, Message, Notice, SlotKey};
use crate::meter::{Level, LevelCells};
use crate::preset::{ModuleSpec, RackSpec};
use crate::processor::{Parts, Processor, Scratch};
use crate::rack::{Item, MAX_SLOTS, Order, Rack, SlotBox};
use crate::realtime::{Collector, Health, HealthCells, Ticks, Violation, take_first_violation};
use crate::slot::{Footprint, Slot};
use crate::stream::Stream;

/// Changes and edits that may wait for the audio thread.
const COMMANDS: usize = 1_024;
/// Notices that may wait for the main thread.
const NOTICES: usize = 256;

/// Why an engine cannot be opened, or a rack cannot be built.
#[derive(Debug, Error)]
pub enum OpenError {
    /// More slots than a rack may have.
    #[error("{0} modules: expected at most {MAX_SLOTS}")]
    TooManySlots(usize),
    /// Two modules of the same id.
    #[error("two modules have the id `{0}`: expected each to have its own")]
    DuplicateId(String),
    /// A value that the parameter does not take.
    #[error("`{module}`: `{param}` is {value}: expected {expected}")]
    Value {
        /// The module's id.
        module: String,
        /// The parameter's id, or `mix`.
        param: &'static str,
        /// What it was.
        value: f32,
        /// What it may be.
        expected: String,
    },
    /// The memory could not be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

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
    #[error("the audio thread is busy: {COMMANDS} commands wait already")]
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
    let mut slots = SlotBuilder {
        stream,
        memory: *memory,
        collector: Collector::acquire(),
        next_key: 1,
    };
    let (live, rack) = slots.build_rack(spec)?;

    let mut measure = Carver::measuring();
    drop(measure.put("scratch", Scratch::new()));
    let region = Region::map(measure.bytes(), memory)?;
    let scratch = Carver::carving(region).put("scratch", Scratch::new());

    let (commands_in, commands_out) = RingBuffer::new(COMMANDS);
    let (notices_in, notices_out) = RingBuffer::new(NOTICES);
    let health = Arc::new(HealthCells::default());
    let meter_cells = Arc::new(LevelCells::default());
    let processor = Processor::new(Parts {
        stream,
        rack,
        scratch,
        commands: commands_out,
        notices: notices_in,
        health: Arc::clone(&health),
        meter_cells: Arc::clone(&meter_cells),
        collector: Arc::clone(&slots.collector),
    });
    let controller = Controller {
        spec: spec.clone(),
        live,
        commands: commands_in,
        notices: notices_out,
        health,
        meter_cells,
        ids: HashMap::new(),
        slots,
    };
    Ok((controller, processor))
}

/// The main-thread end of an engine: validates, builds, sends.
///
/// Everything it does is checked whole before anything is sent: an error means that nothing has
/// changed.
pub struct Controller {
    spec: RackSpec,
    live: Vec<LiveSlot>,
    commands: Producer<Message>,
    notices: Consumer<Notice>,
    health: Arc<HealthCells>,
    meter_cells: Arc<LevelCells>,
    /// Ids of slots that have left, for notices that come late.
    ids: HashMap<SlotKey, String>,
    // Last: the collector outlives what it collects.
    slots: SlotBuilder,
}

/// What the controller knows of a slot; in the order of `spec.modules`.
#[derive(Clone)]
struct LiveSlot {
    key: SlotKey,
    cells: Arc<LevelCells>,
    latency_frames: usize,
    bytes: usize,
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
            Self::Violation(violation) => violation.fmt(f),
        }
    }
}

impl Controller {
    /// `[main]` The rack as it was last asked for.
    pub fn spec(&self) -> &RackSpec {
        &self.spec
    }

    /// `[any]` The stream it was opened for.
    pub fn stream(&self) -> Stream {
        self.slots.stream
    }

    /// `[main]` Frames by which the output is late.
    pub fn latency_frames(&self) -> usize {
        self.live.iter().map(|slot| slot.latency_frames).sum()
    }

    /// `[main]` Bytes of the slots' arenas, as carved.
    pub fn arena_bytes(&self) -> usize {
        self.live.iter().map(|slot| slot.bytes).sum()
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
        let mut spec = self.spec.clone();
        spec.modules[place].values[index] = value;
        self.edit(&spec)
    }

    /// `[main]` Passes a module by, or not.
    pub fn set_bypass(&mut self, module: &str, on: bool) -> Result<(), ControlError> {
        let place = self.place(module)?;
        let mut spec = self.spec.clone();
        spec.modules[place].bypass = on;
        self.edit(&spec)
    }

    /// `[main]` How much of a module is heard, 0 to 1.
    pub fn set_mix(&mut self, module: &str, mix: f32) -> Result<(), ControlError> {
        let place = self.place(module)?;
        let mut spec = self.spec.clone();
        spec.modules[place].mix = mix;
        self.edit(&spec)
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
        self.slots.check(spec)?;
        let plan = self.plan(spec);
        let changes: Vec<Change> = self.changes(spec, &plan).collect();
        let orders = usize::from(plan.is_structural(self.live.len()));
        if self.commands.slots() < changes.len() + orders {
            return Err(ControlError::Busy);
        }
        if orders == 1 {
            let footprints = self.slots.measure(spec)?;
            let mut live = Vec::with_capacity(spec.modules.len());
            let mut items = Vec::with_capacity(spec.modules.len());
            for (place, module) in spec.modules.iter().enumerate() {
                if let Some(stays) = plan.stays(place) {
                    live.push(self.live[stays].clone());
                    items.push(Item::Stay(self.live[stays].key));
                    continue;
                }
                let (key, cells) = match plan.was[place] {
                    Some(was) => (self.live[was].key, Arc::clone(&self.live[was].cells)),
                    None => (self.slots.new_key(), Arc::default()),
                };
                let (known, slot) = self.slots.build(module, &footprints[place], key, cells)?;
                live.push(known);
                items.push(Item::New(Some(slot)));
            }
            let order = Owned::new(self.slots.collector.handle(), Order::new(items));
            self.send(Message::Edit(order))?;
            self.remember_ids();
            self.live = live;
        }
        for change in changes {
            self.send(Message::Change(change))?;
        }
        self.spec = spec.clone();
        Ok(())
    }

    /// `[main]` A preset change: a whole new rack; the old one fades out and rings on.
    pub fn load(&mut self, spec: &RackSpec) -> Result<(), ControlError> {
        if self.commands.slots() == 0 {
            return Err(ControlError::Busy);
        }
        let (live, rack) = self.slots.build_rack(spec)?;
        self.send(Message::Preset(rack))?;
        self.remember_ids();
        self.live = live;
        self.spec = spec.clone();
        Ok(())
    }

    /// `[main]` Fades the output out, or in again, over 20 ms. What runs goes on running. Before the
    /// first block it takes effect at once.
    pub fn mute(&mut self, on: bool) -> Result<(), ControlError> {
        self.send(Message::Mute(on))
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
                .map(|(module, slot)| (module.id.clone(), slot.cells.take()))
                .collect(),
        }
    }

    /// `[main]` What the audio thread did up to now.
    pub fn health(&self) -> Health {
        self.health.read()
    }

    /// `[main]` What happened on the audio thread since the last call; ask a few times a second.
    pub fn reports(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        while let Ok(notice) = self.notices.pop() {
            let id = |key| self.id_of(key);
            reports.push(match notice {
                Notice::NotFinite(key) => Report::NotFinite(id(key)),
                Notice::Panicked(key) => Report::Panicked(id(key)),
                Notice::Allocated(key) => Report::Allocated(id(key)),
                Notice::TailCut(key) => Report::TailCut(id(key)),
                // A change that was on its way when its slot left.
                Notice::UnknownSlot(_) => continue,
            });
        }
        reports.extend(take_first_violation().map(Report::Violation));
        reports
    }

    fn id_of(&self, key: SlotKey) -> String {
        let live = self.live.iter().position(|slot| slot.key == key);
        live.map(|place| self.spec.modules[place].id.clone())
            .or_else(|| self.ids.get(&key).cloned())
            .unwrap_or_default()
    }

    fn remember_ids(&mut self) {
        // Bounded: notices about slots that left long ago are not expected.
        if self.ids.len() > 16 * MAX_SLOTS {
            self.ids.clear();
        }
        for (slot, module) in self.live.iter().zip(&self.spec.modules) {
            self.ids.insert(slot.key, module.id.clone());
        }
    }

    fn send(&mut self, message: Message) -> Result<(), ControlError> {
        self.commands.push(message).map_err(|_| ControlError::Busy)
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

    /// Which modules of `spec` were there before, and which of those can stay as they are.
    fn plan(&self, spec: &RackSpec) -> Plan {
        let was: Vec<Option<usize>> = spec
            .modules
            .iter()
            .map(|module| {
                self.spec
                    .modules
                    .iter()
                    .position(|old| old.id == module.id && std::ptr::eq(old.kind, module.kind))
            })
            .collect();
        let can_stay = was.iter().zip(&spec.modules).map(|(was, module)| {
            was.filter(|&was| !needs_rebuild(&self.spec.modules[was], module))
        });
        let stay = longest_increasing(&can_stay.collect::<Vec<_>>());
        Plan { was, stay }
    }

    /// The changes of values that the modules which stay need.
    fn changes(&self, spec: &RackSpec, plan: &Plan) -> impl Iterator<Item = Change> {
        let mut changes = Vec::new();
        for (place, module) in spec.modules.iter().enumerate() {
            let Some(stays) = plan.stays(place) else {
                continue;
            };
            let (old, slot) = (&self.spec.modules[stays], self.live[stays].key);
            for (index, (&value, &before)) in module.values.iter().zip(&old.values).enumerate() {
                if value != before {
                    let index = index as u16;
                    changes.push(Change::Param { slot, index, value });
                }
            }
            if module.bypass != old.bypass {
                let on = module.bypass;
                changes.push(Change::Bypass { slot, on });
            }
            if module.mix != old.mix {
                let value = module.mix;
                changes.push(Change::Mix { slot, value });
            }
        }
        changes.into_iter()
    }
}

/// How an edit gets from one rack to another; indices into the old rack, by place in the new one.
struct Plan {
    was: Vec<Option<usize>>,
    stay: Vec<Option<usize>>,
}

impl Plan {
    fn stays(&self, place: usize) -> Option<usize> {
        self.stay[place]
    }

    fn is_structural(&self, old_len: usize) -> bool {
        let staying = self.stay.iter().flatten().count();
        staying != self.stay.len() || staying != old_len
    }
}

/// Whether a change of values is one of latency or memory.
fn needs_rebuild(old: &ModuleSpec, new: &ModuleSpec) -> bool {
    let values = old.values.iter().zip(&new.values);
    let mut rows = values.zip(new.kind.params);
    rows.any(|((old, new), param)| param.structural && old != new)
}

/// Keeps a longest run of increasing indices; the others become `None`.
fn longest_increasing(indices: &[Option<usize>]) -> Vec<Option<usize>> {
    // Racks are short: the plain quadratic search will do.
    let mut length = vec![0usize; indices.len()];
    let mut before: Vec<Option<usize>> = vec![None; indices.len()];
    for i in 0..indices.len() {
        let Some(index) = indices[i] else { continue };
        length[i] = 1;
        for j in 0..i {
            if indices[j].is_some_and(|other| other < index) && length[j] + 1 > length[i] {
                length[i] = length[j] + 1;
                before[i] = Some(j);
            }
        }
    }
    let mut kept = vec![None; indices.len()];
    let mut at = (0..indices.len()).rev().max_by_key(|&i| length[i]);
    while let Some(i) = at {
        kept[i] = indices[i];
        at = before[i];
    }
    kept
}

/// Builds slots: the only place where audio memory is taken.
struct SlotBuilder {
    stream: Stream,
    memory: Memory,
    collector: Arc<Collector>,
    next_key: u64,
}

impl SlotBuilder {
    fn new_key(&mut self) -> SlotKey {
        let key = SlotKey(self.next_key);
        self.next_key += 1;
        key
    }

    fn check(&self, spec: &RackSpec) -> Result<(), OpenError> {
        if spec.modules.len() > MAX_SLOTS {
            return Err(OpenError::TooManySlots(spec.modules.len()));
        }
        for (place, module) in spec.modules.iter().enumerate() {
            if spec.modules[..place]
                .iter()
                .any(|other| other.id == module.id)
            {
                return Err(OpenError::DuplicateId(module.id.clone()));
            }
            module.check()?;
        }
        Ok(())
    }

    /// What each module of `spec` takes, in its order; refused if that is over the budget.
    fn measure(&self, spec: &RackSpec) -> Result<Vec<Footprint>, OpenError> {
        let measure = |module| Slot::measure(self.stream, module);
        let footprints: Vec<Footprint> = spec.modules.iter().map(measure).collect();
        let needed = footprints.iter().map(|footprint| footprint.bytes).sum();
        match self.memory.budget_bytes {
            Some(budget) if needed > budget => {
                Err(MemoryError::OverBudget { needed, budget }.into())
            }
            _ => Ok(footprints),
        }
    }

    fn build(
        &self,
        module: &ModuleSpec,
        footprint: &Footprint,
        key: SlotKey,
        cells: Arc<LevelCells>,
    ) -> Result<(LiveSlot, SlotBox), OpenError> {
        let slot = Slot::build(
            self.stream,
            module,
            footprint,
            key,
            Arc::clone(&cells),
            &self.memory,
        )?;
        let known = LiveSlot {
            key,
            cells,
            latency_frames: footprint.latency_frames,
            bytes: footprint.bytes,
        };
        Ok((known, Owned::new(self.collector.handle(), slot)))
    }

    fn build_rack(&mut self, spec: &RackSpec) -> Result<(Vec<LiveSlot>, Owned<Rack>), OpenError> {
        self.check(spec)?;
        let footprints = self.measure(spec)?;
        let mut live = Vec::with_capacity(spec.modules.len());
        let mut slots = Vec::with_capacity(spec.modules.len());
        for (module, footprint) in spec.modules.iter().zip(&footprints) {
            let key = self.new_key();
            let (known, slot) = self.build(module, footprint, key, Arc::default())?;
            live.push(known);
            slots.push(slot);
        }
        let rack = Rack::new(&self.stream, slots);
        Ok((live, Owned::new(self.collector.handle(), rack)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_in_order_stays() {
        let kept = |indices: &[usize]| {
            let indices: Vec<_> = indices.iter().copied().map(Some).collect();
            longest_increasing(&indices)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&[0, 1, 2, 3]), [0, 1, 2, 3]);
        assert_eq!(kept(&[3, 0, 1, 2]), [0, 1, 2]);
        assert_eq!(kept(&[1, 2, 3, 0]), [1, 2, 3]);
        assert_eq!(kept(&[3, 2, 1, 0]).len(), 1);
        assert_eq!(kept(&[]), [0usize; 0]);
    }
}
