//! What each controller and key moves, as the audio thread looks it up.

use headroom_engine::Change;
use headroom_engine::Controller;
use headroom_engine::PanicButton;
use headroom_engine::Param;
use headroom_engine::SlotKey;
use headroom_engine::preset::MidiBinding;
use headroom_engine::preset::MidiSource;
use headroom_engine::preset::MidiTarget;

use super::message::Message;

/// Bindings in a table at most: a preset's and those of every preset. Each is a bit of a word.
pub(crate) const MAX_BOUND: usize = 128;
/// From here on a pedal is down.
const DOWN: u8 = 64;

/// The bindings of the rack of now. Built by the main thread; the audio thread only looks.
pub(crate) struct Table {
    bound: Vec<Bound>,
    /// Which bindings listen to a number, a bit each.
    controllers: [u128; 128],
    notes: [u128; 128],
    panic_button: PanicButton,
}

/// One binding, with everything looked up.
struct Bound {
    /// From 0; `None` hears all.
    channel: Option<u8>,
    action: Action,
    /// Of 14 bits: the number and the newest value of its coarse half.
    fine: Option<Fine>,
}

struct Fine {
    number: u8,
    coarse: u8,
}

#[derive(Clone, Copy)]
enum Action {
    /// Between two places of its own way from its lowest to its highest value.
    Param {
        slot: SlotKey,
        index: u16,
        row: &'static Param,
        from: f32,
        to: f32,
    },
    Mix {
        slot: SlotKey,
    },
    Bypass {
        slot: SlotKey,
        toggle: bool,
    },
    Mute {
        toggle: bool,
    },
    Panic {
        toggle: bool,
    },
}

/// What a message asks of one binding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    Change(Change),
    Bypass { slot: SlotKey, press: Press },
    Mute(Press),
    Panic(Press),
}

/// How a switch is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Press {
    /// To where the pedal is.
    To(bool),
    /// To the other side.
    Over,
}

impl Press {
    /// `[any]` Where that leads from `now`.
    pub(crate) fn from(self, now: bool) -> bool {
        match self {
            Self::To(on) => on,
            Self::Over => !now,
        }
    }
}

impl Table {
    /// `[main]` Looks up `bindings` in the rack of now. One that speaks of a module that is not there
    /// is left out.
    pub(crate) fn new<'a>(
        bindings: impl IntoIterator<Item = &'a MidiBinding>,
        controller: &Controller,
    ) -> Self {
        let mut table = Self {
            bound: Vec::new(),
            controllers: [0; 128],
            notes: [0; 128],
            panic_button: controller.panic_button().clone(),
        };
        for binding in bindings {
            let Some(action) = Action::of(binding, controller) else {
                continue;
            };
            if table.bound.len() == MAX_BOUND {
                break;
            }
            let bit = 1 << table.bound.len();
            let mut fine = None;
            match binding.source {
                MidiSource::Controller(number) => {
                    table.controllers[usize::from(number)] |= bit;
                }
                MidiSource::FineController(number) => {
                    table.controllers[usize::from(number)] |= bit;
                    table.controllers[usize::from(number) + 32] |= bit;
                    fine = Some(Fine { number, coarse: 0 });
                }
                MidiSource::Note(number) => table.notes[usize::from(number)] |= bit,
            }
            table.bound.push(Bound {
                channel: binding.channel.map(|channel| channel - 1),
                action,
                fine,
            });
        }
        table
    }

    /// `[audio]` The panic button of the rack.
    pub(crate) fn panic_button(&self) -> &PanicButton {
        &self.panic_button
    }

    /// `[audio]` The bindings that listen to the message's number, a bit each.
    pub(crate) fn listeners(&self, message: Message) -> u128 {
        match message {
            Message::Controller { number, .. } => self.controllers[usize::from(number & 127)],
            Message::Note { number, .. } => self.notes[usize::from(number & 127)],
            Message::Program { .. } => 0,
        }
    }

    /// `[audio]` What the message asks of one of them; nothing if it is of another channel.
    pub(crate) fn order(&mut self, binding: usize, message: Message) -> Option<Order> {
        let bound = &mut self.bound[binding];
        let channel = match message {
            Message::Controller { channel, .. }
            | Message::Note { channel, .. }
            | Message::Program { channel, .. } => channel,
        };
        if bound.channel.is_some_and(|only| only != channel) {
            return None;
        }
        bound.order(message)
    }
}

