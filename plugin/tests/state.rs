//! What hosts save: every state that was ever saved is read as it was meant, and what cannot be leaves
//! the strip as it was.

mod host;

use std::path::Path;

use headroom_engine::preset::factory;
use host::{Instance, Random, framed, json_of, load, noise, state_of};

const RACK: &str = r#"headroom = 1
name = "Kept"
tags = ["test"]

[[module]]
kind = "compressor"
id = "level"
mix = 0.8

[module.params]
threshold_db = -26.3

[[module]]
kind = "gain"
id = "gain"
bypass = true

[module.params]
gain_db = -3.3
"#;

fn rack_of(instance: &mut Instance) -> String {
    let json = json_of(&instance.save());
    json["fields"]["rack"].as_str().expect("a text").to_owned()
}

fn place(instance: &mut Instance, name: &str) -> f64 {
    let id = instance.id(&format!("{name} Place"));
    instance.value(id)
}

#[test]
fn a_preset_comes_back_as_it_was_loaded_byte_by_byte() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(RACK);
    assert_eq!(rack_of(&mut instance), RACK);
    assert_eq!(place(&mut instance, "Compressor"), 1.0);
    assert_eq!(place(&mut instance, "Gain"), 2.0);
    assert_eq!(place(&mut instance, "Delay"), 0.0);
    let threshold = instance.id("Compressor Threshold");
    let value = instance.value(threshold);
    assert_eq!(instance.text(threshold, value), "-26.3 dB");
}

#[test]
fn whatever_parameters_stand_at_a_state_brings_them_back() {
    let entry = load();
    let mut random = Random(23);
    for _ in 0..20 {
        let mut one = Instance::new(&entry);
        let sets: Vec<_> = one
            .list()
            .into_iter()
            .map(|(id, _, _, max)| {
                let value = random.unit() * max;
                (id, if max > 1.0 { value.round() } else { value })
            })
            .collect();
        one.set(&sets);
        let state = one.save();
        let mut other = Instance::new(&entry);
        assert!(other.load_state(&state));
        assert_eq!(other.values(), one.values());
        assert_eq!(json_of(&other.save()), json_of(&state));
        // Over what was there before, too.
        one.set(&sets.iter().map(|(id, _)| (*id, 0.0)).collect::<Vec<_>>());
        assert!(one.load_state(&state));
        assert_eq!(one.values(), other.values());
    }
}

#[test]
fn an_order_that_was_made_by_places_is_kept_and_heard() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.start(48_000.0, 512);
    instance.stop();
    let (gain, delay) = (instance.id("Gain Place"), instance.id("Delay Place"));
    instance.set(&[(gain, 9.0), (delay, 4.0)]);
    let rack = rack_of(&mut instance);
    let kinds: Vec<_> = rack
        .lines()
        .filter(|line| line.starts_with("kind"))
        .collect();
    assert_eq!(kinds, ["kind = \"delay\"", "kind = \"gain\""]);
    instance.start(48_000.0, 512);
    let mut impulse = vec![vec![0.0_f32; 512]; 2];
    impulse[0][0] = 1.0;
    instance.process(&impulse, &[]);
    let mut rings = false;
    for _ in 0..40 {
        let output = instance.process(&vec![vec![0.0_f32; 512]; 2], &[]);
        rings |= output[0].iter().any(|sample| sample.abs() > 0.1);
    }
    assert!(rings, "the delay's echo");
}

