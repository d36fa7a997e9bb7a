//! Typing a value into a control.

use crate::theme;
use egui::{Id, Key, Rect, Ui};

/// What has been typed so far, kept while the field is open.
#[derive(Debug, Clone)]
struct Typed {
    text: String,
    fresh: bool,
}

/// What became of it.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Nobody types.
    Closed,
    /// The field is open.
    Open,
    /// It was finished with this text.
    Done(String),
}

fn key(control: Id) -> Id {
    control.with("typed")
}

/// `[main]` Opens the field over `control`.
pub(crate) fn begin(ui: &Ui, control: Id, text: &str) {
    let typed = Typed {
        text: text.to_owned(),
        fresh: true,
    };
    ui.data_mut(|data| data.insert_temp(key(control), typed));
}

/// `[main]` Enter or a digit on a control that has the keyboard opens the field.
pub(crate) fn begin_by_key(ui: &Ui, control: Id, shown: &str) {
    let typed = ui.input(|input| {
        if input.key_pressed(Key::Enter) {
            return Some(shown.to_owned());
        }
        input.events.iter().find_map(|event| match event {
            egui::Event::Text(text)
                if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') =>
            {
                Some(text.clone())
            }
            _ => None,
        })
    });
    if let Some(text) = typed {
        let whole = text == shown;
        let typed = Typed { text, fresh: true };
        ui.data_mut(|data| data.insert_temp(key(control), typed));
        ui.data_mut(|data| data.insert_temp(key(control).with("whole"), whole));
    }
}

/// `[main]` Draws the field in `rect` while it is open.
pub(crate) fn show(ui: &mut Ui, control: Id, rect: Rect, name: &str) -> Outcome {
    let stored = ui.data(|data| data.get_temp::<Typed>(key(control)));
    let Some(mut typed) = stored else {
        return Outcome::Closed;
    };
    let id = control.with("field");
    let edit = egui::TextEdit::singleline(&mut typed.text)
        .id(id)
        .font(theme::regular(theme::size::BODY))
        .align(egui::Align2::CENTER_CENTER)
        .char_limit(32)
        .margin(egui::Margin::symmetric(2, 2))
        .desired_width(rect.width());
    let response = ui.put(rect, edit);
    response.widget_info(|| {
        egui::WidgetInfo::labeled(
            egui::accesskit::Role::TextInput,
            true,
            format!("{name} value"),
        )
    });
    if typed.fresh {
        response.request_focus();
        let whole = ui
            .data(|data| data.get_temp(key(control).with("whole")))
            .unwrap_or(true);
        let mut state = egui::TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
        let end = egui::text::CCursor::new(typed.text.chars().count());
        let start = if whole {
            egui::text::CCursor::new(0)
        } else {
            end
        };
        let range = egui::text::CCursorRange::two(start, end);
        state.cursor.set_char_range(Some(range));
        state.store(ui.ctx(), id);
        typed.fresh = false;
        ui.data_mut(|data| data.insert_temp(key(control), typed));
        return Outcome::Open;
    }
    let close = |ui: &Ui| ui.data_mut(|data| data.remove::<Typed>(key(control)));
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        close(ui);
        ui.memory_mut(|memory| memory.request_focus(control));
        return Outcome::Closed;
    }
    if response.lost_focus() {
        close(ui);
        if ui.input(|input| input.key_pressed(Key::Enter)) {
            ui.memory_mut(|memory| memory.request_focus(control));
        }
        return Outcome::Done(typed.text);
    }
    ui.data_mut(|data| data.insert_temp(key(control), typed));
    Outcome::Open
}
