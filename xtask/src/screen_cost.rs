//! What a screen that looks costs the audio thread: in time, in one run, and in instructions.

use crate::bench::{Measured, machine};
use crate::error::Error;
use crate::instructions::count_watched;
use crate::shell;
use crate::table::Table;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PRESET: &str = "preset-voice";

/// `[main]` Measures the voice preset with nobody, with somebody at its levels, and with somebody who wants
/// its sound.
pub(crate) fn measure(block_frames: u32, rounds: u32, folder: &Path) -> Result<Measured, Error> {
    let program = shell::build("headroom-bench", "screen_cost")?;
    let mut run = Command::new(&program);
    run.args(["--subject", PRESET]);
    run.args(["--block", &block_frames.to_string()]);
    run.args(["--rounds", &rounds.to_string()]);
    let text = shell::read(&mut run)?;
    let wrong = |what: &str| Error::output("screen_cost", what);
    let row: Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    let figure = |name: &str| {
        let figure = row[name].as_f64();
        figure.ok_or_else(|| wrong(&format!("no figure `{name}`")))
    };
    let mut table = Table::new(&[
        "who looks",
        "ns per frame",
        "more",
        "instructions per frame",
        "more",
    ]);
    let alone_ns = figure("nobody_ns")?;
    let mut alone_instructions = None;
    let mut figures = vec![row.clone()];
    for watch in ["nobody", "meters", "sound"] {
        let ns = figure(&format!("{watch}_ns"))?;
        let instructions = count_watched(PRESET, block_frames, watch, folder)?;
        let alone = *alone_instructions.get_or_insert(instructions);
        let more = |now: f64, before: f64| format!("{:+.2} %", (now / before - 1.0) * 100.0);
        table.row(vec![
            watch.to_owned(),
            format!("{ns:.2}"),
            more(ns, alone_ns),
            format!("{instructions:.1}"),
            more(instructions, alone),
        ]);
        figures.push(json!({ "watch": watch, "instructions_per_frame": instructions }));
    }
    Ok(Measured {
        caption: format!(
            "The preset `voice` in blocks of {block_frames} frames while somebody looks at it from another \
             process, in turns in one run, the fastest of {rounds} for each block ({}). One publication of \
             levels, every 512 frames: {:.0} ns with 6 slots, {:.0} ns with 64.",
            machine(),
            figure("publication_ns")?,
            figure("full_publication_ns")?,
        ),
        table,
        figures: Value::Array(figures),
    })
}
