//! Does what a screen asks for. Values go to the host, and so do places: what they come to is built when they
//! have come back, as if the host had set them.

use headroom_engine::preset::{self, Library, ModuleSpec, RackSpec};
use headroom_ipc::Command;

use super::outbox::{Gesture, Outbox};
use super::past::{Past, Step, Whole};
use super::shown::Shown;
use super::under_way::UnderWay;
use crate::desk::Desk;
use crate::parameters::Parameters;
use crate::rows::{LAST_PLACE, Target};
use crate::state::Refusal;

type Answer = Result<String, String>;

/// All that a command may need.
pub(crate) struct Hand<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) outbox: &'a Outbox,
    pub(crate) under_way: &'a mut UnderWay,
    pub(crate) past: &'a mut Past,
    /// While the host has the plugin switched on.
    pub(crate) desk: Option<&'a mut Desk>,
    pub(crate) shown: &'a mut Shown,
}

impl Hand<'_> {
    /// `[main]` What was done, or why it was not.
    pub(crate) fn obey(&mut self, command: &Command) -> Answer {
        match command {
            Command::Set { target, value } => self.set(target, *value),
            Command::Begin { target } => {
                let row = self.row(target)?;
                if !self.past.is_held(row) {
                    self.past.begin(row);
                    self.outbox.push(Gesture::Begin(row));
                }
                Ok(String::new())
            }
            Command::End { target } => {
                let row = self.row(target)?;
                if self.past.end(row) {
                    self.outbox.push(Gesture::End(row));
                }
                Ok(String::new())
            }
            Command::Insert { kind, index } => self.insert(kind, usize::from(*index)),
            Command::Remove { module } => {
                let mut rack = self.rack();
                let place = self.place(&rack, module)?;
                rack.modules.remove(place);
                Ok(self.change(
                    rack,
                    format!("remove {module}"),
                    format!("removed {module}"),
                ))
            }
            Command::Move { module, index } => {
                let mut rack = self.rack();
                let place = self.place(&rack, module)?;
                let moved = rack.modules.remove(place);
                let to = usize::from(*index).min(rack.modules.len());
                rack.modules.insert(to, moved);
                Ok(self.change(rack, format!("move {module}"), format!("moved {module}")))
            }
            Command::Preset { name } => self.load_preset(name),
            Command::SavePreset { name } => self.save_preset(name),
            Command::Undo => {
                let (label, step) = self
                    .past
                    .undo(self.parameters)
                    .ok_or("there is nothing to undo")?;
                self.take(step, true);
                Ok(format!("undo: {label}"))
            }
            Command::Redo => {
                let (label, step) = self
                    .past
                    .redo(self.parameters)
                    .ok_or("there is nothing to redo")?;
                self.take(step, false);
                Ok(format!("redo: {label}"))
            }
            Command::Compare { slot } => self.compare(*slot),
            Command::Panic { on } => {
                let button = self.desk()?.controller().panic_button().clone();
                if *on {
                    button.press();
                } else {
                    button.release();
                }
                Ok(if *on { "silence" } else { "panic is over" }.to_owned())
            }
            Command::Mute { on } => {
                let muted = self.desk()?.controller().mute(*on);
                muted.map_err(|why| why.to_string())?;
                self.shown.is_muted = *on;
                Ok(if *on { "muted" } else { "unmuted" }.to_owned())
            }
            Command::Delta { module, on } => {
                let module = on.then_some(module.as_str());
                let heard = self.desk()?.controller().listen_to_delta(module);
                heard.map_err(|why| why.to_string())?;
                Ok(match module {
                    Some(module) => format!("only what {module} changes is heard"),
                    None => "all is heard".to_owned(),
                })
            }
            Command::Record { .. } => Err("the host records".to_owned()),
            Command::Learn { .. } | Command::Unlearn { .. } => {
                Err("the host moves parameters by MIDI".to_owned())
            }
            Command::Device { .. } => Err("the device is the host's".to_owned()),
            Command::Tempo { .. } => Err("the tempo is the host's".to_owned()),
        }
    }

    fn desk(&mut self) -> Result<&mut Desk, String> {
        let desk = self.desk.as_deref_mut();
        desk.ok_or_else(|| "the host has the plugin switched off".to_owned())
    }

    fn rack(&self) -> RackSpec {
        self.under_way.rack(self.parameters)
    }

    fn place(&self, rack: &RackSpec, id: &str) -> Result<usize, String> {
        let place = rack.modules.iter().position(|module| module.id == id);
        place.ok_or_else(|| format!("there is no module `{id}` in the strip"))
    }

    /// The row of `module.parameter`, as a screen calls it.
    fn row(&self, target: &str) -> Result<usize, String> {
        let (id, param) = target
            .rsplit_once('.')
            .ok_or_else(|| format!("`{target}`: expected `module.parameter`"))?;
        let rack = self.rack();
        let kind = rack.modules[self.place(&rack, id)?].kind;
        let kinds = self.parameters.catalog().kinds();
        let module = kinds.iter().position(|known| known.id == kind.id);
        let module = module.ok_or_else(|| format!("`{id}`: no such kind"))?;
        let first = self.parameters.first_row(module);
        // A parameter of that name comes first.
        match (kind.param_index(param), param) {
            (Some(index), _) => Ok(first + 3 + index),
            (None, "bypass") => Ok(first + 1),
            (None, "mix") => Ok(first + 2),
            (None, _) => Err(format!("`{id}` has no parameter `{param}`")),
        }
    }

    fn set(&mut self, target: &str, value: f32) -> Answer {
        let row = self.row(target)?;
        let before = self.under_way.value(self.parameters, row);
        let is_held = self.past.is_held(row);
        let after = self.parameters.rows()[row].table.clamp(value);
        self.past.moved(row, before, after);
        if is_held {
            self.send(row, after);
        } else {
            self.gesture(row, after);
        }
        // The control itself shows it.
        Ok(String::new())
    }

    /// One value within a gesture.
    fn send(&mut self, row: usize, value: f32) {
        let of = &self.parameters.rows()[row];
        let value = if of.is_stepped() {
            value.round()
        } else {
            value
        };
        let position = of.position(value);
        self.parameters.set_exact(row, value);
        self.under_way
            .sent(row, value, position, of.is_structural());
        self.outbox.push(Gesture::Set(row, position));
    }

    /// A gesture of its own.
    fn gesture(&mut self, row: usize, value: f32) {
        self.outbox.push(Gesture::Begin(row));
        self.send(row, value);
        self.outbox.push(Gesture::End(row));
    }

    /// Moves whatever does not stand there yet.
    fn move_to(&mut self, row: usize, value: f32) {
        if self.under_way.value(self.parameters, row) != value {
            self.gesture(row, value);
        }
    }

    fn insert(&mut self, kind: &str, index: usize) -> Answer {
        let catalog = self.parameters.catalog();
        let found = catalog
            .find(kind)
            .ok_or_else(|| format!("there is no module `{kind}`"))?;
        let mut rack = self.rack();
        if rack.modules.iter().any(|module| module.kind.id == found.id) {
            return Err(format!("`{kind}` is in: the strip has one of each kind"));
        }
        let id = preset::free_id(found.id, &rack.modules);
        let module = ModuleSpec {
            id: id.clone(),
            ..ModuleSpec::new(found)
        };
        let index = index.min(rack.modules.len());
        rack.modules.insert(index, module);
        Ok(self.change(rack, format!("insert {id}"), format!("inserted {id}")))
    }

    /// One step to another rack.
    fn change(&mut self, rack: RackSpec, label: String, done: String) -> String {
        let before = self.whole();
        self.go_to(&rack);
        self.past.changed(label, before, self.whole());
        done
    }

    /// Where all will stand when what is on its way has arrived.
    fn whole(&self) -> Whole {
        let rows = 0..self.parameters.rows().len();
        let value = |row| self.under_way.value(self.parameters, row);
        Whole {
            rack: self.rack(),
            values: rows.map(value).collect(),
            preset: self.shown.preset.clone(),
        }
    }

    /// Has the host move all back to where it stood.
    fn go_back(&mut self, to: &Whole) {
        self.parameters.relabel(&to.rack);
        self.shown.preset.clone_from(&to.preset);
        for (row, value) in to.values.iter().enumerate() {
            // The host's own bypass is none of the rack's.
            if self.parameters.rows()[row].target != Target::HostBypass {
                self.move_to(row, *value);
            }
        }
    }

    /// Has the host move all that is otherwise in `rack`.
    fn go_to(&mut self, rack: &RackSpec) {
        let parameters = self.parameters;
        parameters.relabel(rack);
        for (kind, known) in parameters.catalog().kinds().iter().enumerate() {
            let first = parameters.first_row(kind);
            let mut modules = rack.modules.iter();
            let Some(place) = modules.position(|module| module.kind.id == known.id) else {
                self.move_to(first, 0.0);
                continue;
            };
            let module = &rack.modules[place];
            let place = (place + 1).min(usize::from(LAST_PLACE));
            self.move_to(first, place as f32);
            self.move_to(first + 1, f32::from(u8::from(module.bypass)));
            self.move_to(first + 2, module.mix);
            for (value, row) in module.values.iter().zip(first + 3..) {
                debug_assert!(matches!(parameters.rows()[row].target, Target::Value(..)));
                self.move_to(row, *value);
            }
        }
    }

    /// Goes to one end of a step.
    fn take(&mut self, step: Step, is_back: bool) {
        match step {
            Step::Value {
                row, before, after, ..
            } => self.move_to(row, if is_back { before } else { after }),
            Step::Rack { before, after, .. } => {
                self.go_back(if is_back { &before } else { &after });
            }
        }
    }

    fn load_preset(&mut self, name: &str) -> Answer {
        let library = Library::of_user();
        let rack = library.named(name, self.parameters.catalog());
        let rack = rack.map_err(|why| one_line(&why.to_string()))?;
        for (place, module) in rack.modules.iter().enumerate() {
            let before = &rack.modules[..place];
            if before.iter().any(|other| other.kind.id == module.kind.id) {
                return Err(Refusal::Twice(module.kind.id).to_string());
            }
        }
        let label = format!("preset `{}`", rack.name);
        let before = self.whole();
        self.under_way.is_rack();
        self.go_to(&rack);
        self.shown.preset = name.to_owned();
        self.past.changed(label, before, self.whole());
        Ok(format!("preset `{name}`"))
    }

    fn save_preset(&mut self, name: &str) -> Answer {
        let name = if name.is_empty() {
            self.shown.preset.clone()
        } else {
            name.to_owned()
        };
        if name.is_empty() {
            return Err("this strip has no preset's name yet: expected one".to_owned());
        }
        let path = Library::of_user().own_file(&name);
        let path = path.map_err(|why| why.to_string())?;
        let mut rack = self.rack();
        rack.name.clone_from(&name);
        preset::save(&path, &rack)
            .map_err(|why| format!("not saved: {}", one_line(&why.to_string())))?;
        self.parameters.relabel(&rack);
        self.shown.preset = name;
        self.shown.look_for_presets();
        Ok(format!("saved: {}", path.display()))
    }

    /// Goes to the other of two racks; the first time it is a copy of this one.
    fn compare(&mut self, slot: u8) -> Answer {
        let name = ["A", "B"][usize::from(slot.min(1))];
        if self.past.compared != slot {
            let current = self.whole();
            let to = self.past.other.take().unwrap_or_else(|| current.clone());
            self.under_way.is_rack();
            self.go_back(&to);
            self.past.other = Some(current);
            self.past.compared = slot;
        }
        Ok(name.to_owned())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
