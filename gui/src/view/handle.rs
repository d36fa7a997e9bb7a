//! What can be taken hold of on a curve. A handle says which parameters it moves; what they mean is the
//! module's business.

use super::Screen;
use super::graph::Subject;
use super::plot::{Plane, Scale, curve_at};
use crate::controls::{Control, keys, wheel};
use crate::draw;
use crate::hands::Hands;
use crate::model::Picture;
use crate::text::cut;
use crate::theme::{self, Theme, size};
use egui::{Align2, Key, Modifiers, Pos2, Rect, Response, Sense, Stroke, Ui, Vec2, pos2, vec2};
use headroom_ipc::Axis;
use headroom_ipc::board::Handle;

/// Handles of a damaged description are not drawn to their end.
pub(super) const MAX_HANDLES: usize = 32;
const RADIUS: f32 = 11.0;

/// One handle with its controls.
struct Grip<'a> {
    x: Option<Control<'a>>,
    y: Option<Control<'a>>,
    wheel: Option<Control<'a>>,
    on: Option<Control<'a>>,
    at: Pos2,
}

impl Grip<'_> {
    fn is_on(&self) -> bool {
        self.on.as_ref().is_none_or(|on| on.shown.value > 0.5)
    }
}

/// A parameter's value on an axis: `ms` on seconds, `Hz` on frequencies, `dB` on decibels. `None` where
/// the axis shows something else, as for a ratio.
fn on_axis(control: &Control<'_>, scale: &Scale) -> Option<f32> {
    let value = control.shown.value;
    Some(value * axis_factor(control, scale)?)
}

fn axis_factor(control: &Control<'_>, scale: &Scale) -> Option<f32> {
    match (scale.axis, control.param.unit.as_str()) {
        (Axis::FrequencyHz, "Hz") | (Axis::Decibels, "dB") | (Axis::Seconds, "s") => Some(1.0),
        (Axis::Seconds, "ms") => Some(0.001),
        _ => None,
    }
}

fn grip<'a>(
    plane: Plane,
    subject: Subject<'a>,
    picture: &Picture,
    hands: &Hands,
    handle: &Handle,
) -> Grip<'a> {
    let control = |index: Option<u16>| {
        let index = usize::from(index?);
        Control::new(picture, hands, subject.module, subject.kind, index)
    };
    let (x, y) = (control(handle.x), control(handle.y));
    let is_elsewhere = control(handle.x_unless).is_some_and(|instead| instead.shown.value > 0.5);
    let x = x.filter(|_| !is_elsewhere);
    let mut firsts = subject.curve.points.iter().map(|point| point.0);
    let first = firsts.find(|x| is_elsewhere && *x > plane.x.low());
    let middle = first.unwrap_or_else(|| plane.x.value(0.5));
    let at_x = x
        .as_ref()
        .and_then(|x| on_axis(x, &plane.x))
        .unwrap_or(middle);
    let own_y = y.as_ref().and_then(|y| on_axis(y, &plane.y));
    let at_y = own_y.or_else(|| curve_at(subject.curve, at_x));
    let at = plane.at(at_x, at_y.unwrap_or_else(|| plane.y.value(0.5)));
    let room = plane
        .rect
        .shrink2(Vec2::splat(RADIUS.min(plane.rect.height() / 3.0)));
    Grip {
        x,
        y,
        wheel: control(handle.wheel),
        on: control(handle.on),
        at: pos2(
            at.x.clamp(room.min.x, room.max.x.max(room.min.x)),
            at.y.clamp(room.min.y, room.max.y.max(room.min.y)),
        ),
    }
}

