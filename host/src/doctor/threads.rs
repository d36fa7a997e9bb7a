//! Who else runs: real-time threads that could get in the way, and sound servers.

use super::finding::Finding;
use super::machine::Machine;
use crate::play::PRIORITY;

/// Ticks of a second in /proc, the same on every Linux.
const TICKS_A_SEC: f64 = 100.0;
/// proc(5): the flag of kernel threads in field 9.
const PF_KTHREAD: u64 = 0x0020_0000;
/// A thread above ours that takes more of a core than this may be heard.
const HEAVY: f64 = 0.2;
/// How many threads are named.
const NAMED: usize = 6;

/// A thread of another program that is scheduled before all normal ones.
#[derive(Debug, PartialEq)]
struct Thread {
    pid: String,
    name: String,
    policy: &'static str,
    priority: u32,
    /// Its share of a core since it began.
    share: f64,
}

/// Other programs' real-time threads, and whether one of them is above ours and works a lot.
pub(super) fn realtime(machine: &Machine) -> Finding {
    const ID: &str = "realtime-threads";
    let Some(uptime_secs) = machine
        .text("proc/uptime")
        .and_then(|text| text.split_ascii_whitespace().next()?.parse::<f64>().ok())
    else {
        return Finding::unknown(ID, "there is no /proc/uptime");
    };
    let mut threads = Vec::new();
    for pid in processes(machine) {
        for task in machine
            .names(&format!("proc/{pid}/task"))
            .unwrap_or_default()
        {
            let stat = machine.text(&format!("proc/{pid}/task/{task}/stat"));
            threads.extend(stat.and_then(|stat| thread(&pid, &stat, uptime_secs)));
        }
    }
    if threads.is_empty() {
        return Finding::ok(ID, "no other program has any");
    }
    let heavy = |thread: &&Thread| thread.share > HEAVY && thread.priority >= u32::from(PRIORITY);
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.priority));
    if let Some(thread) = threads.iter().find(heavy) {
        return Finding::warn(
            ID,
            format!("above ours, and busy: {}", said(thread)),
            format!(
                "end it, or run it below priority {PRIORITY}: sudo chrt -f -p {} {}",
                PRIORITY - 5,
                thread.pid
            ),
        );
    }
    let mut found: Vec<String> = threads.iter().take(NAMED).map(said).collect();
    if threads.len() > NAMED {
        found.push(format!("and {} more", threads.len() - NAMED));
    }
    Finding::ok(ID, found.join(", "))
}

fn said(thread: &Thread) -> String {
    format!(
        "{} ({}) {} {} {:.1} %",
        thread.name,
        thread.pid,
        thread.policy,
        thread.priority,
        thread.share * 100.0
    )
}

fn processes(machine: &Machine) -> Vec<String> {
    let names = machine.names("proc").unwrap_or_default();
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    names.into_iter().filter(is_number).collect()
}

/// proc(5): 9 flags, 14 and 15 time in ticks, 22 start in ticks, 40 priority, 41 policy; the name stands in
/// parentheses and may hold any. `None` for a normal thread and for the kernel's own.
fn thread(pid: &str, stat: &str, uptime_secs: f64) -> Option<Thread> {
    let (front, rest) = stat.rsplit_once(')')?;
    let (_, name) = front.split_once('(')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let policy = match field(41)? {
        1 => "FIFO",
        2 => "RR",
        6 => "DEADLINE",
        _ => return None,
    };
    if field(9)? & PF_KTHREAD != 0 {
        return None;
    }
    let secs = (field(14)? + field(15)?) as f64 / TICKS_A_SEC;
    let age_secs = uptime_secs - field(22)? as f64 / TICKS_A_SEC;
    Some(Thread {
        pid: pid.to_owned(),
        name: name.to_owned(),
        policy,
        // A deadline goes before every priority.
        priority: if policy == "DEADLINE" {
            100
        } else {
            u32::try_from(field(40)?).ok()?
        },
        share: if age_secs > 0.0 { secs / age_secs } else { 0.0 },
    })
}

