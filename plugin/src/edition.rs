//! In what the formats differ: nothing but their ports.

use headroom_engine::Catalog;
use nice_plug::prelude::{AudioIOLayout, new_nonzero_u32};

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

/// The CLAP plugin.
#[derive(Debug)]
pub enum Clap {}

impl Edition for Clap {
    const LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
}

/// The VST3 plugin.
#[derive(Debug)]
pub enum Vst3 {}

impl Edition for Vst3 {
    const LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
}
