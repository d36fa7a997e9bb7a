//! Runs one seeded fault under the counting allocator and prints what was counted.

use headroom_engine::realtime::{StageAllocator, install_panic_hook};

#[global_allocator]
static ALLOCATOR: StageAllocator = StageAllocator;

#[path = "../seed_run.rs"]
mod seed_run;

fn main() {
    install_panic_hook();
    seed_run::run();
}
