//! Health: what must stay at zero, how long blocks take, how full queues were, and where every byte is.

use super::{blocks, messages, treemap};
use crate::draw::{self, Button};
use crate::icon::{self, Icon};
use crate::model::Picture;
use crate::text;
use crate::theme::{self, Theme, faint, size, space};
use egui::{Align2, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::{HealthInfo, MemoryInfo};
use std::sync::Arc;

/// What the page remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Where one has walked to in the memory map, by names.
    path: Vec<String>,
    /// The map as a tree, and of which map.
    tree: Option<(Arc<MemoryInfo>, treemap::Node)>,
}

/// `[any]` Whether something happened on the audio thread that must not.
pub(super) fn is_violated(picture: &Picture) -> bool {
    picture.health.as_deref().is_some_and(|health| {
        health.allocations > 0
            || health.deallocations > 0
            || health.faults != [0, 0]
            || health.system_calls.is_some_and(|calls| calls > 0)
            || health.panics > 0
    })
}

/// `[main]` Draws the page.
pub(super) fn show(ui: &mut Ui, rect: Rect, memory: &mut Memory, picture: &Picture) {
    let Some(health) = picture.health.clone() else {
        let inner = draw::panel(ui, rect);
        let font = theme::regular(size::BODY);
        let word = "Nothing was measured yet.";
        let color = Theme::of(ui).dim;
        draw::write(
            ui.painter(),
            inner.center(),
            Align2::CENTER_CENTER,
            word,
            font,
            color,
            400.0,
        );
        return;
    };
    let gap = space::TINY;
    let cards = Rect::from_min_size(rect.min, vec2(rect.width(), 84.0));
    verdicts(ui, cards, &health);
    let left = rect.height() - cards.height() - 2.0 * gap;
    let middle = Rect::from_min_size(
        pos2(rect.min.x, cards.max.y + gap),
        vec2(rect.width(), (left * 0.48).clamp(130.0, 300.0)),
    );
    let split = middle.min.x + (middle.width() * 0.6).floor();
    let times = Rect::from_min_max(middle.min, pos2(split, middle.max.y));
    let queues = Rect::from_min_max(pos2(split + gap, middle.min.y), middle.max);
    blocks::show(ui, times, &health);
    marks(ui, queues, &health);
    let foot = Rect::from_min_max(pos2(rect.min.x, middle.max.y + gap), rect.max);
    if foot.height() > 60.0 {
        let map = Rect::from_min_max(foot.min, pos2(split, foot.max.y));
        map_panel(ui, map, memory, picture);
        let said = Rect::from_min_max(pos2(split + gap, foot.min.y), foot.max);
        messages::show(ui, said, &health);
    }
}

/// One thing that must stay at zero.
struct Verdict {
    name: &'static str,
    count: Option<u64>,
    /// It is promised to stay at zero; else it is only worth knowing.
    promised: bool,
    hint: String,
}

fn verdicts(ui: &mut Ui, rect: Rect, health: &HealthInfo) {
    let faults = health.faults[0].saturating_add(health.faults[1]);
    let all = [
        Verdict {
            name: "Allocations",
            count: Some(health.allocations.saturating_add(health.deallocations)),
            promised: true,
            hint: format!(
                "Allocations {} and frees {} on the audio thread{}",
                health.allocations,
                health.deallocations,
                health.violation.as_deref().map_or(String::new(), |first| {
                    format!("\n{}", first.chars().take(1_200).collect::<String>())
                })
            ),
        },
        Verdict {
            name: "Page faults",
            count: Some(faults),
            promised: true,
            hint: format!("Minor {}, major {}", health.faults[0], health.faults[1]),
        },
        Verdict {
            name: "System calls",
            count: health.system_calls,
            promised: true,
            hint: match health.system_calls {
                Some(_) => "Inside the guard".to_owned(),
                None => "Not trapped: start with --trap".to_owned(),
            },
        },
        Verdict {
            name: "Over deadline",
            count: Some(health.over_deadline),
            promised: false,
            hint: format!("Of {} blocks", text::count(health.blocks)),
        },
        Verdict {
            name: "Xruns",
            count: Some(health.xruns),
            promised: false,
            hint: format!("Gaps of the device; of the input {}", health.input_gaps),
        },
        Verdict {
            name: "Panics, NaN",
            count: Some(health.panics.saturating_add(health.non_finite_inputs)),
            promised: false,
            hint: format!(
                "Modules that panicked {}; input samples that were no numbers {}",
                health.panics, health.non_finite_inputs
            ),
        },
    ];
    let gap = space::TINY;
    let width = (rect.width() - gap * (all.len() - 1) as f32) / all.len() as f32;
    for (index, verdict) in all.into_iter().enumerate() {
        let left = rect.min + vec2(index as f32 * (width + gap), 0.0);
        card(
            ui,
            Rect::from_min_size(left, vec2(width, rect.height())),
            verdict,
        );
    }
}

