//! Seeded faults: each must be caught, by name, under both allocators. Each runs in a process of
//! its own, since one of them is made to die.

use std::process::{Command, Output};

fn run(program: &str, seed: &str) -> Output {
    Command::new(program)
        .arg(seed)
        .output()
        .expect("the seed program starts")
}

fn under_stage(seed: &str) -> String {
    let output = run(env!("CARGO_BIN_EXE_seed-stage"), seed);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{seed}: {text}{errors}");
    assert!(errors.is_empty(), "a stage build prints nothing: {errors}");
    text
}

#[cfg(unix)]
fn aborts(seed: &str) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let output = run(env!("CARGO_BIN_EXE_seed-abort"), seed);
    output.status.signal() == Some(libc::SIGABRT)
}

#[test]
fn clean_racks_pass_under_both() {
    let text = under_stage("gain");
    assert!(
        text.contains("allocations=0 deallocations=0 panics=0 muted=0"),
        "{text}"
    );
    assert!(text.contains("sound=true"), "{text}");
    assert!(!aborts("gain"));
}

#[test]
fn a_module_that_allocates_is_caught() {
    let text = under_stage("seed-allocates");
    assert!(text.contains("allocations=1 deallocations=0"), "{text}");
    assert!(
        text.contains("`seed-allocates` allocated or freed"),
        "{text}"
    );
    assert!(
        text.contains("seeded_allocation"),
        "the backtrace names the function: {text}"
    );
    assert!(text.contains("sound=true"), "{text}");
    assert!(aborts("seed-allocates"));
}

#[test]
fn a_module_that_frees_is_caught() {
    let text = under_stage("seed-frees");
    assert!(text.contains("allocations=0 deallocations=1"), "{text}");
    assert!(text.contains("`seed-frees` allocated or freed"), "{text}");
    assert!(
        text.contains("seeded_free"),
        "the backtrace names the function: {text}"
    );
    assert!(text.contains("sound=true"), "{text}");
    assert!(aborts("seed-frees"));
}

#[test]
fn a_module_that_panics_is_bypassed_and_sound_goes_on() {
    let text = under_stage("seed-panics");
    assert!(text.contains("panics=1"), "{text}");
    assert!(text.contains("`seed-panics` panicked"), "{text}");
    assert!(text.contains("sound=true"), "{text}");
    // A panic allocates its message: the strict allocator does not let it get that far.
    assert!(aborts("seed-panics"));
}

#[test]
fn a_module_that_puts_out_nan_is_muted_and_named() {
    let text = under_stage("seed-nan");
    assert!(
        text.contains("`seed-nan` put out infinity or no number"),
        "{text}"
    );
    assert!(text.contains("muted=1 "), "{text}");
    assert!(text.contains("finite=true"), "{text}");
    assert!(text.contains("sound=true"), "{text}");
    assert!(!aborts("seed-nan"), "NaN is no allocation");
}

#[test]
fn a_module_that_panics_outside_its_processing_costs_no_other_slot() {
    for seed in ["seed-panics-when-set", "seed-panics-when-moved"] {
        let text = under_stage(seed);
        assert!(text.contains("panics=1"), "{text}");
        assert!(text.contains(&format!("`{seed}` panicked")), "{text}");
        assert!(text.contains("sound=true"), "{text}");
        assert!(aborts(seed));
    }
}
