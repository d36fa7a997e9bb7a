//! How the kernel is set: preemption, clock, huge pages, swap.

use super::finding::Finding;
use super::machine::Machine;

/// Pages are taken from programs only when little else is left, up to this.
const CALM_SWAPPINESS: i64 = 10;
/// Clocks that are read without a system call.
const FAST_CLOCKS: [&str; 6] = [
    "tsc",
    "kvm-clock",
    "hyperv_clocksource_tsc_page",
    "xen",
    "arch_sys_counter",
    "riscv_clocksource",
];

/// How soon the kernel lets go of a core for a real-time thread.
pub(super) fn preemption(machine: &Machine) -> Finding {
    const ID: &str = "preemption";
    const HOW: &str = "add `preempt=full threadirqs` to the kernel's command line (GRUB_CMDLINE_LINUX in \
        /etc/default/grub, then `sudo update-grub`), or install a PREEMPT_RT kernel";
    let Some(version) = machine.text("proc/version").filter(|text| !text.is_empty()) else {
        return Finding::unknown(ID, "there is no /proc/version");
    };
    let has = |word: &str| version.split_ascii_whitespace().any(|part| part == word);
    if has("PREEMPT_RT") || machine.number("sys/kernel/realtime") == Some(1) {
        return Finding::ok(ID, "PREEMPT_RT: the kernel lets go at once");
    }
    let line = machine.text("proc/cmdline").unwrap_or_default();
    let told = |option: &str| line.split_ascii_whitespace().any(|part| part == option);
    let asked = line
        .split_ascii_whitespace()
        .filter_map(|part| part.strip_prefix("preempt="))
        .next_back();
    // Only root sees the mode itself: `none voluntary (full) lazy`.
    let modes = machine.text("sys/kernel/debug/sched/preempt");
    let seen = modes.as_deref().and_then(|modes| between(modes, '(', ')'));
    // What the kernel was built to do where nobody chooses.
    let built = machine
        .text("proc/sys/kernel/osrelease")
        .and_then(|release| machine.text(&format!("boot/config-{release}")))
        .filter(|config| config.lines().any(|line| line == "CONFIG_PREEMPT=y"))
        .map(|_| "full");
    let irqs = if told("threadirqs") {
        ", interrupts have threads"
    } else {
        ""
    };
    match seen.or(asked).or(built) {
        Some("full") => Finding::ok(ID, format!("full{irqs}")),
        Some(mode) => Finding::warn(ID, format!("{mode}: the kernel lets go late{irqs}"), HOW),
        None if has("PREEMPT_DYNAMIC") => Finding::warn(
            ID,
            format!("chosen at boot (PREEMPT_DYNAMIC), and `full` is not asked for{irqs}"),
            HOW,
        ),
        None if has("PREEMPT") => Finding::ok(ID, format!("full{irqs}")),
        None => Finding::warn(ID, "none: the kernel lets go late", HOW),
    }
}

/// What the time is read from.
pub(super) fn clock(machine: &Machine) -> Finding {
    const ID: &str = "clock";
    const FILE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    let Some(clock) = machine.text(FILE).filter(|text| !text.is_empty()) else {
        return Finding::unknown(ID, "the clock's name is not told");
    };
    if !FAST_CLOCKS.contains(&clock.as_str()) {
        return Finding::warn(
            ID,
            format!("`{clock}`: reading it is a system call of a microsecond or more"),
            "look in `dmesg` why the TSC was given up; `tsc=reliable clocksource=tsc` on the kernel's command \
             line takes it where it is sound",
        );
    }
    let flags = machine.text("proc/cpuinfo").and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("flags"))?;
        Some(line.to_owned())
    });
    let steady = flags.is_none_or(|flags| {
        ["constant_tsc", "nonstop_tsc"]
            .iter()
            .all(|wanted| flags.split_ascii_whitespace().any(|flag| flag == *wanted))
    });
    if steady {
        Finding::ok(ID, clock)
    } else {
        Finding::warn(
            ID,
            format!(
                "`{clock}`, on cores whose time-stamp counter changes its pace: block times are rough"
            ),
            "hold the cores at one pace: `sudo cpupower frequency-set -g performance`",
        )
    }
}

/// Whether large regions may have large pages, and only those that ask.
pub(super) fn huge_pages(machine: &Machine) -> Finding {
    const ID: &str = "huge-pages";
    const HOW: &str = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled";
    let modes = machine.text("sys/kernel/mm/transparent_hugepage/enabled");
    match modes.as_deref().and_then(|modes| between(modes, '[', ']')) {
        Some("madvise") => Finding::ok(ID, "for those who ask (madvise)"),
        Some("always") => Finding::warn(
            ID,
            "for everybody: the kernel moves pages about to make them, and programs wait meanwhile",
            HOW,
        ),
        Some("never") => Finding::warn(
            ID,
            "never: long delays and impulse responses cost more of the core's address cache",
            HOW,
        ),
        _ => Finding::unknown(ID, "the kernel does not tell (PREEMPT_RT has none)"),
    }
}

