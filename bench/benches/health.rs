//! What health costs by itself: all that is counted around a block, and not with a meter or in a slot.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headroom_bench::health_of_a_block;
use headroom_engine::realtime::{HealthCells, StageAllocator, guarded};

/// Counts what the audio thread allocates.
#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

fn health(criterion: &mut Criterion) {
    let cells = HealthCells::default();
    // Inside the guard, once: there the flags of the processor are the engine's.
    guarded(|| health_of_a_block(&cells, 128));
    criterion.bench_function("health of a block", |bencher| {
        bencher.iter(|| health_of_a_block(black_box(&cells), black_box(128)));
    });
}

criterion_group!(benches, health);
criterion_main!(benches);
