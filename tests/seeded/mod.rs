//! The plugin with modules that misbehave, inside this process: nothing of it is in what ships.
#![allow(unsafe_code, dead_code)]

use clack_host::entry::EntryDescriptor;
use clack_host::prelude::PluginEntry;
use headroom_engine::memory::ArenaBox;
use headroom_engine::{Catalog, Face, Kind, Module, Param, Unit, block::Block};
use headroom_plugin::{Edition, Entry};
use headroom_tests::{deep_seeds, seeds};

/// The plugin's code as it is, with more kinds in its strip.
enum Seeded {}

impl Edition for Seeded {
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

/// `[main]` The same for a VST3 host: a factory, which is whoever's to release that asks.
pub(crate) fn vst3_factory() -> *mut std::ffi::c_void {
    headroom_plugin::vst3_factory::<Seeded>()
}

/// `[main]` What a host would find in the library, if it had these modules.
pub(crate) fn entry() -> PluginEntry {
    static ENTRY: EntryDescriptor = clack_plugin::clack_entry!(Entry<Seeded>);
    // SAFETY: a CLAP entry like the one that the library exports, for as long as the process lives.
    unsafe { PluginEntry::load_from_raw(&ENTRY, c"seeded") }.expect("it can be used")
}
