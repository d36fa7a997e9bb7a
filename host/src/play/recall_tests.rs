use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    play: PlayArgs,
}

fn typed(line: &str) -> PlayArgs {
    Typed::parse_from(std::iter::once("play").chain(line.split_whitespace())).play
}

const MEMORY: &str = "\
headroom = 1
backend = \"alsa\"
preset = \"master\"

[on.alsa]
output_device = \"hw:CARD=A\"
output_name = \"Card A\"
outputs = \"3,4\"
input_device = \"hw:CARD=B\"
input_name = \"Card B\"
rate_hz = 96000
block_frames = 64

[on.pulseaudio]
output_device = \"sink\"
";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn with(memory: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("play.toml"), memory).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("play.toml")
    }

    fn recall(&self) -> (Recall, Vec<String>) {
        let mut warnings = Vec::new();
        let recall = Recall::from_file(Some(self.path()), &mut |text| warnings.push(text));
        (recall, warnings)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }
}

fn facts(backend: Backend) -> Facts {
    Facts {
        backend,
        output: "Card C".to_owned(),
        input: None,
        sample_rate_hz: 48_000,
        block_frames: Some(256),
        input_clock: None,
        duplex: false,
    }
}

fn used(backend: Backend, output: Option<&str>, args: &PlayArgs) -> Option<Used> {
    let ids = crate::play::backend::DeviceIds {
        output: output.map(str::to_owned),
        input: None,
    };
    Used::of(&facts(backend), &ids, args)
}

#[test]
fn with_nothing_typed_everything_is_as_last_time() {
    let (recall, warnings) = Place::with(MEMORY).recall();
    let args = recall.fill_in(&typed(""));
    assert_eq!(args.named_backend(), Some(Backend::Alsa));
    assert_eq!(args.output_device.as_deref(), Some("hw:CARD=A"));
    assert_eq!(args.outputs.as_deref(), Some("3,4"));
    assert_eq!(args.input_device.as_deref(), Some("hw:CARD=B"));
    assert_eq!((args.rate, args.block), (Some(96_000), Some(64)));
    assert_eq!(args.preset.as_deref(), Some("master"));
    assert!(warnings.is_empty(), "{warnings:?}");
    let line = recall.keep_used(None, &args).unwrap();
    for part in [
        "alsa", "Card A", "Card B", "96000 Hz", "block 64", "master", "--fresh",
    ] {
        assert!(line.contains(part), "no {part} in {line}");
    }
}

#[test]
fn what_is_typed_goes_before_what_is_remembered_each_for_itself() {
    let (recall, _) = Place::with(MEMORY).recall();
    let args = recall.fill_in(&typed("--output-device X --block 32"));
    assert_eq!(args.output_device.as_deref(), Some("X"));
    assert_eq!(args.outputs, None, "channels of another device");
    assert_eq!(args.block, Some(32));
    assert_eq!(args.input_device.as_deref(), Some("hw:CARD=B"));
    assert_eq!(args.rate, Some(96_000));
    assert!(!args.recalled.output_device && !args.recalled.block);
    assert!(args.recalled.input_device && args.recalled.rate);
}

#[test]
fn devices_of_one_backend_mean_nothing_to_another() {
    let (recall, _) = Place::with(MEMORY).recall();
    let args = recall.fill_in(&typed("--backend jack"));
    assert_eq!((args.output_device, args.rate), (None, None));
    let args = recall.fill_in(&typed("--backend pulseaudio"));
    assert_eq!(args.output_device.as_deref(), Some("sink"));
    assert_eq!(args.input_device, None);
    let args = recall.fill_in(&typed("--backend auto"));
    assert_eq!((args.output_device, args.rate), (None, None));
    assert_eq!(args.preset.as_deref(), Some("master"));
}

#[test]
fn a_file_in_the_inputs_place_needs_no_remembered_input() {
    let place = Place::with(MEMORY);
    let (recall, _) = place.recall();
    let args = recall.fill_in(&typed("--input a.wav"));
    assert_eq!(args.input_device, None);
    // And does not make it forgotten.
    recall.keep_used(
        used(Backend::Alsa, Some("hw:CARD=C"), &args).as_ref(),
        &args,
    );
    assert!(place.text().contains("hw:CARD=B"), "{}", place.text());
    assert!(place.text().contains("hw:CARD=C"), "{}", place.text());
}

