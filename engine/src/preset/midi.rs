//! What controllers and notes move: the `[[midi]]` tables of a preset.

use toml_edit::{Item, Key, Table, value};

use super::read::value_of;
use super::text::{TomlText, entries};
use super::write::{item_of, shortest};
use super::{ModuleSpec, PresetError};
use crate::param::Param;

/// `[[midi]]` tables at most, in one preset.
pub const MAX_BINDINGS: usize = 64;
/// The highest controller number; those above it are channel mode messages.
pub const MAX_CONTROLLER: u8 = 119;
/// The highest controller that has a fine half, 32 numbers above it.
const MAX_FINE_CONTROLLER: u8 = 31;

/// One `[[midi]]` table: a controller or a note, and what it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct MidiBinding {
    /// What is listened to.
    pub source: MidiSource,
    /// On which channel, 1 to 16; `None` is on any.
    pub channel: Option<u8>,
    /// What it moves.
    pub target: MidiTarget,
    /// Switches only: each press turns the switch over (usual for notes), or the switch is on for
    /// as long as the key or pedal is down (usual for controllers: down is 64 or more).
    pub toggle: bool,
}

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MidiSource {
    /// A controller of 7 bits, 0 to [`MAX_CONTROLLER`].
    Controller(u8),
    /// A controller of 14 bits: the number of its coarse half, 0 to 31; the fine half is 32 above.
    FineController(u8),
    /// A note, 0 to 127.
    Note(u8),
}

impl MidiSource {
    /// `[any]` Whether a binding of this source turns switches over where nothing is said.
    pub fn usually_toggles(self) -> bool {
        matches!(self, Self::Note(_))
    }
}

impl std::fmt::Display for MidiSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Controller(number) | Self::FineController(number) => write!(f, "cc {number}"),
            Self::Note(number) => write!(f, "note {number}"),
        }
    }
}

/// What is moved.
#[derive(Debug, Clone, PartialEq)]
pub enum MidiTarget {
    /// A parameter that is not structural, between two values of it; `min` may be above `max`.
    Param {
        /// The module's id.
        module: String,
        /// The parameter's id.
        param: &'static str,
        /// Where the controller stands at 0.
        min: f32,
        /// Where it stands at its end.
        max: f32,
    },
    /// How much of a module is heard.
    Mix {
        /// The module's id.
        module: String,
    },
    /// Whether a module is passed by.
    Bypass {
        /// The module's id.
        module: String,
    },
    /// The mute of everything.
    Mute,
    /// The panic button: silence at once, and nothing of it afterwards.
    Panic,
}

impl MidiTarget {
    /// `[any]` The module it belongs to, if any.
    pub fn module(&self) -> Option<&str> {
        match self {
            Self::Param { module, .. } | Self::Mix { module } | Self::Bypass { module } => {
                Some(module)
            }
            Self::Mute | Self::Panic => None,
        }
    }

    /// `[any]` Whether it is on or off, and nothing in between.
    pub fn is_switch(&self) -> bool {
        matches!(self, Self::Bypass { .. } | Self::Mute | Self::Panic)
    }
}

impl std::fmt::Display for MidiTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Param { module, param, .. } => write!(f, "{module}.{param}"),
            Self::Mix { module } => write!(f, "mix of {module}"),
            Self::Bypass { module } => write!(f, "bypass of {module}"),
            Self::Mute => f.write_str("mute"),
            Self::Panic => f.write_str("panic"),
        }
    }
}

