//! What `headroom play` takes of the system's rights, says of them, and does without them: the program runs
//! under limits that the test sets, as a user without privileges.

#![cfg(target_os = "linux")]

mod play_common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use play_common::assert_real_time;
use play_common::play;
use play_common::report_of;
use play_common::stderr;

const SHORT: [&str; 5] = ["--backend", "null", "--seconds", "0.4", "--json"];

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Plays under `limits` (as `prlimit` takes them), as nobody where the test itself has privileges.
fn play_limited(limits: &[&str]) -> Output {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    // A copy, since the program may lie where nobody may look.
    let program = folder.join("headroom");
    std::fs::copy(env!("CARGO_BIN_EXE_headroom"), &program).unwrap();
    let open_to_all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder, open_to_all).unwrap();
    let plain = play(folder, &SHORT);
    let mut command = Command::new("prlimit");
    command.args(limits).arg("--");
    if is_root() {
        command.args([
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ]);
    }
    command.arg(program).args(plain.get_args());
    take_environment(&mut command, &plain, folder);
    command
        .output()
        .expect("this test needs the program `prlimit`: install the package `util-linux`")
}

fn take_environment(command: &mut Command, plain: &Command, folder: &Path) {
    command
        .current_dir(folder)
        .stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

fn line(output: &Output) -> String {
    let said = stderr(output);
    let mut lines = said.lines().filter(|line| line.contains(" rights: "));
    let line = lines.next().unwrap_or_else(|| panic!("{said}"));
    assert_eq!(lines.next(), None, "said once: {said}");
    line.to_owned()
}

#[test]
fn what_the_system_allows_is_taken_and_said() {
    let place = tempfile::tempdir().unwrap();
    let output = play(place.path(), &SHORT).output().unwrap();
    let report = report_of(&output);
    assert_real_time(&report);
    let rights = &report["rights"];
    // Whether this machine allows it is asked of it by another program.
    let mut chrt = Command::new("chrt");
    let allowed = chrt
        .args(["-f", "55", "true"])
        .output()
        .unwrap()
        .status
        .success();
    assert_eq!(
        rights["scheduling"],
        if allowed { "fifo" } else { "normal" }
    );
    assert_eq!(report["realtime"], allowed, "{report}");
    assert_eq!(line(&output).contains("FIFO, priority 55"), allowed);
    if allowed {
        assert_eq!(rights["priority"], 55);
    }
    // The racks fit into any usual limit.
    assert!(rights["audio_bytes"].as_u64().unwrap() > 0, "{rights}");
    assert_eq!(
        rights["audio_bytes"], rights["audio_locked_bytes"],
        "{rights}"
    );
    if rights["memlock_limit_bytes"].is_null() {
        assert_eq!(rights["unlocked_bytes"], 0, "{rights}");
    }
    let bytes = |name: &str| rights[name].as_u64().unwrap();
    assert!(
        bytes("locked_bytes") > bytes("audio_locked_bytes"),
        "{rights}"
    );
}

#[test]
fn without_any_right_it_plays_and_says_how_to_get_them() {
    let output = play_limited(&["--rtprio=0:0", "--memlock=0:0"]);
    let report = report_of(&output);
    assert_eq!(report["frames"], 19_200);
    assert_eq!(report["audio_thread"]["allocations"], 0);
    let rights = &report["rights"];
    assert_eq!(rights["scheduling"], "normal");
    assert!(rights["priority"].is_null());
    assert_eq!(rights["priority_limit"], 0);
    assert_eq!(rights["locked_bytes"], 0);
    assert_eq!(rights["audio_locked_bytes"], 0);
    assert_eq!(rights["memlock_limit_bytes"], 0);
    let line = line(&output);
    for part in [
        "no real-time scheduling",
        "limits.d",
        "@audio - rtprio 95",
        "@audio - memlock unlimited",
        "headroom doctor",
    ] {
        assert!(line.contains(part), "no {part} in {line}");
    }
}

#[test]
fn a_lower_priority_is_taken_where_the_limit_ends_below_ours() {
    // Whether this machine lets a user have it at all, and us give it, is asked of it by another program.
    let mut chrt = Command::new("prlimit");
    chrt.args(["--rtprio=10:30", "--", "chrt", "-f", "30", "true"]);
    let allowed = is_root() && chrt.output().unwrap().status.success();
    if !allowed {
        eprintln!("not tried: real-time priorities are not to be had here");
        return;
    }
    let output = play_limited(&["--rtprio=10:30"]);
    let report = report_of(&output);
    let rights = &report["rights"];
    assert_eq!(rights["scheduling"], "fifo", "{rights}");
    assert_eq!(rights["priority"], 30, "{rights}");
    assert_eq!(rights["priority_limit"], 30, "{rights}");
    assert_eq!(report["realtime"], true, "{report}");
    assert!(
        line(&output).contains("FIFO, priority 30"),
        "{}",
        line(&output)
    );
}

#[test]
fn a_small_limit_is_used_and_never_passed() {
    let output = play_limited(&["--memlock=8388608:8388608"]);
    let report = report_of(&output);
    let rights = &report["rights"];
    let bytes = |name: &str| rights[name].as_u64().unwrap();
    assert_eq!(
        rights["audio_bytes"], rights["audio_locked_bytes"],
        "{rights}"
    );
    assert!(
        bytes("locked_bytes") > bytes("audio_locked_bytes"),
        "{rights}"
    );
    // Room is left for the next two racks.
    assert!(
        bytes("locked_bytes") + 2 * bytes("audio_bytes") <= 8_388_608,
        "{rights}"
    );
    assert!(bytes("unlocked_bytes") > 0, "{rights}");
    assert!(
        line(&output).contains("(limit 8.4 MB)"),
        "{}",
        line(&output)
    );
}

#[test]
fn what_the_hard_limits_allow_is_taken_and_what_ends_the_program_is_told() {
    let output = play_limited(&["--memlock=65536:8388608", "--rttime=200000:200000"]);
    let rights = &report_of(&output)["rights"];
    assert_eq!(rights["memlock_limit_bytes"], 8_388_608);
    assert_eq!(rights["realtime_limit_us"], 200_000);
    assert!(line(&output).contains("200 ms"), "{}", line(&output));

    let output = play_limited(&["--rttime=200000:unlimited"]);
    assert!(report_of(&output)["rights"]["realtime_limit_us"].is_null());
    assert!(
        !line(&output).contains("RLIMIT_RTTIME"),
        "{}",
        line(&output)
    );
}
