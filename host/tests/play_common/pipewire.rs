//! PipeWire in a runtime folder of its own, without a sound card: alone, driven by its dummy clock, for
//! what comes by JACK's door; or with a sink, a session manager and PulseAudio's door.

use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

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
    /// In the order of their start.
    parts: Vec<Child>,
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
        pipewire.part("pipewire", &[], "pipewire");
        pipewire.wait_for("the PipeWire server", |pipewire| {
            let mut ask = pipewire.tool("pw-cli", &["info", "0"]);
            ask.output()
                .expect("this test needs the program `pw-cli`: install the package `pipewire-bin`")
                .status
                .success()
        });
        pipewire
    }

    /// Starts the server with a sink, a session manager and PulseAudio's door, and waits until a client
    /// finds the sink.
    pub(crate) fn start_with_sink() -> Self {
        let mut pipewire = Self::start();
        // The session manager ends without a bus.
        let bus = format!("unix:path={}", pipewire.path().join("bus").display());
        let address = format!("--address={bus}");
        let bus_args = ["--session", "--nofork", &address];
        pipewire.part("dbus-daemon", &bus_args, "dbus-daemon");
        pipewire.wait_for("the bus", |pipewire| pipewire.path().join("bus").exists());
        pipewire.part("wireplumber", &[], "wireplumber");
        let sink = "{ factory.name=support.null-audio-sink node.name=headroom-sink \
                    media.class=Audio/Sink object.linger=true audio.position=[FL FR] }";
        let made = pipewire
            .tool("pw-cli", &["create-node", "adapter", sink])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::write(pipewire.path().join("cookie"), [7; COOKIE_BYTES]).unwrap();
        pipewire.part("pipewire-pulse", &[], "pipewire-pulse");
        pipewire.wait_for("a sink by PulseAudio's door", |pipewire| {
            let mut ask = headroom(pipewire.path(), &["devices", "--json"]);
            let list = report(pipewire.env(&mut ask));
            let pulse = &list["backends"][2];
            assert_eq!(pulse["name"], "pulseaudio");
            let devices = pulse["devices"].as_array().unwrap();
            devices
                .iter()
                .any(|device| device["default_output"] == true)
        });
        pipewire
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets a program find this server, and no other.
    pub(crate) fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("XDG_RUNTIME_DIR", self.path())
            .env("PULSE_COOKIE", self.path().join("cookie"))
            .env_remove("PULSE_SERVER")
            .env_remove("PULSE_RUNTIME_PATH")
            .env_remove("PIPEWIRE_REMOTE")
            .env_remove("PIPEWIRE_RUNTIME_DIR")
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

    fn part(&mut self, program: &str, args: &[&str], package: &str) {
        let part = self
            .tool(program, args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("this test needs `{program}` ({error}): install the package `{package}`")
            });
        self.parts.push(part);
    }

    fn wait_for(&mut self, what: &str, mut answers: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !answers(self) {
            for part in &mut self.parts {
                let ended = part.try_wait().unwrap();
                assert!(ended.is_none(), "{what}: a server ended: {ended:?}");
            }
            assert!(start.elapsed() < PATIENCE, "{what} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for PipeWire {
    fn drop(&mut self) {
        for mut part in std::mem::take(&mut self.parts).into_iter().rev() {
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
