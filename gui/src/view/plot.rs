//! A plane with two axes. The numbers may come from a damaged board: an axis is always one that can be
//! drawn.

use crate::text;
use crate::theme::{self, Theme, faint, size};
use egui::{Align2, Painter, Pos2, Rect, Stroke, pos2, vec2};
use headroom_ipc::{Axis, Curve};

/// One axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What it shows.
    pub axis: Axis,
    low: f32,
    high: f32,
}

impl Scale {
    /// `[any]` From `low` to `high`; what cannot be drawn becomes the axis's usual range.
    pub fn new(axis: Axis, low: f32, high: f32) -> Self {
        let floor = match axis {
            Axis::FrequencyHz => 0.1,
            _ => -1e6,
        };
        let usable = low.is_finite() && high.is_finite() && low >= floor && high <= 1e6;
        let (low, high) = match axis {
            Axis::FrequencyHz if usable && high > low * 1.01 => (low, high),
            Axis::FrequencyHz => (20.0, 20_000.0),
            _ if usable && high - low > 1e-3 => (low, high),
            Axis::Decibels => (-60.0, 0.0),
            Axis::Seconds => (0.0, 1.0),
        };
        Self { axis, low, high }
    }

    /// `[any]` Lowest value.
    pub fn low(&self) -> f32 {
        self.low
    }

    /// `[any]` Highest value.
    pub fn high(&self) -> f32 {
        self.high
    }

    /// `[any]` Where `value` stands, 0 to 1 within the axis.
    pub fn fraction(&self, value: f32) -> f32 {
        match self.axis {
            Axis::FrequencyHz => (value.max(1e-3) / self.low).ln() / (self.high / self.low).ln(),
            _ => (value - self.low) / (self.high - self.low),
        }
    }

    /// `[any]` What stands at `fraction`.
    pub fn value(&self, fraction: f32) -> f32 {
        match self.axis {
            Axis::FrequencyHz => self.low * (self.high / self.low).powf(fraction),
            _ => self.low + (self.high - self.low) * fraction,
        }
    }

    /// `[any]` Where lines are drawn, and which of them have a word; at most 64.
    pub fn ticks(&self, room: f32) -> Vec<(f32, Option<String>)> {
        match self.axis {
            Axis::FrequencyHz => self.frequencies(),
            Axis::Decibels => self.even(room, |db| {
                if db == 0.0 {
                    "0".to_owned()
                } else {
                    format!("{db:+.0}")
                }
            }),
            Axis::Seconds => self.even(room, |secs| {
                if secs == 0.0 {
                    "0".to_owned()
                } else if secs.abs() < 1.0 {
                    format!("{:.0} ms", secs * 1_000.0)
                } else {
                    format!("{secs:.1} s")
                }
            }),
        }
    }

    fn frequencies(&self) -> Vec<(f32, Option<String>)> {
        let mut ticks = Vec::new();
        for decade in -1..=6 {
            for digit in 1..10 {
                let hz = digit as f32 * 10f32.powi(decade);
                if hz < self.low || hz > self.high {
                    continue;
                }
                let worded = matches!(digit, 1 | 2 | 5);
                ticks.push((hz, worded.then(|| text::tick_hz(hz))));
            }
        }
        ticks
    }

    fn even(&self, room: f32, word: impl Fn(f32) -> String) -> Vec<(f32, Option<String>)> {
        let most = (room / 32.0).clamp(2.0, 20.0);
        let span = self.high - self.low;
        let steps = match self.axis {
            Axis::Decibels => [1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0],
            _ => [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0],
        };
        let step = steps.into_iter().find(|step| span / step <= most);
        let step = step.unwrap_or(span / most);
        let first = (self.low / step).ceil() as i64;
        (0..64)
            .map(|index| (first + index) as f32 * step)
            .take_while(|value| *value <= self.high + step * 1e-3)
            .map(|value| (value, Some(word(value))))
            .collect()
    }
}

/// Two axes and where they are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    /// Inside of the frame.
    pub rect: Rect,
    /// From left to right.
    pub x: Scale,
    /// From the foot up.
    pub y: Scale,
}

impl Plane {
    /// `[any]` The plane that `curve` is drawn on.
    pub fn of(curve: &Curve, rect: Rect) -> Self {
        let (x_axis, x_low, x_high) = curve.x;
        let (y_axis, y_low, y_high) = curve.y;
        Self {
            rect,
            x: Scale::new(x_axis, x_low, x_high),
            y: Scale::new(y_axis, y_low, y_high),
        }
    }

    /// `[any]` Where a point stands; far outside is as good as just outside.
    pub fn at(&self, x: f32, y: f32) -> Pos2 {
        let x = self.x.fraction(x).clamp(-1.0, 2.0);
        let y = self.y.fraction(y).clamp(-1.0, 2.0);
        self.rect.left_bottom() + vec2(x * self.rect.width(), -y * self.rect.height())
    }

    /// `[any]` Which point stands there.
    pub fn point(&self, at: Pos2) -> (f32, f32) {
        let x = (at.x - self.rect.min.x) / self.rect.width().max(1.0);
        let y = (self.rect.max.y - at.y) / self.rect.height().max(1.0);
        (self.x.value(x), self.y.value(y))
    }

    /// `[main]` Draws the grid and its words, inside of the frame.
    pub(crate) fn grid(&self, painter: &Painter, theme: &Theme) {
        let thin = Stroke::new(1.0, faint(theme.line, 0.55));
        let rect = self.rect;
        let font = theme::regular(size::SMALL);
        let mut free = rect.min.x + 26.0;
        for (value, word) in self.x.ticks(rect.width() / 2.0) {
            let x = self.at(value, 0.0).x;
            painter.vline(x, rect.y_range(), thin);
            if let Some(word) = word
                && x > free
                && x < rect.max.x - 14.0
            {
                let at = pos2(x, rect.max.y - 3.0);
                painter.text(at, Align2::CENTER_BOTTOM, word, font.clone(), theme.dim);
                free = x + 34.0;
            }
        }
        for (value, word) in self.y.ticks(rect.height()) {
            let y = self.at(0.0, value).y;
            let strong = value == 0.0 && self.y.axis == Axis::Decibels;
            let color = if strong {
                theme.line
            } else {
                faint(theme.line, 0.55)
            };
            painter.hline(rect.x_range(), y, Stroke::new(1.0, color));
            if let Some(word) = word
                && y > rect.min.y + 6.0
                && y < rect.max.y - 26.0
            {
                let at = pos2(rect.min.x + 4.0, y);
                painter.text(at, Align2::LEFT_CENTER, word, font.clone(), theme.dim);
            }
        }
    }
}

/// `[any]` What `curve` is at `x`, between its points; nothing where it has none.
pub(super) fn curve_at(curve: &Curve, x: f32) -> Option<f32> {
    let points = &curve.points;
    let after = points.partition_point(|(place, _)| *place < x);
    let &(x1, y1) = points.get(after).or_else(|| points.last())?;
    let &(x0, y0) = points.get(after.saturating_sub(1))?;
    let part = if x1 > x0 {
        ((x - x0) / (x1 - x0)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let y = y0 + (y1 - y0) * part;
    y.is_finite().then_some(y)
}