/// `[main]` Draws the handles of `subject` and lets them be moved.
pub(super) fn show(
    ui: &mut Ui,
    plane: Plane,
    screen: &mut Screen,
    subject: Subject<'_>,
    picture: &Picture,
    hands: &mut Hands,
) {
    let chosen = screen.handles.get(&subject.module.id).copied();
    let single = subject.kind.handles.len() == 1;
    for (index, handle) in subject.kind.handles.iter().take(MAX_HANDLES).enumerate() {
        let grip = grip(plane, subject, picture, hands, handle);
        let rect = Rect::from_center_size(grip.at, Vec2::splat(2.0 * RADIUS + 6.0));
        let id = ui.scope_id().with((&subject.module.id, "handle", index));
        let response = ui.interact(rect, id, Sense::click_and_drag());
        let name = format!("{} handle {}", cut(&subject.kind.name), index + 1);
        response.widget_info(|| {
            let role = egui::accesskit::Role::Button;
            egui::WidgetInfo::labeled(role, true, &name)
        });
        let touched = response.drag_started() || response.clicked() || response.gained_focus();
        if touched {
            screen.handles.insert(subject.module.id.clone(), index);
            response.request_focus();
        }
        drag(ui, plane, &grip, &response, hands);
        by_key(ui, &grip, &response, hands);
        let is_chosen = chosen == Some(index) && !single;
        paint(ui, &grip, &response, index, is_chosen, single);
        let hint = hint(&grip, &name);
        let words = hint.trim_start_matches(&name).trim_start();
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_description(words));
        response.on_hover_text(hint);
    }
}

fn hint(grip: &Grip<'_>, name: &str) -> String {
    let mut hint = name.to_owned();
    for control in [&grip.x, &grip.y, &grip.wheel].into_iter().flatten() {
        hint.push_str(&format!("\n{}: {}", control.name, control.shown.text));
    }
    hint
}

/// A gesture on up to two parameters at once.
fn drag(ui: &Ui, plane: Plane, grip: &Grip<'_>, response: &Response, hands: &mut Hands) {
    let axes = [(&grip.x, &plane.x, true), (&grip.y, &plane.y, false)];
    if response.drag_started() {
        for control in axes.iter().filter_map(|(control, ..)| control.as_ref()) {
            hands.grasp(&control.target, control.shown.value);
        }
    }
    if response.dragged() {
        let moved = response.drag_delta();
        let fine = if ui.input(|input| input.modifiers.shift) {
            0.1
        } else {
            1.0
        };
        for (control, scale, is_x) in axes {
            let Some(control) = control else {
                continue;
            };
            let by = if is_x {
                moved.x / plane.rect.width().max(1.0)
            } else {
                -moved.y / plane.rect.height().max(1.0)
            };
            if by == 0.0 {
                continue;
            }
            let value = match axis_factor(control, scale) {
                Some(factor) => {
                    let place = scale.fraction(control.shown.value * factor) + by * fine;
                    scale.value(place) / factor
                }
                None => control
                    .range
                    .value(control.range.fraction(control.shown.value) + by * fine),
            };
            let value = control.range.clamp(value);
            if value != control.shown.value {
                hands.set(&control.target, value);
            }
        }
    }
    if response.drag_stopped() {
        for control in axes.iter().filter_map(|(control, ..)| control.as_ref()) {
            hands.release(&control.target);
        }
    }
}

fn once(control: &Control<'_>, hands: &mut Hands, value: f32) {
    let value = control.range.clamp(value);
    if value != control.shown.value {
        hands.grasp(&control.target, control.shown.value);
        hands.set(&control.target, value);
        hands.release(&control.target);
    }
}

