//! The presets that come with the program.

/// A built-in preset.
#[derive(Debug, Clone, Copy)]
pub struct Factory {
    /// What people type: `voice`.
    pub name: &'static str,
    /// The preset file's text.
    pub text: &'static str,
}

/// All built-in presets.
pub static FACTORY: &[Factory] = &[
    Factory {
        name: "voice",
        text: include_str!("../../presets/voice.toml"),
    },
    Factory {
        name: "drum-bus",
        text: include_str!("../../presets/drum-bus.toml"),
    },
    Factory {
        name: "master",
        text: include_str!("../../presets/master.toml"),
    },
    // One of each module at most, so that a plugin's strip can hold them.
    Factory {
        name: "vocal-strip",
        text: include_str!("../../presets/vocal-strip.toml"),
    },
    Factory {
        name: "drum-strip",
        text: include_str!("../../presets/drum-strip.toml"),
    },
    Factory {
        name: "mix-bus",
        text: include_str!("../../presets/mix-bus.toml"),
    },
    Factory {
        name: "guitar",
        text: include_str!("../../presets/guitar.toml"),
    },
    Factory {
        name: "duck",
        text: include_str!("../../presets/duck.toml"),
    },
    // At the end: programs are counted in this order.
    Factory {
        name: "dub",
        text: include_str!("../../presets/dub.toml"),
    },
];

/// `[main]` All built-in presets, in the order in which people are shown them.
pub fn factory() -> &'static [Factory] {
    FACTORY
}
