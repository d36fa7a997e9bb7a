//! The tempo: a number that is dragged, turned by the wheel, typed or tapped. In a plugin it is the host's, and
//! only shown. A program that says none has none.

use crate::controls::{keys, typing, wheel};
use crate::draw::{self, Button};
use crate::hands::{Hands, TEMPO};
use crate::model::Picture;
use crate::theme::{self, Theme, size};
use egui::{Align2, PointerButton, Rect, Response, Sense, StrokeKind, Ui, vec2};
use headroom_ipc::{Command, TEMPO_BPM};

const WIDTH: f32 = 86.0;
const HEIGHT: f32 = 30.0;
const TAP_WIDTH: f32 = 44.0;
/// What must be left for what stands beside it.
const ROOM_BESIDE: f32 = 150.0;
/// Beats a minute for each point of a drag; a tenth with Shift.
const DRAG_BPM: f64 = 0.5;

/// Taps further apart than this are not of one row.
const PAUSE_SECS: f64 = 2.5;
/// So many are looked at, and no more: a hand follows the music.
const MOST_TAPS: usize = 8;
/// An interval that is off the others by more than this part begins anew.
const ODD: f64 = 0.4;

/// When it was tapped.
#[derive(Debug, Default)]
pub(super) struct Taps {
    at_secs: Vec<f64>,
}

impl Taps {
    /// `[main]` One more at this time; the beats a minute that they make, from the second on.
    fn tap(&mut self, now_secs: f64) -> Option<f64> {
        if let Some(last) = self.at_secs.last() {
            let gap = now_secs - last;
            let usual = self.mean_secs();
            if !(0.0..=PAUSE_SECS).contains(&gap) {
                self.at_secs.clear();
            } else if usual.is_some_and(|usual| (gap / usual - 1.0).abs() > ODD) {
                self.at_secs.drain(..self.at_secs.len() - 1);
            }
        }
        self.at_secs.push(now_secs);
        let surplus = self.at_secs.len().saturating_sub(MOST_TAPS);
        self.at_secs.drain(..surplus);
        Some(60.0 / self.mean_secs()?)
    }

    fn mean_secs(&self) -> Option<f64> {
        let (first, last) = (self.at_secs.first()?, self.at_secs.last()?);
        let gaps = self.at_secs.len() - 1;
        (gaps > 0 && last > first).then(|| (last - first) / gaps as f64)
    }
}

/// `[main]` One tap: by the button or by the key.
pub(super) fn tap(ui: &Ui, taps: &mut Taps, picture: &Picture, hands: &mut Hands) {
    let description = &picture.description;
    if description.tempo_is_hosts || !TEMPO_BPM.contains(&description.tempo_bpm) {
        return;
    }
    if let Some(bpm) = taps.tap(ui.input(|input| input.time)) {
        set(hands, bpm);
    }
}

/// By the tenth, which is as finely as it is shown.
fn set(hands: &mut Hands, bpm: f64) {
    let bpm = (bpm * 10.0).round() / 10.0;
    hands.set_tempo(bpm.clamp(*TEMPO_BPM.start(), *TEMPO_BPM.end()));
}

/// `[main]` Draws it where there is room.
pub(super) fn show(ui: &mut Ui, taps: &mut Taps, picture: &Picture, hands: &mut Hands) {
    let description = &picture.description;
    if !TEMPO_BPM.contains(&description.tempo_bpm) {
        return;
    }
    let is_hosts = description.tempo_is_hosts;
    let width = if is_hosts { WIDTH } else { WIDTH + TAP_WIDTH };
    if ui.available_width() < width + ROOM_BESIDE {
        return;
    }
    let bpm = hands.held(TEMPO).map_or(description.tempo_bpm, f64::from);
    if is_hosts {
        hosts(ui, bpm);
        return;
    }
    number(ui, bpm, hands);
    let button = Button {
        name: "Tap tempo",
        width: TAP_WIDTH,
        ..Button::new(ui, "Tap", "Tap the tempo (T)")
    };
    if button.show(ui).clicked() {
        tap(ui, taps, picture, hands);
    }
}

fn hosts(ui: &mut Ui, bpm: f64) {
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HEIGHT), Sense::hover());
    let role = egui::accesskit::Role::Label;
    let label = format!("Tempo {bpm:.1} BPM, set by the host");
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
    write(ui, rect, bpm, Theme::of(ui).dim);
    response.on_hover_text("The host's tempo");
}

