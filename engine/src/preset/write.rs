//! From a rack's plain data to TOML, and safely into a file.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, value};

use super::midi::{self, MidiBinding};
use super::{ModuleSpec, PresetError, RackSpec, VERSION};
use crate::module::Catalog;
use crate::param::{Param, Scale};

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
    if !rack.midi.is_empty() {
        document["midi"] = midi_of(rack);
    }
    document.to_string()
}

fn midi_of(rack: &RackSpec) -> Item {
    let tables = rack
        .midi
        .iter()
        .map(|binding| midi::table_of(binding, &rack.modules));
    Item::ArrayOfTables(tables.collect())
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
        params[param.id] = item_of(param, number);
    }
    if !params.is_empty() {
        table["params"] = Item::Table(params);
    }
    table
}

/// A parameter's value as a preset writes it.
pub(super) fn item_of(param: &Param, number: f32) -> Item {
    match param.scale {
        Scale::Choice(labels) => value(labels[param.clamp(number) as usize]),
        Scale::Switch => value(number > 0.5),
        Scale::Linear | Scale::Log => value(shortest(number)),
    }
}

/// The shortest decimal that reads back as the same f32: 0.1 and not 0.10000000149.
pub(super) fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// `[main]` Writes a preset so that a full disk or a power cut leaves the old file: into a new file
/// beside it, synced, then renamed.
pub fn save(path: &Path, rack: &RackSpec) -> Result<(), PresetError> {
    replace(path, &to_toml(rack))
}

/// `[main]` Brings a preset's file up to date with `rack`, as safely as [`save`] does, and leaves
/// what it does not have to change as it is written there: comments, order, spelling. A file that
/// is not there, or that holds other modules, is written anew.
pub fn update(path: &Path, rack: &RackSpec, catalog: &Catalog) -> Result<(), PresetError> {
    let origin = path.display().to_string();
    let kept = fs::read_to_string(path).ok().and_then(|text| {
        let old = super::parse(&text, &origin, catalog).ok()?;
        let same = |(old, new): (&ModuleSpec, &ModuleSpec)| {
            old.id == new.id && std::ptr::eq(old.kind, new.kind)
        };
        let same = old.modules.len() == rack.modules.len()
            && old.modules.iter().zip(&rack.modules).all(same);
        let document = same.then(|| text.parse::<DocumentMut>().ok())??;
        patched(document, &old, rack)
    });
    replace(path, &kept.unwrap_or_else(|| to_toml(rack)))
}

/// The file's own text with what differs between `old`, which it says now, and `new`.
fn patched(mut document: DocumentMut, old: &RackSpec, new: &RackSpec) -> Option<String> {
    if !new.modules.is_empty() {
        let tables = document.get_mut("module")?.as_array_of_tables_mut()?;
        for (table, (old, new)) in tables.iter_mut().zip(old.modules.iter().zip(&new.modules)) {
            if old.bypass != new.bypass {
                set(table, "bypass", value(new.bypass));
            }
            if old.mix != new.mix {
                set(table, "mix", value(shortest(new.mix)));
            }
            let values = old.values.iter().zip(&new.values);
            for (param, (old, &new)) in old.kind.params.iter().zip(values) {
                if *old == new {
                    continue;
                }
                let params = table.entry("params").or_insert_with(toml_edit::table);
                set(params.as_table_like_mut()?, param.id, item_of(param, new));
            }
        }
    }
    if old.midi != new.midi {
        // A table that says the same stays as it is written.
        let written = document.get("midi").and_then(Item::as_array_of_tables);
        let kept = |binding: &MidiBinding| {
            let at = old.midi.iter().position(|known| known == binding)?;
            written?.get(at).cloned()
        };
        let tables = new
            .midi
            .iter()
            .map(|binding| kept(binding).unwrap_or_else(|| midi::table_of(binding, &new.modules)));
        let tables: ArrayOfTables = tables.collect();
        if tables.is_empty() {
            document.remove("midi");
        } else {
            document["midi"] = Item::ArrayOfTables(tables);
        }
    }
    Some(document.to_string())
}

/// Sets a value and keeps the comment behind the one before.
fn set(table: &mut dyn TableLike, key: &str, new: Item) {
    match (table.get_mut(key).and_then(Item::as_value_mut), new) {
        (Some(old), Item::Value(mut new)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        (_, new) => {
            table.insert(key, new);
        }
    }
}

fn replace(path: &Path, text: &str) -> Result<(), PresetError> {
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
