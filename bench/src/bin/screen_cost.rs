//! What it costs a rack that somebody looks at it from another process: the same rack with nobody, with
//! somebody who looks at its levels, and with one who wants its sound as well, in turns in one run.

use clap::Parser;
use headroom_bench::{Rig, RigError, Subject, SubjectError, Watch, signal};
use headroom_engine::realtime::StageAllocator;
use headroom_ipc::{AttachError, Lane, pair};
use std::process::ExitCode;
use std::time::Instant;

/// Counts what the audio thread allocates.
#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

#[derive(Debug, Parser)]
#[command(about = "Measure what a screen that looks costs the audio thread")]
struct Cli {
    /// A module's kind, or `preset-NAME`
    #[arg(long, default_value = "preset-voice")]
    subject: String,
    /// Frames of a block
    #[arg(long, default_value_t = 128)]
    block: usize,
    /// Turns of each
    #[arg(long, default_value_t = 60)]
    rounds: usize,
}

#[derive(Debug, thiserror::Error)]
enum CostError {
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Rig(#[from] RigError),
    #[error(transparent)]
    Attach(#[from] AttachError),
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

const WATCHES: [Watch; 3] = [Watch::Nobody, Watch::Meters, Watch::Sound];

fn run(cli: &Cli) -> Result<(), CostError> {
    let subject = Subject::named(&cli.subject)?;
    let mut rigs = Vec::new();
    for watch in WATCHES {
        rigs.push(Rig::new(&subject.spec, cli.block, signal::stereo(48_000))?.watched(watch)?);
    }
    let blocks = 48_000 / cli.block;
    // Of each block the fastest of all turns: what the machine does beside it drops out.
    let mut fastest = vec![vec![u64::MAX; blocks]; rigs.len()];
    for round in 0..cli.rounds {
        for turn in 0..rigs.len() {
            let which = (turn + round) % rigs.len();
            rigs[which].rewind();
            for fastest in &mut fastest[which] {
                let start = Instant::now();
                std::hint::black_box(rigs[which].run_block());
                let ns = start.elapsed().as_nanos() as u64;
                *fastest = ns.min(*fastest);
            }
        }
    }
    for rig in &mut rigs {
        rig.check()?;
    }
    let frames = (blocks * cli.block) as f64;
    let per_frame = |which: usize| fastest[which].iter().sum::<u64>() as f64 / frames;
    let row = serde_json::json!({
        "subject": cli.subject,
        "block_frames": cli.block,
        "nobody_ns": per_frame(0),
        "meters_ns": per_frame(1),
        "sound_ns": per_frame(2),
        "publication_ns": publication_ns(6)?,
        "full_publication_ns": publication_ns(64)?,
    });
    println!("{row}");
    Ok(())
}

/// One publication of a rack of so many slots, averaged over as many as make each level of the pyramid but
/// the last, the fastest of some turns.
fn publication_ns(slots: usize) -> Result<f64, AttachError> {
    const PUBLICATIONS: u64 = 65_536;
    let (server, _client) = pair()?;
    let Some(mut publisher) = server.publisher() else {
        return Ok(f64::NAN);
    };
    let lane = Lane {
        peak: [0.5, 0.25],
        mean_square: [0.1, 0.1],
        reduction_db: 1.0,
    };
    let mut fastest = f64::INFINITY;
    for _ in 0..8 {
        let start = Instant::now();
        for to in 0..PUBLICATIONS {
            publisher.publish(to, |frame| {
                frame.master = lane;
                for slot in 0..slots {
                    frame.set(slot, std::hint::black_box(lane));
                }
            });
        }
        fastest = fastest.min(start.elapsed().as_nanos() as f64 / PUBLICATIONS as f64);
    }
    Ok(fastest)
}
