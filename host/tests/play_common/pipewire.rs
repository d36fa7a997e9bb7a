//! PipeWire in a runtime folder of its own, without a sound card: alone, driven by its dummy clock, for
//! what comes by JACK's door; or with a sink, a session manager and PulseAudio's door.

use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use super::JackServer;
use super::headroom;
use super::report;
use super::signal;

/// One server at a time, as with JACK.
static ALONE: Mutex<()> = Mutex::new(());
/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Length of the secret that PulseAudio's clients show.
const COOKIE_BYTES: usize = 256;

pub(crate) struct PipeWire {
    folder: tempfile::TempDir,
    /// In the order of their start, each with its program's name.
    parts: Vec<(&'static str, Child)>,
    _alone: MutexGuard<'static, ()>,
}

impl PipeWire {
    /// Starts the server alone and waits until it answers.
    pub(crate) fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pipewire = Self {
            folder: tempfile::tempdir().unwrap(),
            parts: Vec::new(),
            _alone: alone,
        };
        pipewire.start_server();
        pipewire
    }

    /// Starts the server, the first time or again, and waits until it answers.
    pub(crate) fn start_server(&mut self) {
        self.part("pipewire", &[], "pipewire");
        self.wait_for("the PipeWire server", |pipewire| {
            let mut ask = pipewire.tool("pw-cli", &["info", "0"]);
            ask.output()
                .expect("this test needs the program `pw-cli`: install the package `pipewire-bin`")
                .status
                .success()
        });
    }

    /// Starts the server with a sink, a session manager and PulseAudio's door, and waits until a client
    /// finds the sink.
    pub(crate) fn start_with_sink() -> Self {
        let mut pipewire = Self::start();
        pipewire.start_sink();
        pipewire
    }

    /// Starts what a sink and PulseAudio's door need, and waits until a client finds it.
    pub(crate) fn start_sink(&mut self) {
        // The session manager ends without a bus.
        let bus = format!("unix:path={}", self.path().join("bus").display());
        let address = format!("--address={bus}");
        let bus_args = ["--session", "--nofork", &address];
        self.part("dbus-daemon", &bus_args, "dbus-daemon");
        self.wait_for("the bus", |pipewire| pipewire.path().join("bus").exists());
        self.part("wireplumber", &[], "wireplumber");
        let sink = "{ factory.name=support.null-audio-sink node.name=headroom-sink \
                    media.class=Audio/Sink object.linger=true audio.position=[FL FR] }";
        let made = self
            .tool("pw-cli", &["create-node", "adapter", sink])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::write(self.path().join("cookie"), [7; COOKIE_BYTES]).unwrap();
        self.start_pulse();
    }

    /// Starts PulseAudio's door, and waits until a client finds the sink.
    pub(crate) fn start_pulse(&mut self) {
        self.part("pipewire-pulse", &[], "pipewire-pulse");
        self.wait_for("a sink by PulseAudio's door", |pipewire| {
            let mut ask = headroom(pipewire.path(), &["devices", "--json"]);
            let list = report(pipewire.env(&mut ask));
            let pulse = &list["backends"][2];
            assert_eq!(pulse["name"], "pulseaudio");
            let devices = pulse["devices"].as_array().unwrap();
            devices
                .iter()
                .any(|device| device["default_output"] == true)
        });
    }

    /// `kill -9` of PulseAudio's door.
    pub(crate) fn kill_pulse(&mut self) {
        self.kill("pipewire-pulse");
    }

    /// `kill -9` of the server; what cannot live without it goes too.
    pub(crate) fn kill_server(&mut self) {
        self.kill("pipewire");
        self.stop();
    }

    /// Sets one of the server's settings while it runs: `clock.force-rate`, `clock.force-quantum`.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        let mut set = self.tool("pw-metadata", &["-n", "settings", "0", setting, value]);
        let said = set.output().unwrap();
        assert!(said.status.success(), "{setting}: {said:?}");
    }

    /// What its door for JACK's clients is found by.
    pub(crate) fn jack_door(&self) -> JackDoor {
        // `pw-jack` puts PipeWire's library in the place of JACK's and runs what follows.
        let mut ask = self.tool("pw-jack", &["printenv", "LD_LIBRARY_PATH"]);
        let said = ask.output();
        let said = said.expect("this test needs `pw-jack`: install the package `pipewire-jack`");
        JackDoor {
            folder: self.path().to_owned(),
            libraries: String::from_utf8(said.stdout).unwrap().trim().to_owned(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets a program find this server, and no other.
    pub(crate) fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        lead(command, self.path())
    }

    fn tool(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        self.env(&mut command)
            .args(args)
            // State and settings of whoever runs the tests stay out of it.
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={}", self.path().join("bus").display()),
            )
            // `pw-cli` reads commands from it.
            .stdin(Stdio::null());
        command
    }

    fn part(&mut self, program: &'static str, args: &[&str], package: &str) {
        let part = self
            .tool(program, args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("this test needs `{program}` ({error}): install the package `{package}`")
            });
        self.parts.push((program, part));
    }

    fn wait_for(&mut self, what: &str, mut answers: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !answers(self) {
            for (program, part) in &mut self.parts {
                let ended = part.try_wait().unwrap();
                assert!(ended.is_none(), "{what}: {program} ended: {ended:?}");
            }
            assert!(start.elapsed() < PATIENCE, "{what} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl PipeWire {
    fn kill(&mut self, program: &str) {
        let at = self.parts.iter().position(|(name, _)| *name == program);
        let (_, mut part) = self.parts.remove(at.expect("it runs"));
        part.kill().unwrap();
        part.wait().unwrap();
    }

    fn stop(&mut self) {
        for (_, mut part) in std::mem::take(&mut self.parts).into_iter().rev() {
            if matches!(part.try_wait(), Ok(None)) {
                signal(&part, "TERM");
            }
            let start = Instant::now();
            while matches!(part.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(3) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _already_gone = part.kill();
            let _already_gone = part.wait();
        }
    }
}

impl Drop for PipeWire {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets a program find the server in `folder`, and no other.
fn lead<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command
        .env("XDG_RUNTIME_DIR", folder)
        .env("PULSE_COOKIE", folder.join("cookie"))
        .env_remove("PULSE_SERVER")
        .env_remove("PULSE_RUNTIME_PATH")
        .env_remove("PIPEWIRE_REMOTE")
        .env_remove("PIPEWIRE_RUNTIME_DIR")
}

/// PipeWire as JACK's clients see it.
pub(crate) struct JackDoor {
    folder: PathBuf,
    libraries: String,
}

impl JackServer for JackDoor {
    fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        lead(command, &self.folder)
            .env("LD_LIBRARY_PATH", &self.libraries)
            .env_remove("JACK_DEFAULT_SERVER")
    }
}
