//! The stereo image: goniometer and correlation; and the wave.

use crate::draw;
use crate::model::Picture;
use crate::theme::{self, Theme, faint, size, space};
use egui::{Align2, Rect, Stroke, Ui, pos2, vec2};

/// Points of the goniometer.
const POINTS: usize = 700;

/// `[main]` Draws goniometer, correlation and oscilloscope next to each other.
pub(super) fn show(ui: &Ui, rect: Rect, picture: &Picture) {
    let side = rect.height().min(rect.width() * 0.4);
    let left = Rect::from_min_size(rect.min, vec2(side, rect.height()));
    let right = Rect::from_min_max(pos2(left.max.x + space::TINY, rect.min.y), rect.max);
    let inner = draw::panel(ui, left);
    let scale = Rect::from_min_max(pos2(inner.min.x, inner.max.y - 26.0), inner.max);
    let field = Rect::from_min_max(inner.min, pos2(inner.max.x, scale.min.y - space::TINY));
    goniometer(ui, field, &picture.sound.scope);
    let sound = &picture.sound;
    correlation(ui, scale, sound.correlation, sound.figures.correlation);
    let inner = draw::panel(ui, right);
    let rate_hz = picture.description.device.sample_rate_hz;
    wave(ui, inner, &picture.sound.scope, rate_hz);
}

fn goniometer(ui: &Ui, rect: Rect, frames: &[[f32; 2]]) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let side = rect.width().min(rect.height());
    let field = Rect::from_center_size(rect.center(), vec2(side, side));
    let center = field.center();
    let radius = side / 2.0 - 2.0;
    let thin = Stroke::new(1.0, theme.line);
    painter.circle(center, radius, theme.well, thin);
    let diagonal = radius * std::f32::consts::FRAC_1_SQRT_2;
    for (x, y) in [(diagonal, diagonal), (diagonal, -diagonal)] {
        painter.line_segment([center - vec2(x, y), center + vec2(x, y)], thin);
    }
    let font = theme::regular(size::SMALL);
    for (x, word) in [(-diagonal + 10.0, "L"), (diagonal - 10.0, "R")] {
        let at = center + vec2(x, -diagonal - 2.0);
        painter.text(at, Align2::CENTER_CENTER, word, font.clone(), theme.dim);
    }
    // Mid goes up, side to the side; quiet sound is drawn larger, by the square root.
    let newest = frames.len().saturating_sub(POINTS * 2);
    let mut mesh = egui::Mesh::default();
    let color = faint(theme.heard, 0.75);
    for [left, right] in frames[newest..].iter().step_by(2) {
        let (mid, side) = ((left + right) * 0.5, (right - left) * 0.5);
        let length = (mid * mid + side * side).sqrt();
        if length < 1e-4 {
            continue;
        }
        let reach = length.min(1.0).sqrt() / length * radius * 0.98;
        let at = center + vec2(side, -mid) * reach;
        let dot = Rect::from_center_size(at, vec2(1.6, 1.6));
        mesh.add_colored_rect(dot, color);
    }
    if !mesh.is_empty() {
        painter.add(mesh);
    }
}

fn correlation(ui: &Ui, rect: Rect, correlation: Option<f32>, figure: Option<f32>) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let bar = Rect::from_min_size(rect.min, vec2(rect.width(), 8.0));
    painter.rect_filled(bar, 3.0, theme.well);
    painter.vline(bar.center().x, bar.y_range(), Stroke::new(1.0, theme.dim));
    let font = theme::regular(size::SMALL);
    let y = rect.max.y;
    for (x, anchor, word) in [
        (rect.min.x, Align2::LEFT_BOTTOM, "\u{2212}1"),
        (rect.max.x, Align2::RIGHT_BOTTOM, "+1"),
    ] {
        painter.text(pos2(x, y), anchor, word, font.clone(), theme.dim);
    }
    let Some(value) = correlation else {
        let at = pos2(rect.center().x, y);
        painter.text(at, Align2::CENTER_BOTTOM, "silence", font, theme.dim);
        return;
    };
    let x = bar.center().x + value * bar.width() / 2.0;
    let wrong = value < -0.2;
    let color = if wrong { theme.wrong } else { theme.heard };
    let from = bar.center().x;
    let span = Rect::from_x_y_ranges(from.min(x)..=from.max(x), bar.y_range());
    painter.rect_filled(span, 0.0, faint(color, 0.5));
    painter.vline(x, bar.y_range(), Stroke::new(3.0, color));
    let figure = figure.unwrap_or(value);
    let word = if wrong {
        format!("{figure:+.2} out of phase")
    } else {
        format!("{figure:+.2}")
    };
    let at = pos2(rect.center().x, y);
    painter.text(
        at,
        Align2::CENTER_BOTTOM,
        word,
        font,
        if wrong { color } else { theme.text },
    );
}

/// The newest sound as a wave, standing still by a rising zero.
fn wave(ui: &Ui, rect: Rect, frames: &[[f32; 2]], rate_hz: u32) {
    draw::well(ui, rect);
    let theme = Theme::of(ui);
    let inner = rect.shrink(1.0);
    let painter = ui.painter().with_clip_rect(inner);
    let thin = Stroke::new(1.0, faint(theme.line, 0.6));
    let middle = inner.center().y;
    let half = inner.height() / 2.0 - 4.0;
    painter.hline(inner.x_range(), middle, Stroke::new(1.0, theme.line));
    for part in [-1.0, -0.5, 0.5, 1.0] {
        painter.hline(inner.x_range(), middle + part * half, thin);
    }
    let font = theme::regular(size::SMALL);
    let length = (frames.len() / 2).min(1_024);
    let mono = |index: usize| (frames[index][0] + frames[index][1]) * 0.5;
    if length > 2 {
        let latest = frames.len() - length;
        let start = (1..latest)
            .rev()
            .find(|&i| mono(i - 1) < 0.0 && mono(i) >= 0.0)
            .unwrap_or(latest);
        let step = inner.width() / (length - 1) as f32;
        for (channel, color) in [(1, faint(theme.heard, 0.45)), (0, theme.heard)] {
            // A point for every two points of width is as fine as can be seen.
            let stride = (2.0 / step).ceil().max(1.0) as usize;
            let points = (0..length).step_by(stride).map(|index| {
                let sample = frames[start + index][channel].clamp(-1.2, 1.2);
                pos2(inner.min.x + index as f32 * step, middle - sample * half)
            });
            draw::polyline(&painter, points, Stroke::new(1.5, color));
        }
    }
    let at = inner.left_top() + vec2(6.0, 4.0);
    painter.text(at, Align2::LEFT_TOP, "Wave", font.clone(), theme.dim);
    let at = inner.right_bottom() + vec2(-6.0, -4.0);
    let ms = length as f32 * 1_000.0 / rate_hz.max(1) as f32;
    let word = if rate_hz > 0 {
        format!("{ms:.1} ms")
    } else {
        format!("{length} frames")
    };
    painter.text(at, Align2::RIGHT_BOTTOM, word, font, theme.dim);
}
