//! Presets: search, tags, load, save.

use crate::draw::{self, Button};
use crate::hands::Hands;
use crate::model::Picture;
use crate::text::cut;
use crate::theme::{self, Theme, size, space};
use egui::{Align2, Rect, Response, Sense, Stroke, StrokeKind, Ui, vec2};
use headroom_ipc::Command;
use headroom_ipc::board::PresetInfo;

/// Presets that are listed.
const MAX_PRESETS: usize = 2_000;

/// What the page remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    search: String,
    tag: Option<String>,
    own: Option<bool>,
    name: String,
}

impl Memory {
    fn finds(&self, preset: &PresetInfo) -> bool {
        let wanted = self.search.to_lowercase();
        let words = [&preset.name, &preset.title];
        let words = words.into_iter().chain(&preset.tags).chain(&preset.modules);
        let mut words = words.take(64).map(|word| cut(word).to_lowercase());
        let tagged = self
            .tag
            .as_ref()
            .is_none_or(|tag| preset.tags.contains(tag));
        tagged
            && self.own.is_none_or(|own| preset.own == own)
            && (wanted.is_empty() || words.any(|word| word.contains(&wanted)))
    }
}

/// `[main]` Draws the page.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    memory: &mut Memory,
    picture: &Picture,
    hands: &mut Hands,
) {
    let inner = draw::panel(ui, rect);
    draw::inside(ui, inner, "presets", |ui| {
        ui.spacing_mut().item_spacing = vec2(space::SMALL, space::SMALL);
        filters(ui, memory, picture);
        let foot = 56.0;
        let height = (ui.available_height() - foot).max(60.0);
        let area = egui::ScrollArea::vertical()
            .id_salt("list")
            .auto_shrink(false);
        area.max_height(height).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::TINY;
            let mut found = false;
            for preset in picture.description.presets.iter().take(MAX_PRESETS) {
                if memory.finds(preset) {
                    found = true;
                    let is_loaded = picture.description.preset == preset.name;
                    if row(ui, preset, is_loaded, picture).clicked() {
                        hands.act(Command::Preset {
                            name: preset.name.clone(),
                        });
                    }
                }
            }
            if !found {
                ui.add_space(space::LARGE);
                ui.weak("No preset of that kind.");
            }
        });
        save(ui, memory, picture, hands);
    });
}

fn filters(ui: &mut Ui, memory: &mut Memory, picture: &Picture) {
    ui.horizontal(|ui| {
        let search = egui::TextEdit::singleline(&mut memory.search)
            .hint_text("Search names, tags, modules")
            .char_limit(80)
            .margin(egui::Margin::symmetric(8, 6))
            .desired_width((ui.available_width() - 260.0).clamp(120.0, 420.0));
        let field = ui.add(search);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::accesskit::Role::SearchInput, true, "Search presets")
        });
        for (word, own) in [
            ("All", None),
            ("Factory", Some(false)),
            ("Yours", Some(true)),
        ] {
            let mut button = Button::new(ui, word, "");
            button.hue = Theme::of(ui).text;
            if button.on(memory.own == own).show(ui).clicked() {
                memory.own = own;
            }
        }
    });
    let mut tags: Vec<&String> = picture
        .description
        .presets
        .iter()
        .flat_map(|preset| &preset.tags)
        .collect();
    tags.sort();
    tags.dedup();
    if tags.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
        for tag in tags.into_iter().take(24) {
            let on = memory.tag.as_ref() == Some(tag);
            let mut button = Button::new(ui, tag, "Only with this tag");
            button.hue = Theme::of(ui).text;
            if button.on(on).show(ui).clicked() {
                memory.tag = if on { None } else { Some(tag.clone()) };
            }
        }
    });
}

