//! `headroom presets`, and how a preset is found by its name.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use headroom_engine::preset::{self, Factory, Library};
use headroom_engine::{Catalog, RackSpec};
use headroom_ipc::board::PresetInfo;
use serde::Serialize;

use crate::cli::ListArgs;
use crate::error::{self, HostError};
use crate::{report, table};

/// The preset that is used when none is named.
pub const USUAL: &str = "voice";

/// One preset, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Preset {
    /// What `--preset` takes.
    name: String,
    /// What it calls itself.
    title: String,
    tags: Vec<String>,
    /// The kinds of its modules, in their order.
    modules: Vec<&'static str>,
    /// `factory` or `user`.
    origin: &'static str,
}

/// `[main]` The rack that `given` stands for: a built-in preset, else one of the user's own, else a file.
/// `None` is [`USUAL`].
///
/// # Errors
/// There is no such preset or file, or something in it is wrong.
pub fn find(given: Option<&str>, catalog: &Catalog) -> Result<RackSpec, HostError> {
    Ok(locate(given, catalog)?.spec)
}

/// A rack and where it came from.
#[derive(Debug, Clone)]
pub struct Found {
    /// The rack.
    pub spec: RackSpec,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a rack came from, and so where it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It comes with the program: what is saved is a copy.
    BuiltIn(&'static str),
    /// A file, one of the user's own presets or any other.
    File(PathBuf),
}

/// `[main]` The same, and where it came from.
///
/// # Errors
/// There is no such preset or file, or something in it is wrong.
pub fn locate(given: Option<&str>, catalog: &Catalog) -> Result<Found, HostError> {
    find_in(user_folder().as_deref(), given.unwrap_or(USUAL), catalog)
}

/// `[main]` What `--preset` takes, in the order of `headroom presets`.
pub fn names() -> Vec<String> {
    Library::of_user().names()
}

/// `[main]` A new file among the user's own presets for a copy of a built-in one, which keeps its
/// name: `my-voice`, or with a number behind it where that is taken.
///
/// # Errors
/// There is no home, or the folder cannot be made.
pub fn own_copy(name: &str) -> Result<PathBuf, String> {
    let folder = user_folder().ok_or("there is no home folder to save it in")?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let file = |number: u32| match number {
        1 => folder.join(format!("my-{name}.toml")),
        _ => folder.join(format!("my-{name}-{number}.toml")),
    };
    let free = (1..).map(file).find(|path| !path.exists());
    free.ok_or_else(|| format!("{}: full of copies of {name}", folder.display()))
}

/// `[main]` `given` so that it means the same rack from any folder: a name stays, a file gets its whole path.
pub fn lasting(given: &str) -> String {
    let is_named = preset::factory()
        .iter()
        .any(|factory| factory.name == given)
        || user_presets(user_folder().as_deref())
            .iter()
            .any(|(name, _)| name == given);
    if is_named {
        return given.to_owned();
    }
    match fs::canonicalize(given) {
        Ok(path) => path.display().to_string(),
        Err(_) => given.to_owned(),
    }
}

fn find_in(folder: Option<&Path>, given: &str, catalog: &Catalog) -> Result<Found, HostError> {
    let from_file = |path: &Path| -> Result<Found, HostError> {
        Ok(Found {
            spec: preset::load(path, catalog)?,
            origin: Origin::File(path.to_owned()),
        })
    };
    let is_name = Path::new(given)
        .file_name()
        .is_some_and(|name| name == given);
    if is_name {
        if let Some(factory) = preset::factory()
            .iter()
            .find(|factory| factory.name == given)
        {
            return Ok(Found {
                spec: preset::parse(factory.text, factory.name, catalog)?,
                origin: Origin::BuiltIn(factory.name),
            });
        }
        let own = folder.map(|folder| folder.join(format!("{given}.toml")));
        if let Some(own) = own.filter(|own| own.is_file()) {
            return from_file(&own);
        }
    }
    let path = Path::new(given);
    if is_name && path.extension().is_none() && !path.exists() {
        let own = user_presets(folder).into_iter().map(|(name, _)| name);
        let mut known: Vec<String> = preset::factory()
            .iter()
            .map(|factory| factory.name.to_owned())
            .chain(own)
            .collect();
        known.dedup();
        return Err(HostError::NoSuchPreset {
            given: given.to_owned(),
            known: known.join(", "),
        });
    }
    from_file(path)
}

/// `[main]` Prints the presets. One of the user's own that cannot be used is named on standard error.
///
/// # Errors
/// Standard output is closed or full.
pub fn run(args: &ListArgs) -> Result<(), HostError> {
    let catalog = Catalog::builtin();
    let folder = user_folder();
    let mut presets = Vec::new();
    for Factory { name, text, .. } in preset::factory() {
        presets.push(describe(
            (*name).to_owned(),
            preset::parse(text, name, &catalog)?,
            "factory",
        ));
    }
    for (name, path) in user_presets(folder.as_deref()) {
        match preset::load(&path, &catalog) {
            Ok(spec) => presets.push(describe(name, spec, "user")),
            Err(problem) => {
                // The others are still worth printing, and so is standard output without standard error.
                let _ = writeln!(std::io::stderr(), "headroom: {}", error::one_line(&problem));
            }
        }
    }
    if args.json {
        return report::print_json(&presets, false);
    }
    let rows: Vec<[String; 4]> = presets
        .into_iter()
        .map(|preset| {
            [
                preset.name,
                preset.title,
                preset.modules.join(", "),
                preset.tags.join(", "),
            ]
        })
        .collect();
    let mut text = table::columns(&rows);
    if let Some(folder) = folder {
        text.push_str(&format!(
            "\nYour own: {}\n",
            folder.join("NAME.toml").display()
        ));
    }
    report::print(&text, false)
}

fn describe(name: String, spec: RackSpec, origin: &'static str) -> Preset {
    let modules = spec.modules.iter().map(|module| module.kind.id).collect();
    Preset {
        name,
        title: spec.name,
        tags: spec.tags,
        modules,
        origin,
    }
}

/// `[main]` The preset of this name: a built-in one or one of the user's own, and never a path.
///
/// # Errors
/// There is none, or something in it is wrong.
pub fn named(name: &str, catalog: &Catalog) -> Result<Found, HostError> {
    let known = names();
    if !known.iter().any(|known| known == name) {
        return Err(HostError::NoSuchPreset {
            given: name.to_owned(),
            known: known.join(", "),
        });
    }
    locate(Some(name), catalog)
}

/// `[main]` All presets that can be loaded, as a screen is told of them; those with an error are left out.
pub fn infos(catalog: &Catalog) -> Vec<PresetInfo> {
    Library::of_user().infos(catalog)
}

/// `[main]` The file of a preset of the user's own, whose folder is made if it is not there.
///
/// # Errors
/// There is no home, the folder cannot be made, or a built-in preset has this name.
pub fn own_file(name: &str) -> Result<PathBuf, String> {
    let file = Library::of_user().own_file(name);
    file.map_err(|error| error.to_string())
}

/// Where the user's own presets are; `None` on a system without a home folder.
fn user_folder() -> Option<PathBuf> {
    Library::of_user().folder().cloned()
}

/// The user's own presets by name; those that a built-in one hides are left out.
fn user_presets(folder: Option<&Path>) -> Vec<(String, PathBuf)> {
    Library::new(folder.map(Path::to_owned)).own()
}
