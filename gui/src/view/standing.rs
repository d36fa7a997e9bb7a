//! When there is nobody to draw: what is waited for.

use crate::draw;
use crate::icon::{self, Icon};
use crate::model::{Link, Picture};
use crate::theme::{self, Theme, size};
use egui::{Align2, Rect, Stroke, Ui, vec2};

/// `[main]` Draws in words how it stands.
pub(super) fn show(ui: &Ui, rect: Rect, picture: &Picture) {
    let inner = draw::panel(ui, rect);
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let gone = picture.link == Link::Gone;
    let center = inner.center() - vec2(0.0, 56.0);
    let color = if gone { theme.wrong } else { theme.dim };
    painter.circle_stroke(center, 30.0, Stroke::new(3.0, color));
    let mark = if gone { Icon::Cross } else { Icon::Device };
    icon::draw(painter, icon::square(center, 26.0), mark, color);
    let (word, below) = if gone {
        (
            "The engine is gone",
            "This screen waits, and attaches to the next one that starts.",
        )
    } else {
        (
            "Looking for a rack",
            "Start one by typing headroom play, or open the plugin in a host.",
        )
    };
    let width = inner.width();
    let font = theme::strong(size::FIGURE);
    let at = inner.center() + vec2(0.0, 12.0);
    draw::write(
        painter,
        at,
        Align2::CENTER_CENTER,
        word,
        font,
        theme.text,
        width,
    );
    let at = inner.center() + vec2(0.0, 46.0);
    let font = theme::regular(size::BODY);
    draw::write(
        painter,
        at,
        Align2::CENTER_CENTER,
        below,
        font,
        theme.dim,
        width,
    );
}
