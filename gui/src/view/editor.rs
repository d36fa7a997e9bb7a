//! The module that is worked on: its curve, and its controls.

use super::Screen;
use super::graph::{self, Subject};
use super::handle::MAX_HANDLES;
use crate::controls::{self, CELL, Control};
use crate::draw::{self, Button};
use crate::hands::Hands;
use crate::icon::{self, Icon};
use crate::model::{Picture, target};
use crate::text::cut;
use crate::theme::{self, Theme, size, space};
use egui::{Align, Align2, Layout, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::Command;
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
        heading(ui, (module, kind), picture, hands)
    });
    let below = Rect::from_min_max(pos2(inner.min.x, inner.min.y + HEAD), inner.max);
    if below.height() < 20.0 {
        return;
    }
    let mut controls = below;
    if let Some(curve) = picture.curve(place) {
        let rows = controls_height(screen, module, kind, below.width());
        // In a small window the curve gives way, as long as that lets all controls be seen.
        let share = if rows < below.height() * MOST_ROWS {
            1.0 - MOST_ROWS
        } else {
            0.5
        };
        let height = (below.height() - rows).max(below.height() * share);
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

/// How high all controls are, at most a few rows: the rest is scrolled.
fn controls_height(screen: &Screen, module: &ModuleInfo, kind: &KindInfo, width: f32) -> f32 {
    let (count, chips) = match chosen_handle(screen, module, kind) {
        Some((_, handle)) => {
            let in_handles = kind.handles.iter().take(MAX_HANDLES).flat_map(rows).count();
            let rest = kind.params.len().saturating_sub(in_handles);
            (rest + rows(handle).count(), 30.0 + 2.0 * space::TINY)
        }
        None => (kind.params.len(), 0.0),
    };
    let in_row = ((width / (CELL.x + space::TINY + 2.0)).floor() as usize).max(1);
    let lines = count.div_ceil(in_row).min(4);
    chips + lines as f32 * (CELL.y + space::TINY) + space::TINY
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

fn heading(
    ui: &mut Ui,
    (module, kind): (&ModuleInfo, &KindInfo),
    picture: &Picture,
    hands: &mut Hands,
) {
    let theme = Theme::of(ui);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::TINY + 2.0;
        let width = (ui.available_width() - 470.0).clamp(112.0, 320.0);
        let (rect, response) = ui.allocate_exact_size(vec2(width, 30.0), Sense::hover());
        let font = theme::strong(size::VALUE + 2.0);
        let name = cut(&kind.name);
        let at = rect.left_center();
        draw::write(
            ui.painter(),
            at,
            Align2::LEFT_CENTER,
            name,
            font,
            theme.text,
            width,
        );
        let rate_hz = picture.description.device.sample_rate_hz.max(1) as f32;
        let late_ms = module.latency_frames as f32 * 1_000.0 / rate_hz;
        let about = cut(&kind.about);
        response.on_hover_text(format!(
            "{about}\nLate by {} frames, {late_ms:.2} ms",
            module.latency_frames
        ));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let remove = Button {
                name: "Remove module",
                width: 32.0,
                ..Button::new(ui, "", "Remove: takes the module out; its echoes ring out")
            };
            let remove = remove.show(ui);
            let cross = icon::square(remove.rect.center(), 11.0);
            icon::draw(ui.painter(), cross, Icon::Cross, theme.text);
            if remove.clicked() {
                hands.act(Command::Remove {
                    module: module.id.clone(),
                });
            }
            learn(ui, module, picture, hands);
            let delta = picture.description.delta.as_deref() == Some(module.id.as_str());
            let button = Button::new(ui, "Delta", "Hear only what this module changes");
            if button.on(delta).show(ui).clicked() {
                hands.act(Command::Delta {
                    module: module.id.clone(),
                    on: !delta,
                });
            }
            let bypassed = picture.is_bypassed(hands, module);
            let button = Button {
                name: "Bypass",
                hue: theme.text,
                width: 84.0,
                ..Button::new(
                    ui,
                    if bypassed { "Bypassed" } else { "Bypass" },
                    "Sound passes as it is, equally late (B on its card)",
                )
            };
            if button.on(bypassed).show(ui).clicked() {
                hands.set(&target(module, "bypass"), if bypassed { 0.0 } else { 1.0 });
            }
            mix(ui, module, picture, hands);
        });
    });
}

