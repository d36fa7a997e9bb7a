//! The program on a terminal: its keys, and what it has shown.

use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use super::jackd::Jackd;

/// The program on a terminal.
pub(crate) struct Desk {
    child: Child,
    hands: ChildStdin,
    shown: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
    /// Bytes of what was shown that were looked at.
    seen: usize,
}

impl Desk {
    pub(crate) fn start(jackd: &Jackd, place: &Path, args: &str) -> Self {
        let line = format!(
            "{} play --fresh --backend null --input sine.wav --loop {args}",
            env!("CARGO_BIN_EXE_headroom")
        );
        // `script` (util-linux) lends a terminal.
        let mut child = jackd
            .env(&mut Command::new("script"))
            .args(["-qec", &line, "/dev/null"])
            .current_dir(place)
            .env("HOME", place)
            .env("XDG_CONFIG_HOME", place.join("config"))
            .env("XDG_STATE_HOME", place.join("state"))
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs the program `script`: install the package `bsdutils`");
        let hands = child.stdin.take().unwrap();
        // Read all the while: a terminal that takes nothing holds the program up.
        let mut picture = child.stdout.take().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let screen = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = picture.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                screen.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child,
            hands,
            shown,
            reader,
            seen: 0,
        }
    }

    /// Types keys; what is waited for next has to be shown after this.
    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.seen = self.shown.lock().unwrap().len();
        self.hands.write_all(keys).unwrap();
    }

    /// Waits until something is shown: whoever types or plays faster than a loaded machine follows is not heard.
    pub(crate) fn wait_for(&self, what: &str) {
        self.wait_until(what, |shown| shown.contains(what));
    }

    /// Waits until a whole picture does not have `what` any more.
    pub(crate) fn wait_without(&self, what: &str) {
        self.wait_until(what, |shown| {
            // What stands between two beginnings of the newest pictures is whole.
            let picture = shown.rsplit("MASTER L").nth(1);
            shown.matches("MASTER L").count() > 2
                && picture.is_some_and(|picture| !picture.contains(what))
        });
    }

    fn wait_until(&self, what: &str, is_shown: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap()[self.seen..].to_owned();
            if is_shown(&shown) {
                return;
            }
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(20), "{what}: {shown}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Quits; gives all that was shown.
    pub(crate) fn quit(mut self) -> String {
        self.press(b"q");
        let ended = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let shown = self.shown.lock().unwrap().clone();
        assert!(ended.success(), "{shown}");
        shown
    }
}
