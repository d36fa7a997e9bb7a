//! Programs whose audio thread is watched: starting one, and reading what the watchers said.

use std::process::Command;

use headroom_engine::realtime::{SystemCalls, take_first_system_call, take_first_violation};

/// Runs one of them; gives what it printed, both ways.
pub fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program)
        .args(words)
        // It reports all, and the program goes on.
        .env("RTSAN_OPTIONS", "halt_on_error=false")
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{words:?}: {text}");
    text
}

/// The number behind `name=`.
pub fn number(text: &str, name: &str) -> u64 {
    let (_, rest) = text
        .split_once(&format!("{name}="))
        .unwrap_or_else(|| panic!("no {name} in {text}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

/// The rest of the line that starts with `start`.
pub fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start))
}

/// The functions that RealtimeSanitizer names, in order.
pub fn intercepted(text: &str) -> Vec<&str> {
    let start = "Intercepted call to real-time unsafe function `";
    let names = text.lines().filter_map(|line| line.strip_prefix(start));
    names.filter_map(|rest| rest.split('`').next()).collect()
}

/// Prints what the allocator and the trap for system calls saw, for [`number`] and [`line()`].
pub fn print_trapped() {
    let calls = SystemCalls::now();
    println!(
        "system_calls={} watched={} unwatched={}",
        calls.count, calls.watched_threads, calls.unwatched_threads
    );
    if let Some(violation) = take_first_violation() {
        println!(
            "allocator: {violation} < {}",
            violation.backtrace.join(" < ")
        );
    }
    if let Some(call) = take_first_system_call() {
        println!("trap: {} in {}", call.name, call.backtrace.join(" < "));
    }
}
