//! How the cores are set: how fast they run, how deep they sleep.

use super::finding::Finding;
use super::machine::Machine;

/// A core that takes longer to wake up than this is late for a small block.
const LONGEST_WAKE_US: i64 = 200;

/// Whether every core runs at its full pace all the time.
pub(super) fn governor(machine: &Machine) -> Finding {
    const ID: &str = "governor";
    let mut slow: Vec<(String, Vec<String>)> = Vec::new();
    let mut count = 0;
    for core in machine.cores() {
        let file =
            |name: &str| machine.text(&format!("sys/devices/system/cpu/{core}/cpufreq/{name}"));
        let Some(governor) = file("scaling_governor").filter(|text| !text.is_empty()) else {
            continue;
        };
        count += 1;
        // Where the processor scales itself, its preference counts and not the governor's name.
        let prefers_pace = file("energy_performance_preference").as_deref() == Some("performance");
        if governor == "performance" || prefers_pace {
            continue;
        }
        match slow.iter_mut().find(|(known, _)| *known == governor) {
            Some((_, cores)) => cores.push(core),
            None => slow.push((governor, vec![core])),
        }
    }
    if count == 0 {
        return Finding::unknown(
            ID,
            "the cores' pace is not told (a virtual machine, or a fixed pace)",
        );
    }
    if slow.is_empty() {
        return Finding::ok(ID, format!("performance on all {count} cores"));
    }
    let found: Vec<String> = slow
        .iter()
        .map(|(governor, cores)| match cores.len() {
            all if all == count => format!("{governor} on all {count} cores"),
            _ => format!("{governor} on {}", cores.join(", ")),
        })
        .collect();
    Finding::warn(
        ID,
        format!(
            "{}: a core that was idle starts the next block slowly",
            found.join("; ")
        ),
        "sudo cpupower frequency-set -g performance (package linux-cpupower), or the power profile \
         `performance` of the desktop",
    )
}

/// How long a core may take to wake up.
pub(super) fn idle(machine: &Machine) -> Finding {
    const ID: &str = "idle-states";
    let mut deepest: Option<(i64, String)> = None;
    for core in machine.cores() {
        let folder = format!("sys/devices/system/cpu/{core}/cpuidle");
        for state in machine.names(&folder).unwrap_or_default() {
            let file = |name: &str| format!("{folder}/{state}/{name}");
            let Some(latency_us) = machine.number(&file("latency")) else {
                continue;
            };
            let off = machine.number(&file("disable")).is_some_and(|off| off != 0);
            if !off
                && deepest
                    .as_ref()
                    .is_none_or(|(known, _)| *known < latency_us)
            {
                let name = machine.text(&file("name")).unwrap_or(state);
                deepest = Some((latency_us, name));
            }
        }
    }
    match deepest {
        None => Finding::unknown(ID, "the cores' sleep is not told"),
        Some((latency_us, name)) if latency_us <= LONGEST_WAKE_US => Finding::ok(
            ID,
            format!("a core wakes up within {latency_us} us ({name})"),
        ),
        Some((latency_us, name)) => Finding::warn(
            ID,
            format!("a core may sleep so deep ({name}) that it takes {latency_us} us to wake up"),
            format!(
                "while playing: sudo cpupower idle-set -D {LONGEST_WAKE_US} (package linux-cpupower)"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn with(files: &[(&str, &str)], check: fn(&Machine) -> Finding) -> Finding {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        for (path, text) in files {
            machine.put(&format!("sys/devices/system/cpu/{path}"), text);
        }
        check(&machine)
    }

    #[test]
    fn every_core_counts_for_the_governor() {
        const PACE: &str = "cpu0/cpufreq/scaling_governor";
        let full = (PACE, "performance\n");
        let other = "cpu1/cpufreq/scaling_governor";
        let fine = with(&[full, (other, "performance\n")], governor);
        assert_eq!(fine.found, "performance on all 2 cores");
        let one = with(&[full, (other, "schedutil\n")], governor);
        assert_eq!(one.status, Status::Warn);
        assert!(one.found.starts_with("schedutil on cpu1:"), "{one:?}");
        let all = with(&[(PACE, "powersave"), (other, "powersave")], governor);
        assert!(all.found.starts_with("powersave on all 2 cores"), "{all:?}");
        let prefers = "cpu0/cpufreq/energy_performance_preference";
        let itself = with(&[(PACE, "powersave"), (prefers, "performance\n")], governor);
        assert_eq!(itself.status, Status::Ok);
        let lazy = with(
            &[(PACE, "powersave"), (prefers, "balance_power\n")],
            governor,
        );
        assert_eq!(lazy.status, Status::Warn);
        assert_eq!(
            with(&[("cpu0/online", "1")], governor).status,
            Status::Unknown
        );
    }

    #[test]
    fn only_states_that_are_on_count_for_the_sleep() {
        let shallow = ("cpu0/cpuidle/state1/latency", "2\n");
        let deep = ("cpu1/cpuidle/state3/latency", "890\n");
        let name = ("cpu1/cpuidle/state3/name", "C10\n");
        assert_eq!(with(&[shallow], idle).status, Status::Ok);
        let found = with(&[shallow, deep, name], idle);
        assert_eq!(found.status, Status::Warn);
        assert!(
            found.found.contains("C10") && found.found.contains("890 us"),
            "{found:?}"
        );
        let off = ("cpu1/cpuidle/state3/disable", "1\n");
        assert_eq!(with(&[shallow, deep, name, off], idle).status, Status::Ok);
    }
}
