//! Presets as a host's browser finds and loads them: the built-in ones that the strip can hold, and files.

mod host;

use std::ffi::{CStr, CString};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use clack_extensions::preset_discovery::indexer::IndexerImpl;
use clack_extensions::preset_discovery::metadata_receiver::MetadataReceiverImpl;
use clack_extensions::preset_discovery::prelude::{
    FileType, Flags, Location, LocationInfo, PresetDiscoveryFactory, Soundpack, Timestamp,
    UniversalPluginId,
};
use clack_extensions::preset_discovery::provider::Provider;
use clack_host::prelude::*;
use headroom_engine::preset::factory;
use host::asked::PresetNews;
use host::{Instance, has_a_kind_twice, json_of, load, noise, rendered};

fn owned(text: &CStr) -> String {
    text.to_str().expect("UTF-8").to_owned()
}

/// What the plugin declares.
#[derive(Default)]
struct Index {
    extensions: Vec<String>,
    /// The file of each, none for the library's own, and its flags.
    locations: Vec<(Option<CString>, Flags)>,
    soundpacks: Vec<String>,
}

impl IndexerImpl for Index {
    fn declare_filetype(&mut self, kind: FileType) -> Result<(), HostError> {
        self.extensions.extend(kind.file_extension.map(owned));
        Ok(())
    }

    fn declare_location(&mut self, info: LocationInfo) -> Result<(), HostError> {
        let path = info.location.file_path().map(CStr::to_owned);
        self.locations.push((path, info.flags));
        Ok(())
    }

    fn declare_soundpack(&mut self, soundpack: Soundpack) -> Result<(), HostError> {
        self.soundpacks.push(owned(soundpack.id));
        Ok(())
    }
}

/// What is said of one preset.
#[derive(Debug, Default, PartialEq)]
struct Found {
    name: String,
    key: Option<String>,
    plugins: Vec<String>,
    soundpack: Option<String>,
    flags: Option<Flags>,
    creators: Vec<String>,
    description: String,
    features: Vec<String>,
    is_dated: bool,
}

#[derive(Default)]
struct Findings {
    presets: Vec<Found>,
    errors: Vec<String>,
}

impl Findings {
    fn last(&mut self) -> &mut Found {
        self.presets.last_mut().expect("a preset was begun")
    }
}

impl MetadataReceiverImpl for Findings {
    fn on_error(&mut self, _: i32, message: Option<&CStr>) {
        self.errors.push(owned(message.unwrap_or_default()));
    }

    fn begin_preset(&mut self, name: Option<&CStr>, key: Option<&CStr>) -> Result<(), HostError> {
        self.presets.push(Found {
            name: owned(name.unwrap_or_default()),
            key: key.map(owned),
            ..Found::default()
        });
        Ok(())
    }

    fn add_plugin_id(&mut self, id: UniversalPluginId) {
        let known = UniversalPluginId::clap(id.id);
        assert_eq!(known.abi, id.abi);
        self.last().plugins.push(owned(id.id));
    }

    fn set_soundpack_id(&mut self, id: &CStr) {
        self.last().soundpack = Some(owned(id));
    }

    fn set_flags(&mut self, flags: Flags) {
        self.last().flags = Some(flags);
    }

    fn add_creator(&mut self, creator: &CStr) {
        self.last().creators.push(owned(creator));
    }

    fn set_description(&mut self, description: &CStr) {
        self.last().description = owned(description);
    }

    fn set_timestamps(&mut self, _: Option<Timestamp>, modified: Option<Timestamp>) {
        self.last().is_dated = modified.is_some();
    }

    fn add_feature(&mut self, feature: &CStr) {
        self.last().features.push(owned(feature));
    }

    fn add_extra_info(&mut self, _: &CStr, _: &CStr) {}
}

fn provider(entry: &PluginEntry) -> Provider<Index> {
    let info = HostInfo::new("test host", "Headroom", "", "1").expect("no zeros");
    let factory: PresetDiscoveryFactory = entry.get_factory().expect("presets");
    let ids: Vec<_> = factory.provider_descriptors().collect();
    assert_eq!(ids.len(), 1);
    let id = ids[0].id().expect("an id");
    Provider::instantiate(Index::default(), entry, id, &info).expect("a provider")
}

/// All that is at a place.
fn crawl(provider: &mut Provider<Index>, location: Location) -> Findings {
    let mut findings = Findings::default();
    provider.get_metadata(location, &mut findings);
    findings
}

fn rack_of(instance: &mut Instance) -> String {
    let json = json_of(&instance.save());
    json["fields"]["rack"].as_str().expect("a text").to_owned()
}

