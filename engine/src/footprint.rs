//! What an engine takes, part by part: before it is taken, and as it was.

use std::sync::Arc;

use crate::automation::AutomationCells;
use crate::builder::{LiveSlot, OpenError, SlotBuilder};
use crate::memory::{Carver, Memory, MemoryMap, Owner, Place, Scratch, Sort, Taken};
use crate::message::{Message, Notice, SlotKey};
use crate::meter::LevelCells;
use crate::preset::{ModuleSpec, RackSpec};
use crate::processor::Processor;
use crate::rack::{MAX_SLOTS, Rack};
use crate::realtime::HealthCells;
use crate::slot::{Footprint, SlotCells, SlotHealthCells};
use crate::stream::Stream;
use crate::tempo::TempoCell;

/// `[main]` The memory map of an engine that is not opened: what [`crate::open`] would take for this
/// rack. Addresses are 0.
///
/// # Errors
/// What [`crate::open`] would say of the rack: values, ids, the budget.
pub fn plan(stream: Stream, spec: &RackSpec, memory: &Memory) -> Result<MemoryMap, OpenError> {
    let slots = SlotBuilder::new(stream, *memory)?;
    slots.check(spec)?;
    let footprints = slots.measure(spec)?;
    Ok(planned_map(memory, spec, &footprints))
}

/// Where the parts are that an engine has once.
pub(crate) struct Fixed {
    pub(crate) scratch: Taken,
    pub(crate) commands: Place,
    pub(crate) notices: Place,
    pub(crate) health: Place,
    pub(crate) meter: Place,
    pub(crate) tempo: Place,
    /// The list of racks that have left.
    pub(crate) tails: Place,
    /// The list of the newest rack or order.
    pub(crate) list: Place,
}

impl Fixed {
    fn planned(memory: &Memory) -> Self {
        let capacity = memory.capacity;
        let mut scratch = Carver::measuring();
        drop(Scratch::carve(&mut scratch));
        Self {
            scratch: Taken::of(&scratch),
            commands: Place::planned::<Message>(capacity.commands),
            notices: Place::planned::<Notice>(capacity.notices),
            health: Place::planned::<HealthCells>(1),
            meter: Place::planned::<LevelCells>(1),
            tempo: Place::planned::<TempoCell>(1),
            tails: Processor::planned_tails(),
            list: Rack::planned_list(capacity.slots.min(MAX_SLOTS)),
        }
    }

    fn map(&self) -> MemoryMap {
        let mut map = MemoryMap::default();
        map.add_region(&Owner::Engine, &self.scratch);
        let heap = [
            ("commands", Sort::Ring, self.commands),
            ("notices", Sort::Ring, self.notices),
            ("health", Sort::Cells, self.health),
            ("master meter", Sort::Cells, self.meter),
            ("tempo", Sort::Cells, self.tempo),
            ("racks that have left", Sort::Pool, self.tails),
        ];
        for (name, sort, place) in heap {
            map.add_heap(Owner::Engine, name, sort, place);
        }
        map.add_heap(Owner::Rack, "slots", Sort::Table, self.list);
        map
    }
}

fn owner(module: &ModuleSpec) -> Owner {
    Owner::Slot {
        id: module.id.clone(),
        kind: module.kind.id,
    }
}

fn add_slot(map: &mut MemoryMap, module: &ModuleSpec, taken: &Taken, cells: [Place; 3]) {
    let owner = owner(module);
    map.add_region(&owner, taken);
    for (name, cells) in ["meter", "automation", "health"].into_iter().zip(cells) {
        map.add_heap(owner.clone(), name, Sort::Cells, cells);
    }
}

/// What would be taken for `spec`, of which each module takes what `footprints` say.
pub(crate) fn planned_map(memory: &Memory, spec: &RackSpec, footprints: &[Footprint]) -> MemoryMap {
    let mut map = Fixed::planned(memory).map();
    let modules = spec.modules.iter().zip(footprints).zip(1..);
    for ((module, footprint), key) in modules {
        let cells = [
            Place::planned::<LevelCells>(1),
            AutomationCells::planned(module.values.len()),
            Place::planned::<SlotHealthCells>(1),
        ];
        add_slot(&mut map, module, &footprint.taken(SlotKey(key)), cells);
    }
    map
}

/// What was taken.
pub(crate) fn taken_map(fixed: &Fixed, spec: &RackSpec, live: &[LiveSlot]) -> MemoryMap {
    let mut map = fixed.map();
    for (module, slot) in spec.modules.iter().zip(live) {
        let SlotCells {
            level,
            automation,
            health,
            lane: _,
        } = &slot.cells;
        let level = Place::at(Arc::as_ptr(level), 1);
        let health = Place::at(Arc::as_ptr(health), 1);
        let cells = [level, automation.place(), health];
        add_slot(&mut map, module, &slot.taken, cells);
    }
    map
}
