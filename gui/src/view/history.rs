//! The last seconds of a module that turns its input down.

use super::graph::Subject;
use crate::draw;
use crate::model::Picture;
use crate::text;
use crate::theme::{self, Theme, faint, size};
use egui::{Align2, Pos2, Rect, Stroke, Ui, pos2, vec2};

/// How many seconds are seen.
const SECS: f32 = 6.0;
/// How much reduction fills the height.
const DEPTH_DB: f32 = 24.0;
/// How much of the level is seen.
const LEVEL_DB: f32 = 60.0;
/// How wide the scale beside it is.
const GUTTER: f32 = 30.0;
/// How much of the height the level takes.
const LEVEL_SHARE: f32 = 0.55;

/// `[main]` Draws what came out as a ground, and by how much it was turned down from the top.
pub(super) fn show(ui: &Ui, rect: Rect, subject: Subject<'_>, picture: &Picture) {
    if rect.width() < 60.0 {
        return;
    }
    draw::well(ui, rect);
    let theme = Theme::of(ui);
    let mut inner = rect.shrink(1.0);
    let ticks = inner;
    inner.min.x += GUTTER;
    let painter = ui.painter().with_clip_rect(inner.intersect(ui.clip_rect()));
    let history = picture.levels.history(subject.module.lane);
    let rate_hz = picture.description.device.sample_rate_hz.max(1_000) as f32;
    let now = picture.levels.frame;
    let x = |frame: u64| {
        let ago_secs = now.saturating_sub(frame) as f32 / rate_hz;
        inner.max.x - ago_secs / SECS * inner.width()
    };
    let y = |db: f32| inner.min.y + (db / DEPTH_DB).clamp(0.0, 1.0) * inner.height();
    let thin = Stroke::new(1.0, faint(theme.line, 0.55));
    let font = theme::regular(size::SMALL);
    let scale = ui.painter().with_clip_rect(ticks.intersect(ui.clip_rect()));
    let mut last = inner.min.y - 8.0;
    for db in [3.0, 6.0, 12.0, 18.0] {
        painter.hline(inner.x_range(), y(db), thin);
        // Where it is low, every other one says enough.
        if y(db) - last < 16.0 {
            continue;
        }
        last = y(db);
        scale.text(
            pos2(inner.min.x - 6.0, y(db)),
            Align2::RIGHT_CENTER,
            format!("{:.0}", -db),
            font.clone(),
            theme.dim,
        );
    }
    painter.vline(inner.min.x, inner.y_range(), thin);
    let seen = || {
        history
            .iter()
            .filter(|moment| x(moment.frame) >= inner.min.x - 8.0)
    };
    let level = seen().map(|moment| {
        let height = ((moment.out_db + LEVEL_DB) / LEVEL_DB).clamp(0.0, 1.0);
        pos2(
            x(moment.frame),
            inner.max.y - height * LEVEL_SHARE * inner.height(),
        )
    });
    draw::area(&painter, level, inner.max.y, faint(theme.heard, 0.18));
    let reduction = || seen().map(|moment| pos2(x(moment.frame), y(moment.reduction_db)));
    let points: Vec<Pos2> = reduction().collect();
    draw::area(
        &painter,
        points.iter().copied(),
        inner.min.y,
        faint(theme.set, 0.22),
    );
    draw::polyline(&painter, points, Stroke::new(2.0, theme.set));
    let reduction_db = picture
        .levels
        .lane(subject.module.lane)
        .figures
        .reduction_db;
    let at = inner.right_bottom() + vec2(-10.0, -22.0);
    let word = format!("{} dB", text::level(-reduction_db));
    let font = theme::strong(size::FIGURE);
    painter.text(at, Align2::RIGHT_BOTTOM, word, font, theme.text);
    let font = theme::regular(size::SMALL);
    let at = inner.right_bottom() + vec2(-10.0, -8.0);
    painter.text(
        at,
        Align2::RIGHT_BOTTOM,
        "gain reduction",
        font.clone(),
        theme.text,
    );
    let at = inner.left_bottom() + vec2(6.0, -4.0);
    painter.text(
        at,
        Align2::LEFT_BOTTOM,
        format!("{SECS:.0} s"),
        font,
        theme.dim,
    );
}
