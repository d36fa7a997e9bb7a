//! The curve of a module, whatever it is: a response over the spectrum, a static curve with the point
//! where it works, echoes as stems. Handles on it move parameters.

use super::plot::{Plane, curve_at};
use super::{Screen, handle, history};
use crate::draw;
use crate::hands::Hands;
use crate::model::Picture;
use crate::spectrum::{COLUMNS, Spectrum, column_hz};
use crate::text::{self, SILENCE_DB};
use crate::theme::{self, Theme, faint, size, space};
use egui::{Align2, Painter, Pos2, Rect, Sense, Stroke, Ui, pos2, vec2};
use headroom_ipc::board::{KindInfo, ModuleInfo};
use headroom_ipc::{Axis, Curve};

/// The module whose curve is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) place: usize,
    pub(super) module: &'a ModuleInfo,
    pub(super) kind: &'a KindInfo,
    pub(super) curve: &'a Curve,
}

/// `[main]` Draws the module's curve in `rect`, beside it the history of its gain reduction.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    subject: Subject<'_>,
    picture: &Picture,
    hands: &mut Hands,
) {
    let curve = subject.curve;
    let is_static = curve.x.0 == Axis::Decibels && curve.y.0 == Axis::Decibels;
    let (left, right) = if is_static || subject.kind.reduces {
        let share = if is_static {
            rect.height().min(rect.width() * 0.5)
        } else {
            rect.width() * 0.6
        };
        let middle = rect.min.x + share;
        (
            Rect::from_min_max(rect.min, pos2(middle, rect.max.y)),
            Some(Rect::from_min_max(
                pos2(middle + space::SMALL, rect.min.y),
                rect.max,
            )),
        )
    } else {
        (rect, None)
    };
    draw::well(ui, left);
    let response = ui.interact(left, ui.scope_id().with("graph"), Sense::click());
    let plane = Plane::of(curve, left.shrink(1.0));
    let theme = Theme::of(ui);
    let painter = ui
        .painter()
        .with_clip_rect(left.shrink(1.0).intersect(ui.clip_rect()));
    if curve.x.0 == Axis::FrequencyHz {
        spectra(&painter, theme, plane, screen, picture);
    }
    plane.grid(&painter, theme);
    if is_static {
        // Where nothing is done.
        let unity = [plane.at(-200.0, -200.0), plane.at(200.0, 200.0)];
        painter.line_segment(unity, Stroke::new(1.0, theme.line));
    }
    let bypassed = picture.is_bypassed(hands, subject.module);
    paint_curve(&painter, theme, plane, curve, bypassed);
    if is_static {
        working_point(&painter, theme, plane, subject, picture);
    }
    handle::show(ui, plane, screen, subject, picture, hands);
    if response.double_clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        handle::wake(screen, plane, at, subject, picture, hands);
    }
    if let Some(right) = right {
        history::show(ui, right, subject, picture);
    }
}

fn paint_curve(painter: &Painter, theme: &Theme, plane: Plane, curve: &Curve, bypassed: bool) {
    let color = if bypassed { theme.dim } else { theme.set };
    let points = || curve.points.iter().map(|&(x, y)| place(plane, x, y));
    if curve.stems {
        let foot = plane.at(0.0, plane.y.low()).y.min(plane.rect.max.y - 18.0);
        for point in points().filter(|point| point.x.is_finite() && point.y.is_finite()) {
            if point.y < foot {
                painter.line_segment([pos2(point.x, foot), point], Stroke::new(3.0, color));
                painter.circle_filled(point, 4.5, color);
            }
        }
        return;
    }
    if plane.y.axis == Axis::Decibels && plane.x.axis == Axis::FrequencyHz && !bypassed {
        let base = plane.at(0.0, 0.0f32.clamp(plane.y.low(), plane.y.high())).y;
        draw::area(painter, points(), base, faint(theme.set, 0.10));
    }
    let stroke = Stroke::new(2.5, color);
    if bypassed {
        let points: Vec<Pos2> = points().filter(|point| !point.any_nan()).collect();
        painter.extend(egui::Shape::dashed_line(&points, stroke, 6.0, 4.0));
    } else {
        draw::polyline(painter, points(), stroke);
    }
}

/// Where a point of a curve stands; no number stays none.
fn place(plane: Plane, x: f32, y: f32) -> Pos2 {
    if x.is_finite() && y.is_finite() {
        plane.at(x, y)
    } else {
        pos2(f32::NAN, f32::NAN)
    }
}