fn news(instance: &Instance) -> Vec<PresetNews> {
    instance.asked(|asked| std::mem::take(&mut *asked.presets.lock().expect("no panic")))
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no zeros")
}

#[test]
fn a_browser_finds_the_built_in_presets_that_fit_and_no_other() {
    let entry = load();
    let mut provider = provider(&entry);
    let index = provider.indexer();
    assert_eq!(index.extensions, ["toml"]);
    assert_eq!(index.locations[0], (None, Flags::IS_FACTORY_CONTENT));
    let soundpack = index.soundpacks[0].clone();
    let found = crawl(&mut provider, Location::Plugin);
    assert_eq!(found.errors, [""; 0]);
    let keys: Vec<_> = found.presets.iter().map(|it| it.key.as_deref()).collect();
    let fitting = factory().iter().filter(|it| !has_a_kind_twice(it.text));
    let fitting: Vec<_> = fitting.map(|preset| Some(preset.name)).collect();
    assert_eq!(keys, fitting);
    assert!(keys.len() >= 6 && keys.len() < factory().len(), "{keys:?}");
    for preset in &found.presets {
        assert!(!preset.name.is_empty() && !preset.description.is_empty());
        assert_eq!(preset.plugins, ["org.headroom.strip"]);
        assert_eq!(preset.soundpack.as_ref(), Some(&soundpack));
        assert_eq!(preset.flags, Some(Flags::IS_FACTORY_CONTENT));
        assert_eq!(preset.creators, ["Headroom"]);
    }
    let strip = &found.presets[keys
        .iter()
        .position(|key| *key == Some("vocal-strip"))
        .unwrap()];
    assert!(strip.description.contains("Compressor"), "{strip:?}");
    assert!(!strip.features.is_empty(), "{strip:?}");
}

#[test]
fn every_built_in_preset_that_is_found_loads_and_sounds_as_rendered() {
    let entry = load();
    let found = crawl(&mut provider(&entry), Location::Plugin);
    let mut instance = Instance::new(&entry);
    for preset in found.presets {
        let key = preset.key.expect("a key");
        let text = factory().iter().find(|it| it.name == key).unwrap().text;
        assert!(
            instance.load_place(Location::Plugin, Some(&c(&key))),
            "{key}"
        );
        assert_eq!(news(&instance), [PresetNews::Loaded(key.clone())]);
        let rack = rack_of(&mut instance);
        assert!(rack.contains(&preset.name), "{key}: {rack}");
        instance.start(48_000.0, 4_800);
        assert_eq!(instance.latency_frames(), 0);
        let input = noise(3, 2, 4_800);
        // With nothing at the side-chain, who would follow it follows its own input.
        let output = instance.process_keyed(&input, &[], &[]);
        assert!(output == rendered(text, 48_000, &input), "{key}");
        instance.stop();
    }
    instance.asked(|asked| {
        assert!(
            asked.rescans.load(Ordering::SeqCst) >= 6,
            "values are read again"
        );
        assert!(
            asked.dirty.load(Ordering::SeqCst) >= 6,
            "the project is another"
        );
    });
}

#[test]
fn what_a_preset_does_not_say_stays_as_the_host_has_it() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    let (bypass, time) = (instance.id("Bypass"), instance.id("Delay Time"));
    instance.set(&[(bypass, 1.0), (time, 0.25)]);
    assert!(instance.load_place(Location::Plugin, Some(c"mix-bus")));
    assert!(!rack_of(&mut instance).contains("delay"));
    assert_eq!(instance.value(bypass), 1.0);
    assert_eq!(instance.value(time), 0.25);
}

#[test]
fn what_cannot_be_loaded_is_refused_in_words_and_nothing_moves() {
    let entry = load();
    let mut instance = Instance::new(&entry);
    assert!(instance.load_place(Location::Plugin, Some(c"guitar")));
    instance.start(48_000.0, 512);
    news(&instance);
    let before = instance.save();
    let rescans =
        |instance: &Instance| instance.asked(|asked| asked.rescans.load(Ordering::SeqCst));
    let rescanned = rescans(&instance);
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        c(path.to_str().expect("UTF-8"))
    };
    let twice = file(
        "twice.toml",
        "headroom = 1\n[[module]]\nkind = \"eq\"\n[[module]]\nkind = \"eq\"\nid = \"eq2\"\n",
    );
    let broken = file(
        "broken.toml",
        "headroom = 1\n[[module]]\nkind = \"no such\"\n",
    );
    let missing = c(folder.path().join("none.toml").to_str().expect("UTF-8"));
    let cases: [(Location, Option<&CStr>, i32, &str); 6] = [
        (Location::Plugin, None, 0, "the key of a built-in one"),
        (
            Location::Plugin,
            Some(c"nobody"),
            0,
            "no built-in preset `nobody`",
        ),
        (
            Location::Plugin,
            Some(c"voice"),
            0,
            "the rack has `compressor` twice",
        ),
        (
            Location::File { path: &twice },
            None,
            0,
            "the rack has `eq` twice",
        ),
        (Location::File { path: &broken }, None, 0, "broken.toml:3: "),
        (
            Location::File { path: &missing },
            None,
            2,
            "none.toml: No such file",
        ),
    ];
    for (location, key, os_error, words) in cases {
        assert!(!instance.load_place(location, key), "{words}");
        let told = news(&instance);
        let [PresetNews::Error(_, number, said)] = &told[..] else {
            panic!("{words}: {told:?}");
        };
        assert!(said.contains(words) && !said.contains('\n'), "{said}");
        assert_eq!(*number, os_error, "{said}");
        assert_eq!(instance.save(), before, "{words}");
    }
    assert_eq!(rescans(&instance), rescanned);
    let input = noise(5, 2, 512);
    let text = factory()
        .iter()
        .find(|it| it.name == "guitar")
        .unwrap()
        .text;
    assert!(instance.process(&input, &[]) == rendered(text, 48_000, &input));
}

