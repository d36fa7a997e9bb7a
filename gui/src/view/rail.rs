//! The rail: five pages, and the panic button, always at the same place and never covered.

use super::{Page, Screen};
use crate::draw;
use crate::hands::Hands;
use crate::icon::{self, Icon};
use crate::model::Picture;
use crate::theme::{self, Theme, faint, size, space};
use egui::{Align2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::Command;

/// How wide it is.
pub(super) const WIDTH: f32 = 76.0;

const PAGES: [(Page, Icon, &str, &str); 5] = [
    (Page::Rack, Icon::Rack, "Rack", "F1"),
    (Page::Meters, Icon::Meters, "Meters", "F2"),
    (Page::Health, Icon::Health, "Health", "F3"),
    (Page::Presets, Icon::Presets, "Presets", "F4"),
    (Page::Device, Icon::Device, "Device", "F5"),
];

/// `[main]` Draws the rail.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
) {
    let theme = Theme::of(ui);
    let height = ((rect.height() - 100.0) / 5.0).clamp(40.0, 64.0);
    for (index, (page, icon, word, key)) in PAGES.into_iter().enumerate() {
        let item = Rect::from_min_size(
            pos2(rect.min.x + 4.0, rect.min.y + 4.0 + index as f32 * height),
            vec2(rect.width() - 8.0, height - 4.0),
        );
        let response = ui.interact(item, ui.scope_id().with(word), Sense::click());
        let on = screen.page == page;
        let role = egui::accesskit::Role::Tab;
        response.widget_info(|| egui::WidgetInfo::selected(role, true, on, word));
        if response.clicked() {
            screen.page = page;
        }
        let painter = ui.painter();
        let radius = f32::from(theme::RADIUS);
        if on {
            painter.rect_filled(item, radius, theme.raised);
            // The mark at the edge says it without colour.
            let mark = Rect::from_min_max(item.min, pos2(item.min.x + 3.0, item.max.y));
            painter.rect_filled(mark.shrink2(vec2(0.0, 8.0)), 1.5, theme.text);
        } else if response.hovered() {
            painter.rect_filled(item, radius, theme.panel);
        }
        let color = if on { theme.text } else { theme.dim };
        let at = pos2(item.center().x, item.center().y - 8.0);
        icon::draw(painter, icon::square(at, 20.0), icon, color);
        let at = pos2(item.center().x, item.max.y - 4.0);
        let font = theme::medium(size::SMALL);
        draw::write(painter, at, Align2::CENTER_BOTTOM, word, font, color, WIDTH);
        let alarm = page == Page::Health && super::health::is_violated(picture);
        if alarm {
            let at = item.right_top() + vec2(-14.0, 12.0);
            painter.circle_filled(at, 8.0, theme.wrong);
            let font = theme::strong(size::SMALL);
            painter.text(at, Align2::CENTER_CENTER, "!", font, theme.on_hue);
        }
        draw::focus_ring(ui, &response, item);
        response.on_hover_text(format!("{word} ({key})"));
    }
    panic_button(ui, rect, picture, hands);
}

fn panic_button(ui: &mut Ui, rect: Rect, picture: &Picture, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let enabled = picture.has_rack();
    let on = enabled && picture.description.panic;
    let button = Rect::from_min_max(
        pos2(rect.min.x + 6.0, rect.max.y - 82.0),
        pos2(rect.max.x - 2.0, rect.max.y - 6.0),
    );
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(button, ui.scope_id().with("panic"), sense);
    let role = egui::accesskit::Role::Button;
    response.widget_info(|| egui::WidgetInfo::selected(role, enabled, on, "Panic"));
    // On the press, not on the release: whoever needs silence does not wait for their own finger.
    let pressed =
        response.is_pointer_button_down_on() && ui.input(|input| input.pointer.primary_pressed());
    if pressed || (response.clicked() && !ui.input(|input| input.pointer.primary_released())) {
        hands.act(Command::Panic { on: !on });
    }
    let painter = ui.painter();
    let radius = f32::from(theme::RADIUS);
    let (fill, text) = if !enabled {
        (theme.raised, faint(theme.dim, 0.5))
    } else if on {
        (theme.wrong, theme.on_hue)
    } else if response.hovered() {
        (faint(theme.wrong, 0.3), theme.text)
    } else {
        (faint(theme.wrong, 0.14), theme.wrong)
    };
    let edge = if enabled { theme.wrong } else { theme.line };
    let stroke = Stroke::new(2.0, edge);
    painter.rect(button, radius, fill, stroke, StrokeKind::Inside);
    let (word, below) = if on {
        ("RESUME", "silent")
    } else {
        ("PANIC", "key P")
    };
    let width = button.width() - space::TINY;
    let font = theme::strong(size::BODY);
    let at = button.center() - vec2(0.0, 7.0);
    draw::write(painter, at, Align2::CENTER_CENTER, word, font, text, width);
    let at = button.center() + vec2(0.0, 13.0);
    let font = theme::regular(size::SMALL);
    draw::write(painter, at, Align2::CENTER_CENTER, below, font, text, width);
    draw::focus_ring(ui, &response, button);
    response.on_hover_text("Silence at once, and nothing of it afterwards (P)");
}
