//! `midi.toml`: which program is which preset, and what pedals do whatever the preset.
//!
//! ```toml
//! headroom = 1
//! port = "nanoKONTROL"   # as --midi
//!
//! [[program]]
//! program = 1            # 1 to 128, as most devices count
//! channel = 2            # left out: any
//! preset = "voice"       # a name, or a file beside this one
//!
//! [[midi]]               # mute and panic only: modules differ from preset to preset
//! cc = 64
//! mute = true
//! ```

use std::path::Path;
use std::path::PathBuf;

use headroom_engine::Catalog;
use headroom_engine::preset::MAX_BINDINGS;
use headroom_engine::preset::MidiBinding;
use headroom_engine::preset::PresetError;
use headroom_engine::preset::TomlText;
use headroom_engine::preset::VERSION;
use headroom_engine::preset::entries;
use headroom_engine::preset::read_binding;

use crate::error::one_line;
use crate::presets;

/// A device sends 16 channels of 128 programs.
const MAX_PROGRAMS: usize = 16 * 128;

/// What the file says; by default nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Map {
    pub(super) port: Option<String>,
    pub(super) programs: Vec<Program>,
    pub(super) bindings: Vec<MidiBinding>,
}

/// One program and its preset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Program {
    /// 1 to 128.
    pub(super) number: u8,
    /// 1 to 16; `None` is any.
    pub(super) channel: Option<u8>,
    /// What `--preset` would take.
    pub(super) preset: String,
}