const OWN: &str = "headroom = 1\nname = \"Mine\"\ntags = [\"test\"]\n\n[[module]]\nkind = \"gain\"\nid = \"gain\"\n\n[module.params]\ngain_db = -6.0\n";

/// With a home of its own, which is the environment's to say: this program runs itself in it.
#[test]
fn the_users_own_presets_are_found_as_files_and_one_from_anywhere_is_loaded() {
    const INNER: &str = "HEADROOM_TEST_HOME";
    let Some(config) = std::env::var_os(INNER) else {
        let home = tempfile::tempdir().expect("a folder");
        let name = "the_users_own_presets_are_found_as_files_and_one_from_anywhere_is_loaded";
        let status = Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", name, "--nocapture"])
            .env("XDG_CONFIG_HOME", home.path())
            .env(INNER, home.path())
            .status();
        assert!(status.expect("it runs").success());
        return;
    };
    let entry = load();
    assert_eq!(
        provider(&entry).indexer().locations.len(),
        1,
        "a folder that is not there is none"
    );
    let folder = Path::new(&config).join("headroom/presets");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |folder: &Path, name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("it is written");
        c(path.to_str().expect("UTF-8"))
    };
    let mine = file(&folder, "mine.toml", OWN);
    let nameless = file(
        &folder,
        "nameless.toml",
        &OWN.replace("name = \"Mine\"\n", ""),
    );
    let two = "headroom = 1\n[[module]]\nkind = \"eq\"\n[[module]]\nkind = \"eq\"\nid = \"eq2\"\n";
    let twice = file(&folder, "twice.toml", two);
    let broken = file(&folder, "broken.toml", "headroom = \n");
    let mut provider = provider(&entry);
    let locations = &provider.indexer().locations;
    assert_eq!(locations.len(), 2);
    assert_eq!(
        locations[1],
        (Some(c(folder.to_str().unwrap())), Flags::IS_USER_CONTENT)
    );

    let found = crawl(&mut provider, Location::File { path: &mine });
    assert_eq!(found.errors, [""; 0]);
    let expected = Found {
        name: "Mine".to_owned(),
        plugins: vec!["org.headroom.strip".to_owned()],
        flags: Some(Flags::IS_USER_CONTENT),
        description: "Gain".to_owned(),
        features: vec!["test".to_owned()],
        is_dated: true,
        ..Found::default()
    };
    assert_eq!(found.presets, [expected]);
    let found = crawl(&mut provider, Location::File { path: &nameless });
    assert_eq!(found.presets[0].name, "nameless");
    let found = crawl(&mut provider, Location::File { path: &twice });
    assert!(
        found.presets.is_empty() && found.errors.is_empty(),
        "the program's, not ours"
    );
    let found = crawl(&mut provider, Location::File { path: &broken });
    assert!(found.presets.is_empty());
    assert!(
        found.errors[0].contains("broken.toml:1"),
        "{:?}",
        found.errors
    );

    let outside = tempfile::tempdir().expect("a folder");
    let outside = file(outside.path(), "elsewhere.toml", OWN);
    for path in [&mine, &outside] {
        let mut instance = Instance::new(&entry);
        assert!(instance.load_place(Location::File { path }, None));
        assert_eq!(news(&instance), [PresetNews::Loaded(owned(path))]);
        assert_eq!(rack_of(&mut instance), OWN);
        instance.start(48_000.0, 480);
        let input = noise(7, 2, 480);
        assert!(instance.process(&input, &[]) == rendered(OWN, 48_000, &input));
    }
}