fn card(ui: &mut Ui, rect: Rect, verdict: Verdict) {
    let theme = Theme::of(ui);
    let bad = verdict.count.is_some_and(|count| count > 0);
    let response = ui.interact(rect, ui.scope_id().with(verdict.name), Sense::hover());
    let figure = verdict
        .count
        .map_or_else(|| "\u{2013}".to_owned(), text::count);
    let label = format!("{} {figure}", verdict.name);
    let role = egui::accesskit::Role::Label;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
    let painter = ui.painter();
    let radius = f32::from(theme::RADIUS);
    let (fill, edge) = match (bad, verdict.promised) {
        (true, true) => (faint(theme.wrong, 0.25), theme.wrong),
        (true, false) => (theme.panel, theme.wrong),
        _ => (theme.panel, theme.panel),
    };
    let stroke = Stroke::new(1.5, edge);
    painter.rect(rect, radius, fill, stroke, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(12.0, 9.0));
    let room = inner.width();
    let font = theme::regular(size::SMALL);
    let at = inner.left_top();
    draw::write(
        painter,
        at,
        Align2::LEFT_TOP,
        verdict.name,
        font.clone(),
        theme.dim,
        room,
    );
    let at = inner.left_top() + vec2(0.0, 16.0);
    let strong = theme::strong(size::FIGURE);
    draw::write(
        painter,
        at,
        Align2::LEFT_TOP,
        &figure,
        strong,
        theme.text,
        room,
    );
    let (mark, word, color) = match (verdict.count, bad, verdict.promised) {
        (None, ..) => (None, "not watched", theme.dim),
        (_, true, true) => (Some(Icon::Cross), "broken", theme.wrong),
        (_, true, false) => (Some(Icon::Cross), "seen", theme.wrong),
        (_, false, true) if room > 96.0 => (Some(Icon::Tick), "as promised", theme.heard),
        (_, false, true) => (Some(Icon::Tick), "kept", theme.heard),
        (_, false, false) => (Some(Icon::Tick), "none", theme.heard),
    };
    let mut at = inner.left_bottom();
    let mut room = room;
    if let Some(mark) = mark {
        icon::draw(
            painter,
            icon::square(at + vec2(5.0, -7.0), 10.0),
            mark,
            color,
        );
        at.x += 16.0;
        room -= 16.0;
    }
    draw::write(
        painter,
        at,
        Align2::LEFT_BOTTOM,
        word,
        font,
        theme.dim,
        room,
    );
    response.on_hover_text(verdict.hint);
}

/// How high a line of what was fullest is, with the bar under it.
const MARK: f32 = 20.0;