/// The controller that is moved next moves what was touched last.
fn learn(ui: &mut Ui, module: &ModuleInfo, picture: &Picture, hands: &mut Hands) {
    let learning = picture.description.learning.clone();
    let touched = controls::chosen(ui);
    let touched = touched.filter(|target| {
        let own = target.strip_prefix(module.id.as_str());
        own.is_some_and(|rest| rest.starts_with('.'))
    });
    let on = learning.is_some();
    let hint = match (&learning, &touched) {
        (Some(target), _) => format!("Waits for a controller for {}", cut(target)),
        (None, Some(target)) => format!("The next controller that moves is for {}", cut(target)),
        (None, None) => "Touch a control first; then move a controller (L)".to_owned(),
    };
    let button = Button {
        name: "Learn MIDI controller",
        width: 62.0,
        ..Button::new(ui, "Learn", &hint)
    };
    if button.on(on).show(ui).clicked()
        && let Some(target) = learning.or(touched)
    {
        hands.act(Command::Learn { target, on: !on });
    }
}

/// The mix: a slider, since there is one for every module and it must be small. All else of it is as with
/// any parameter.
fn mix(ui: &mut Ui, module: &ModuleInfo, picture: &Picture, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let param = controls::mix_param();
    let control = Control::mix(picture, hands, module, &param);
    let (rect, response) = ui.allocate_exact_size(vec2(132.0, 30.0), Sense::click_and_drag());
    let value = control.shown.value;
    response.widget_info(|| egui::WidgetInfo::slider(true, f64::from(value), "Mix"));
    if response.drag_started() {
        hands.grasp(&control.target, value);
        response.request_focus();
    }
    if response.clicked() {
        response.request_focus();
    }
    let fine = if ui.input(|input| input.modifiers.shift) {
        0.1
    } else {
        1.0
    };
    let moved = response.drag_delta().x / 120.0 * fine;
    if response.dragged() && moved != 0.0 {
        hands.set(&control.target, control.range.clamp(value + moved));
    }
    if response.drag_stopped() {
        hands.release(&control.target);
    }
    control.keep_up(ui, &response, hands);
    let is_typed = control.typed(ui, &response, rect.shrink2(vec2(4.0, 3.0)), hands);
    let painter = ui.painter();
    let radius = f32::from(theme::SMALL_RADIUS);
    let bar = rect.shrink2(vec2(0.0, 2.0));
    let edge = if response.hovered() {
        theme.dim
    } else {
        theme.line
    };
    let stroke = Stroke::new(1.0, edge);
    painter.rect(bar, radius, theme.raised, stroke, StrokeKind::Inside);
    let foot = Rect::from_min_max(
        pos2(bar.min.x + 2.0, bar.max.y - 5.0),
        bar.max - vec2(2.0, 2.0),
    );
    let filled = Rect::from_min_size(foot.min, vec2(foot.width() * value, foot.height()));
    painter.rect_filled(filled, 1.5, theme.set);
    if !is_typed {
        let font = theme::regular(size::SMALL);
        let at = bar.left_center() + vec2(8.0, -2.0);
        draw::write(
            painter,
            at,
            Align2::LEFT_CENTER,
            "Mix",
            font,
            theme.dim,
            40.0,
        );
        let word = control.shown.text.clone();
        let at = bar.right_center() + vec2(-8.0, -2.0);
        let font = theme::medium(size::BODY);
        draw::write(
            painter,
            at,
            Align2::RIGHT_CENTER,
            &word,
            font,
            theme.text,
            90.0,
        );
    }
    draw::focus_ring(ui, &response, rect);
    control.menu(&response, hands);
    response.on_hover_text(format!(
        "How much of the module is heard; the rest is its input\n{}",
        control.hint()
    ));
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
    let of_handles: Vec<usize> = match chosen {
        Some(_) => kind
            .handles
            .iter()
            .take(MAX_HANDLES)
            .flat_map(rows)
            .collect(),
        None => Vec::new(),
    };
    let area = egui::ScrollArea::vertical()
        .id_salt(&module.id)
        .auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
        if let Some((index, _)) = chosen {
            chips(ui, screen, (module, kind), index, picture, hands);
        }
        ui.horizontal_wrapped(|ui| {
            if let Some((_, handle)) = chosen {
                let band = handle.on.and_then(|on| kind.params.get(usize::from(on)));
                for index in rows(handle) {
                    if let Some(mut control) = Control::new(picture, hands, module, kind, index) {
                        if let Some(band) = band {
                            control.name = short(control.name, &band.name);
                        }
                        control.show(ui, hands);
                    }
                }
            }
            let rest = (0..kind.params.len()).filter(|index| !of_handles.contains(index));
            for index in rest.take(MAX_CONTROLS) {
                if let Some(control) = Control::new(picture, hands, module, kind, index) {
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
