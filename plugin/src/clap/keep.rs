//! States, and presets that a host's browser names. Both are taken whole or refused whole.

use std::ffi::CStr;
use std::io::{self, Read, Write};

use clack_extensions::preset_discovery::prelude::Location;
use clack_extensions::preset_discovery::{HostPresetLoad, PluginPresetLoadImpl};
use clack_extensions::state::PluginStateImpl;
use clack_plugin::plugin::PluginError;
use clack_plugin::stream::{InputStream, OutputStream};
use thiserror::Error;

use super::link::mark_dirty;
use super::places::{Place, PlaceError, read};
use super::plugin::MainThread;
use crate::shield::shielded;
use crate::state::{self, Refusal};

/// A state that says it is longer is none.
const MOST_BYTES: u64 = 1 << 28;

/// Why a state was not taken, or not given. All is as it was before.
#[derive(Debug, Error)]
enum StateError {
    #[error("the state ends after {found} of {said} bytes")]
    Short { found: usize, said: u64 },
    #[error("the state says that it has {0} bytes")]
    Long(u64),
    #[error(transparent)]
    Stream(#[from] io::Error),
    #[error("the state is no JSON of a plugin's: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("a panic, which is counted")]
    Panicked,
}

impl MainThread<'_> {
    fn save_to(&self, output: &mut impl Write) -> Result<(), StateError> {
        let json = serde_json::to_vec(&state::now(self.link.table().parameters()))?;
        // A stream does not say where a state ends.
        output.write_all(&(json.len() as u64).to_le_bytes())?;
        output.write_all(&json)?;
        Ok(())
    }

    fn load_from(&self, input: &mut impl Read) -> Result<(), StateError> {
        let mut length = [0; 8];
        input.read_exact(&mut length)?;
        let said = u64::from_le_bytes(length);
        if said > MOST_BYTES {
            return Err(StateError::Long(said));
        }
        let mut json = Vec::new();
        let found = input.take(said).read_to_end(&mut json)?;
        if found as u64 != said {
            return Err(StateError::Short { found, said });
        }
        let state = serde_json::from_slice(&json)?;
        Ok(state::load(self.link.table(), state)?)
    }

    /// Sets all to a preset.
    fn load_preset(&self, place: &Place) -> Result<(), PlaceError> {
        let table = self.link.table();
        let parameters = table.parameters();
        let rack = read(place, parameters.catalog())?;
        Ok(state::load(table, state::with_rack(parameters, &rack))?)
    }
}

impl PluginStateImpl for MainThread<'_> {
    fn save(&self, output: &mut OutputStream) -> Result<(), PluginError> {
        let saved = shielded(|| self.save_to(output));
        Ok(saved.unwrap_or(Err(StateError::Panicked))?)
    }

    fn load(&self, input: &mut InputStream) -> Result<(), PluginError> {
        let loaded = shielded(|| self.load_from(input));
        loaded.unwrap_or(Err(StateError::Panicked))?;
        self.link.rescan(&self.host);
        Ok(())
    }
}

impl PluginPresetLoadImpl for MainThread<'_> {
    fn load_from_location(
        &self,
        location: Location,
        load_key: Option<&CStr>,
    ) -> Result<(), PluginError> {
        let loaded = shielded(|| self.load_preset(&Place::of(&location, load_key)?));
        let loaded = loaded.unwrap_or(Err(PlaceError::Panicked));
        let host = self.host.get_extension::<HostPresetLoad>();
        match loaded {
            Ok(()) => {
                self.link.rescan(&self.host);
                mark_dirty(&self.host);
                if let Some(host) = host {
                    host.loaded(&self.host, location, load_key);
                }
                Ok(())
            }
            Err(why) => {
                let parameters = self.link.table().parameters();
                parameters.refused(&why.to_string());
                if let Some(host) = host {
                    let words = why.words();
                    host.on_error(&self.host, location, load_key, why.os_error(), Some(&words));
                }
                Err(why.into())
            }
        }
    }
}
