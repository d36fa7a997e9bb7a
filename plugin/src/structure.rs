//! The rack that the parameters ask for.

use headroom_engine::preset::{MidiTarget, ModuleSpec, RackSpec};

use crate::parameters::Parameters;
use crate::rows::Target;

/// Which of the values: as they are heard, or as they are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// With a host's modulation and its bypass.
    Heard,
    /// Without either.
    Saved,
}

/// `[main]` The rack as the parameters say: the modules that have a place, in the order of their places
/// (of equal ones: in the catalogue's order).
pub(crate) fn rack(parameters: &Parameters, values: Values) -> RackSpec {
    match values {
        Values::Heard => {
            let host_bypass = parameters.value(0) > 0.5;
            rack_of(parameters, host_bypass, |row| parameters.value(row))
        }
        Values::Saved => rack_of(parameters, false, |row| parameters.resting_value(row)),
    }
}

/// `[main]` The same, of values that `get` gives by their rows; `bypass` is every module's.
pub(crate) fn rack_of(
    parameters: &Parameters,
    bypass: bool,
    get: impl Fn(usize) -> f32,
) -> RackSpec {
    let kinds = parameters.catalog().kinds();
    let mut places: Vec<(u16, usize)> = (0..kinds.len())
        .map(|module| (get(parameters.first_row(module)) as u16, module))
        .filter(|(place, _)| *place > 0)
        .collect();
    places.sort_unstable();
    let labels = parameters.labels().clone();
    let mut rack = RackSpec {
        name: labels.name,
        tags: labels.tags,
        ..RackSpec::default()
    };
    for (_, at) in places {
        let kind = kinds[at];
        let first = parameters.first_row(at);
        let id = labels.ids.get(at).cloned().flatten();
        let id = free_id(id.as_deref().unwrap_or(kind.id), &rack.modules);
        rack.modules.push(ModuleSpec {
            bypass: bypass || get(first + 1) > 0.5,
            mix: get(first + 2),
            values: (0..kind.params.len())
                .map(|param| kind.params[param].clamp(get(first + 3 + param)))
                .collect(),
            id,
            kind,
        });
    }
    // What moves a module that is out waits until it is back.
    let modules = &rack.modules;
    let is_in = |target: &MidiTarget| {
        target
            .module()
            .is_none_or(|id| modules.iter().any(|module| module.id == id))
    };
    rack.midi = labels.midi;
    rack.midi.retain(|binding| is_in(&binding.target));
    rack
}

/// A preset may have called a module by the name of another kind that comes in later.
fn free_id(wanted: &str, before: &[ModuleSpec]) -> String {
    let taken = |id: &str| before.iter().any(|module| module.id == id);
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|id| !taken(id))
        // PANIC: there are more numbers than modules.
        .expect("some number is free")
}

/// `[any]` Whether two racks have the same modules, in the same order, with the same structural values:
/// then to get from one to the other needs no building.
pub(crate) fn is_same(one: &RackSpec, other: &RackSpec) -> bool {
    let same = |(one, other): (&ModuleSpec, &ModuleSpec)| {
        let values = one.values.iter().zip(&other.values);
        let mut structural = values
            .zip(one.kind.params)
            .filter(|(_, param)| param.structural);
        one.kind.id == other.kind.id
            && one.id == other.id
            && structural.all(|((one, other), _)| one == other)
    };
    one.modules.len() == other.modules.len() && one.modules.iter().zip(&other.modules).all(same)
}

/// `[any]` Where in the catalogue a row's module is, and in what order the rack has it.
pub(crate) fn slot_of(parameters: &Parameters, rack: &RackSpec, target: Target) -> Option<usize> {
    let kind = parameters.catalog().kinds()[target.module()?];
    rack.modules
        .iter()
        .position(|module| module.kind.id == kind.id)
}
