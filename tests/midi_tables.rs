//! The `[[midi]]` tables of a preset: what is wrong is said with its line and what was expected,
//! what is right reads back, and saving leaves the rest of a file as its author wrote it.

use headroom_engine::preset::{
    MAX_BINDINGS, MidiBinding, MidiSource, MidiTarget, load, parse, to_toml, update,
};
use headroom_engine::{Catalog, Change, Kind, Param, RackSpec, Unit};
use headroom_tests::rig::{Blocks, Rig, module, rack};

const RACK: &str = "headroom = 1\n\
    [[module]]\nkind = \"eq\"\n\
    [[module]]\nkind = \"delay\"\nid = \"echo\"\n";

fn rack_with(table: &str) -> Result<RackSpec, String> {
    let text = format!("{RACK}[[midi]]\n{table}");
    parse(&text, "rack.toml", &Catalog::builtin()).map_err(|error| error.to_string())
}

fn binding(table: &str) -> MidiBinding {
    let mut rack = rack_with(table).unwrap_or_else(|error| panic!("{table}: {error}"));
    rack.midi.remove(0)
}

#[test]
fn any_single_thing_wrong_with_a_midi_table_is_named_with_its_line() {
    // The table starts at line 7; its first key is on line 8.
    for (table, parts) in [
        (
            "param = \"eq.band1_q\"",
            &["rack.toml:7", "without `cc` or `note`", "`cc = 0`"][..],
        ),
        ("cc = 7", &["rack.toml:7", "moves nothing", "`bypass`"]),
        (
            "cc = 120\nmute = true",
            &["rack.toml:8", "`cc` is 120", "0 to 119"],
        ),
        (
            "cc = -1\nmute = true",
            &["rack.toml:8", "`cc` is -1", "0 to 119"],
        ),
        (
            "note = 128\nmute = true",
            &["rack.toml:8", "`note` is 128", "0 to 127"],
        ),
        (
            "cc = 7\nnote = 7\nmute = true",
            &["rack.toml:9", "`note` beside another", "only one"],
        ),
        (
            "cc = 7\nmute = true\nbypass = \"eq\"",
            &["rack.toml:10", "`bypass` beside another"],
        ),
        (
            "cc = 7\nchannel = 0\nmute = true",
            &["rack.toml:9", "`channel` is 0", "1 to 16"],
        ),
        (
            "cc = 7\nchannel = 17\nmute = true",
            &["rack.toml:9", "`channel` is 17", "1 to 16"],
        ),
        (
            "cc = 7\nmute = false",
            &["rack.toml:9", "`mute` is false", "expected true"],
        ),
        (
            "cc = 7\nbypass = \"ech\"",
            &["rack.toml:9", "`bypass` is \"ech\"", "`eq`, `echo`"],
        ),
        (
            "cc = 7\nmix = \"reverb\"",
            &["rack.toml:9", "`mix` is \"reverb\"", "`eq`, `echo`"],
        ),
        (
            "cc = 7\nparam = \"band1\"",
            &["rack.toml:9", "\"band1\"", "MODULE.PARAMETER"],
        ),
        (
            "cc = 7\nparam = \"equ.band1_freq_hz\"",
            &["rack.toml:9", "equ.band1", "`eq`, `echo`"],
        ),
        (
            "cc = 7\nparam = \"eq.band9_freq_hz\"",
            &["rack.toml:9", "`band1_freq_hz`"],
        ),
        (
            "cc = 7\nparam = \"eq.band1_freq_hz\"\nmin = 1.0",
            &["rack.toml:10", "`min` is 1.0", "10 to"],
        ),
        (
            "cc = 7\nparam = \"eq.band1_freq_hz\"\nmax = \"x\"",
            &["rack.toml:10", "`max`", "a number"],
        ),
        (
            "cc = 7\nmute = true\nmin = 1.0",
            &["rack.toml:10", "`min`", "beside `param`"],
        ),
        (
            "cc = 40\nfine = true\nmute = true",
            &["rack.toml:9", "`fine`", "0 to 31"],
        ),
        (
            "note = 4\nfine = true\nmute = true",
            &["rack.toml:9", "`fine`", "0 to 31"],
        ),
        (
            "note = 4\nparam = \"eq.band1_freq_hz\"",
            &["rack.toml:7", "no switch", "`bypass`"],
        ),
        (
            "cc = 4\nmix = \"eq\"\ntoggle = true",
            &["rack.toml:10", "`toggle`", "`mute`"],
        ),
        (
            "cc = 4\nmute = true\ncurve = 2",
            &["rack.toml:10", "unknown key `curve`", "`channel`"],
        ),
    ] {
        let error = rack_with(table).expect_err(table);
        assert!(!error.contains('\n'), "one line: {error}");
        for part in parts {
            assert!(error.contains(part), "{table:?}: no `{part}` in {error}");
        }
    }
    let error = parse("headroom = 1\nmidi = 3\n", "x", &Catalog::builtin()).unwrap_err();
    assert!(error.to_string().contains("[[midi]] tables"), "{error}");
}

