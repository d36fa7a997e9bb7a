//! Instructions and misses of the first-level caches per stereo frame, by callgrind: figures that a
//! noisy machine does not move.
//!
//! Each subject runs for N and for 2 N blocks; the difference of both counts is what N blocks cost,
//! and start, setup and end cancel out. Valgrind's processor has no AVX-512: the counts are those
//! of the AVX2 path.

use crate::bench::{Measured, wanted};
use crate::error::Error;
use crate::shell;
use crate::table::Table;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Frames of the shorter run; the longer one has twice as many.
const FRAMES: u32 = 65_536;

/// `[main]` Counts every module and preset whose name passes the filter.
pub(crate) fn measure(
    block_frames: u32,
    folder: &Path,
    filter: Option<&str>,
) -> Result<Measured, Error> {
    let program = shell::build("headroom-bench", "count_instructions")?;
    let names = shell::read(Command::new(&program).arg("--list"))?;
    let blocks = FRAMES.div_ceil(block_frames);
    let mut table = Table::new(&[
        "subject",
        "instructions per frame",
        "data misses per frame",
        "code misses per frame",
    ]);
    let mut figures = Vec::new();
    for subject in names.lines().filter(|name| wanted(name, filter)) {
        let count = |blocks| count(&program, subject, block_frames, blocks, "nobody", folder);
        let (once, twice) = (count(blocks)?, count(2 * blocks)?);
        // Health does not depend on how long a block is.
        let is_health = subject == "health";
        let frames = f64::from(blocks) * f64::from(if is_health { 1 } else { block_frames });
        let per_frame = |of: fn(&Counts) -> u64| (of(&twice) as f64 - of(&once) as f64) / frames;
        let instructions = per_frame(|counts| counts.instructions);
        let data = per_frame(|counts| counts.data_misses);
        let code = per_frame(|counts| counts.code_misses);
        table.row(vec![
            if is_health {
                "health, a block".to_owned()
            } else {
                subject.to_owned()
            },
            format!("{instructions:.1}"),
            format!("{data:.3}"),
            format!("{code:.3}"),
        ]);
        figures.push(json!({
            "subject": subject,
            "block_frames": if is_health { 1 } else { block_frames },
            "instructions_per_frame": instructions,
            "data_misses_per_frame": data,
            "code_misses_per_frame": code,
        }));
    }
    Ok(Measured {
        caption: format!(
            "Instructions, and misses of first-level caches of 32 KiB, per stereo frame in blocks of \
             {block_frames} frames, by callgrind (AVX2). The signal itself is 0.125 data misses."
        ),
        table,
        figures: Value::Array(figures),
    })
}

/// `[main]` Instructions per frame of a subject while somebody looks at it.
pub(crate) fn count_watched(
    subject: &str,
    block_frames: u32,
    watch: &str,
    folder: &Path,
) -> Result<f64, Error> {
    let program = shell::build("headroom-bench", "count_instructions")?;
    let blocks = FRAMES.div_ceil(block_frames);
    let count = |blocks| count(&program, subject, block_frames, blocks, watch, folder);
    let (once, twice) = (count(blocks)?, count(2 * blocks)?);
    let frames = f64::from(blocks) * f64::from(block_frames);
    Ok((twice.instructions as f64 - once.instructions as f64) / frames)
}

fn count(
    program: &Path,
    subject: &str,
    block_frames: u32,
    blocks: u32,
    watch: &str,
    folder: &Path,
) -> Result<Counts, Error> {
    let file = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--cache-sim=yes"]);
    valgrind.args(["--I1=32768,8,64", "--D1=32768,8,64"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(program).args(["--subject", subject]);
    valgrind.args(["--block", &block_frames.to_string()]);
    valgrind.args(["--blocks", &blocks.to_string()]);
    valgrind.args(["--watch", watch]);
    shell::run(&mut valgrind)?;
    let text = std::fs::read_to_string(&file).map_err(|source| Error::file(&file, source))?;
    Counts::read(&text).ok_or_else(|| Error::output("callgrind", "its file has no totals"))
}

/// What callgrind counted over a whole run.
#[derive(Debug, PartialEq)]
struct Counts {
    instructions: u64,
    data_misses: u64,
    code_misses: u64,
}

impl Counts {
    /// The totals of callgrind's file: one line names the events, another has their sums.
    fn read(file: &str) -> Option<Self> {
        let line = |key| file.lines().find_map(|line| line.strip_prefix(key));
        let events = line("events:")?.split_ascii_whitespace();
        let totals: Vec<&str> = line("totals:")?.split_ascii_whitespace().collect();
        let events: Vec<&str> = events.collect();
        let count = |event: &str| -> Option<u64> {
            let at = events.iter().position(|name| *name == event)?;
            totals.get(at)?.parse().ok()
        };
        Some(Self {
            instructions: count("Ir")?,
            data_misses: count("D1mr")? + count("D1mw")?,
            code_misses: count("I1mr")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_callgrinds_file_are_found_by_name() {
        let file = "events: Ir Dr Dw I1mr D1mr D1mw\nfn=(1)\n3 4\ntotals: 1234 500 200 7 11 2\n";
        let counts = Counts {
            instructions: 1_234,
            data_misses: 13,
            code_misses: 7,
        };
        assert_eq!(Counts::read(file), Some(counts));
        assert_eq!(Counts::read("events: Ir\ntotals: 1234\n"), None);
        assert_eq!(Counts::read("events: Ir\n"), None);
    }
}
