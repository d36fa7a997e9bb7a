//! The master meter: always there, always at the same place.

use crate::draw;
use crate::levels::Level;
use crate::model::Picture;
use crate::text;
use crate::theme::{self, Theme, faint, size};
use egui::{Align2, Painter, Rect, Sense, Stroke, Ui, pos2, vec2};

/// How wide it is.
pub(super) const WIDTH: f32 = 78.0;
const LOW_DB: f32 = -60.0;
const HIGH_DB: f32 = 6.0;

/// Where a level stands, from 0 at the foot to 1: the upper decibels have more room, as on Pro-L's and
/// every console's scale, since that is where it is decided.
pub(super) fn place(db: f32) -> f32 {
    if db.is_nan() {
        return 0.0;
    }
    let linear = ((db - LOW_DB) / (HIGH_DB - LOW_DB)).clamp(0.0, 1.0);
    linear.powf(1.7)
}

/// `[main]` Draws the meter of what leaves the rack.
pub(super) fn show(ui: &mut Ui, rect: Rect, picture: &mut Picture) {
    let theme = Theme::of(ui);
    let inner = draw::panel(ui, rect).expand2(vec2(4.0, 4.0));
    let level = &picture.levels.master;
    let response = ui.interact(rect, ui.scope_id().with("master"), Sense::click());
    let highest = level.highest_db;
    let label = if level.clipped {
        format!(
            "Output clipped, highest peak {} dB; click to clear",
            text::level(highest)
        )
    } else {
        format!("Output peak {} dB", text::level(highest))
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
    let painter = ui.painter();
    let font = theme::regular(size::SMALL);
    let width = inner.width();
    draw::write(
        painter,
        inner.center_top(),
        Align2::CENTER_TOP,
        "Output",
        font,
        theme.dim,
        width,
    );
    let peak = Rect::from_min_size(pos2(inner.min.x, inner.min.y + 18.0), vec2(width, 42.0));
    peak_box(painter, theme, peak, level);
    let bars = Rect::from_min_max(
        pos2(inner.min.x, peak.max.y + 10.0),
        pos2(inner.max.x, inner.max.y - 42.0),
    );
    if bars.height() > 20.0 {
        paint(painter, theme, bars, level);
    }
    let at = inner.center_bottom() - vec2(0.0, 15.0);
    let font = theme::medium(size::BODY);
    draw::write(
        painter,
        at,
        Align2::CENTER_BOTTOM,
        &text::level(level.figures.rms_db),
        font,
        theme.text,
        width,
    );
    let font = theme::regular(size::SMALL);
    draw::write(
        painter,
        inner.center_bottom(),
        Align2::CENTER_BOTTOM,
        "RMS",
        font,
        theme.dim,
        width,
    );
    draw::focus_ring(ui, &response, rect);
    if response.clicked() {
        picture.levels.clear();
    }
    response.on_hover_text("Peak with hold, RMS. Click to clear");
}

fn peak_box(painter: &Painter, theme: &Theme, rect: Rect, level: &Level) {
    let radius = f32::from(theme::SMALL_RADIUS);
    let (fill, color) = if level.clipped {
        (theme.wrong, theme.on_hue)
    } else {
        (theme.well, theme.text)
    };
    painter.rect_filled(rect, radius, fill);
    let width = rect.width() - 2.0;
    let font = theme::strong(size::VALUE);
    let at = rect.center_top() + vec2(0.0, 3.0);
    let word = text::level(level.highest_db.clamp(-999.0, 99.0));
    draw::write(painter, at, Align2::CENTER_TOP, &word, font, color, width);
    let (word, color) = if level.clipped {
        ("CLIP", color)
    } else {
        ("peak", theme.dim)
    };
    let font = theme::medium(size::SMALL);
    let at = rect.center_bottom() - vec2(0.0, 3.0);
    draw::write(painter, at, Align2::CENTER_BOTTOM, word, font, color, width);
}

fn paint(painter: &Painter, theme: &Theme, rect: Rect, level: &Level) {
    let scale = 24.0;
    let y = |db: f32| rect.max.y - place(db) * rect.height();
    let mut last = f32::INFINITY;
    for db in [
        6.0, 3.0, 0.0, -3.0, -6.0, -10.0, -15.0, -20.0, -30.0, -40.0, -60.0,
    ] {
        let at = y(db);
        if (last - at).abs() < 14.0 && last.is_finite() {
            continue;
        }
        last = at;
        let word = if db > 0.0 {
            format!("+{db:.0}")
        } else {
            format!("{:.0}", db.abs())
        };
        let color = if db == 0.0 { theme.text } else { theme.dim };
        let font = theme::regular(size::SMALL);
        let place = pos2(rect.min.x + scale - 6.0, at);
        draw::write(
            painter,
            place,
            Align2::RIGHT_CENTER,
            &word,
            font,
            color,
            scale,
        );
    }
    let width = (rect.width() - scale - 3.0) / 2.0;
    for channel in 0..2 {
        let x = rect.min.x + scale + channel as f32 * (width + 3.0);
        let bar = Rect::from_min_max(pos2(x, rect.min.y), pos2(x + width, rect.max.y));
        painter.rect_filled(bar, 2.0, theme.well);
        let part =
            |from: f32, to: f32| Rect::from_min_max(pos2(x, y(to)), pos2(x + width, y(from)));
        let (peak, rms) = (level.peak_db[channel], level.rms_db[channel]);
        painter.rect_filled(part(LOW_DB, peak.min(0.0)), 2.0, faint(theme.heard, 0.5));
        painter.rect_filled(part(LOW_DB, rms.min(0.0)), 2.0, theme.heard);
        if peak > 0.0 {
            painter.rect_filled(part(0.0, peak), 0.0, theme.wrong);
        }
        let held = level.held_db[channel];
        if held > LOW_DB {
            let color = if held > 0.0 { theme.wrong } else { theme.text };
            painter.hline(x..=x + width, y(held), Stroke::new(2.0, color));
        }
    }
    let zero = y(0.0);
    let left = rect.min.x + scale - 2.0;
    painter.hline(left..=rect.max.x, zero, Stroke::new(1.0, theme.text));
}
