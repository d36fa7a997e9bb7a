//! What nice-plug is told of a CLAP plugin: its ports, and the kinds of its strip.

use std::num::NonZeroU32;

use headroom_engine::Catalog;
use nice_plug::prelude::{AudioIOLayout, PortNames, new_nonzero_u32};

/// One such plugin; tests make another, with modules that misbehave.
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
