//! What can go wrong in a task, each said in one line that names the thing and the way out.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why a task stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program could not be started.
    #[error("`{command}` could not be started: {source}")]
    Spawn { command: String, source: io::Error },
    /// A program ran and said no.
    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: ExitStatus },
    /// A program took too long and was ended.
    #[error("`{command}` was ended after {limit_secs} s")]
    Late { command: String, limit_secs: u64 },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A WAV file could not be read or written.
    #[error("{}: {source}", path.display())]
    Wave { path: PathBuf, source: hound::Error },
    /// A picture could not be written.
    #[error("{}: {source}", path.display())]
    Picture {
        path: PathBuf,
        source: png::EncodingError,
    },
    /// A program's output was not what it promises.
    #[error("{from}: {what}")]
    Output { from: String, what: String },
    /// No package manager that this program knows.
    #[error(
        "missing: {missing}. None of apt, dnf, pacman and brew is here to install it: install it \
         by hand and run this again"
    )]
    NoPackageManager { missing: String },
    /// Not root, and no sudo.
    #[error("missing: {missing}. Neither root nor sudo: have `{command}` run and try again")]
    NotRoot { missing: String, command: String },
    /// Installed, and still not there.
    #[error("{missing} still missing after `{command}`")]
    StillMissing { missing: String, command: String },
    /// One or more checks found something; the findings are printed above.
    #[error("{0}")]
    Check(String),
}

impl Error {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Error::File {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn wave(path: &Path, source: hound::Error) -> Self {
        Error::Wave {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn output(from: impl Into<String>, what: impl Into<String>) -> Self {
        Error::Output {
            from: from.into(),
            what: what.into(),
        }
    }
}