/// The live spectrum behind a response: before the rack as a grey ground, after it as a line.
fn spectra(painter: &Painter, theme: &Theme, plane: Plane, screen: &Screen, picture: &Picture) {
    let points = |spectrum: &Spectrum, held: bool| {
        let levels = if held {
            &spectrum.held_db
        } else {
            &spectrum.now_db
        };
        let levels = levels.clone();
        let slope_db = screen.slope_db;
        (0..COLUMNS).map(move |column| spectrum_place(plane, column, levels[column], slope_db))
    };
    let sound = &picture.sound;
    let base = plane.rect.max.y;
    if !sound.before.is_silent() {
        draw::area(
            painter,
            points(&sound.before, false).step_by(2),
            base,
            faint(theme.dim, 0.20),
        );
    }
    if !sound.after.is_silent() {
        let stroke = Stroke::new(1.5, theme.heard);
        draw::polyline(painter, points(&sound.after, false), stroke);
    }
    if screen.is_holding {
        let stroke = Stroke::new(1.0, faint(theme.heard, 0.6));
        draw::polyline(painter, points(&sound.after, true), stroke);
    }
    let font = theme::regular(size::SMALL);
    let at = plane.rect.right_top() + vec2(-8.0, 6.0);
    let word = painter.layout_no_wrap("after".to_owned(), font.clone(), theme.heard);
    let left = at.x - word.size().x;
    painter.galley(pos2(left, at.y), word, theme.heard);
    painter.text(
        pos2(left - 10.0, at.y),
        Align2::RIGHT_TOP,
        "before",
        font,
        theme.dim,
    );
}

/// Where a column of a spectrum stands: 96 dB from the foot to the top, tilted around 1 kHz.
pub(super) fn spectrum_place(plane: Plane, column: usize, db: f32, slope_db: f32) -> Pos2 {
    let hz = column_hz(column);
    let tilted = db + slope_db * (hz / 1_000.0).log2();
    let height = if db <= SILENCE_DB + 1.0 {
        0.0
    } else {
        ((tilted + SPECTRUM_LOW_DB) / (SPECTRUM_LOW_DB + SPECTRUM_HIGH_DB)).clamp(0.0, 1.0)
    };
    let x = plane.x.fraction(hz) * plane.rect.width() + plane.rect.min.x;
    pos2(x, plane.rect.max.y - height * plane.rect.height())
}

/// How far below full scale a spectrum begins.
pub(super) const SPECTRUM_LOW_DB: f32 = 84.0;
/// How far above it ends: the tilt lifts what is high.
pub(super) const SPECTRUM_HIGH_DB: f32 = 12.0;

/// The level that goes in and the level that comes out, as they are now.
fn working_point(
    painter: &Painter,
    theme: &Theme,
    plane: Plane,
    subject: Subject<'_>,
    picture: &Picture,
) {
    let out = picture.levels.lane(subject.module.lane);
    let (in_db, read_db) = match subject
        .place
        .checked_sub(1)
        .and_then(|before| picture.description.modules.get(before))
    {
        Some(before) => {
            let level = picture.levels.lane(before.lane);
            let now_db = level.peak_db[0].max(level.peak_db[1]);
            (now_db, level.figures.peak_db)
        }
        None => {
            let sound = &picture.sound;
            [sound.before_peak, sound.figures.before_peak]
                .map(text::decibels)
                .into()
        }
    };
    if in_db <= plane.x.low() {
        return;
    }
    let Some(curve_db) = curve_at(subject.curve, in_db) else {
        return;
    };
    let on_curve = plane.at(in_db, curve_db);
    painter.vline(
        on_curve.x,
        on_curve.y..=plane.rect.max.y,
        Stroke::new(1.0, faint(theme.heard, 0.5)),
    );
    painter.circle_filled(on_curve, 5.0, theme.heard);
    painter.circle_stroke(on_curve, 8.0, Stroke::new(1.5, theme.heard));
    if plane.rect.width() < 180.0 {
        return;
    }
    let word = format!(
        "in {}   GR {}",
        text::level(read_db),
        text::level(-out.figures.reduction_db)
    );
    let font = theme::regular(size::SMALL);
    let at = plane.rect.right_bottom() + vec2(-8.0, -22.0);
    painter.text(at, Align2::RIGHT_BOTTOM, word, font, theme.heard);
}
