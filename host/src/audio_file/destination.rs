//! Where a file is written: beside its final name until it is whole, or straight into a pipe or device.

use std::fs::{self, File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::error::WriteError;

/// What an unfinished file's name ends in.
const PART: &str = ".part";
/// Names that are tried for one recording.
const MAX_NUMBER: u32 = 9_999;

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
        /// Not to be had a second time: it takes the place of no other file.
        is_recording: bool,
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
        let (folder, _) = place_of(&target)?;
        // The signal handler must never find a file that it does not know of.
        let mut registered = unfinished();
        let temporary = temporary_in(folder, existing.map(|existing| existing.permissions()))
            .map_err(failed)?;
        *registered = Some(temporary.path().to_owned());
        Ok(Self::File {
            temporary,
            target,
            path: path.to_owned(),
            is_recording: false,
        })
    }

    /// `[main]` Opens `path` for what is not to be had a second time. No file may be there yet. While
    /// it grows it stands beside, as `path` with `.part` behind it, and stays there whatever happens.
    pub(super) fn recording(path: &Path) -> Result<Self, WriteError> {
        check_new(path)?;
        // A pipe or a device: nothing there to be lost.
        if fs::metadata(path).is_ok() {
            return Self::file(path, None);
        }
        let failed = |source| WriteError::Create {
            path: path.to_owned(),
            source,
        };
        let (folder, name) = place_of(path)?;
        // What an earlier recording left there is kept too.
        let mut parts = std::iter::once(name.to_owned())
            .chain((2..=MAX_NUMBER).map(|number| format!("{name}.{number}")));
        let temporary = loop {
            let Some(part) = parts.next() else {
                return Err(failed(io::ErrorKind::AlreadyExists.into()));
            };
            let mut builder = tempfile::Builder::new();
            builder
                .prefix(&part)
                .suffix(PART)
                .rand_bytes(0)
                .disable_cleanup(true);
            match open_temporary(&mut builder, folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => break opened.map_err(failed)?,
            }
        };
        Ok(Self::File {
            temporary,
            target: path.to_owned(),
            path: path.to_owned(),
            is_recording: true,
        })
    }

    /// Where the bytes are until they are whole.
    pub(super) fn growing_path(&self) -> &Path {
        match self {
            Self::File { temporary, .. } => temporary.path(),
            Self::Stream { path, .. } => path,
        }
    }

    /// Puts `head` over the first bytes of a file, and goes on behind the last. A stream keeps what it
    /// has.
    pub(super) fn write_head(&mut self, head: &[u8], last: bool) -> Result<(), WriteError> {
        let done = match self {
            Self::Stream { stream, .. } => stream.flush(),
            Self::File { temporary, .. } => write_head(temporary.as_file_mut(), head, last),
        };
        done.map_err(|source| self.failed(source))
    }

    /// Cuts a file to the frames of `frame_bytes` that it really holds behind `head_bytes`; returns how
    /// many. `None` for a stream.
    pub(super) fn cut_to_frames(
        &mut self,
        head_bytes: u64,
        frame_bytes: u64,
    ) -> Result<Option<u64>, WriteError> {
        let Self::File { temporary, .. } = self else {
            return Ok(None);
        };
        let file = temporary.as_file_mut();
        let cut = file.metadata().and_then(|found| {
            let frames = found.len().saturating_sub(head_bytes) / frame_bytes;
            file.set_len(head_bytes + frames * frame_bytes)?;
            Ok(Some(frames))
        });
        cut.map_err(|source| self.failed(source))
    }

    /// Gives a recording another final name.
    pub(super) fn rename(&mut self, to: PathBuf) {
        if let Self::File { target, path, .. } = self {
            path.clone_from(&to);
            *target = to;
        }
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

    /// Puts `head` over the first bytes of a file (a stream keeps what it has), makes it last, and gives it its
    /// name. Returns the name: of a recording another than was asked for, if that was taken meanwhile.
    pub(super) fn finish(mut self, head: &[u8]) -> Result<PathBuf, WriteError> {
        self.write_head(head, true)?;
        let (temporary, target, path, is_recording) = match self {
            Self::Stream { path, .. } => return Ok(path),
            Self::File {
                temporary,
                target,
                path,
                is_recording,
            } => (temporary, target, path, is_recording),
        };
        let failed = |source| WriteError::Io {
            path: path.clone(),
            source,
        };
        if is_recording {
            let name = persist_beside(temporary, &target).map_err(failed)?;
            sync_folder(&name);
            return Ok(name);
        }
        let mut registered = unfinished();
        temporary
            .persist(&target)
            .map_err(|error| failed(error.error))?;
        *registered = None;
        drop(registered);
        sync_folder(&target);
        Ok(path)
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
    builder.prefix(".headroom-").suffix(PART);
    let temporary = open_temporary(&mut builder, folder)?;
    if let Some(permissions) = permissions {
        temporary.as_file().set_permissions(permissions)?;
    }
    Ok(temporary)
}

fn open_temporary(
    builder: &mut tempfile::Builder<'_, '_>,
    folder: &Path,
) -> io::Result<NamedTempFile> {
    // A temporary file is private by default; this one becomes the user's file.
    #[cfg(unix)]
    let new = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(new);
    builder.tempfile_in(folder)
}

/// The folder that a file goes to, which must be there, and the file's name in it.
fn place_of(target: &Path) -> Result<(&Path, String), WriteError> {
    let Some(name) = target.file_name() else {
        return Err(WriteError::Folder {
            path: target.to_owned(),
        });
    };
    let name = name.to_string_lossy().into_owned();
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(WriteError::NoFolder {
            folder: folder.to_owned(),
            name,
        });
    }
    Ok((folder, name))
}

/// `[main]` Checks that a recording may go to `path`: the folder is there, and no file of that name. (A pipe or
/// a device may be.)
pub(super) fn check_new(path: &Path) -> Result<(), WriteError> {
    let path = || path.to_owned();
    match fs::metadata(path()) {
        Ok(found) if found.is_dir() => Err(WriteError::Folder { path: path() }),
        Ok(found) if found.is_file() => Err(WriteError::Exists { path: path() }),
        Ok(_) => Ok(()),
        Err(_) => place_of(&path()).map(drop),
    }
}

/// `take.wav`, then `take-2.wav` and so on: the first name that is free.
fn persist_beside(mut temporary: NamedTempFile, target: &Path) -> io::Result<PathBuf> {
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    let extension = target
        .extension()
        .map(|extension| format!(".{}", extension.to_string_lossy()))
        .unwrap_or_default();
    for number in 1..=MAX_NUMBER {
        let name = match number {
            1 => target.to_owned(),
            _ => target.with_file_name(format!("{stem}-{number}{extension}")),
        };
        match temporary.persist_noclobber(&name) {
            Ok(_) => return Ok(name),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                temporary = error.file;
            }
            // A system that cannot do both in one step (some network folders).
            Err(error) if fs::symlink_metadata(&name).is_err() => {
                return error
                    .file
                    .persist(&name)
                    .map(|_| name)
                    .map_err(|error| error.error);
            }
            Err(error) => return Err(error.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The header over the first bytes; what is written next goes behind the last again. `last`: and all of it to
/// the disk.
fn write_head(file: &mut File, head: &[u8], last: bool) -> io::Result<()> {
    file.rewind()?;
    file.write_all(head)?;
    if last {
        file.sync_all()?;
    }
    file.seek(SeekFrom::End(0)).map(drop)
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
