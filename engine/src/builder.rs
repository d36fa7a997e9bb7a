//! The setup phase: checks a rack, measures it, takes its memory and builds it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use basedrop::Owned;
use headroom_ipc::MAX_LANES;
use thiserror::Error;

use crate::footprint::planned_map;
use crate::memory::{Memory, MemoryError, Region, Taken};
use crate::message::SlotKey;
use crate::preset::{ModuleSpec, RackSpec};
use crate::rack::{MAX_SLOTS, Rack, SlotBox};
use crate::realtime::Collector;
use crate::slot::{Footprint, Slot, SlotCells};
use crate::stream::Stream;

/// Why an engine cannot be opened, or a rack cannot be built.
#[derive(Debug, Error)]
pub enum OpenError {
    /// More slots than a rack may have.
    #[error("{found} modules: expected at most {most}")]
    TooManySlots {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
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
    /// The values are not one for each parameter.
    #[error("`{module}` has {found} values: expected one for each of its {expected} parameters")]
    Values {
        /// The module's id.
        module: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The memory could not be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The collector's thread could not be started.
    #[error("the collector's thread: the system refused: {0}")]
    Thread(std::io::Error),
}

/// What the controller knows of a slot; in the order of `spec.modules`.
#[derive(Clone)]
pub(crate) struct LiveSlot {
    pub(crate) key: SlotKey,
    pub(crate) cells: SlotCells,
    pub(crate) latency_frames: usize,
    pub(crate) taken: Arc<Taken>,
}

/// Builds slots: the only place where audio memory is taken.
pub(crate) struct SlotBuilder {
    pub(crate) stream: Stream,
    pub(crate) memory: Memory,
    /// Bytes of all regions that are there: in the rack, or in what has left.
    pub(crate) region_bytes: Arc<AtomicUsize>,
    pub(crate) collector: Arc<Collector>,
    next_key: u64,
    next_lane: usize,
}

impl SlotBuilder {
    pub(crate) fn new(stream: Stream, memory: Memory) -> Result<Self, OpenError> {
        Ok(Self {
            stream,
            memory,
            region_bytes: Arc::default(),
            collector: Collector::acquire().map_err(OpenError::Thread)?,
            next_key: 1,
            next_lane: 0,
        })
    }

    pub(crate) fn new_key(&mut self) -> SlotKey {
        let key = SlotKey(self.next_key);
        self.next_key += 1;
        key
    }

    /// Cells for a new slot, with a lane that no other of its rack has: `taken`, by bits, to which it is
    /// added. Lanes go round, so that one that is given again has been silent for long.
    pub(crate) fn new_cells(&mut self, module: &ModuleSpec, taken: &mut u64) -> SlotCells {
        let candidates = (0..MAX_LANES).map(|step| (self.next_lane + step) % MAX_LANES);
        let free = candidates
            .into_iter()
            .find(|lane| *taken & (1 << lane) == 0);
        let lane = free.unwrap_or(self.next_lane);
        self.next_lane = (lane + 1) % MAX_LANES;
        *taken |= 1 << lane;
        SlotCells::new(module, lane as u8)
    }

    pub(crate) fn check(&self, spec: &RackSpec) -> Result<(), OpenError> {
        let (found, most) = (spec.modules.len(), self.most_slots());
        if found > most {
            return Err(OpenError::TooManySlots { found, most });
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

    pub(crate) fn most_slots(&self) -> usize {
        self.memory.capacity.slots.min(MAX_SLOTS)
    }

    /// What each module of `spec` takes, in its order; refused if all in all it is over the budget.
    pub(crate) fn measure(&self, spec: &RackSpec) -> Result<Vec<Footprint>, OpenError> {
        let measure = |module| Slot::measure(self.stream, module);
        let footprints: Vec<Footprint> = spec.modules.iter().map(measure).collect();
        if let Some(budget) = self.memory.budget_bytes {
            let map = planned_map(&self.memory, spec, &footprints);
            let needed = map.bytes();
            if needed > budget {
                let map = Box::new(map);
                let refused = MemoryError::OverBudget {
                    needed,
                    budget,
                    map,
                };
                return Err(refused.into());
            }
        }
        Ok(footprints)
    }

    /// Takes a region that counts as the engine's for as long as it is there.
    pub(crate) fn take(&self, bytes: usize) -> Result<Region, MemoryError> {
        Ok(Region::map(bytes, &self.memory)?.counted(&self.region_bytes))
    }

    pub(crate) fn build(
        &self,
        module: &ModuleSpec,
        footprint: &Footprint,
        key: SlotKey,
        cells: SlotCells,
    ) -> Result<(LiveSlot, SlotBox), OpenError> {
        let region = self.take(footprint.bytes)?;
        let (slot, taken) = Slot::build(self.stream, module, footprint, key, cells.clone(), region);
        let known = LiveSlot {
            key,
            cells,
            latency_frames: footprint.latency_frames,
            taken: Arc::new(taken),
        };
        Ok((known, Owned::new(self.collector.handle(), slot)))
    }

    pub(crate) fn build_rack(
        &mut self,
        spec: &RackSpec,
    ) -> Result<(Vec<LiveSlot>, Owned<Rack>), OpenError> {
        self.check(spec)?;
        let footprints = self.measure(spec)?;
        let mut live = Vec::with_capacity(spec.modules.len());
        let mut slots = Vec::with_capacity(spec.modules.len());
        let mut lanes = 0;
        for (module, footprint) in spec.modules.iter().zip(&footprints) {
            let key = self.new_key();
            let cells = self.new_cells(module, &mut lanes);
            let (known, slot) = self.build(module, footprint, key, cells)?;
            live.push(known);
            slots.push(slot);
        }
        let rack = Rack::new(&self.stream, slots, self.most_slots());
        Ok((live, Owned::new(self.collector.handle(), rack)))
    }
}
