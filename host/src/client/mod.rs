//! The commands that reach a running `headroom play`: from another terminal, a script, a foot switch.

mod orders;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use headroom_ipc::AttachError;
use headroom_ipc::Client;
use headroom_ipc::CommandError;
use headroom_ipc::Description;
use headroom_ipc::screen::Screen;
use headroom_ipc::screen::ScreenError;

use crate::error::HostError;

pub use self::orders::Order;
pub use self::orders::run as order;
pub use self::watch::WatchArgs;
pub use self::watch::health;
pub use self::watch::memory;
pub use self::watch::watch;

/// How long an answer may take: a rack may have to be built for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which program is meant: the one with this process number, or the newest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which(pub Option<u32>);

/// Why a running program could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It cannot be attached to.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// No program of this number.
    #[error(
        "no program of yours with the process number {given} can be attached to: expected {expected}"
    )]
    NoSuchProgram {
        /// As typed.
        given: u32,
        /// Those there are.
        expected: String,
    },
    /// It did not take the command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It shows nothing.
    #[error("the program shows nothing: expected an answer within 5 s")]
    Silent,
    /// It has ended.
    #[error("the program has ended")]
    Ended,
    /// There is no screen.
    #[error(transparent)]
    Screen(ScreenError),
    /// Not a value of this parameter.
    #[error("{target}: {reason}")]
    Value {
        /// What was to be moved.
        target: String,
        /// What was expected.
        reason: String,
    },
}

impl Which {
    /// `[main]` Attaches to it.
    ///
    /// # Errors
    ///
    /// There is none, or it does not take clients.
    pub fn attach(&self) -> Result<Client, HostError> {
        let attached = match self.0 {
            None => Client::attach_to_newest(),
            Some(_) => Client::attach(&self.path()?),
        };
        Ok(attached.map_err(ClientError::from)?)
    }

    /// Where it can be attached to.
    fn path(&self) -> Result<PathBuf, HostError> {
        let running = Client::running().map_err(ClientError::from)?;
        match self.0 {
            None => match running.first() {
                Some(newest) => Ok(newest.path.clone()),
                None => Err(ClientError::from(AttachError::Nobody).into()),
            },
            Some(pid) => {
                let Some(one) = running.iter().find(|one| one.pid == pid) else {
                    let pids: Vec<String> = running.iter().map(|one| one.pid.to_string()).collect();
                    return Err(HostError::from(ClientError::NoSuchProgram {
                        given: pid,
                        expected: match pids.as_slice() {
                            [] => "one that runs, and there is none".to_owned(),
                            pids => format!("one of {}", pids.join(", ")),
                        },
                    }));
                };
                Ok(one.path.clone())
            }
        }
    }
}

/// `[main]` Opens a screen on a running program; returns when it is closed.
///
/// # Errors
///
/// There is no program, or no screen.
pub fn gui(which: Which) -> Result<(), HostError> {
    let path = which.path()?;
    let program = Screen::find().ok_or(ClientError::Screen(ScreenError::Missing))?;
    let status = std::process::Command::new(&program)
        .arg("--attach")
        .arg(path)
        .status()
        .map_err(|error| ClientError::Screen(ScreenError::Start { program, error }))?;
    if status.success() {
        Ok(())
    } else {
        Err(ClientError::Refused(format!("the screen ended with {status}")).into())
    }
}

/// `[main]` Waits until `look` finds something on the board.
fn wait_for<T>(
    client: &mut Client,
    mut look: impl FnMut(&mut Client) -> Option<T>,
) -> Result<T, ClientError> {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = look(client) {
            return Ok(found);
        }
        if client.state() == headroom_ipc::State::Gone {
            return Err(ClientError::Ended);
        }
        if start.elapsed() > PATIENCE {
            return Err(ClientError::Silent);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn description(client: &mut Client) -> Result<std::sync::Arc<Description>, ClientError> {
    wait_for(client, Client::description)
}
