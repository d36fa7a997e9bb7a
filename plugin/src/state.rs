//! What hosts save. nice-plug writes JSON: the parameters, and our fields beside them:
//!
//! | field | what it holds |
//! | --- | --- |
//! | `format` | the version of these fields |
//! | `rack` | the preset file of the modules that are in, as `headroom` reads it |
//!
//! What is in is said by the preset, to the bit; what the modules that are out stand at is said by the
//! parameters. A state is taken whole or refused whole: what is missing in an older one is as in a new
//! strip, what cannot be is an error, and then all stays as it was.

use std::collections::BTreeMap;

use headroom_engine::preset::{self, Factory, PresetError, RackSpec};
use headroom_engine::{Catalog, Scale};
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;
use thiserror::Error;

use crate::about;
use crate::parameters::Parameters;
use crate::rows::{LAST_PLACE, Row, Target, rows};
use crate::shield::shielded;
use crate::structure::{Values, rack};
use crate::table::Table;

/// The version of the fields.
pub const FORMAT: u32 = 1;

const FORMAT_FIELD: &str = "format";
const RACK_FIELD: &str = "rack";
/// What a refused state is turned into: it sets nothing, and says why.
const REFUSED_FIELD: &str = "refused";

/// Why a state was refused. All is as it was before.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Not one of ours.
    #[error("this is no state of Headroom's: it has no `{0}`")]
    Foreign(&'static str),
    /// From a version that is not known yet.
    #[error("the state has format {0}: expected 1 to {FORMAT}; a newer Headroom has written it")]
    Newer(String),
    /// What the preset says cannot be.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// More of a kind than the strip has.
    #[error(
        "the rack has `{0}` twice: expected one of each at most, the plugin has one of each kind \
         (the program `headroom` plays such racks)"
    )]
    Twice(&'static str),
    /// A parameter's value is none.
    #[error("the parameter `{id}` is {found}: expected {expected}")]
    Value {
        /// Which.
        id: String,
        /// What it was.
        found: String,
        /// What it may be.
        expected: String,
    },
}

/// `[main]` The fields beside the parameters.
pub(crate) fn fields(parameters: &Parameters) -> BTreeMap<String, String> {
    let rack = rack(parameters, Values::Saved);
    BTreeMap::from([
        (FORMAT_FIELD.to_owned(), FORMAT.to_string()),
        (RACK_FIELD.to_owned(), preset::to_toml(&rack)),
    ])
}

/// `[main]` Makes what a host gave ready to be set: every parameter has a value, and it is one that can
/// be. A refused one sets nothing.
fn prepare(state: &mut PluginState, catalog: &Catalog) {
    if let Err(why) = check(state, catalog) {
        state.params.clear();
        state.fields.clear();
        state
            .fields
            .insert(REFUSED_FIELD.to_owned(), why.to_string());
    }
}

/// `[main]` The same for nice-plug, whatever happens: what cannot even be refused sets nothing.
pub(crate) fn filter(state: &mut PluginState, catalog: &Catalog) {
    if shielded(|| prepare(state, catalog)).is_none() {
        state.params.clear();
        state.fields.clear();
    }
}

/// `[main]` What the parameters do not say: called when they have been set.
pub(crate) fn take(parameters: &Parameters, fields: &BTreeMap<String, String>) {
    if let Some(why) = fields.get(REFUSED_FIELD) {
        parameters.refused(why);
        return;
    }
    // It has been read before, by prepare().
    let text = fields.get(RACK_FIELD).map_or("", String::as_str);
    match preset::parse(text, "state", parameters.catalog()) {
        Ok(rack) => parameters.loaded(&rack),
        Err(why) => parameters.refused(&why.to_string()),
    }
}

/// `[main]` What stands now, as a state.
pub(crate) fn now(parameters: &Parameters) -> PluginState {
    let rows = parameters.rows().iter().enumerate();
    PluginState {
        version: about::VERSION.to_owned(),
        params: rows
            .map(|(at, row)| (row.id.clone(), parameters.saved_value(at)))
            .collect(),
        fields: fields(parameters),
    }
}

/// `[main]` The same with another rack in place of its own. What that does not say stays: the host's bypass,
/// and what the modules stand at that are out.
pub(crate) fn with_rack(parameters: &Parameters, rack: &RackSpec) -> PluginState {
    let mut state = now(parameters);
    let text = preset::to_toml(rack);
    state.fields.insert(RACK_FIELD.to_owned(), text);
    state
}

/// `[main]` Sets all to a state, or leaves all as it is, and keeps why.
pub(crate) fn load(table: &Table, mut state: PluginState) -> Result<(), Refusal> {
    let parameters = table.parameters();
    if let Err(why) = check(&mut state, parameters.catalog()) {
        parameters.refused(&why.to_string());
        return Err(why);
    }
    for (at, row) in parameters.rows().iter().enumerate() {
        let value = state.params.get(&row.id);
        if let Some(position) = value.and_then(|value| parameters.position_of(at, value)) {
            table.set(at as u16, position);
        }
    }
    take(parameters, &state.fields);
    Ok(())
}