impl Bound {
    fn order(&mut self, message: Message) -> Option<Order> {
        let (position, down) = match message {
            Message::Controller { number, value, .. } => {
                (self.position(number, value), value >= DOWN)
            }
            Message::Note { down, .. } => (if down { 1.0 } else { 0.0 }, down),
            Message::Program { .. } => return None,
        };
        let press = |toggle| match (toggle, down) {
            (false, _) => Some(Press::To(down)),
            (true, true) => Some(Press::Over),
            (true, false) => None,
        };
        Some(match self.action {
            Action::Param {
                slot,
                index,
                row,
                from,
                to,
            } => Order::Change(Change::Param {
                slot,
                index,
                value: row.denormalize(from + (to - from) * position),
            }),
            Action::Mix { slot } => Order::Change(Change::Mix {
                slot,
                value: position,
            }),
            Action::Bypass { slot, toggle } => Order::Bypass {
                slot,
                press: press(toggle)?,
            },
            Action::Mute { toggle } => Order::Mute(press(toggle)?),
            Action::Panic { toggle } => Order::Panic(press(toggle)?),
        })
    }

    /// Where the controller stands, 0 to 1. The coarse half says so alone, too, as the standard has
    /// it: the fine half is 0 then.
    fn position(&mut self, number: u8, value: u8) -> f32 {
        let Some(fine) = &mut self.fine else {
            return centred(u16::from(value), 127);
        };
        if number == fine.number {
            fine.coarse = value;
            return centred(u16::from(value) << 7, 16_383);
        }
        centred(u16::from(fine.coarse) << 7 | u16::from(value), 16_383)
    }
}

/// 0 at 0, 1 at `last`, and exactly 1/2 at the number that controllers with a notch in the middle
/// send there (64 of 127), as MIDI 2.0 scales up.
fn centred(value: u16, last: u16) -> f32 {
    let centre = last / 2 + 1;
    let (value, last, centre) = (f32::from(value), f32::from(last), f32::from(centre));
    if value <= centre {
        0.5 * value / centre
    } else {
        0.5 + 0.5 * (value - centre) / (last - centre)
    }
}

impl Action {
    fn of(binding: &MidiBinding, controller: &Controller) -> Option<Self> {
        let key = |module: &str| controller.slot_key(module).ok();
        let toggle = binding.toggle;
        Some(match &binding.target {
            MidiTarget::Param {
                module,
                param,
                min,
                max,
            } => {
                let modules = &controller.spec().modules;
                let kind = modules.iter().find(|known| known.id == *module)?.kind;
                let index = kind.param_index(param)?;
                let row = &kind.params[index];
                Self::Param {
                    slot: key(module)?,
                    index: index.try_into().ok()?,
                    row,
                    from: row.normalize(*min),
                    to: row.normalize(*max),
                }
            }
            MidiTarget::Mix { module } => Self::Mix { slot: key(module)? },
            MidiTarget::Bypass { module } => Self::Bypass {
                slot: key(module)?,
                toggle,
            },
            MidiTarget::Mute => Self::Mute { toggle },
            MidiTarget::Panic => Self::Panic { toggle },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::centred;

    #[test]
    fn a_notch_in_the_middle_is_the_middle() {
        assert_eq!(centred(0, 127), 0.0);
        assert_eq!(centred(64, 127), 0.5);
        assert_eq!(centred(127, 127), 1.0);
        assert_eq!(centred(8_192, 16_383), 0.5);
        assert_eq!(centred(16_383, 16_383), 1.0);
        for value in 1..=127 {
            assert!(centred(value, 127) > centred(value - 1, 127));
        }
    }
}