#[test]
fn a_run_changes_only_what_it_was_told() {
    let place = Place::with(MEMORY);
    let (recall, _) = place.recall();
    let args = recall.fill_in(&typed("--backend jack --block 128"));
    let line = recall.keep_used(used(Backend::Jack, None, &args).as_ref(), &args);
    let line = line.unwrap();
    assert!(
        line.contains("for the next time: backend `jack`, block 128"),
        "{line}"
    );
    let now = Remembered::load(&place.path()).unwrap();
    assert_eq!(now.backend, Some(Backend::Jack));
    assert_eq!(now.preset.as_deref(), Some("master"));
    assert_eq!(now.on[&Backend::Jack].block_frames, Some(128));
    assert_eq!(now.on[&Backend::Jack].output_device, None);
    let alsa = &now.on[&Backend::Alsa];
    assert_eq!(alsa.output_device.as_deref(), Some("hw:CARD=A"));
    assert_eq!((alsa.rate_hz, alsa.block_frames), (Some(96_000), Some(64)));
}

#[test]
fn the_clock_without_sound_leaves_nothing_behind() {
    let place = Place::with(MEMORY);
    let (recall, _) = place.recall();
    for line in ["--backend null --preset voice", "--backend auto"] {
        let args = recall.fill_in(&typed(line));
        recall.keep_used(used(Backend::Null, Some("null"), &args).as_ref(), &args);
        assert_eq!(place.text(), MEMORY);
    }
}

#[test]
fn a_second_headroom_that_kept_something_meanwhile_is_not_undone() {
    let place = Place::with("headroom = 1\n");
    let (one, _) = place.recall();
    let (other, _) = place.recall();
    let args = other.fill_in(&typed("--preset drum-bus"));
    other.keep_used(used(Backend::Jack, None, &args).as_ref(), &args);
    let args = one.fill_in(&typed("--block 64"));
    one.keep_used(
        used(Backend::Alsa, Some("hw:CARD=C"), &args).as_ref(),
        &args,
    );
    let now = Remembered::load(&place.path()).unwrap();
    assert_eq!(now.preset.as_deref(), Some("drum-bus"));
    assert_eq!(now.backend, Some(Backend::Alsa));
    assert!(now.on.contains_key(&Backend::Jack));
}

#[test]
fn damage_is_told_kept_aside_and_then_forgotten() {
    let place = Place::with("headroom = 1\nbackend = 7\n");
    let (recall, warnings) = place.recall();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    for part in ["play.toml:2", "play.toml.damaged", "nothing is remembered"] {
        assert!(warning.contains(part), "{warning}");
    }
    assert!(!place.path().exists());
    assert_eq!(recall.fill_in(&typed("")).backend, None);
    let (_, warnings) = place.recall();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_newer_file_is_neither_used_nor_touched() {
    let newer = "headroom = 2\n";
    let place = Place::with(newer);
    let (recall, warnings) = place.recall();
    assert_eq!(warnings.len(), 1);
    let args = recall.fill_in(&typed("--block 64"));
    recall.keep_used(used(Backend::Jack, None, &args).as_ref(), &args);
    assert_eq!(place.text(), newer);
}

#[test]
fn a_remembered_device_that_is_gone_is_told_as_such() {
    let (recall, _) = Place::with(MEMORY).recall();
    let gone = |direction| PlayError::NoSuchDevice {
        direction,
        given: "hw:CARD=A".to_owned(),
        expected: "one of `x`".to_owned(),
    };
    let args = recall.fill_in(&typed(""));
    let said = recall.explain(gone("output"), &args).to_string();
    for part in ["remembered output device `Card A`", "one of `x`", "--fresh"] {
        assert!(said.contains(part), "{said}");
    }
    let said = recall.explain(gone("input"), &args).to_string();
    assert!(said.contains("remembered input device `Card B`"), "{said}");
    // What was typed is not called remembered, but the rest of the choice is shown.
    let args = recall.fill_in(&typed("--output-device hw:CARD=A"));
    let said = recall.explain(gone("output"), &args).to_string();
    assert!(said.starts_with("no output device is called"), "{said}");
    assert!(
        said.contains("backend `alsa`") && said.contains("as last time"),
        "{said}"
    );
}

#[test]
fn without_memory_no_error_speaks_of_it() {
    let recall = Recall::from_file(None, &mut |_| panic!("no file, no warning"));
    let args = recall.fill_in(&typed("--backend jack"));
    let error = PlayError::Unavailable {
        backend: Backend::Jack,
        reason: "no server".to_owned(),
    };
    let said = recall.explain(error, &args).to_string();
    assert_eq!(said, "backend `jack` is not available: no server");
    assert_eq!(recall.keep_used(None, &args), None);
}
