//! Commands: what a screen, a script or a person at a terminal wants done.
//!
//! Each client has a ring of its own, written by the client alone. The audio process copies what it takes
//! before it looks at it, believes no length and no number, takes a bounded amount a tick, and drops and
//! counts what makes no sense. Whether there is such a module or preset is for the controller to say; the
//! answer comes back in words.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::region::{COMMAND_BYTES, COMMANDS, CommandRegion, CommandSlot};
use crate::segment::Segment;
use crate::sync::{Ordering, acquire, release};

/// Characters of an id or a name in a command.
const MAX_NAME: usize = 120;

/// Tempos that there are, in beats a minute.
pub const TEMPO_BPM: RangeInclusive<f64> = 1.0..=999.0;

/// What may be asked for. A target is `module.parameter`, `module.bypass` or `module.mix`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Moves something to a value, in the table's unit.
    Set {
        /// What is moved.
        target: String,
        /// Where to.
        value: f32,
    },
    /// A control is taken hold of: what follows until [`Command::End`] is one step of undo.
    Begin {
        /// What is held.
        target: String,
    },
    /// It is let go of.
    End {
        /// What was held.
        target: String,
    },
    /// A new module.
    Insert {
        /// Its kind.
        kind: String,
        /// Its place; beyond the last is the last.
        index: u16,
    },
    /// A module leaves.
    Remove {
        /// Its id.
        module: String,
    },
    /// A module goes to another place.
    Move {
        /// Its id.
        module: String,
        /// The place, in the order without it.
        index: u16,
    },
    /// A preset is loaded.
    Preset {
        /// A name, never a path.
        name: String,
    },
    /// The rack is saved as a preset of the user's own.
    SavePreset {
        /// A name, never a path; empty for the name that it has.
        name: String,
    },
    /// The last step is taken back.
    Undo,
    /// It is taken again.
    Redo,
    /// Silence at once, or no more.
    Panic {
        /// Pressed.
        on: bool,
    },
    /// The output is muted, or not.
    Mute {
        /// Muted.
        on: bool,
    },
    /// Only what a module adds is heard, or all again.
    Delta {
        /// Its id.
        module: String,
        /// Only that.
        on: bool,
    },
    /// Goes to one of the two racks that are compared.
    Compare {
        /// 0 is A, 1 is B.
        slot: u8,
    },
    /// Records, or ends the recording.
    Record {
        /// On.
        on: bool,
    },
    /// The next controller that is moved will move this.
    Learn {
        /// What will be moved.
        target: String,
        /// False to give up.
        on: bool,
    },
    /// Nothing moves this any more.
    Unlearn {
        /// What was moved.
        target: String,
    },
    /// Another device, or the same with other settings.
    Device {
        /// What is wanted.
        wish: DeviceWish,
    },
    /// Another tempo.
    Tempo {
        /// Beats a minute, in [`TEMPO_BPM`].
        bpm: f64,
    },
}

/// What of a device shall change; what is empty or 0 stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceWish {
    /// The audio system.
    pub backend: String,
    /// Where sound goes.
    pub output: String,
    /// Where it comes from.
    pub input: String,
    /// Channels of the output: `1,2`.
    pub outputs: String,
    /// Channels of the input.
    pub inputs: String,
    /// Samples a second.
    pub sample_rate_hz: u32,
    /// Frames of a block.
    pub block_frames: u32,
}

/// Why a command was not sent, or not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// 128 wait already.
    #[error("{COMMANDS} commands wait already: the program does not take them")]
    Full,
    /// A text is too long, or holds what no name holds.
    #[error("{0}: expected 1 to {MAX_NAME} characters, none of them a control character")]
    Text(&'static str),
    /// Not a finite number.
    #[error("{0}: expected a finite number")]
    Value(String),
    /// Not a tempo.
    #[error(
        "tempo {given}: expected {} to {} beats a minute",
        TEMPO_BPM.start(),
        TEMPO_BPM.end()
    )]
    Tempo {
        /// What was asked for.
        given: String,
    },
    /// A name that could lead out of the presets' folder.
    #[error("`{0}`: expected a preset's name, not a path")]
    Path(String),
    /// Not a command.
    #[error("these bytes are no command")]
    Foreign,
    /// The program has ended.
    #[error("the program has ended")]
    Gone,
}

