//! A server that says on a line of its own where it is to be found.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server, until it is dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    said: String,
}

impl Server {
    /// Starts `command` and waits for its first line.
    ///
    /// # Panics
    ///
    /// When there is no such program, which is in `package`, or it says nothing that is text.
    #[must_use]
    pub fn start(command: &mut Command, package: &str) -> Self {
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = started.unwrap_or_else(|why| {
            panic!("this test needs {command:?}: install the package `{package}`: {why}")
        });
        let mut line = String::new();
        let said = process.stdout.take().expect("it was piped");
        BufReader::new(said)
            .read_line(&mut line)
            .expect("it says where it is");
        let said = line.trim().to_owned();
        Self { process, said }
    }

    /// The line.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
