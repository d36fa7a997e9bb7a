//! The program while it plays on a server, and its ports.

use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use super::JackServer;
use super::jackd::Jackd;
use super::play;
use super::signal;
use super::stderr;

pub(crate) const INTO: [&str; 2] = ["headroom:in_1", "headroom:in_2"];
pub(crate) const FROM: [&str; 2] = ["headroom:out_1", "headroom:out_2"];

/// The program while it plays.
pub(crate) struct Playing {
    program: Option<Child>,
}

impl Playing {
    pub(crate) fn start(server: &impl JackServer, place: &Path, args: &[&str]) -> Self {
        let args = [&["--backend", "jack", "--unmuted"], args].concat();
        Self::spawn(place, &args, |command| server.env(command))
    }

    /// Starts it where `env` leads it.
    pub(crate) fn spawn(
        place: &Path,
        args: &[&str],
        env: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = play(place, &[&["--fresh", "--json"], args].concat());
        let program = env(&mut command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            program: Some(program),
        }
    }

    /// Waits until the trial is over and the rack plays.
    pub(crate) fn wait_for_ports(&self, jackd: &Jackd) {
        let start = Instant::now();
        while !jackd
            .tool("jack_lsp", &["-c"])
            .contains("headroom:out_2\n   system")
        {
            assert!(start.elapsed() < Duration::from_secs(10), "no ports");
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(Duration::from_millis(500));
    }

    /// Waits until the trial is over and the rack plays, and takes the card off its ports: what is heard
    /// is then the wire alone.
    pub(crate) fn alone(self, jackd: &Jackd) -> Self {
        self.wait_for_ports(jackd);
        for (port, card) in INTO.iter().zip(["system:capture_1", "system:capture_2"]) {
            jackd.tool("jack_disconnect", &[card, port]);
        }
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.program.as_ref().expect("it runs").id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.program.as_ref().expect("it runs"), name);
    }

    /// What it leaves when it ends by itself.
    pub(crate) fn wait(mut self) -> Output {
        let program = self.program.take().expect("it runs");
        program.wait_with_output().unwrap()
    }

    /// The same, if it ends within `limit`.
    pub(crate) fn wait_for(mut self, limit: Duration) -> Output {
        let start = Instant::now();
        let program = self.program.as_mut().expect("it runs");
        while program.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < limit, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.wait()
    }

    /// Ctrl-C.
    pub(crate) fn end(self) -> Output {
        self.signal("INT");
        self.wait()
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Only when a test fails does it still run here: what it said may say why.
        if let Some(mut program) = self.program.take() {
            let _already_gone = program.kill();
            if let Ok(output) = program.wait_with_output() {
                eprintln!("the program said: {}", stderr(&output));
            }
        }
    }
}
