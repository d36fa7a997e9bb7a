//! Values as people write them, and back.

use crate::range::Range;
use headroom_ipc::Walk;
use headroom_ipc::board::ParamInfo;

/// `[any]` `value` with its unit, for a control that is being moved; what stands still shows the text
/// that the board gives.
pub fn format(param: &ParamInfo, value: f32) -> String {
    let value = Range::of(param).clamp(value);
    match param.walk {
        Walk::Choice => label(param, value),
        Walk::Switch => if value > 0.5 { "on" } else { "off" }.to_owned(),
        Walk::Linear | Walk::Log => number(value, &param.unit),
    }
}

/// `[any]` The name of a choice.
pub fn label(param: &ParamInfo, value: f32) -> String {
    let name = param.labels.get(value as usize);
    name.map_or_else(|| format!("{value:.0}"), |name| cut(name).to_owned())
}

/// `[any]` A number with its unit: `-18.0 dB`, `1.20 kHz`, `40.0 %` for 0.4.
pub fn number(value: f32, unit: &str) -> String {
    match unit {
        "Hz" if value >= 1_000.0 => return format!("{:.2} kHz", value / 1_000.0),
        "%" if value >= 0.9995 => return format!("{:.0} %", value * 100.0),
        "%" => return format!("{:.1} %", value * 100.0),
        _ => {}
    }
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    let space = if unit.is_empty() || unit.starts_with(':') {
        ""
    } else {
        " "
    };
    format!("{value:.digits$}{space}{}", cut(unit))
}

/// `[any]` What was typed as a value of `param`, within its range; `None` if it is no value. Takes units
/// (`1.5k`, `2 kHz`, `0.3 s` for milliseconds, `50 %`), a decimal comma, `-inf`, `on` and `off`, and
/// the names of a choice or what they begin with.
pub fn parse(param: &ParamInfo, typed: &str) -> Option<f32> {
    let range = Range::of(param);
    let typed = typed.trim().replace('\u{2212}', "-");
    if typed.is_empty() {
        return None;
    }
    match param.walk {
        Walk::Switch => match typed.to_lowercase().as_str() {
            "on" | "yes" | "1" | "true" => Some(1.0),
            "off" | "no" | "0" | "false" => Some(0.0),
            _ => None,
        },
        Walk::Choice => {
            let typed = typed.to_lowercase();
            let names = || param.labels.iter().map(|label| label.to_lowercase());
            let exact = names().position(|name| name == typed);
            let index = exact.or_else(|| names().position(|name| name.starts_with(&typed)))?;
            Some(range.clamp(index as f32))
        }
        Walk::Linear | Walk::Log => {
            let value = quantity(&typed, &param.unit)?;
            (!value.is_nan()).then(|| range.clamp(value))
        }
    }
}

fn quantity(typed: &str, unit: &str) -> Option<f32> {
    let typed = typed.replace(',', ".");
    let end = typed
        .char_indices()
        .find(|&(place, sign)| {
            let exponent = matches!(sign, 'e' | 'E')
                && typed[place + 1..]
                    .starts_with(|next: char| next.is_ascii_digit() || next == '-');
            !(sign.is_ascii_digit() || matches!(sign, '.' | '-' | '+') || exponent)
        })
        .map_or(typed.len(), |(place, _)| place);
    let (digits, rest) = typed.split_at(end);
    let rest = rest.trim().to_lowercase();
    if rest.starts_with("inf") && digits == "-" {
        return Some(f32::NEG_INFINITY);
    }
    let value: f32 = digits.parse().ok()?;
    let factor = match (unit, rest.as_str()) {
        ("Hz", "k" | "khz") => 1_000.0,
        ("ms", "s") => 1_000.0,
        ("s", "ms") => 0.001,
        // A fraction is typed as per cent, with or without the sign.
        ("%", "" | "%") => 0.01,
        (_, "") => 1.0,
        (":1", ":1" | ":" | "to 1") => 1.0,
        (unit, rest) if rest == unit.to_lowercase() => 1.0,
        _ => return None,
    };
    Some(value * factor)
}

/// `[any]` A level in decibels from a linear amplitude; nothing below -120 dB.
pub fn decibels(amplitude: f32) -> f32 {
    if amplitude.is_nan() {
        return SILENCE_DB;
    }
    (20.0 * amplitude.max(1e-6).log10()).min(200.0)
}

/// What [`decibels`] gives for silence.
pub const SILENCE_DB: f32 = -120.0;

