//! What a host's preset browser is told: the built-in presets that the strip can hold, and the files of the user's
//! own folder, which are the same that the program `headroom` keeps there.

use std::ffi::CStr;
use std::fs;
use std::marker::PhantomData;
use std::time::UNIX_EPOCH;

use clack_extensions::preset_discovery::indexer::{Indexer, IndexerInfo};
use clack_extensions::preset_discovery::metadata_receiver::MetadataReceiver;
use clack_extensions::preset_discovery::prelude::{
    FileType, Flags, Location, LocationInfo, PresetDiscoveryFactoryImpl, ProviderDescriptor,
    ProviderImpl, ProviderInstance, Soundpack, Timestamp, UniversalPluginId,
};
use clack_plugin::plugin::PluginError;
use headroom_engine::Catalog;
use headroom_engine::preset::{Library, RackSpec};

use super::places::{Place, PlaceError, path_for, path_of, read, text};
use crate::about;
use crate::edition::Edition;
use crate::state::presets;

/// Frozen: hosts keep what they have indexed by it.
const PROVIDER_ID: &str = "org.headroom.strip.presets";
const SOUNDPACK: &CStr = c"org.headroom.strip.factory";

/// Makes providers, of which there is one kind.
pub(super) struct Presets<E> {
    descriptor: ProviderDescriptor,
    _edition: PhantomData<fn() -> E>,
}

impl<E: Edition> Presets<E> {
    /// `[main]` The factory that a library has once.
    pub(super) fn new() -> Self {
        let descriptor = ProviderDescriptor::new(PROVIDER_ID, "Headroom presets");
        Self {
            descriptor: descriptor.with_vendor(about::VENDOR),
            _edition: PhantomData,
        }
    }
}

impl<E: Edition> PresetDiscoveryFactoryImpl for Presets<E> {
    fn provider_count(&self) -> u32 {
        1
    }

    fn provider_descriptor(&self, index: u32) -> Option<&ProviderDescriptor> {
        (index == 0).then_some(&self.descriptor)
    }

    fn create_provider<'a>(
        &'a self,
        host: IndexerInfo<'a>,
        provider_id: &CStr,
    ) -> Option<ProviderInstance<'a>> {
        if provider_id.to_bytes() != PROVIDER_ID.as_bytes() {
            return None;
        }
        let declare = |indexer| Provider::new(indexer, E::catalog());
        Some(ProviderInstance::new(host, &self.descriptor, declare))
    }
}

/// Says where presets are, and what is in them.
struct Provider {
    catalog: Catalog,
}

impl Provider {
    fn new(mut indexer: Indexer<'_>, catalog: Catalog) -> Result<Self, PluginError> {
        indexer.declare_filetype(FileType {
            name: c"Headroom preset",
            description: Some(c"An effects rack, as the program and the plugin keep it"),
            file_extension: Some(c"toml"),
        })?;
        let vendor = text(about::VENDOR);
        indexer.declare_soundpack(Soundpack {
            flags: Flags::IS_FACTORY_CONTENT,
            id: SOUNDPACK,
            name: c"Headroom strips",
            description: Some(c"The presets that come with Headroom"),
            homepage_url: None,
            vendor: Some(&vendor),
            image_path: None,
            release_timestamp: None,
        })?;
        indexer.declare_location(LocationInfo {
            name: c"Built-in presets",
            flags: Flags::IS_FACTORY_CONTENT,
            location: Location::Plugin,
        })?;
        // A folder that is not there yet is declared when the host looks again.
        let library = Library::of_user();
        let folder = library.folder().filter(|folder| folder.is_dir());
        if let Some(path) = folder.and_then(|folder| path_for(folder)) {
            indexer.declare_location(LocationInfo {
                name: c"Own presets",
                flags: Flags::IS_USER_CONTENT,
                location: Location::File { path: &path },
            })?;
        }
        Ok(Self { catalog })
    }
}

impl ProviderImpl<'_> for Provider {
    fn get_metadata(
        &mut self,
        location: Location,
        receiver: &mut MetadataReceiver,
    ) -> Result<(), PluginError> {
        match location {
            Location::Plugin => {
                for preset in presets(&self.catalog) {
                    let rack = read(&Place::BuiltIn(preset.name.to_owned()), &self.catalog)?;
                    describe(&rack, &rack.name, Some(preset.name), receiver)?;
                    receiver
                        .set_soundpack_id(SOUNDPACK)
                        .set_flags(Flags::IS_FACTORY_CONTENT)
                        .add_creator(&text(about::VENDOR));
                }
            }
            Location::File { path } => {
                let path = path_of(path);
                let rack = match read(&Place::File(path.clone()), &self.catalog) {
                    // It is one of the program's: no error, and nothing for this plugin.
                    Err(PlaceError::Refused(_)) => return Ok(()),
                    read => read?,
                };
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let name = if rack.name.is_empty() {
                    &*stem
                } else {
                    &rack.name
                };
                describe(&rack, name, None, receiver)?;
                receiver.set_flags(Flags::IS_USER_CONTENT);
                let modified = fs::metadata(&path).and_then(|it| it.modified()).ok();
                let modified = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                let modified = modified.and_then(|since| Timestamp::from_raw(since.as_secs()));
                receiver.set_timestamps(None, modified);
            }
        }
        Ok(())
    }
}

/// What is the same of a file and of what is built in.
fn describe(
    rack: &RackSpec,
    name: &str,
    key: Option<&str>,
    receiver: &mut MetadataReceiver,
) -> Result<(), PluginError> {
    let key = key.map(text);
    receiver.begin_preset(Some(&text(name)), key.as_deref())?;
    let id = text(about::CLAP_ID);
    receiver.add_plugin_id(UniversalPluginId::clap(&id));
    let chain: Vec<&str> = rack.modules.iter().map(|module| module.kind.name).collect();
    if !chain.is_empty() {
        receiver.set_description(&text(&chain.join(", ")));
    }
    for tag in &rack.tags {
        receiver.add_feature(&text(tag));
    }
    Ok(())
}
