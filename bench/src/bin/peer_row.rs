//! Measures our modules as `peers/pedalboard_bench.py` measures pedalboard's, one case and one
//! repeat at a time, when told to.
//!
//! Reads lines on standard input: `run CASE` runs one repeat of a case and answers `ok`; `report`
//! answers with one line of JSON and ends. One repeat is the whole signal in calls of half a
//! second, the first second of them for warm-up. The time kept for a call is the minimum over all
//! repeats of the call with the same number.

use clap::Parser;
use headroom_bench::{Rig, RigError, SAMPLE_RATE_HZ, signal};
use headroom_engine::realtime::StageAllocator;
use headroom_engine::{Buffer, Catalog, preset};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Counts what the audio thread allocates.
#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

const CALL_FRAMES: usize = SAMPLE_RATE_HZ as usize / 2;
const WARM_UP_CALLS: usize = 2;
const SECONDS: usize = 11;

/// The cases by name, with our settings; the peer's are in `peers/pedalboard_bench.py`.
const CASES: [(&str, &str); 7] = [
    ("empty", include_str!("../../peers/empty.toml")),
    ("gain", include_str!("../../peers/gain.toml")),
    ("highpass-6", include_str!("../../peers/highpass-6.toml")),
    ("highpass-12", include_str!("../../peers/highpass-12.toml")),
    ("eq", include_str!("../../peers/eq.toml")),
    ("compressor", include_str!("../../peers/compressor.toml")),
    ("delay", include_str!("../../peers/delay.toml")),
];

#[derive(Debug, Parser)]
#[command(about = "Measure our modules when told to on standard input, beside a peer")]
struct Cli {
    /// Where to write the signal for the peer: raw little-endian f32, left then right
    #[arg(long)]
    signal: PathBuf,
    /// Frames of a block
    #[arg(long, default_value_t = 128)]
    block: usize,
}

#[derive(Debug, thiserror::Error)]
enum PeerError {
    #[error("{}: {source}", path.display())]
    Signal { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Preset(#[from] preset::PresetError),
    #[error("{case}: {source}")]
    Rig {
        case: &'static str,
        source: RigError,
    },
    #[error("standard input: {0}")]
    Input(io::Error),
    #[error("standard output: {0}")]
    Output(io::Error),
    #[error("expected `run CASE` or `report`, not `{0}`")]
    Command(String),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), PeerError> {
    let signal = signal::stereo(SECONDS * SAMPLE_RATE_HZ as usize);
    write(&cli.signal, &signal).map_err(|source| PeerError::Signal {
        path: cli.signal.clone(),
        source,
    })?;
    let catalog = Catalog::builtin();
    let mut cases = Vec::new();
    for (name, text) in CASES {
        let spec = preset::parse(text, name, &catalog)?;
        let rig = Rig::new(&spec, cli.block, signal.clone());
        let rig = rig.map_err(|source| PeerError::Rig { case: name, source })?;
        cases.push(Case {
            name,
            rig,
            output: [(); 2].map(|()| Buffer::silent(signal[0].len())),
            best_ns: vec![f64::INFINITY; signal[0].len() / CALL_FRAMES],
        });
    }
    let mut answers = io::stdout().lock();
    let mut answer = |text: &str| {
        writeln!(answers, "{text}")
            .and_then(|()| answers.flush())
            .map_err(PeerError::Output)
    };
    // The signal is written and everything is warm: the driver may start the peer.
    answer("ready")?;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(PeerError::Input)?;
        if line == "report" {
            let mut rows = serde_json::Map::new();
            for case in &mut cases {
                rows.insert(case.name.to_owned(), case.report(&signal)?);
            }
            return answer(&Value::Object(rows).to_string());
        }
        let named = line.strip_prefix("run ");
        let case = cases.iter_mut().find(|case| Some(case.name) == named);
        case.ok_or(PeerError::Command(line))?.run(&signal);
        answer("ok")?;
    }
    Ok(())
}

fn write(path: &Path, signal: &[Vec<f32>; 2]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for x in signal.iter().flatten() {
        file.write_all(&x.to_le_bytes())?;
    }
    file.flush()
}

struct Case {
    name: &'static str,
    rig: Rig,
    output: [Buffer; 2],
    best_ns: Vec<f64>,
}

impl Case {
    fn run(&mut self, signal: &[Vec<f32>; 2]) {
        let [left, right] = &mut self.output;
        let calls = left
            .chunks_mut(CALL_FRAMES)
            .zip(right.chunks_mut(CALL_FRAMES));
        for (i, ((left, right), best_ns)) in calls.zip(&mut self.best_ns).enumerate() {
            let span = i * CALL_FRAMES..i * CALL_FRAMES + left.len();
            let start = Instant::now();
            // The copy is part of the call: the peer makes its own output too.
            left.copy_from_slice(&signal[0][span.clone()]);
            right.copy_from_slice(&signal[1][span]);
            self.rig.run_span([left, right]);
            *best_ns = best_ns.min(start.elapsed().as_nanos() as f64);
        }
    }

    fn report(&mut self, signal: &[Vec<f32>; 2]) -> Result<Value, PeerError> {
        self.rig.check().map_err(|source| PeerError::Rig {
            case: self.name,
            source,
        })?;
        let from = WARM_UP_CALLS * CALL_FRAMES;
        let counted = &self.best_ns[WARM_UP_CALLS..];
        let pairs = || {
            let channels = self.output.iter().zip(signal);
            channels.flat_map(|(output, input)| output[from..].iter().zip(&input[from..]))
        };
        Ok(json!({
            "ns_per_frame": counted.iter().sum::<f64>() / (counted.len() * CALL_FRAMES) as f64,
            "output_rms_dbfs": rms_dbfs(pairs().map(|(y, _)| f64::from(*y))),
            "difference_rms_dbfs": rms_dbfs(pairs().map(|(y, x)| f64::from(*y) - f64::from(*x))),
        }))
    }
}

fn rms_dbfs(samples: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0f64, 0.0f64);
    for x in samples {
        sum += x * x;
        count += 1.0;
    }
    10.0 * (sum / count.max(1.0)).max(1e-20).log10()
}
