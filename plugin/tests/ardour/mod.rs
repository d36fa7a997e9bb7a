//! A home for Ardour that has the plugin and a preset in it; nothing of it is this user's.
#![allow(dead_code, unreachable_pub)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::host::{bundle, library, vstpreset};

const LIBRARIES: &str = "/usr/lib/ardour7";

/// Where its folders are.
pub struct Home(PathBuf);

impl Home {
    /// Puts the plugin there, and a preset `Strip`, and has Ardour find them.
    pub fn new(folder: &Path, strip: &str) -> Self {
        let home = Self(folder.to_owned());
        std::fs::create_dir_all(home.plugins()).expect("a folder");
        let bundle = bundle(&home.plugins());
        // Ardour's cache knows whole seconds: what it scans must be older.
        let copy = home.binaries().join("Headroom.so");
        std::fs::remove_file(&copy).expect("the link goes");
        std::fs::copy(library(), &copy).expect("it is copied");
        let file = std::fs::File::options().append(true).open(&copy);
        let past = SystemTime::now() - Duration::from_secs(3_600);
        let file = file.expect("it opens");
        file.set_modified(past).expect("it is old");
        let presets = home.plugins().join("presets/Headroom/Headroom");
        std::fs::create_dir_all(&presets).expect("a folder");
        std::fs::write(presets.join("Strip.vstpreset"), vstpreset(strip)).expect("a preset");
        let scanner = format!("{LIBRARIES}/ardour-vst3-scanner");
        let words = [&*scanner, "-v", "-f", bundle.to_str().expect("UTF-8")];
        let scan = &mut home.command(&words);
        let scan = scan.env("LD_LIBRARY_PATH", LIBRARIES);
        let text = run(scan, "Found Plugin: Headroom");
        assert!(text.contains("n_inputs=\"2\" n_outputs=\"2\""), "{text}");
        home
    }

    fn plugins(&self) -> PathBuf {
        self.0.join(".vst3")
    }

    /// Where the plugin's library lies.
    pub fn binaries(&self) -> PathBuf {
        let machine = format!("{}-linux", std::env::consts::ARCH);
        let contents = self.plugins().join("Headroom.vst3/Contents");
        contents.join(machine)
    }

    /// Ardour's own settings.
    pub fn settings(&self) -> PathBuf {
        self.0.join(".config/ardour7")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Something of Ardour's that lives here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .env("HOME", &self.0)
            .env("HEADROOM_FOLDER", &self.0)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME");
        command
    }
}

/// What it said, which must have come to its end: Ardour's own end is not ours to judge (of 25 empty
/// sessions, without any plugin, three ended in a double free).
pub fn run(command: &mut Command, end: &str) -> String {
    let output = command.output().expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains(end), "{command:?}: {text}");
    text
}