/// Which sound servers run, and whether two want the same card.
pub(super) fn servers(machine: &Machine) -> Finding {
    const ID: &str = "servers";
    const SERVERS: [&str; 5] = [
        "jackd",
        "jackdbus",
        "pipewire",
        "pipewire-pulse",
        "pulseaudio",
    ];
    let processes = processes(machine);
    if processes.is_empty() {
        return Finding::unknown(ID, "/proc does not tell");
    }
    let mut found: Vec<String> = processes
        .iter()
        .filter_map(|pid| machine.text(&format!("proc/{pid}/comm")))
        .filter(|name| SERVERS.contains(&name.as_str()))
        .collect();
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Finding::ok(ID, "none: `play` takes ALSA devices for itself");
    }
    let runs = |names: &[&str]| names.iter().any(|name| found.iter().any(|one| one == name));
    let jack = runs(&["jackd", "jackdbus"]);
    let advice = if runs(&["pulseaudio"]) && runs(&["pipewire-pulse", "pipewire"]) {
        "PulseAudio and PipeWire both serve the desktop's sound: keep one (`systemctl --user disable --now \
         pulseaudio.service pulseaudio.socket`)"
    } else if jack && runs(&["pulseaudio", "pipewire"]) {
        "two servers share no card: give JACK's to JACK alone (its profile `Off` in pavucontrol), or stop \
         jackd and let PipeWire be the JACK server (package pipewire-jack)"
    } else {
        return Finding::ok(ID, found.join(", "));
    };
    Finding::warn(ID, format!("{} at once", found.join(", ")), advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    /// `ticks` of time used by a thread that began 1000 s after the start of the machine.
    fn stat(name: &str, flags: u64, ticks: u64, priority: u32, policy: u32) -> String {
        let mut fields: Vec<String> = (3..=52).map(|_| "0".to_owned()).collect();
        for (number, value) in [
            (9, flags),
            (14, ticks / 2),
            (15, ticks - ticks / 2),
            (22, 100_000),
            (40, u64::from(priority)),
            (41, u64::from(policy)),
        ] {
            fields[number - 3] = value.to_string();
        }
        format!("7 ({name}) {}", fields.join(" "))
    }

    fn with(threads: &[(&str, String)]) -> Finding {
        let place = tempfile::tempdir().unwrap();
        let machine = Machine::fake(place.path());
        machine.put("proc/uptime", "1100.00 50.0\n");
        for (place, stat) in threads {
            machine.put(&format!("proc/{place}/stat"), stat);
        }
        realtime(&machine)
    }

    #[test]
    fn a_busy_thread_above_ours_is_told_with_its_priority_and_share() {
        // 30 s of the 100 that it has lived.
        let busy = with(&[("70/task/71", stat("a) b (c", 0, 3_000, 80, 2))]);
        assert_eq!(busy.status, Status::Warn);
        assert!(busy.found.contains("a) b (c (70) RR 80 30.0 %"), "{busy:?}");
        assert!(busy.advice.unwrap().contains("70"));
    }

    #[test]
    fn threads_that_rest_or_are_below_ours_or_the_kernels_are_no_danger() {
        let rests = ("8/task/8", stat("data-loop.0", 0, 10, 88, 1));
        let below = ("9/task/9", stat("below", 0, 9_000, 10, 1));
        let found = with(&[rests, below]);
        assert_eq!(found.status, Status::Ok);
        let order = found
            .found
            .find("data-loop.0")
            .zip(found.found.find("below"));
        assert!(
            order.is_some_and(|(first, second)| first < second),
            "{found:?}"
        );
        let kernel = ("10/task/10", stat("migration/0", PF_KTHREAD, 9_000, 99, 1));
        let normal = ("11/task/11", stat("cc1plus", 0, 9_000, 0, 0));
        assert_eq!(with(&[kernel, normal]).found, "no other program has any");
        let deadline = ("12/task/12", stat("d", 0, 9_000, 0, 6));
        assert_eq!(with(&[deadline]).status, Status::Warn);
    }

    #[test]
    fn only_some_of_many_are_named() {
        let many: Vec<_> = (20..30)
            .map(|pid| (format!("{pid}/task/{pid}"), stat("t", 0, 1, 50, 1)))
            .collect();
        let many: Vec<_> = many
            .iter()
            .map(|(place, stat)| (place.as_str(), stat.clone()))
            .collect();
        assert!(with(&many).found.ends_with("and 4 more"));
    }

    #[test]
    fn servers_that_fight_over_a_card_are_told() {
        let with = |names: &[&str]| {
            let place = tempfile::tempdir().unwrap();
            let machine = Machine::fake(place.path());
            for (pid, name) in names.iter().enumerate() {
                machine.put(&format!("proc/{}/comm", pid + 1), &format!("{name}\n"));
            }
            servers(&machine)
        };
        assert_eq!(with(&["sh"]).status, Status::Ok);
        assert_eq!(with(&["jackd", "sh"]).found, "jackd");
        assert_eq!(
            with(&["pipewire", "pipewire-pulse", "pipewire"]).status,
            Status::Ok
        );
        assert_eq!(with(&["jackd", "pulseaudio"]).status, Status::Warn);
        assert_eq!(with(&["pipewire-pulse", "pulseaudio"]).status, Status::Warn);
        assert_eq!(with(&["pulseaudio-helper"]).status, Status::Ok);
    }
}
