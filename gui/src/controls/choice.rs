//! A choice: what is chosen on a button that opens a list.

use super::{CELL, Control, spoken};
use crate::hands::Hands;
use crate::theme::{self, Theme};
use crate::{draw, text};
use egui::{Align2, Popup, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// Lists longer than this are not drawn to their end.
const MAX_ITEMS: usize = 100;

/// `[main]` Draws the choice and lets another be chosen.
pub(super) fn show(ui: &mut Ui, control: &Control<'_>, hands: &mut Hands) -> Response {
    let (cell, response) =
        ui.allocate_exact_size(vec2(super::width(control.param), CELL.y), Sense::click());
    let role = egui::accesskit::Role::ComboBox;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &control.long_name));
    spoken::describe(ui, &response, control);
    control.steps(ui, &response, hands);
    if ui.is_rect_visible(cell) {
        control.caption(ui, cell);
        paint(ui, control, cell, response.hovered());
        draw::focus_ring(ui, &response, cell);
    }
    let chosen = control.shown.value as usize;
    // An id of its own: the menu of the right button has that of the response.
    Popup::menu(&response)
        .id(response.id.with("list"))
        .width(150.0)
        .show(|ui| {
            let count = (control.range.high() as usize + 1).min(MAX_ITEMS);
            egui::ScrollArea::vertical()
                .max_height(280.0)
                .show(ui, |ui| {
                    for index in 0..count {
                        let label = text::label(control.param, index as f32);
                        let word = if index == chosen {
                            format!("\u{2022} {label}")
                        } else {
                            format!("   {label}")
                        };
                        let item = egui::Button::selectable(index == chosen, word);
                        let item = ui.add(item);
                        if item.clicked() {
                            control.set_once(hands, index as f32);
                            ui.close();
                        }
                    }
                });
        });
    control.menu(&response, hands);
    response.on_hover_text(control.hint())
}

fn paint(ui: &Ui, control: &Control<'_>, cell: Rect, hovered: bool) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let button = Rect::from_center_size(
        pos2(cell.center().x, cell.min.y + 43.0),
        vec2(cell.width() - 8.0, 32.0),
    );
    let edge = if hovered { theme.dim } else { theme.line };
    let radius = f32::from(theme::SMALL_RADIUS);
    let stroke = Stroke::new(1.0, edge);
    painter.rect(button, radius, theme.raised, stroke, StrokeKind::Inside);
    let font = theme::medium(theme::size::BODY);
    let width = button.width() - 28.0;
    let at = button.left_center() + vec2(8.0, 0.0);
    draw::write(
        painter,
        at,
        Align2::LEFT_CENTER,
        &control.shown.text,
        font,
        theme.text,
        width,
    );
    let tip = button.right_center() + vec2(-12.0, 2.5);
    let stroke = Stroke::new(1.5, theme.dim);
    painter.line_segment([tip + vec2(-4.0, -4.5), tip], stroke);
    painter.line_segment([tip, tip + vec2(4.0, -4.5)], stroke);
    // How many there are, and which it is.
    let count = control.range.high() - control.range.low() + 1.0;
    if count <= 12.0 {
        let step = 8.0;
        let left = cell.center().x - step * (count - 1.0) / 2.0;
        for index in 0..count as usize {
            let at = pos2(left + step * index as f32, cell.max.y - 14.0);
            if index as f32 == control.shown.value {
                painter.circle_filled(at, 2.5, theme.set);
            } else {
                painter.circle_filled(at, 1.5, theme.line);
            }
        }
    }
}
