//! A control in words, for a screen reader: between which ends it is, what it shows, what can be done to it; and
//! what is done.

use super::Control;
use egui::accesskit::{Action, ActionData, ActionRequest};
use egui::{Id, Response, Ui};

/// `[main]` Says how `control` stands and what can be done to it.
pub(super) fn describe(ui: &Ui, response: &Response, control: &Control<'_>) {
    let range = control.range;
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_numeric_value(f64::from(control.shown.value));
        node.set_min_numeric_value(f64::from(range.low()));
        node.set_max_numeric_value(f64::from(range.high()));
        node.set_value(control.shown.text.as_str());
        // Linux's protocol carries a control's number without a word for it: no unit, no name of a choice.
        if cfg!(target_os = "linux") {
            node.set_description(control.shown.text.as_str());
        }
        for action in [Action::Increment, Action::Decrement, Action::SetValue] {
            node.add_action(action);
        }
    });
}

/// `[main]` By how many steps a reader moves the control `id`.
pub(super) fn steps(ui: &Ui, id: Id) -> f32 {
    ui.input(|input| {
        let count = |action| input.num_accesskit_action_requests(id, action) as f32;
        count(Action::Increment) - count(Action::Decrement)
    })
}

/// `[main]` The value that a reader sets the control `id` to.
pub(super) fn value(ui: &Ui, id: Id) -> Option<f32> {
    let value = |request: &ActionRequest| match request.data {
        Some(ActionData::NumericValue(value)) => Some(value as f32),
        _ => None,
    };
    ui.input(|input| {
        let requests = input.accesskit_action_requests(id, Action::SetValue);
        let values = requests.filter_map(value);
        values.filter(|value| value.is_finite()).last()
    })
}