impl Map {
    /// `[main]` Reads the file; every preset it names has to be there and whole.
    pub(super) fn load(path: &Path, catalog: &Catalog) -> Result<Self, PresetError> {
        let text = std::fs::read_to_string(path).map_err(|source| PresetError::Io {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder, catalog)
    }

    /// `[main]` Reads the text of the file `origin` in `folder`.
    pub(super) fn parse(
        text: &str,
        origin: &str,
        folder: &Path,
        catalog: &Catalog,
    ) -> Result<Self, PresetError> {
        let text = TomlText::new(text, origin);
        let document = text.document()?;
        let mut map = Self::default();
        let mut version = None;
        for (key, item) in entries(document.as_table()) {
            let tables = |what: &str| {
                let tables = item.as_array_of_tables();
                tables.ok_or_else(|| text.wrong(key, item, what))
            };
            match key.get() {
                "headroom" => {
                    version = item.as_integer();
                    if version != Some(VERSION) {
                        return Err(text.wrong(key, item, "1, the version of this format"));
                    }
                }
                "port" => map.port = Some(text.string(key, item)?),
                "program" => {
                    for table in tables("[[program]] tables")? {
                        let program = read_program(&text, table, folder, catalog)?;
                        let same = |other: &Program| {
                            (other.number, other.channel) == (program.number, program.channel)
                        };
                        if map.programs.iter().any(same) || map.programs.len() == MAX_PROGRAMS {
                            let what = format!("program {} once more", program.number);
                            let expected = "each program once for a channel";
                            return Err(text.error(table.span(), what, expected));
                        }
                        map.programs.push(program);
                    }
                }
                "midi" => {
                    for table in tables("[[midi]] tables")? {
                        if map.bindings.len() == MAX_BINDINGS {
                            let expected = format!("at most {MAX_BINDINGS} [[midi]] tables");
                            return Err(text.error(table.span(), "one more", expected));
                        }
                        if let Some((key, item)) = ["param", "mix", "bypass"]
                            .iter()
                            .find_map(|key| table.get_key_value(key))
                        {
                            let expected =
                                "`mute` or `panic` here: what belongs to a module is in its preset";
                            return Err(text.wrong(key, item, expected));
                        }
                        map.bindings.push(read_binding(&text, table, &[])?);
                    }
                }
                _ => {
                    let known = ["headroom", "port", "program", "midi"];
                    return Err(text.unknown(key, item, &known));
                }
            }
        }
        if version.is_none() {
            let what = "the key `headroom` is missing";
            return Err(text.error(None, what, "`headroom = 1` at the top"));
        }
        Ok(map)
    }

    /// `[main]` The channels that programs are chosen on, a bit each.
    pub(super) fn program_channels(&self) -> u16 {
        if self.programs.is_empty() {
            return u16::MAX;
        }
        let bits = self.programs.iter().map(|program| {
            let channel = program.channel.map(|channel| channel - 1);
            channel.map_or(u16::MAX, |channel| 1 << channel)
        });
        bits.fold(0, |all, bits| all | bits)
    }

    /// `[main]` The preset of a program, channel and number from 0; or what there is to say.
    pub(super) fn preset(&self, channel: u8, number: u8) -> Result<String, String> {
        let (channel, number) = (channel + 1, number + 1);
        if self.programs.is_empty() {
            let names = presets::names();
            let there_are = names.len();
            return names
                .into_iter()
                .nth(usize::from(number) - 1)
                .ok_or_else(|| {
                    format!(
                        "program {number}: there are {there_are} presets (see `headroom presets`)"
                    )
                });
        }
        let of = |wanted: Option<u8>| {
            let is = |program: &&Program| program.number == number && program.channel == wanted;
            self.programs.iter().find(is)
        };
        of(Some(channel))
            .or_else(|| of(None))
            .map(|program| program.preset.clone())
            .ok_or_else(|| format!("program {number} on channel {channel}: none in the MIDI map"))
    }
}

fn read_program(
    text: &TomlText<'_>,
    table: &toml_edit::Table,
    folder: &Path,
    catalog: &Catalog,
) -> Result<Program, PresetError> {
    let (mut number, mut channel, mut preset) = (None, None, None);
    for (key, item) in entries(table) {
        match key.get() {
            "program" => number = Some(text.whole(key, item, 1, 128)?),
            "channel" => channel = Some(text.whole(key, item, 1, 16)?),
            "preset" => {
                let name = beside(folder, text.string(key, item)?);
                if let Err(error) = presets::locate(Some(&name), catalog) {
                    let expected = format!("a preset that can be used ({})", one_line(&error));
                    return Err(text.wrong(key, item, expected));
                }
                preset = Some(name);
            }
            _ => return Err(text.unknown(key, item, &["program", "channel", "preset"])),
        }
    }
    let missing = |what| text.error(table.span(), what, "`program = 1` and `preset = \"NAME\"`");
    Ok(Program {
        number: number.ok_or_else(|| missing("a [[program]] table without `program`"))?,
        channel,
        preset: preset.ok_or_else(|| missing("a [[program]] table without `preset`"))?,
    })
}

/// A file is looked for beside the map, wherever the program was started.
fn beside(folder: &Path, preset: String) -> String {
    let path = PathBuf::from(&preset);
    let is_file = path.extension().is_some() || path.components().count() > 1;
    if is_file && path.is_relative() {
        return folder.join(path).display().to_string();
    }
    preset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Map, String> {
        let map = Map::parse(text, "midi.toml", Path::new("."), &Catalog::builtin());
        map.map_err(|error| error.to_string())
    }

    #[test]
    fn any_single_thing_wrong_with_a_map_is_named_with_its_line() {
        for (text, parts) in [
            ("", &["midi.toml:1", "`headroom` is missing"][..]),
            ("headroom = 2", &["midi.toml:1", "expected 1"]),
            ("headroom = 1\nport = 3", &["midi.toml:2", "a text"]),
            (
                "headroom = 1\nprot = \"x\"",
                &["midi.toml:2", "`prot`", "`port`"],
            ),
            (
                "headroom = 1\nprogram = 3",
                &["midi.toml:2", "[[program]] tables"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 0\npreset = \"voice\"",
                &["midi.toml:3", "1 to 128"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 129",
                &["midi.toml:3", "1 to 128"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 1\nchannel = 17",
                &["midi.toml:4", "1 to 16"],
            ),
            (
                "headroom = 1\n[[program]]\npreset = \"voice\"",
                &["midi.toml:2", "without `program`"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 1",
                &["midi.toml:2", "without `preset`"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 1\npreset = \"no-such\"",
                &["midi.toml:4", "no such preset", "voice"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 1\npreset = \"no.toml\"",
                &["midi.toml:4", "no.toml"],
            ),
            (
                "headroom = 1\n[[program]]\nprogram = 1\npreset = \"voice\"\n[[program]]\nprogram = 1\npreset = \"master\"",
                &["midi.toml:5", "once more"],
            ),
            (
                "headroom = 1\n[[program]]\nbank = 1",
                &["midi.toml:3", "`bank`", "`channel`"],
            ),
            (
                "headroom = 1\n[[midi]]\ncc = 7\nparam = \"eq.q\"",
                &["midi.toml:4", "`mute` or `panic`"],
            ),
            (
                "headroom = 1\n[[midi]]\ncc = 200\nmute = true",
                &["midi.toml:3", "0 to 119"],
            ),
            ("headroom = 1\n[[", &["midi.toml:2"]),
        ] {
            let error = parse(text).expect_err(text);
            assert!(!error.contains('\n'), "{error}");
            for part in parts {
                assert!(error.contains(part), "{text:?}: no `{part}` in {error}");
            }
        }
    }

    #[test]
    fn a_program_of_its_channel_goes_before_one_of_any() {
        let map = parse(
            "headroom = 1\n[[program]]\nprogram = 1\npreset = \"voice\"\n\
             [[program]]\nprogram = 1\nchannel = 3\npreset = \"master\"\n",
        )
        .unwrap();
        assert_eq!(map.preset(0, 0).unwrap(), "voice");
        assert_eq!(map.preset(2, 0).unwrap(), "master");
        let missing = map.preset(2, 4).unwrap_err();
        assert!(missing.contains("program 5 on channel 3"), "{missing}");
        assert_eq!(map.program_channels(), u16::MAX);
        let one = parse("headroom = 1\n[[program]]\nprogram = 1\nchannel = 3\npreset = \"voice\"");
        assert_eq!(one.unwrap().program_channels(), 0b100);
    }

    #[test]
    fn without_a_map_programs_are_the_presets_in_the_order_of_their_list() {
        let map = Map::default();
        assert_eq!(map.preset(9, 0).unwrap(), "voice");
        assert_eq!(map.preset(9, 1).unwrap(), "drum-bus");
        assert!(map.preset(9, 127).unwrap_err().contains("program 128"));
    }
}
