//! Undo and redo: what was asked of the controller, one step after the other, and back.

use std::ptr;

use super::{ControlError, Controller};
use crate::preset::{ModuleSpec, RackSpec};

/// Steps that are kept; one more forgets the oldest.
pub const MAX_STEPS: usize = 100;
/// Gestures that may be under way at once; one more is of steps of their own.
const MAX_GESTURES: usize = 64;

/// What can be undone and redone. It outlives its controller where a rack is built anew for another
/// stream: [`Controller::take_history`].
///
/// Bounded by [`MAX_STEPS`]. What events set (automation, MIDI) is no step, but what a step undoes
/// goes back to how it sounded before it.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<Step>,
    future: Vec<Step>,
    gestures: Vec<(String, Field)>,
}

/// One setting of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Param(usize),
    Bypass,
    Mix,
}

#[derive(Debug)]
enum Step {
    Value {
        module: String,
        field: Field,
        before: f32,
        after: f32,
        /// Of a gesture that is still under way.
        open: bool,
    },
    Edit {
        before: RackSpec,
        after: RackSpec,
    },
    Load {
        before: RackSpec,
        after: RackSpec,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Back,
    Forth,
}

impl Controller {
    /// `[main]` Takes the last step back. What it was, in words; `None` when there is none. An error
    /// leaves everything as it is.
    ///
    /// # Errors
    ///
    /// As of the edit that it takes, such as [`ControlError::Busy`].
    pub fn undo(&mut self) -> Result<Option<String>, ControlError> {
        self.step(Direction::Back)
    }

    /// `[main]` Takes the step again that was taken back last, as [`Self::undo`] does.
    ///
    /// # Errors
    ///
    /// As of the edit that it takes.
    pub fn redo(&mut self) -> Result<Option<String>, ControlError> {
        self.step(Direction::Forth)
    }

    /// `[main]` What [`Self::undo`] would take back, in words.
    pub fn undo_label(&self) -> Option<String> {
        self.history.past.last().map(|step| self.label(step))
    }

    /// `[main]` What [`Self::redo`] would take again, in words.
    pub fn redo_label(&self) -> Option<String> {
        self.history.future.last().map(|step| self.label(step))
    }

    /// `[main]` A control is taken hold of: until [`Self::end_gesture`], all that moves this
    /// parameter is one step. `param` may be `bypass` or `mix`.
    ///
    /// # Errors
    ///
    /// No such module or parameter.
    pub fn begin_gesture(&mut self, module: &str, param: &str) -> Result<(), ControlError> {
        let target = (module.to_owned(), self.field(module, param)?);
        let gestures = &mut self.history.gestures;
        if !gestures.contains(&target) && gestures.len() < MAX_GESTURES {
            gestures.push(target);
        }
        Ok(())
    }

    /// `[main]` The control is let go of. Without effect where it was not held.
    ///
    /// # Errors
    ///
    /// No such module or parameter.
    pub fn end_gesture(&mut self, module: &str, param: &str) -> Result<(), ControlError> {
        let field = self.field(module, param)?;
        self.history.end(module, field);
        Ok(())
    }

    /// `[main]` Takes the history away, for a controller that follows this one with the same rack.
    pub fn take_history(&mut self) -> History {
        std::mem::take(&mut self.history)
    }

    /// `[main]` Goes on with the history of a controller before.
    pub fn put_history(&mut self, history: History) {
        self.history = history;
    }

    /// How a setting of the module at `place` sounds now.
    pub(super) fn sounding(&self, place: usize, field: Field) -> f32 {
        let mut module = self.spec.modules[place].clone();
        self.live[place].cells.automation.overlay(&mut module);
        match field {
            Field::Param(index) => module.values[index],
            Field::Bypass => f32::from(u8::from(module.bypass)),
            Field::Mix => module.mix,
        }
    }

    /// Moves a setting, which may be structural, without a step of its own.
    pub(super) fn apply_value(
        &mut self,
        place: usize,
        field: Field,
        value: f32,
    ) -> Result<(), ControlError> {
        match field {
            Field::Param(index) => self.apply_param(place, index, value),
            Field::Bypass => self.apply_bypass(place, value > 0.5),
            Field::Mix => self.apply_mix(place, value),
        }
    }

    fn field(&self, module: &str, param: &str) -> Result<Field, ControlError> {
        let place = self.place(module)?;
        // A parameter of that name comes first.
        match (self.param(place, param), param) {
            (Ok(index), _) => Ok(Field::Param(index)),
            (Err(_), "bypass") => Ok(Field::Bypass),
            (Err(_), "mix") => Ok(Field::Mix),
            (Err(error), _) => Err(error),
        }
    }

    fn step(&mut self, direction: Direction) -> Result<Option<String>, ControlError> {
        let (from, _) = self.history.sides(direction);
        let Some(step) = from.pop() else {
            return Ok(None);
        };
        let label = self.label(&step);
        let taken = self.take_step(&step, direction);
        let (from, to) = self.history.sides(direction);
        match taken {
            Ok(()) => to.push(step),
            Err(_) => from.push(step),
        }
        self.history.close_all();
        taken.map(|()| Some(label))
    }

    fn take_step(&mut self, step: &Step, direction: Direction) -> Result<(), ControlError> {
        match step {
            Step::Value {
                module,
                field,
                before,
                after,
                ..
            } => {
                let place = self.place(module)?;
                let (to, _) = direction.ends(before, after);
                self.apply_value(place, *field, *to)
            }
            Step::Edit { before, after } => {
                let (to, from) = direction.ends(before, after);
                let target = self.keeping_the_untouched(to, from);
                self.apply_edit(&target)
            }
            Step::Load { before, after } => {
                let (to, _) = direction.ends(before, after);
                self.apply_load(to)
            }
        }
    }