/// `[any]` A level as a meter shows it.
pub fn level(db: f32) -> String {
    if db <= SILENCE_DB + 0.5 {
        "-inf".to_owned()
    } else if db.abs() < 0.05 {
        "0.0".to_owned()
    } else {
        format!("{db:.1}")
    }
}

/// `[any]` A number of bytes: `4.0 KiB`.
pub fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        n if n < 1_024.0 => format!("{n:.0} B"),
        n if n < 1_048_576.0 => format!("{:.1} KiB", n / 1_024.0),
        n if n < 1_073_741_824.0 => format!("{:.1} MiB", n / 1_048_576.0),
        n => format!("{:.2} GiB", n / 1_073_741_824.0),
    }
}

/// `[any]` A time: `1.4 \u{3bc}s`.
pub fn nanoseconds(count: u64) -> String {
    let count = count as f64;
    match count {
        n if n < 1_000.0 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} \u{3bc}s", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.1} s", n / 1e9),
    }
}

/// `[any]` A count with thin groups: `12 345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// `[any]` A frequency on an axis: `100`, `1k`.
pub fn tick_hz(hz: f32) -> String {
    if hz >= 1_000.0 {
        format!("{:.0}k", hz / 1_000.0)
    } else {
        format!("{hz:.0}")
    }
}

/// `[any]` The first 120 characters: a name may be as long as a book, and laying it out would take as long.
pub fn cut(text: &str) -> &str {
    match text.char_indices().nth(120) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(unit: &str, min: f32, max: f32, walk: Walk) -> ParamInfo {
        ParamInfo {
            id: "x".to_owned(),
            name: "X".to_owned(),
            unit: unit.to_owned(),
            min,
            max,
            default: min,
            walk,
            labels: vec![
                "bell".to_owned(),
                "low shelf".to_owned(),
                "low-pass".to_owned(),
            ],
            structural: false,
        }
    }

    #[test]
    fn values_are_typed_as_people_write_them() {
        let hz = param("Hz", 10.0, 22_000.0, Walk::Log);
        let ms = param("ms", 1.0, 5_000.0, Walk::Log);
        let db = param("dB", -60.0, 12.0, Walk::Linear);
        let percent = param("%", 0.0, 1.0, Walk::Linear);
        let ratio = param(":1", 1.0, 20.0, Walk::Log);
        for (param, typed, expected) in [
            (&hz, "1.5k", Some(1_500.0)),
            (&hz, "2 kHz", Some(2_000.0)),
            (&hz, "2,5 khz", Some(2_500.0)),
            (&hz, "440 Hz", Some(440.0)),
            (&hz, "1e3", Some(1_000.0)),
            (&hz, "99k", Some(22_000.0)),
            (&hz, "3 dB", None),
            (&ms, "0.3 s", Some(300.0)),
            (&ms, "250", Some(250.0)),
            (&db, "\u{2212}18 dB", Some(-18.0)),
            (&db, "-inf", Some(-60.0)),
            (&db, "loud", None),
            (&percent, "50", Some(0.5)),
            (&percent, "12.5 %", Some(0.125)),
            (&ratio, "4:1", Some(4.0)),
            (&ratio, "", None),
        ] {
            let value = parse(param, typed);
            let near = match (value, expected) {
                (Some(value), Some(expected)) => (value - expected).abs() < 1e-3 * expected.abs(),
                (value, expected) => value == expected,
            };
            assert!(near, "`{typed}`: {value:?}");
        }
    }

    #[test]
    fn choices_and_switches_are_typed_by_name() {
        let choice = param("", 0.0, 2.0, Walk::Choice);
        assert_eq!(parse(&choice, "low-pass"), Some(2.0));
        assert_eq!(parse(&choice, "LOW"), Some(1.0));
        assert_eq!(parse(&choice, "notch"), None);
        let switch = param("", 0.0, 1.0, Walk::Switch);
        assert_eq!(parse(&switch, "Off"), Some(0.0));
    }

    #[test]
    fn figures_are_short_and_never_minus_nothing() {
        assert_eq!(level(-0.02), "0.0");
        assert_eq!(level(SILENCE_DB), "-inf");
        assert_eq!(level(-6.04), "-6.0");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(nanoseconds(22_800), "22.8 \u{3bc}s");
        assert_eq!(count(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(number(1_200.0, "Hz"), "1.20 kHz");
    }
}
