//! The look: few colours, type sizes and spacings, in one place. Why they are as they are stands in
//! `docs/design.md`.
//!
//! Three hues, each with one meaning: amber is what you set, teal is what you hear, red is what is
//! wrong. All else is grey. Whatever a colour says is also said by a word, a shape or a place.

use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, vec2};

/// Type sizes, in points.
pub mod size {
    /// Names of controls, ticks of graphs.
    pub const SMALL: f32 = 12.0;
    /// Sentences, buttons.
    pub const BODY: f32 = 14.0;
    /// Values, names of modules.
    pub const VALUE: f32 = 16.0;
    /// What is read from across the stage.
    pub const FIGURE: f32 = 26.0;
}

/// Distances, in points.
pub mod space {
    /// Between a thing and its caption.
    pub const TINY: f32 = 4.0;
    /// Between two controls.
    pub const SMALL: f32 = 8.0;
    /// Inside of a panel.
    pub const MEDIUM: f32 = 12.0;
    /// Between two groups.
    pub const LARGE: f32 = 20.0;
}

/// Corners of panels.
pub const RADIUS: u8 = 6;
/// Corners of what lies in a panel.
pub const SMALL_RADIUS: u8 = 4;

/// The colours of one of the two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Behind everything.
    pub ground: Color32,
    /// A panel on the ground.
    pub panel: Color32,
    /// A control on a panel.
    pub raised: Color32,
    /// A well in a panel: graphs, meters.
    pub well: Color32,
    /// Edges, grids.
    pub line: Color32,
    /// What is read.
    pub text: Color32,
    /// What is read when it is looked for.
    pub dim: Color32,
    /// Amber: what you set.
    pub set: Color32,
    /// Teal: what you hear.
    pub heard: Color32,
    /// Red: what is wrong.
    pub wrong: Color32,
    /// Text on one of the three.
    pub on_hue: Color32,
}

impl Theme {
    /// For stages and studios.
    pub const DARK: Self = Self {
        ground: Color32::from_rgb(14, 16, 19),
        panel: Color32::from_rgb(24, 27, 32),
        raised: Color32::from_rgb(38, 43, 50),
        well: Color32::from_rgb(17, 19, 23),
        line: Color32::from_rgb(52, 58, 67),
        text: Color32::from_rgb(236, 239, 243),
        dim: Color32::from_rgb(157, 166, 178),
        set: Color32::from_rgb(246, 178, 60),
        heard: Color32::from_rgb(72, 202, 190),
        wrong: Color32::from_rgb(255, 96, 88),
        on_hue: Color32::from_rgb(14, 16, 19),
    };

    /// For daylight.
    pub const LIGHT: Self = Self {
        ground: Color32::from_rgb(226, 228, 230),
        panel: Color32::from_rgb(246, 247, 248),
        raised: Color32::from_rgb(226, 229, 233),
        well: Color32::from_rgb(255, 255, 255),
        line: Color32::from_rgb(200, 205, 211),
        text: Color32::from_rgb(20, 24, 29),
        dim: Color32::from_rgb(85, 94, 105),
        set: Color32::from_rgb(168, 94, 0),
        heard: Color32::from_rgb(0, 116, 107),
        wrong: Color32::from_rgb(190, 30, 26),
        on_hue: Color32::from_rgb(255, 255, 255),
    };

    /// The look that `ui` is drawn in.
    pub fn of(ui: &egui::Ui) -> &'static Self {
        if ui.visuals().dark_mode {
            &Self::DARK
        } else {
            &Self::LIGHT
        }
    }

    /// How the two colours' luminances relate: 1 to 21 (WCAG 2.2, relative luminance).
    pub fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let rgba = egui::Rgba::from(color);
            0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// `color` with only a part of its strength, 0 to 1.
pub fn faint(color: Color32, strength: f32) -> Color32 {
    color.gamma_multiply(strength)
}

/// Running text and values.
pub fn regular(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Names and what is pressed.
pub fn medium(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("medium".into()))
}

/// Headings and figures.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("strong".into()))
}

