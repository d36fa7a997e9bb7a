//! Learning: a parameter is chosen, and the next controller that moves is bound to it.

use headroom_engine::ModuleSpec;
use headroom_engine::RackSpec;
use headroom_engine::preset::MAX_BINDINGS;
use headroom_engine::preset::MidiBinding;
use headroom_engine::preset::MidiSource;
use headroom_engine::preset::MidiTarget;

use super::message::Message;

/// What can be moved, and what of it is chosen.
pub(super) struct Learn {
    targets: Vec<MidiTarget>,
    at: usize,
}

impl Learn {
    /// `[main]` Everything in `rack` that a controller may move; the first is chosen.
    pub(super) fn new(rack: &RackSpec) -> Self {
        let mut targets: Vec<_> = rack.modules.iter().flat_map(targets_of).collect();
        targets.extend([MidiTarget::Mute, MidiTarget::Panic]);
        Self { targets, at: 0 }
    }

    /// `[main]` What is chosen.
    pub(super) fn target(&self) -> &MidiTarget {
        &self.targets[self.at]
    }

    /// `[main]` Chooses what `text` names: `eq.band1_freq_hz`, `eq.mix`, `eq.bypass`, `mute`, `panic`.
    pub(super) fn choose(&mut self, text: &str) -> bool {
        let place = self
            .targets
            .iter()
            .position(|target| target_text(target) == text);
        self.at = place.unwrap_or(self.at);
        place.is_some()
    }

    /// `[main]` The next, or the one before; round and round.
    pub(super) fn step(&mut self, forward: bool) {
        let count = self.targets.len();
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    /// `[main]` The first of the next module, or of the one before.
    pub(super) fn step_module(&mut self, forward: bool) {
        let group = |at: usize| self.targets[at].module();
        let count = self.targets.len();
        let starts: Vec<usize> = (0..count)
            .filter(|&at| at == 0 || group(at) != group(at - 1))
            .collect();
        let here = starts.partition_point(|&start| start <= self.at) - 1;
        let there = here + if forward { 1 } else { starts.len() - 1 };
        self.at = starts[there % starts.len()];
    }

    /// `[main]` Binds what was touched to what is chosen; what either was bound to before is let go.
    /// What cannot be is said.
    pub(super) fn bind(
        &self,
        message: Message,
        bindings: &mut Vec<MidiBinding>,
    ) -> Result<MidiBinding, String> {
        let target = self.target();
        let (source, channel) = match message {
            Message::Controller {
                number, channel, ..
            } => (MidiSource::Controller(number), channel),
            Message::Note {
                number, channel, ..
            } if target.is_switch() => (MidiSource::Note(number), channel),
            Message::Note { .. } => {
                return Err(format!("a key cannot move {target}: move a controller"));
            }
            Message::Program { .. } => return Err("programs choose presets".to_owned()),
        };
        let binding = MidiBinding {
            source,
            channel: Some(channel + 1),
            target: target.clone(),
            toggle: source.usually_toggles(),
        };
        bindings.retain(|other| {
            let same_source = other.source == binding.source
                && other
                    .channel
                    .is_none_or(|other| Some(other) == binding.channel);
            !same_source && !is_same(&other.target, target)
        });
        if bindings.len() >= MAX_BINDINGS {
            return Err(format!("{MAX_BINDINGS} controllers are bound already"));
        }
        bindings.push(binding.clone());
        Ok(binding)
    }

    /// `[main]` Lets what is chosen go; whether anything moved it.
    pub(super) fn unbind(&self, bindings: &mut Vec<MidiBinding>) -> bool {
        let count = bindings.len();
        bindings.retain(|binding| !is_same(&binding.target, self.target()));
        bindings.len() < count
    }

    /// `[main]` What moves the chosen one now.
    pub(super) fn bound<'a>(&self, bindings: &'a [MidiBinding]) -> Option<&'a MidiBinding> {
        bindings
            .iter()
            .find(|binding| is_same(&binding.target, self.target()))
    }

    /// `[main]` Where in the list, from 1, and how many there are.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.at + 1, self.targets.len())
    }
}