/// Wheel, double-click, arrows and space.
fn by_key(ui: &Ui, grip: &Grip<'_>, response: &Response, hands: &mut Hands) {
    if let Some(control) = &grip.wheel
        && response.hovered()
    {
        let steps = wheel(ui);
        if steps != 0.0 {
            once(
                control,
                hands,
                control.range.step(control.shown.value, steps),
            );
        }
    }
    if response.double_clicked() {
        if let Some(on) = grip.on.as_ref().filter(|on| on.shown.value < 0.5) {
            once(on, hands, 1.0);
        } else if let Some(y) = &grip.y {
            once(y, hands, y.range.default());
        }
    }
    if !response.has_focus() {
        return;
    }
    let arrows = |up, down| {
        ui.input_mut(|input| {
            let mut count = |modifiers, key| input.count_and_consume_key(modifiers, key) as f32;
            let whole = count(Modifiers::NONE, up) - count(Modifiers::NONE, down);
            let fine = count(Modifiers::SHIFT, up) - count(Modifiers::SHIFT, down);
            whole + 0.1 * fine
        })
    };
    for (control, up, down) in [
        (&grip.x, Key::ArrowRight, Key::ArrowLeft),
        (&grip.y, Key::ArrowUp, Key::ArrowDown),
        (&grip.wheel, Key::PageUp, Key::PageDown),
    ] {
        let steps = arrows(up, down);
        if let Some(control) = control
            && steps != 0.0
        {
            once(
                control,
                hands,
                control.range.step(control.shown.value, steps),
            );
        }
    }
    // Keeps the arrows from moving the focus.
    keys(ui, response);
    // A click by Space or Enter: no button went up.
    let space = response.clicked() && !ui.input(|input| input.pointer.any_released());
    if let Some(on) = &grip.on
        && space
    {
        once(on, hands, 1.0 - on.shown.value);
    }
}

fn paint(
    ui: &Ui,
    grip: &Grip<'_>,
    response: &Response,
    index: usize,
    is_chosen: bool,
    single: bool,
) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let lively = response.hovered() || response.dragged() || is_chosen;
    let radius = if lively { RADIUS } else { RADIUS - 1.5 };
    let number = (index + 1).to_string();
    let font = theme::strong(size::SMALL);
    if grip.is_on() {
        painter.circle_filled(grip.at, radius, theme.set);
        if is_chosen || response.has_focus() {
            painter.circle_stroke(grip.at, radius + 3.0, Stroke::new(2.0, theme.text));
        }
        if !single {
            painter.text(grip.at, Align2::CENTER_CENTER, number, font, theme.on_hue);
        }
    } else {
        let color = if lively { theme.text } else { theme.dim };
        painter.circle_filled(grip.at, radius, theme.well);
        painter.circle_stroke(grip.at, radius, Stroke::new(1.5, color));
        if is_chosen || response.has_focus() {
            painter.circle_stroke(grip.at, radius + 3.0, Stroke::new(2.0, theme.text));
        }
        painter.text(grip.at, Align2::CENTER_CENTER, number, font, color);
    }
    if response.dragged() {
        let words: Vec<&str> = [&grip.x, &grip.y]
            .into_iter()
            .flatten()
            .map(|control| control.shown.text.as_str())
            .collect();
        let word = words.join("   ");
        let font = theme::medium(size::BODY);
        let galley = draw::line(painter, &word, font, theme.text, 240.0);
        let at = grip.at + vec2(-galley.size().x / 2.0, -RADIUS - 28.0);
        let ground = Rect::from_min_size(at, galley.size()).expand2(vec2(8.0, 3.0));
        painter.rect_filled(ground, f32::from(theme::SMALL_RADIUS), theme.raised);
        painter.galley(at, galley, theme.text);
    }
}

/// `[main]` A double-click beside the handles: the first that is off is switched on there.
pub(super) fn wake(
    screen: &mut Screen,
    plane: Plane,
    at: Pos2,
    subject: Subject<'_>,
    picture: &Picture,
    hands: &mut Hands,
) {
    let (x, y) = plane.point(at);
    for (index, handle) in subject.kind.handles.iter().take(MAX_HANDLES).enumerate() {
        let grip = grip(plane, subject, picture, hands, handle);
        let Some(on) = grip.on.as_ref().filter(|on| on.shown.value < 0.5) else {
            continue;
        };
        once(on, hands, 1.0);
        for (control, scale, value) in [(&grip.x, &plane.x, x), (&grip.y, &plane.y, y)] {
            if let Some(control) = control
                && let Some(factor) = axis_factor(control, scale)
            {
                once(control, hands, value / factor);
            }
        }
        screen.handles.insert(subject.module.id.clone(), index);
        return;
    }
}