/// Which of the two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// `[main]` Gives `ctx` the fonts and both looks, and chooses one. Takes effect with the next frame.
pub fn install(ctx: &egui::Context, look: Look) {
    ctx.set_fonts(fonts());
    ctx.all_styles_mut(style);
    ctx.set_visuals_of(egui::Theme::Dark, visuals(&Theme::DARK, true));
    ctx.set_visuals_of(egui::Theme::Light, visuals(&Theme::LIGHT, false));
    choose(ctx, look);
}

/// `[main]` Changes the look.
pub fn choose(ctx: &egui::Context, look: Look) {
    ctx.set_theme(match look {
        Look::Dark => egui::Theme::Dark,
        Look::Light => egui::Theme::Light,
    });
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files: [(&str, FontFamily, &'static [u8]); 3] = [
        (
            "regular",
            FontFamily::Proportional,
            include_bytes!("../fonts/Inter-Regular.otf"),
        ),
        (
            "medium",
            FontFamily::Name("medium".into()),
            include_bytes!("../fonts/Inter-Medium.otf"),
        ),
        (
            "strong",
            FontFamily::Name("strong".into()),
            include_bytes!("../fonts/Inter-SemiBold.otf"),
        ),
    ];
    for (name, family, bytes) in files {
        let data = FontData::from_static(bytes);
        fonts.font_data.insert(name.to_owned(), data.into());
        fonts.families.insert(family, vec![name.to_owned()]);
    }
    let monospace = vec!["regular".to_owned()];
    fonts.families.insert(FontFamily::Monospace, monospace);
    fonts
}

fn style(style: &mut egui::Style) {
    use egui::TextStyle::{Body, Button, Heading, Monospace, Small};
    style.text_styles = [
        (Small, regular(size::SMALL)),
        (Body, regular(size::BODY)),
        (Monospace, regular(size::BODY)),
        (Button, medium(size::BODY)),
        (Heading, strong(size::VALUE)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(space::SMALL, space::SMALL);
    spacing.button_padding = vec2(10.0, 5.0);
    spacing.interact_size = vec2(32.0, 28.0);
    spacing.window_margin = egui::Margin::same(12);
    spacing.menu_margin = egui::Margin::same(8);
    // What can be scrolled says so, also before a mouse comes near.
    spacing.scroll.dormant_handle_opacity = 0.5;
    style.interaction.selectable_labels = false;
    style.animation_time = 0.0;
}

fn visuals(theme: &Theme, dark: bool) -> egui::Visuals {
    let mut visuals = if dark {
        egui::Visuals::dark()
    } else {
        egui::Visuals::light()
    };
    visuals.override_text_color = None;
    visuals.panel_fill = theme.ground;
    visuals.window_fill = theme.panel;
    visuals.window_stroke = Stroke::new(1.0, theme.line);
    visuals.window_corner_radius = CornerRadius::same(RADIUS);
    visuals.menu_corner_radius = CornerRadius::same(RADIUS);
    visuals.window_shadow = egui::Shadow::NONE;
    visuals.popup_shadow = egui::Shadow::NONE;
    visuals.extreme_bg_color = theme.well;
    visuals.faint_bg_color = theme.raised;
    visuals.weak_text_color = Some(theme.dim);
    visuals.selection.bg_fill = faint(theme.set, 0.35);
    visuals.selection.stroke = Stroke::new(1.5, theme.text);
    visuals.hyperlink_color = theme.heard;
    visuals.error_fg_color = theme.wrong;
    visuals.warn_fg_color = theme.set;
    let corner = CornerRadius::same(SMALL_RADIUS);
    let widgets = &mut visuals.widgets;
    for (widget, fill, edge, text) in [
        (
            &mut widgets.noninteractive,
            theme.panel,
            theme.line,
            theme.text,
        ),
        (&mut widgets.inactive, theme.raised, theme.line, theme.text),
        (&mut widgets.hovered, theme.raised, theme.dim, theme.text),
        (&mut widgets.active, theme.line, theme.text, theme.text),
        (&mut widgets.open, theme.line, theme.dim, theme.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, edge);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = corner;
        widget.expansion = 0.0;
    }
    visuals
}
