//! Where a file is written: beside its final name until it is whole, or straight into a pipe or device.

use std::fs::{self, File, Permissions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::error::WriteError;

/// The file that is being written, so that a signal can take it away.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `[any]` Removes the file that is being written, if there is one, then ends the program with `exit_code`.
///
/// For a handler of Ctrl-C: the writing thread may be stuck in a read, so it cannot do it. Under the final
/// name there is either the whole new file or what was there before.
pub fn remove_unfinished(exit_code: i32) -> ! {
    // Held to the end of the process, so that nothing is renamed any more.
    let mut path = unfinished();
    if let Some(path) = path.take() {
        // Nothing is left to tell when this fails: the program is being stopped.
        let _ = fs::remove_file(path);
    }
    std::process::exit(exit_code)
}

/// The open end of an output.
pub(super) enum Destination {
    /// A file under a temporary name in the final folder.
    File {
        temporary: NamedTempFile,
        target: PathBuf,
        path: PathBuf,
    },
    /// What cannot be rewound or renamed: standard output, a pipe, a device.
    Stream {
        stream: Box<dyn Write + Send>,
        path: PathBuf,
    },
}

impl Destination {
    /// `[main]` Opens `path`, which must not be the file `source`.
    pub(super) fn file(path: &Path, source: Option<&Path>) -> Result<Self, WriteError> {
        let existing = fs::metadata(path).ok();
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(WriteError::Folder {
                path: path.to_owned(),
            });
        }
        if source.is_some_and(|source| is_same_file(source, path)) {
            return Err(WriteError::SameFile {
                path: path.to_owned(),
            });
        }
        let failed = |source| WriteError::Create {
            path: path.to_owned(),
            source,
        };
        if existing
            .as_ref()
            .is_some_and(|existing| !existing.is_file())
        {
            let device = File::options().write(true).open(path).map_err(failed)?;
            return Ok(Self::Stream {
                stream: Box::new(device),
                path: path.to_owned(),
            });
        }
        if existing
            .as_ref()
            .is_some_and(|existing| existing.permissions().readonly())
        {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
        // A link stays a link: what it points to is replaced.
        let target = if existing.is_some() {
            fs::canonicalize(path).map_err(failed)?
        } else {
            path.to_owned()
        };
        let Some(name) = target.file_name() else {
            return Err(WriteError::Folder {
                path: path.to_owned(),
            });
        };
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(WriteError::NoFolder {
                folder: folder.to_owned(),
                name: name.to_string_lossy().into_owned(),
            });
        }
        // The signal handler must never find a file that it does not know of.
        let mut registered = unfinished();
        let temporary = temporary_in(folder, existing.map(|existing| existing.permissions()))
            .map_err(failed)?;
        *registered = Some(temporary.path().to_owned());
        Ok(Self::File {
            temporary,
            target,
            path: path.to_owned(),
        })
    }

    /// `[main]` Standard output.
    pub(super) fn stdout() -> Self {
        Self::Stream {
            stream: Box::new(io::stdout()),
            path: PathBuf::from("standard output"),
        }
    }

    /// The final name, for messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } | Self::Stream { path, .. } => path,
        }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream { .. })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        match self {
            Self::File { temporary, .. } => temporary.as_file_mut().write_all(bytes),
            Self::Stream { stream, .. } => stream.write_all(bytes),
        }
        .map_err(|source| self.failed(source))
    }

    /// Puts `head` over the first bytes of a file (a stream keeps what it has), makes it last, and gives it its name.
    pub(super) fn finish(mut self, head: &[u8]) -> Result<(), WriteError> {
        let path = self.path().to_owned();
        let failed = |source| WriteError::Io {
            path: path.clone(),
            source,
        };
        match &mut self {
            Self::Stream { stream, .. } => return stream.flush().map_err(failed),
            Self::File { temporary, .. } => {
                let file = temporary.as_file_mut();
                file.rewind()
                    .and_then(|()| file.write_all(head))
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
            }
        }
        let Self::File {
            temporary, target, ..
        } = self
        else {
            return Ok(());
        };
        let mut registered = unfinished();
        temporary
            .persist(&target)
            .map_err(|error| failed(error.error))?;
        *registered = None;
        drop(registered);
        sync_folder(&target);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> WriteError {
        WriteError::Io {
            path: self.path().to_owned(),
            source,
        }
    }
}

fn temporary_in(folder: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".headroom-").suffix(".part");
    // A temporary file is private by default; this one becomes the user's file.
    #[cfg(unix)]
    let new = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(new);
    let temporary = builder.tempfile_in(folder)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    Ok(temporary)
}

/// The new name outlives a power cut only when its folder is written too. The file itself is whole by now, so
/// a system that cannot do this (some network folders) is no reason to fail.
fn sync_folder(path: &Path) {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

/// True for one file under two names too: links of either kind. Devices and pipes are never the same.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (fs::metadata(one), fs::metadata(other)) else {
        return false;
    };
    if !first.is_file() || !second.is_file() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (first.dev(), first.ino()) == (second.dev(), second.ino())
    }
    #[cfg(not(unix))]
    {
        matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
    }
}