/// `[main]` Reads one `[[midi]]` table. `modules` are those that it may speak of.
///
/// # Errors
/// Anything in it that is not known, not in range, or missing.
pub fn read_binding(
    text: &TomlText<'_>,
    table: &Table,
    modules: &[ModuleSpec],
) -> Result<MidiBinding, PresetError> {
    let mut source = None;
    let mut target: Option<(MidiTarget, &'static Param)> = None;
    let mut switch = None;
    let (mut channel, mut toggle, mut fine) = (None, None, None);
    let mut ends = [None, None];
    let once = |key: &Key, item: &Item, taken: bool, others: &str| {
        if !taken {
            return Ok(());
        }
        let what = format!("`{}` beside another one", key.get());
        let at = key.span().or(item.span());
        Err(text.error(at, what, format!("only one of {others}")))
    };
    for (key, item) in entries(table) {
        match key.get() {
            "cc" | "note" => {
                once(key, item, source.is_some(), SOURCES)?;
                source = Some(if key.get() == "cc" {
                    MidiSource::Controller(text.whole(key, item, 0, MAX_CONTROLLER)?)
                } else {
                    MidiSource::Note(text.whole(key, item, 0, 127)?)
                });
            }
            "fine" => fine = Some((key, item, text.switch(key, item)?)),
            "channel" => channel = Some(text.whole(key, item, 1, 16)?),
            "toggle" => toggle = Some((key, item, text.switch(key, item)?)),
            "param" => {
                once(key, item, target.is_some() || switch.is_some(), TARGETS)?;
                target = Some(param_of(text, key, item, modules)?);
            }
            "mix" | "bypass" => {
                once(key, item, target.is_some() || switch.is_some(), TARGETS)?;
                let module = module_of(text, key, item, modules)?;
                switch = Some(match key.get() {
                    "mix" => MidiTarget::Mix { module },
                    _ => MidiTarget::Bypass { module },
                });
            }
            "mute" | "panic" => {
                once(key, item, target.is_some() || switch.is_some(), TARGETS)?;
                if item.as_bool() != Some(true) {
                    return Err(text.wrong(key, item, "true"));
                }
                switch = Some(match key.get() {
                    "mute" => MidiTarget::Mute,
                    _ => MidiTarget::Panic,
                });
            }
            "min" => ends[0] = Some((key, item)),
            "max" => ends[1] = Some((key, item)),
            _ => {
                let known = [
                    "cc", "note", "fine", "channel", "param", "min", "max", "mix", "bypass",
                    "mute", "panic", "toggle",
                ];
                return Err(text.unknown(key, item, &known));
            }
        }
    }
    let missing = |what: &str, expected: &str| text.error(table.span(), what, expected);
    let mut source =
        source.ok_or_else(|| missing("a [[midi]] table without `cc` or `note`", SOURCES))?;
    if let Some((key, item, true)) = fine {
        source = match source {
            MidiSource::Controller(number) if number <= MAX_FINE_CONTROLLER => {
                MidiSource::FineController(number)
            }
            _ => {
                let expected = "`cc` from 0 to 31 beside it: only those have a fine half";
                return Err(text.wrong(key, item, expected));
            }
        };
    }
    let target = match (target, switch) {
        (Some((mut target, row)), _) => {
            if let MidiTarget::Param { min, max, .. } = &mut target {
                for (end, given) in [min, max].into_iter().zip(ends) {
                    let Some((key, item)) = given else { continue };
                    let number = value_of(row, item).filter(|&number| row.accepts(number));
                    *end = number.ok_or_else(|| text.wrong(key, item, row.expected()))?;
                }
            }
            target
        }
        (None, Some(target)) => {
            if let Some((key, item)) = ends.into_iter().flatten().next() {
                let expected = "it only beside `param`";
                return Err(text.wrong(key, item, expected));
            }
            target
        }
        (None, None) => {
            return Err(missing("a [[midi]] table that moves nothing", TARGETS));
        }
    };
    if let (MidiSource::Note(_), false) = (source, target.is_switch()) {
        let what = "a note that moves what is no switch";
        return Err(missing(what, "`cc`, or `bypass`, `mute` or `panic`"));
    }
    if let (Some((key, item, _)), false) = (toggle, target.is_switch()) {
        return Err(text.wrong(key, item, "it only beside `bypass`, `mute` or `panic`"));
    }
    Ok(MidiBinding {
        source,
        channel,
        target,
        toggle: toggle.map_or(source.usually_toggles(), |(_, _, toggle)| toggle),
    })
}

const SOURCES: &str = "`cc = 0` to `119`, `note = 0` to `127`";
const TARGETS: &str = "`param`, `mix`, `bypass`, `mute`, `panic`";

fn param_of(
    text: &TomlText<'_>,
    key: &Key,
    item: &Item,
    modules: &[ModuleSpec],
) -> Result<(MidiTarget, &'static Param), PresetError> {
    let wanted = text.string(key, item)?;
    let ids = || {
        let ids: Vec<_> = modules.iter().map(|module| module.id.as_str()).collect();
        format!(
            "`MODULE.PARAMETER` with one of the modules `{}`",
            ids.join("`, `")
        )
    };
    let (module, param) = wanted
        .rsplit_once('.')
        .ok_or_else(|| text.wrong(key, item, ids()))?;
    let module = modules
        .iter()
        .find(|known| known.id == module)
        .ok_or_else(|| text.wrong(key, item, ids()))?;
    let rows = module.kind.params;
    let row = rows
        .iter()
        .find(|row| row.id == param && !row.structural)
        .ok_or_else(|| {
            let movable = rows.iter().filter(|row| !row.structural);
            let known: Vec<_> = movable.map(|row| row.id).collect();
            let what = if rows.iter().any(|row| row.id == param) {
                "one that needs no rebuilding"
            } else {
                "a parameter of the module"
            };
            text.wrong(
                key,
                item,
                format!("{what}: one of `{}`", known.join("`, `")),
            )
        })?;
    let target = MidiTarget::Param {
        module: module.id.clone(),
        param: row.id,
        min: row.min,
        max: row.max,
    };
    Ok((target, row))
}

fn module_of(
    text: &TomlText<'_>,
    key: &Key,
    item: &Item,
    modules: &[ModuleSpec],
) -> Result<String, PresetError> {
    let wanted = text.string(key, item)?;
    if modules.iter().any(|known| known.id == wanted) {
        return Ok(wanted);
    }
    let ids: Vec<_> = modules.iter().map(|module| module.id.as_str()).collect();
    let expected = format!("one of the modules `{}`", ids.join("`, `"));
    Err(text.wrong(key, item, expected))
}

/// `[main]` One `[[midi]]` table. What is usual is left out.
pub(super) fn table_of(binding: &MidiBinding, modules: &[ModuleSpec]) -> Table {
    let mut table = Table::new();
    match binding.source {
        MidiSource::Controller(number) => table["cc"] = value(i64::from(number)),
        MidiSource::FineController(number) => {
            table["cc"] = value(i64::from(number));
            table["fine"] = value(true);
        }
        MidiSource::Note(number) => table["note"] = value(i64::from(number)),
    }
    if let Some(channel) = binding.channel {
        table["channel"] = value(i64::from(channel));
    }
    match &binding.target {
        MidiTarget::Param {
            module,
            param,
            min,
            max,
        } => {
            table["param"] = value(format!("{module}.{param}"));
            let module = modules.iter().find(|known| known.id == *module);
            let rows = module.map_or(&[][..], |module| module.kind.params);
            let row = rows.iter().find(|row| row.id == *param);
            for (key, &end, usual) in [
                ("min", min, row.map(|row| row.min)),
                ("max", max, row.map(|row| row.max)),
            ] {
                if usual != Some(end) {
                    table[key] = row.map_or_else(|| value(shortest(end)), |row| item_of(row, end));
                }
            }
        }
        MidiTarget::Mix { module } => table["mix"] = value(module),
        MidiTarget::Bypass { module } => table["bypass"] = value(module),
        MidiTarget::Mute => table["mute"] = value(true),
        MidiTarget::Panic => table["panic"] = value(true),
    }
    if binding.target.is_switch() && binding.toggle != binding.source.usually_toggles() {
        table["toggle"] = value(binding.toggle);
    }
    table
}
