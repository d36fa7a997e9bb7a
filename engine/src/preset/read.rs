//! From TOML to a rack's plain data. Nothing is guessed: what is not known is an error.

use toml_edit::{Item, Key, Table};

use super::midi::{MAX_BINDINGS, read_binding};
use super::text::{TomlText, entries};
use super::{ModuleSpec, PresetError, RackSpec, VERSION};
use crate::module::{Catalog, Kind};
use crate::param::{Param, Scale};
use crate::rack::MAX_SLOTS;

/// `[main]` Reads a preset. `origin` is the file's name, for errors.
pub fn parse(text: &str, origin: &str, catalog: &Catalog) -> Result<RackSpec> {
    let text = TomlText::new(text, origin);
    let document = text.document()?;
    Reader { text, catalog }.rack(document.as_table())
}

struct Reader<'a> {
    text: TomlText<'a>,
    catalog: &'a Catalog,
}

type Result<T> = std::result::Result<T, PresetError>;

impl Reader<'_> {
    fn rack(&self, table: &Table) -> Result<RackSpec> {
        let mut version = None;
        let mut rack = RackSpec::default();
        let mut midi = None;
        for (key, item) in entries(table) {
            match key.get() {
                "headroom" => {
                    version = item.as_integer();
                    if version != Some(VERSION) {
                        return Err(self.text.wrong(key, item, "1, the version of this format"));
                    }
                }
                "name" => rack.name = self.text.string(key, item)?,
                "tags" => {
                    let tags = item.as_array().and_then(|tags| {
                        let tags = tags.iter().map(|tag| tag.as_str().map(str::to_owned));
                        tags.collect::<Option<Vec<_>>>()
                    });
                    rack.tags =
                        tags.ok_or_else(|| self.text.wrong(key, item, "a list of texts"))?;
                }
                "module" => {
                    let modules = item
                        .as_array_of_tables()
                        .ok_or_else(|| self.text.wrong(key, item, "[[module]] tables"))?;
                    for module in modules {
                        if rack.modules.len() == MAX_SLOTS {
                            let expected = format!("at most {MAX_SLOTS} modules");
                            return Err(self.text.error(
                                module.span(),
                                "one more module",
                                expected,
                            ));
                        }
                        let module = self.module(module, &rack.modules)?;
                        rack.modules.push(module);
                    }
                }
                "midi" => {
                    midi = Some(
                        item.as_array_of_tables()
                            .ok_or_else(|| self.text.wrong(key, item, "[[midi]] tables"))?,
                    );
                }
                _ => {
                    let known = ["headroom", "name", "tags", "module", "midi"];
                    return Err(self.text.unknown(key, item, &known));
                }
            }
        }
        if version.is_none() {
            let what = "the key `headroom` is missing";
            return Err(self.text.error(None, what, "`headroom = 1` at the top"));
        }
        // Last, wherever they stand: they speak of the modules.
        for binding in midi.into_iter().flatten() {
            if rack.midi.len() == MAX_BINDINGS {
                let expected = format!("at most {MAX_BINDINGS} [[midi]] tables");
                return Err(self.text.error(binding.span(), "one more", expected));
            }
            rack.midi
                .push(read_binding(&self.text, binding, &rack.modules)?);
        }
        Ok(rack)
    }

    fn module(&self, table: &Table, before: &[ModuleSpec]) -> Result<ModuleSpec> {
        let kind = self.kind(table)?;
        let mut module = ModuleSpec::new(kind);
        let mut id = None;
        for (key, item) in entries(table) {
            match key.get() {
                "kind" => {}
                "id" => {
                    let wanted = self.text.string(key, item)?;
                    if wanted.is_empty() {
                        return Err(self.text.wrong(key, item, "a name"));
                    }
                    if before.iter().any(|other| other.id == wanted) {
                        return Err(self.text.wrong(key, item, "an id that no other module has"));
                    }
                    id = Some(wanted);
                }
                "bypass" => {
                    module.bypass = self.text.switch(key, item)?;
                }
                "mix" => {
                    let mix = number(item).filter(|mix| (0.0..=1.0).contains(mix));
                    module.mix =
                        mix.ok_or_else(|| self.text.wrong(key, item, "a number from 0 to 1"))?;
                }
                "params" => self.params(key, item, &mut module)?,
                _ => {
                    let known = ["kind", "id", "bypass", "mix", "params"];
                    return Err(self.text.unknown(key, item, &known));
                }
            }
        }
        module.id = id.unwrap_or_else(|| free_id(kind.id, before));
        Ok(module)
    }

    fn kind(&self, table: &Table) -> Result<&'static Kind> {
        let kinds = || {
            let ids: Vec<_> = self.catalog.kinds().iter().map(|kind| kind.id).collect();
            format!("one of `{}`", ids.join("`, `"))
        };
        let Some((key, item)) = table.get_key_value("kind") else {
            let what = "a module without `kind`";
            return Err(self.text.error(table.span(), what, kinds()));
        };
        item.as_str()
            .and_then(|id| self.catalog.find(id))
            .ok_or_else(|| self.text.wrong(key, item, kinds()))
    }

    fn params(&self, key: &Key, item: &Item, module: &mut ModuleSpec) -> Result<()> {
        let table = item
            .as_table_like()
            .ok_or_else(|| self.text.wrong(key, item, "a table of parameters"))?;
        for (key, item) in entries(table) {
            let Some(index) = module.kind.param_index(key.get()) else {
                let known: Vec<_> = module.kind.params.iter().map(|param| param.id).collect();
                return Err(self.text.unknown(key, item, &known));
            };
            let param = &module.kind.params[index];
            let value = value_of(param, item).filter(|&value| param.accepts(value));
            module.values[index] =
                value.ok_or_else(|| self.text.wrong(key, item, param.expected()))?;
        }
        Ok(())
    }
}

pub(super) fn number(item: &Item) -> Option<f32> {
    let value = item
        .as_float()
        .or_else(|| item.as_integer().map(|value| value as f64))?;
    Some(value as f32)
}

pub(super) fn value_of(param: &Param, item: &Item) -> Option<f32> {
    match param.scale {
        Scale::Choice(labels) => {
            let wanted = item.as_str()?;
            let index = labels.iter().position(|label| *label == wanted)?;
            Some(index as f32)
        }
        Scale::Switch => item.as_bool().map(|on| if on { 1.0 } else { 0.0 }),
        Scale::Linear | Scale::Log => number(item),
    }
}

/// `[main]` An id for a module of this kind that none of the others has: the kind's own name, or with a number behind it.
pub fn free_id(kind: &str, before: &[ModuleSpec]) -> String {
    let taken = |id: &str| before.iter().any(|other| other.id == id);
    if !taken(kind) {
        return kind.to_owned();
    }
    (2..)
        .map(|number| format!("{kind}{number}"))
        .find(|id| !taken(id))
        // PANIC: there are more numbers than modules.
        .expect("some number is free")
}
