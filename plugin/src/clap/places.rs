//! Presets as a host's browser names them: where one is, and what is in it.

use std::error::Error;
use std::ffi::{CStr, CString};
use std::io;
use std::path::{Path, PathBuf};

use clack_extensions::preset_discovery::prelude::Location;
use headroom_engine::Catalog;
use headroom_engine::preset::{self, PresetError, RackSpec};
use thiserror::Error;

use crate::state::{Refusal, fits};

/// Where a host says that a preset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the library itself, under this name.
    BuiltIn(String),
    /// A file.
    File(PathBuf),
}

/// Why a preset is not loaded. All is as it was before.
#[derive(Debug, Error)]
pub(super) enum PlaceError {
    /// The host names no preset.
    #[error("expected a preset's file, or the key of a built-in one")]
    Nameless,
    /// No built-in preset has this name.
    #[error("there is no built-in preset `{0}`")]
    Unknown(String),
    /// The file cannot be read, or something in it is wrong.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The strip cannot hold it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ours.
    #[error("a panic, which is counted")]
    Panicked,
}

impl PlaceError {
    /// What the system said, as a number; 0 where it said nothing.
    pub(super) fn os_error(&self) -> i32 {
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return error.raw_os_error().unwrap_or(0);
            }
            next = match error.downcast_ref::<PresetError>() {
                Some(PresetError::Io { source, .. }) => Some(source),
                _ => error.source(),
            };
        }
        0
    }

    /// In words, on one line.
    pub(super) fn words(&self) -> CString {
        let line = self.to_string();
        text(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Place {
    /// `[main]` What a host names.
    pub(super) fn of(location: &Location<'_>, key: Option<&CStr>) -> Result<Self, PlaceError> {
        match location {
            Location::Plugin => {
                let key = key.and_then(|key| key.to_str().ok());
                Ok(Self::BuiltIn(key.ok_or(PlaceError::Nameless)?.to_owned()))
            }
            Location::File { path } => Ok(Self::File(path_of(path))),
        }
    }
}

/// A text for a host: up to the first zero.
pub(super) fn text(of: &str) -> CString {
    let end = of.find('\0').unwrap_or(of.len());
    CString::new(&of[..end]).unwrap_or_default()
}

/// A path as CLAP has it.
#[cfg(unix)]
pub(super) fn path_of(path: &CStr) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes()))
}

/// A path as CLAP has it: UTF-8.
#[cfg(not(unix))]
pub(super) fn path_of(path: &CStr) -> PathBuf {
    PathBuf::from(path.to_string_lossy().into_owned())
}

/// A path for a host; `None` where it cannot be said.
#[cfg(unix)]
pub(super) fn path_for(path: &Path) -> Option<CString> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(path.as_os_str().as_bytes()).ok()
}

/// A path for a host; `None` where it cannot be said.
#[cfg(not(unix))]
pub(super) fn path_for(path: &Path) -> Option<CString> {
    CString::new(path.to_str()?).ok()
}

/// `[main]` The preset at a place, if the strip can hold it.
pub(super) fn read(place: &Place, catalog: &Catalog) -> Result<RackSpec, PlaceError> {
    let rack = match place {
        Place::BuiltIn(name) => {
            let mut factory = preset::factory().iter();
            let found = factory.find(|factory| factory.name == name);
            let found = found.ok_or_else(|| PlaceError::Unknown(name.clone()))?;
            preset::parse(found.text, found.name, catalog)?
        }
        Place::File(path) => preset::load(path, catalog)?,
    };
    fits(&rack)?;
    Ok(rack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_file_cannot_be_read_is_said_as_the_systems_number() {
        let missing = Place::File(PathBuf::from("/no/such/folder/preset.toml"));
        let why = read(&missing, &Catalog::builtin()).expect_err("there is none");
        assert_eq!(
            why.os_error(),
            io::Error::from_raw_os_error(2).raw_os_error().unwrap_or(0)
        );
        assert!(
            why.to_string().contains("/no/such/folder/preset.toml"),
            "{why}"
        );
        let unknown = Place::BuiltIn("no such".to_owned());
        let why = read(&unknown, &Catalog::builtin()).expect_err("there is none");
        assert_eq!(why.os_error(), 0);
        assert_eq!(
            why.words().to_str(),
            Ok("there is no built-in preset `no such`")
        );
    }
}
