//! What the user may do: real-time priority, locked memory, and the groups that grant them.

use super::Tried;
use super::finding::Finding;
use super::machine::Capability;
use super::machine::Limit;
use super::machine::Machine;
use crate::play::PRIORITY;

/// Locked memory that is enough for any rack and the program itself.
const ENOUGH_LOCKED_BYTES: u64 = 256 << 20;
/// Groups that distributions grant these rights to.
const GROUPS: [&str; 4] = ["audio", "realtime", "jackuser", "pipewire"];

const HOW: &str = "put `@audio - rtprio 95` and `@audio - memlock unlimited` into \
    /etc/security/limits.d/audio.conf, join the group (`sudo usermod -aG audio $USER`) and log in again; \
    in a container: `--ulimit rtprio=95 --ulimit memlock=-1 --cap-add SYS_NICE`";

/// Whether the limit of priorities is high enough.
pub(super) fn priority(machine: &Machine) -> Finding {
    const ID: &str = "realtime-limit";
    if machine.may(Capability::SysNice) {
        return Finding::ok(ID, "no limit of priorities holds for this user");
    }
    match machine.limit("Max realtime priority") {
        Some(Limit::At(0)) => Finding::fail(ID, "no real-time priority is allowed", HOW),
        Some(Limit::At(limit)) if limit < u64::from(PRIORITY) => Finding::warn(
            ID,
            format!("priorities up to {limit}: less than the {PRIORITY} that `play` asks for"),
            HOW,
        ),
        Some(Limit::At(limit)) => Finding::ok(ID, format!("priorities up to {limit}")),
        Some(Limit::Unlimited) => Finding::ok(ID, "any priority"),
        None => Finding::unknown(ID, "/proc/self/limits does not tell"),
    }
}

/// Whether a thread that asks for real-time scheduling gets it.
pub(super) fn realtime(tried: &Tried) -> Finding {
    const ID: &str = "realtime";
    match tried.realtime {
        Some((policy, Some(priority))) => Finding::ok(
            ID,
            format!(
                "a thread that asked for it runs as {} {priority}",
                policy.to_uppercase()
            ),
        ),
        _ => Finding::fail(
            ID,
            "a thread that asked for real-time scheduling was refused: the sound shares its time with \
             everything else",
            HOW,
        ),
    }
}

/// Whether audio memory and the program can be kept from being paged out.
pub(super) fn memlock(machine: &Machine) -> Finding {
    const ID: &str = "memlock";
    if machine.may(Capability::IpcLock) {
        return Finding::ok(ID, "no limit of locked memory holds for this user");
    }
    let said = |bytes: u64| format!("{:.1} MB may be locked", bytes as f64 / 1e6);
    match machine.limit("Max locked memory") {
        Some(Limit::Unlimited) => Finding::ok(ID, "any memory may be locked"),
        Some(Limit::At(bytes)) if bytes >= ENOUGH_LOCKED_BYTES => Finding::ok(ID, said(bytes)),
        Some(Limit::At(0)) => Finding::fail(ID, "no memory may be locked", HOW),
        Some(Limit::At(bytes)) => Finding::warn(
            ID,
            format!("{}: usual racks, but not the whole program", said(bytes)),
            HOW,
        ),
        None => Finding::unknown(ID, "/proc/self/limits does not tell"),
    }
}

/// Whether the system ends real-time threads that work too long at a stretch.
pub(super) fn realtime_time(machine: &Machine) -> Finding {
    const ID: &str = "realtime-time-limit";
    match machine.limit("Max realtime timeout") {
        Some(Limit::Unlimited) => Finding::ok(ID, "none"),
        Some(Limit::At(micros)) => Finding::warn(
            ID,
            format!(
                "a real-time thread that runs {} ms without a rest ends the program (RLIMIT_RTTIME)",
                micros / 1000
            ),
            "something that started this shell has set it, often rtkit: start `headroom` from another one, \
             and give real-time rights by limits.d instead of rtkit",
        ),
        None => Finding::unknown(ID, "/proc/self/limits does not tell"),
    }
}

/// What share of each core real-time threads may take together.
pub(super) fn throttling(machine: &Machine) -> Finding {
    const ID: &str = "realtime-throttling";
    let runtime = machine.number("proc/sys/kernel/sched_rt_runtime_us");
    let period = machine.number("proc/sys/kernel/sched_rt_period_us");
    match (runtime, period) {
        (Some(-1), _) => Finding::ok(ID, "none"),
        (Some(runtime), Some(period)) if period > 0 => {
            let found = format!(
                "real-time threads may take {} % of a core",
                runtime * 100 / period
            );
            if runtime * 10 >= period * 9 {
                Finding::ok(ID, found)
            } else {
                Finding::warn(
                    ID,
                    found,
                    "sudo sysctl kernel.sched_rt_runtime_us=950000 kernel.sched_rt_period_us=1000000",
                )
            }
        }
        _ => Finding::unknown(ID, "/proc/sys/kernel does not tell"),
    }
}

/// Whether the user is in a group that has these rights, in this session.
pub(super) fn groups(machine: &Machine) -> Finding {
    const ID: &str = "groups";
    let (Some(uid), Some(session)) = (machine.status("Uid"), machine.status("Groups")) else {
        return Finding::unknown(ID, "/proc/self/status does not tell");
    };
    let uid = uid.split_ascii_whitespace().next().unwrap_or_default();
    if uid == "0" {
        return Finding::ok(ID, "root needs none");
    }
    let Some(file) = machine.text("etc/group") else {
        return Finding::unknown(ID, "there is no /etc/group");
    };
    let session: Vec<&str> = session.split_ascii_whitespace().collect();
    let user = machine
        .text("etc/passwd")
        .and_then(|file| user_name(&file, uid));
    let (mut inside, mut promised, mut there) = (Vec::new(), Vec::new(), Vec::new());
    for line in file.lines() {
        // group(5): name, password, number, members.
        let mut fields = line.split(':');
        let (Some(name), Some(number)) = (fields.next(), fields.nth(1)) else {
            continue;
        };
        if !GROUPS.contains(&name) {
            continue;
        }
        let mut members = fields.next().unwrap_or_default().split(',');
        there.push(name);
        if session.contains(&number) {
            inside.push(name);
        } else if user
            .as_ref()
            .is_some_and(|user| members.any(|member| member == user))
        {
            promised.push(name);
        }
    }
    if !inside.is_empty() {
        return Finding::ok(ID, inside.join(", "));
    }
    if let Some(group) = promised.first() {
        return Finding::warn(
            ID,
            format!("this user is in `{group}`, but this session began before that"),
            "log out and in again",
        );
    }
    let allowed = Limit::At(u64::from(PRIORITY));
    if machine
        .limit("Max realtime priority")
        .is_some_and(|limit| limit >= allowed)
    {
        return Finding::ok(ID, "none, and the limits do without");
    }
    match there.first() {
        Some(group) => Finding::warn(
            ID,
            format!("this user is in none of {}", there.join(", ")),
            format!("sudo usermod -aG {group} $USER, then log in again"),
        ),
        None => Finding::unknown(ID, "this machine has no group for audio"),
    }
}

/// passwd(5): name, password, number.
fn user_name(passwd: &str, uid: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
