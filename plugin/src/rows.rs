//! Every host parameter as a row, made from the modules' tables.

use headroom_engine::{Catalog, Kind, Param, Scale, Unit};

/// Where the last place of a strip is. Frozen: hosts keep places as fractions of it.
pub(crate) const LAST_PLACE: u16 = 64;

/// Places in the strip; 0 is out of it. Text: `out`, `1`, `2`.
static PLACE: Param =
    Param::linear("place", "Place", Unit::None, (0.0, LAST_PLACE as f32), 0.0).structural();
static BYPASS: Param = Param::switch("bypass", "Bypass", false);
static MIX: Param = Param::linear("mix", "Mix", Unit::Percent, (0.0, 1.0), 1.0);

/// What a host parameter moves. Modules by their place in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The host's own bypass: everything.
    HostBypass,
    /// Where in the strip a module is; 0: it is out.
    Place(usize),
    /// A module's bypass.
    Bypass(usize),
    /// How much of a module is heard.
    Mix(usize),
    /// A row of a module's table.
    Value(usize, usize),
}

impl Target {
    /// `[any]` The module, by its place in the catalogue.
    pub(crate) fn module(self) -> Option<usize> {
        match self {
            Self::HostBypass => None,
            Self::Place(module)
            | Self::Bypass(module)
            | Self::Mix(module)
            | Self::Value(module, _) => Some(module),
        }
    }
}

/// One host parameter.
#[derive(Debug, Clone)]
pub struct Row {
    /// `bypass`, or `module.parameter`. Frozen once released: hosts keep it.
    pub id: String,
    /// For people, the module's name first: many hosts show no groups.
    pub name: String,
    /// The module's name.
    pub group: String,
    /// What it moves.
    pub target: Target,
    /// Its range, steps, unit and default.
    pub table: &'static Param,
}

impl Row {
    fn of(kind: &Kind, target: Target, table: &'static Param) -> Self {
        Self {
            id: format!("{}.{}", kind.id, table.id),
            name: format!("{} {}", kind.name, table.name),
            group: kind.name.to_owned(),
            target,
            table,
        }
    }

    /// `[any]` The number that hosts of either format know it by: of its id, as nice-plug makes it. Frozen.
    pub(crate) fn number(&self) -> u32 {
        let step = |number: u32, byte: u8| number.wrapping_mul(31).wrapping_add(u32::from(byte));
        self.id.bytes().fold(0, step) & !(1 << 31)
    }

    /// `[any]` Whether its values are whole numbers.
    pub(crate) fn is_stepped(&self) -> bool {
        matches!(self.target, Target::Place(_))
            || matches!(self.table.scale, Scale::Choice(_) | Scale::Switch)
    }

    /// `[any]` Whether a change of it builds something anew.
    pub(crate) fn is_structural(&self) -> bool {
        self.table.structural
    }

    /// `[main]` A value as people read it, with its unit.
    pub(crate) fn text(&self, value: f32) -> String {
        match self.target {
            Target::Place(_) if value < 0.5 => "out".to_owned(),
            Target::Place(_) => format!("{}", value.round()),
            _ => {
                let text = self.table.format(value);
                // Rounding may lead over a border, as from 9.996 to 10.00: then once more, so that
                // text that is read back is written the same.
                self.value(&text)
                    .map_or(text, |value| self.table.format(value))
            }
        }
    }

    /// `[main]` The value of what people typed.
    pub(crate) fn value(&self, text: &str) -> Option<f32> {
        if matches!(self.target, Target::Place(_)) && text.trim().eq_ignore_ascii_case("out") {
            return Some(0.0);
        }
        let value = headroom_engine::param_info(self.table).parse(text).ok()?;
        Some(if self.is_stepped() {
            value.round()
        } else {
            value
        })
    }

    /// `[any]` Where a value stands as hosts keep it: for numbers 0 to 1 on the way from the lowest to
    /// the highest, by the table's walk; for stepped ones the value itself.
    pub(crate) fn position(&self, value: f32) -> f32 {
        if self.is_stepped() {
            value
        } else {
            self.table.normalize(value)
        }
    }

    /// `[any]` The value that stands there.
    pub(crate) fn value_at(&self, position: f32) -> f32 {
        if self.is_stepped() {
            position
        } else {
            self.table.denormalize(position)
        }
    }
}

/// `[main]` The rows of a catalogue, in the order in which hosts are told of them.
pub fn rows(catalog: &Catalog) -> Vec<Row> {
    let host_bypass = Row {
        id: BYPASS.id.to_owned(),
        name: BYPASS.name.to_owned(),
        group: String::new(),
        target: Target::HostBypass,
        table: &BYPASS,
    };
    let mut rows = vec![host_bypass];
    for (module, &kind) in catalog.kinds().iter().enumerate() {
        rows.push(Row::of(kind, Target::Place(module), &PLACE));
        rows.push(Row::of(kind, Target::Bypass(module), &BYPASS));
        rows.push(Row::of(kind, Target::Mix(module), &MIX));
        let values = kind.params.iter().enumerate();
        rows.extend(values.map(|(at, param)| Row::of(kind, Target::Value(module, at), param)));
    }
    rows
}
