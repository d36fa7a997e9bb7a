//! The device: what sound comes from and goes to, and what MIDI moves. Also how the screen looks.

use super::Screen;
use crate::draw::{self, Button};
use crate::hands::Hands;
use crate::model::Picture;
use crate::text::{self, cut};
use crate::theme::{self, Look, Theme, size, space};
use egui::{Rect, Ui, pos2, vec2};
use headroom_ipc::board::Description;
use headroom_ipc::{Command, DeviceWish};

/// Choices that are listed.
const MAX_CHOICES: usize = 200;

/// What the page remembers: what was chosen and not yet asked for.
#[derive(Debug, Default)]
pub(super) struct Memory {
    wish: DeviceWish,
}

/// `[main]` Draws the page.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    screen: &mut Screen,
    picture: &Picture,
    hands: &mut Hands,
) {
    let split = rect.min.x + (rect.width() * 0.56).floor();
    let left = Rect::from_min_max(rect.min, pos2(split, rect.max.y));
    let right = Rect::from_min_max(pos2(split + space::TINY, rect.min.y), rect.max);
    let middle = right.min.y + (right.height() - 132.0).max(80.0);
    let midi = Rect::from_min_max(right.min, pos2(right.max.x, middle));
    let look = Rect::from_min_max(pos2(right.min.x, middle + space::TINY), right.max);
    let inner = draw::heading(ui, draw::panel(ui, left), "Sound");
    draw::inside(ui, inner, "device", |ui| {
        let area = egui::ScrollArea::vertical()
            .id_salt("device")
            .auto_shrink(false);
        area.show(ui, |ui| form(ui, &mut screen.device.wish, picture, hands));
    });
    let inner = draw::heading(ui, draw::panel(ui, midi), "MIDI");
    draw::inside(ui, inner, "midi", |ui| bindings(ui, picture, hands));
    let inner = draw::heading(ui, draw::panel(ui, look), "Screen");
    draw::inside(ui, inner, "look", |ui| appearance(ui, screen));
}

fn caption(ui: &mut Ui, word: &str) {
    let theme = Theme::of(ui);
    let word = egui::RichText::new(word).font(theme::regular(size::SMALL));
    ui.label(word.color(theme.dim));
}

/// A list from which one may be chosen; empty is as it is.
fn choose(ui: &mut Ui, name: &str, wish: &mut String, now: &str, choices: &[String]) {
    caption(ui, name);
    let shown = if wish.is_empty() { now } else { wish.as_str() };
    let shown = if shown.is_empty() { "none" } else { cut(shown) }.to_owned();
    let width = (ui.available_width() - 8.0).clamp(80.0, 380.0);
    let list = egui::ComboBox::from_id_salt(name)
        .width(width)
        .truncate()
        .selected_text(&shown);
    let response = list.show_ui(ui, |ui| {
        for choice in choices.iter().take(MAX_CHOICES) {
            let is_now = choice == now && wish.is_empty() || choice == wish;
            if ui.selectable_label(is_now, cut(choice)).clicked() {
                *wish = if choice == now {
                    String::new()
                } else {
                    choice.clone()
                };
            }
        }
    });
    let response = response.response;
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, name));
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_description(shown));
}

fn numbers(ui: &mut Ui, name: &str, wish: &mut u32, now: u32, choices: &[u32], unit: &str) {
    caption(ui, name);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
        let mut all: Vec<u32> = choices.iter().copied().take(24).collect();
        if !all.contains(&now) && now > 0 {
            all.push(now);
            all.sort_unstable();
        }
        for choice in all {
            let on = if *wish == 0 {
                choice == now
            } else {
                choice == *wish
            };
            let word = text::count(u64::from(choice));
            let label = format!("{name} {choice} {unit}");
            let button = Button {
                name: &label,
                hue: Theme::of(ui).text,
                ..Button::new(ui, &word, "")
            };
            if button.on(on).show(ui).clicked() {
                *wish = if choice == now { 0 } else { choice };
            }
        }
    });
}

fn form(ui: &mut Ui, wish: &mut DeviceWish, picture: &Picture, hands: &mut Hands) {
    let description: &Description = &picture.description;
    let (device, choices) = (&description.device, &description.choices);
    ui.spacing_mut().item_spacing.y = 5.0;
    if device.waiting {
        let theme = Theme::of(ui);
        let word = "The device is lost. It is taken up again as soon as it is back.";
        ui.label(egui::RichText::new(word).color(theme.wrong));
    }
    if !device.changeable {
        facts(ui, picture);
        caption(
            ui,
            "The host decides on the device; it is shown here and changed there.",
        );
        return;
    }
    choose(
        ui,
        "Backend",
        &mut wish.backend,
        &device.backend,
        &choices.backends,
    );
    choose(
        ui,
        "Output",
        &mut wish.output,
        &device.output,
        &choices.outputs,
    );
    channels(ui, "Output channels", &mut wish.outputs, &device.outputs);
    choose(ui, "Input", &mut wish.input, &device.input, &choices.inputs);
    channels(ui, "Input channels", &mut wish.inputs, &device.inputs);
    numbers(
        ui,
        "Sample rate",
        &mut wish.sample_rate_hz,
        device.sample_rate_hz,
        &choices.rates_hz,
        "Hz",
    );
    numbers(
        ui,
        "Block",
        &mut wish.block_frames,
        device.block_frames,
        &choices.blocks_frames,
        "frames",
    );
    let block_frames = if wish.block_frames == 0 {
        device.block_frames
    } else {
        wish.block_frames
    };
    let rate_hz = if wish.sample_rate_hz == 0 {
        device.sample_rate_hz
    } else {
        wish.sample_rate_hz
    };
    let block_ms = f64::from(block_frames) * 1_000.0 / f64::from(rate_hz.max(1));
    caption(ui, &format!("A block lasts {block_ms:.2} ms"));
    ui.horizontal(|ui| {
        let is_new = *wish != DeviceWish::default();
        let button = Button {
            enabled: is_new,
            hue: Theme::of(ui).set,
            ..Button::new(
                ui,
                "Apply",
                "Sound stops for a moment; the rack stays as it is",
            )
        };
        if button.on(is_new).show(ui).clicked() {
            let wish = std::mem::take(wish);
            hands.act(Command::Device { wish });
        }
        let button = Button {
            enabled: is_new,
            ..Button::new(ui, "As it is", "Forget the changes")
        };
        if button.show(ui).clicked() {
            *wish = DeviceWish::default();
        }
    });
}

