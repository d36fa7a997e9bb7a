//! One control for each kind of parameter: a knob, a choice, a switch. All of them can be dragged or
//! clicked, turned by the wheel, reset by a double-click, typed into, and reached by the keyboard.

mod choice;
mod knob;
mod spoken;
mod switch;
pub(crate) mod typing;

use crate::hands::Hands;
use crate::model::{Picture, Shown, target};
use crate::range::Range;
use crate::{draw, text, theme};
use egui::{Align2, Id, Key, Modifiers, Rect, Response, Stroke, StrokeKind, Ui, Vec2, vec2};
use headroom_ipc::board::{KindInfo, ModuleInfo, ParamInfo};
use headroom_ipc::{Command, Walk};

/// How large a control is, caption and value included.
pub const CELL: Vec2 = vec2(80.0, 86.0);

/// `[any]` How wide the control of `param` is: a choice needs room for words.
pub(crate) fn width(param: &ParamInfo) -> f32 {
    match param.walk {
        Walk::Choice => CELL.x + 28.0,
        Walk::Linear | Walk::Log | Walk::Switch => CELL.x,
    }
}

/// Something that can be set.
#[derive(Debug)]
pub struct Control<'a> {
    /// What commands call it.
    pub target: String,
    /// For people, short: `Threshold`.
    pub name: &'a str,
    /// For a screen reader, long: `Compressor Threshold`.
    pub long_name: String,
    /// How it is walked.
    pub range: Range,
    /// What it shows.
    pub shown: Shown,
    /// Its row in the table.
    pub param: &'a ParamInfo,
    /// What MIDI moves it, in words.
    pub bound: Option<String>,
    /// It waits for a controller to be moved.
    pub learning: bool,
    /// Controllers are learned here, not by a plugin's host.
    pub learns: bool,
}

impl<'a> Control<'a> {
    /// `[main]` The control of parameter `index` of `module`.
    pub fn new(
        picture: &Picture,
        hands: &Hands,
        module: &ModuleInfo,
        kind: &'a KindInfo,
        index: usize,
    ) -> Option<Self> {
        let param = kind.params.get(index)?;
        let target = target(module, &param.id);
        let bindings = &picture.description.bindings;
        let bound = bindings.iter().find(|(name, _)| *name == target);
        Some(Self {
            name: text::cut(&param.name),
            long_name: format!("{} {}", text::cut(&kind.name), text::cut(&param.name)),
            range: Range::of(param),
            shown: picture.param(hands, module, param, index),
            param,
            bound: bound.map(|(_, by)| by.clone()),
            learning: picture.description.learning.as_deref() == Some(target.as_str()),
            learns: !picture.is_in_host(),
            target,
        })
    }

    /// `[main]` The mix of `module`; `param` is [`mix_param`]'s.
    pub(crate) fn mix(
        picture: &Picture,
        hands: &Hands,
        module: &ModuleInfo,
        param: &'a ParamInfo,
    ) -> Self {
        let target = target(module, &param.id);
        let value = picture.mix(hands, module);
        let bindings = &picture.description.bindings;
        let bound = bindings.iter().find(|(name, _)| *name == target);
        let text = text::format(param, value);
        Self {
            name: &param.name,
            long_name: param.name.clone(),
            range: Range::of(param),
            shown: Shown { value, text },
            param,
            bound: bound.map(|(_, by)| by.clone()),
            learning: picture.description.learning.as_deref() == Some(target.as_str()),
            learns: !picture.is_in_host(),
            target,
        }
    }

    /// `[main]` Draws it and lets it be moved.
    pub fn show(self, ui: &mut Ui, hands: &mut Hands) -> Response {
        let response = match self.param.walk {
            Walk::Linear | Walk::Log => knob::show(ui, &self, hands),
            Walk::Choice => choice::show(ui, &self, hands),
            Walk::Switch => switch::show(ui, &self, hands),
        };
        self.remember(ui, &response);
        response
    }

