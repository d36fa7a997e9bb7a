//! The window and what draws on it.

use super::card::Card;
use super::inside::{self, Keyboard};
use super::paper::Paper;
use super::reader::{Bell, Reader};
use super::{DrawnBy, Options, WindowError};
use crate::paint::Damage;
use crate::theme::{self, Theme};
use egui::{Pos2, Rect, ViewportId, vec2};
use std::rc::Rc;
use std::time::Instant;
use winit::dpi::LogicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Window, WindowAttributes};

/// The window. What draws on it goes before it.
pub(super) struct Face {
    ground: Ground,
    pub(super) input: egui_winit::State,
    pub(super) reader: Reader,
    pub(super) ctx: egui::Context,
    pub(super) info: egui::ViewportInfo,
    pub(super) keyboard: Option<Keyboard>,
    damage: Damage,
    /// Pixels of the window. It is asked once: to ask a window that somebody has destroyed ends the process.
    size: [u32; 2],
    opened: Instant,
    pub(super) window: Rc<Window>,
}

/// What draws.
enum Ground {
    Card(Box<Card>),
    Paper(Paper),
}

impl Face {
    /// `[main]` Opens the window.
    pub(super) fn open(
        events: &ActiveEventLoop,
        options: &Options,
        bell: &Bell,
    ) -> Result<Face, WindowError> {
        let attributes = attributes(options);
        let (window, ground) = match options.drawn_by {
            DrawnBy::Card => {
                let (window, card) = Card::open(events, attributes)?;
                (window, Ground::Card(Box::new(card)))
            }
            DrawnBy::Processor => on_paper(events, attributes)?,
            DrawnBy::Either if !has_card() => on_paper(events, attributes)?,
            DrawnBy::Either => match Card::open(events, attributes.clone()) {
                Ok((window, card)) if !card.is_imitated() => (window, Ground::Card(Box::new(card))),
                Ok((window, card)) => {
                    // Its surface lies on the window that is drawn on now.
                    drop(card);
                    let paper = Paper::open(events, &window)?;
                    (window, Ground::Paper(paper))
                }
                Err(_) => on_paper(events, attributes)?,
            },
        };
        // A reader must know of a window before anybody sees it.
        let reader = Reader::open(events, &window, bell);
        window.set_visible(true);
        let ctx = egui::Context::default();
        theme::install(&ctx, options.look);
        ctx.add_font_provider(crate::foreign::fonts());
        ctx.set_zoom_factor(options.scale);
        let most = match &ground {
            Ground::Card(card) => Some(card.max_texture_side()),
            Ground::Paper(_) => None,
        };
        let input = egui_winit::State::new(ctx.clone(), ViewportId::ROOT, events, None, None, most);
        Ok(Face {
            ground,
            input,
            reader,
            ctx,
            info: egui::ViewportInfo::default(),
            keyboard: options.parent.and_then(|_| Keyboard::open(&window)),
            damage: Damage::default(),
            size: window.inner_size().into(),
            opened: Instant::now(),
            window,
        })
    }

    /// `[main]` What was done since the frame before.
    pub(super) fn take_input(&mut self) -> egui::RawInput {
        let points = egui_winit::pixels_per_point(&self.ctx, &self.window);
        let [width, height] = self.size.map(|side| side as f32 / points);
        let input = self.input.egui_input_mut();
        input.time = Some(self.opened.elapsed().as_secs_f64());
        let whole = Rect::from_min_size(Pos2::ZERO, vec2(width, height));
        input.screen_rect = whole.is_positive().then_some(whole);
        input.viewport_id = ViewportId::ROOT;
        let viewport = input.viewports.entry(ViewportId::ROOT).or_default();
        viewport.native_pixels_per_point = Some(self.window.scale_factor() as f32);
        input.take()
    }

    /// `[main]` What a screen reader asks or does.
    pub(super) fn take_asked(&mut self, asked: egui_winit::accesskit_winit::WindowEvent) {
        let input = self.input.egui_input_mut();
        self.reader.take(asked, &self.ctx, input, &self.window);
    }

