//! The memory map as plain data: what one process can tell another, with its tables for people.

use std::fmt::Write as _;

use headroom_engine::memory::{Owner, Part};
use headroom_engine::{MemoryMap, Stream};
use serde::{Deserialize, Serialize};

use super::mappings::Mappings;
use crate::table::columns;

/// A memory map, what it is of, and what the system says of the same memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryReport {
    /// The rack's name.
    pub preset: String,
    /// Of the stream, in Hz.
    pub sample_rate_hz: u32,
    /// Frames in the largest block.
    pub block_frames: usize,
    /// All bytes, each counted once.
    pub bytes: usize,
    /// Taken for what has left and still rings, or waits for the collector.
    pub retired_bytes: usize,
    /// What each owner has, in the map's order.
    pub owners: Vec<OwnerReport>,
    /// Every part; what is inside of a region comes behind it.
    pub parts: Vec<PartReport>,
    /// What the system says; `null` where it does not.
    pub mappings: Option<Mappings>,
}

/// What one owner has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerReport {
    /// A module's id, or `engine`, `rack`, `player`.
    pub owner: String,
    /// The kind of a module.
    pub kind: Option<String>,
    /// All of it.
    pub bytes: usize,
}

/// One part of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartReport {
    /// Whose it is.
    pub owner: String,
    /// The kind of the module whose it is.
    pub kind: Option<String>,
    /// What it is: `delay line left`.
    pub name: String,
    /// Of what kind: `region`, `buffer`, `ring`.
    pub sort: String,
    /// Whether it lies inside the region before it, and is counted with that.
    pub inside: bool,
    /// Its first byte, as `0x7f00`.
    #[serde(with = "hexadecimal")]
    pub address: usize,
    /// Its size.
    pub bytes: usize,
    /// What it was aligned to.
    pub align_bytes: usize,
    /// Kept from being paged out.
    pub locked: bool,
    /// Huge pages were asked for.
    pub huge: bool,
    /// Present before the audio thread touched it; of a running program: present.
    pub prefaulted: bool,
    /// Other processes may see it.
    pub shared: bool,
}

impl MemoryReport {
    /// `[main]` Of the rack `name` on `stream`.
    pub(crate) fn new(name: &str, stream: &Stream, map: &MemoryMap) -> Self {
        let owners = map.by_owner().into_iter();
        Self {
            preset: name.to_owned(),
            sample_rate_hz: stream.sample_rate_hz(),
            block_frames: stream.max_block_frames(),
            bytes: map.bytes(),
            retired_bytes: map.retired_bytes,
            owners: owners
                .map(|(owner, bytes)| OwnerReport::new(&owner, bytes))
                .collect(),
            parts: map.parts.iter().map(PartReport::new).collect(),
            mappings: None,
        }
    }

    /// `[main]` With what the system says of this process's memory, where it says so.
    pub(crate) fn beside_the_system(mut self) -> Self {
        self.mappings = Mappings::of_this_process(&mut self.parts);
        self
    }

    /// `[main]` One line: what it is of, and how much.
    pub(crate) fn headline(&self) -> String {
        format!(
            "{}: {} of audio memory at {} Hz, blocks of at most {} frames",
            self.preset,
            with_unit(self.bytes),
            self.sample_rate_hz,
            self.block_frames
        )
    }

    /// `[main]` For people: each part, the totals by owner, and what the system says.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.headline());
        let head = [
            "owner", "part", "sort", "bytes", "address", "aligned", "pages",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.parts.iter().map(row));
        text.push_str(&columns(&rows));
        text.push('\n');
        text.push_str(&owners(&self.owners, self.bytes));
        if self.retired_bytes > 0 {
            // PANIC: writing into a String cannot fail, here and below.
            writeln!(
                text,
                "\nleft and not given back yet: {}",
                with_unit(self.retired_bytes)
            )
            .unwrap();
        }
        if let Some(mappings) = &self.mappings {
            write!(text, "\n{mappings}").unwrap();
        }
        text
    }
}

impl OwnerReport {
    fn new(owner: &Owner, bytes: usize) -> Self {
        Self {
            owner: owner.to_string(),
            kind: kind_of(owner),
            bytes,
        }
    }
}

impl PartReport {
    fn new(part: &Part) -> Self {
        Self {
            owner: part.owner.to_string(),
            kind: kind_of(&part.owner),
            name: part.name.to_owned(),
            sort: part.sort.name().to_owned(),
            inside: part.is_inside(),
            address: part.address,
            bytes: part.bytes,
            align_bytes: part.align_bytes,
            locked: part.pages.locked,
            huge: part.pages.huge,
            prefaulted: part.pages.prefaulted,
            shared: part.pages.shared,
        }
    }
}

fn kind_of(owner: &Owner) -> Option<String> {
    match owner {
        Owner::Slot { kind, .. } => Some((*kind).to_owned()),
        _ => None,
    }
}

/// An address as people write it.
pub(super) mod hexadecimal {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
    pub(in super::super) fn serialize<S: Serializer>(
        address: &usize,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{address:#x}"))
    }

    pub(in super::super) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<usize, D::Error> {
        let text = <std::borrow::Cow<'a, str>>::deserialize(from)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        usize::from_str_radix(digits, 16).map_err(D::Error::custom)
    }
}

/// `[main]` The totals by owner, the largest first.
pub(crate) fn owners_by_size(map: &MemoryMap) -> String {
    let totals = map.by_owner().into_iter();
    let mut totals: Vec<_> = totals
        .map(|(owner, bytes)| OwnerReport::new(&owner, bytes))
        .collect();
    totals.sort_by_key(|owner| std::cmp::Reverse(owner.bytes));
    owners(&totals, map.bytes())
}

fn owners(totals: &[OwnerReport], all: usize) -> String {
    let mut rows: Vec<[String; 3]> = totals
        .iter()
        .map(|owner| {
            let share = format!("{:>5.1} %", 100.0 * owner.bytes as f64 / all.max(1) as f64);
            let name = match &owner.kind {
                Some(kind) if *kind != owner.owner => format!("{} ({kind})", owner.owner),
                _ => owner.owner.clone(),
            };
            [name, grouped(owner.bytes), share]
        })
        .collect();
    rows.push(["all".to_owned(), grouped(all), String::new()]);
    let widest = rows.iter().map(|row| row[1].len()).max().unwrap_or(0);
    for row in &mut rows {
        row[1] = format!("{:>widest$}", row[1]);
    }
    columns(&rows)
}

fn row(part: &PartReport) -> [String; 7] {
    let pages = [
        (part.locked, "locked"),
        (part.huge, "huge"),
        (part.prefaulted, "prefaulted"),
        (part.shared, "shared"),
    ];
    let pages: Vec<&str> = pages
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect();
    [
        part.owner.clone(),
        if part.inside {
            format!("  {}", part.name)
        } else {
            part.name.clone()
        },
        part.sort.clone(),
        format!("{:>11}", grouped(part.bytes)),
        format!("{:#x}", part.address),
        format!("{:>7}", part.align_bytes),
        if part.inside {
            String::new()
        } else {
            pages.join(", ")
        },
    ]
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