    /// `[main]` What all controls have in common, for one that is drawn elsewhere: wheel, keys, double-click.
    pub(crate) fn keep_up(&self, ui: &Ui, response: &Response, hands: &mut Hands) {
        spoken::describe(ui, response, self);
        self.steps(ui, response, hands);
        self.remember(ui, response);
    }

    /// `[main]` Lets a value be typed in `rect`; says whether somebody does.
    pub(crate) fn typed(
        &self,
        ui: &mut Ui,
        response: &Response,
        rect: Rect,
        hands: &mut Hands,
    ) -> bool {
        if response.has_focus() {
            typing::begin_by_key(ui, response.id, &self.shown.text);
        }
        let outcome = typing::show(ui, response.id, rect, &self.long_name);
        if let typing::Outcome::Done(typed) = &outcome
            && let Some(value) = text::parse(self.param, typed)
        {
            self.set_once(hands, value);
        }
        outcome == typing::Outcome::Open
    }

    /// That it was touched; and that it waits for a controller.
    fn remember(&self, ui: &Ui, response: &Response) {
        if response.has_focus() || response.clicked() || response.dragged() {
            let target = self.target.clone();
            ui.data_mut(|data| data.insert_temp(chosen_id(), target));
        }
        if self.learning {
            let colors = theme::Theme::of(ui);
            let stroke = Stroke::new(2.0, colors.set);
            let radius = f32::from(theme::SMALL_RADIUS);
            let rect = response.rect.shrink(1.0);
            ui.painter()
                .rect_stroke(rect, radius, stroke, StrokeKind::Inside);
        }
    }

    fn learn(&self, hands: &mut Hands) {
        hands.act(Command::Learn {
            target: self.target.clone(),
            on: !self.learning,
        });
    }

    /// Sets it once: a gesture by itself.
    fn set_once(&self, hands: &mut Hands, value: f32) {
        let value = self.range.clamp(value);
        if value == self.shown.value {
            return;
        }
        hands.grasp(&self.target, self.shown.value);
        hands.set(&self.target, value);
        hands.release(&self.target);
    }

    /// What the wheel over it and the keyboard on it do.
    fn steps(&self, ui: &Ui, response: &Response, hands: &mut Hands) {
        let mut steps = 0.0;
        if response.hovered() {
            steps += wheel(ui);
        }
        if response.has_focus() {
            steps += keys(ui, response);
            let input = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
            if input(Key::Home) {
                self.set_once(hands, self.range.low());
            }
            if input(Key::End) {
                self.set_once(hands, self.range.high());
            }
            if self.learns && input(Key::L) {
                self.learn(hands);
            }
            if input(Key::Delete) || input(Key::Backspace) {
                self.set_once(hands, self.range.default());
            }
        }
        steps += spoken::steps(ui, response.id);
        if let Some(value) = spoken::value(ui, response.id) {
            self.set_once(hands, value);
        }
        if steps != 0.0 {
            self.set_once(hands, self.range.step(self.shown.value, steps));
        }
        if response.double_clicked() {
            self.set_once(hands, self.range.default());
        }
    }

    pub(crate) fn menu(&self, response: &Response, hands: &mut Hands) {
        response.context_menu(|ui| {
            if ui.button("Back to default").clicked() {
                self.set_once(hands, self.range.default());
                ui.close();
            }
            if ui.button("Type a value").clicked() {
                typing::begin(ui, response.id, &self.shown.text);
                ui.close();
            }
            let word = if self.learning {
                "Stop learning MIDI"
            } else {
                "Learn MIDI"
            };
            if self.learns && ui.button(word).clicked() {
                self.learn(hands);
                ui.close();
            }
            if let Some(by) = &self.bound
                && ui.button(format!("Forget {}", text::cut(by))).clicked()
            {
                hands.act(Command::Unlearn {
                    target: self.target.clone(),
                });
                ui.close();
            }
        });
    }