/// A target as commands write it.
pub(super) fn target_text(target: &MidiTarget) -> String {
    match target {
        MidiTarget::Param { module, param, .. } => format!("{module}.{param}"),
        MidiTarget::Mix { module } => format!("{module}.mix"),
        MidiTarget::Bypass { module } => format!("{module}.bypass"),
        MidiTarget::Mute | MidiTarget::Panic => target.to_string(),
    }
}

fn targets_of(module: &ModuleSpec) -> Vec<MidiTarget> {
    let id = || module.id.clone();
    let rows = module.kind.params.iter().filter(|row| !row.structural);
    let params = rows.map(|row| MidiTarget::Param {
        module: id(),
        param: row.id,
        min: row.min,
        max: row.max,
    });
    let switches = [
        MidiTarget::Mix { module: id() },
        MidiTarget::Bypass { module: id() },
    ];
    params.chain(switches).collect()
}

/// The same thing moved, whatever the range.
fn is_same(one: &MidiTarget, other: &MidiTarget) -> bool {
    match (one, other) {
        (
            MidiTarget::Param { module, param, .. },
            MidiTarget::Param {
                module: other_module,
                param: other_param,
                ..
            },
        ) => (module, param) == (other_module, other_param),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use headroom_engine::Catalog;

    use super::*;

    fn rack() -> RackSpec {
        let catalog = Catalog::builtin();
        let module = |kind| ModuleSpec::new(catalog.find(kind).unwrap());
        RackSpec {
            modules: vec![module("gain"), module("delay")],
            ..RackSpec::default()
        }
    }

    fn cc(number: u8) -> Message {
        Message::Controller {
            channel: 2,
            number,
            value: 9,
        }
    }

    #[test]
    fn every_target_is_reached_by_steps_and_every_module_by_jumps() {
        let mut learn = Learn::new(&rack());
        let (_, count) = learn.place();
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(learn.target().to_string());
            learn.step(true);
        }
        assert_eq!(learn.place().0, 1, "round and round");
        learn.step(false);
        assert_eq!(learn.target(), &MidiTarget::Panic);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        learn.step(true);
        let mut modules = Vec::new();
        for _ in 0..3 {
            modules.push(learn.target().module().map(str::to_owned));
            learn.step_module(true);
        }
        assert_eq!(modules, [Some("gain".into()), Some("delay".into()), None]);
        assert_eq!(learn.place().0, 1);
        learn.step_module(false);
        assert_eq!(learn.target(), &MidiTarget::Mute);
    }

    #[test]
    fn one_controller_moves_one_thing_and_one_thing_is_moved_by_one() {
        let mut learn = Learn::new(&rack());
        let mut bindings = Vec::new();
        learn.bind(cc(7), &mut bindings).unwrap();
        learn.step(true);
        learn.bind(cc(7), &mut bindings).unwrap();
        assert_eq!(bindings.len(), 1, "the controller moved on");
        learn.bind(cc(8), &mut bindings).unwrap();
        assert_eq!(bindings.len(), 1, "the parameter has another controller");
        assert_eq!(bindings[0].source, MidiSource::Controller(8));
        assert_eq!(bindings[0].channel, Some(3));
        assert!(learn.unbind(&mut bindings));
        assert!(!learn.unbind(&mut bindings));
        assert!(bindings.is_empty());
    }

    #[test]
    fn a_key_is_bound_to_switches_only() {
        let mut learn = Learn::new(&rack());
        let key = Message::Note {
            channel: 0,
            number: 36,
            down: true,
        };
        let mut bindings = Vec::new();
        assert!(
            learn
                .bind(key, &mut bindings)
                .unwrap_err()
                .contains("gain.")
        );
        learn.step(false);
        let bound = learn.bind(key, &mut bindings).unwrap();
        assert_eq!((bound.target, bound.toggle), (MidiTarget::Panic, true));
    }
}
