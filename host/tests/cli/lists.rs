use super::*;
use serde_json::Value;

fn array(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn modules_lists_every_parameter_with_its_range() {
    let place = Place::new();
    let modules = array(&place.succeed(&["modules", "--json"]));
    let gain = modules
        .iter()
        .find(|module| module["kind"] == "gain")
        .expect("a gain module");
    assert!(
        modules.len() >= 2
            || gain["params"]
                .as_array()
                .is_some_and(|params| !params.is_empty())
    );
    let text = place.succeed(&["modules"]);
    for module in &modules {
        assert!(text.contains(module["kind"].as_str().unwrap()));
        for param in module["params"].as_array().unwrap() {
            for key in ["id", "name", "unit"] {
                assert!(param[key].is_string(), "{key} of {param}");
            }
            let number = |key: &str| {
                param[key]
                    .as_f64()
                    .unwrap_or_else(|| panic!("{key} of {param}"))
            };
            assert!(number("min") < number("max"), "{param}");
            assert!(
                (number("min")..=number("max")).contains(&number("default")),
                "{param}"
            );
            assert!(text.contains(param["id"].as_str().unwrap()));
        }
    }
}

#[test]
fn presets_lists_the_built_in_ones() {
    let place = Place::new();
    let presets = array(&place.succeed(&["presets", "--json"]));
    let text = place.succeed(&["presets"]);
    for name in ["voice", "drum-bus", "master"] {
        let preset = presets
            .iter()
            .find(|preset| preset["name"] == name)
            .unwrap_or_else(|| panic!("no {name}"));
        assert!(!preset["modules"].as_array().unwrap().is_empty());
        assert!(preset["tags"].is_array());
        assert!(text.contains(name));
    }
}

#[test]
fn presets_of_the_users_own_are_listed_and_found_by_name() {
    let place = Place::new();
    let folder = place.path("config/headroom/presets");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("mine.toml"), NEUTRAL).unwrap();
    fs::write(folder.join("broken.toml"), "headroom = 1\nwhat = 2\n").unwrap();
    let output = place.run(&["presets", "--json"]);
    assert!(output.status.success());
    let presets = array(std::str::from_utf8(&output.stdout).unwrap());
    let mine = presets
        .iter()
        .find(|preset| preset["name"] == "mine")
        .expect("mine");
    assert_eq!(
        (mine["title"].as_str(), mine["origin"].as_str()),
        (Some("Neutral"), Some("user"))
    );
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("broken.toml:2"), "{complaint}");
    place.write("in.wav", wav_s16(1, 48_000, &[0; 100]));
    place.succeed(&["render", "in.wav", "out.wav", "--preset", "mine"]);
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_early_is_no_error_worth_a_word() {
    let place = Place::new();
    let mut child = place
        .command(&["modules", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