fn channels(ui: &mut Ui, name: &str, wish: &mut String, now: &str) {
    ui.horizontal(|ui| {
        caption(ui, name);
        let hint = if now.is_empty() { "1,2" } else { cut(now) }.to_owned();
        let edit = egui::TextEdit::singleline(wish)
            .hint_text(hint)
            .char_limit(24)
            .desired_width(90.0);
        let field = ui.add(edit);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, name)
        });
    });
}

fn facts(ui: &mut Ui, picture: &Picture) {
    let device = &picture.description.device;
    for (name, value) in [
        ("Backend", cut(&device.backend).to_owned()),
        ("Output", cut(&device.output).to_owned()),
        ("Input", cut(&device.input).to_owned()),
        (
            "Sample rate",
            format!("{} Hz", text::count(u64::from(device.sample_rate_hz))),
        ),
        (
            "Block",
            format!("{} frames", text::count(u64::from(device.block_frames))),
        ),
        ("Channels", device.channels.to_string()),
    ] {
        caption(ui, name);
        let value = if value.is_empty() {
            "none".to_owned()
        } else {
            value
        };
        ui.label(egui::RichText::new(value).font(theme::medium(size::BODY)));
    }
}

fn bindings(ui: &mut Ui, picture: &Picture, hands: &mut Hands) {
    let theme = Theme::of(ui);
    let description = &picture.description;
    if picture.is_in_host() {
        caption(ui, "The host moves parameters by its own controllers.");
        return;
    }
    let word = match &description.midi {
        Some(port) => format!("Listening to {}", cut(port)),
        None => "Nothing is listened to".to_owned(),
    };
    caption(ui, &word);
    if let Some(target) = &description.learning {
        let word = format!("Move a controller for {}", cut(target));
        ui.label(
            egui::RichText::new(word)
                .color(theme.set)
                .font(theme::medium(size::BODY)),
        );
        if Button::new(ui, "Stop learning", "").show(ui).clicked() {
            hands.act(Command::Learn {
                target: target.clone(),
                on: false,
            });
        }
    }
    let area = egui::ScrollArea::vertical()
        .id_salt("bindings")
        .auto_shrink(false);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::TINY;
        for (target, by) in description.bindings.iter().take(256) {
            ui.horizontal(|ui| {
                let name = format!("Forget {}", cut(target));
                let button = Button {
                    name: &name,
                    ..Button::new(ui, "Forget", "")
                };
                if button.show(ui).clicked() {
                    hands.act(Command::Unlearn {
                        target: target.clone(),
                    });
                }
                let width = ui.available_width();
                let (rect, _) = ui.allocate_exact_size(vec2(width, 34.0), egui::Sense::hover());
                let painter = ui.painter();
                let font = theme::medium(size::BODY);
                let at = rect.left_top();
                draw::write(
                    painter,
                    at,
                    egui::Align2::LEFT_TOP,
                    target,
                    font,
                    theme.text,
                    width,
                );
                let font = theme::regular(size::SMALL);
                let at = rect.left_bottom();
                draw::write(
                    painter,
                    at,
                    egui::Align2::LEFT_BOTTOM,
                    by,
                    font,
                    theme.dim,
                    width,
                );
            });
        }
        if description.bindings.is_empty() {
            caption(ui, "Right-click on any control to learn a MIDI controller.");
        }
    });
}

fn appearance(ui: &mut Ui, screen: &mut Screen) {
    ui.horizontal(|ui| {
        for (word, look) in [("Dark", Look::Dark), ("Light", Look::Light)] {
            let mut button = Button::new(ui, word, "");
            button.hue = Theme::of(ui).text;
            if button.on(screen.look == look).show(ui).clicked() {
                screen.look = look;
                theme::choose(ui.ctx(), look);
            }
        }
    });
    ui.horizontal(|ui| {
        let zoom = ui.ctx().zoom_factor();
        for percent in [100u16, 125, 150, 200] {
            let factor = f32::from(percent) / 100.0;
            let word = format!("{percent}");
            let name = format!("Scale {percent} per cent");
            let button = Button {
                name: &name,
                hue: Theme::of(ui).text,
                width: 44.0,
                ..Button::new(ui, &word, "")
            };
            let on = (zoom - factor).abs() < 0.01;
            if button.on(on).show(ui).clicked() {
                ui.ctx().set_zoom_factor(factor);
            }
        }
        caption(ui, "%");
    });
}
