//! The host's own files, and what of them is read.

#[path = "../../../host/src/midi/map.rs"]
mod map;
#[path = "../../../host/src/midi/message.rs"]
pub(crate) mod message;

use headroom_engine::Catalog;
use headroom_engine::preset::PresetError;
use std::path::Path;

/// What a map says of programs: channel and number from 0.
pub(crate) struct Programs(map::Map);

impl Programs {
    pub(crate) fn read(text: &str) -> Result<Self, PresetError> {
        map::Map::parse(text, "midi.toml", Path::new(""), &Catalog::builtin()).map(Self)
    }

    pub(crate) fn preset(&self, channel: u8, number: u8) -> Result<String, String> {
        self.0.preset(channel, number)
    }
}
