//! A knob: an arc of three quarters of a turn.

use super::{CELL, Control, spoken};
use crate::draw;
use crate::hands::Hands;
use crate::theme::{self, Theme};
use egui::{Align2, Pos2, Rect, Response, Sense, Stroke, Ui, pos2, vec2};
use std::f32::consts::PI;

/// Points of a drag for the whole range; ten times as many with Shift.
const TRAVEL: f32 = 220.0;

/// `[main]` Draws the knob and lets it be turned.
pub(super) fn show(ui: &mut Ui, control: &Control<'_>, hands: &mut Hands) -> Response {
    let (cell, response) = ui.allocate_exact_size(CELL, Sense::click_and_drag());
    let name = &control.long_name;
    response.widget_info(|| egui::WidgetInfo::slider(true, f64::from(control.shown.value), name));
    spoken::describe(ui, &response, control);
    turn(ui, control, &response, hands);
    control.steps(ui, &response, hands);
    if response.clicked() {
        response.request_focus();
    }
    let value_rect = Rect::from_min_max(pos2(cell.min.x + 4.0, cell.max.y - 24.0), cell.max);
    let is_typed = control.typed(ui, &response, value_rect, hands);
    if ui.is_rect_visible(cell) {
        control.caption(ui, cell);
        paint(ui, control, cell, response.hovered() || response.dragged());
        if !is_typed {
            let font = theme::medium(theme::size::BODY);
            let (at, color) = (value_rect.center(), Theme::of(ui).text);
            let (word, width) = (&control.shown.text, cell.width() - 4.0);
            draw::write(
                ui.painter(),
                at,
                Align2::CENTER_CENTER,
                word,
                font,
                color,
                width,
            );
        }
        draw::focus_ring(ui, &response, cell);
    }
    control.menu(&response, hands);
    response.on_hover_text(control.hint())
}

fn turn(ui: &Ui, control: &Control<'_>, response: &Response, hands: &mut Hands) {
    // Where the drag has come to, finer than the value: a fine drag moves by less than a value's step.
    let place = response.id.with("fraction");
    if response.drag_started_by(egui::PointerButton::Primary) {
        hands.grasp(&control.target, control.shown.value);
        let fraction = control.range.fraction(control.shown.value);
        ui.data_mut(|data| data.insert_temp(place, fraction));
        response.request_focus();
    }
    if response.dragged_by(egui::PointerButton::Primary) {
        let moved = response.drag_delta();
        let fine = if ui.input(|input| input.modifiers.shift) {
            0.1
        } else {
            1.0
        };
        let by = (moved.x - moved.y) / TRAVEL * fine;
        if by != 0.0 {
            let stored = ui.data(|data| data.get_temp::<f32>(place));
            let from = stored.unwrap_or_else(|| control.range.fraction(control.shown.value));
            let fraction = (from + by).clamp(0.0, 1.0);
            ui.data_mut(|data| data.insert_temp(place, fraction));
            let value = control.range.value(fraction);
            if value != control.shown.value {
                hands.set(&control.target, value);
            }
        }
    }
    if response.drag_stopped() {
        hands.release(&control.target);
    }
}

fn paint(ui: &Ui, control: &Control<'_>, cell: Rect, lively: bool) {
    let theme = Theme::of(ui);
    let center = pos2(cell.center().x, cell.min.y + 43.0);
    let radius = 19.0;
    let painter = ui.painter();
    let fraction = control.range.fraction(control.shown.value);
    let arc = |from: f32, to: f32, stroke: Stroke| {
        let steps = ((to - from).abs() * 32.0).ceil().max(2.0) as usize;
        let at = |step: usize| {
            let fraction = from + (to - from) * step as f32 / steps as f32;
            on_circle(center, radius, fraction)
        };
        draw::polyline(painter, (0..=steps).map(at), stroke);
    };
    arc(0.0, 1.0, Stroke::new(4.0, theme.line));
    let origin = control.range.origin();
    if (fraction - origin).abs() > 0.002 {
        let (from, to) = (origin.min(fraction), origin.max(fraction));
        arc(from, to, Stroke::new(4.0, theme.set));
    }
    let body = if lively { theme.line } else { theme.raised };
    painter.circle_filled(center, radius - 5.0, body);
    let tip = on_circle(center, radius - 5.5, fraction);
    let foot = on_circle(center, radius - 12.0, fraction);
    painter.line_segment([foot, tip], Stroke::new(2.5, theme.text));
    if origin > 0.0 {
        // The middle of what goes both ways.
        let mark = on_circle(center, radius + 4.5, origin);
        painter.circle_filled(mark, 1.5, theme.dim);
    }
}

/// A place on the knob's circle: 0 at seven o'clock, 1 at five.
fn on_circle(center: Pos2, radius: f32, fraction: f32) -> Pos2 {
    let angle = PI * (0.75 + 1.5 * fraction);
    center + vec2(angle.cos(), angle.sin()) * radius
}
