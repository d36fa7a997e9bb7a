//! The line above the module that is worked on: its name, its mix, what is done to all of it.

use crate::controls::{self, Control};
use crate::draw::{self, Button};
use crate::hands::Hands;
use crate::icon::{self, Icon};
use crate::model::{Picture, target};
use crate::text::cut;
use crate::theme::{self, Theme, size, space};
use egui::{Align, Align2, Layout, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::Command;
use headroom_ipc::board::{KindInfo, ModuleInfo};

/// `[main]` Draws the line.
pub(super) fn show(
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
            // A host moves parameters by controllers of its own.
            if !picture.is_in_host() {
                learn(ui, module, picture, hands);
            }
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
