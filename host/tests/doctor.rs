//! `headroom doctor` as users run it: on this very machine, whatever it is.

mod play_common;

use play_common::headroom;
use play_common::stderr;

#[test]
fn it_says_of_each_check_how_it_stands_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let output = headroom(place.path(), &["doctor", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    for finding in findings {
        let status = finding["status"].as_str().unwrap();
        assert!(
            ["ok", "warn", "fail", "unknown"].contains(&status),
            "{finding}"
        );
        assert!(!finding["found"].as_str().unwrap().is_empty(), "{finding}");
        let complains = matches!(status, "warn" | "fail");
        assert_eq!(finding["advice"].is_string(), complains, "{finding}");
    }
    let status_of = |id: &str| {
        let found = findings.iter().find(|finding| finding["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}"))["status"].clone()
    };
    // The tests' own surroundings have no audio system.
    assert_eq!(status_of("devices"), "fail");
    assert_eq!(status_of("device-jack"), "unknown");
    if cfg!(target_os = "linux") {
        // What it tried is what the machine does for another program.
        let mut chrt = std::process::Command::new("chrt");
        let allowed = chrt.args(["-f", "55", "true"]).output().unwrap();
        let expected = if allowed.status.success() {
            "ok"
        } else {
            "fail"
        };
        assert_eq!(status_of("realtime"), expected);
        assert_ne!(status_of("shared-memory"), "unknown");
    }
    assert!(
        std::fs::read_dir(place.path()).unwrap().next().is_none(),
        "it left something"
    );
}

#[test]
fn people_get_lines_and_a_sum() {
    let place = tempfile::tempdir().unwrap();
    let output = headroom(place.path(), &["doctor"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("FAIL  devices"), "{text}");
    let sum = text.lines().last().unwrap();
    assert!(sum.contains(" ok, ") && sum.ends_with(" unknown"), "{sum}");
}