/// States that cannot be: all parameters and the rack stay.
#[test]
fn what_cannot_be_leaves_the_strip_as_it_was() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(RACK);
    instance.start(48_000.0, 1_024);
    let (before, values) = (instance.save(), instance.values());
    let input = noise(29, 2, 1_024);
    let sound = {
        let mut fresh = Instance::new(&entry);
        fresh.load_preset(RACK);
        fresh.start(48_000.0, 1_024);
        fresh.process(&input, &[])
    };
    let good = json_of(&before).to_string();
    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![1, 2, 3],
        framed(""),
        framed("null"),
        framed("{}"),
        framed(r#"{"params":{},"fields":{}}"#),
        // Another nice-plug plugin's.
        framed(r#"{"version":"1","params":{"gain":{"f32":0.5}},"fields":{"name":"\"x\""}}"#),
        state_of("headroom = 2\n"),
        state_of("headroom = 1\n[[module]]\nkind = \"no such\"\n"),
        state_of("headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = 900.0\n"),
        state_of("headroom = 1\n[[module]]\nkind = \"eq\"\n[[module]]\nkind = \"eq\"\n"),
        framed(&good.replace(r#""format":"1""#, r#""format":"2""#)),
        framed(&good.replace(r#""gain.width":{"f32":0.5}"#, r#""gain.width":{"f32":1.5}"#)),
        framed(&good.replace(
            r#""gain.width":{"f32":0.5}"#,
            r#""gain.width":{"bool":true}"#,
        )),
        framed(&good.replace(r#""gain.place":{"i32":2}"#, r#""gain.place":{"i32":65}"#)),
        framed(&good.replace(r#""gain.place":{"i32":2}"#, r#""gain.place":{"i32":-1}"#)),
    ];
    for bad in &bad[10..] {
        assert_ne!(bad, &framed(&good), "it is damaged");
    }
    // Cut anywhere.
    bad.extend(
        (0..before.len())
            .step_by(97)
            .map(|end| before[..end].to_vec()),
    );
    for (at, state) in bad.iter().enumerate() {
        instance.load_state(state);
        assert_eq!(instance.values(), values, "state {at}");
        assert_eq!(json_of(&instance.save()), json_of(&before), "state {at}");
    }
    assert_eq!(
        instance.process(&input, &[]),
        sound,
        "it plays on as it would have"
    );
    instance.load_preset("headroom = 1\n");
    assert_eq!(
        place(&mut instance, "Gain"),
        0.0,
        "a good one is taken after all of them"
    );
}

#[test]
fn a_byte_that_is_changed_anywhere_is_taken_whole_or_not_at_all() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    instance.load_preset(RACK);
    let before = instance.save();
    let mut random = Random(31);
    for _ in 0..600 {
        let mut state = before.clone();
        let at = 8 + random.below(state.len() - 8);
        state[at] = (random.next() & 0x7f) as u8;
        let mut other = Instance::new(&entry);
        other.load_state(&state);
        let taken = other.save();
        let mut fresh = Instance::new(&entry);
        // What it has become can be saved and loaded: nothing half.
        assert!(fresh.load_state(&taken));
        assert_eq!(json_of(&fresh.save()), json_of(&taken));
    }
}

#[test]
fn why_a_state_is_refused_is_said_in_a_line() {
    use headroom_engine::Catalog;
    use nice_plug::prelude::PluginState;
    let refusal = |state: Vec<u8>| {
        let mut state: PluginState = serde_json::from_value(json_of(&state)).expect("a state");
        headroom_plugin::check(&mut state, &Catalog::builtin())
            .expect_err("it is refused")
            .to_string()
    };
    let twice = state_of("headroom = 1\n[[module]]\nkind = \"eq\"\n[[module]]\nkind = \"eq\"\n");
    assert!(refusal(twice).starts_with("the rack has `eq` twice: expected one of each"));
    let unknown = state_of("headroom = 1\n[[module]]\nkind = \"no such\"\n");
    let unknown = refusal(unknown);
    assert!(unknown.starts_with("state:3: "), "{unknown}");
    let newer = state_of("headroom = 1\n");
    let newer = String::from_utf8_lossy(&newer[8..]).replace(r#""format":"1""#, r#""format":"7""#);
    assert!(refusal(framed(&newer)).contains("format 7: expected 1 to 1"));
    let foreign = framed(r#"{"version":"1","params":{},"fields":{}}"#);
    assert!(refusal(foreign).contains("no state of Headroom's"));
}

/// `states/NAME.json` was saved by some version; `states/NAME.toml` is the rack that it must give. Files
/// are added and never changed.
#[test]
fn every_state_that_was_ever_saved_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states");
    let entry = load();
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("the corpus") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let json = std::fs::read_to_string(&path).expect("it can be read");
        let rack = std::fs::read_to_string(path.with_extension("toml")).expect("its rack");
        let mut instance = Instance::new(&entry);
        assert!(instance.load_state(&framed(&json)), "{}", path.display());
        assert_eq!(rack_of(&mut instance), rack, "{}", path.display());
        let old: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let now = json_of(&instance.save());
        for (id, value) in old["params"].as_object().expect("parameters") {
            assert_eq!(&now["params"][id], value, "{}: {id}", path.display());
        }
        instance.start(48_000.0, 256);
        let output = instance.process(&noise(1, 2, 256), &[]);
        assert!(output.iter().flatten().all(|sample| sample.is_finite()));
        count += 1;
    }
    assert!(count >= 4, "{count} states");
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[test]
fn no_state_of_the_corpus_has_changed_or_gone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/states");
    let list = include_str!("data/states.txt");
    let frozen: Vec<_> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut now: Vec<_> = std::fs::read_dir(&folder)
        .expect("the corpus")
        .map(|file| {
            let file = file.expect("a file");
            let bytes = std::fs::read(file.path()).expect("it can be read");
            format!(
                "{} {:016x}",
                file.file_name().to_string_lossy(),
                hash(&bytes)
            )
        })
        .collect();
    now.sort_unstable();
    for line in &frozen {
        assert!(now.iter().any(|now| now == line), "frozen: `{line}`");
    }
    assert_eq!(now, frozen, "what is new goes into data/states.txt");
    assert!(frozen.len() >= 10);
}

/// Writes states of now, for the corpus: `HEADROOM_STATES=folder cargo test ...`.
#[test]
fn states_of_now_can_be_written_for_the_corpus() {
    let entry = load();
    let folder = std::env::var_os("HEADROOM_STATES");
    let kept = tempfile::tempdir().expect("a folder");
    let folder = folder.map_or_else(|| kept.path().to_owned(), Into::into);
    let preset = |name: &str| {
        let found = factory().iter().find(|preset| preset.name == name);
        found.expect("it is built in").text
    };
    let racks = [
        ("empty", "headroom = 1\n"),
        ("kept", RACK),
        ("master", preset("master")),
        ("moved", RACK),
        ("duck", preset("duck")),
    ];
    for (name, rack) in racks {
        let mut instance = Instance::new(&entry);
        instance.load_preset(rack);
        if name == "moved" {
            let mut random = Random(67);
            let list = instance.list().into_iter();
            let moved = list.map(|(id, _, _, max)| (id, (random.unit() * max).round()));
            let moved: Vec<_> = moved.collect();
            instance.set(&moved);
        }
        let state = instance.save();
        let path = folder.join(format!("{}-{name}.json", env!("CARGO_PKG_VERSION")));
        std::fs::write(path.with_extension("json"), &state[8..]).expect("it is written");
        let text = json_of(&state)["fields"]["rack"]
            .as_str()
            .map(str::to_owned);
        std::fs::write(path.with_extension("toml"), text.expect("a rack")).expect("it is written");
    }
}

#[test]
fn the_presets_that_are_offered_are_those_that_can_be_loaded() {
    let offered = headroom_plugin::presets(&headroom_engine::Catalog::builtin());
    let offered: Vec<_> = offered.iter().map(|preset| preset.name).collect();
    let entry = load();
    for preset in factory() {
        let mut instance = Instance::new(&entry);
        instance.load_state(&host::state_of(preset.text));
        let is_in = rack_of(&mut instance).contains("[[module]]");
        assert_eq!(is_in, offered.contains(&preset.name), "{}", preset.name);
    }
    assert!(offered.len() >= 6, "{offered:?}");
}
