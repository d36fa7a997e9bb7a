//! Small things that several views draw.

use crate::text::cut;
use crate::theme::{self, Theme, faint};
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, FontId, Galley, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui,
    pos2, vec2,
};
use std::borrow::Cow;
use std::sync::Arc;

/// `[main]` `text` on one line of at most `width` points, with dots where it was cut.
pub(crate) fn line(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(cut(text).replace('\n', " "), font, color);
    job.wrap = TextWrapping::truncate_at_width(width.max(8.0));
    painter.layout_job(job)
}

/// `[main]` Writes `text` at `place`, at most `width` points wide; gives back where it stands.
pub(crate) fn write(
    painter: &Painter,
    place: Pos2,
    anchor: Align2,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
) -> Rect {
    let galley = line(painter, text, font, color, width);
    let rect = anchor.anchor_size(place, galley.size());
    painter.galley(rect.min, galley, color);
    rect
}

/// `[main]` Writes the first of `words` that is at most `width` points wide; nothing if none is.
pub(crate) fn first_that_fits(
    painter: &Painter,
    place: Pos2,
    words: &[String],
    font: FontId,
    color: Color32,
    width: f32,
) {
    let mut galleys = words
        .iter()
        .map(|word| painter.layout_no_wrap(cut(word).to_owned(), font.clone(), color));
    if let Some(galley) = galleys.find(|galley| galley.size().x <= width) {
        painter.galley(place, galley, color);
    }
}

/// `[main]` `text`, without as many of its first words as it takes to be at most `width` points wide: `Side-chain
/// high-pass` and `Side-chain corner` differ at their ends.
pub(crate) fn ending<'a>(
    painter: &Painter,
    text: &'a str,
    font: &FontId,
    width: f32,
) -> Cow<'a, str> {
    let fits = |word: &str| {
        let galley = painter.layout_no_wrap(word.to_owned(), font.clone(), Color32::PLACEHOLDER);
        galley.size().x <= width
    };
    let text = cut(text);
    if fits(text) {
        return text.into();
    }
    let mut rest = text;
    while let Some((_, fewer)) = rest.split_once(' ') {
        rest = fewer.trim_start();
        let word = format!("\u{2026} {rest}");
        if fits(&word) {
            return word.into();
        }
    }
    text.into()
}

/// `[main]` `text` on at most `rows` lines of at most `width` points, with dots where it was cut.
pub(crate) fn paragraph(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    width: f32,
    rows: usize,
) -> Arc<Galley> {
    let mut job = LayoutJob::simple(text.replace('\n', " "), font, color, width.max(8.0));
    job.wrap.max_rows = rows;
    painter.layout_job(job)
}

/// `[main]` Writes `text` from `place` down, on as many lines as `room` has, with dots where it was cut.
pub(crate) fn lines(
    painter: &Painter,
    place: Pos2,
    text: &str,
    font: FontId,
    color: Color32,
    room: egui::Vec2,
) {
    let height = painter.fonts_mut(|fonts| fonts.row_height(&font));
    let rows = ((room.y / height.max(1.0)) as usize).clamp(1, 4);
    let galley = paragraph(painter, cut(text), font, color, room.x, rows);
    painter.galley(place, galley, color);
}

/// `[main]` The ring around what has the keyboard.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, Theme::of(ui).text);
        let rect = rect.expand(1.0);
        ui.painter().rect_stroke(
            rect,
            f32::from(theme::SMALL_RADIUS),
            stroke,
            StrokeKind::Inside,
        );
    }
}

/// A button of our own: a word, on a raised ground, filled with `hue` when it is on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Button<'a> {
    /// What is written on it.
    pub(crate) word: &'a str,
    /// What a screen reader says.
    pub(crate) name: &'a str,
    /// What it does, on hovering.
    pub(crate) hint: &'a str,
    /// On, off, or neither.
    pub(crate) on: Option<bool>,
    /// Its colour when it is on.
    pub(crate) hue: Color32,
    /// It can be pressed.
    pub(crate) enabled: bool,
    /// Least width.
    pub(crate) width: f32,
}

impl<'a> Button<'a> {
    /// A button that can be pressed.
    pub(crate) fn new(ui: &Ui, word: &'a str, hint: &'a str) -> Self {
        Self {
            word,
            name: word,
            hint,
            on: None,
            hue: Theme::of(ui).set,
            enabled: true,
            width: 0.0,
        }
    }

    /// It is on or off.
    pub(crate) fn on(mut self, on: bool) -> Self {
        self.on = Some(on);
        self
    }

