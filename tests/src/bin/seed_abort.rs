//! Runs one seeded fault under `assert_no_alloc`, which ends the process at an allocation.

use assert_no_alloc::AllocDisabler;
use headroom_engine::realtime::install_panic_hook;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[path = "../seed_run.rs"]
mod seed_run;

fn main() {
    install_panic_hook();
    seed_run::run();
}
