//! Presets by their names: the built-in ones, and the user's own, each a file in one folder.

use std::fs;
use std::io;
use std::path::PathBuf;

use directories::ProjectDirs;
use headroom_ipc::board::PresetInfo;
use thiserror::Error;

use super::{PresetError, RackSpec, factory, load, parse};
use crate::module::Catalog;

/// Why a preset is not there, or cannot be kept.
#[derive(Debug, Error)]
pub enum LibraryError {
    /// Nobody has called one so.
    #[error("there is no preset `{given}`: expected one of {known}")]
    NoSuchPreset {
        /// What was asked for.
        given: String,
        /// What there is.
        known: String,
    },
    /// A built-in one is never written over.
    #[error("`{0}` is built in: expected another name")]
    BuiltIn(String),
    /// The system has no home for this user.
    #[error("there is no home folder to save it in")]
    NoHome,
    /// The folder cannot be made.
    #[error("{}: {error}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Preset(#[from] PresetError),
}

/// The presets of one user.
#[derive(Debug, Clone)]
pub struct Library {
    folder: Option<PathBuf>,
}

impl Library {
    /// `[main]` With the folder of whoever runs this; without one on a system that has no homes.
    pub fn of_user() -> Self {
        let folders = ProjectDirs::from("", "", "headroom");
        Self::new(folders.map(|folders| folders.config_dir().join("presets")))
    }

    /// `[main]` With the user's own in `folder`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// `[any]` Where the user's own presets are.
    pub fn folder(&self) -> Option<&PathBuf> {
        self.folder.as_ref()
    }

    /// `[main]` The user's own presets by name; those that a built-in one hides are left out.
    pub fn own(&self) -> Vec<(String, PathBuf)> {
        let folder = self.folder.as_ref();
        let Some(entries) = folder.and_then(|folder| fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let mut presets: Vec<(String, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let name = path.file_stem()?.to_str()?.to_owned();
                let is_preset = path
                    .extension()
                    .is_some_and(|extension| extension == "toml")
                    && path.is_file();
                (is_preset && !is_built_in(&name)).then_some((name, path))
            })
            .collect();
        presets.sort();
        presets
    }

    /// `[main]` All names, the built-in ones first.
    pub fn names(&self) -> Vec<String> {
        let built_in = factory().iter().map(|factory| factory.name.to_owned());
        let own = self.own().into_iter().map(|(name, _)| name);
        built_in.chain(own).collect()
    }

    /// `[main]` The preset of this name, and never of a path.
    ///
    /// # Errors
    ///
    /// There is none, or something in it is wrong.
    pub fn named(&self, name: &str, catalog: &Catalog) -> Result<RackSpec, LibraryError> {
        if let Some(found) = factory().iter().find(|factory| factory.name == name) {
            return Ok(parse(found.text, found.name, catalog)?);
        }
        let own = self.own();
        match own.iter().find(|(known, _)| known == name) {
            Some((_, path)) => Ok(load(path, catalog)?),
            None => Err(LibraryError::NoSuchPreset {
                given: name.to_owned(),
                known: self.names().join(", "),
            }),
        }
    }

    /// `[main]` All presets that can be loaded, as a screen is told of them; those with an error are left out.
    pub fn infos(&self, catalog: &Catalog) -> Vec<PresetInfo> {
        let info = |name: String, own, spec: RackSpec| PresetInfo {
            name,
            title: spec.name,
            tags: spec.tags,
            modules: spec
                .modules
                .iter()
                .map(|module| module.kind.id.to_owned())
                .collect(),
            own,
        };
        let built_in = factory().iter().filter_map(|factory| {
            let spec = parse(factory.text, factory.name, catalog).ok()?;
            Some(info(factory.name.to_owned(), false, spec))
        });
        let own = self.own().into_iter().filter_map(|(name, path)| {
            let spec = load(&path, catalog).ok()?;
            Some(info(name, true, spec))
        });
        built_in.chain(own).collect()
    }

    /// `[main]` The file of a preset of the user's own, whose folder is made if it is not there.
    ///
    /// # Errors
    ///
    /// There is no home, the folder cannot be made, or a built-in preset has this name.
    pub fn own_file(&self, name: &str) -> Result<PathBuf, LibraryError> {
        if is_built_in(name) {
            return Err(LibraryError::BuiltIn(name.to_owned()));
        }
        let folder = self.folder.as_ref().ok_or(LibraryError::NoHome)?;
        fs::create_dir_all(folder).map_err(|error| LibraryError::Folder {
            folder: folder.clone(),
            error,
        })?;
        Ok(folder.join(format!("{name}.toml")))
    }
}

fn is_built_in(name: &str) -> bool {
    factory().iter().any(|factory| factory.name == name)
}
