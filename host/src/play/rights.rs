//! What the system grants a program that must be on time: real-time scheduling, and memory that is never
//! paged out. Taken as far as the limits allow, and said in one line with the way to the rest.

use headroom_engine::memory::LockedProgram;
use headroom_engine::memory::audio_memory;
use headroom_engine::memory::lock_program;
use serde::Serialize;

use super::priority;

/// Kept of the limit for racks that are built while playing, at least.
const LEAST_RESERVE_BYTES: u64 = 1 << 20;

/// What `--json` says of them. A limit that is `null` is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RightsReport {
    /// How the audio thread is scheduled: `fifo`, `rr`, `deadline`, `normal`, or `unknown`.
    pub scheduling: &'static str,
    /// Its real-time priority, 1 to 99.
    pub priority: Option<u32>,
    /// The highest that the limit allows to a user without privileges.
    pub priority_limit: Option<u64>,
    /// Bytes of the whole process that the system keeps in memory.
    pub locked_bytes: u64,
    /// Bytes of code, heap and stacks that could not be locked.
    pub unlocked_bytes: u64,
    /// Bytes of the racks' own memory, always present.
    pub audio_bytes: u64,
    /// Of which are locked.
    pub audio_locked_bytes: u64,
    /// How many bytes may be locked.
    pub memlock_limit_bytes: Option<u64>,
    /// How long a real-time thread may run without a rest before the system ends the program, in
    /// microseconds.
    pub realtime_limit_us: Option<u64>,
}

/// The rights of one session.
#[derive(Debug, Default)]
pub(super) struct Rights {
    program: LockedProgram,
    /// The audio thread that was looked at last, and how it is scheduled. One that has gone leaves these.
    thread: Option<(u64, Scheduling)>,
    told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scheduling {
    policy: &'static str,
    priority: Option<u32>,
}

/// `[main]` Takes for this process what its hard limits allow beyond the soft ones: they are the user's
/// already, and nothing of the system changes.
pub(super) fn raise_limits() {
    #[cfg(target_os = "linux")]
    for limit in [
        Resource::RLIMIT_RTPRIO,
        Resource::RLIMIT_MEMLOCK,
        Resource::RLIMIT_RTTIME,
    ] {
        if let Ok((soft, hard)) = getrlimit(limit)
            && soft < hard
        {
            // Refused, it stays as it was, and is reported as such.
            let _as_it_was = setrlimit(limit, hard, hard);
        }
    }
}

/// `[main]` How a thread is scheduled that asks for what the audio thread asks for: policy and priority.
pub(crate) fn try_realtime() -> Option<(&'static str, Option<u32>)> {
    raise_limits();
    let thread = std::thread::Builder::new().name("headroom-try".to_owned());
    let tried = thread.spawn(|| {
        priority::make_realtime();
        let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
        Scheduling::of_stat(&stat)
    });
    let scheduling = tried.ok()?.join().ok()??;
    Some((scheduling.policy, scheduling.priority))
}

impl Rights {
    /// `[main]` Locks what the audio thread will run on. Call it when everything is built and nothing
    /// plays yet.
    pub(super) fn take() -> Self {
        let mut rights = Self::default();
        rights.renew();
        rights
    }

    /// `[main]` Locks what has come since: the threads of a device that is back.
    pub(super) fn renew(&mut self) {
        // A library may have lowered a limit while its device was opened.
        raise_limits();
        let budget_bytes = Limits::now().memlock_bytes.map(|limit_bytes| {
            let racks_bytes = audio_memory().bytes as u64;
            let reserve_bytes = LEAST_RESERVE_BYTES.max(2 * racks_bytes);
            limit_bytes.saturating_sub(locked_bytes() + reserve_bytes)
        });
        self.program = lock_program(budget_bytes);
    }