/// Stack and queues: how full they ever were.
fn marks(ui: &mut Ui, rect: Rect, health: &HealthInfo) {
    let inner = draw::heading(ui, draw::panel(ui, rect), "Fullest ever");
    let theme = Theme::of(ui);
    let stack = health
        .stack
        .map(|(used, room)| ("stack".to_owned(), used, room, true));
    let marks = health
        .marks
        .iter()
        .map(|mark| (mark.name.clone(), mark.most, mark.room, false));
    let rows: Vec<_> = stack.into_iter().chain(marks).take(64).collect();
    draw::inside(ui, inner, "marks", |ui| {
        let area = egui::ScrollArea::vertical()
            .id_salt("marks")
            .auto_shrink(false);
        area.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (name, most, room, is_bytes) in rows {
                let width = ui.available_width();
                let (row, response) = ui.allocate_exact_size(vec2(width, MARK), Sense::hover());
                let share = most as f32 / room.max(1) as f32;
                let full = share >= 0.9;
                let painter = ui.painter();
                let font = theme::regular(size::SMALL);
                let figures = if is_bytes {
                    format!("{} of {}", text::bytes(most), text::bytes(room))
                } else {
                    format!("{} of {}", text::count(most), text::count(room))
                };
                let at = row.right_top() - vec2(0.0, 1.0);
                let written = draw::write(
                    painter,
                    at,
                    Align2::RIGHT_TOP,
                    &figures,
                    font.clone(),
                    theme.dim,
                    row.width() * 0.6,
                );
                let color = if full { theme.wrong } else { theme.text };
                let at = row.left_top() - vec2(0.0, 1.0);
                let words = written.min.x - at.x - space::SMALL;
                draw::write(painter, at, Align2::LEFT_TOP, &name, font, color, words);
                let bar = Rect::from_min_size(row.min + vec2(0.0, 15.0), vec2(row.width(), 2.5));
                painter.rect_filled(bar, 1.0, theme.raised);
                let mut filled = bar;
                filled.max.x = bar.min.x + bar.width() * share.clamp(0.0, 1.0);
                let color = if full { theme.wrong } else { theme.heard };
                painter.rect_filled(filled, 1.0, color);
                response.on_hover_text(format!("{name}: {figures}"));
            }
        });
    });
}

fn map_panel(ui: &mut Ui, rect: Rect, memory: &mut Memory, picture: &Picture) {
    let theme = Theme::of(ui);
    let inner = draw::panel(ui, rect);
    let Some(info) = &picture.memory else {
        draw::heading(ui, inner, "Memory map: not there yet");
        return;
    };
    let is_same = memory
        .tree
        .as_ref()
        .is_some_and(|(of, _)| Arc::ptr_eq(of, info));
    if !is_same {
        memory.tree = Some((Arc::clone(info), treemap::tree(info)));
    }
    let Some((_, root)) = &memory.tree else {
        return;
    };
    // The way may have gone with its owner.
    let mut node = root;
    let mut depth = 0;
    for name in &memory.path {
        let Some(child) = node.children.iter().find(|child| child.name == *name) else {
            break;
        };
        node = child;
        depth += 1;
    }
    memory.path.truncate(depth);
    let head = Rect::from_min_size(inner.min, vec2(inner.width(), 30.0));
    let mut back_to = None;
    draw::inside(ui, head, "way", |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = space::TINY;
            let names =
                std::iter::once(root.name.as_str()).chain(memory.path.iter().map(String::as_str));
            for (step, name) in names.enumerate() {
                let last = step == depth;
                if step > 0 {
                    ui.label(egui::RichText::new("\u{2192}").color(theme.dim));
                }
                if last {
                    let word = egui::RichText::new(name).font(theme::medium(size::BODY));
                    ui.label(word);
                } else if Button::new(ui, name, "Back").show(ui).clicked() {
                    back_to = Some(step);
                }
            }
            let word = format!(
                "{} of {} resident",
                text::bytes(node.bytes),
                text::bytes(info.resident_bytes)
            );
            ui.label(
                egui::RichText::new(word)
                    .font(theme::regular(size::SMALL))
                    .color(theme.dim),
            );
        });
    });
    let field = Rect::from_min_max(pos2(inner.min.x, head.max.y + space::TINY), inner.max);
    let into = treemap::show(ui, field, node).map(|index| node.children[index].name.clone());
    if let Some(step) = back_to {
        memory.path.truncate(step);
    }
    if let Some(name) = into {
        memory.path.push(name);
    }
    let back = ui.input_mut(|input| {
        depth > 0 && input.consume_key(egui::Modifiers::NONE, egui::Key::Escape)
    });
    if back {
        memory.path.pop();
    }
}
