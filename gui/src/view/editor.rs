//! The module that is worked on: its curve, and its controls.

use super::Screen;
use super::graph::{self, Subject};
use super::handle::MAX_HANDLES;
use super::heading;
use crate::controls::{self, CELL, Control};
use crate::draw;
use crate::hands::Hands;
use crate::model::Picture;
use crate::theme::{self, Theme, size, space};
use egui::{Align2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::board::{Handle, KindInfo, ModuleInfo};

/// How high the line with the module's name is.
const HEAD: f32 = 40.0;
/// The part of the editor that controls may take from the curve.
const MOST_ROWS: f32 = 0.68;
/// Controls of a damaged description are not drawn to their end.
const MAX_CONTROLS: usize = 256;

/// `[main]` Draws the module that is worked on.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
) {
    let inner = draw::panel(ui, rect);
    let found = screen
        .selected(picture)
        .and_then(|(place, module)| Some((place, module, picture.description.kind_of(module)?)));
    let Some((place, module, kind)) = found else {
        empty(ui, inner);
        return;
    };
    let head = Rect::from_min_max(inner.min, pos2(inner.max.x, inner.min.y + HEAD - 8.0));
    draw::inside(ui, head, "head", |ui| {
        heading::show(ui, (module, kind), picture, hands)
    });
    let below = Rect::from_min_max(pos2(inner.min.x, inner.min.y + HEAD), inner.max);
    if below.height() < 20.0 {
        return;
    }
    let mut controls = below;
    if let Some(curve) = picture.curve(place) {
        // In a small window the curve gives way to controls.
        let room = below.height() * MOST_ROWS;
        let rows = controls_height(screen, module, kind, (below.width(), room));
        let height = (below.height() - rows - space::SMALL).max(below.height() * 0.25);
        let graph = Rect::from_min_size(below.min, vec2(below.width(), height));
        controls.min.y = graph.max.y + space::SMALL;
        let subject = Subject {
            place,
            module,
            kind,
            curve,
        };
        draw::inside(ui, graph, "graph", |ui| {
            graph::show(ui, graph, screen, subject, picture, hands);
        });
    }
    draw::inside(ui, controls, "controls", |ui| {
        // The keyboard does not go over from one module's control to another's.
        ui.push_id(&module.id, |ui| {
            params(ui, screen, (module, kind), picture, hands);
        });
    });
}

/// How high the controls are: all of them, or as many whole rows as `room` has, and the rest is scrolled.
fn controls_height(
    screen: &Screen,
    module: &ModuleInfo,
    kind: &KindInfo,
    (width, room): (f32, f32),
) -> f32 {
    let chosen = chosen_handle(screen, module, kind).map(|(_, handle)| handle);
    let chips = chosen.map_or(0.0, |_| 30.0 + 2.0 * space::TINY);
    let shown = order(kind, chosen);
    let widths = shown.filter_map(|index| Some(controls::width(kind.params.get(index)?)));
    let (mut lines, mut left) = (0u8, 0.0);
    for wide in widths {
        if wide > left {
            lines = lines.saturating_add(1);
            left = width;
        }
        left -= wide + space::TINY;
    }
    let row = CELL.y + space::TINY;
    let fit = ((room - chips - space::TINY) / row).floor().max(1.0);
    chips + f32::from(lines).min(4.0).min(fit) * row + space::TINY
}

/// The parameters that are shown, in their order: those of the handle that was chosen, then those of none.
fn order(kind: &KindInfo, chosen: Option<&Handle>) -> impl Iterator<Item = usize> {
    let own: Vec<usize> = chosen.map(rows).into_iter().flatten().collect();
    let handles = kind.handles.iter().take(MAX_HANDLES);
    let in_handles: Vec<usize> = match chosen {
        Some(_) => handles.flat_map(rows).collect(),
        None => Vec::new(),
    };
    let rest = (0..kind.params.len()).filter(move |index| !in_handles.contains(index));
    own.into_iter().chain(rest.take(MAX_CONTROLS))
}

fn empty(ui: &Ui, rect: Rect) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let font = theme::strong(size::FIGURE);
    let at = rect.center() - vec2(0.0, 14.0);
    let width = rect.width();
    let word = "An empty rack";
    draw::write(
        painter,
        at,
        Align2::CENTER_CENTER,
        word,
        font,
        theme.text,
        width,
    );
    let at = rect.center() + vec2(0.0, 20.0);
    let font = theme::regular(size::BODY);
    let word = "Sound passes as it is. Add a module above, or load a preset.";
    draw::write(
        painter,
        at,
        Align2::CENTER_CENTER,
        word,
        font,
        theme.dim,
        width,
    );
}