impl Command {
    /// `[any]` Whether it makes sense by itself: texts are names, numbers are finite.
    pub fn check(&self) -> Result<(), CommandError> {
        let name = |what, text: &str| {
            let fits = !text.is_empty()
                && text.chars().count() <= MAX_NAME
                && !text.chars().any(char::is_control);
            fits.then_some(()).ok_or(CommandError::Text(what))
        };
        match self {
            Self::Set { target, value } => {
                name("target", target)?;
                if value.is_finite() {
                    Ok(())
                } else {
                    Err(CommandError::Value(value.to_string()))
                }
            }
            Self::Begin { target }
            | Self::End { target }
            | Self::Learn { target, .. }
            | Self::Unlearn { target } => name("target", target),
            Self::Insert { kind, .. } => name("kind", kind),
            Self::Remove { module } | Self::Move { module, .. } | Self::Delta { module, .. } => {
                name("module", module)
            }
            Self::Preset { name: preset } => {
                name("preset", preset)?;
                no_path(preset)
            }
            Self::SavePreset { name: preset } if preset.is_empty() => Ok(()),
            Self::SavePreset { name: preset } => {
                name("preset", preset)?;
                no_path(preset)
            }
            Self::Compare { slot } => (*slot < 2).then_some(()).ok_or(CommandError::Text("slot")),
            Self::Device { wish } => {
                let texts = [
                    &wish.backend,
                    &wish.output,
                    &wish.input,
                    &wish.outputs,
                    &wish.inputs,
                ];
                for text in texts.into_iter().filter(|text| !text.is_empty()) {
                    name("device", text)?;
                }
                Ok(())
            }
            Self::Tempo { bpm } => {
                let fits = TEMPO_BPM.contains(bpm);
                let given = bpm.to_string();
                fits.then_some(()).ok_or(CommandError::Tempo { given })
            }
            Self::Undo
            | Self::Redo
            | Self::Panic { .. }
            | Self::Mute { .. }
            | Self::Record { .. } => Ok(()),
        }
    }

    fn encode(&self) -> Result<Vec<u8>, CommandError> {
        self.check()?;
        let bytes = postcard::to_stdvec(self).map_err(|_| CommandError::Foreign)?;
        if bytes.len() > COMMAND_BYTES {
            return Err(CommandError::Text("command"));
        }
        Ok(bytes)
    }

    /// `[main]` A command out of bytes that anybody may have written.
    ///
    /// # Errors
    ///
    /// They are no command, or one that makes no sense.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        match postcard::take_from_bytes::<Self>(bytes) {
            Ok((command, [])) => command.check().map(|()| command),
            _ => Err(CommandError::Foreign),
        }
    }
}

fn no_path(name: &str) -> Result<(), CommandError> {
    let is_path = name.contains(['/', '\\', ':']) || name.starts_with('.');
    if is_path {
        return Err(CommandError::Path(name.to_owned()));
    }
    Ok(())
}

impl CommandSlot {
    fn put(&self, number: u64, bytes: &[u8]) {
        self.check.store(check_of(number, bytes), Ordering::Relaxed);
        self.bytes.store(bytes.len() as u32, Ordering::Relaxed);
        for (cell, part) in self.words.iter().zip(bytes.chunks(4)) {
            let mut word = [0; 4];
            word[..part.len()].copy_from_slice(part);
            cell.store(u32::from_le_bytes(word), Ordering::Relaxed);
        }
    }

    /// A copy of command `number`; the other process may write it anew at any time, so it is looked at once.
    fn take(&self, number: u64) -> Result<Vec<u8>, CommandError> {
        let check = self.check.load(Ordering::Relaxed);
        let bytes = self.bytes.load(Ordering::Relaxed) as usize;
        let bytes = bytes.min(COMMAND_BYTES);
        let words = self.words[..bytes.div_ceil(4)].iter();
        let mut text: Vec<u8> = words
            .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
            .collect();
        text.truncate(bytes);
        if check == check_of(number, &text) {
            Ok(text)
        } else {
            Err(CommandError::Foreign)
        }
    }
}

