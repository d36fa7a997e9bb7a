use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// An X server without a screen, until it is dropped.
pub struct XServer {
    process: Child,
    name: String,
}

impl XServer {
    /// Starts one whose screen is so large: `900x600`.
    ///
    /// # Panics
    ///
    /// When there is no such program, or it does not start.
    #[must_use]
    pub fn start(size: &str) -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &format!("{size}x24")])
            .args(["+extension", "GLX", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Xvfb: install the package `xvfb`");
        let mut number = String::new();
        let said = process.stdout.take().expect("it was piped");
        BufReader::new(said)
            .read_line(&mut number)
            .expect("it says its number");
        let name = format!(":{}", number.trim());
        Self { process, name }
    }

    /// What `DISPLAY` is to be for those who draw on it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
