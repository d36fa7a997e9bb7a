//! Does what clients ask. Everything is checked here or by the controller; the answer is for people.

use headroom_engine::ControlError;
use headroom_engine::Controller;
use headroom_engine::ModuleSpec;
use headroom_engine::Tempo;
use headroom_engine::preset;
use headroom_ipc::Command;

use super::Session;
use crate::error::one_line;
use crate::play::record;
use crate::presets;

type Answer = Result<String, String>;

impl Session<'_> {
    /// What was done, or why it was not.
    pub(super) fn obey(&mut self, command: &Command) -> Answer {
        match command {
            Command::Set { target, value } => self.set(target, *value),
            Command::Begin { target } => {
                let (module, param) = split(target)?;
                let held = self.open.controller.begin_gesture(module, param);
                held.map(|()| String::new()).map_err(words)
            }
            Command::End { target } => {
                let (module, param) = split(target)?;
                let let_go = self.open.controller.end_gesture(module, param);
                let_go.map(|()| String::new()).map_err(words)
            }
            Command::Insert { kind, index } => self.insert(kind, *index),
            Command::Remove { module } => self.edit(
                |controller| controller.remove(module),
                || format!("removed {module}"),
            ),
            Command::Move { module, index } => self.edit(
                |controller| {
                    // Behind the last is the last.
                    let last = controller.spec().modules.len().saturating_sub(1);
                    controller.move_to(module, usize::from(*index).min(last))
                },
                || format!("moved {module}"),
            ),
            Command::Preset { name } => self.load_preset(name),
            Command::SavePreset { name } => {
                let saved = self.desk.save_as(name, &self.open.controller)?;
                self.presets_changed();
                Ok(saved)
            }
            Command::Undo => self.step("undo", Controller::undo),
            Command::Redo => self.step("redo", Controller::redo),
            Command::Panic { on } => {
                let button = self.open.controller.panic_button();
                if *on {
                    button.press();
                } else {
                    button.release();
                }
                Ok(if *on { "silence" } else { "panic is over" }.to_owned())
            }
            Command::Mute { on } => {
                self.open.controller.mute(*on).map_err(words)?;
                self.muted = *on;
                Ok(if *on { "muted" } else { "unmuted" }.to_owned())
            }
            Command::Delta { module, on } => {
                let module = on.then_some(module.as_str());
                let heard = self.open.controller.listen_to_delta(module);
                heard.map_err(words)?;
                Ok(match module {
                    Some(module) => format!("only what {module} changes is heard"),
                    None => "all is heard".to_owned(),
                })
            }
            Command::Compare { slot } => self.compare(*slot),
            Command::Record { on } => self.record(*on),
            Command::Learn { target, on } => {
                let target = on.then_some(target.as_str());
                self.desk.learn(target, &self.open.controller)
            }
            Command::Unlearn { target } => self.desk.forget(target, &self.open.controller),
            Command::Device { wish } => self.change_device(wish),
            Command::Tempo { bpm } => {
                let tempo = Tempo::new(*bpm).ok_or("there is no such tempo")?;
                self.open.controller.set_tempo(tempo).map_err(words)?;
                Ok(format!("tempo {bpm}"))
            }
        }
    }

    fn set(&mut self, target: &str, value: f32) -> Answer {
        let (module, param) = split(target)?;
        let controller = &mut self.open.controller;
        let kind = controller
            .spec()
            .modules
            .iter()
            .find(|known| known.id == module)
            .map(|known| known.kind);
        let row = kind.and_then(|kind| Some(&kind.params[kind.param_index(param)?]));
        // A parameter of that name comes first.
        let (done, text) = match (row, param) {
            (Some(row), _) => (
                controller.set_param(module, param, value),
                row.format(value),
            ),
            (None, "bypass") => {
                let on = value > 0.5;
                let text = if on { "on" } else { "off" };
                (controller.set_bypass(module, on), text.to_owned())
            }
            (None, "mix") => (
                controller.set_mix(module, value),
                format!("{:.0} %", value * 100.0),
            ),
            (None, _) => (controller.set_param(module, param, value), String::new()),
        };
        done.map_err(words)?;
        Ok(format!("{target} {text}"))
    }

    fn insert(&mut self, kind: &str, index: u16) -> Answer {
        let catalog = headroom_engine::Catalog::builtin();
        let found = catalog.find(kind).ok_or_else(|| {
            let kinds: Vec<&str> = catalog.kinds().iter().map(|kind| kind.id).collect();
            format!(
                "there is no module `{kind}`: expected one of {}",
                kinds.join(", ")
            )
        })?;
        let modules = &self.open.controller.spec().modules;
        let index = usize::from(index).min(modules.len());
        let id = preset::free_id(found.id, modules);
        let module = ModuleSpec {
            id: id.clone(),
            ..ModuleSpec::new(found)
        };
        self.edit(
            |controller| controller.insert(index, module),
            || format!("inserted {id}"),
        )
    }

    /// An edit of the rack's order.
    fn edit(
        &mut self,
        change: impl FnOnce(&mut Controller) -> Result<(), ControlError>,
        done: impl FnOnce() -> String,
    ) -> Answer {
        change(&mut self.open.controller).map_err(words)?;
        self.desk.rack_changed(&self.open.controller);
        self.hurry();
        Ok(done())
    }

    fn load_preset(&mut self, name: &str) -> Answer {
        let catalog = headroom_engine::Catalog::builtin();
        let found = presets::named(name, &catalog).map_err(|error| one_line(&error))?;
        self.open.controller.load(&found.spec).map_err(words)?;
        self.view.preset.clone_from(&found.spec.name);
        self.desk.preset_changed(&found, &self.open.controller);
        self.preset_changes += 1;
        self.hurry();
        Ok(format!("preset `{name}`"))
    }

    fn step(
        &mut self,
        word: &str,
        step: impl FnOnce(&mut Controller) -> Result<Option<String>, ControlError>,
    ) -> Answer {
        let label = step(&mut self.open.controller).map_err(words)?;
        let label = label.ok_or_else(|| format!("there is nothing to {word}"))?;
        self.view
            .preset
            .clone_from(&self.open.controller.spec().name);
        self.desk.rack_changed(&self.open.controller);
        self.hurry();
        Ok(format!("{word}: {label}"))
    }

    /// Goes to the other of two racks; the first time it is a copy of this one.
    fn compare(&mut self, slot: u8) -> Answer {
        let Some(remote) = &mut self.remote else {
            return Err("there is no screen".to_owned());
        };
        let name = ["A", "B"][usize::from(slot.min(1))];
        if remote.compared == slot {
            return Ok(name.to_owned());
        }
        let current = self.open.controller.current();
        let to = remote.other.clone().unwrap_or_else(|| current.clone());
        self.open.controller.load(&to).map_err(words)?;
        remote.other = Some(current);
        remote.compared = slot;
        self.desk.rack_changed(&self.open.controller);
        self.hurry();
        Ok(name.to_owned())
    }

    fn record(&mut self, on: bool) -> Answer {
        if self.open.recorder.status().is_some() == on {
            let state = if on { "is" } else { "is not" };
            return Err(format!("it {state} recording already"));
        }
        let folder = record::folder().ok_or("there is no home folder to record to")?;
        Ok(self.open.recorder.toggle(&folder))
    }

    fn hurry(&mut self) {
        if let Some(remote) = &mut self.remote {
            remote.hurry();
        }
    }

    fn presets_changed(&mut self) {
        if let Some(remote) = &mut self.remote {
            remote.presets = presets::infos(&remote.catalog);
        }
    }
}

/// `eq.band1_freq_hz` is a module and what of it is meant.
fn split(target: &str) -> Result<(&str, &str), String> {
    target
        .rsplit_once('.')
        .filter(|(module, param)| !module.is_empty() && !param.is_empty())
        .ok_or_else(|| format!("`{target}`: expected `module.parameter`"))
}

fn words(error: ControlError) -> String {
    one_line(&error)
}