fn row(ui: &mut Ui, preset: &PresetInfo, is_loaded: bool, picture: &Picture) -> Response {
    let theme = Theme::of(ui);
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, 48.0), Sense::click());
    let title = cut(if preset.title.is_empty() {
        &preset.name
    } else {
        &preset.title
    });
    let label = format!("Load {title}");
    let role = egui::accesskit::Role::Button;
    response.widget_info(|| egui::WidgetInfo::selected(role, true, is_loaded, &label));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let painter = ui.painter();
    let radius = f32::from(theme::SMALL_RADIUS);
    let (fill, edge) = match (is_loaded, response.hovered()) {
        (true, _) => (theme.raised, theme.text),
        (_, true) => (theme.raised, theme.dim),
        _ => (theme.panel, theme.line),
    };
    let stroke = Stroke::new(1.0, edge);
    painter.rect(rect, radius, fill, stroke, StrokeKind::Inside);
    let half = rect.width() * 0.5 - 16.0;
    let at = rect.left_top() + vec2(12.0, 6.0);
    let font = theme::medium(size::BODY);
    draw::write(painter, at, Align2::LEFT_TOP, title, font, theme.text, half);
    let kinds = preset.modules.iter().take(16).map(|kind| {
        let known = picture
            .description
            .kinds
            .iter()
            .find(|known| known.id == *kind);
        cut(known.map_or(kind, |known| &known.name))
    });
    let kinds: Vec<&str> = kinds.collect();
    let at = rect.left_bottom() + vec2(12.0, -7.0);
    let font = theme::regular(size::SMALL);
    let word = kinds.join(" \u{2192} ");
    draw::write(
        painter,
        at,
        Align2::LEFT_BOTTOM,
        &word,
        font.clone(),
        theme.dim,
        rect.width() * 0.7,
    );
    let owner = if preset.own { "yours" } else { "factory" };
    let mut right = rect.right_top() + vec2(-12.0, 8.0);
    let word = if is_loaded {
        format!("{owner}, loaded")
    } else {
        owner.to_owned()
    };
    draw::write(
        painter,
        right,
        Align2::RIGHT_TOP,
        &word,
        font.clone(),
        theme.dim,
        half,
    );
    right.y = rect.max.y - 7.0;
    let tags: Vec<&str> = preset.tags.iter().take(8).map(|tag| cut(tag)).collect();
    let word = tags.join("  ");
    draw::write(
        painter,
        right,
        Align2::RIGHT_BOTTOM,
        &word,
        font,
        theme.dim,
        rect.width() * 0.28,
    );
    draw::focus_ring(ui, &response, rect);
    response
}

fn save(ui: &mut Ui, memory: &mut Memory, picture: &Picture, hands: &mut Hands) {
    let rect = ui.available_rect_before_wrap();
    let line = Stroke::new(1.0, Theme::of(ui).line);
    ui.painter().hline(rect.x_range(), rect.min.y, line);
    ui.allocate_rect(
        Rect::from_min_size(rect.min, vec2(1.0, 4.0)),
        Sense::hover(),
    );
    ui.horizontal(|ui| {
        ui.label("Save as");
        let own = picture
            .description
            .presets
            .iter()
            .find(|preset| preset.own && preset.name == picture.description.preset);
        let hint = own.map_or("name", |preset| cut(&preset.name)).to_owned();
        let edit = egui::TextEdit::singleline(&mut memory.name)
            .hint_text(hint)
            .char_limit(60)
            .margin(egui::Margin::symmetric(8, 6))
            .desired_width((ui.available_width() - 120.0).clamp(100.0, 320.0));
        let field = ui.add(edit);
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Preset name")
        });
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let name = memory.name.trim().to_owned();
        let taken = picture
            .description
            .presets
            .iter()
            .any(|preset| preset.own && preset.name == name);
        let button = Button {
            enabled: !name.is_empty(),
            name: "Save preset",
            ..Button::new(
                ui,
                if taken { "Replace" } else { "Save" },
                "Into your own folder",
            )
        };
        if (button.show(ui).clicked() || enter) && !name.is_empty() {
            hands.act(Command::SavePreset { name });
            memory.name.clear();
        }
    });
}