#[test]
fn a_parameter_that_would_rebuild_its_module_is_refused() {
    static PARAMS: [Param; 2] = [
        Param::linear("gain_db", "Gain", Unit::Decibels, (-6.0, 6.0), 0.0),
        Param::linear("ahead_ms", "Ahead", Unit::Milliseconds, (0.0, 9.0), 1.0).structural(),
    ];
    static LATE: std::sync::LazyLock<Kind> = std::sync::LazyLock::new(|| Kind {
        id: "late",
        name: "Late",
        about: "Not built here.",
        face: headroom_engine::Face::PLAIN,
        params: &PARAMS,
        build: module("gain").kind.build,
    });
    let catalog = Catalog::builtin().with(&LATE);
    let text = "headroom = 1\n[[module]]\nkind = \"late\"\n\
        [[midi]]\ncc = 1\nparam = \"late.ahead_ms\"\n";
    let error = parse(text, "x", &catalog).unwrap_err().to_string();
    assert!(error.starts_with("x:6:"), "{error}");
    assert!(error.contains("no rebuilding: one of `gain_db`"), "{error}");
}

#[test]
fn one_table_too_many_is_refused() {
    let mut text = RACK.to_owned();
    for _ in 0..MAX_BINDINGS {
        text.push_str("[[midi]]\ncc = 1\nmute = true\n");
    }
    let catalog = Catalog::builtin();
    assert_eq!(
        parse(&text, "x", &catalog).unwrap().midi.len(),
        MAX_BINDINGS
    );
    text.push_str("[[midi]]\ncc = 1\nmute = true\n");
    let error = parse(&text, "x", &catalog).unwrap_err().to_string();
    assert!(error.contains("at most 64"), "{error}");
}

#[test]
fn what_is_not_said_is_as_usual() {
    let eq = binding("cc = 74\nparam = \"eq.band1_freq_hz\"");
    let row = Catalog::builtin().find("eq").unwrap();
    let row = &row.params[row.param_index("band1_freq_hz").unwrap()];
    assert_eq!(eq.channel, None);
    let whole = MidiTarget::Param {
        module: "eq".into(),
        param: "band1_freq_hz",
        min: row.min,
        max: row.max,
    };
    assert_eq!(eq.target, whole);
    assert!(
        binding("note = 36\nbypass = \"echo\"").toggle,
        "keys are let go at once"
    );
    assert!(
        !binding("cc = 64\nbypass = \"echo\"").toggle,
        "pedals say where they stand"
    );
    assert!(binding("cc = 64\nbypass = \"echo\"\ntoggle = true").toggle);
    let fine = binding("cc = 7\nfine = true\nmix = \"echo\"");
    assert_eq!(fine.source, MidiSource::FineController(7));
}

