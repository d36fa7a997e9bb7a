//! What the program has said, what its modules did that they should not, and what a recording lost.

use crate::draw;
use crate::icon::{self, Icon};
use crate::text::{self, cut};
use crate::theme::{self, Theme, size};
use egui::{Align2, Rect, Sense, Ui, vec2};
use headroom_ipc::HealthInfo;

/// Messages that are shown at the most, from the newest.
const MOST: usize = 100;

/// One line.
struct Line {
    mark: Option<Icon>,
    wrong: bool,
    text: String,
}

/// `[main]` Draws the panel: what stands at the moment, then the messages, the newest first.
pub(super) fn show(ui: &mut Ui, rect: Rect, health: &HealthInfo) {
    let inner = draw::heading(ui, draw::panel(ui, rect), "Messages");
    let lines = lines(health);
    draw::inside(ui, inner, "messages", |ui| {
        let area = egui::ScrollArea::vertical()
            .id_salt("messages")
            .auto_shrink(false);
        area.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for line in &lines {
                row(ui, line);
            }
        });
    });
}

fn lines(health: &HealthInfo) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |wrong, text| {
        let mark = if wrong { Icon::Cross } else { Icon::Tick };
        lines.push(Line {
            mark: Some(mark),
            wrong,
            text,
        });
    };
    if let Some((secs, lost)) = health.recording {
        let secs = if secs.is_finite() { secs.max(0.0) } else { 0.0 } as u64;
        let (minutes, secs) = (secs / 60, secs % 60);
        let lost_words = match lost {
            0 => "nothing lost".to_owned(),
            1 => "1 frame lost".to_owned(),
            _ => format!("{} frames lost", text::count(lost)),
        };
        say(
            lost > 0,
            format!("Recording {minutes}:{secs:02}, {lost_words}"),
        );
    }
    for (id, not_finite, _) in health.slots.iter().filter(|slot| slot.1 > 0).take(MOST) {
        let chunks = text::count(*not_finite);
        say(
            true,
            format!("{}: {chunks} chunks were no numbers", cut(id)),
        );
    }
    if health.reconnects > 0 {
        let times = text::count(health.reconnects);
        say(false, format!("Device lost and found again, {times} times"));
    }
    if !health.realtime {
        say(true, "No real-time priority".to_owned());
    }
    if !health.locked {
        say(true, "Memory is not locked".to_owned());
    }
    let said = health.messages.iter().rev().take(MOST).map(|text| Line {
        mark: None,
        wrong: false,
        text: text.clone(),
    });
    lines.extend(said);
    if lines.is_empty() {
        lines.push(Line {
            mark: Some(Icon::Tick),
            wrong: false,
            text: "Nothing to be said".to_owned(),
        });
    }
    lines
}

fn row(ui: &mut Ui, line: &Line) {
    let theme = Theme::of(ui);
    let font = theme::regular(size::SMALL);
    let room = ui.available_width() - 18.0;
    // A message is as long as it is: it goes on below.
    let shown: String = line.text.chars().take(400).collect();
    let color = if line.wrong { theme.wrong } else { theme.text };
    let galley = ui.painter().layout(shown, font, color, room.max(40.0));
    let height = galley.size().y;
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let role = egui::accesskit::Role::Label;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &line.text));
    let painter = ui.painter();
    let at = rect.min + vec2(6.0, 8.0);
    match line.mark {
        Some(mark) => {
            let color = if line.wrong { theme.wrong } else { theme.heard };
            icon::draw(painter, icon::square(at, 10.0), mark, color);
        }
        None => {
            let font = theme::regular(size::SMALL);
            painter.text(at, Align2::CENTER_CENTER, "\u{2022}", font, theme.dim);
        }
    }
    painter.galley(rect.min + vec2(18.0, 0.0), galley, color);
}
