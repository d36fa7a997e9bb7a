//! `headroom memory`.

use super::*;
use serde_json::Value;

fn map(place: &Place) -> Value {
    serde_json::from_str(&place.succeed(&["memory", "--preset", "voice", "--json"])).unwrap()
}

#[test]
fn the_map_names_every_owner_and_adds_up() {
    let place = Place::new();
    let map = map(&place);
    let sum = |list: &Value, wanted: &dyn Fn(&Value) -> bool| -> u64 {
        let list = list.as_array().unwrap().iter().filter(|part| wanted(part));
        list.map(|part| part["bytes"].as_u64().unwrap()).sum()
    };
    let all = map["bytes"].as_u64().unwrap();
    assert_eq!(sum(&map["owners"], &|_| true), all);
    assert_eq!(sum(&map["parts"], &|part| part["inside"] == false), all);
    // Five seconds of echo in two channels.
    assert!(all > 5 * 48_000 * 2 * 4, "{all}");
    let names: Vec<&str> = map["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| owner["owner"].as_str().unwrap())
        .collect();
    for owner in ["engine", "rack", "tone", "room"] {
        assert!(names.contains(&owner), "{names:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_says_the_same_of_the_map() {
    let place = Place::new();
    let map = map(&place);
    let mappings = &map["mappings"];
    assert_eq!(mappings["ours_bytes"], map["bytes"]);
    assert_eq!(mappings["astray_bytes"], 0);
    // Where our regions lie, what is present is at least what is ours: nothing was left to fault in.
    for mapping in mappings["list"].as_array().unwrap() {
        let bytes = |key: &str| mapping[key].as_u64().unwrap();
        assert!(bytes("rss_bytes") >= bytes("ours_bytes"), "{mapping}");
    }
}

#[test]
fn a_strip_fits_a_small_device_and_a_delay_does_not() {
    let place = Place::new();
    let strip = [
        "headroom = 1",
        "name = \"Strip\"",
        "[[module]]",
        "kind = \"gain\"",
        "[[module]]",
        "kind = \"eq\"",
        "[[module]]",
        "kind = \"compressor\"",
    ];
    place.write("strip.toml", strip.join("\n"));
    let small = ["--block", "32", "--small", "--budget", "32KiB"];
    let text = place.succeed(&[&["memory", "--preset", "strip.toml"], &small[..]].concat());
    assert!(text.starts_with("Strip: 25."), "{text}");
    let large = [&strip[..], &["[[module]]", "kind = \"delay\""]].concat();
    place.write("large.toml", large.join("\n"));
    let refused = place.run(&[&["memory", "--preset", "large.toml"], &small[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    // The largest first.
    assert!(said.starts_with("delay "), "{said}");
    assert!(said.contains("the budget is 32768"), "{said}");
}

#[test]
fn the_picture_is_a_png_and_a_folder_that_is_not_there_is_told() {
    let place = Place::new();
    place.succeed(&["memory", "--plot", "map.png"]);
    let png = fs::read(place.path("map.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"), "{} bytes", png.len());
    let said = place.fail(&["memory", "--plot", "nowhere/map.png"]);
    assert!(said.contains("nowhere/map.png"), "{said}");
}

#[test]
fn numbers_out_of_range_are_told() {
    let place = Place::new();
    for (args, told) in [
        (["--rate", "1"], "1000 to 1536000"),
        (["--rate", "-1"], "1000 to 1536000"),
        (["--block", "0"], "1"),
        (["--block", "-5"], "1 to 8192"),
        (["--budget", "much"], "64KiB"),
    ] {
        let said = place.fail(&[&["memory"], &args[..]].concat());
        assert!(said.contains(told), "{args:?}: {said}");
    }
}