#[test]
fn every_kind_of_midi_table_survives_text() {
    let tables = [
        "cc = 74\nchannel = 16\nparam = \"eq.band1_freq_hz\"\nmin = 8000.0\nmax = 100.5\n",
        "cc = 0\nfine = true\nparam = \"echo.feedback\"\n",
        "cc = 119\nmix = \"echo\"\n",
        "note = 0\nchannel = 1\nbypass = \"eq\"\n",
        "note = 127\nmute = true\ntoggle = false\n",
        "cc = 64\nmute = true\ntoggle = true\n",
        "note = 12\npanic = true\n",
    ];
    let text = format!("{RACK}[[midi]]\n{}", tables.join("[[midi]]\n"));
    let catalog = Catalog::builtin();
    let rack = parse(&text, "x", &catalog).unwrap();
    assert_eq!(rack.midi.len(), tables.len());
    let written = to_toml(&rack);
    let read = parse(&written, "written", &catalog).unwrap();
    assert_eq!(read.midi, rack.midi, "{written}");
    assert!(
        !written.contains("toggle = true\n[[midi]]\nnote"),
        "{written}"
    );
}

#[test]
fn an_update_changes_what_changed_and_leaves_the_rest_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = "# My rack, by hand.\nheadroom = 1\nname = \"Mine\"\n\n\
        [[module]]\nkind = \"gain\" # trim\n[module.params]\ngain_db = -6.0 # for the desk\n\n\
        # The echo.\n[[module]]\nkind = \"delay\"\nid = \"echo\"\n\n\
        # The pedal.\n[[midi]]\ncc = 64\nbypass = \"echo\"\n";
    std::fs::write(&path, text).unwrap();
    let catalog = Catalog::builtin();
    let mut rack = load(&path, &catalog).unwrap();
    update(&path, &rack, &catalog).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        text,
        "nothing to change"
    );

    let gain = rack.modules[0].kind.param_index("gain_db").unwrap();
    rack.modules[0].values[gain] = -9.5;
    rack.modules[1].mix = 0.25;
    rack.modules[1].bypass = true;
    rack.midi.push(MidiBinding {
        source: MidiSource::Controller(7),
        channel: Some(3),
        target: MidiTarget::Mix {
            module: "echo".into(),
        },
        toggle: false,
    });
    update(&path, &rack, &catalog).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    for kept in [
        "# My rack, by hand.",
        "# trim",
        "gain_db = -9.5 # for the desk",
        "# The echo.",
        "# The pedal.",
    ] {
        assert!(written.contains(kept), "no `{kept}` in\n{written}");
    }
    let read = load(&path, &catalog).unwrap();
    assert_eq!(read.midi, rack.midi, "{written}");
    assert_eq!(read.modules[0].values, rack.modules[0].values, "{written}");
    assert_eq!(
        (read.modules[1].mix, read.modules[1].bypass),
        (0.25, true),
        "{written}"
    );

    rack.midi.clear();
    rack.modules.pop();
    update(&path, &rack, &catalog).unwrap();
    let read = load(&path, &catalog).unwrap();
    assert_eq!((read.modules.len(), read.midi.len()), (1, 0));
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn the_rack_as_it_sounds_has_what_events_have_set_until_the_controller_speaks() {
    let gain_db = |spec: &RackSpec| spec.modules[0].values[0];
    let mut rig = Rig::stereo(&rack([module("gain"), module("delay")]));
    assert_eq!(module("gain").kind.params[0].id, "gain_db");
    let key = rig.controller.slot_key("gain").unwrap();
    let quiet = rig
        .controller
        .param_change("gain", "gain_db", -20.0)
        .unwrap();
    let bypass = Change::Bypass {
        slot: key,
        on: true,
    };
    let mix = Change::Mix {
        slot: key,
        value: 0.5,
    };
    let mut sound = vec![vec![0.5; 256]; 2];
    let events = [(10, quiet), (20, bypass), (30, mix)];
    rig.run(&mut sound, &Blocks::Fixed(64), &events, |_, _| {});
    let now = rig.controller.current();
    assert_eq!(gain_db(&now), -20.0);
    assert!(now.modules[0].bypass);
    assert_eq!(now.modules[0].mix, 0.5);
    assert_eq!(
        gain_db(rig.controller.spec()),
        0.0,
        "that is what was asked for"
    );

    // Moved, and rebuilt in its place: the events' word stands.
    rig.controller.move_to("gain", 1).unwrap();
    rig.play(&mut sound);
    assert_eq!(rig.controller.current().modules[1].values[0], -20.0);
    assert!(rig.processor.is_bypassed(key) == Some(true));

    // The controller speaks: before the audio thread has heard it, and after.
    rig.controller.set_param("gain", "gain_db", -3.0).unwrap();
    rig.controller.set_bypass("gain", false).unwrap();
    rig.controller.set_mix("gain", 1.0).unwrap();
    for _ in 0..2 {
        let now = rig.controller.current();
        let gain = &now.modules[1];
        assert_eq!((gain.values[0], gain.bypass, gain.mix), (-3.0, false, 1.0));
        rig.play(&mut sound);
    }
    // And in an edit that says otherwise, of a slot that an event has moved meanwhile.
    rig.run(&mut sound, &Blocks::Fixed(64), &[(0, quiet)], |_, _| {});
    let mut other = rig.controller.spec().clone();
    other.modules[1].values[0] = 2.0;
    other.modules.swap(0, 1);
    rig.controller.edit(&other).unwrap();
    rig.play(&mut sound);
    assert_eq!(gain_db(&rig.controller.current()), 2.0);
    // A preset is a new rack: nothing of before stands.
    rig.run(&mut sound, &Blocks::Fixed(64), &[(0, quiet)], |_, _| {});
    rig.controller.load(&rack([module("gain")])).unwrap();
    rig.play(&mut sound);
    assert_eq!(gain_db(&rig.controller.current()), 0.0);
}

