//! Small pictures, drawn with the same pen.

use egui::{Color32, Painter, Pos2, Rect, Stroke, StrokeKind, pos2, vec2};

/// What can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    /// A chain of boxes.
    Rack,
    /// Three bars.
    Meters,
    /// A pulse.
    Health,
    /// A list.
    Presets,
    /// A plug.
    Device,
    /// A bent arrow to the left.
    Undo,
    /// A bent arrow to the right.
    Redo,
    /// On or off.
    Power,
    /// All is as it should be.
    Tick,
    /// It is not.
    Cross,
}

/// `[main]` Draws `icon` into `rect`.
pub(crate) fn draw(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let stroke = Stroke::new((rect.width() / 10.0).clamp(1.5, 3.0), color);
    let at = |x: f32, y: f32| rect.min + vec2(x * rect.width(), y * rect.height());
    let line = |points: &[(f32, f32)]| {
        let points: Vec<Pos2> = points.iter().map(|&(x, y)| at(x, y)).collect();
        painter.line(points, stroke);
    };
    let arc = |from: f32, to: f32, radius: f32| {
        let center = rect.center();
        let point = |step: usize| {
            let angle = (from + (to - from) * step as f32 / 16.0) * std::f32::consts::TAU;
            center + vec2(angle.cos(), angle.sin()) * radius * rect.width()
        };
        painter.line((0..=16).map(point).collect(), stroke);
    };
    match icon {
        Icon::Rack => {
            for x in [0.06, 0.58] {
                let slot = Rect::from_min_max(at(x, 0.25), at(x + 0.36, 0.75));
                painter.rect_stroke(slot, 2.0, stroke, StrokeKind::Middle);
            }
            line(&[(0.42, 0.5), (0.58, 0.5)]);
        }
        Icon::Meters => {
            for (x, top) in [(0.2, 0.5), (0.5, 0.15), (0.8, 0.35)] {
                line(&[(x, 0.9), (x, top)]);
            }
        }
        Icon::Health => line(&[
            (0.02, 0.55),
            (0.3, 0.55),
            (0.42, 0.15),
            (0.58, 0.88),
            (0.7, 0.55),
            (0.98, 0.55),
        ]),
        Icon::Presets => {
            for y in [0.22, 0.5, 0.78] {
                painter.circle_filled(at(0.12, y), stroke.width, color);
                line(&[(0.3, y), (0.95, y)]);
            }
        }
        Icon::Device => {
            let body = Rect::from_min_max(at(0.2, 0.35), at(0.8, 0.7));
            painter.rect_stroke(body, 2.0, stroke, StrokeKind::Middle);
            line(&[(0.36, 0.35), (0.36, 0.1)]);
            line(&[(0.64, 0.35), (0.64, 0.1)]);
            line(&[(0.5, 0.7), (0.5, 0.95)]);
        }
        Icon::Undo | Icon::Redo => {
            let flip = |x: f32| if icon == Icon::Undo { x } else { 1.0 - x };
            line(&[
                (flip(0.1), 0.4),
                (flip(0.65), 0.4),
                (flip(0.86), 0.52),
                (flip(0.86), 0.68),
                (flip(0.65), 0.8),
                (flip(0.35), 0.8),
            ]);
            line(&[(flip(0.32), 0.16), (flip(0.1), 0.4), (flip(0.32), 0.64)]);
        }
        Icon::Power => {
            arc(-0.16, 0.66, 0.38);
            painter.line_segment([at(0.5, 0.05), at(0.5, 0.5)], stroke);
        }
        Icon::Tick => line(&[(0.12, 0.55), (0.4, 0.82), (0.9, 0.2)]),
        Icon::Cross => {
            line(&[(0.18, 0.18), (0.82, 0.82)]);
            line(&[(0.82, 0.18), (0.18, 0.82)]);
        }
    }
}

/// `[main]` The square of `size` points around `center`.
pub(crate) fn square(center: Pos2, size: f32) -> Rect {
    Rect::from_center_size(pos2(center.x, center.y), vec2(size, size))
}
