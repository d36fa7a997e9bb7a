//! Inside a plugin's host: how large it draws is the host's to say, and how large the window is is asked of it.

use super::face::Face;
use crate::model::Picture;
use crate::theme::Theme;
use egui::{Area, Color32, Id, Order, Pos2, Sense, Stroke, Vec2, ViewportCommand};

/// Points of the corner by which the window is pulled larger.
const GRIP: f32 = 14.0;
/// The least that all of it can be seen in.
const LEAST: Vec2 = Vec2::new(400.0, 250.0);

/// `[main]` Draws as large as the host says; whether that has changed.
pub(super) fn follow_scale(face: &mut Face, picture: &Picture) -> bool {
    let Some(percent) = picture.description.scale_percent else {
        return false;
    };
    let scale = f32::from(percent.clamp(50, 400)) / 100.0;
    // What the display says is in already.
    let zoom = scale / face.window.scale_factor() as f32;
    if (face.ctx.zoom_factor() - zoom).abs() < 0.001 {
        return false;
    }
    face.ctx.set_zoom_factor(zoom);
    true
}

/// `[main]` The corner by which the window is pulled to another size: it makes itself so, and the host follows or
/// makes it as it was.
pub(super) fn grip(ctx: &egui::Context) {
    let corner = ctx.content_rect().max;
    let area = Area::new(Id::unique("size of the window"))
        .order(Order::Foreground)
        .fixed_pos(corner - Vec2::splat(GRIP));
    area.show(ctx, |ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(GRIP), Sense::drag());
        let theme = if ui.ctx().theme() == egui::Theme::Dark {
            Theme::DARK
        } else {
            Theme::LIGHT
        };
        let ink = if response.hovered() || response.dragged() {
            theme.text
        } else {
            theme.dim
        };
        draw(ui.painter(), rect.max, ink);
        if let Some(pointer) = response.interact_pointer_pos() {
            // Where it was taken hold of stays under the pointer.
            let held = response.id.with("held");
            if response.drag_started() {
                ui.data_mut(|data| data.insert_temp(held, corner - pointer));
            }
            let held: Vec2 = ui.data(|data| data.get_temp(held)).unwrap_or_default();
            let size = (pointer + held - Pos2::ZERO).max(LEAST).round();
            if response.dragged() && size != corner - Pos2::ZERO {
                ctx.send_viewport_cmd(ViewportCommand::InnerSize(size));
            }
        }
        response.on_hover_cursor(egui::CursorIcon::ResizeNwSe);
    });
}

fn draw(painter: &egui::Painter, corner: Pos2, ink: Color32) {
    for step in 1..=3 {
        let out = 4.0 * step as f32;
        let ends = [corner - Vec2::new(out, 1.0), corner - Vec2::new(1.0, out)];
        painter.line_segment(ends, Stroke::new(1.0, ink));
    }
}
