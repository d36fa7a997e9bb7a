//! Runs one subject for a number of blocks, to be counted by callgrind.
//!
//! Run with N and with 2N blocks, the difference of both counts is what N blocks cost: start,
//! setup and end cancel out.

use clap::Parser;
use headroom_bench::{Rig, RigError, Subject, SubjectError, Watch, health_of_a_block, signal};
use headroom_engine::realtime::{HealthCells, StageAllocator};
use std::process::ExitCode;

/// Counts what the audio thread allocates.
#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

/// What is counted around every block.
const HEALTH: &str = "health";

#[derive(Debug, Parser)]
#[command(about = "Run a module or preset for a number of blocks, to be counted by callgrind")]
struct Cli {
    /// Print the names of all subjects, a line each, and end
    #[arg(long)]
    list: bool,
    /// A module's kind, or `preset-NAME`
    #[arg(long, required_unless_present = "list")]
    subject: Option<String>,
    /// Who looks at it from another process
    #[arg(long, value_enum, default_value = "nobody")]
    watch: Watch,
    /// Frames of a block
    #[arg(long, default_value_t = 128)]
    block: usize,
    /// Blocks to run
    #[arg(long, default_value_t = 400)]
    blocks: usize,
}

#[derive(Debug, thiserror::Error)]
enum CountError {
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Rig(#[from] RigError),
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

fn run(cli: &Cli) -> Result<(), CountError> {
    let Some(name) = &cli.subject else {
        for subject in Subject::all()? {
            println!("{}", subject.name);
        }
        println!("{HEALTH}");
        return Ok(());
    };
    if name == HEALTH {
        let cells = HealthCells::default();
        for _ in 0..cli.blocks {
            health_of_a_block(&cells, cli.block);
        }
        return Ok(());
    }
    let subject = Subject::named(name)?;
    // A second of the signal, whatever the number of blocks: making it must cost the same.
    let mut rig = Rig::new(&subject.spec, cli.block, signal::stereo(48_000))?.watched(cli.watch)?;
    for _ in 0..cli.blocks {
        rig.run_block();
    }
    Ok(rig.check()?)
}