    /// Name at the top of `cell`, with a mark where MIDI moves it.
    fn caption(&self, ui: &Ui, cell: Rect) {
        let colors = theme::Theme::of(ui);
        let mut name = String::new();
        let mut letters = self.name.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
        let (word, color) = if self.learning {
            ("move it now", colors.set)
        } else {
            (name.as_str(), colors.dim)
        };
        let font = theme::regular(theme::size::SMALL);
        let at = cell.center_top() + vec2(0.0, 2.0);
        let width = cell.width() + 2.0;
        let word = draw::ending(ui.painter(), word, &font, width);
        let written = draw::write(
            ui.painter(),
            at,
            Align2::CENTER_TOP,
            &word,
            font,
            color,
            width,
        );
        if self.bound.is_some() {
            // A small diamond: a controller moves it too.
            let at = written.right_center() + vec2(4.0, 0.0);
            let points = [
                vec2(0.0, -3.0),
                vec2(3.0, 0.0),
                vec2(0.0, 3.0),
                vec2(-3.0, 0.0),
            ];
            let points = points.map(|away| at + away).to_vec();
            let shape = egui::Shape::convex_polygon(points, colors.set, egui::Stroke::NONE);
            ui.painter().add(shape);
        }
    }

    pub(crate) fn hint(&self) -> String {
        let mut hint = self.name.to_owned();
        hint.push_str("\nShift: fine; double-click: default; Enter: type");
        if self.param.structural {
            hint.push_str("\nChanging it rebuilds the module");
        }
        match &self.bound {
            Some(by) => hint.push_str(&format!("\nMIDI: {} (L: another)", text::cut(by))),
            None => hint.push_str("\nL: learn a MIDI controller"),
        }
        hint
    }
}

/// `[any]` A row such as a module's table would have for its mix.
pub(crate) fn mix_param() -> ParamInfo {
    ParamInfo {
        id: "mix".to_owned(),
        name: "Mix".to_owned(),
        unit: "%".to_owned(),
        min: 0.0,
        max: 1.0,
        default: 1.0,
        walk: Walk::Linear,
        labels: Vec::new(),
        structural: false,
    }
}

fn chosen_id() -> Id {
    Id::unique("the control that was touched last")
}

/// `[main]` What the control that was touched last is called.
pub(crate) fn chosen(ui: &Ui) -> Option<String> {
    ui.data(|data| data.get_temp(chosen_id()))
}

/// Steps of the wheel, taken so that nothing scrolls; Shift makes them fine.
pub(crate) fn wheel(ui: &Ui) -> f32 {
    ui.input_mut(|input| {
        let mut steps = 0.0;
        for event in &input.events {
            if let egui::Event::MouseWheel { unit, delta, .. } = event {
                // With Shift some systems turn the wheel sideways.
                let moved = if delta.y == 0.0 { delta.x } else { delta.y };
                steps += match unit {
                    egui::MouseWheelUnit::Point => moved / 25.0,
                    egui::MouseWheelUnit::Line => moved * 2.0,
                    egui::MouseWheelUnit::Page => moved * 10.0,
                };
            }
        }
        if input.smooth_scroll_delta() != Vec2::ZERO {
            input.smooth_scroll_delta = Vec2::ZERO;
        }
        if input.modifiers.shift {
            steps * 0.1
        } else {
            steps
        }
    })
}

/// Steps of the arrows on what has the keyboard.
pub(crate) fn keys(ui: &Ui, response: &Response) -> f32 {
    ui.memory_mut(|memory| {
        memory.set_focus_lock_filter(
            response.id,
            egui::EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..Default::default()
            },
        );
    });
    ui.input_mut(|input| {
        let mut steps = 0.0;
        for (modifiers, size) in [(Modifiers::NONE, 1.0), (Modifiers::SHIFT, 0.1)] {
            let mut count = |key| input.count_and_consume_key(modifiers, key) as f32 * size;
            steps += count(Key::ArrowUp) + count(Key::ArrowRight);
            steps -= count(Key::ArrowDown) + count(Key::ArrowLeft);
            steps += 10.0 * (count(Key::PageUp) - count(Key::PageDown));
        }
        steps
    })
}
