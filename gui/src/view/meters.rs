//! Meters: the spectrum large, loudness in figures, the stereo image and the wave.

use super::graph::{SPECTRUM_HIGH_DB, SPECTRUM_LOW_DB, spectrum_place};
use super::plot::{Plane, Scale};
use super::{Screen, scope};
use crate::draw::{self, Button};
use crate::model::Picture;
use crate::sound::Averaging;
use crate::spectrum::{COLUMNS, HIGH_HZ, LOW_HZ, Spectrum};
use crate::text::{self, SILENCE_DB};
use crate::theme::{self, Theme, faint, size, space};
use egui::{Align2, Rect, Stroke, Ui, pos2, vec2};
use headroom_ipc::Axis;

/// Tilts that may be chosen, in decibels per octave: none, pink noise, most music.
const SLOPES_DB: [f32; 3] = [0.0, 3.0, 4.5];

/// `[main]` Draws the page.
pub(super) fn show(ui: &mut Ui, rect: Rect, screen: &mut Screen, picture: &mut Picture) {
    let gap = space::TINY;
    let figures = Rect::from_min_size(rect.min, vec2(rect.width(), 92.0));
    let low = (rect.height() * 0.36).clamp(120.0, 300.0);
    let foot = Rect::from_min_max(pos2(rect.min.x, rect.max.y - low), rect.max);
    let middle = Rect::from_min_max(
        pos2(rect.min.x, figures.max.y + gap),
        pos2(rect.max.x, foot.min.y - gap),
    );
    loudness(ui, figures, picture);
    spectrum(ui, middle, screen, picture);
    scope::show(ui, foot, picture);
}

fn loudness(ui: &mut Ui, rect: Rect, picture: &mut Picture) {
    let inner = draw::panel(ui, rect);
    let theme = Theme::of(ui);
    let measured = picture.sound.loudness;
    let level = &picture.levels.master;
    let figure = |value: Option<f64>| {
        let value = value.filter(|value| value.is_finite() && *value > f64::from(SILENCE_DB) + 1.0);
        value.map_or_else(|| "\u{2013}".to_owned(), |value| format!("{value:.1}"))
    };
    let true_peak = measured.map(|loudness| loudness.true_peak_db);
    let over = true_peak.is_some_and(|peak| peak > -1.0);
    let rms_db = f64::from(level.figures.rms_db);
    let cells = [
        (
            "Momentary",
            figure(measured.map(|l| l.momentary)),
            "LUFS",
            false,
        ),
        (
            "Short-term",
            figure(measured.map(|l| l.short)),
            "LUFS",
            false,
        ),
        (
            "Integrated",
            figure(measured.map(|l| l.integrated)),
            "LUFS",
            false,
        ),
        (
            "Range",
            figure(measured.map(|l| l.range).filter(|range| *range > 0.0)),
            "LU",
            false,
        ),
        (
            "True peak",
            figure(true_peak),
            if over { "dBTP, above -1" } else { "dBTP" },
            over,
        ),
        ("RMS", figure(Some(rms_db)), "dBFS", false),
    ];
    let width = (inner.width() - 82.0) / cells.len() as f32;
    for (index, (name, value, unit, wrong)) in cells.into_iter().enumerate() {
        let left = inner.min + vec2(index as f32 * width, 0.0);
        let painter = ui.painter();
        let room = width - 6.0;
        let font = theme::regular(size::SMALL);
        draw::write(
            painter,
            left,
            Align2::LEFT_TOP,
            name,
            font.clone(),
            theme.dim,
            room,
        );
        let color = if wrong { theme.wrong } else { theme.text };
        let at = left + vec2(0.0, 17.0);
        let strong = theme::strong(size::FIGURE);
        draw::write(painter, at, Align2::LEFT_TOP, &value, strong, color, room);
        let color = if wrong { theme.wrong } else { theme.dim };
        let at = left + vec2(0.0, 51.0);
        draw::write(painter, at, Align2::LEFT_TOP, unit, font, color, room);
    }
    let button = Rect::from_min_size(inner.right_top() - vec2(78.0, 0.0), vec2(78.0, 30.0));
    draw::inside(ui, button, "restart", |ui| {
        let secs = measured
            .map_or(0.0, |loudness| loudness.secs)
            .clamp(0.0, 359_999.0) as u64;
        let hint = format!(
            "EBU R 128, measured by this screen for {}:{:02}. Press to begin anew",
            secs / 60,
            secs % 60
        );
        let button = Button {
            name: "Restart loudness",
            width: 76.0,
            ..Button::new(ui, "Restart", &hint)
        };
        if button.show(ui).clicked() {
            picture.sound.restart();
            picture.levels.clear();
        }
    });
    let secs = measured
        .map_or(0.0, |loudness| loudness.secs)
        .clamp(0.0, 359_999.0) as u64;
    let word = format!("{}:{:02}", secs / 60, secs % 60);
    let at = inner.right_top() + vec2(0.0, 51.0);
    let font = theme::regular(size::SMALL);
    draw::write(
        ui.painter(),
        at,
        Align2::RIGHT_TOP,
        &word,
        font,
        theme.dim,
        60.0,
    );
}