/// FNV-1a, 32 bits, over the number and the bytes.
fn check_of(number: u64, bytes: &[u8]) -> u32 {
    let all = number
        .to_le_bytes()
        .into_iter()
        .chain(bytes.iter().copied());
    all.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// A client's end of its ring.
pub(crate) struct CommandSender {
    region: Segment<CommandRegion>,
    sent: u64,
}

impl CommandSender {
    pub(crate) fn new(region: Segment<CommandRegion>) -> Self {
        Self { region, sent: 0 }
    }

    /// Sends one; its number. When the ring is full nothing is sent and the caller says so.
    pub(crate) fn send(&mut self, command: &Command) -> Result<u64, CommandError> {
        let bytes = command.encode()?;
        // Acquire: what the other side has taken is taken: its place may be written to.
        let taken = self.region.taken.load(acquire());
        if self.sent.wrapping_sub(taken) >= COMMANDS as u64 {
            return Err(CommandError::Full);
        }
        let slot = &self.region.slots[(self.sent % COMMANDS as u64) as usize];
        self.sent += 1;
        slot.put(self.sent, &bytes);
        // Release: with the Acquire in `receive`.
        self.region.written.store(self.sent, release());
        Ok(self.sent)
    }

    pub(crate) fn want_sound(&self, on: bool) {
        self.region
            .wants_sound
            .store(u32::from(on), Ordering::Relaxed);
    }

    /// Somebody is at home.
    pub(crate) fn beat(&self) {
        self.region.beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// The audio process's end of a client's ring.
pub(crate) struct CommandReceiver {
    region: Segment<CommandRegion>,
    /// In our own memory: what the other side says of it is not asked.
    taken: u64,
}

impl CommandReceiver {
    pub(crate) fn new(region: Segment<CommandRegion>) -> Self {
        Self { region, taken: 0 }
    }

    /// `[main]` The next command and its number, or what was wrong with it; `None` when there is none.
    pub(crate) fn receive(&mut self) -> Option<(u64, Result<Command, CommandError>)> {
        // Acquire: with the sender's Release.
        let written = self.region.written.load(acquire());
        let waiting = written.wrapping_sub(self.taken);
        if waiting == 0 {
            return None;
        }
        if waiting > COMMANDS as u64 {
            // No sender of ours does this: all that can be there at most.
            self.taken = written.wrapping_sub(COMMANDS as u64);
        }
        let slot = &self.region.slots[(self.taken % COMMANDS as u64) as usize];
        self.taken = self.taken.wrapping_add(1);
        let command = slot
            .take(self.taken)
            .and_then(|bytes| Command::decode(&bytes));
        // Release: the place may be written to again. For the client's eyes only.
        self.region.taken.store(self.taken, release());
        Some((self.taken, command))
    }

    pub(crate) fn wants_sound(&self) -> bool {
        self.region.wants_sound.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn beats(&self) -> u32 {
        self.region.beats.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::segment::{Access, Backing};
    use proptest::prelude::*;

    fn ring() -> (CommandSender, CommandReceiver, Segment<CommandRegion>) {
        let region: Segment<CommandRegion> = Segment::make(Backing::Usual, Access::Both).unwrap();
        (
            CommandSender::new(region.clone()),
            CommandReceiver::new(region.clone()),
            region,
        )
    }

    fn set(value: f32) -> Command {
        Command::Set {
            target: "eq.band1_gain_db".to_owned(),
            value,
        }
    }

    #[test]
    fn commands_arrive_in_their_order_and_a_full_ring_says_so() {
        let (mut sender, mut receiver, _) = ring();
        for round in 0..10 {
            for at in 0..COMMANDS {
                sender.send(&set((round * COMMANDS + at) as f32)).unwrap();
            }
            assert_eq!(sender.send(&set(0.0)), Err(CommandError::Full));
            for at in 0..COMMANDS {
                let number = round * COMMANDS + at;
                let received = receiver.receive();
                assert_eq!(received, Some((number as u64 + 1, Ok(set(number as f32)))));
            }
            assert_eq!(receiver.receive(), None);
        }
    }

    #[test]
    fn what_makes_no_sense_is_never_sent() {
        let (mut sender, mut receiver, _) = ring();
        let preset = |name: &str| Command::Preset {
            name: name.to_owned(),
        };
        let bad = [
            set(f32::NAN),
            set(f32::INFINITY),
            preset("../../etc/passwd"),
            preset("c:\\x"),
            preset(".hidden"),
            preset(""),
            preset("bell\u{7}"),
            preset(&"x".repeat(MAX_NAME + 1)),
            Command::Compare { slot: 2 },
            Command::Tempo { bpm: 0.0 },
            Command::Tempo { bpm: 999.5 },
            Command::Tempo { bpm: f64::NAN },
            Command::Tempo {
                bpm: f64::NEG_INFINITY,
            },
        ];
        for command in bad {
            assert!(sender.send(&command).is_err(), "{command:?}");
        }
        assert_eq!(receiver.receive(), None);
    }

    #[test]
    fn no_count_that_a_client_writes_is_believed() {
        for written in [1, 5, 128, 129, 1 << 40, u64::MAX, u64::MAX - 3] {
            let (_, mut receiver, region) = ring();
            region.written.store(written, Ordering::Release);
            region.taken.store(77, Ordering::Release);
            let mut received = 0;
            while receiver.receive().is_some() {
                received += 1;
                assert!(
                    received <= COMMANDS,
                    "{written}: more than there is room for"
                );
            }
            assert!(received > 0);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_command_that_makes_sense_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..COMMAND_BYTES),
            bytes_said in any::<u32>(),
        ) {
            let (_, mut receiver, region) = ring();
            let slot = &region.slots[0];
            slot.put(1, &bytes);
            if bytes_said.is_multiple_of(2) {
                slot.bytes.store(bytes_said, Ordering::Relaxed);
            }
            region.written.store(1, Ordering::Release);
            if let Some((1, Ok(command))) = receiver.receive() {
                prop_assert!(command.check().is_ok());
            }
        }
    }
}
