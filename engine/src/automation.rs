//! What events have set, past the controller, for the controller to look at.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::memory::Place;
use crate::preset::ModuleSpec;

/// No event has set it since the controller last did: the bits of a NaN that no value is.
const AS_ASKED: u32 = u32::MAX;

/// One cell for each of a slot's settings: what an event last set, or that the controller's word
/// stands.
///
/// Relaxed: each value stands for itself, and is shown to people. Written by the audio thread as it
/// takes events and changes; the controller clears a cell when it asks for another value, which the
/// audio thread does once more when it takes that: until then an event may have set it again.
#[derive(Debug)]
pub(crate) struct AutomationCells {
    values: Box<[AtomicU32]>,
    bypass: AtomicU32,
    mix: AtomicU32,
}

impl AutomationCells {
    /// `[main]` Cells for a module of so many parameters; all written, so that no page is new to
    /// the audio thread.
    pub(crate) fn new(params: usize) -> Self {
        let cell = || AtomicU32::new(AS_ASKED);
        Self {
            values: (0..params).map(|_| cell()).collect(),
            bypass: cell(),
            mix: cell(),
        }
    }

    /// `[main]` Where the values are.
    pub(crate) fn place(&self) -> Place {
        Place::of(&self.values)
    }

    /// `[main]` What the values of so many parameters take.
    pub(crate) fn planned(params: usize) -> Place {
        Place::planned::<AtomicU32>(params)
    }

    /// `[any]` A parameter: `None` for as the controller asked.
    pub(crate) fn set_value(&self, index: usize, value: Option<f32>) {
        set(&self.values[index], value);
    }

    /// `[any]` The bypass.
    pub(crate) fn set_bypass(&self, on: Option<bool>) {
        set(&self.bypass, on.map(|on| if on { 1.0 } else { 0.0 }));
    }

    /// `[any]` The mix.
    pub(crate) fn set_mix(&self, mix: Option<f32>) {
        set(&self.mix, mix);
    }

    /// `[main]` Clears the cells of all that differs between two settings of one module.
    pub(crate) fn clear_changed(&self, old: &ModuleSpec, new: &ModuleSpec) {
        for (index, (old, new)) in old.values.iter().zip(&new.values).enumerate() {
            if old != new {
                self.set_value(index, None);
            }
        }
        if old.bypass != new.bypass {
            self.set_bypass(None);
        }
        if old.mix != new.mix {
            self.set_mix(None);
        }
    }

    /// `[main]` Puts what events have set into `spec`.
    pub(crate) fn overlay(&self, spec: &mut ModuleSpec) {
        for (value, cell) in spec.values.iter_mut().zip(&self.values) {
            *value = get(cell).unwrap_or(*value);
        }
        spec.bypass = get(&self.bypass).map_or(spec.bypass, |on| on > 0.5);
        spec.mix = get(&self.mix).unwrap_or(spec.mix);
    }
}

fn set(cell: &AtomicU32, value: Option<f32>) {
    cell.store(value.map_or(AS_ASKED, f32::to_bits), Relaxed);
}

fn get(cell: &AtomicU32) -> Option<f32> {
    let bits = cell.load(Relaxed);
    (bits != AS_ASKED).then(|| f32::from_bits(bits))
}