fn spectrum(ui: &mut Ui, rect: Rect, screen: &mut Screen, picture: &mut Picture) {
    let inner = draw::panel(ui, rect);
    let head = Rect::from_min_size(inner.min, vec2(inner.width(), 30.0));
    draw::inside(ui, head, "spectrum head", |ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        ui.horizontal(|ui| choices(ui, screen, picture));
    });
    let graph = Rect::from_min_max(pos2(inner.min.x, head.max.y + space::SMALL), inner.max);
    if graph.height() < 40.0 {
        return;
    }
    draw::well(ui, graph);
    let theme = Theme::of(ui);
    let plane = Plane {
        rect: graph.shrink(1.0),
        x: Scale::new(Axis::FrequencyHz, LOW_HZ, HIGH_HZ),
        y: Scale::new(Axis::Decibels, -SPECTRUM_LOW_DB, SPECTRUM_HIGH_DB),
    };
    let painter = ui.painter().with_clip_rect(plane.rect);
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
    let (before, after) = (&picture.sound.before, &picture.sound.after);
    if !before.is_silent() {
        draw::area(
            &painter,
            points(before, false).step_by(2),
            plane.rect.max.y,
            faint(theme.dim, 0.20),
        );
    }
    plane.grid(&painter, theme);
    if !after.is_silent() {
        draw::area(
            &painter,
            points(after, false).step_by(2),
            plane.rect.max.y,
            faint(theme.heard, 0.16),
        );
        draw::polyline(
            &painter,
            points(after, false),
            Stroke::new(2.0, theme.heard),
        );
    }
    if screen.is_holding {
        draw::polyline(&painter, points(after, true), Stroke::new(1.0, theme.text));
    }
}

fn choices(ui: &mut Ui, screen: &mut Screen, picture: &mut Picture) {
    let theme = Theme::of(ui);
    let caption = |ui: &mut Ui, word: &str| {
        ui.label(
            egui::RichText::new(word)
                .font(theme::regular(size::SMALL))
                .color(theme.dim),
        );
    };
    caption(ui, "Slope");
    for slope_db in SLOPES_DB {
        let word = if slope_db == 0.0 {
            "0".to_owned()
        } else {
            format!("{slope_db}")
        };
        let name = format!("Slope {slope_db} dB per octave");
        let on = screen.slope_db == slope_db;
        let button = Button {
            name: &name,
            width: 36.0,
            hue: theme.text,
            ..Button::new(ui, &word, "Tilt in dB per octave around 1 kHz")
        };
        if button.on(on).show(ui).clicked() {
            screen.slope_db = slope_db;
        }
    }
    ui.add_space(space::SMALL);
    caption(ui, "Average");
    for (averaging, word) in Averaging::ALL {
        let button = Button {
            hue: theme.text,
            ..Button::new(ui, word, "How fast the spectrum follows")
        };
        if button.on(screen.averaging == averaging).show(ui).clicked() {
            screen.averaging = averaging;
        }
    }
    ui.add_space(space::SMALL);
    let button = Button {
        hue: theme.text,
        ..Button::new(ui, "Hold", "Show what was highest")
    };
    if button.on(screen.is_holding).show(ui).clicked() {
        screen.is_holding = !screen.is_holding;
        picture.sound.clear();
    }
    if ui.available_width() > 190.0 {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let word = egui::RichText::new("after").font(theme::regular(size::SMALL));
            ui.label(word.color(theme.heard));
            ui.add_space(space::TINY);
            caption(ui, "before");
            ui.add_space(space::LARGE);
            let peak = picture.levels.master.figures.peak_db;
            caption(ui, &format!("peak {}", text::level(peak)));
        });
    }
}
