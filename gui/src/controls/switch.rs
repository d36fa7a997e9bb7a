//! A switch: a pill with a bead, and the word.

use super::{CELL, Control};
use crate::draw;
use crate::hands::Hands;
use crate::theme::{self, Theme};
use egui::{Align2, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

/// `[main]` Draws the switch and lets it be thrown.
pub(super) fn show(ui: &mut Ui, control: &Control<'_>, hands: &mut Hands) -> Response {
    let (cell, response) = ui.allocate_exact_size(CELL, Sense::click());
    let on = control.shown.value > 0.5;
    let role = egui::accesskit::Role::Switch;
    response.widget_info(|| egui::WidgetInfo::selected(role, true, on, &control.long_name));
    if response.clicked() {
        control.set_once(hands, if on { 0.0 } else { 1.0 });
    } else if !response.double_clicked() {
        control.steps(ui, &response, hands);
    }
    if ui.is_rect_visible(cell) {
        let theme = Theme::of(ui);
        control.caption(ui, cell);
        let center = pos2(cell.center().x, cell.min.y + 43.0);
        let pill = Rect::from_center_size(center, vec2(46.0, 24.0));
        paint(ui, pill, on, response.hovered());
        let (word, color) = if on {
            ("On", theme.text)
        } else {
            ("Off", theme.dim)
        };
        let at = pos2(cell.center().x, cell.max.y - 12.0);
        let font = theme::medium(theme::size::BODY);
        draw::write(
            ui.painter(),
            at,
            Align2::CENTER_CENTER,
            word,
            font,
            color,
            cell.width(),
        );
        draw::focus_ring(ui, &response, cell);
    }
    control.menu(&response, hands);
    response.on_hover_text(control.hint())
}

fn paint(ui: &Ui, pill: Rect, on: bool, hovered: bool) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let (fill, edge) = if on {
        (theme.set, theme.set)
    } else {
        (theme.raised, theme.dim)
    };
    let edge = if hovered { theme.text } else { edge };
    let stroke = Stroke::new(1.5, edge);
    painter.rect(pill, 12.0, fill, stroke, StrokeKind::Inside);
    let x = if on {
        pill.max.x - 12.0
    } else {
        pill.min.x + 12.0
    };
    let bead = pos2(x, pill.center().y);
    let color = if on { theme.on_hue } else { theme.dim };
    painter.circle_filled(bead, 7.0, color);
}