fn number(ui: &mut Ui, bpm: f64, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, HEIGHT), Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::slider(true, bpm, "Tempo"));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(*TEMPO_BPM.start());
        node.set_max_numeric_value(*TEMPO_BPM.end());
        node.set_value(format!("{bpm:.1} BPM"));
        node.add_action(egui::accesskit::Action::Increment);
        node.add_action(egui::accesskit::Action::Decrement);
    });
    drag(ui, bpm, &response, hands);
    step(ui, bpm, &response, hands);
    if response.clicked() {
        response.request_focus();
    }
    let shown = format!("{bpm:.1}");
    if response.double_clicked() {
        typing::begin(ui, response.id, &shown);
    } else if response.has_focus() {
        typing::begin_by_key(ui, response.id, &shown);
    }
    let outcome = typing::show(ui, response.id, rect.shrink(2.0), "Tempo");
    if let typing::Outcome::Done(typed) = &outcome
        && let Some(bpm) = parse(typed)
    {
        if TEMPO_BPM.contains(&bpm) {
            hands.set_tempo(bpm);
        } else {
            // Said to be out of range, where commands are checked.
            hands.act(Command::Tempo { bpm });
        }
    }
    if outcome != typing::Outcome::Open {
        let painter = ui.painter();
        let radius = f32::from(theme::SMALL_RADIUS);
        let edge = egui::Stroke::new(1.0, theme.line);
        painter.rect(rect, radius, theme.raised, edge, StrokeKind::Inside);
        write(ui, rect, bpm, theme.text);
        draw::focus_ring(ui, &response, rect);
    }
    response
        .on_hover_text("Tempo\nDrag or wheel; Shift: fine; double-click or Enter: type; T: tap");
}

fn write(ui: &Ui, rect: Rect, bpm: f64, color: egui::Color32) {
    let word = format!("{bpm:.1} BPM");
    let font = theme::medium(size::BODY);
    let room = rect.width() - 6.0;
    let (painter, at) = (ui.painter(), rect.center());
    draw::write(painter, at, Align2::CENTER_CENTER, &word, font, color, room);
}

fn drag(ui: &Ui, bpm: f64, response: &Response, hands: &mut Hands) {
    // Where the drag has come to, finer than what is set.
    let place = response.id.with("bpm");
    if response.drag_started_by(PointerButton::Primary) {
        ui.data_mut(|data| data.insert_temp(place, bpm));
        response.request_focus();
    }
    if !response.dragged_by(PointerButton::Primary) {
        return;
    }
    let moved = response.drag_delta();
    let fine = if ui.input(|input| input.modifiers.shift) {
        0.1
    } else {
        1.0
    };
    let by = f64::from(moved.x - moved.y) * DRAG_BPM * fine;
    if by != 0.0 {
        let from = ui.data(|data| data.get_temp::<f64>(place)).unwrap_or(bpm);
        let to = (from + by).clamp(*TEMPO_BPM.start(), *TEMPO_BPM.end());
        ui.data_mut(|data| data.insert_temp(place, to));
        set(hands, to);
    }
}

/// What the wheel over it and the keyboard on it do: a beat a minute, a tenth with Shift.
fn step(ui: &Ui, bpm: f64, response: &Response, hands: &mut Hands) {
    let mut steps = 0.0;
    if response.hovered() {
        steps += wheel(ui) * 0.5;
    }
    if response.has_focus() {
        steps += keys(ui, response);
    }
    ui.input(|input| {
        let count = |action| input.num_accesskit_action_requests(response.id, action) as f32;
        steps += count(egui::accesskit::Action::Increment);
        steps -= count(egui::accesskit::Action::Decrement);
    });
    if steps != 0.0 {
        set(hands, bpm + f64::from(steps));
    }
}

/// `128`, `93,5` or `174 bpm`.
fn parse(typed: &str) -> Option<f64> {
    let typed = typed.trim().to_lowercase().replace(',', ".");
    let number = typed.trim_end_matches("bpm").trim();
    number.parse().ok().filter(|bpm: &f64| bpm.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tapped(at_secs: &[f64]) -> Option<f64> {
        let mut taps = Taps::default();
        at_secs.iter().fold(None, |_, at| taps.tap(*at))
    }

    fn near(found: Option<f64>, bpm: f64) -> bool {
        found.is_some_and(|found| (found - bpm).abs() < 0.01)
    }

    #[test]
    fn taps_make_the_mean_of_what_lies_between_them() {
        assert_eq!(tapped(&[1.0]), None);
        assert!(near(tapped(&[1.0, 1.5]), 120.0));
        // A hand is not exact; the mean is.
        assert!(near(tapped(&[0.0, 0.52, 0.98, 1.53, 2.0]), 120.0));
    }

    #[test]
    fn a_pause_or_a_change_of_pace_begins_anew() {
        assert_eq!(tapped(&[0.0, 0.5, 1.0, 4.0]), None);
        assert!(near(tapped(&[0.0, 0.5, 1.0, 4.0, 5.0]), 60.0));
        assert!(near(tapped(&[0.0, 0.5, 1.0, 2.0]), 60.0));
        assert!(near(tapped(&[0.0, 0.5, 1.0, 1.25, 1.5]), 240.0));
    }

    #[test]
    fn old_taps_are_forgotten_and_a_clock_that_stands_makes_nothing() {
        let slow = (0..20).map(|tap| f64::from(tap) * 0.5);
        let quick = (1..=12).map(|tap| 9.5 + f64::from(tap) * 0.4);
        let all: Vec<f64> = slow.chain(quick).collect();
        assert!(near(tapped(&all), 150.0));
        assert_eq!(tapped(&[1.0, 1.0, 1.0]), None);
        assert_eq!(tapped(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn a_tempo_is_read_as_people_type_it() {
        assert_eq!(parse(" 128 "), Some(128.0));
        assert_eq!(parse("93,5"), Some(93.5));
        assert_eq!(parse("174.25 BPM"), Some(174.25));
        for bad in ["", "fast", "NaN", "inf", "1 2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
