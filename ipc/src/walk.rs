//! How a parameter's range is walked: from a value to a place on a dial and back, and from text to a value.

use crate::board::{ParamInfo, Walk};

impl Walk {
    /// `[any]` Where `value` stands on the way from `min` to `max`, 0 to 1.
    pub fn position(self, (min, max): (f32, f32), value: f32) -> f32 {
        let value = value.clamp(min, max);
        let position = match self {
            Self::Log => (value / min).ln() / (max / min).ln(),
            Self::Linear | Self::Choice | Self::Switch => (value - min) / (max - min),
        };
        if position.is_finite() {
            position.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// `[any]` The value at `position` (0 to 1) on the way from `min` to `max`; whole for choices and
    /// switches.
    pub fn value(self, (min, max): (f32, f32), position: f32) -> f32 {
        let position = if position.is_nan() { 0.0 } else { position };
        let position = position.clamp(0.0, 1.0);
        let value = match self {
            Self::Log => min * (max / min).powf(position),
            Self::Linear => min + (max - min) * position,
            Self::Choice | Self::Switch => (min + (max - min) * position).round(),
        };
        value.clamp(min, max)
    }
}

impl ParamInfo {
    /// `[any]` Whether the range is one: finite, and not turned round. A board may hold anything.
    pub fn is_sound(&self) -> bool {
        let finite = [self.min, self.max, self.default]
            .iter()
            .all(|value| value.is_finite());
        finite && self.min < self.max && (self.walk != Walk::Log || self.min > 0.0)
    }

    /// `[any]` Where a value stands on a dial, 0 to 1.
    pub fn position(&self, value: f32) -> f32 {
        if !self.is_sound() || value.is_nan() {
            return 0.0;
        }
        self.walk.position((self.min, self.max), value)
    }

    /// `[any]` The value at a place on a dial.
    pub fn value_at(&self, position: f32) -> f32 {
        if !self.is_sound() {
            return if self.default.is_finite() {
                self.default
            } else {
                0.0
            };
        }
        self.walk.value((self.min, self.max), position)
    }

    /// `[any]` What somebody has typed, as a value: `-3`, `-3 dB`, `1.2k`, `1.2 kHz`, `50 %`, `250 ms`,
    /// `bell`, `on`.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    pub fn parse(&self, text: &str) -> Result<f32, String> {
        let text = text.trim();
        let refused = || format!("`{text}`: expected {}", self.expected());
        let value = match self.walk {
            Walk::Switch => match text.to_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Some(1.0),
                "off" | "false" | "no" | "0" => Some(0.0),
                _ => None,
            },
            Walk::Choice => {
                let is_it = |label: &String| label.eq_ignore_ascii_case(text);
                let named = self.labels.iter().position(is_it);
                named.map(|index| index as f32).or_else(|| {
                    let number = text.parse().ok()?;
                    (f32::fract(number) == 0.0).then_some(number)
                })
            }
            Walk::Linear | Walk::Log => self.number(text),
        };
        let value = value
            .filter(|value| value.is_finite())
            .ok_or_else(refused)?;
        // A number that was written with a few digits may miss the end of a range by a hair.
        let slack = (self.max - self.min) * 1e-6;
        if value < self.min - slack || value > self.max + slack {
            return Err(refused());
        }
        Ok(value.clamp(self.min, self.max))
    }

    /// `[any]` What can be typed, in words.
    pub fn expected(&self) -> String {
        match self.walk {
            Walk::Switch => "on or off".to_owned(),
            Walk::Choice => format!("one of {}", self.labels.join(", ")),
            Walk::Linear | Walk::Log if self.unit == "%" => {
                format!("{} to {} %", self.min * 100.0, self.max * 100.0)
            }
            Walk::Linear | Walk::Log => {
                let space = if self.unit.is_empty() { "" } else { " " };
                format!("{} to {}{space}{}", self.min, self.max, self.unit)
            }
        }
    }

