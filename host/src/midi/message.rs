//! What is understood of a MIDI message.

use wmidi::MidiMessage;

/// The first controller number that is a channel mode message.
const MODE_MESSAGES: u8 = 120;

/// A message that can move something. Channels count from 0 here, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// A controller was moved.
    Controller { channel: u8, number: u8, value: u8 },
    /// A key or pad went down (`down`) or up.
    Note { channel: u8, number: u8, down: bool },
    /// Another program was chosen.
    Program { channel: u8, number: u8 },
}

impl Message {
    /// `[audio]` The message that `bytes` start with, if it is one of these; anything else, and
    /// anything cut short, is `None`. Takes the time of three bytes, whatever comes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        // System messages are of any length: they need not be looked through.
        let bytes = bytes.get(..3.min(bytes.len()))?;
        if !(0x80..0xF0).contains(bytes.first()?) {
            return None;
        }
        Some(match MidiMessage::try_from(bytes).ok()? {
            MidiMessage::ControlChange(channel, number, value) => {
                let number = u8::from(number);
                if number >= MODE_MESSAGES {
                    return None;
                }
                Self::Controller {
                    channel: channel.index(),
                    number,
                    value: u8::from(value),
                }
            }
            MidiMessage::NoteOn(channel, note, _) => Self::Note {
                channel: channel.index(),
                number: note as u8,
                down: true,
            },
            MidiMessage::NoteOff(channel, note, _) => Self::Note {
                channel: channel.index(),
                number: note as u8,
                down: false,
            },
            MidiMessage::ProgramChange(channel, program) => Self::Program {
                channel: channel.index(),
                number: u8::from(program),
            },
            _ => return None,
        })
    }

    /// `[any]` In one word that is never 0, so that an atomic can hold it.
    pub(crate) fn pack(self) -> u32 {
        let (kind, channel, number, value) = match self {
            Self::Controller {
                channel,
                number,
                value,
            } => (1, channel, number, value),
            Self::Note {
                channel,
                number,
                down,
            } => (2, channel, number, u8::from(down)),
            Self::Program { channel, number } => (3, channel, number, 0),
        };
        u32::from_be_bytes([kind, channel, number, value])
    }

    /// `[any]` The message of a word.
    pub(crate) fn unpack(word: u32) -> Option<Self> {
        let [kind, channel, number, value] = word.to_be_bytes();
        Some(match kind {
            1 => Self::Controller {
                channel,
                number,
                value,
            },
            2 => Self::Note {
                channel,
                number,
                down: value > 0,
            },
            3 => Self::Program { channel, number },
            _ => return None,
        })
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Controller {
                channel,
                number,
                value,
            } => write!(f, "cc {number} = {value}, channel {}", channel + 1),
            Self::Note {
                channel,
                number,
                down,
            } => {
                let way = if down { "down" } else { "up" };
                write!(f, "note {number} {way}, channel {}", channel + 1)
            }
            Self::Program { channel, number } => {
                write!(f, "program {}, channel {}", number + 1, channel + 1)
            }
        }
    }
}
