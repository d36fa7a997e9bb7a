//! The chain: every module in order, with its level, its gain reduction and its power. Drag to reorder;
//! Ctrl and an arrow does it by the keyboard.

use super::{Screen, add, master};
use crate::draw;
use crate::hands::Hands;
use crate::icon::{self, Icon};
use crate::levels::Level;
use crate::model::{Picture, target};
use crate::text::{self, cut};
use crate::theme::{self, Theme, faint, size, space};
use egui::{
    Align2, Key, Modifiers, Painter, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};
use headroom_ipc::Command;
use headroom_ipc::board::{KindInfo, ModuleInfo};

/// How high it is.
pub(super) const HEIGHT: f32 = 92.0;
const CARD: f32 = 150.0;

/// What the chain remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) search: String,
    /// The module that is dragged.
    dragged: Option<String>,
}

/// `[main]` Draws the chain.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
) {
    // The button stays where it is, however long the chain.
    let cards = picture.modules().count() as f32 * (CARD + space::TINY);
    let end = (rect.min.x + cards).min(rect.max.x - add::WIDTH - space::TINY);
    let button = Rect::from_min_max(pos2(end, rect.min.y), pos2(end + add::WIDTH, rect.max.y));
    draw::inside(ui, button, "add", |ui| {
        add::show(ui, screen, picture, hands)
    });
    let rect = Rect::from_min_max(rect.min, pos2(end - space::TINY, rect.max.y));
    draw::inside(ui, rect, "chain", |ui| {
        let area = egui::ScrollArea::horizontal()
            .id_salt("chain")
            .auto_shrink(false);
        area.show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = space::TINY;
            ui.horizontal(|ui| {
                let mut cards = Vec::new();
                for (place, module, kind) in picture.modules() {
                    let response = card(ui, screen, picture, hands, (place, module, kind));
                    cards.push((place, response));
                }
                drop_mark(ui, screen, picture, hands, &cards);
            });
        });
    });
}

fn card(
    ui: &mut Ui,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
    (place, module, kind): (usize, &ModuleInfo, &KindInfo),
) -> Response {
    let theme = Theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(CARD, HEIGHT - 10.0), Sense::hover());
    // By its name, so that the keyboard goes along with a card that is moved.
    let id = ui.scope_id().with((&module.id, "card"));
    let response = ui.interact(rect, id, Sense::click_and_drag());
    let bypassed = picture.is_bypassed(hands, module);
    let selected = screen.selected.as_deref() == Some(module.id.as_str());
    let name = cut(&kind.name);
    let label = format!(
        "{} {name}{}",
        place + 1,
        if bypassed { ", bypassed" } else { "" }
    );
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::accesskit::Role::Button, true, selected, &label)
    });
    if response.clicked() || response.drag_started() {
        screen.select(&module.id);
        // Keys are for what was touched last.
        response.request_focus();
    }
    if response.drag_started() {
        screen.chain.dragged = Some(module.id.clone());
    }
    by_key(ui, &response, picture, hands, (place, module));
    let power = power(ui, rect, module, name, bypassed, hands);
    if ui.is_rect_visible(rect) {
        let lifted = screen.chain.dragged.as_deref() == Some(module.id.as_str());
        let fill = if selected { theme.raised } else { theme.panel };
        let edge = match (lifted, selected, response.hovered()) {
            (true, ..) => theme.set,
            (_, true, _) => theme.text,
            (_, _, true) => theme.dim,
            _ => theme.line,
        };
        let width = if selected { 2.0 } else { 1.0 };
        let painter = ui.painter();
        let radius = f32::from(theme::RADIUS);
        let stroke = Stroke::new(width, edge);
        painter.rect(rect, radius, fill, stroke, StrokeKind::Inside);
        let color = if bypassed { theme.dim } else { theme.text };
        let font = theme::medium(size::VALUE);
        let at = rect.left_top() + vec2(10.0, 8.0);
        draw::write(
            painter,
            at,
            Align2::LEFT_TOP,
            name,
            font,
            color,
            rect.width() - 48.0,
        );
        let delta = picture.description.delta.as_deref() == Some(module.id.as_str());
        let word = match (bypassed, delta) {
            (true, _) => "bypassed",
            (_, true) => "delta only",
            _ => cut(&module.id),
        };
        let color = if delta && !bypassed {
            theme.set
        } else {
            theme.dim
        };
        let font = theme::regular(size::SMALL);
        let at = rect.left_top() + vec2(10.0, 29.0);
        draw::write(
            painter,
            at,
            Align2::LEFT_TOP,
            word,
            font,
            color,
            rect.width() - 20.0,
        );
        let level = picture.levels.lane(module.lane);
        let foot = Rect::from_min_max(
            rect.left_bottom() + vec2(10.0, -37.0),
            rect.max - vec2(10.0, 10.0),
        );
        meter(painter, theme, foot, level, kind.reduces);
        paint_power(ui, &power, bypassed);
        draw::focus_ring(ui, &response, rect);
    }
    response
}

fn power(
    ui: &Ui,
    card: Rect,
    module: &ModuleInfo,
    name: &str,
    bypassed: bool,
    hands: &mut Hands,
) -> Response {
    let rect = icon::square(card.right_top() + vec2(-19.0, 19.0), 28.0);
    let response = ui.interact(
        rect,
        ui.scope_id().with((&module.id, "power")),
        Sense::click(),
    );
    let role = egui::accesskit::Role::Switch;
    let label = format!("{name} on");
    response.widget_info(|| egui::WidgetInfo::selected(role, true, !bypassed, &label));
    if response.clicked() {
        hands.set(&target(module, "bypass"), if bypassed { 0.0 } else { 1.0 });
    }
    response
}