/// Whether memory goes to the disk while there is enough of it.
pub(super) fn swap(machine: &Machine) -> Finding {
    const ID: &str = "swap";
    let Some(swaps) = machine.text("proc/swaps").filter(|text| !text.is_empty()) else {
        return Finding::unknown(ID, "there is no /proc/swaps");
    };
    let count = swaps.lines().count() - 1;
    if count == 0 {
        return Finding::ok(ID, "none: no memory goes to a disk");
    }
    match machine.number("proc/sys/vm/swappiness") {
        Some(swappiness) if swappiness <= CALM_SWAPPINESS => {
            Finding::ok(ID, format!("used late (swappiness {swappiness})"))
        }
        Some(swappiness) => Finding::warn(
            ID,
            format!("used early (swappiness {swappiness}): what is not locked waits for the disk"),
            format!(
                "sudo sysctl vm.swappiness={CALM_SWAPPINESS}, and the same line in /etc/sysctl.d/audio.conf"
            ),
        ),
        None => Finding::unknown(ID, "there is no /proc/sys/vm/swappiness"),
    }
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn with(files: &[(&str, &str)], check: fn(&Machine) -> Finding) -> Finding {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        for (path, text) in files {
            machine.put(path, text);
        }
        check(&machine)
    }

    #[test]
    fn only_a_kernel_that_lets_go_at_once_is_fine() {
        const RELEASE: (&str, &str) = ("proc/sys/kernel/osrelease", "6.12\n");
        const SEEN: &str = "sys/kernel/debug/sched/preempt";
        let dynamic = (
            "proc/version",
            "Linux version 6.12 #1 SMP PREEMPT_DYNAMIC Debian",
        );
        let cases: &[(&[(&str, &str)], Status)] = &[
            (
                &[("proc/version", "Linux version 6.12-rt #1 SMP PREEMPT_RT")],
                Status::Ok,
            ),
            (
                &[
                    ("proc/version", "Linux #1 SMP"),
                    ("sys/kernel/realtime", "1\n"),
                ],
                Status::Ok,
            ),
            (
                &[dynamic, ("proc/cmdline", "quiet preempt=full threadirqs")],
                Status::Ok,
            ),
            (
                &[dynamic, ("proc/cmdline", "preempt=full preempt=none")],
                Status::Warn,
            ),
            (&[dynamic, ("proc/cmdline", "quiet")], Status::Warn),
            (
                &[dynamic, (SEEN, "none voluntary (full) lazy\n")],
                Status::Ok,
            ),
            (&[dynamic, (SEEN, "none (voluntary) full\n")], Status::Warn),
            (
                &[
                    dynamic,
                    RELEASE,
                    ("boot/config-6.12", "# x\nCONFIG_PREEMPT=y\n"),
                ],
                Status::Ok,
            ),
            (
                &[
                    dynamic,
                    RELEASE,
                    ("boot/config-6.12", "CONFIG_PREEMPT_VOLUNTARY=y\n"),
                ],
                Status::Warn,
            ),
            (
                &[("proc/version", "Linux #1 SMP PREEMPT Debian")],
                Status::Ok,
            ),
            (&[("proc/version", "Linux #1 SMP Debian")], Status::Warn),
        ];
        for (files, expected) in cases {
            let finding = with(files, preemption);
            assert_eq!(finding.status, *expected, "{files:?}: {finding:?}");
        }
    }

    #[test]
    fn a_clock_is_fast_and_steady_or_told() {
        const FILE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
        let steady = ("proc/cpuinfo", "flags\t\t: fpu constant_tsc nonstop_tsc\n");
        let wild = ("proc/cpuinfo", "flags\t\t: fpu tsc constant_tsc\n");
        assert_eq!(with(&[(FILE, "tsc\n"), steady], clock).status, Status::Ok);
        assert_eq!(
            with(&[(FILE, "arch_sys_counter\n")], clock).status,
            Status::Ok
        );
        assert_eq!(with(&[(FILE, "tsc\n"), wild], clock).status, Status::Warn);
        let slow = with(&[(FILE, "hpet\n"), steady], clock);
        assert_eq!(slow.status, Status::Warn);
        assert!(slow.found.contains("hpet"), "{slow:?}");
    }

    #[test]
    fn huge_pages_are_for_those_who_ask() {
        const FILE: &str = "sys/kernel/mm/transparent_hugepage/enabled";
        for (modes, expected) in [
            ("always [madvise] never", Status::Ok),
            ("[always] madvise never", Status::Warn),
            ("always madvise [never]", Status::Warn),
        ] {
            assert_eq!(
                with(&[(FILE, modes)], huge_pages).status,
                expected,
                "{modes}"
            );
        }
    }

    #[test]
    fn swap_is_none_or_late() {
        let none = ("proc/swaps", "Filename Type Size Used Priority\n");
        let some = ("proc/swaps", "Filename Type\n/dev/sda2 partition\n");
        let eager = ("proc/sys/vm/swappiness", "60\n");
        let calm = ("proc/sys/vm/swappiness", "10\n");
        assert_eq!(with(&[none, eager], swap).status, Status::Ok);
        assert_eq!(with(&[some, calm], swap).status, Status::Ok);
        assert_eq!(with(&[some, eager], swap).status, Status::Warn);
        assert_eq!(with(&[some], swap).status, Status::Unknown);
    }
}