    /// `[main]` Looks at the audio thread; gives the line to say, once, when there is something to look at.
    pub(super) fn look(&mut self, thread_id: Option<u64>) -> Option<String> {
        if let Some(id) = thread_id
            && self.thread.is_none_or(|(known, _)| known != id)
            && let Some(scheduling) = Scheduling::of_thread(id)
        {
            self.thread = Some((id, scheduling));
        }
        let is_news = self.thread.is_some() && !self.told;
        self.told |= is_news;
        is_news.then(|| self.report().line())
    }

    /// `[main]` The figures of now.
    pub(super) fn report(&self) -> RightsReport {
        let limits = Limits::now();
        let audio = audio_memory();
        let scheduling = self.thread.map(|(_, scheduling)| scheduling);
        RightsReport {
            scheduling: scheduling.map_or("unknown", |scheduling| scheduling.policy),
            priority: scheduling.and_then(|scheduling| scheduling.priority),
            priority_limit: limits.priority,
            locked_bytes: locked_bytes(),
            unlocked_bytes: self.program.wanted_bytes - self.program.locked_bytes,
            audio_bytes: audio.bytes as u64,
            audio_locked_bytes: audio.locked_bytes as u64,
            memlock_limit_bytes: limits.memlock_bytes,
            realtime_limit_us: limits.realtime_us,
        }
    }
}

impl RightsReport {
    /// What was granted, and how to get the rest.
    fn line(&self) -> String {
        let mega = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        let mut wanted = Vec::new();
        let scheduled = match (self.scheduling, self.priority) {
            (policy, Some(priority)) => {
                format!(
                    "real-time scheduling ({}, priority {priority})",
                    policy.to_uppercase()
                )
            }
            _ => {
                wanted.push("`@audio - rtprio 95`");
                "no real-time scheduling".to_owned()
            }
        };
        let missing_bytes = self.unlocked_bytes + self.audio_bytes - self.audio_locked_bytes;
        let locked = match self.memlock_limit_bytes {
            _ if missing_bytes == 0 => format!("all memory locked ({})", mega(self.locked_bytes)),
            limit_bytes => {
                wanted.push("`@audio - memlock unlimited`");
                let limit = limit_bytes.map_or_else(|| "none".to_owned(), mega);
                format!(
                    "{} of {} locked in memory (limit {limit})",
                    mega(self.locked_bytes),
                    mega(self.locked_bytes + missing_bytes),
                )
            }
        };
        let mut line = format!("rights: {scheduled}, {locked}");
        if let Some(limit_us) = self.realtime_limit_us {
            let millis = limit_us / 1_000;
            line.push_str(&format!(
                "; the system ends a real-time thread that runs {millis} ms without a rest (RLIMIT_RTTIME)"
            ));
        }
        if !wanted.is_empty() {
            line.push_str(&format!(
                "; for the rest put {} into /etc/security/limits.d/audio.conf, join the group `audio` and \
                 log in again (`headroom doctor` says more)",
                wanted.join(" and ")
            ));
        }
        line
    }
}

impl Scheduling {
    /// Of a thread of this process; `None` when it is gone or the system does not tell.
    fn of_thread(id: u64) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
        Self::of_stat(&stat)
    }

    /// proc(5): field 40 is the real-time priority, 41 the policy; the first behind the name is field 3.
    fn of_stat(stat: &str) -> Option<Self> {
        let fields = stat.rsplit_once(')')?.1;
        let mut fields = fields.split_ascii_whitespace().skip(40 - 3);
        let priority: u32 = fields.next()?.parse().ok()?;
        let policy = match fields.next()? {
            "1" => "fifo",
            "2" => "rr",
            "6" => "deadline",
            _ => "normal",
        };
        Some(Self {
            policy,
            priority: (policy != "normal").then_some(priority),
        })
    }
}

/// The limits of this process; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    priority: Option<u64>,
    memlock_bytes: Option<u64>,
    realtime_us: Option<u64>,
}