    /// `to`, with the modules that the step from `from` to it did not change as they are now: events
    /// may have moved them since.
    fn keeping_the_untouched(&self, to: &RackSpec, from: &RackSpec) -> RackSpec {
        let mut target = to.clone();
        for module in &mut target.modules {
            let untouched = find(from, module).is_some_and(|other| is_same(other, module));
            if let Some(now) = find(&self.spec, module).filter(|_| untouched) {
                module.clone_from(now);
            }
        }
        target
    }

    fn label(&self, step: &Step) -> String {
        match step {
            Step::Value { module, field, .. } => {
                let name = match field {
                    Field::Bypass => "bypass",
                    Field::Mix => "mix",
                    Field::Param(index) => self
                        .spec
                        .modules
                        .iter()
                        .find(|known| known.id == *module)
                        .and_then(|known| known.kind.params.get(*index))
                        .map_or("parameter", |param| param.id),
                };
                format!("{module}.{name}")
            }
            Step::Edit { before, after } => label_of_edit(before, after),
            Step::Load { after, .. } => format!("preset `{}`", after.name),
        }
    }
}

impl History {
    pub(super) fn record_value(&mut self, module: &str, field: Field, before: f32, after: f32) {
        let held = self.is_held(module, field);
        if held && let Some(end) = self.open_step(module, field) {
            *end = after;
            self.future.clear();
            return;
        }
        if before != after {
            self.push(Step::Value {
                module: module.to_owned(),
                field,
                before,
                after,
                open: held,
            });
        }
    }

    /// Both as they sounded.
    pub(super) fn record_edit(&mut self, before: RackSpec, after: RackSpec) {
        let pairs = before.modules.iter().zip(&after.modules);
        let same_rack = before.modules.len() == after.modules.len()
            && pairs
                .into_iter()
                .all(|(a, b)| is_same(a, b) && a.id == b.id);
        if !same_rack {
            self.push(Step::Edit { before, after });
        }
    }

    pub(super) fn record_load(&mut self, before: RackSpec, after: &RackSpec) {
        let after = after.clone();
        self.push(Step::Load { before, after });
    }

    fn push(&mut self, step: Step) {
        self.future.clear();
        if self.past.len() == MAX_STEPS {
            self.past.remove(0);
        }
        self.past.push(step);
    }

    fn is_held(&self, module: &str, field: Field) -> bool {
        let mut gestures = self.gestures.iter();
        gestures.any(|(id, held)| id == module && *held == field)
    }

    /// The end of the step that a gesture has begun, if no edit of the rack came after it.
    fn open_step(&mut self, module: &str, field: Field) -> Option<&mut f32> {
        for step in self.past.iter_mut().rev() {
            match step {
                Step::Value {
                    module: id,
                    field: moved,
                    after,
                    open: true,
                    ..
                } if id == module && *moved == field => return Some(after),
                Step::Value { .. } => {}
                Step::Edit { .. } | Step::Load { .. } => return None,
            }
        }
        None
    }

    fn end(&mut self, module: &str, field: Field) {
        self.gestures
            .retain(|(id, held)| id != module || *held != field);
        // What came back to where it was taken from is nothing to undo.
        self.past.retain_mut(|step| match step {
            Step::Value {
                module: id,
                field: moved,
                before,
                after,
                open,
            } if *open && id == module && *moved == field => {
                *open = false;
                before != after
            }
            _ => true,
        });
    }

    /// What moves after this is a step of its own, held or not.
    fn close_all(&mut self) {
        for step in self.past.iter_mut().chain(&mut self.future) {
            if let Step::Value { open, .. } = step {
                *open = false;
            }
        }
    }

    /// Where a step in this direction comes from, and where it goes.
    fn sides(&mut self, direction: Direction) -> (&mut Vec<Step>, &mut Vec<Step>) {
        match direction {
            Direction::Back => (&mut self.past, &mut self.future),
            Direction::Forth => (&mut self.future, &mut self.past),
        }
    }
}

impl Direction {
    /// Where the step leads, and where it comes from.
    fn ends<T>(self, before: T, after: T) -> (T, T) {
        match self {
            Self::Back => (before, after),
            Self::Forth => (after, before),
        }
    }
}

fn find<'a>(rack: &'a RackSpec, module: &ModuleSpec) -> Option<&'a ModuleSpec> {
    let mut modules = rack.modules.iter();
    modules.find(|other| other.id == module.id && ptr::eq(other.kind, module.kind))
}

/// Whether two modules of one id have the same kind and settings.
fn is_same(a: &ModuleSpec, b: &ModuleSpec) -> bool {
    ptr::eq(a.kind, b.kind) && a.bypass == b.bypass && a.mix == b.mix && a.values == b.values
}

fn label_of_edit(before: &RackSpec, after: &RackSpec) -> String {
    let only_in = |here: &RackSpec, there: &RackSpec| {
        let missing = |id: &str| there.modules.iter().all(|other| other.id != id);
        let ids = here.modules.iter().map(|module| module.id.clone());
        ids.filter(|id| missing(id)).collect::<Vec<_>>()
    };
    let (gone, come) = (only_in(before, after), only_in(after, before));
    match (gone.as_slice(), come.as_slice()) {
        ([], []) => "order and settings".to_owned(),
        ([], come) => format!("insert {}", come.join(", ")),
        (gone, []) => format!("remove {}", gone.join(", ")),
        (gone, come) => format!("{} for {}", come.join(", "), gone.join(", ")),
    }
}
