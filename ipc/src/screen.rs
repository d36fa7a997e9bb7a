//! The screen as a process of its own: started with one end of a line as its standard input, watched,
//! and started anew when it dies.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::server::{Guest, Server};
use crate::stream;

/// The program's name.
const PROGRAM: &str = "headroom-gui";
/// A screen that lived this long has not failed to start.
const SETTLED: Duration = Duration::from_secs(10);
/// Starts in a row that fail before it is given up.
const MOST_FAILURES: u32 = 3;
/// How long it is waited for at the end.
const GOODBYE: Duration = Duration::from_millis(500);

/// Why there is no screen.
#[derive(Debug, Error)]
pub enum ScreenError {
    /// It is nowhere.
    #[error("`{PROGRAM}` is not there: expected it beside this program or in PATH")]
    Missing,
    /// It does not start.
    #[error("`{program}`: {error}")]
    Start {
        /// Which.
        program: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// What became of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenNews {
    /// Nothing.
    Same,
    /// Somebody closed it.
    Closed,
    /// It died and has been started anew.
    Renewed,
    /// It dies again and again: it is left alone now.
    GivenUp,
}

/// A screen that was started.
pub struct Screen {
    program: PathBuf,
    arguments: Vec<OsString>,
    child: Option<Child>,
    started: Instant,
    failures: u32,
}

/// `[main]` Where the program is: in this folder, else in PATH.
pub fn find(beside: Option<&Path>) -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = beside.map(|folder| folder.join(&name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(&name));
    beside
        .into_iter()
        .chain(in_path)
        .find(|program| program.is_file())
}

/// `[main]` Starts a screen of `server` with these arguments beside its own, for whoever watches it
/// themselves. Nothing of this process is copied for it: a copy's pages would be copied once more by the audio
/// thread, as it writes to them. So what is inherited is closed by the screen itself, first of all.
///
/// # Errors
///
/// It does not start.
pub fn launch(
    program: &Path,
    arguments: &[OsString],
    server: &mut Server,
) -> Result<(Child, Guest), ScreenError> {
    let start = |error| ScreenError::Start {
        program: program.to_owned(),
        error,
    };
    let mut command = Command::new(program);
    command
        .arg("--attach-stdin")
        .args(arguments)
        .env_remove("LD_LIBRARY_PATH")
        .stdout(Stdio::null());
    let (mut child, ours) = stream::spawn(command).map_err(start)?;
    match server.admit(ours) {
        Ok(guest) => Ok((child, guest)),
        Err(error) => {
            // Its line is closed: it would end by itself, but nobody would wait for it.
            let _dead_already = child.kill();
            let _reaped = child.wait();
            Err(start(io::Error::other(error)))
        }
    }
}

impl Screen {
    /// `[main]` Where the program is: beside this one, else in PATH.
    pub fn find() -> Option<PathBuf> {
        let own = std::env::current_exe().ok();
        find(own.as_deref().and_then(Path::parent))
    }

    /// `[main]` Starts the screen of `server` with these arguments beside its own.
    ///
    /// # Errors
    ///
    /// It is not there, or does not start.
    pub fn start(
        program: PathBuf,
        arguments: Vec<OsString>,
        server: &mut Server,
    ) -> Result<Self, ScreenError> {
        let mut screen = Self {
            program,
            arguments,
            child: None,
            started: Instant::now(),
            failures: 0,
        };
        screen.spawn(server)?;
        Ok(screen)
    }

    fn spawn(&mut self, server: &mut Server) -> Result<(), ScreenError> {
        let (child, _) = launch(&self.program, &self.arguments, server)?;
        self.child = Some(child);
        self.started = Instant::now();
        Ok(())
    }

    /// `[main]` Looks after it: one that was closed stays closed, one that died is started anew, three times
    /// in a row at most.
    pub fn look(&mut self, server: &mut Server) -> ScreenNews {
        let Some(child) = &mut self.child else {
            return ScreenNews::Same;
        };
        let status = match child.try_wait() {
            Ok(None) | Err(_) => return ScreenNews::Same,
            Ok(Some(status)) => status,
        };
        self.child = None;
        if status.success() {
            return ScreenNews::Closed;
        }
        if self.started.elapsed() > SETTLED {
            self.failures = 0;
        }
        self.failures += 1;
        if self.failures > MOST_FAILURES || self.spawn(server).is_err() {
            return ScreenNews::GivenUp;
        }
        ScreenNews::Renewed
    }

    /// `[main]` Whether it runs.
    pub fn is_open(&self) -> bool {
        self.child.is_some()
    }

    /// `[main]` Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // It ends by itself when its socket is closed, which the server's end does; one that hangs is ended.
        let deadline = Instant::now() + GOODBYE;
        while Instant::now() < deadline {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _dead_already = child.kill();
        let _reaped = child.wait();
    }
}
