//! The parameter table: one row a parameter, from which presets, host parameters, the screen and
//! the command line are all drawn.

use std::fmt::Write as _;

use headroom_ipc::Walk;

/// What a parameter's number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain number, such as a Q or a ratio.
    None,
    /// Decibels.
    Decibels,
    /// Hertz.
    Hertz,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// A fraction shown as a percentage; the stored value is the fraction.
    Percent,
    /// Degrees.
    Degrees,
    /// Ratio to one, such as a compressor's.
    Ratio,
    /// Decibels an octave.
    DecibelsPerOctave,
}

impl Unit {
    /// `[any]` The unit's symbol, empty for a plain number.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Decibels => "dB",
            Self::Hertz => "Hz",
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Percent => "%",
            Self::Degrees => "°",
            Self::Ratio => ":1",
            Self::DecibelsPerOctave => "dB/oct",
        }
    }
}

/// How a parameter's range is walked, and how its value is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Even steps of the value.
    Linear,
    /// Even steps of the value's logarithm; the range is above zero.
    Log,
    /// One of a list; the value is its index.
    Choice(&'static [&'static str]),
    /// Off (0) or on (1).
    Switch,
}

/// One row of a module's parameter table.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Unique in its module, lower case with the unit at the end: `threshold_db`.
    pub id: &'static str,
    /// For people: `Threshold`.
    pub name: &'static str,
    /// What the number means.
    pub unit: Unit,
    /// Lowest value.
    pub min: f32,
    /// Highest value.
    pub max: f32,
    /// The value where a preset names none.
    pub default: f32,
    /// How the range is walked.
    pub scale: Scale,
    /// Changing it changes latency or memory: not automatable, done by an edit.
    pub structural: bool,
}

impl Param {
    /// `[any]` A number walked in even steps.
    pub const fn linear(
        id: &'static str,
        name: &'static str,
        unit: Unit,
        range: (f32, f32),
        default: f32,
    ) -> Self {
        Self {
            id,
            name,
            unit,
            min: range.0,
            max: range.1,
            default,
            scale: Scale::Linear,
            structural: false,
        }
    }

    /// `[any]` A number above zero walked in even ratios.
    pub const fn log(
        id: &'static str,
        name: &'static str,
        unit: Unit,
        range: (f32, f32),
        default: f32,
    ) -> Self {
        Self {
            scale: Scale::Log,
            ..Self::linear(id, name, unit, range, default)
        }
    }

