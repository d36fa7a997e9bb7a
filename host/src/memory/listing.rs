//! The memory map as tables for people, and as JSON for programs.

use std::fmt::Write as _;

use headroom_engine::memory::{Owner, Part};
use headroom_engine::{MemoryMap, Stream};
use serde_json::{Value, json};

use super::mappings::Mappings;
use crate::table::columns;

/// A memory map, and what it is of.
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) stream: Stream,
    pub(crate) map: MemoryMap,
}

impl Listing {
    /// `[main]` The map of the rack `name` on `stream`.
    pub(crate) fn new(name: &str, stream: &Stream, map: MemoryMap) -> Self {
        Self {
            name: name.to_owned(),
            stream: *stream,
            map,
        }
    }

    /// `[main]` One line: what it is of, and how much.
    pub(crate) fn headline(&self) -> String {
        format!(
            "{}: {} of audio memory at {} Hz, blocks of at most {} frames",
            self.name,
            with_unit(self.map.bytes()),
            self.stream.sample_rate_hz(),
            self.stream.max_block_frames()
        )
    }

    /// `[main]` For people: each part, the totals by owner, and what the system says.
    pub(crate) fn text(&self, mappings: Option<&Mappings>) -> String {
        let mut text = format!("{}\n\n", self.headline());
        let head = [
            "owner", "part", "sort", "bytes", "address", "aligned", "pages",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.map.parts.iter().map(row));
        text.push_str(&columns(&rows));
        text.push('\n');
        text.push_str(&owners(self.map.by_owner(), self.map.bytes()));
        if self.map.retired_bytes > 0 {
            // PANIC: writing into a String cannot fail, here and below.
            writeln!(
                text,
                "\nleft and not given back yet: {}",
                with_unit(self.map.retired_bytes)
            )
            .unwrap();
        }
        if let Some(mappings) = mappings {
            write!(text, "\n{mappings}").unwrap();
        }
        text
    }

    /// `[main]` For programs.
    pub(crate) fn json(&self, mappings: Option<&Mappings>) -> Value {
        let owners = self.map.by_owner();
        let owners = owners
            .iter()
            .map(|(owner, bytes)| json!({ "owner": owner.to_string(), "bytes": bytes }));
        json!({
            "preset": self.name,
            "sample_rate_hz": self.stream.sample_rate_hz(),
            "block_frames": self.stream.max_block_frames(),
            "bytes": self.map.bytes(),
            "retired_bytes": self.map.retired_bytes,
            "owners": owners.collect::<Vec<_>>(),
            "parts": self.map.parts.iter().map(part_json).collect::<Vec<_>>(),
            "mappings": mappings.map(Mappings::json),
        })
    }
}

/// `[main]` The totals by owner, the largest first.
pub(crate) fn owners_by_size(map: &MemoryMap) -> String {
    let mut totals = map.by_owner();
    totals.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    owners(totals, map.bytes())
}

fn owners(totals: Vec<(Owner, usize)>, all: usize) -> String {
    let mut rows: Vec<[String; 3]> = totals
        .into_iter()
        .map(|(owner, bytes)| {
            let share = format!("{:>5.1} %", 100.0 * bytes as f64 / all.max(1) as f64);
            let name = match &owner {
                Owner::Slot { id, kind } if id != kind => format!("{id} ({kind})"),
                owner => owner.to_string(),
            };
            [name, grouped(bytes), share]
        })
        .collect();
    rows.push(["all".to_owned(), grouped(all), String::new()]);
    let widest = rows.iter().map(|row| row[1].len()).max().unwrap_or(0);
    for row in &mut rows {
        row[1] = format!("{:>widest$}", row[1]);
    }
    columns(&rows)
}

fn row(part: &Part) -> [String; 7] {
    let pages = [
        (part.pages.locked, "locked"),
        (part.pages.huge, "huge"),
        (part.pages.prefaulted, "prefaulted"),
        (part.pages.shared, "shared"),
    ];
    let pages: Vec<&str> = pages
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect();
    let inside = part.is_inside();
    [
        part.owner.to_string(),
        if inside {
            format!("  {}", part.name)
        } else {
            part.name.to_owned()
        },
        part.sort.name().to_owned(),
        format!("{:>11}", grouped(part.bytes)),
        format!("{:#x}", part.address),
        format!("{:>7}", part.align_bytes),
        if inside {
            String::new()
        } else {
            pages.join(", ")
        },
    ]
}

fn part_json(part: &Part) -> Value {
    let kind = match &part.owner {
        Owner::Slot { kind, .. } => Some(*kind),
        _ => None,
    };
    json!({
        "owner": part.owner.to_string(),
        "kind": kind,
        "name": part.name,
        "sort": part.sort.name(),
        "inside": part.is_inside(),
        "address": format!("{:#x}", part.address),
        "bytes": part.bytes,
        "align_bytes": part.align_bytes,
        "locked": part.pages.locked,
        "huge": part.pages.huge,
        "prefaulted": part.pages.prefaulted,
        "shared": part.pages.shared,
    })
}

/// `[any]` 1,234,567.
pub(crate) fn grouped(bytes: usize) -> String {
    let digits = bytes.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `[any]` 25.4 KiB.
pub(crate) fn with_unit(bytes: usize) -> String {
    let units = [(1usize << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(with_unit(1_023), "1023 bytes");
        assert_eq!(with_unit(25_992), "25.4 KiB");
        assert_eq!(with_unit(3 << 20), "3.0 MiB");
    }
}
