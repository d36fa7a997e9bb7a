//! Instructions per stereo frame, by callgrind: a figure that a noisy machine does not move.
//!
//! Each subject runs for N and for 2 N blocks; the difference of both counts is what N blocks cost,
//! and start, setup and end cancel out. Valgrind's processor has no AVX-512: the counts are those
//! of the AVX2 path.

use crate::bench::{Measured, build, wanted};
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
    let program = build("count_instructions")?;
    let names = shell::read(Command::new(&program).arg("--list"))?;
    let blocks = FRAMES.div_ceil(block_frames);
    let mut table = Table::new(&["subject", "instructions per frame"]);
    let mut figures = Vec::new();
    for subject in names.lines().filter(|name| wanted(name, filter)) {
        let count = |blocks| count(&program, subject, block_frames, blocks, folder);
        let (once, twice) = (count(blocks)?, count(2 * blocks)?);
        let frames = f64::from(blocks) * f64::from(block_frames);
        let per_frame = (twice as f64 - once as f64) / frames;
        table.row(vec![subject.to_owned(), format!("{per_frame:.1}")]);
        figures.push(json!({
            "subject": subject,
            "block_frames": block_frames,
            "instructions_per_frame": per_frame,
        }));
    }
    Ok(Measured {
        caption: format!(
            "Instructions per stereo frame in blocks of {block_frames} frames, by callgrind (AVX2)."
        ),
        table,
        figures: Value::Array(figures),
    })
}

fn count(
    program: &Path,
    subject: &str,
    block_frames: u32,
    blocks: u32,
    folder: &Path,
) -> Result<u64, Error> {
    let file = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(program).args(["--subject", subject]);
    valgrind.args(["--block", &block_frames.to_string()]);
    valgrind.args(["--blocks", &blocks.to_string()]);
    shell::run(&mut valgrind)?;
    let text = std::fs::read_to_string(&file).map_err(|source| Error::file(&file, source))?;
    total(&text).ok_or_else(|| Error::output("callgrind", "its file has no line `totals:`"))
}

/// The count of all instructions in callgrind's file.
fn total(file: &str) -> Option<u64> {
    let totals = file.lines().find_map(|line| line.strip_prefix("totals:"));
    totals?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_callgrinds_file_is_found() {
        assert_eq!(total("events: Ir\nfn=(1)\n3 4\ntotals: 1234\n"), Some(1234));
        assert_eq!(total("events: Ir\n"), None);
    }
}
