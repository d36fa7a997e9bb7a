//! The bar at the top: which rack this is, A and B, undo and redo, the tempo, how it stands, record, mute.

use super::{Page, Screen, tempo};
use crate::draw::{self, Button};
use crate::hands::Hands;
use crate::icon::{self, Icon};
use crate::model::{Link, Note, Picture};
use crate::text::{self, cut};
use crate::theme::{self, Theme, size, space};
use egui::{Align, Align2, Layout, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::Command;

/// How high it is.
pub(super) const HEIGHT: f32 = 46.0;

/// `[main]` Draws the bar.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
) {
    let inner = rect.shrink2(vec2(space::SMALL, space::SMALL));
    draw::inside(ui, inner, "bar", |ui| {
        ui.spacing_mut().item_spacing.x = space::TINY + 2.0;
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            name(ui, screen, picture);
            compare(ui, picture, hands);
            history(ui, picture, hands);
            tempo::show(ui, &mut screen.taps, picture, hands);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                sound(ui, picture, hands);
                standing(ui, picture);
            });
        });
    });
}

fn name(ui: &mut Ui, screen: &mut Screen, picture: &Picture) {
    let theme = Theme::of(ui);
    let description = &picture.description;
    let width = (ui.available_width() * 0.26).clamp(110.0, 260.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 30.0), Sense::click());
    let title = match cut(&description.rack) {
        "" => "No rack",
        name => name,
    };
    let role = egui::accesskit::Role::Button;
    let label = format!("Rack {title}, open presets");
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
    if response.clicked() {
        screen.page = Page::Presets;
    }
    let font = theme::strong(size::VALUE);
    let at = rect.left_center();
    let room = width - 12.0;
    let written = draw::write(
        ui.painter(),
        at,
        Align2::LEFT_CENTER,
        title,
        font,
        theme.text,
        room,
    );
    if description.is_changed {
        // An asterisk: changed since it was loaded or saved.
        let at = written.right_top() + vec2(2.0, 0.0);
        ui.painter().text(
            at,
            Align2::LEFT_TOP,
            "*",
            theme::strong(size::VALUE),
            theme.set,
        );
    }
    draw::focus_ring(ui, &response, rect);
    let changed = if description.is_changed {
        ", changed"
    } else {
        ""
    };
    response.on_hover_text(format!("{title}{changed}"));
}

fn compare(ui: &mut Ui, picture: &Picture, hands: &mut Hands) {
    for (slot, word) in [(0, "A"), (1, "B")] {
        let on = picture.has_rack() && picture.description.compared == slot;
        let mut button = Button::new(ui, word, "Compare two racks (C)").on(on);
        button.name = if slot == 0 { "Compare A" } else { "Compare B" };
        button.width = 30.0;
        button.hue = Theme::of(ui).text;
        button.enabled = picture.has_rack();
        if button.show(ui).clicked() && !on {
            hands.act(Command::Compare { slot });
        }
    }
}

fn history(ui: &mut Ui, picture: &Picture, hands: &mut Hands) {
    let description = &picture.description;
    for (icon, name, step, command) in [
        (Icon::Undo, "Undo", &description.undo, Command::Undo),
        (Icon::Redo, "Redo", &description.redo, Command::Redo),
    ] {
        let button = Button {
            name,
            enabled: step.is_some() && picture.has_rack(),
            width: 32.0,
            ..Button::new(ui, "", "")
        };
        let enabled = button.enabled;
        let response = button.show(ui);
        if response.clicked() {
            hands.act(command);
        }
        let theme = Theme::of(ui);
        let color = if enabled {
            theme.text
        } else {
            theme::faint(theme.dim, 0.5)
        };
        icon::draw(
            ui.painter(),
            icon::square(response.rect.center(), 15.0),
            icon,
            color,
        );
        let hint = match step {
            Some(what) => format!("{name}: {}", cut(what)),
            None => format!("Nothing to {}", name.to_lowercase()),
        };
        response.on_hover_text(hint);
    }
}

fn sound(ui: &mut Ui, picture: &Picture, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let description = &picture.description;
    let muted = description.muted;
    let mut button = Button::new(
        ui,
        if muted { "Muted" } else { "Mute" },
        "Mute the output (M)",
    );
    button.name = "Mute";
    button.enabled = picture.has_rack();
    button.hue = theme.wrong;
    button.width = 62.0;
    if button.on(muted).show(ui).clicked() {
        hands.act(Command::Mute { on: !muted });
    }
    // A host records by itself.
    if picture.is_in_host() {
        return;
    }
    let on = description.recording;
    let health = picture.health.as_deref();
    let secs = health
        .and_then(|health| health.recording)
        .map_or(0.0, |(secs, _)| secs);
    let word = if on && secs.is_finite() {
        let secs = secs.clamp(0.0, 359_999.0) as u64;
        format!("Rec {}:{:02}", secs / 60, secs % 60)
    } else {
        "Record".to_owned()
    };
    let button = Button {
        name: "Record",
        enabled: picture.has_rack(),
        hue: theme.wrong,
        width: 70.0,
        ..Button::new(ui, &word, "Record input and output to files (R)")
    };
    if button.on(on).show(ui).clicked() {
        hands.act(Command::Record { on: !on });
    }
}