/// `[any]` Whether the strip can hold a rack.
///
/// # Errors
///
/// The kind that it has twice.
pub fn fits(rack: &RackSpec) -> Result<(), Refusal> {
    for (place, module) in rack.modules.iter().enumerate() {
        let before = &rack.modules[..place];
        if before.iter().any(|other| other.kind.id == module.kind.id) {
            return Err(Refusal::Twice(module.kind.id));
        }
    }
    Ok(())
}

/// `[main]` The built-in presets that the strip can hold, in the order in which people are shown them: what
/// an editor offers.
pub fn presets(catalog: &Catalog) -> Vec<Factory> {
    let holds = |preset: &&Factory| {
        let rack = preset::parse(preset.text, preset.name, catalog);
        rack.is_ok_and(|rack| fits(&rack).is_ok())
    };
    preset::factory().iter().filter(holds).copied().collect()
}

/// `[main]` Checks a whole state and completes its parameters.
///
/// # Errors
///
/// What is wrong with it; the state is then as it was.
pub fn check(state: &mut PluginState, catalog: &Catalog) -> Result<(), Refusal> {
    let format = state.fields.get(FORMAT_FIELD);
    let format = format.ok_or(Refusal::Foreign(FORMAT_FIELD))?;
    if format.parse() != Ok(FORMAT) {
        return Err(Refusal::Newer(format.clone()));
    }
    let text = state.fields.get(RACK_FIELD);
    let text = text.ok_or(Refusal::Foreign(RACK_FIELD))?;
    let rack = preset::parse(text, "state", catalog)?;
    fits(&rack)?;
    let rows = rows(catalog);
    let mut positions = Vec::with_capacity(rows.len());
    for row in &rows {
        positions.push(match state.params.get(&row.id) {
            Some(given) => position(row, given)?,
            None => row.position(row.table.default),
        });
    }
    let places_stand = gives_the_order(&rows, &positions, &rack, catalog);
    let mut params = BTreeMap::new();
    for (row, mut position) in rows.into_iter().zip(positions) {
        if places_stand && matches!(row.target, Target::Place(_)) {
            // There are many ways to say one order with places.
        } else if let Some(value) = said_by(&rack, catalog, &row) {
            // Where it stands already, so that a host finds again what it saved.
            if row.value_at(position) != value {
                position = row.position(value);
            }
        }
        let value = match row.table.scale {
            Scale::Switch => ParamValue::Bool(position > 0.5),
            _ if row.is_stepped() => ParamValue::I32(position as i32),
            _ => ParamValue::F32(position),
        };
        params.insert(row.id, value);
    }
    state.params = params;
    Ok(())
}

/// Whether the places as they are given say the preset's order.
fn gives_the_order(rows: &[Row], positions: &[f32], rack: &RackSpec, catalog: &Catalog) -> bool {
    let places = rows.iter().zip(positions).filter_map(|(row, place)| {
        matches!(row.target, Target::Place(_)).then_some((*place as u16, row.target.module()?))
    });
    let mut places: Vec<_> = places.filter(|(place, _)| *place > 0).collect();
    places.sort_unstable();
    let given = places.iter().map(|(_, module)| catalog.kinds()[*module].id);
    given.eq(rack.modules.iter().map(|module| module.kind.id))
}

/// A given value as a position, if it is one.
fn position(row: &Row, given: &ParamValue) -> Result<f32, Refusal> {
    let (min, max) = match row.table.scale {
        Scale::Switch => (0.0, 1.0),
        _ if row.is_stepped() => (row.table.min, row.table.max),
        _ => (0.0, 1.0),
    };
    let position = match (given, row.table.scale) {
        (ParamValue::Bool(on), Scale::Switch) => Some(f32::from(u8::from(*on))),
        (ParamValue::I32(number), Scale::Choice(_)) => Some(*number as f32),
        (ParamValue::I32(number), _) if row.is_stepped() => Some(*number as f32),
        (ParamValue::F32(number), _) if !row.is_stepped() => Some(*number),
        _ => None,
    };
    position
        .filter(|position| (min..=max).contains(position))
        .ok_or_else(|| Refusal::Value {
            id: row.id.clone(),
            found: format!("{given:?}"),
            expected: format!("{min} to {max}"),
        })
}

/// What the preset says of a row, if it is the preset's to say.
fn said_by(rack: &RackSpec, catalog: &Catalog, row: &Row) -> Option<f32> {
    let kind = catalog.kinds()[row.target.module()?];
    let at = |(place, _): &(usize, _)| *place;
    let mut modules = rack.modules.iter().enumerate();
    let found = modules.find(|(_, module)| module.kind.id == kind.id);
    let Some((_, module)) = found else {
        // Who is not in the preset is out.
        return matches!(row.target, Target::Place(_)).then_some(0.0);
    };
    match row.target {
        Target::HostBypass => None,
        Target::Place(_) => found
            .as_ref()
            .map(at)
            .map(|place| (place + 1).min(usize::from(LAST_PLACE)) as f32),
        Target::Bypass(_) => Some(f32::from(u8::from(module.bypass))),
        Target::Mix(_) => Some(module.mix),
        Target::Value(_, param) => Some(module.values[param]),
    }
}
