//! A JACK server without a sound card: jackd's dummy driver, synchronous.

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

/// One server at a time: two would share two cores with whatever else runs.
static ALONE: Mutex<()> = Mutex::new(());

/// What a server runs at.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) rate_hz: u32,
    pub(crate) block_frames: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            rate_hz: 48_000,
            block_frames: 128,
        }
    }
}

pub(crate) struct Jackd {
    pub(crate) name: String,
    setup: Setup,
    server: Option<Child>,
    _alone: MutexGuard<'static, ()>,
}

impl Jackd {
    /// Starts a server at 48 kHz and 128 frames, and waits until it answers.
    pub(crate) fn start(test: &str) -> Self {
        Self::start_with(test, Setup::default())
    }

    /// Starts a server and waits until it answers.
    ///
    /// JACK has places for eight servers in a registry in shared memory, and one that is killed keeps
    /// its place until another of the same name starts. So each test has one name for all its runs,
    /// and a registry that is full of the dead is thrown away.
    pub(crate) fn start_with(test: &str, setup: Setup) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut jackd = Self {
            name: format!("headroom-{test}"),
            setup,
            server: None,
            _alone: alone,
        };
        jackd.restart(setup);
        jackd
    }

    /// Starts it again, after it was killed, or at other settings.
    pub(crate) fn restart(&mut self, setup: Setup) {
        self.setup = setup;
        for _ in 0..4 {
            self.stop();
            self.launch();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(6) && self.is_alive() {
                if self.answers() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            self.stop();
            forget_dead_servers();
        }
        panic!("jackd does not answer, started four times");
    }

    fn launch(&mut self) {
        let Setup {
            rate_hz,
            block_frames,
        } = self.setup;
        let server = Command::new("jackd")
            .args(["-n", &self.name, "-R", "-P", "70", "-S", "-d", "dummy"])
            .args(["-r", &rate_hz.to_string(), "-p", &block_frames.to_string()])
            .env("JACK_NO_AUDIO_RESERVATION", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs the program `jackd`: install the package `jackd2`");
        self.server = Some(server);
    }

    fn is_alive(&mut self) -> bool {
        let server = self.server.as_mut();
        server.is_some_and(|server| matches!(server.try_wait(), Ok(None)))
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.server.as_ref().expect("it runs"), name);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        if let Some(mut server) = self.server.take() {
            server.wait().unwrap();
        }
    }

    fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        // TERM first: a server that is killed leaves its shared memory behind.
        if matches!(server.try_wait(), Ok(None)) {
            signal(&server, "TERM");
        }
        let start = Instant::now();
        while matches!(server.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _already_gone = server.kill();
        let _already_gone = server.wait();
    }

    fn answers(&self) -> bool {
        let place = tempfile::tempdir().unwrap();
        let list = report(self.env(&mut headroom(place.path(), &["devices", "--json"])));
        list["backends"][0]["name"] == "jack" && list["backends"][0]["available"] == true
    }

    /// What the server makes as the first thing for each client and takes away as the last.
    fn semaphore_of(&self, client: &str) -> Option<PathBuf> {
        let ending = format!("_{}_{client}", self.name);
        let files = std::fs::read_dir("/dev/shm").unwrap().flatten();
        let mut files = files.map(|entry| entry.path());
        files.find(|path| path.to_string_lossy().ends_with(&ending))
    }

    /// Throws away what a server that was killed has left of a client.
    pub(crate) fn forget_client(&self, client: &str) {
        while let Some(left_behind) = self.semaphore_of(client) {
            std::fs::remove_file(left_behind).unwrap();
        }
    }

    /// Returns when the server begins to take a client.
    pub(crate) fn wait_for_client(&self, client: &str) {
        let start = Instant::now();
        while self.semaphore_of(client).is_none() {
            assert!(start.elapsed() < Duration::from_secs(10), "no client");
        }
    }

    /// Has a program find this server.
    pub(crate) fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("JACK_DEFAULT_SERVER", &self.name)
            .env("JACK_NO_AUDIO_RESERVATION", "1")
    }

    /// Runs one of JACK's own tools.
    pub(crate) fn tool(&self, name: &str, args: &[&str]) -> String {
        let output = self.env(&mut Command::new(name)).args(args).output();
        let output = output.expect("this test needs JACK's tools: install the package `jackd2`");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl JackServer for Jackd {
    fn env<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        Self::env(self, command)
    }
}

impl Drop for Jackd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Throws JACK's registry away if no server runs that could need it.
fn forget_dead_servers() {
    let running = Command::new("pgrep").args(["-x", "jackd"]).output();
    if running.is_ok_and(|running| running.stdout.is_empty()) {
        // It may not be there at all.
        let _already_gone = std::fs::remove_file("/dev/shm/jack-shm-registry");
    }
}
