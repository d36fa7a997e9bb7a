//! The button at the end of the chain, and the list of what can be added, with its search.

use super::Screen;
use super::chain::HEIGHT;
use crate::draw;
use crate::hands::Hands;
use crate::model::{MAX_MODULES, Picture};
use crate::text::cut;
use crate::theme::{self, Theme, size};
use egui::{Align2, Key, Popup, Response, Sense, Stroke, StrokeKind, Ui, vec2};
use headroom_ipc::Command;
use headroom_ipc::board::KindInfo;

/// How wide the button is.
pub(super) const WIDTH: f32 = 72.0;

/// `[main]` Draws the button, and the list while it is open.
pub(super) fn show(ui: &mut Ui, screen: &mut Screen, picture: &Picture, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HEIGHT - 10.0), Sense::click());
    let role = egui::accesskit::Role::Button;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, "Add a module"));
    let painter = ui.painter();
    let color = if response.hovered() {
        theme.text
    } else {
        theme.dim
    };
    let radius = f32::from(theme::RADIUS);
    let stroke = Stroke::new(
        1.0,
        if response.hovered() {
            theme.dim
        } else {
            theme.line
        },
    );
    painter.rect_stroke(rect, radius, stroke, StrokeKind::Inside);
    let at = rect.center() - vec2(0.0, 10.0);
    let stroke = Stroke::new(2.5, color);
    painter.line_segment([at - vec2(9.0, 0.0), at + vec2(9.0, 0.0)], stroke);
    painter.line_segment([at - vec2(0.0, 9.0), at + vec2(0.0, 9.0)], stroke);
    let font = theme::medium(size::SMALL);
    let at = rect.center() + vec2(0.0, 18.0);
    draw::write(
        painter,
        at,
        Align2::CENTER_CENTER,
        "Add",
        font,
        color,
        rect.width(),
    );
    draw::focus_ring(ui, &response, rect);
    if response.clicked() {
        screen.chain.search.clear();
    }
    let count = picture.description.modules.len().min(MAX_MODULES);
    let behind = screen
        .selected(picture)
        .map_or(count, |(place, _)| place + 1);
    Popup::menu(&response)
        .width(280.0)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            let search = egui::TextEdit::singleline(&mut screen.chain.search)
                .hint_text("Search modules")
                .char_limit(60)
                .margin(egui::Margin::symmetric(8, 6))
                .desired_width(f32::INFINITY);
            let field = ui.add(search);
            if response.clicked() {
                field.request_focus();
            }
            let wanted = screen.chain.search.to_lowercase();
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let mut first = true;
            egui::ScrollArea::vertical()
                .max_height(260.0)
                .show(ui, |ui| {
                    for kind in picture.description.kinds.iter().take(256) {
                        let found = [&kind.id, &kind.name, &kind.about]
                            .into_iter()
                            .any(|text| cut(text).to_lowercase().contains(&wanted));
                        if !found {
                            continue;
                        }
                        let chosen = item(ui, kind).clicked() || (enter && first);
                        first = false;
                        if chosen {
                            hands.act(Command::Insert {
                                kind: kind.id.clone(),
                                index: behind as u16,
                            });
                            ui.close();
                        }
                    }
                    if first {
                        ui.weak("Nothing of that name");
                    }
                });
        });
}

fn item(ui: &mut Ui, kind: &KindInfo) -> Response {
    let theme = Theme::of(ui);
    let width = ui.available_width().max(120.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 44.0), Sense::click());
    let role = egui::accesskit::Role::Button;
    let name = cut(&kind.name);
    let label = format!("Add {name}");
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
    let painter = ui.painter();
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, f32::from(theme::SMALL_RADIUS), theme.raised);
    }
    let (at, width) = (rect.left_top() + vec2(8.0, 4.0), rect.width() - 16.0);
    let font = theme::medium(size::BODY);
    draw::write(painter, at, Align2::LEFT_TOP, name, font, theme.text, width);
    let font = theme::regular(size::SMALL);
    let at = rect.left_bottom() + vec2(8.0, -5.0);
    draw::write(
        painter,
        at,
        Align2::LEFT_BOTTOM,
        &kind.about,
        font,
        theme.dim,
        width,
    );
    draw::focus_ring(ui, &response, rect);
    response
}
