//! `headroom play --memory`: every byte of what plays has an owner and a place, and the system says the same.

mod play_common;

use play_common::play;
use play_common::report;
use play_common::sine;
use play_common::stderr;
use serde_json::Value;

const ARGS: [&str; 11] = [
    "--backend",
    "null",
    "--input",
    "sine.wav",
    "--loop",
    "--seconds",
    "0.6",
    "--preset",
    "voice",
    "--memory",
    "--record",
];

fn memory() -> Value {
    played()["memory"].take()
}

fn played() -> Value {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 20_000);
    let args = [&ARGS[..], &["take.wav", "--json"]].concat();
    report(&mut play(place.path(), &args))
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().unwrap()
}

fn bytes(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("{key}: {of}"))
}

fn start(of: &Value, key: &str) -> u64 {
    let text = of[key].as_str().unwrap();
    u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap()
}

#[test]
fn the_parts_around_the_engine_stand_beside_its_own_and_none_lies_on_another() {
    let memory = memory();
    let parts = list(&memory, "parts");
    let has = |owner: &str, name: &str| {
        let found = parts
            .iter()
            .find(|part| part["owner"] == owner && part["name"] == name);
        bytes(found.unwrap_or_else(|| panic!("{owner}: {name}")), "bytes")
    };
    for (owner, name, least) in [
        ("engine", "commands", 1),
        ("tone", "arena", 4_096),
        ("player", "itself", 256),
        ("player", "left", 4 * 256),
        // Two channels of f32: a second read ahead, ten seconds on the way to the disk.
        ("reader", "frames read ahead", 8 * 48_000),
        ("stacks", "collector", 64 << 10),
        ("stacks", "reader", 64 << 10),
    ] {
        assert!(has(owner, name) >= least, "{owner}: {name}");
    }
    if cfg!(target_os = "linux") {
        assert!(has("stacks", "audio thread") >= 1 << 20);
    }
    let mut places: Vec<[u64; 2]> = parts
        .iter()
        .filter(|part| part["inside"] == false && bytes(part, "bytes") > 0)
        .map(|part| [start(part, "address"), bytes(part, "bytes")])
        .collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        assert!(pair[0][0] + pair[0][1] <= pair[1][0], "{pair:x?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn each_mapping_of_ours_adds_up_to_what_the_system_says_and_the_rest_has_a_name() {
    let memory = memory();
    let mappings = &memory["mappings"];
    assert_eq!(mappings["astray_bytes"], 0, "{mappings}");
    assert_eq!(mappings["ours_bytes"], memory["bytes"]);
    let (mut rss, mut present) = (0, 0);
    for mapping in list(mappings, "list") {
        let [all, ours, rest] =
            ["rss_bytes", "ours_present_bytes", "rest_bytes"].map(|key| bytes(mapping, key));
        assert_eq!(all, ours + rest, "{mapping}");
        assert_ne!(mapping["name"], "", "{mapping}");
        rss += all;
        present += ours;
    }
    assert_eq!(
        [rss, present],
        ["rss_bytes", "ours_present_bytes"].map(|key| bytes(mappings, key))
    );
    // All but the stacks was touched before it was needed.
    for part in list(&memory, "parts") {
        let is_stack = part["sort"] == "stack";
        assert!(is_stack || part["prefaulted"] == true, "{part}");
    }
    // The threads that are not ours in name are told apart all the same.
    let names: Vec<_> = list(mappings, "list")
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert!(names.iter().any(|name| *name == "[heap]"), "{names:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_shared_with_a_screen_is_held_in_memory_where_all_is() {
    let report = played();
    let limit_bytes = &report["rights"]["memlock_limit_bytes"];
    let mappings = list(&report["memory"]["mappings"], "list");
    let is_shared = |mapping: &&Value| mapping["name"].as_str().unwrap().contains("memfd:headroom");
    let shared: Vec<_> = mappings.iter().filter(is_shared).collect();
    assert!(!shared.is_empty(), "{mappings:?}");
    for mapping in shared {
        let [rss, locked] = ["rss_bytes", "locked_bytes"].map(|key| bytes(mapping, key));
        assert!(rss > 1 << 20, "{mapping}");
        // Under a limit there may be too little left for it; the line of rights tells so.
        assert!(locked == rss || !limit_bytes.is_null(), "{mapping}");
    }
}

#[test]
fn people_get_the_map_below_the_report() {
    let place = tempfile::tempdir().unwrap();
    sine(place.path(), 48_000, 20_000);
    let args = [&ARGS[..], &["take.wav"]].concat();
    let output = play(place.path(), &args).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["reader", "frames read ahead", "audio thread"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