/// What is said of how it stands, and whether it is wrong.
fn words(picture: &Picture) -> (String, bool) {
    let description = &picture.description;
    match picture.link {
        Link::Connecting => ("Looking for a rack".to_owned(), false),
        Link::Gone => ("Engine gone".to_owned(), true),
        Link::Stalled => ("Engine does not answer".to_owned(), true),
        _ if description.panic => ("Panic: silent".to_owned(), true),
        _ if description.device.waiting => ("Device lost, waiting".to_owned(), true),
        Link::NotCalled => ("Host is not calling".to_owned(), true),
        Link::Playing => {
            let rate_khz = description.device.sample_rate_hz as f32 / 1_000.0;
            let rate_hz = description.device.sample_rate_hz.max(1) as f32;
            let late_ms = description.latency_frames as f32 * 1_000.0 / rate_hz;
            (format!("{rate_khz:.1} kHz   {late_ms:.1} ms"), false)
        }
    }
}

fn standing(ui: &mut Ui, picture: &Picture) {
    let theme = Theme::of(ui);
    let (word, wrong) = words(picture);
    let width = ui.available_width();
    if width < 30.0 {
        return;
    }
    let color = if wrong { theme.wrong } else { theme.dim };
    let font = theme::regular(size::SMALL);
    let galley = draw::line(ui.painter(), &word, font, color, width - 14.0);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(14.0, 0.0), Sense::hover());
    let role = egui::accesskit::Role::Label;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &word));
    let dot = rect.left_center() + vec2(4.0, 0.0);
    match (wrong, picture.link) {
        (false, Link::Playing) => {
            ui.painter().circle_filled(dot, 3.5, theme.heard);
        }
        (true, _) => icon::draw(ui.painter(), icon::square(dot, 8.0), Icon::Cross, color),
        _ => {
            ui.painter()
                .circle_stroke(dot, 3.0, Stroke::new(1.5, color));
        }
    }
    ui.painter()
        .galley(rect.min + vec2(14.0, 0.0), galley, color);
    let device = &picture.description.device;
    let block = text::count(u64::from(device.block_frames));
    response.on_hover_text(format!(
        "{}\n{} to {}\n{} Hz, {block} frames a block\nThe rack is late by {} frames",
        cut(&picture.description.program),
        cut(&device.backend),
        cut(&device.output),
        device.sample_rate_hz,
        picture.description.latency_frames,
    ));
}

/// `[main]` Answers to commands, over the foot of the page.
pub(super) fn notes(ui: &Ui, page: Rect, picture: &Picture) {
    let theme = Theme::of(ui);
    let mut bottom = page.max.y - space::SMALL;
    for (place, note) in picture.notes.iter().enumerate().rev() {
        if note.until_secs < picture.now_secs {
            continue;
        }
        let font = theme::medium(size::BODY);
        let (color, mark) = if note.refused {
            (theme.wrong, Icon::Cross)
        } else {
            (theme.text, Icon::Tick)
        };
        let room = page.width() - 80.0;
        let galley = draw::paragraph(ui.painter(), &note.text, font, theme.text, room, 3);
        let size = galley.size() + vec2(48.0, 16.0);
        let center = pos2(page.center().x, bottom - size.y / 2.0);
        let rect = Rect::from_center_size(center, size);
        let painter = ui.painter();
        let stroke = Stroke::new(1.5, color);
        painter.rect(
            rect,
            f32::from(theme::RADIUS),
            theme.panel,
            stroke,
            StrokeKind::Inside,
        );
        icon::draw(
            painter,
            icon::square(rect.left_center() + vec2(18.0, 0.0), 12.0),
            mark,
            color,
        );
        painter.galley(rect.min + vec2(34.0, 8.0), galley, theme.text);
        say(ui, rect, place, note);
        bottom = rect.min.y - space::TINY;
    }
}

/// A screen reader says an answer when it comes, whatever it is at.
fn say(ui: &Ui, rect: Rect, place: usize, note: &Note) {
    let id = ui.scope_id().with(("note", place));
    let response = ui.interact(rect, id, Sense::hover());
    let role = egui::accesskit::Role::Label;
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &note.text));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_live(if note.refused {
            egui::accesskit::Live::Assertive
        } else {
            egui::accesskit::Live::Polite
        });
    });
}
