//! Three layers watch the guard: the allocator, RealtimeSanitizer over libc's functions, and the trap
//! for system calls. Each fault is caught by the layers that can see it, under its name; what a layer
//! does not see is claimed too, since only the three together are a proof.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use headroom_tests::watched::{intercepted, line, number, run};

struct Row {
    /// The seed, and what it does in the words of ARCHITECTURE.md.
    seed: &'static str,
    what: &'static str,
    /// The function that the backtraces name.
    function: &'static str,
    allocator: bool,
    /// The functions of libc that RealtimeSanitizer names.
    rtsan: &'static [&'static str],
    /// The system call that the trap names.
    trap: Option<&'static str>,
    /// Whether the count of page faults shows it.
    faults: bool,
}

const fn row(seed: &'static str, what: &'static str, function: &'static str) -> Row {
    Row {
        seed,
        what,
        function,
        allocator: false,
        rtsan: &[],
        trap: None,
        faults: false,
    }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { allocator: true, rtsan: &["malloc"],
        ..row("seed-allocates", "a `Vec`", "seeded_allocation") },
    Row { allocator: true, rtsan: &["free"],
        ..row("seed-frees", "the drop of a `Box`", "seeded_free") },
    Row { rtsan: &["malloc"],
        ..row("seed-c-malloc", "C's `malloc`, from what it still has", "seeded_c_malloc") },
    Row { rtsan: &["pthread_mutex_lock", "pthread_mutex_unlock"],
        ..row("seed-pthread-mutex-lock", "`pthread_mutex_lock`, free", "seeded_pthread_mutex_lock") },
    Row { rtsan: &["syscall"], trap: Some("futex"),
        ..row("seed-contended-mutex", "`std::sync::Mutex`, held by another thread", "seeded_contended_mutex") },
    row("seed-free-mutex", "`std::sync::Mutex`, free", "seeded_free_mutex"),
    Row { rtsan: &["write"], trap: Some("write"),
        ..row("seed-write", "`write`", "seeded_write") },
    Row { rtsan: &["nanosleep"], trap: Some("clock_nanosleep"),
        ..row("seed-nanosleep", "`nanosleep`", "seeded_nanosleep") },
    Row { trap: Some("clock_nanosleep"),
        ..row("seed-thread-sleep", "`std::thread::sleep`", "seeded_thread_sleep") },
    Row { trap: Some("getppid"),
        ..row("seed-inline-system-call", "a system call by inline assembly", "seeded_inline_system_call") },
    Row { faults: true,
        ..row("seed-fresh-pages", "a page touched for the first time", "seeded_fresh_pages") },
];

fn under_trap(words: &[&str]) -> String {
    run(env!("CARGO_BIN_EXE_layer-trap"), words)
}

fn under_rtsan(words: &[&str]) -> String {
    run(env!("CARGO_BIN_EXE_layer-rtsan"), words)
}

#[test]
fn allocator_and_trap_see_their_seeds_by_name_and_no_other() {
    for row in TABLE {
        let text = under_trap(&["seed", row.seed]);
        assert!(text.contains("panics=0 muted=0"), "{}: {text}", row.seed);
        assert_eq!(number(&text, "watched"), 1, "{}: {text}", row.seed);

        let counted = number(&text, "allocations") + number(&text, "deallocations");
        assert_eq!(counted, u64::from(row.allocator), "{}: {text}", row.seed);
        let told = line(&text, "allocator: ");
        assert_eq!(told.is_some(), row.allocator, "{}: {text}", row.seed);
        assert!(
            told.is_none_or(|told| told.contains(row.function)),
            "{text}"
        );

        let calls = number(&text, "system_calls");
        match row.trap {
            // A lock may be tried more than once.
            Some("futex") => assert!(calls >= 1, "{}: {text}", row.seed),
            trap => assert_eq!(calls, u64::from(trap.is_some()), "{}: {text}", row.seed),
        }
        let told = line(&text, "trap: ");
        let name = told.and_then(|told| told.split(' ').next());
        assert_eq!(name, row.trap, "{}: {text}", row.seed);
        assert!(
            told.is_none_or(|told| told.contains(row.function)),
            "{text}"
        );

        let faults = number(&text, "faults");
        assert_eq!(faults >= 64, row.faults, "{}: {text}", row.seed);
    }
}

#[cfg_attr(not(rtsan), ignore = "this toolchain has no RealtimeSanitizer")]
#[test]
fn realtime_sanitizer_sees_its_seeds_by_name_and_no_other() {
    for row in TABLE {
        let text = under_rtsan(&["seed", row.seed]);
        let mut names = intercepted(&text);
        if row.rtsan == ["syscall"] {
            // A lock may be tried more than once.
            names.dedup();
        }
        assert_eq!(names, row.rtsan, "{}: {text}", row.seed);
    }
}

#[test]
fn a_minute_of_all_modules_edits_and_presets_is_clean_under_allocator_and_trap() {
    let text = under_trap(&["play", "60"]);
    assert!(
        text.contains("allocations=0 deallocations=0 panics=0 muted=0"),
        "{text}"
    );
    assert!(
        text.contains("system_calls=0 watched=1 unwatched=0"),
        "{text}"
    );
    assert!(number(&text, "changes") >= 2_000, "{text}");
    assert!(number(&text, "blocks") >= 10_000, "{text}");
    assert!(number(&text, "loud") >= 100, "120 half seconds: {text}");
}

#[cfg_attr(not(rtsan), ignore = "this toolchain has no RealtimeSanitizer")]
#[test]
fn a_minute_of_all_modules_edits_and_presets_is_clean_under_realtime_sanitizer() {
    let text = under_rtsan(&["play", "60"]);
    assert_eq!(intercepted(&text), [""; 0], "{text}");
    assert!(!text.contains("RealtimeSanitizer"), "{text}");
    assert!(number(&text, "changes") >= 2_000, "{text}");
    assert!(number(&text, "blocks") >= 10_000, "{text}");
}

#[test]
fn the_table_in_architecture_md_is_the_one_that_is_tested() {
    let cell = |names: &[&str]| match names {
        [] => "-".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    };
    let seen = |sees: bool| if sees { "yes" } else { "-" };
    let mut table = String::from(
        "| fault | allocator | RealtimeSanitizer | system-call trap | page faults |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for row in TABLE {
        table += &format!(
            "| {} | {} | {} | {} | {} |\n",
            row.what,
            seen(row.allocator),
            cell(row.rtsan),
            cell(row.trap.as_slice()),
            seen(row.faults)
        );
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    assert!(
        page.contains(&table),
        "ARCHITECTURE.md lacks this table:\n{table}"
    );
}
