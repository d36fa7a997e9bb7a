//! Preset files: what is wrong is said with file, line, key and what was expected; what is saved
//! reads back the same; a save that fails leaves the old file.

use std::path::Path;

use headroom_engine::preset::{factory, load, parse, save, to_toml};
use headroom_engine::{Catalog, RackSpec};
use headroom_tests::rig::{Rig, lively, rack};
use headroom_tests::signal::programme;

fn same(a: &RackSpec, b: &RackSpec) -> bool {
    let modules = a.modules.iter().zip(&b.modules);
    a.name == b.name
        && a.tags == b.tags
        && a.modules.len() == b.modules.len()
        && modules.into_iter().all(|(a, b)| {
            std::ptr::eq(a.kind, b.kind)
                && (&a.id, a.bypass, a.mix, &a.values) == (&b.id, b.bypass, b.mix, &b.values)
        })
}

fn error(text: &str) -> String {
    let error = parse(text, "test.toml", &Catalog::builtin()).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

#[test]
fn any_single_thing_wrong_is_named_with_its_line_and_what_was_expected() {
    let wrong: &[(&str, &[&str])] = &[
        (
            "",
            &["test.toml:1", "`headroom` is missing", "headroom = 1"],
        ),
        (
            "headroom = 2\n",
            &["test.toml:1", "`headroom` is 2", "expected 1"],
        ),
        (
            "headroom = 1\nnmae = \"x\"\n",
            &["test.toml:2", "`nmae`", "`name`"],
        ),
        (
            "headroom = 1\nname = 3\n",
            &["test.toml:2", "`name` is 3", "a text"],
        ),
        (
            "headroom = 1\ntags = [1]\n",
            &["test.toml:2", "`tags`", "a list of texts"],
        ),
        (
            "headroom = 1\nmodule = 1\n",
            &["test.toml:2", "`module`", "[[module]]"],
        ),
        (
            "headroom = 1\n[[module]]\nid = \"a\"\n",
            &["test.toml:2", "without `kind`", "`gain`"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gian\"\n",
            &["test.toml:3", "\"gian\"", "`gain`"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = 7\n",
            &["test.toml:3", "`kind` is 7", "`gain`"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nid = \"\"\n",
            &["test.toml:4", "`id`", "a name"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[[module]]\nkind = \"gain\"\nid = \"gain\"\n",
            &["test.toml:6", "`id` is \"gain\"", "no other module has"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nbypass = 1\n",
            &["test.toml:4", "`bypass` is 1", "true or false"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nmix = 1.5\n",
            &["test.toml:4", "`mix` is 1.5", "0 to 1"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nmix = nan\n",
            &["test.toml:4", "`mix` is nan", "0 to 1"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nwet = 1\n",
            &["test.toml:4", "`wet`", "`mix`"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\nparams = 1\n",
            &["test.toml:4", "`params`", "table of parameters"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain = 1\n",
            &["test.toml:5", "`gain`", "`gain_db`"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\npan = 0\ngain_db = 99\n",
            &["test.toml:6", "`gain_db` is 99", "-72 to 24 (dB)"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = inf\n",
            &["test.toml:5", "`gain_db` is inf", "-72 to 24 (dB)"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ngain_db = \"loud\"\n",
            &["test.toml:5", "\"loud\"", "a number"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"gain\"\n[module.params]\ninvert_left = 1\n",
            &["test.toml:5", "`invert_left` is 1", "true or false"],
        ),
        (
            "headroom = 1\n[[module]]\nkind = \"compressor\"\n[module.params]\ndetector = \"ear\"\n",
            &["test.toml:5", "\"ear\"", "one of \"peak\", \"rms\""],
        ),
        ("headroom = 1\nname = \n", &["test.toml:2", "expected TOML"]),
        (
            "headroom = 1\nheadroom = 1\n",
            &["test.toml:2", "expected TOML"],
        ),
    ];
    for (text, parts) in wrong {
        let error = error(text);
        for part in *parts {
            assert!(
                error.contains(part),
                "{text:?}\ngave: {error}\nwithout: {part}"
            );
        }
    }
}

#[test]
fn no_text_whatsoever_makes_the_reader_panic() {
    // Every prefix of a good preset, and every byte of it replaced.
    let text = factory()[0].text;
    let catalog = Catalog::builtin();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = parse(&text[..end], "cut", &catalog);
    }
    for (at, other) in text
        .char_indices()
        .step_by(3)
        .zip("\"[]=\n\0é{}".chars().cycle())
    {
        let mut broken = text.to_owned();
        broken.replace_range(at.0..at.0 + at.1.len_utf8(), &other.to_string());
        let _ = parse(&broken, "broken", &catalog);
    }
}

#[test]
fn a_rack_survives_text() {
    let catalog = Catalog::builtin();
    for seed in 0..20 {
        let mut spec = rack(catalog.kinds().iter().map(|kind| lively(kind, seed)));
        spec.name = "A \"name\" with\nmuch in it".into();
        spec.tags = vec!["one".into(), "two".into()];
        spec.modules[0].bypass = true;
        spec.modules[1].mix = 0.1;
        let text = to_toml(&spec);
        let read = parse(&text, "text", &catalog).unwrap();
        assert!(same(&spec, &read), "{text}");
    }
}

#[test]
fn modules_without_an_id_get_one_of_their_own() {
    let text = "headroom = 1\n[[module]]\nkind = \"gain\"\n[[module]]\nkind = \"gain\"\n";
    let spec = parse(text, "text", &Catalog::builtin()).unwrap();
    let ids: Vec<_> = spec
        .modules
        .iter()
        .map(|module| module.id.as_str())
        .collect();
    assert_eq!(ids, ["gain", "gain2"]);
}

#[test]
fn saving_replaces_the_file_whole_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let catalog = Catalog::builtin();
    for seed in 0..3 {
        let spec = rack(catalog.kinds().iter().map(|kind| lively(kind, seed)));
        save(&path, &spec).unwrap();
        assert!(same(&spec, &load(&path, &catalog).unwrap()));
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}

#[test]
fn a_save_that_fails_leaves_the_old_file_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    // A folder of that name cannot be replaced by a file.
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("kept"), "kept").unwrap();
    let error = save(&path, &RackSpec::default()).unwrap_err().to_string();
    assert!(error.contains("mine.toml"), "{error}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    assert!(path.join("kept").exists());

    let nowhere = folder.path().join("not/there.toml");
    let error = save(&nowhere, &RackSpec::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("there.toml"), "{error}");
    let missing = load(Path::new("not-there.toml"), &Catalog::builtin()).unwrap_err();
    assert!(missing.to_string().contains("not-there.toml"), "{missing}");
}

#[test]
fn factory_presets_read_and_do_something_without_clipping() {
    let catalog = Catalog::builtin();
    let names: Vec<_> = factory().iter().map(|factory| factory.name).collect();
    // Programs change by number: new ones come last.
    assert_eq!(names[..3], ["voice", "drum-bus", "master"]);
    let strips = [
        "vocal-strip",
        "drum-strip",
        "mix-bus",
        "guitar",
        "duck",
        "dub",
    ];
    assert_eq!(names[3..], strips);
    for preset in factory() {
        let spec = parse(preset.text, preset.name, &catalog).unwrap();
        assert!(!spec.name.is_empty() && !spec.tags.is_empty());
        let dry: Vec<Vec<f32>> = (0..2)
            .map(|channel| {
                let sound = programme(channel, 48_000, 96_000);
                sound.into_iter().map(|sample| sample * 0.4).collect()
            })
            .collect();
        let mut wet = dry.clone();
        Rig::stereo(&spec).play(&mut wet);
        let peak = headroom_tests::measure::peak(&wet[0]);
        assert!((0.05..1.0).contains(&peak), "{}: {peak}", preset.name);
        let changed = headroom_tests::measure::difference_dbfs(&dry[0], &wet[0]);
        assert!(changed > -30.0, "{}: {changed} dB", preset.name);
    }
}

#[test]
fn strips_have_one_of_each_module_at_most_and_keep_the_level_of_a_programme() {
    let catalog = Catalog::builtin();
    for preset in factory() {
        let spec = parse(preset.text, preset.name, &catalog).unwrap();
        let mut kinds: Vec<_> = spec.modules.iter().map(|module| module.kind.id).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let fits = kinds.len() == spec.modules.len();
        assert_eq!(
            fits,
            !["voice", "drum-bus"].contains(&preset.name),
            "{}",
            preset.name
        );
        let is_strip = spec.tags.iter().any(|tag| tag == "strip");
        assert_eq!(is_strip, fits && preset.name != "master", "{}", preset.name);
        if !is_strip || preset.name == "duck" {
            continue;
        }
        let dry: Vec<Vec<f32>> = (0..2)
            .map(|channel| {
                let sound = programme(channel, 48_000, 240_000);
                sound.into_iter().map(|sample| sample * 0.4).collect()
            })
            .collect();
        let mut wet = dry.clone();
        Rig::stereo(&spec).play(&mut wet);
        let rms_db = |sound: &[Vec<f32>]| {
            let power: f64 = sound.iter().flatten().map(|s| f64::from(*s).powi(2)).sum();
            10.0 * (power / sound.concat().len() as f64).log10()
        };
        let changed = rms_db(&wet) - rms_db(&dry);
        println!("{}: {changed:.2} dB", preset.name);
        assert!(changed.abs() < 3.0, "{}: {changed} dB", preset.name);
    }
}
