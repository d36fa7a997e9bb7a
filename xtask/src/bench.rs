//! `cargo xtask bench`: what each module and preset costs, in time, in instructions, and beside a
//! peer.

use crate::error::Error;
use crate::table::Table;
use crate::{instructions, packages, peers, screen_cost, shell};
use serde_json::{Value, json};
use std::path::Path;

/// What to measure, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measure pedalboard (JUCE's effects) beside ours as well
    #[arg(long)]
    peers: bool,
    /// Only this part (may be given more than once); time and instructions if none is given
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Only modules and presets whose name contains this (`preset-voice`, `eq`)
    #[arg(long)]
    filter: Option<String>,
    /// Frames of a block for instructions and peers
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    block: u32,
    /// How often ours and the peer's take turns at each case
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Nanoseconds per stereo frame, by criterion
    Time,
    /// Instructions and cache misses per stereo frame, by callgrind
    Instructions,
    /// Ours and pedalboard's in turns
    Peers,
    /// What it costs that somebody looks from another process
    Screen,
}

/// `[main]` Measures, prints the tables, and saves them with the figures in `target/bench/`.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let mut parts = options.only.clone();
    if parts.is_empty() {
        parts.extend([Part::Time, Part::Instructions]);
    }
    if options.peers && !parts.contains(&Part::Peers) {
        parts.push(Part::Peers);
    }
    let mut needs = Vec::new();
    if parts.contains(&Part::Instructions) || parts.contains(&Part::Screen) {
        needs.push(packages::VALGRIND);
    }
    if parts.contains(&Part::Peers) {
        needs.push(packages::PYTHON);
    }
    packages::ensure(&needs)?;
    let folder = shell::root().join("target").join("bench");
    std::fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;

    let filter = options.filter.as_deref();
    for part in parts {
        let (name, measured) = match part {
            Part::Time => ("time", time(&folder, filter)?),
            Part::Instructions => (
                "instructions",
                instructions::measure(options.block, &folder, filter)?,
            ),
            Part::Peers => (
                "peers",
                peers::measure(options.block, options.rounds, &folder, filter)?,
            ),
            Part::Screen => (
                "screen",
                screen_cost::measure(options.block, options.rounds, &folder)?,
            ),
        };
        let text = format!("{}\n\n{}", measured.caption, measured.table.text());
        println!("\n{text}");
        save(&folder.join(format!("{name}.md")), &text)?;
        save(
            &folder.join(format!("{name}.json")),
            &format!("{:#}\n", measured.figures),
        )?;
    }
    println!("Saved in {}", folder.display());
    Ok(())
}

/// A part's outcome.
pub(crate) struct Measured {
    /// What the figures are of, with the machine.
    pub(crate) caption: String,
    pub(crate) table: Table,
    pub(crate) figures: Value,
}

fn save(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::file(path, source))
}

/// Whether a subject is to be measured.
pub(crate) fn wanted(name: &str, filter: Option<&str>) -> bool {
    filter.is_none_or(|filter| name.contains(filter))
}

/// The processor's name, for captions.
pub(crate) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map(|(_, name)| name.trim().to_owned());
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn time(folder: &Path, filter: Option<&str>) -> Result<Measured, Error> {
    let home = folder.join("criterion");
    if home.exists() {
        // Figures of modules that are gone must not come back in the table.
        std::fs::remove_dir_all(&home).map_err(|source| Error::file(&home, source))?;
    }
    let mut bench = shell::cargo();
    bench.args([
        "bench",
        "--profile",
        "release",
        "--package",
        "headroom-bench",
    ]);
    bench.args(["--bench", "rack", "--"]).args(filter);
    shell::run(bench.env("CRITERION_HOME", &home))?;

    let mut figures = Vec::new();
    for subject in folders(&home)? {
        for block in folders(&home.join(&subject))? {
            // Beside the sizes, criterion keeps a folder of its own.
            let Ok(block_frames) = block.parse::<u32>() else {
                continue;
            };
            let new = home.join(&subject).join(&block).join("new");
            let sample = read_json(&new.join("sample.json"))?;
            let [least, median] = least_and_median(&sample)
                .ok_or_else(|| Error::output("criterion", "an unknown form of sample.json"))?;
            figures.push(json!({
                "subject": subject,
                "block_frames": block_frames,
                "least_ns_per_frame": least / f64::from(block_frames),
                "median_ns_per_frame": median / f64::from(block_frames),
            }));
        }
    }
    Ok(Measured {
        caption: format!(
            "Nanoseconds per stereo frame at 48 kHz, least (median), by frames of a block. {}.",
            machine()
        ),
        table: time_table(&figures),
        figures: Value::Array(figures),
    })
}