impl Limits {
    #[cfg(target_os = "linux")]
    fn now() -> Self {
        let soft = |limit| match getrlimit(limit) {
            Ok((soft, _)) if soft != nix::libc::RLIM_INFINITY => Some(soft),
            _ => None,
        };
        let may_lock_all = has_capability(CAP_IPC_LOCK);
        Self {
            priority: soft(Resource::RLIMIT_RTPRIO),
            memlock_bytes: soft(Resource::RLIMIT_MEMLOCK).filter(|_| !may_lock_all),
            realtime_us: soft(Resource::RLIMIT_RTTIME),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn now() -> Self {
        Self::default()
    }
}

#[cfg(target_os = "linux")]
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// capabilities(7): with it no limit of locked memory holds.
#[cfg(target_os = "linux")]
const CAP_IPC_LOCK: u32 = 14;

#[cfg(target_os = "linux")]
fn has_capability(number: u32) -> bool {
    let effective = status_field("CapEff").and_then(|text| u64::from_str_radix(&text, 16).ok());
    effective.is_some_and(|set| set & (1 << number) != 0)
}

/// What of this process the system keeps in memory.
fn locked_bytes() -> u64 {
    let kib = status_field("VmLck").and_then(|text| text.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The first word of a line of /proc/self/status, proc(5).
fn status_field(name: &str) -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_ascii_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted() -> RightsReport {
        RightsReport {
            scheduling: "fifo",
            priority: Some(55),
            priority_limit: Some(95),
            locked_bytes: 12_000_000,
            audio_bytes: 1_000_000,
            audio_locked_bytes: 1_000_000,
            ..RightsReport::default()
        }
    }

    #[test]
    fn what_was_granted_is_said_and_nothing_more_is_asked_for() {
        assert_eq!(
            granted().line(),
            "rights: real-time scheduling (FIFO, priority 55), all memory locked (12.0 MB)"
        );
    }

    #[test]
    fn what_is_missing_is_said_with_the_way_to_get_it() {
        let line = RightsReport {
            scheduling: "normal",
            priority: None,
            priority_limit: Some(0),
            ..granted()
        }
        .line();
        assert!(
            line.contains("no real-time scheduling") && line.contains("rtprio 95"),
            "{line}"
        );
        assert!(!line.contains("memlock"), "{line}");
        let line = RightsReport {
            unlocked_bytes: 20_000_000,
            memlock_limit_bytes: Some(8_388_608),
            ..granted()
        }
        .line();
        assert!(
            line.contains("12.0 MB of 32.0 MB") && line.contains("limit 8.4 MB"),
            "{line}"
        );
        assert!(
            line.contains("memlock unlimited") && !line.contains("rtprio"),
            "{line}"
        );
        // A rack that is not locked counts as well.
        let line = RightsReport {
            audio_locked_bytes: 400_000,
            ..granted()
        }
        .line();
        assert!(line.contains("12.0 MB of 12.6 MB"), "{line}");
    }

    #[test]
    fn a_limit_that_would_end_the_program_is_no_surprise() {
        let line = RightsReport {
            realtime_limit_us: Some(200_000),
            ..granted()
        }
        .line();
        assert!(
            line.contains("200 ms") && line.contains("RLIMIT_RTTIME"),
            "{line}"
        );
    }

    #[test]
    fn scheduling_is_read_from_the_right_fields_whatever_the_threads_name() {
        let stat = |name: &str, priority: u32, policy: u32| {
            let middle: Vec<String> = (4..40).map(|field| field.to_string()).collect();
            format!(
                "77 ({name}) S {} {priority} {policy} 0 0 0",
                middle.join(" ")
            )
        };
        let of = |stat: &str| Scheduling::of_stat(stat).map(|of| (of.policy, of.priority));
        assert_eq!(of(&stat("a b) R (c", 55, 1)), Some(("fifo", Some(55))));
        assert_eq!(of(&stat("x", 10, 2)), Some(("rr", Some(10))));
        assert_eq!(of(&stat("x", 0, 0)), Some(("normal", None)));
        assert_eq!(of("77 (x) S 1 2"), None);
        assert_eq!(of(""), None);
    }
}
