//! `headroom memory`: where every byte of a rack's audio memory is, whose, and what for.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | the command: its options, and what it prints |
//! | `report` | the map as plain data, and as tables |
//! | `mappings` | what the system says of the same memory (Linux) |
//! | `rings` | where a ring's elements are |
//! | `treemap` | the map as a picture |

mod mappings;
mod report;
mod rings;
mod treemap;

use std::path::PathBuf;

use clap::Args;
use headroom_engine::{Capacity, Catalog, Memory, MemoryError, OpenError, Stream, open};

pub use self::mappings::{Mapping, Mappings};
pub(crate) use self::report::grouped;
pub use self::report::{MemoryReport, OwnerReport, PartReport};
pub(crate) use self::rings::ring_place;
use crate::client;
use crate::client::Which;
use crate::error::HostError;
use crate::presets;
use crate::render::block_frames;
use crate::report::{print, print_json};

/// The options of `headroom memory`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  headroom memory --preset voice
  headroom memory --preset drum-bus --rate 96000 --plot map.png
  headroom memory --preset strip.toml --block 32 --small --budget 32KiB")]
pub struct MemoryArgs {
    /// A preset file, or the name of a preset (see `headroom presets`)
    #[arg(long, value_name = "FILE|NAME", default_value = presets::USUAL)]
    pub preset: String,

    /// Sample rate in Hz
    #[arg(
        long,
        value_name = "HZ",
        default_value_t = 48_000,
        allow_negative_numbers = true
    )]
    pub rate: i64,

    /// Frames in the largest block
    #[arg(
        long,
        value_name = "FRAMES",
        default_value_t = 512,
        allow_negative_numbers = true
    )]
    pub block: i64,

    /// Refuse a rack that would take more than this, before anything is taken: 65536, 64KiB, 2MiB
    #[arg(long, value_name = "BYTES")]
    pub budget: Option<String>,

    /// Room for 4 slots and short queues, as for a small device with one fixed strip
    #[arg(long)]
    pub small: bool,

    /// Write the map as a picture (PNG)
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Of the program that runs now, in place of a rack that is opened for it
    #[arg(long, conflicts_with_all = ["preset", "rate", "block", "budget", "small", "plot"])]
    pub running: bool,

    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

/// `[main]` Opens the rack as `play` would, says where all its memory is, and gives it back.
///
/// # Errors
/// An option out of its range, a preset that cannot be used, a rack over its budget, a picture that
/// cannot be written.
pub fn run(args: &MemoryArgs, which: Which) -> Result<(), HostError> {
    if args.running {
        return client::memory(which, args.json);
    }
    let rate_hz = u32::try_from(args.rate).map_err(|_| HostError::Option {
        option: "--rate",
        given: args.rate.to_string(),
        expected: format!(
            "a sample rate in Hz, {} to {}",
            Stream::MIN_RATE_HZ,
            Stream::MAX_RATE_HZ
        ),
    })?;
    let block_frames = block_frames(args.block)?;
    let stream = Stream::new(rate_hz, block_frames, 2)?;
    let memory = Memory {
        budget_bytes: args.budget.as_deref().map(bytes_of).transpose()?,
        capacity: if args.small {
            Capacity::STRIP
        } else {
            Capacity::STAGE
        },
        ..Memory::default()
    };
    let spec = presets::find(Some(&args.preset), &Catalog::builtin())?;
    let (controller, processor) = match open(stream, &spec, &memory) {
        Ok(ends) => ends,
        Err(OpenError::Memory(MemoryError::OverBudget {
            needed,
            budget,
            map,
        })) => {
            // What is too large is what they need to know: the largest first.
            eprint!("{}", report::owners_by_size(&map));
            let refused = MemoryError::OverBudget {
                needed,
                budget,
                map,
            };
            return Err(OpenError::Memory(refused).into());
        }
        Err(error) => return Err(error.into()),
    };
    let report = MemoryReport::new(&spec.name, &stream, &controller.memory_map());
    let report = report.beside_the_system();
    drop(processor);
    if let Some(path) = &args.plot {
        treemap::save(&report, path).map_err(|source| HostError::Picture {
            path: path.clone(),
            source,
        })?;
    }
    if args.json {
        return print_json(&report, false);
    }
    print(&report.text(), false)
}

/// What people type for a number of bytes.
fn bytes_of(given: &str) -> Result<usize, HostError> {
    let error = || HostError::Option {
        option: "--budget",
        given: given.to_owned(),
        expected: "a number of bytes, such as 65536, 64KiB or 2MiB".to_owned(),
    };
    let digits = given.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match given[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(error()),
    };
    let count: usize = digits.trim().parse().map_err(|_| error())?;
    count.checked_mul(scale).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_as_people_write_them() {
        for (given, bytes) in [
            ("1", 1),
            ("65536", 65_536),
            ("64KiB", 65_536),
            ("64k", 65_536),
            ("2 MiB", 2 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(bytes_of(given).unwrap(), bytes, "{given}");
        }
        for given in [
            "",
            "KiB",
            "-1",
            "1.5M",
            "64kb",
            "12 apples",
            "99999999999999G",
        ] {
            let said = bytes_of(given).unwrap_err().to_string();
            assert!(said.contains("--budget"), "{said}");
        }
    }
}