fn paint_power(ui: &Ui, response: &Response, bypassed: bool) {
    let theme = Theme::of(ui);
    let color = match (bypassed, response.hovered()) {
        (true, false) => theme.dim,
        (true, true) => theme.text,
        (false, _) => theme.set,
    };
    if response.hovered() || response.has_focus() {
        ui.painter()
            .circle_filled(response.rect.center(), 14.0, theme.line);
    }
    let picture = icon::square(response.rect.center(), 16.0);
    icon::draw(ui.painter(), picture, Icon::Power, color);
    draw::focus_ring(ui, response, response.rect);
}

/// Two bars for what comes out, and from the right what was taken away.
fn meter(painter: &Painter, theme: &Theme, rect: Rect, level: &Level, reduces: bool) {
    let height = 5.0;
    for channel in 0..2 {
        let y = rect.min.y + 2.0 + channel as f32 * (height + 2.0);
        let bar = Rect::from_min_size(pos2(rect.min.x, y), vec2(rect.width(), height));
        painter.rect_filled(bar, 2.0, theme.well);
        let x = |db: f32| rect.min.x + master::place(db) * rect.width();
        let until = |db: f32| Rect::from_min_max(bar.min, pos2(x(db), bar.max.y));
        painter.rect_filled(until(level.peak_db[channel]), 2.0, faint(theme.heard, 0.5));
        painter.rect_filled(until(level.rms_db[channel]), 2.0, theme.heard);
        let held = x(level.held_db[channel]);
        if held > rect.min.x + 1.0 {
            let color = if level.clipped {
                theme.wrong
            } else {
                theme.text
            };
            painter.vline(held, bar.y_range(), Stroke::new(1.5, color));
        }
    }
    let font = theme::regular(size::SMALL);
    let peak = level.held_db[0].max(level.held_db[1]);
    let word = if level.clipped {
        "CLIP".to_owned()
    } else {
        text::level(peak)
    };
    let color = if level.clipped {
        theme.wrong
    } else {
        theme.dim
    };
    let at = rect.left_bottom() + vec2(0.0, 4.0);
    draw::write(
        painter,
        at,
        Align2::LEFT_BOTTOM,
        &word,
        font.clone(),
        color,
        44.0,
    );
    if reduces {
        let bar = Rect::from_min_max(
            pos2(rect.center().x - 16.0, rect.max.y - 6.0),
            pos2(rect.max.x - 42.0, rect.max.y - 1.0),
        );
        painter.rect_filled(bar, 2.0, theme.well);
        let share = (level.reduction_db / 18.0).clamp(0.0, 1.0);
        let taken = Rect::from_min_max(pos2(bar.max.x - share * bar.width(), bar.min.y), bar.max);
        painter.rect_filled(taken, 2.0, theme.set);
        let word = text::level(-level.figures.reduction_db);
        let at = rect.right_bottom() + vec2(0.0, 4.0);
        draw::write(
            painter,
            at,
            Align2::RIGHT_BOTTOM,
            &word,
            font,
            theme.set,
            34.0,
        );
    }
}

fn by_key(
    ui: &Ui,
    response: &Response,
    picture: &Picture,
    hands: &mut Hands,
    (place, module): (usize, &ModuleInfo),
) {
    if !response.has_focus() {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let last = picture.description.modules.len().saturating_sub(1);
    let to = if pressed(Modifiers::COMMAND, Key::ArrowLeft) {
        place.checked_sub(1)
    } else if pressed(Modifiers::COMMAND, Key::ArrowRight) {
        Some(place + 1).filter(|to| *to <= last)
    } else {
        None
    };
    let module_id = || module.id.clone();
    if let Some(to) = to {
        hands.act(Command::Move {
            module: module_id(),
            index: to as u16,
        });
    }
    if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::NONE, Key::Backspace) {
        hands.act(Command::Remove {
            module: module_id(),
        });
    }
    if pressed(Modifiers::NONE, Key::B) {
        let bypassed = picture.is_bypassed(hands, module);
        hands.set(&target(module, "bypass"), if bypassed { 0.0 } else { 1.0 });
    }
}

/// Where the dragged module would go, and, when it is let go, its move.
fn drop_mark(
    ui: &Ui,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
    cards: &[(usize, Response)],
) {
    let Some(id) = screen.chain.dragged.clone() else {
        return;
    };
    let (Some(pointer), Some((from, _))) = (
        ui.input(|input| input.pointer.latest_pos()),
        picture.description.module(&id),
    ) else {
        screen.chain.dragged = None;
        return;
    };
    // The gap that is nearest: how many cards lie left of the pointer by their middle.
    let left = cards
        .iter()
        .filter(|(_, card)| card.rect.center().x < pointer.x);
    let gap = left.count();
    let to = if gap > from { gap - 1 } else { gap };
    let theme = Theme::of(ui);
    if to != from {
        let edge = match gap.checked_sub(1).and_then(|index| cards.get(index)) {
            Some((_, card)) => card.rect.max.x + 2.0,
            None => cards.first().map_or(0.0, |(_, card)| card.rect.min.x - 2.0),
        };
        let range = cards
            .first()
            .map_or_else(|| ui.max_rect().y_range(), |(_, card)| card.rect.y_range());
        ui.painter().vline(edge, range, Stroke::new(4.0, theme.set));
    }
    if ui.input(|input| input.pointer.any_released()) {
        screen.chain.dragged = None;
        if to != from {
            hands.act(Command::Move {
                module: id,
                index: to as u16,
            });
        }
    }
}
