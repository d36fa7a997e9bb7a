//! In what the formats differ: nothing but their ports.

use std::num::NonZeroU32;

use headroom_engine::Catalog;
use nice_plug::prelude::{AudioIOLayout, PortNames, new_nonzero_u32};

/// One format's plugin.
pub trait Edition: Send + 'static {
    /// Its ports.
    const LAYOUTS: &'static [AudioIOLayout];

    /// `[main]` The kinds of modules of its strip.
    fn catalog() -> Catalog {
        Catalog::builtin()
    }
}

const fn layout(channels: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: Some(new_nonzero_u32(channels)),
        main_output_channels: Some(new_nonzero_u32(channels)),
        ..AudioIOLayout::const_default()
    }
}

/// The same with a port for the key.
const fn keyed(channels: u32, key: &'static [NonZeroU32]) -> AudioIOLayout {
    AudioIOLayout {
        aux_input_ports: key,
        names: PortNames {
            aux_inputs: &["Side-chain"],
            ..PortNames::const_default()
        },
        ..layout(channels)
    }
}

/// The CLAP plugin: with a side-chain.
#[derive(Debug)]
pub enum Clap {}

impl Edition for Clap {
    const LAYOUTS: &'static [AudioIOLayout] = &[
        keyed(2, &[new_nonzero_u32(2)]),
        keyed(1, &[new_nonzero_u32(1)]),
    ];
}

/// The VST3 plugin: without one. nice-plug 0.4.2 mistakes the main bus for the auxiliary one when a host
/// arranges them, and hosts end by it.
#[derive(Debug)]
pub enum Vst3 {}

impl Edition for Vst3 {
    const LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
}
