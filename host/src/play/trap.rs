//! What `--trap` found.

use headroom_engine::realtime::SystemCall;
use headroom_engine::realtime::SystemCalls;
use headroom_engine::realtime::take_first_system_call;

/// Functions of the backtrace that are told: enough to reach from the C library to the module.
const FUNCTIONS: usize = 12;

/// `[main]` System calls of the audio threads so far; `None` where none is watched.
pub(super) fn system_calls() -> Option<u64> {
    let calls = SystemCalls::now();
    (calls.watched_threads > 0).then_some(calls.count)
}

/// `[main]` Says on standard error what was seen, the first with the functions it came through.
pub(super) fn tell(blocks: u64) {
    for line in lines(SystemCalls::now(), take_first_system_call(), blocks) {
        eprintln!("headroom: trap: {line}");
    }
}

fn lines(calls: SystemCalls, first: Option<SystemCall>, blocks: u64) -> Vec<String> {
    let mut lines = Vec::new();
    if calls.unwatched_threads > 0 {
        lines.push(format!(
            "warning: {} audio threads could not be watched",
            calls.unwatched_threads
        ));
    }
    if calls.watched_threads == 0 {
        lines.push("warning: no audio thread was watched: nothing is known".to_owned());
        return lines;
    }
    let Some(first) = first else {
        lines.push(format!("{} system calls in {blocks} blocks", calls.count));
        return lines;
    };
    lines.push(format!(
        "{} system calls in {blocks} blocks; the first was {first}",
        calls.count
    ));
    let callers = first.backtrace.iter().skip(1).take(FUNCTIONS);
    lines.extend(callers.map(|function| format!("  from {function}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_nothing_is_not_told_as_none() {
        let [line] = &lines(SystemCalls::default(), None, 9)[..] else {
            panic!("one line")
        };
        assert!(line.contains("nothing is known"), "{line}");
        let calls = SystemCalls {
            watched_threads: 1,
            unwatched_threads: 1,
            ..SystemCalls::default()
        };
        let [warning, count] = &lines(calls, None, 9)[..] else {
            panic!("two lines")
        };
        assert!(warning.contains("1 audio threads could not"), "{warning}");
        assert_eq!(count, "0 system calls in 9 blocks");
    }

    #[test]
    fn the_first_call_is_named_with_its_callers() {
        let calls = SystemCalls {
            count: 3,
            watched_threads: 1,
            unwatched_threads: 0,
        };
        let first = SystemCall {
            number: 1,
            name: "write",
            backtrace: ["write", "print", "process"].map(str::to_owned).to_vec(),
        };
        assert_eq!(
            lines(calls, Some(first), 9),
            [
                "3 system calls in 9 blocks; the first was `write` (number 1) in write",
                "  from print",
                "  from process",
            ]
        );
    }
}