/// The handle whose controls are shown: of a module that has several.
fn chosen_handle<'a>(
    screen: &Screen,
    module: &ModuleInfo,
    kind: &'a KindInfo,
) -> Option<(usize, &'a Handle)> {
    if kind.handles.len() < 2 {
        return None;
    }
    let index = screen.handles.get(&module.id).copied().unwrap_or(0);
    let index = index.min(kind.handles.len().min(MAX_HANDLES) - 1);
    Some((index, &kind.handles[index]))
}

fn rows(handle: &Handle) -> impl Iterator<Item = usize> {
    [handle.on, handle.choice, handle.x, handle.y, handle.wheel]
        .into_iter()
        .flatten()
        .map(usize::from)
}

fn params(
    ui: &mut Ui,
    screen: &mut Screen,
    (module, kind): (&ModuleInfo, &KindInfo),
    picture: &Picture,
    hands: &mut Hands,
) {
    let chosen = chosen_handle(screen, module, kind);
    let area = egui::ScrollArea::vertical()
        .id_salt(&module.id)
        .auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
        if let Some((index, _)) = chosen {
            chips(ui, screen, (module, kind), index, picture, hands);
        }
        ui.horizontal_wrapped(|ui| {
            let handle = chosen.map(|(_, handle)| handle);
            let own = handle.map_or(0, |handle| rows(handle).count());
            let band = handle.and_then(|handle| kind.params.get(usize::from(handle.on?)));
            for (place, index) in order(kind, handle).enumerate() {
                if let Some(mut control) = Control::new(picture, hands, module, kind, index) {
                    if let Some(band) = band.filter(|_| place < own) {
                        control.name = short(control.name, &band.name);
                    }
                    control.show(ui, hands);
                }
            }
        });
    });
}

/// `Band 1 gain` under `Band 1` is `gain`; the switch itself is `Active`.
fn short<'a>(name: &'a str, band: &str) -> &'a str {
    match name.strip_prefix(band).map(str::trim) {
        Some("") => "Active",
        Some(rest) => rest,
        None => name,
    }
}

fn chips(
    ui: &mut Ui,
    screen: &mut Screen,
    (module, kind): (&ModuleInfo, &KindInfo),
    chosen: usize,
    picture: &Picture,
    hands: &Hands,
) {
    let theme = Theme::of(ui);
    ui.horizontal_wrapped(|ui| {
        for (index, handle) in kind.handles.iter().take(MAX_HANDLES).enumerate() {
            let on = handle.on.map(usize::from);
            let on = on.and_then(|on| Control::new(picture, hands, module, kind, on));
            let is_on = on.as_ref().is_none_or(|on| on.shown.value > 0.5);
            let (rect, response) = ui.allocate_exact_size(vec2(38.0, 30.0), Sense::click());
            let role = egui::accesskit::Role::Tab;
            let label = format!("Handle {}{}", index + 1, if is_on { "" } else { ", off" });
            response
                .widget_info(|| egui::WidgetInfo::selected(role, true, index == chosen, &label));
            if response.clicked() {
                screen.handles.insert(module.id.clone(), index);
            }
            let painter = ui.painter();
            let radius = f32::from(theme::SMALL_RADIUS);
            let fill = if index == chosen {
                theme.line
            } else {
                theme.raised
            };
            let edge = if index == chosen {
                theme.text
            } else {
                theme.line
            };
            let stroke = Stroke::new(if index == chosen { 2.0 } else { 1.0 }, edge);
            painter.rect(rect, radius, fill, stroke, StrokeKind::Inside);
            let color = if is_on { theme.text } else { theme.dim };
            let font = theme::medium(size::BODY);
            let at = rect.center() - vec2(5.0, 0.0);
            painter.text(
                at,
                Align2::CENTER_CENTER,
                (index + 1).to_string(),
                font,
                color,
            );
            let dot = rect.center() + vec2(9.0, 0.0);
            if is_on {
                painter.circle_filled(dot, 3.5, theme.set);
            } else {
                painter.circle_stroke(dot, 3.0, Stroke::new(1.0, theme.dim));
            }
            draw::focus_ring(ui, &response, rect);
        }
    });
}
