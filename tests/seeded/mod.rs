//! The plugin with modules that misbehave, inside this process: nothing of it is in what ships.
#![allow(unsafe_code, dead_code)]

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

use clack_host::entry::EntryDescriptor;
use clack_host::prelude::PluginEntry;
use headroom_engine::memory::ArenaBox;
use headroom_engine::{Catalog, Face, Kind, Module, Param, Unit, block::Block};
use headroom_plugin::{Clap, Edition, Headroom};
use headroom_tests::{deep_seeds, seeds};
use nice_plug::wrapper::clap::{
    CLAP_PLUGIN_FACTORY_ID, CLAP_VERSION, PluginDescriptor, Wrapper, clap_host, clap_plugin,
    clap_plugin_descriptor, clap_plugin_entry, clap_plugin_factory,
};

/// The plugin's code as it is, with more kinds in its strip.
enum Seeded {}

impl Edition for Seeded {
    const LAYOUTS: &'static [nice_plug::prelude::AudioIOLayout] = Clap::LAYOUTS;

    fn catalog() -> Catalog {
        let more = [
            &seeds::ALLOCATES,
            &seeds::FREES,
            &seeds::PANICS,
            &seeds::PANICS_WHEN_SET,
            &seeds::LATE,
            &PANICS_WHEN_ASKED,
            &PANICS_WHEN_BUILT,
        ];
        let kinds = deep_seeds::ALL.iter().copied().chain(more);
        kinds.fold(Catalog::builtin(), Catalog::with)
    }
}

/// Panics when it is asked for how long it rings: nothing in the engine expects that.
pub(crate) static PANICS_WHEN_ASKED: Kind = Kind {
    id: "seed-panics-when-asked",
    name: "seed-panics-when-asked",
    about: "panics when it is asked for how long it rings",
    face: Face::PLAIN,
    params: &[Param::switch("armed", "Armed", false)],
    build: |setup| {
        let armed = setup.values()[0] > 0.5;
        setup.module(Asked { armed })
    },
};

struct Asked {
    armed: bool,
}

impl Module for Asked {
    fn set_param(&mut self, _: usize, value: f32) {
        self.armed = value > 0.5;
    }

    fn process(&mut self, _: &mut Block<'_>) {}

    fn reset(&mut self) {}

    fn quiet_frames(&self) -> usize {
        assert!(!self.armed, "seeded panic in quiet_frames");
        0
    }
}

/// Panics when it is built with a number above 0: where a host activates, loads a state, or where
/// housekeeping builds.
pub(crate) static PANICS_WHEN_BUILT: Kind = Kind {
    id: "seed-panics-when-built",
    name: "seed-panics-when-built",
    about: "panics when it is built",
    face: Face::PLAIN,
    params: &[Param::linear("number", "Number", Unit::None, (0.0, 1.0), 0.0).structural()],
    build: |setup| -> ArenaBox<dyn Module> {
        assert!(setup.values()[0] == 0.0, "seeded panic in build");
        setup.module(Asked { armed: false })
    },
};

/// `[main]` What a host would find in the library, if it had these modules.
pub(crate) fn entry() -> PluginEntry {
    static ENTRY: EntryDescriptor = clap_plugin_entry {
        clap_version: CLAP_VERSION,
        init: Some(init),
        deinit: Some(deinit),
        get_factory: Some(get_factory),
    };
    // SAFETY: a CLAP entry like the one that nice-plug exports, for as long as the process lives.
    unsafe { PluginEntry::load_from_raw(&ENTRY, c"seeded") }.expect("it can be used")
}

extern "C" fn init(_: *const c_char) -> bool {
    true
}

extern "C" fn deinit() {}

extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    const FACTORY: &clap_plugin_factory = &clap_plugin_factory {
        get_plugin_count: Some(count),
        get_plugin_descriptor: Some(descriptor),
        create_plugin: Some(create),
    };
    // SAFETY: a host gives a string that ends.
    if unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
        std::ptr::from_ref(FACTORY).cast()
    } else {
        std::ptr::null()
    }
}

unsafe extern "C" fn count(_: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn descriptor(
    _: *const clap_plugin_factory,
    _: u32,
) -> *const clap_plugin_descriptor {
    static DESCRIPTOR: OnceLock<PluginDescriptor> = OnceLock::new();
    let descriptor = DESCRIPTOR.get_or_init(PluginDescriptor::for_plugin::<Headroom<Seeded>>);
    descriptor.clap_plugin_descriptor()
}

unsafe extern "C" fn create(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    _: *const c_char,
) -> *const clap_plugin {
    // SAFETY: the host's pointer lives as long as what it creates; the count that is given away here is
    // the one that the wrapper's `destroy` takes back.
    unsafe {
        let wrapper = Arc::into_raw(Wrapper::<Headroom<Seeded>>::new(host));
        (*wrapper).clap_plugin.as_ptr()
    }
}