#[test]
fn what_is_shown_is_what_sounds_also_when_events_come_while_edits_wait() {
    let quiet_db = -20.0;
    let mut waited = false;
    for blocks_with_events in 0..60 {
        let others = ["a", "b"].map(|id| module("gain").with_id(id));
        let mut rig = Rig::stereo(&rack([module("gain")].into_iter().chain(others)));
        let gain = module("gain").kind;
        // More than may have left at once: the last of them waits.
        for place in 0..14 {
            rig.controller.move_to("gain", 1 + place % 2).unwrap();
        }
        let mut last = rig.controller.spec().clone();
        let at = last.modules.iter().position(|module| module.id == "gain");
        let gain_at = at.unwrap();
        last.modules[gain_at].values[0] = -6.0;
        let moved = last.modules.remove(gain_at);
        last.modules.insert(0, moved);
        rig.controller.edit(&last).unwrap();
        let quiet = rig
            .controller
            .param_change("gain", gain.params[0].id, quiet_db)
            .unwrap();
        let mut sound = vec![vec![0.5; 64]; 2];
        for _ in 0..blocks_with_events {
            rig.run(&mut sound, &Blocks::Fixed(64), &[(0, quiet)], |_, _| {});
            sound = vec![vec![0.5; 64]; 2];
        }
        let mut sound = vec![vec![0.5; 48_000]; 2];
        rig.play(&mut sound);
        let shown_db = rig.controller.current().modules[0].values[0];
        let sounds_db = 20.0 * (sound[0][47_999] / 0.5).log10();
        assert!(
            (shown_db - sounds_db).abs() < 0.01,
            "{shown_db} dB is shown, {sounds_db} dB sounds, after {blocks_with_events} blocks"
        );
        // Events before the last edit are overruled by it, those behind it stand.
        waited |= blocks_with_events > 0 && shown_db == -6.0;
    }
    assert!(waited, "some events came while the last edit waited");
}

#[test]
fn a_mute_from_the_audio_thread_is_the_controllers_mute() {
    let mut rig = Rig::stereo(&rack([module("gain")]));
    let play = |rig: &mut Rig| {
        let mut sound = vec![vec![0.5; 2_400]; 2];
        rig.play(&mut sound);
        sound[0][2_399]
    };
    rig.processor.mute(true);
    assert!(rig.processor.is_muted());
    assert_eq!(play(&mut rig), 0.0);
    rig.controller.mute(false).unwrap();
    assert_eq!(play(&mut rig), 0.5);
    assert!(!rig.processor.is_muted());
}
