//! From a rack's plain data to TOML, and safely into a file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{ModuleSpec, PresetError, RackSpec, VERSION};
use crate::param::Scale;

/// `[main]` The preset as text. Values that are the table's defaults are left out.
pub fn to_toml(rack: &RackSpec) -> String {
    let mut document = DocumentMut::new();
    document["headroom"] = value(VERSION);
    if !rack.name.is_empty() {
        document["name"] = value(&rack.name);
    }
    if !rack.tags.is_empty() {
        document["tags"] = value(rack.tags.iter().collect::<Array>());
    }
    let mut modules = ArrayOfTables::new();
    for module in &rack.modules {
        modules.push(table_of(module));
    }
    if !modules.is_empty() {
        document["module"] = Item::ArrayOfTables(modules);
    }
    document.to_string()
}

fn table_of(module: &ModuleSpec) -> Table {
    let mut table = Table::new();
    table["kind"] = value(module.kind.id);
    table["id"] = value(&module.id);
    if module.bypass {
        table["bypass"] = value(true);
    }
    if module.mix != 1.0 {
        table["mix"] = value(shortest(module.mix));
    }
    let mut params = Table::new();
    for (param, &number) in module.kind.params.iter().zip(&module.values) {
        if number == param.default {
            continue;
        }
        params[param.id] = match param.scale {
            Scale::Choice(labels) => value(labels[param.clamp(number) as usize]),
            Scale::Switch => value(number > 0.5),
            Scale::Linear | Scale::Log => value(shortest(number)),
        };
    }
    if !params.is_empty() {
        table["params"] = Item::Table(params);
    }
    table
}

/// The shortest decimal that reads back as the same f32: 0.1 and not 0.10000000149.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// `[main]` Writes a preset so that a full disk or a power cut leaves the old file: into a new file
/// beside it, synced, then renamed.
pub fn save(path: &Path, rack: &RackSpec) -> Result<(), PresetError> {
    let text = to_toml(rack);
    let io = |source| PresetError::Io {
        path: path.to_owned(),
        source,
    };
    let new = beside(path).map_err(io)?;
    let written = write_synced(&new, text.as_bytes())
        .and_then(|()| fs::rename(&new, path))
        .and_then(|()| sync_folder(path));
    written.map_err(|error| {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_file(&new);
        io(error)
    })
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file's name"))?;
    let mut new = std::ffi::OsString::from(".");
    new.push(name);
    new.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(new))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
