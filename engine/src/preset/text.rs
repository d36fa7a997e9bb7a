//! TOML that people write: what is wrong with it is said with its line and what was expected.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike};

use super::PresetError;

/// A text and the name of where it came from, for errors.
///
/// Programs read their own small files with it, so that all errors read alike.
#[derive(Debug, Clone, Copy)]
pub struct TomlText<'a> {
    text: &'a str,
    origin: &'a str,
}

impl<'a> TomlText<'a> {
    /// `[main]` Wraps `text`; `origin` is the file's name.
    pub fn new(text: &'a str, origin: &'a str) -> Self {
        Self { text, origin }
    }

    /// `[main]` Parses it.
    pub fn document(&self) -> Result<Document<&'a str>, PresetError> {
        Document::parse(self.text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            self.error(error.span(), message, "TOML")
        })
    }

    /// `[main]` An error at a place of the text, or at its first line.
    pub fn error(
        &self,
        at: Option<Range<usize>>,
        what: impl Into<String>,
        expected: impl Into<String>,
    ) -> PresetError {
        let end = at.map_or(0, |at| at.start.min(self.text.len()));
        PresetError::Content {
            origin: self.origin.to_owned(),
            line: 1 + self.text.as_bytes()[..end]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count(),
            what: what.into(),
            expected: expected.into(),
        }
    }

    /// `[main]` A key whose value is not what it should be.
    pub fn wrong(&self, key: &Key, item: &Item, expected: impl Into<String>) -> PresetError {
        let value = match item.as_value() {
            Some(value) => value.to_string().trim().replace('\n', " "),
            None => format!("a {}", item.type_name()),
        };
        let what = format!("`{}` is {value}", key.get());
        self.error(key.span().or(item.span()), what, expected)
    }

    /// `[main]` A key that means nothing here.
    pub fn unknown(&self, key: &Key, item: &Item, known: &[&str]) -> PresetError {
        let what = format!("unknown key `{}`", key.get());
        let expected = format!("one of `{}`", known.join("`, `"));
        self.error(key.span().or(item.span()), what, expected)
    }

    /// `[main]` The text that a key holds.
    pub fn string(&self, key: &Key, item: &Item) -> Result<String, PresetError> {
        item.as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(key, item, "a text"))
    }

    /// `[main]` `true` or `false`.
    pub fn switch(&self, key: &Key, item: &Item) -> Result<bool, PresetError> {
        item.as_bool()
            .ok_or_else(|| self.wrong(key, item, "true or false"))
    }

    /// `[main]` A whole number from `least` to `most`.
    pub fn whole(&self, key: &Key, item: &Item, least: u8, most: u8) -> Result<u8, PresetError> {
        item.as_integer()
            .and_then(|number| u8::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.wrong(key, item, format!("a whole number from {least} to {most}")))
    }
}

/// `[main]` The table's keys and items, in the file's order.
pub fn entries(table: &(impl TableLike + ?Sized)) -> impl Iterator<Item = (&Key, &Item)> {
    let mut entries: Vec<_> = table
        .iter()
        .filter_map(|(key, _)| table.get_key_value(key))
        .collect();
    // A table within a table stands where it is written; errors come in the reader's order.
    entries.sort_by_key(|(key, item)| key.span().or(item.span()).map(|span| span.start));
    entries.into_iter()
}
