//! One order to a running program, and its answer.

use clap::Subcommand;
use clap::ValueEnum;
use headroom_ipc::Client;
use headroom_ipc::Command;
use headroom_ipc::Description;
use headroom_ipc::DeviceWish;

use super::ClientError;
use super::PATIENCE;
use super::Which;
use super::description;
use crate::error::HostError;
use crate::report::print;

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// What a running program is asked to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Order {
    /// Move a parameter of a running program: headroom set eq.band1_gain_db -3
    Set {
        /// module.parameter, or module.mix
        target: String,
        /// As people write it: -3, "1.2 kHz", 50 %, bell, on
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Pass a module by, or not
    Bypass {
        /// Its id
        module: String,
        /// On where it is left out
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Move a module to another place, counted from 1
    Move {
        /// Its id
        module: String,
        /// The place
        place: u16,
    },
    /// Put a module in
    Insert {
        /// Its kind: see `headroom modules`
        kind: String,
        /// Its place, counted from 1; the end where it is left out
        place: Option<u16>,
    },
    /// Take a module out; it rings on until it is silent
    Remove {
        /// Its id
        module: String,
    },
    /// Load a preset by its name
    Preset {
        /// See `headroom presets`
        name: String,
    },
    /// Save the rack as it sounds, as a preset of your own
    Save {
        /// Its name; the one that it has where it is left out
        #[arg(default_value = "")]
        name: String,
    },
    /// Take the last step back
    Undo,
    /// Take it again
    Redo,
    /// Silence at once; `off` lets sound in again
    Panic {
        /// On where it is left out
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Mute the output, or unmute it
    Mute {
        /// On where it is left out
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Hear only what a module changes; `off` to hear all again
    Delta {
        /// Its id
        module: String,
        /// On where it is left out
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Go to one of two racks that are compared: a or b
    Compare {
        /// Which
        rack: Compared,
    },
    /// Start or end a recording
    Record {
        /// On where it is left out
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Have the next MIDI controller that moves move this
    Learn {
        /// module.parameter, module.mix, module.bypass, mute or panic
        target: String,
        /// `off` to give up
        #[arg(default_value = "on")]
        on: Switch,
    },
    /// Let go of what MIDI moves
    Unlearn {
        /// module.parameter, module.mix, module.bypass, mute or panic
        target: String,
    },
    /// Go by another tempo
    Tempo {
        /// Beats a minute
        #[arg(allow_negative_numbers = true)]
        bpm: f64,
    },
    /// Play on another device, or the same with other settings
    Device {
        /// The audio system
        #[arg(long, default_value = "")]
        backend: String,
        /// Where sound goes
        #[arg(long, default_value = "")]
        output_device: String,
        /// Where it comes from
        #[arg(long, default_value = "")]
        input_device: String,
        /// Channels of the output: 1,2
        #[arg(long, default_value = "")]
        outputs: String,
        /// Channels of the input
        #[arg(long, default_value = "")]
        inputs: String,
        /// Samples a second
        #[arg(long, default_value_t = 0)]
        rate: u32,
        /// Frames of a block
        #[arg(long, default_value_t = 0)]
        block: u32,
    },
}

/// One of two racks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compared {
    /// The first.
    A,
    /// The second.
    B,
}

/// `[main]` Has a running program do it, and prints what it says.
///
/// # Errors
///
/// There is none, or it says no.
pub fn run(order: &Order, which: Which) -> Result<(), HostError> {
    let mut client = which.attach()?;
    let command = command(order, &mut client)?;
    let reply = client.ask(&command, PATIENCE).map_err(ClientError::from)?;
    let done = reply.result.map_err(ClientError::Refused)?;
    print(&format!("{done}\n"), false)
}

fn command(order: &Order, client: &mut Client) -> Result<Command, ClientError> {
    let is_on = |on: &Switch| *on == Switch::On;
    Ok(match order {
        Order::Set { target, value } => {
            let description = description(client)?;
            Command::Set {
                target: target.clone(),
                value: value_of(&description, target, value)?,
            }
        }
        Order::Bypass { module, on } => Command::Set {
            target: format!("{module}.bypass"),
            value: f32::from(u8::from(is_on(on))),
        },
        Order::Move { module, place } => Command::Move {
            module: module.clone(),
            index: place.saturating_sub(1),
        },
        Order::Insert { kind, place } => Command::Insert {
            kind: kind.clone(),
            index: place.map_or(u16::MAX, |place| place.saturating_sub(1)),
        },
        Order::Remove { module } => Command::Remove {
            module: module.clone(),
        },
        Order::Preset { name } => Command::Preset { name: name.clone() },
        Order::Save { name } => Command::SavePreset { name: name.clone() },
        Order::Undo => Command::Undo,
        Order::Redo => Command::Redo,
        Order::Panic { on } => Command::Panic { on: is_on(on) },
        Order::Mute { on } => Command::Mute { on: is_on(on) },
        Order::Delta { module, on } => Command::Delta {
            module: module.clone(),
            on: is_on(on),
        },
        Order::Compare { rack } => Command::Compare {
            slot: u8::from(*rack == Compared::B),
        },
        Order::Record { on } => Command::Record { on: is_on(on) },
        Order::Learn { target, on } => Command::Learn {
            target: target.clone(),
            on: is_on(on),
        },
        Order::Unlearn { target } => Command::Unlearn {
            target: target.clone(),
        },
        Order::Tempo { bpm } => Command::Tempo { bpm: *bpm },
        Order::Device {
            backend,
            output_device,
            input_device,
            outputs,
            inputs,
            rate,
            block,
        } => Command::Device {
            wish: DeviceWish {
                backend: backend.clone(),
                output: output_device.clone(),
                input: input_device.clone(),
                outputs: outputs.clone(),
                inputs: inputs.clone(),
                sample_rate_hz: *rate,
                block_frames: *block,
            },
        },
    })
}

/// What was typed, by the parameter's own table. What there is no table for is the program's to refuse.
fn value_of(description: &Description, target: &str, text: &str) -> Result<f32, ClientError> {
    let refused = |reason: String| ClientError::Value {
        target: target.to_owned(),
        reason,
    };
    let (id, param) = target
        .rsplit_once('.')
        .ok_or_else(|| refused("expected module.parameter".to_owned()))?;
    let Some((_, module)) = description.module(id) else {
        let ids: Vec<&str> = description
            .modules
            .iter()
            .map(|module| module.id.as_str())
            .collect();
        return Err(refused(format!(
            "there is no module `{id}`: expected one of {}",
            ids.join(", ")
        )));
    };
    let table = description
        .kind_of(module)
        .map(|kind| kind.params.as_slice())
        .unwrap_or_default();
    if let Some(info) = table.iter().find(|info| info.id == param) {
        return info.parse(text).map_err(refused);
    }
    match param {
        "mix" => {
            let percent = text.trim().trim_end_matches('%').trim();
            let percent: f32 = percent
                .parse()
                .map_err(|_| refused(format!("`{text}`: expected 0 to 100 %")))?;
            Ok(percent / 100.0)
        }
        "bypass" => match text {
            "on" | "1" | "true" => Ok(1.0),
            "off" | "0" | "false" => Ok(0.0),
            _ => Err(refused(format!("`{text}`: expected on or off"))),
        },
        _ => {
            let ids: Vec<&str> = table.iter().map(|info| info.id.as_str()).collect();
            Err(refused(format!(
                "`{id}` has no parameter `{param}`: expected one of {}, mix, bypass",
                ids.join(", ")
            )))
        }
    }
}
