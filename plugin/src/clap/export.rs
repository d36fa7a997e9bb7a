//! What a CLAP host looks for in the library.

use std::ffi::CStr;
use std::marker::PhantomData;

use clack_extensions::preset_discovery::prelude::PresetDiscoveryFactoryWrapper;
use clack_plugin::entry::prelude::{
    Entry as ClapEntry, EntryFactories, EntryLoadError, HostInfo, PluginFactoryImpl,
    PluginFactoryWrapper, PluginInstance,
};
use clack_plugin::plugin::{PluginDescriptor, features};

use super::discovery::Presets;
use super::plugin::{Headroom, MainThread, Shared};
use crate::about;
use crate::edition::{BuiltIn, Edition};

/// What the library has: instances, and presets.
pub struct Entry<E: Edition> {
    instances: PluginFactoryWrapper<Instances<E>>,
    presets: PresetDiscoveryFactoryWrapper<Presets<E>>,
}

impl<E: Edition> ClapEntry for Entry<E> {
    fn new(_: Option<&CStr>) -> Result<Self, EntryLoadError> {
        Ok(Self {
            instances: PluginFactoryWrapper::new(Instances::new()),
            presets: PresetDiscoveryFactoryWrapper::new(Presets::new()),
        })
    }

    fn declare_factories<'a>(&'a self, builder: &mut EntryFactories<'a>) {
        builder
            .register_factory(&self.instances)
            .register_factory(&self.presets);
    }
}

/// Makes instances.
struct Instances<E> {
    descriptor: PluginDescriptor,
    _edition: PhantomData<fn() -> E>,
}

impl<E: Edition> Instances<E> {
    fn new() -> Self {
        let descriptor = PluginDescriptor::new(about::CLAP_ID, about::NAME)
            .with_vendor(about::VENDOR)
            .with_version(about::VERSION)
            .with_description(about::DESCRIPTION)
            .with_features([
                features::AUDIO_EFFECT,
                features::STEREO,
                features::MONO,
                features::MULTI_EFFECTS,
                features::MIXING,
            ]);
        Self {
            descriptor,
            _edition: PhantomData,
        }
    }
}

impl<E: Edition> PluginFactoryImpl for Instances<E> {
    fn plugin_count(&self) -> u32 {
        1
    }

    fn plugin_descriptor(&self, index: u32) -> Option<&PluginDescriptor> {
        (index == 0).then_some(&self.descriptor)
    }

    fn create_plugin<'a>(
        &'a self,
        host: HostInfo<'a>,
        plugin_id: &CStr,
    ) -> Option<PluginInstance<'a>> {
        if plugin_id.to_bytes() != about::CLAP_ID.as_bytes() {
            return None;
        }
        Some(PluginInstance::new::<Headroom<E>>(
            host,
            &self.descriptor,
            |host| Shared::new(E::catalog(), host),
            |host, shared| Ok(MainThread::new(host, shared)),
        ))
    }
}

clack_plugin::clack_export_entry!(Entry<BuiltIn>);
