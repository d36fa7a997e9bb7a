//! The audio thread makes no system call: it runs under a kernel filter that ends the process at
//! the first one, while edits, preset changes, mutes and resets come in.
#![cfg(target_os = "linux")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

fn run(argument: Option<&str>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_syscall-trap"))
        .args(argument)
        .output()
        .expect("the trap's program starts")
}

#[test]
fn playing_with_edits_makes_no_system_call() {
    let output = run(None);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {errors}", output.status);
    assert!(text.contains("panics=0 muted=0"), "{text}");
    let number = |name: &str| -> u64 {
        let (_, rest) = text.split_once(name).expect("the figure is there");
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    assert!(
        number("blocks=") >= 50_000 && number("edits=") >= 300,
        "{text}"
    );
}

#[test]
fn a_module_that_makes_a_system_call_is_caught() {
    assert_eq!(run(Some("seed")).status.signal(), Some(libc::SIGSYS));
}
