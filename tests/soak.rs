//! Hours of audio, of edits, preset changes, storms of parameters and panic: memory is at the end what
//! it was at the start. A day of it is `cargo xtask deep soak`.
#![cfg(target_os = "linux")]

use assert_no_alloc::AllocDisabler;
use headroom_tests::seeds::LEAKS;
use headroom_tests::soak::{GROWTH_BYTES, Soak, run};

/// Ends the test at the first allocation on the audio thread.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn an_hour_of_everything_takes_no_memory_and_gives_all_back() {
    let soaked = run(&Soak::of_hours(1.0), |_| {});
    eprintln!("grew by {:.0} bytes: {soaked:?}", soaked.growth_bytes());
    assert_eq!(soaked.faults(), [""; 0]);
    // It was not quiet for want of anything to do.
    assert!(soaked.edits > 4_000, "{soaked:?}");
    assert!(soaked.presets > 500, "{soaked:?}");
    assert!(soaked.moves > 50_000, "{soaked:?}");
    assert!(soaked.panics > 100, "{soaked:?}");
    let collected = soaked.health.expect("it ended").collected;
    assert!(collected.bytes > 100 << 20, "{collected:?}");
}

#[test]
fn a_module_that_forgets_a_kilobyte_is_caught() {
    let mut soak = Soak::of_hours(0.25);
    soak.kinds.push(&LEAKS);
    let soaked = run(&soak, |_| {});
    let growth = soaked.growth_bytes();
    assert!(growth > 2.0 * GROWTH_BYTES, "{growth} bytes: {soaked:?}");
    let faults = soaked.faults();
    assert!(
        faults.len() == 1 && faults[0].contains("resident"),
        "{faults:?}"
    );
}