    /// `[any]` One of `labels`; `default` is an index. A preset writes the label.
    pub const fn choice(
        id: &'static str,
        name: &'static str,
        labels: &'static [&'static str],
        default: usize,
    ) -> Self {
        Self {
            scale: Scale::Choice(labels),
            ..Self::linear(
                id,
                name,
                Unit::None,
                (0.0, (labels.len() - 1) as f32),
                default as f32,
            )
        }
    }

    /// `[any]` Off or on. A preset writes `true` or `false`.
    pub const fn switch(id: &'static str, name: &'static str, default: bool) -> Self {
        Self {
            scale: Scale::Switch,
            ..Self::linear(
                id,
                name,
                Unit::None,
                (0.0, 1.0),
                if default { 1.0 } else { 0.0 },
            )
        }
    }

    /// `[any]` The same parameter, changed only by an edit.
    pub const fn structural(self) -> Self {
        Self {
            structural: true,
            ..self
        }
    }

    /// `[any]` How the range is walked, as a screen is told of it.
    pub const fn walk(&self) -> Walk {
        match self.scale {
            Scale::Linear => Walk::Linear,
            Scale::Log => Walk::Log,
            Scale::Choice(_) => Walk::Choice,
            Scale::Switch => Walk::Switch,
        }
    }

    /// `[any]` The labels of a choice.
    pub const fn labels(&self) -> Option<&'static [&'static str]> {
        match self.scale {
            Scale::Choice(labels) => Some(labels),
            _ => None,
        }
    }

    /// `[any]` The nearest value that is allowed: inside the range, whole for choices and switches,
    /// the default for anything that is not a number.
    pub fn clamp(&self, value: f32) -> f32 {
        if value.is_nan() {
            return self.default;
        }
        let value = value.clamp(self.min, self.max);
        match self.scale {
            Scale::Choice(_) | Scale::Switch => value.round(),
            Scale::Linear | Scale::Log => value,
        }
    }

    /// `[any]` Whether `value` is finite, in range, and whole where it must be.
    pub fn accepts(&self, value: f32) -> bool {
        value.is_finite() && self.clamp(value) == value
    }

    /// `[any]` Where `value` stands on the way from `min` to `max`, 0 to 1.
    pub fn normalize(&self, value: f32) -> f32 {
        self.walk()
            .position((self.min, self.max), self.clamp(value))
    }

    /// `[any]` The value at `position` (0 to 1) on the way from `min` to `max`.
    pub fn denormalize(&self, position: f32) -> f32 {
        self.walk().value((self.min, self.max), position)
    }

    /// `[main]` The value as people read it, with its unit: `-18.0 dB`, `1.20 kHz`, `bell`.
    pub fn format(&self, value: f32) -> String {
        let value = self.clamp(value);
        match (self.scale, self.unit) {
            (Scale::Choice(labels), _) => labels
                .get(value as usize)
                .map_or_else(String::new, |label| (*label).to_owned()),
            (Scale::Switch, _) => if value > 0.5 { "on" } else { "off" }.to_owned(),
            (_, Unit::Hertz) if value >= 1000.0 => format!("{:.2} kHz", value / 1000.0),
            (_, Unit::Percent) => format!("{:.1} %", value * 100.0),
            (_, unit) => {
                let digits = match value.abs() {
                    v if v >= 100.0 => 0,
                    v if v >= 10.0 => 1,
                    _ => 2,
                };
                let mut text = format!("{value:.digits$}");
                if !unit.symbol().is_empty() {
                    let space = if unit == Unit::Ratio { "" } else { " " };
                    // PANIC: writing to a String cannot fail; the result is empty by contract.
                    let _ = write!(text, "{space}{}", unit.symbol());
                }
                text
            }
        }
    }

    /// `[main]` What a preset may write here, in words: `a number from -60 to 24 (dB)`.
    pub fn expected(&self) -> String {
        match self.scale {
            Scale::Choice(labels) => format!("one of \"{}\"", labels.join("\", \"")),
            Scale::Switch => "true or false".to_owned(),
            Scale::Linear | Scale::Log => {
                let unit = match self.unit.symbol() {
                    "" => String::new(),
                    "%" => " (1 is 100 %)".to_owned(),
                    symbol => format!(" ({symbol})"),
                };
                format!("a number from {} to {}{unit}", self.min, self.max)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREQ: Param = Param::log("f_hz", "F", Unit::Hertz, (20.0, 20_000.0), 1_000.0);

    #[test]
    fn a_log_range_has_its_geometric_mean_in_the_middle() {
        assert!((FREQ.denormalize(0.5) - 632.455).abs() < 0.01);
        assert!((FREQ.normalize(632.455) - 0.5).abs() < 1e-5);
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(FREQ.format(1234.0), "1.23 kHz");
        assert_eq!(FREQ.format(80.0), "80.0 Hz");
        let ratio = Param::linear("r", "R", Unit::Ratio, (1.0, 20.0), 4.0);
        assert_eq!(ratio.format(4.0), "4.00:1");
        let mix = Param::linear("m", "M", Unit::Percent, (0.0, 1.0), 1.0);
        assert_eq!(mix.format(0.5), "50.0 %");
        let kind = Param::choice("k", "K", &["bell", "notch"], 0);
        assert_eq!(kind.format(1.0), "notch");
    }

    #[test]
    fn what_is_no_number_or_out_of_range_is_not_accepted() {
        assert!(FREQ.accepts(20.0));
        for bad in [f32::NAN, f32::INFINITY, 19.9, 20_001.0] {
            assert!(!FREQ.accepts(bad), "{bad}");
            assert!(FREQ.accepts(FREQ.clamp(bad)));
        }
    }
}