    fn number(&self, text: &str) -> Option<f32> {
        // Typographers' minus.
        let text = text.replace('\u{2212}', "-").replace(',', ".");
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
            .unwrap_or(text.len());
        let number: f64 = text[..end].parse().ok()?;
        let unit = text[end..].trim().to_lowercase();
        let own = self.unit.to_lowercase();
        let factor = match (own.as_str(), unit.as_str()) {
            ("%", "" | "%") => 0.01,
            (_, "") => 1.0,
            ("hz", "k" | "khz") => 1e3,
            ("s", "ms") => 1e-3,
            ("ms", "s") => 1e3,
            (":1", ":1" | ":" | "to 1") => 1.0,
            (own, unit) if own == unit => 1.0,
            _ => return None,
        };
        Some((number * factor) as f32)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn param(unit: &str, walk: Walk, min: f32, max: f32) -> ParamInfo {
        ParamInfo {
            id: "p".to_owned(),
            name: "P".to_owned(),
            unit: unit.to_owned(),
            min,
            max,
            default: min,
            walk,
            labels: vec!["bell".to_owned(), "notch".to_owned()],
            structural: false,
        }
    }

    #[test]
    fn people_may_write_units_in_the_ways_they_do() {
        let hertz = param("Hz", Walk::Log, 20.0, 20_000.0);
        for (text, value) in [
            ("1200", 1200.0),
            ("1.2k", 1200.0),
            ("1.2 kHz", 1200.0),
            ("80 Hz", 80.0),
        ] {
            assert_eq!(hertz.parse(text), Ok(value), "{text}");
        }
        let gain = param("dB", Walk::Linear, -60.0, 24.0);
        for (text, value) in [
            ("-3", -3.0),
            ("\u{2212}3 dB", -3.0),
            ("+6db", 6.0),
            ("-2,5", -2.5),
        ] {
            assert_eq!(gain.parse(text), Ok(value), "{text}");
        }
        let percent = param("%", Walk::Linear, 0.0, 1.0);
        assert_eq!(percent.parse("50 %"), Ok(0.5));
        assert_eq!(percent.parse("100"), Ok(1.0));
        let seconds = param("s", Walk::Linear, 0.0, 5.0);
        assert_eq!(seconds.parse("250 ms"), Ok(0.25));
        let choice = param("", Walk::Choice, 0.0, 1.0);
        assert_eq!(choice.parse("Notch"), Ok(1.0));
        assert_eq!(param("", Walk::Switch, 0.0, 1.0).parse("on"), Ok(1.0));
    }

    #[test]
    fn what_is_out_of_range_or_of_another_unit_is_refused_with_what_was_expected() {
        let hertz = param("Hz", Walk::Log, 20.0, 20_000.0);
        for text in [
            "",
            "x",
            "10",
            "30 kHz",
            "3 dB",
            "nan",
            "inf",
            "1e9",
            "--3",
            "0.5 notch",
        ] {
            let refused = hertz.parse(text).unwrap_err();
            assert!(refused.contains("expected 20 to 20000 Hz"), "{refused}");
        }
        assert!(param("", Walk::Choice, 0.0, 1.0).parse("2").is_err());
        assert!(param("", Walk::Choice, 0.0, 1.0).parse("0.5").is_err());
    }

    #[test]
    fn a_dial_goes_there_and_back() {
        for walk in [Walk::Linear, Walk::Log] {
            let range = param("Hz", walk, 20.0, 20_000.0);
            for step in 0..=100 {
                let position = step as f32 / 100.0;
                let back = range.position(range.value_at(position));
                assert!((back - position).abs() < 1e-5, "{walk:?} {position} {back}");
            }
        }
    }

    #[test]
    fn a_damaged_range_moves_nothing_and_panics_nowhere() {
        for (min, max) in [
            (1.0, 1.0),
            (2.0, 1.0),
            (f32::NAN, 1.0),
            (0.0, f32::INFINITY),
        ] {
            let damaged = param("", Walk::Log, min, max);
            assert_eq!(damaged.position(0.5), 0.0);
            assert!(damaged.value_at(0.5).is_finite());
        }
    }
}
