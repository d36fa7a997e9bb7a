use super::*;
use crate::doctor::Status;

struct Fake {
    _place: tempfile::TempDir,
    machine: Machine,
}

fn fake() -> Fake {
    let place = tempfile::tempdir().unwrap();
    let machine = Machine::fake(place.path());
    Fake {
        _place: place,
        machine,
    }
}

fn limits(priority: &str, memlock: &str, time: &str) -> Fake {
    let fake = fake();
    let line = |name: &str, value: &str| format!("{name:<26}{value:<21}{value:<21}\n");
    let text = line("Max locked memory", memlock)
        + &line("Max realtime priority", priority)
        + &line("Max realtime timeout", time);
    fake.machine.put("proc/self/limits", &text);
    fake
}

#[test]
fn a_priority_limit_is_enough_little_or_none() {
    for (limit, expected) in [
        ("95", Status::Ok),
        ("55", Status::Ok),
        ("54", Status::Warn),
        ("0", Status::Fail),
        ("unlimited", Status::Ok),
    ] {
        let fake = limits(limit, "0", "unlimited");
        assert_eq!(priority(&fake.machine).status, expected, "{limit}");
    }
    let fake = limits("0", "0", "unlimited");
    fake.machine
        .put("proc/self/status", "CapEff:\t0000000000800000\n");
    assert_eq!(priority(&fake.machine).status, Status::Ok, "CAP_SYS_NICE");
}

#[test]
fn a_refused_thread_is_a_failure_and_a_granted_one_is_not() {
    let tried = |realtime| Tried {
        realtime,
        ..Tried::default()
    };
    let granted = realtime(&tried(Some(("fifo", Some(55)))));
    assert_eq!(
        (granted.status, granted.found.ends_with("FIFO 55")),
        (Status::Ok, true)
    );
    assert_eq!(
        realtime(&tried(Some(("normal", None)))).status,
        Status::Fail
    );
    assert_eq!(realtime(&tried(None)).status, Status::Fail);
}

#[test]
fn locked_memory_is_enough_little_or_none() {
    for (limit, expected) in [
        ("unlimited", Status::Ok),
        ("1073741824", Status::Ok),
        ("8388608", Status::Warn),
        ("0", Status::Fail),
    ] {
        let fake = limits("0", limit, "unlimited");
        assert_eq!(memlock(&fake.machine).status, expected, "{limit}");
    }
    let fake = limits("0", "0", "unlimited");
    fake.machine
        .put("proc/self/status", "CapEff:\t0000000000004000\n");
    assert_eq!(memlock(&fake.machine).status, Status::Ok, "CAP_IPC_LOCK");
}

#[test]
fn a_time_limit_of_real_time_threads_is_told_in_milliseconds() {
    assert_eq!(
        realtime_time(&limits("0", "0", "unlimited").machine).status,
        Status::Ok
    );
    let finding = realtime_time(&limits("0", "0", "200000").machine);
    assert_eq!(finding.status, Status::Warn);
    assert!(finding.found.contains("200 ms"), "{finding:?}");
}

#[test]
fn throttling_that_leaves_less_than_nine_tenths_is_told() {
    for (runtime, period, expected) in [
        ("950000", "1000000", Status::Ok),
        ("-1", "1000000", Status::Ok),
        ("500000", "1000000", Status::Warn),
        ("0", "1000000", Status::Warn),
        ("1", "0", Status::Unknown),
    ] {
        let fake = fake();
        fake.machine
            .put("proc/sys/kernel/sched_rt_runtime_us", runtime)
            .put("proc/sys/kernel/sched_rt_period_us", period);
        assert_eq!(
            throttling(&fake.machine).status,
            expected,
            "{runtime} of {period}"
        );
    }
}

#[test]
fn groups_are_those_of_this_session() {
    let with = |session: &str, members: &str, priority: &str| {
        let fake = limits(priority, "0", "unlimited");
        fake.machine
            .put(
                "proc/self/status",
                &format!("Uid:\t1000\t1000\nGroups:\t{session} \n"),
            )
            .put(
                "etc/group",
                &format!("root:x:0:\naudio:x:29:{members}\nusers:x:100:ann\n"),
            )
            .put(
                "etc/passwd",
                "root:x:0:0::/:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n",
            );
        groups(&fake.machine)
    };
    assert_eq!(with("29 100", "ann", "0"), Finding::ok("groups", "audio"));
    let promised = with("100", "bob,ann", "0");
    assert_eq!(promised.status, Status::Warn);
    assert!(promised.found.contains("began before"), "{promised:?}");
    let outside = with("100", "bob", "0");
    assert_eq!(outside.status, Status::Warn);
    assert!(outside.advice.unwrap().contains("usermod -aG audio"));
    assert_eq!(with("100", "bob", "95").status, Status::Ok);
    // 290 is not 29, and a part of a name is not the name.
    assert_eq!(
        with("290", "annette", "0").found,
        "this user is in none of audio"
    );
    let root = fake();
    root.machine
        .put("proc/self/status", "Uid:\t0\t0\nGroups:\t\n");
    assert_eq!(groups(&root.machine).status, Status::Ok);
}
