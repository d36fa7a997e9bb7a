//! What was done at the screen, and can be undone. It stays when the editor is closed. What the host does
//! (automation, a loaded project) is its own to undo.

use headroom_engine::MAX_STEPS;
use headroom_engine::preset::RackSpec;

use crate::parameters::Parameters;
use crate::rows::Row;

/// One step.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One control was moved.
    Value {
        row: usize,
        before: f32,
        after: f32,
        /// It is still held.
        is_open: bool,
    },
    /// Modules came, went or changed places, or all of them are others.
    Rack {
        label: String,
        before: Box<Whole>,
        after: Box<Whole>,
    },
}

/// All that the parameters stand at: also what a module that is out does, which the host keeps too.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) rack: RackSpec,
    /// By their rows.
    pub(crate) values: Box<[f32]>,
    /// The name by which its preset is loaded again.
    pub(crate) preset: String,
}

impl Step {
    fn label(&self, parameters: &Parameters) -> String {
        match self {
            Self::Value { row, .. } => {
                let row: &Row = &parameters.rows()[*row];
                row.id.clone()
            }
            Self::Rack { label, .. } => label.clone(),
        }
    }
}

/// Steps back and forth, and the two racks that are compared.
#[derive(Debug, Default)]
pub(crate) struct Past {
    back: Vec<Step>,
    forth: Vec<Step>,
    held: Vec<usize>,
    /// Which of the two plays: 0 is A.
    pub(crate) compared: u8,
    /// The other one, once there is one.
    pub(crate) other: Option<Whole>,
}

impl Past {
    /// `[main]` A control is taken hold of: until it is let go, all that moves it is one step.
    pub(crate) fn begin(&mut self, row: usize) {
        if !self.is_held(row) {
            self.held.push(row);
        }
    }

    /// `[main]` Whether it is held.
    pub(crate) fn is_held(&self, row: usize) -> bool {
        self.held.contains(&row)
    }

    /// `[main]` It is let go of; whether it was held.
    pub(crate) fn end(&mut self, row: usize) -> bool {
        let was_held = self.is_held(row);
        self.held.retain(|held| *held != row);
        // What came back to where it was taken from is nothing to undo.
        self.back.retain_mut(|step| match step {
            Step::Value {
                row: moved,
                before,
                after,
                is_open,
            } if *is_open && *moved == row => {
                *is_open = false;
                before != after
            }
            _ => true,
        });
        was_held
    }

    /// `[main]` Lets go of all; which they were. Whoever held them is gone.
    pub(crate) fn let_go(&mut self) -> Vec<usize> {
        let held = self.held.clone();
        for row in &held {
            self.end(*row);
        }
        held
    }

    /// `[main]` A control was moved.
    pub(crate) fn moved(&mut self, row: usize, before: f32, after: f32) {
        let is_open = self.is_held(row);
        let open = self.back.iter_mut().rev().find_map(|step| match step {
            Step::Value {
                row: moved,
                after,
                is_open: true,
                ..
            } if *moved == row => Some(after),
            _ => None,
        });
        match open {
            Some(end) if is_open => {
                *end = after;
                self.forth.clear();
            }
            _ if before != after => self.push(Step::Value {
                row,
                before,
                after,
                is_open,
            }),
            _ => {}
        }
    }

    /// `[main]` The rack is another one.
    pub(crate) fn changed(&mut self, label: String, before: Whole, after: Whole) {
        self.push(Step::Rack {
            label,
            before: Box::new(before),
            after: Box::new(after),
        });
    }

    fn push(&mut self, step: Step) {
        self.forth.clear();
        if self.back.len() == MAX_STEPS {
            self.back.remove(0);
        }
        self.back.push(step);
    }

    /// `[main]` The last step back, which is one forth from now on.
    pub(crate) fn undo(&mut self, parameters: &Parameters) -> Option<(String, Step)> {
        // What moves after this is a step of its own, held or not.
        for step in &mut self.back {
            if let Step::Value { is_open, .. } = step {
                *is_open = false;
            }
        }
        let step = self.back.pop()?;
        self.forth.push(step.clone());
        Some((step.label(parameters), step))
    }

    /// `[main]` The step that was taken back last.
    pub(crate) fn redo(&mut self, parameters: &Parameters) -> Option<(String, Step)> {
        let step = self.forth.pop()?;
        self.back.push(step.clone());
        Some((step.label(parameters), step))
    }

    /// `[main]` What undo would take back, and redo again, in words.
    pub(crate) fn labels(&self, parameters: &Parameters) -> (Option<String>, Option<String>) {
        let label = |step: &Step| step.label(parameters);
        (self.back.last().map(label), self.forth.last().map(label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(step: &Step) -> (f32, f32) {
        match step {
            Step::Value { before, after, .. } => (*before, *after),
            Step::Rack { .. } => panic!("a value was moved"),
        }
    }

    #[test]
    fn a_gesture_is_one_step_and_what_comes_back_is_none() {
        let parameters = Parameters::new(headroom_engine::Catalog::builtin());
        let mut past = Past::default();
        past.begin(3);
        past.moved(3, 0.1, 0.2);
        past.moved(3, 0.2, 0.7);
        assert!(past.end(3));
        assert!(!past.end(3), "it was let go of");
        past.begin(3);
        past.moved(3, 0.7, 0.2);
        past.moved(3, 0.2, 0.7);
        past.end(3);
        let (_, step) = past.undo(&parameters).unwrap();
        assert_eq!(ends(&step), (0.1, 0.7));
        assert!(past.undo(&parameters).is_none());
        let (_, step) = past.redo(&parameters).unwrap();
        assert_eq!(ends(&step), (0.1, 0.7));
    }

    #[test]
    fn two_hands_at_once_are_two_steps() {
        let parameters = Parameters::new(headroom_engine::Catalog::builtin());
        let mut past = Past::default();
        past.begin(3);
        past.begin(4);
        past.moved(3, 0.0, 0.5);
        past.moved(4, 1.0, 0.5);
        past.moved(3, 0.5, 0.6);
        past.end(4);
        past.moved(3, 0.6, 0.9);
        past.end(3);
        assert_eq!(ends(&past.undo(&parameters).unwrap().1), (1.0, 0.5));
        assert_eq!(ends(&past.undo(&parameters).unwrap().1), (0.0, 0.9));
    }

    #[test]
    fn what_is_done_anew_cannot_be_redone_and_the_oldest_goes() {
        let parameters = Parameters::new(headroom_engine::Catalog::builtin());
        let mut past = Past::default();
        for step in 0..=MAX_STEPS {
            past.moved(3, step as f32, step as f32 + 1.0);
        }
        past.undo(&parameters).unwrap();
        past.moved(3, 0.0, 0.5);
        assert!(past.redo(&parameters).is_none());
        let mut steps = 0;
        let mut oldest = None;
        while let Some((_, step)) = past.undo(&parameters) {
            oldest = Some(ends(&step));
            steps += 1;
        }
        assert_eq!((steps, oldest), (MAX_STEPS, Some((1.0, 2.0))));
    }
}
