//! Hours of audio, of edits, preset changes, storms of parameters and panic: memory is at the end what
//! it was at the start. A day of it is `cargo xtask deep soak`.
#![cfg(target_os = "linux")]

use std::sync::{Mutex, PoisonError};

use assert_no_alloc::AllocDisabler;
use cap::Cap;
use headroom_engine::Kind;
use headroom_tests::seeds::{LEAKS, MAPS};
use headroom_tests::soak::{Soak, run};

/// Counts what is in use, and ends the test at the first allocation on the audio thread.
#[global_allocator]
static ALLOCATOR: Cap<AllocDisabler> = Cap::new(AllocDisabler, usize::MAX);

fn of_hours(hours: f64) -> Soak {
    Soak::of_hours(hours, || ALLOCATOR.allocated())
}

/// One at a time: what is in use is the whole process's.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn an_hour_of_everything_takes_no_memory_and_gives_all_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let soaked = run(&of_hours(1.0), |_| {});
    assert_eq!(soaked.faults(), [""; 0], "{soaked:?}");
    // It was not quiet for want of anything to do.
    assert!(soaked.edits > 4_000, "{soaked:?}");
    assert!(soaked.presets > 500, "{soaked:?}");
    assert!(soaked.moves > 50_000, "{soaked:?}");
    assert!(soaked.panics > 100, "{soaked:?}");
    let collected = soaked.health.expect("it ended").collected;
    assert!(collected.bytes > 100 << 20, "{collected:?}");
}

/// The first of the faults of a quarter of an hour with a module that forgets something.
fn first_fault(forgets: &'static Kind) -> Option<String> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut soak = of_hours(0.25);
    soak.kinds.push(forgets);
    run(&soak, |_| {}).faults().into_iter().next()
}

#[test]
fn a_module_that_forgets_64_bytes_each_time_it_is_built_is_caught() {
    let fault = first_fault(&LEAKS).expect("it is caught");
    assert!(fault.starts_with("memory in use grew"), "{fault}");
}

#[test]
fn a_module_that_forgets_a_mapping_is_caught() {
    let fault = first_fault(&MAPS).expect("it is caught");
    assert!(fault.starts_with("what is mapped grew"), "{fault}");
}
