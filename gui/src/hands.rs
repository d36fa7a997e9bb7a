//! What the person at the screen does: commands on their way out, and values that are shown as they
//! were moved until the rack has them. Without the second a knob would jump back to where the board
//! still sees it.

use headroom_ipc::Command;
use std::collections::HashMap;

/// Seconds after which a value that no one answered for is given up, and the board's is shown.
const PATIENCE_SECS: f64 = 1.0;

/// What the tempo is held by, as a target is by its name.
pub const TEMPO: &str = "tempo";

/// Commands that wait to be sent, and values that are held.
#[derive(Debug, Default)]
pub struct Hands {
    waiting: Vec<Command>,
    held: HashMap<String, Held>,
    now_secs: f64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    value: f32,
    /// Between begin and end.
    grasped: bool,
    /// What the newest of its settings was sent as.
    sequence: Option<u64>,
    since_secs: f64,
}

impl Hands {
    /// `[main]` Does `command`.
    pub fn act(&mut self, command: Command) {
        self.waiting.push(command);
    }

    /// `[main]` Takes hold of `target`: what follows until [`Hands::release`] is one step of undo.
    pub fn grasp(&mut self, target: &str, value: f32) {
        let held = self.hold(target, value);
        if !held.grasped {
            held.grasped = true;
            self.act(Command::Begin {
                target: target.to_owned(),
            });
        }
    }

    /// `[main]` Sets `target`, and shows `value` until the rack has it.
    pub fn set(&mut self, target: &str, value: f32) {
        if !value.is_finite() {
            return;
        }
        let held = self.hold(target, value);
        held.sequence = None;
        self.act(Command::Set {
            target: target.to_owned(),
            value,
        });
    }

    /// `[main]` Sets the tempo, and shows it until the program has it.
    pub fn set_tempo(&mut self, bpm: f64) {
        if !bpm.is_finite() {
            return;
        }
        self.hold(TEMPO, bpm as f32).sequence = None;
        self.act(Command::Tempo { bpm });
    }

    /// `[main]` Lets go of `target`.
    pub fn release(&mut self, target: &str) {
        if let Some(held) = self.held.get_mut(target)
            && held.grasped
        {
            held.grasped = false;
            held.since_secs = self.now_secs;
            self.act(Command::End {
                target: target.to_owned(),
            });
        }
    }

    /// `[main]` Whether `target` is being moved.
    pub fn is_grasped(&self, target: &str) -> bool {
        self.held.get(target).is_some_and(|held| held.grasped)
    }

    /// `[main]` What `target` is shown as, if not as the board says.
    pub fn held(&self, target: &str) -> Option<f32> {
        self.held.get(target).map(|held| held.value)
    }

    fn hold(&mut self, target: &str, value: f32) -> &mut Held {
        let since_secs = self.now_secs;
        let held = self.held.entry(target.to_owned()).or_insert(Held {
            value,
            grasped: false,
            sequence: None,
            since_secs,
        });
        held.value = value;
        held.since_secs = since_secs;
        held
    }

    /// `[main]` Sends what waits; `send` gives a command's sequence number, or nothing where it was lost.
    pub fn send(&mut self, mut send: impl FnMut(&Command) -> Option<u64>) {
        for command in std::mem::take(&mut self.waiting) {
            let sequence = send(&command);
            let target = match &command {
                Command::Set { target, .. } => target.as_str(),
                Command::Tempo { .. } => TEMPO,
                _ => continue,
            };
            if let Some(sequence) = sequence
                && let Some(held) = self.held.get_mut(target)
            {
                held.sequence = Some(sequence);
            }
        }
    }

    /// `[main]` Forgets what the rack has: `applied` is the newest sequence number that was carried out.
    pub fn settle(&mut self, applied: u64, now_secs: f64) {
        self.now_secs = now_secs;
        self.held.retain(|_, held| {
            let has = held.sequence.is_some_and(|sequence| sequence <= applied);
            let late = now_secs - held.since_secs > PATIENCE_SECS;
            held.grasped || !(has || late)
        });
    }

    /// `[main]` Forgets everything: the program on the other side has gone.
    pub fn drop_all(&mut self) {
        self.waiting.clear();
        self.held.clear();
    }

    /// `[main]` Whether any value is shown otherwise than as the board has it.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// `[main]` What waits to be sent.
    pub fn waiting(&self) -> &[Command] {
        &self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(hands: &mut Hands, from: u64) {
        let mut next = from;
        hands.send(|_| {
            next += 1;
            Some(next)
        });
    }

    #[test]
    fn a_value_is_shown_as_it_was_moved_until_the_rack_has_it() {
        let mut hands = Hands::default();
        hands.grasp("eq.mix", 0.5);
        hands.set("eq.mix", 0.6);
        numbered(&mut hands, 0);
        // The second command is the setting.
        hands.settle(1, 0.1);
        assert_eq!(hands.held("eq.mix"), Some(0.6));
        hands.settle(2, 0.2);
        assert_eq!(hands.held("eq.mix"), Some(0.6), "still in the hand");
        hands.release("eq.mix");
        numbered(&mut hands, 2);
        hands.settle(2, 0.3);
        assert_eq!(hands.held("eq.mix"), None);
    }

    #[test]
    fn a_newer_setting_is_not_settled_by_an_older_one() {
        let mut hands = Hands::default();
        hands.set("a.mix", 0.1);
        numbered(&mut hands, 0);
        hands.set("a.mix", 0.9);
        hands.settle(1, 0.1);
        assert_eq!(hands.held("a.mix"), Some(0.9));
        numbered(&mut hands, 1);
        hands.settle(1, 0.2);
        assert_eq!(
            hands.held("a.mix"),
            Some(0.9),
            "only the older one is there"
        );
        hands.settle(2, 0.3);
        assert_eq!(hands.held("a.mix"), None);
    }

    #[test]
    fn what_nobody_answers_for_is_given_up() {
        let mut hands = Hands::default();
        hands.set("a.mix", 0.1);
        hands.send(|_| None);
        hands.settle(0, 0.9);
        assert_eq!(hands.held("a.mix"), Some(0.1));
        hands.settle(0, 1.2);
        assert_eq!(hands.held("a.mix"), None);
    }

    #[test]
    fn a_gesture_has_one_begin_and_one_end() {
        let mut hands = Hands::default();
        hands.grasp("a.mix", 0.1);
        hands.grasp("a.mix", 0.2);
        hands.release("a.mix");
        hands.release("a.mix");
        assert_eq!(hands.waiting().len(), 2);
    }

    #[test]
    fn what_is_no_number_is_not_sent() {
        let mut hands = Hands::default();
        hands.set("a.mix", f32::NAN);
        assert!(hands.waiting().is_empty());
    }
}