    /// `[main]` Draws it, and says whether it was pressed.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let theme = Theme::of(ui);
        let on = self.on == Some(true);
        let color = match (self.enabled, on) {
            (false, _) => faint(theme.dim, 0.5),
            (true, true) => theme.on_hue,
            (true, false) => theme.text,
        };
        let font = theme::medium(theme::size::BODY);
        let galley = line(ui.painter(), self.word, font, color, 260.0);
        let size = vec2((galley.size().x + 20.0).max(self.width), 30.0);
        let sense = if self.enabled {
            Sense::click()
        } else {
            Sense::hover()
        };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        let role = egui::accesskit::Role::Button;
        response.widget_info(|| match self.on {
            Some(on) => egui::WidgetInfo::selected(role, self.enabled, on, self.name),
            None => egui::WidgetInfo::labeled(role, self.enabled, self.name),
        });
        if ui.is_rect_visible(rect) {
            let fill = if on { self.hue } else { theme.raised };
            let edge = if on {
                self.hue
            } else if response.hovered() && self.enabled {
                theme.dim
            } else {
                theme.line
            };
            let radius = f32::from(theme::SMALL_RADIUS);
            let stroke = Stroke::new(1.0, edge);
            ui.painter()
                .rect(rect, radius, fill, stroke, StrokeKind::Inside);
            let at = rect.center() - galley.size() / 2.0;
            ui.painter().galley(at, galley, color);
            focus_ring(ui, &response, rect);
        }
        if self.hint.is_empty() {
            response
        } else {
            response.on_hover_text(self.hint)
        }
    }
}

/// `[main]` A panel of its own in `rect`; draws the ground and gives the part inside its edges.
pub(crate) fn panel(ui: &Ui, rect: Rect) -> Rect {
    let theme = Theme::of(ui);
    ui.painter()
        .rect_filled(rect, f32::from(theme::RADIUS), theme.panel);
    rect.shrink(theme::space::MEDIUM)
}

/// `[main]` A well for a graph or a meter.
pub(crate) fn well(ui: &Ui, rect: Rect) {
    let theme = Theme::of(ui);
    let stroke = Stroke::new(1.0, theme.line);
    let radius = f32::from(theme::SMALL_RADIUS);
    ui.painter()
        .rect(rect, radius, theme.well, stroke, StrokeKind::Inside);
}

/// `[main]` A heading inside a panel, at its top; gives what is left below.
pub(crate) fn heading(ui: &Ui, rect: Rect, text: &str) -> Rect {
    let theme = Theme::of(ui);
    let font = theme::medium(theme::size::BODY);
    let at = rect.left_top();
    write(
        ui.painter(),
        at,
        Align2::LEFT_TOP,
        text,
        font,
        theme.dim,
        rect.width(),
    );
    let mut left = rect;
    left.min.y = (rect.min.y + 24.0).min(rect.max.y);
    left
}

/// How far beside a line a point may lie and not be missed, in points.
const UNSEEN: f32 = 0.12;

/// `[main]` A polyline from points that may be anything: what is not finite breaks it.
pub(crate) fn polyline(painter: &Painter, points: impl IntoIterator<Item = Pos2>, stroke: Stroke) {
    let mut run: Vec<Pos2> = Vec::new();
    // A point on the line between its neighbours is not seen, and each costs a dozen triangles.
    let push = |run: &mut Vec<Pos2>, point: Pos2| {
        if let [.., before, last] = run[..] {
            let way = point - before;
            let aside = way.x * (last.y - before.y) - way.y * (last.x - before.x);
            let forward = way.dot(last - before) >= 0.0 && way.dot(point - last) >= 0.0;
            if forward && aside.abs() < UNSEEN * way.length() && way.length() < 24.0 {
                run.pop();
            }
        }
        run.push(point);
    };
    let flush = |run: &mut Vec<Pos2>| {
        if run.len() > 1 {
            painter.line(std::mem::take(run), stroke);
        }
        run.clear();
    };
    for point in points {
        if point.x.is_finite() && point.y.is_finite() {
            push(&mut run, point);
        } else {
            flush(&mut run);
        }
    }
    flush(&mut run);
}

/// `[main]` The area between `points`, x rising, and the horizontal at `base`: one mesh.
pub(crate) fn area(
    painter: &Painter,
    points: impl IntoIterator<Item = Pos2>,
    base: f32,
    color: Color32,
) {
    let mut mesh = egui::Mesh::default();
    let mut last: Option<u32> = None;
    for point in points {
        if !(point.x.is_finite() && point.y.is_finite()) {
            last = None;
            continue;
        }
        let first = mesh.vertices.len() as u32;
        mesh.colored_vertex(point, color);
        mesh.colored_vertex(pos2(point.x, base), color);
        if let Some(last) = last {
            mesh.add_triangle(last, last + 1, first);
            mesh.add_triangle(last + 1, first, first + 1);
        }
        last = Some(first);
    }
    if !mesh.is_empty() {
        painter.add(mesh);
    }
}

/// `[main]` A child at `rect` in which widgets are laid out.
pub(crate) fn inside<R>(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    contents: impl FnOnce(&mut Ui) -> R,
) -> R {
    let builder = egui::UiBuilder::new().max_rect(rect).id_salt(name);
    let mut child = ui.new_child(builder);
    child.set_clip_rect(rect.expand(2.0).intersect(ui.clip_rect()));
    contents(&mut child)
}
