//! How long blocks took, against how long they may take.

use crate::draw;
use crate::text;
use crate::theme::{self, Theme, faint, size};
use egui::{Align2, Rect, Sense, Stroke, Ui, pos2, vec2};
use headroom_ipc::HealthInfo;

/// `[main]` Draws the histogram: times grow by octaves to the right, the deadline is a line.
pub(super) fn show(ui: &mut Ui, rect: Rect, health: &HealthInfo) {
    let theme = Theme::of(ui);
    let inner = draw::heading(ui, draw::panel(ui, rect), "Time of a block");
    let deadline_ns = health.deadline_ns.max(1);
    let share = |ns: u64| ns as f64 * 100.0 / deadline_ns as f64;
    let response = ui.interact(rect, ui.scope_id().with("blocks"), Sense::hover());
    let label = format!(
        "Block times: half under {}, 99 of 100 under {}, longest {}, deadline {}",
        text::nanoseconds(health.block_p50_ns),
        text::nanoseconds(health.block_p99_ns),
        text::nanoseconds(health.block_max_ns),
        text::nanoseconds(health.deadline_ns),
    );
    let role = egui::accesskit::Role::Label;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
    let painter = ui.painter();
    let font = theme::regular(size::SMALL);
    let word = format!("deadline {}", text::nanoseconds(health.deadline_ns));
    let at = pos2(inner.max.x, rect.min.y + 14.0);
    draw::write(
        painter,
        at,
        Align2::RIGHT_TOP,
        &word,
        font.clone(),
        theme.dim,
        160.0,
    );
    let figures = Rect::from_min_size(inner.min, vec2(inner.width(), 34.0));
    let mut left = figures.min.x;
    for (name, ns) in [
        ("p50", health.block_p50_ns),
        ("p99", health.block_p99_ns),
        ("max", health.block_max_ns),
    ] {
        let over = ns > health.deadline_ns;
        let color = if over { theme.wrong } else { theme.text };
        let at = pos2(left, figures.min.y);
        let word = text::nanoseconds(ns);
        let strong = theme::strong(size::VALUE);
        let room = figures.width() / 3.0 - 8.0;
        draw::write(painter, at, Align2::LEFT_TOP, &word, strong, color, room);
        let word = format!(
            "{name}, {:.1} %{}",
            share(ns).min(9_999.0),
            if over { " late" } else { "" }
        );
        let at = at + vec2(0.0, 18.0);
        draw::write(
            painter,
            at,
            Align2::LEFT_TOP,
            &word,
            font.clone(),
            theme.dim,
            room,
        );
        left += figures.width() / 3.0;
    }
    let field = Rect::from_min_max(pos2(inner.min.x, figures.max.y + 6.0), inner.max);
    if field.height() > 24.0 {
        bars(ui, field, health);
    }
}

fn bars(ui: &Ui, field: Rect, health: &HealthInfo) {
    let theme = Theme::of(ui);
    draw::well(ui, field);
    let field = field.shrink(1.0);
    let painter = ui.painter().with_clip_rect(field);
    let foot = field.max.y - 16.0;
    let octave = |ns: u64| (ns.max(1) as f32).log2();
    let first = health
        .histogram
        .first()
        .map_or(health.deadline_ns, |bucket| bucket.0);
    let last = health
        .histogram
        .last()
        .map_or(health.deadline_ns, |bucket| bucket.0);
    let low = octave(first.min(health.deadline_ns)) - 1.0;
    let high = octave(last.max(health.deadline_ns)) + 1.0;
    let x = |ns: u64| field.min.x + (octave(ns) - low) / (high - low) * field.width();
    let font = theme::regular(size::SMALL);
    for power in 0..12 {
        let ns = 10u64.pow(power);
        let at = x(ns);
        if at > field.min.x + 4.0 && at < field.max.x - 20.0 {
            painter.vline(
                at,
                field.y_range(),
                Stroke::new(1.0, faint(theme.line, 0.6)),
            );
            let at = pos2(at, field.max.y - 1.0);
            let word = match power {
                0..3 => format!("{ns} ns"),
                3..6 => format!("{} \u{3bc}s", ns / 1_000),
                6..9 => format!("{} ms", ns / 1_000_000),
                _ => format!("{} s", ns / 1_000_000_000),
            };
            painter.text(at, Align2::CENTER_BOTTOM, word, font.clone(), theme.dim);
        }
    }
    // The height is the count's logarithm: the rare long block must be seen beside a million short ones.
    let most = health
        .histogram
        .iter()
        .map(|bucket| bucket.1)
        .max()
        .unwrap_or(1);
    let scale = ((most.max(1) as f32).log10() + 0.5).max(0.5);
    let buckets = &health.histogram[..health.histogram.len().min(2_000)];
    let mut before: Option<u64> = None;
    for &(end, count) in buckets {
        // Empty ones are left out: what stands next may be far away. No step is more than a sixteenth.
        let step = end / 16;
        let start = before.filter(|before| (end.saturating_sub(step + 1)..end).contains(before));
        let start = start.unwrap_or(end - step);
        before = Some(end);
        if count == 0 {
            continue;
        }
        let height = ((count as f32).log10() + 0.5) / scale * (foot - field.min.y - 6.0);
        let bar = Rect::from_min_max(
            pos2(x(start) + 0.5, foot - height),
            pos2((x(end) - 0.5).max(x(start) + 1.5), foot),
        );
        let late = start >= health.deadline_ns;
        painter.rect_filled(bar, 1.0, if late { theme.wrong } else { theme.heard });
    }
    painter.hline(field.x_range(), foot, Stroke::new(1.0, theme.line));
    let deadline = x(health.deadline_ns);
    painter.vline(deadline, field.min.y..=foot, Stroke::new(2.0, theme.text));
    let at = pos2(deadline - 6.0, field.min.y + 4.0);
    painter.text(at, Align2::RIGHT_TOP, "deadline", font, theme.text);
}
