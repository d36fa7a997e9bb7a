//! From the command line and the map file to what is listened to.

use std::path::PathBuf;
use std::sync::Arc;

use directories::ProjectDirs;
use headroom_engine::Catalog;

use super::error::MidiError;
use super::heard::Heard;
use super::map::Map;
use super::ports::Wanted;
use super::ports::list;

/// What a session needs to listen.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(super) wanted: Wanted,
    pub(super) map: Map,
    pub(super) heard: Arc<Heard>,
}

impl Setup {
    /// `[main]` Reads the map, and looks for a port that was asked for by name on the command line.
    /// `None` when MIDI is not wanted.
    ///
    /// A port that only the map names may come later: the pedal that is still in its bag must not
    /// keep the show from starting.
    pub(crate) fn find(
        port: Option<&str>,
        map_file: Option<&PathBuf>,
    ) -> Result<Option<Self>, MidiError> {
        if port == Some("none") {
            return Ok(None);
        }
        let catalog = Catalog::builtin();
        let map = match map_file.cloned().or_else(usual_map) {
            Some(path) => Map::load(&path, &catalog)?,
            None => Map::default(),
        };
        // Whoever names a map wants it used.
        let usual = map_file.map(|_| "auto".to_owned());
        let given = port.map(str::to_owned);
        let wanted = match given.or_else(|| map.port.clone()).or(usual) {
            None => return Ok(None),
            Some(name) if name == "none" => return Ok(None),
            Some(name) if name == "auto" => Wanted::Auto,
            Some(name) => Wanted::Named(name),
        };
        if port.is_some() && wanted != Wanted::Auto {
            wanted.check(&list())?;
        }
        let heard = Arc::new(Heard::new(map.program_channels()));
        Ok(Some(Self { wanted, map, heard }))
    }

    /// `[any]` The words between the threads.
    pub(crate) fn heard(&self) -> &Arc<Heard> {
        &self.heard
    }
}

/// The user's own map, if there is one.
fn usual_map() -> Option<PathBuf> {
    let folders = ProjectDirs::from("", "", "headroom")?;
    let path = folders.config_dir().join("midi.toml");
    path.is_file().then_some(path)
}
