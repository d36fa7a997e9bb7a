//! Criterion's view of every module and factory preset, at four block sizes.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use headroom_bench::{Rig, RigError, Subject, SubjectError, signal};
use headroom_engine::realtime::StageAllocator;
use std::process::ExitCode;
use std::time::Duration;

/// Counts what the audio thread allocates.
#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

const BLOCK_FRAMES: [usize; 4] = [32, 64, 128, 512];

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error("{subject} at {block_frames} frames: {source}")]
    Rig {
        subject: String,
        block_frames: usize,
        source: RigError,
    },
}

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        // Many samples of about a millisecond: on a shared machine some of them go undisturbed.
        .sample_size(300)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .nresamples(2_000)
        .without_plots()
        .configure_from_args();
    match run(&mut criterion) {
        Ok(()) => {
            criterion.final_summary();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(criterion: &mut Criterion) -> Result<(), BenchError> {
    // Its loud half: what a module costs while it has something to do.
    let signal = signal::stereo(5 * 48_000);
    for subject in Subject::all()? {
        let mut group = criterion.benchmark_group(&subject.name);
        // Every sample of the same length, or the shortest would be of one block.
        group.sampling_mode(SamplingMode::Flat);
        for block_frames in BLOCK_FRAMES {
            let failed = |source| BenchError::Rig {
                subject: subject.name.clone(),
                block_frames,
                source,
            };
            let mut rig = Rig::new(&subject.spec, block_frames, signal.clone()).map_err(failed)?;
            group.throughput(Throughput::Elements(block_frames as u64));
            group.bench_function(BenchmarkId::from_parameter(block_frames), |bencher| {
                bencher.iter(|| rig.run_block()[0][0]);
            });
            rig.check().map_err(failed)?;
        }
        group.finish();
    }
    Ok(())
}
