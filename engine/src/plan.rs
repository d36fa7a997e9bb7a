//! How an edit gets from one rack to another by the least that does it.

use crate::message::{Change, SlotKey};
use crate::preset::{ModuleSpec, RackSpec};

/// Which modules of the new rack were in the old one, and which of those stay as they are: indices
/// into the old rack, by place in the new one.
pub(crate) struct Plan {
    was: Vec<Option<usize>>,
    stay: Vec<Option<usize>>,
}

impl Plan {
    /// `[main]` Modules of the same id and kind stay if their structure does, and if they are among
    /// the longest run that keeps its order.
    pub(crate) fn new(old: &RackSpec, new: &RackSpec) -> Self {
        let place_of = |module: &ModuleSpec| {
            let same =
                |old: &ModuleSpec| old.id == module.id && std::ptr::eq(old.kind, module.kind);
            old.modules.iter().position(same)
        };
        let was: Vec<_> = new.modules.iter().map(place_of).collect();
        let can_stay = was
            .iter()
            .zip(&new.modules)
            .map(|(was, module)| was.filter(|&was| !needs_rebuild(&old.modules[was], module)));
        let stay = longest_increasing(&can_stay.collect::<Vec<_>>());
        Self { was, stay }
    }

    /// `[main]` Where the module at `place` of the new rack was in the old one.
    pub(crate) fn was(&self, place: usize) -> Option<usize> {
        self.was[place]
    }

    /// `[main]` The same, if it stays as it is.
    pub(crate) fn stays(&self, place: usize) -> Option<usize> {
        self.stay[place]
    }

    /// `[main]` Whether anything comes, leaves or moves.
    pub(crate) fn is_structural(&self, old: &RackSpec) -> bool {
        let staying = self.stay.iter().flatten().count();
        staying != self.stay.len() || staying != old.modules.len()
    }

    /// `[main]` The changes of values that the modules which stay need; `key` tells the slot at a
    /// place of the old rack.
    pub(crate) fn changes(
        &self,
        old: &RackSpec,
        new: &RackSpec,
        key: impl Fn(usize) -> SlotKey,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (place, module) in new.modules.iter().enumerate() {
            let Some(stays) = self.stays(place) else {
                continue;
            };
            let (old, slot) = (&old.modules[stays], key(stays));
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
        changes
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
