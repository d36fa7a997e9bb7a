//! `headroom doctor`: what of this machine stands in the way of sound that is always on time, and what to do
//! about it. It looks and never changes anything.
//!
//! | file | holds |
//! | --- | --- |
//! | `finding` | what a check says, and how it is printed |
//! | `machine` | `/proc`, `/sys` and `/etc` below a folder, so that tests can give it any machine |
//! | `limits` | what the user may do: priority, locked memory, groups |
//! | `kernel` | how the kernel is set: preemption, huge pages, swap, clock |
//! | `cores` | how the cores are set: governor, sleep |
//! | `threads` | who else runs: real-time threads, sound servers |
//! | `outlets` | what sound goes through: devices, USB, shared memory |
//!
//! Outside Linux only the devices are looked at.

mod cores;
mod finding;
mod kernel;
mod limits;
mod machine;
mod outlets;
mod threads;

use crate::cli::ListArgs;
use crate::devices;
use crate::error::HostError;
use crate::play::try_realtime;
use crate::report::print;
use crate::report::print_json;

pub use self::finding::Finding;
pub use self::finding::Status;
use self::machine::Machine;

/// What no file tells: it was tried, or asked of the system.
#[derive(Debug, Clone, Default)]
struct Tried {
    /// How a thread that asked for real-time scheduling was scheduled then, and with which priority.
    realtime: Option<(&'static str, Option<u32>)>,
    /// Free bytes of /dev/shm.
    shared_memory_bytes: Option<u64>,
}

/// `[main]` Looks at this machine and prints what was found.
///
/// # Errors
///
/// Standard output cannot be written. What is wrong with the machine is no error.
pub fn run(args: &ListArgs) -> Result<(), HostError> {
    let mut findings = if cfg!(target_os = "linux") {
        let tried = Tried {
            realtime: try_realtime(),
            shared_memory_bytes: free_bytes("/dev/shm"),
        };
        examine(&Machine::below("/"), &tried)
    } else {
        let found = "only the devices are checked on this platform";
        vec![Finding::unknown("machine", found)]
    };
    findings.extend(outlets::devices(&devices::list()));
    if args.json {
        print_json(&findings, false)
    } else {
        print(&finding::table(&findings), false)
    }
}

/// All that Linux tells of a machine.
fn examine(machine: &Machine, tried: &Tried) -> Vec<Finding> {
    vec![
        limits::priority(machine),
        limits::realtime(tried),
        limits::memlock(machine),
        limits::realtime_time(machine),
        limits::throttling(machine),
        limits::groups(machine),
        kernel::preemption(machine),
        kernel::clock(machine),
        kernel::huge_pages(machine),
        kernel::swap(machine),
        cores::governor(machine),
        cores::idle(machine),
        threads::realtime(machine),
        threads::servers(machine),
        outlets::shared_memory(tried),
        outlets::usb(machine),
    ]
}

#[cfg(target_os = "linux")]
fn free_bytes(path: &str) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    Some(stat.blocks_available() * stat.fragment_size())
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_path: &str) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_files_is_unknown_and_no_panic() {
        let place = tempfile::tempdir().unwrap();
        let findings = examine(&Machine::below(place.path()), &Tried::default());
        for finding in &findings {
            // What was tried is refused, not unknown; no real-time thread is none seen.
            if finding.id != "realtime" {
                assert_eq!(finding.status, Status::Unknown, "{finding:?}");
            }
        }
        assert_eq!(findings.len(), 16);
    }

    #[test]
    fn files_full_of_rubbish_are_no_panic() {
        for rubbish in [
            "",
            "\n\n",
            "[",
            "Groups:",
            "x y z\u{fffd} (",
            "Max realtime priority -1",
        ] {
            let place = tempfile::tempdir().unwrap();
            let machine = Machine::fake(place.path());
            for path in [
                "proc/self/limits",
                "proc/self/status",
                "etc/group",
                "etc/passwd",
                "proc/version",
                "proc/cmdline",
                "proc/cpuinfo",
                "proc/swaps",
                "proc/uptime",
                "proc/sys/vm/swappiness",
                "proc/sys/kernel/sched_rt_runtime_us",
                "proc/sys/kernel/sched_rt_period_us",
                "sys/kernel/mm/transparent_hugepage/enabled",
                "sys/kernel/realtime",
                "sys/devices/system/clocksource/clocksource0/current_clocksource",
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "sys/devices/system/cpu/cpu0/cpuidle/state0/latency",
                "proc/7/task/7/stat",
                "proc/7/comm",
                "sys/bus/usb/devices/1-1:1.0/bInterfaceClass",
            ] {
                machine.put(path, rubbish);
            }
            assert_eq!(examine(&machine, &Tried::default()).len(), 16);
        }
    }

    #[test]
    fn every_check_has_an_id_of_its_own_and_every_complaint_an_advice() {
        let mut ids: Vec<_> = examine(&Machine::below("/"), &Tried::default())
            .into_iter()
            .map(|finding| {
                let complains = matches!(finding.status, Status::Warn | Status::Fail);
                assert_eq!(finding.advice.is_some(), complains, "{finding:?}");
                finding.id
            })
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 16);
    }
}