fn time_table(figures: &[Value]) -> Table {
    let mut blocks: Vec<u64> = figures
        .iter()
        .filter_map(|figure| figure["block_frames"].as_u64())
        .collect();
    blocks.sort_unstable();
    blocks.dedup();
    let mut subjects: Vec<&str> = figures
        .iter()
        .filter_map(|figure| figure["subject"].as_str())
        .collect();
    // Modules by name, then presets.
    subjects.sort_by_key(|name| (name.starts_with("preset-"), *name));
    subjects.dedup();
    let head: Vec<String> = blocks.iter().map(u64::to_string).collect();
    let head: Vec<&str> = std::iter::once("subject")
        .chain(head.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&head);
    for subject in subjects {
        let mut row = vec![subject.to_owned()];
        for block in &blocks {
            let cell = figures
                .iter()
                .find(|f| f["subject"] == subject && f["block_frames"] == *block)
                .and_then(|f| {
                    let least = f["least_ns_per_frame"].as_f64()?;
                    let median = f["median_ns_per_frame"].as_f64()?;
                    Some(format!("{least:.2} ({median:.2})"))
                });
            row.push(cell.unwrap_or_default());
        }
        table.row(row);
    }
    table
}

/// The least and the median time of an iteration, in nanoseconds, of criterion's samples.
fn least_and_median(sample: &Value) -> Option<[f64; 2]> {
    let numbers = |key: &str| -> Option<Vec<f64>> {
        sample[key].as_array()?.iter().map(Value::as_f64).collect()
    };
    let mut each: Vec<f64> = numbers("times")?
        .into_iter()
        .zip(numbers("iters")?)
        .map(|(time_ns, iterations)| time_ns / iterations)
        .collect();
    each.sort_by(f64::total_cmp);
    Some([*each.first()?, each[each.len() / 2]])
}

fn folders(path: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::file(path, source);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::file(path, source))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::output(path.display().to_string(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criterions_samples_give_the_least_and_the_median_of_one_iteration() {
        let sample = json!({ "times": [100.0, 90.0, 400.0], "iters": [10.0, 10.0, 20.0] });
        assert_eq!(least_and_median(&sample), Some([9.0, 10.0]));
        assert_eq!(least_and_median(&json!({ "times": [], "iters": [] })), None);
        assert_eq!(least_and_median(&json!({ "other": 1 })), None);
    }

    #[test]
    fn the_table_has_modules_before_presets_and_a_column_for_each_block() {
        let figure = |subject: &str, block: u32, ns: f64| {
            json!({ "subject": subject, "block_frames": block,
                    "least_ns_per_frame": ns, "median_ns_per_frame": 2.0 * ns })
        };
        let figures = [
            figure("preset-a", 128, 3.0),
            figure("gain", 64, 1.0),
            figure("gain", 128, 0.5),
        ];
        let text = time_table(&figures).text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("64") && lines[0].contains("128"));
        assert!(lines[2].contains("gain") && lines[2].contains("1.00 (2.00)"));
        assert!(lines[3].contains("preset-a") && lines[3].ends_with("3.00 (6.00) |"));
    }
}