    /// `[main]` Pixels of the window.
    pub(super) fn size(&self) -> [u32; 2] {
        self.size
    }

    /// `[main]` Draws what changed since the frame before; says whether anything did.
    pub(super) fn paint(
        &mut self,
        shapes: Vec<egui::epaint::ClippedShape>,
        mut textures: egui::TexturesDelta,
        points: f32,
    ) -> bool {
        let size = self.size;
        let fits = match &mut self.ground {
            Ground::Card(card) => card.fit(size),
            Ground::Paper(paper) => paper.fit(size),
        };
        let mut images = textures.set.values().flatten();
        if !fits || images.any(|image| image.pos.is_none()) {
            // A new atlas of glyphs may have moved all of them.
            self.damage.forget();
        }
        let change = self.damage.change(&self.ctx, shapes, size, points);
        let is_drawn = !change.parts.is_empty();
        if !is_drawn && textures.is_empty() {
            return false;
        }
        let ground = change.is_whole.then(|| {
            if self.ctx.theme() == egui::Theme::Dark {
                Theme::DARK.ground
            } else {
                Theme::LIGHT.ground
            }
        });
        match &mut self.ground {
            Ground::Card(card) => {
                card.paint(&change.primitives, &mut textures, points, size, ground)
            }
            Ground::Paper(paper) => paper.paint(change, &mut textures, points, ground),
        }
        is_drawn
    }

    /// `[main]` Hands the display what was drawn.
    pub(super) fn show(&mut self) -> Result<(), WindowError> {
        match &mut self.ground {
            Ground::Card(card) => card.show(),
            Ground::Paper(paper) => paper.show(),
        }
    }

    /// `[main]` The display has lost the picture: all of it is handed over next time.
    pub(super) fn uncover(&mut self) {
        if let Ground::Paper(paper) = &mut self.ground {
            paper.uncover();
        }
    }

    /// `[main]` The window has a new size.
    pub(super) fn resize(&mut self, size: winit::dpi::PhysicalSize<u32>) {
        self.size = size.into();
        if let Ground::Card(card) = &mut self.ground {
            card.resize(size);
        }
    }

    /// `[main]` The picture as it was just drawn, four bytes a pixel, row by row.
    pub(super) fn picture(&self) -> Vec<u8> {
        match &self.ground {
            Ground::Card(card) => card.picture(self.size),
            Ground::Paper(paper) => paper.picture(),
        }
    }
}

fn on_paper(
    events: &ActiveEventLoop,
    attributes: WindowAttributes,
) -> Result<(Rc<Window>, Ground), WindowError> {
    let window = events
        .create_window(attributes)
        .map_err(|error| WindowError::Window(error.to_string()))?;
    let window = Rc::new(window);
    let paper = Paper::open(events, &window)?;
    Ok((window, Ground::Paper(paper)))
}

fn attributes(options: &Options) -> WindowAttributes {
    let (width, height) = options.size;
    let scale = f64::from(options.scale);
    let size = LogicalSize::new(f64::from(width) * scale, f64::from(height) * scale);
    let attributes = Window::default_attributes()
        .with_title("Headroom")
        .with_inner_size(size)
        .with_visible(false)
        .with_min_inner_size(LogicalSize::new(400.0, 250.0));
    let attributes = inside::named(attributes);
    match options.parent {
        Some(parent) => inside::put_into(attributes.with_decorations(false), parent),
        None => attributes,
    }
}

/// Whether there is a graphics card to be asked. Where there is none, a driver that imitates one takes half a
/// hundred megabytes only to say so.
fn has_card() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    if std::env::var_os("LIBGL_ALWAYS_SOFTWARE").is_some_and(|value| value != "0") {
        return false;
    }
    let holds = |folder: &str, start: &str| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(start))
    };
    holds("/dev/dri", "renderD") || holds("/dev/dri", "card") || holds("/dev", "nvidia")
}
