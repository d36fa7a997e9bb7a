//! The preset file: TOML, versioned, the same for standalone, plugin and render.

mod factory;
mod library;
mod midi;
mod read;
mod text;
mod write;

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::builder::OpenError;
use crate::module::Kind;

pub use factory::{FACTORY, Factory, factory};
pub use library::{Library, LibraryError};
pub use midi::{MAX_BINDINGS, MAX_CONTROLLER, MidiBinding, MidiSource, MidiTarget, read_binding};
pub use read::{free_id, parse};
pub use text::{TomlText, entries};
pub use write::{save, to_toml, update};

/// The version that `headroom = 1` stands for.
pub const VERSION: i64 = 1;

/// A rack as plain data: what a preset says.
#[derive(Debug, Clone, Default)]
pub struct RackSpec {
    /// For people; may be empty.
    pub name: String,
    /// For people to find it by.
    pub tags: Vec<String>,
    /// The modules in the order in which the sound passes them.
    pub modules: Vec<ModuleSpec>,
    /// What controllers and notes move.
    pub midi: Vec<MidiBinding>,
}

/// One module as plain data.
#[derive(Debug, Clone)]
pub struct ModuleSpec {
    /// Which effect.
    pub kind: &'static Kind,
    /// Unique in the rack.
    pub id: String,
    /// Whether it is passed by.
    pub bypass: bool,
    /// How much of it is heard, 0 to 1.
    pub mix: f32,
    /// One value for each row of the kind's table, in its unit.
    pub values: Vec<f32>,
}

impl ModuleSpec {
    /// `[main]` A module with its default values, heard whole, with the kind's id as its own.
    pub fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            id: kind.id.to_owned(),
            bypass: false,
            mix: 1.0,
            values: kind.defaults(),
        }
    }

    /// `[main]` The same under another id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// `[main]` The same with one value changed. A parameter that the kind does not have is left out
    /// of account; use a preset or the controller for what people typed.
    #[must_use]
    pub fn with(mut self, param: &str, value: f32) -> Self {
        if let Some(index) = self.kind.param_index(param) {
            self.values[index] = value;
        }
        self
    }

    /// `[main]` Whether every value is one that its parameter takes.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let refuse = |param, value, expected| OpenError::Value {
            module: self.id.clone(),
            param,
            value,
            expected,
        };
        if !(0.0..=1.0).contains(&self.mix) {
            return Err(refuse("mix", self.mix, "a number from 0 to 1".to_owned()));
        }
        let (found, expected) = (self.values.len(), self.kind.params.len());
        if found != expected {
            return Err(OpenError::Values {
                module: self.id.clone(),
                found,
                expected,
            });
        }
        for (param, &value) in self.kind.params.iter().zip(&self.values) {
            if !param.accepts(value) {
                return Err(refuse(param.id, value, param.expected()));
            }
        }
        Ok(())
    }
}

/// What is wrong with a preset, and where: one line.
#[derive(Debug, Error)]
pub enum PresetError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What it says is not what was expected.
    #[error("{origin}:{line}: {what}: expected {expected}")]
    Content {
        /// The file, or what the text came from.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The key and what it was.
        what: String,
        /// What it may be.
        expected: String,
    },
}

/// `[main]` Reads a preset file.
pub fn load(path: &Path, catalog: &crate::Catalog) -> Result<RackSpec, PresetError> {
    let text = std::fs::read_to_string(path).map_err(|source| PresetError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, &path.display().to_string(), catalog)
}
