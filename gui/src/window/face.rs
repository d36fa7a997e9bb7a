//! The window and what draws on it.

use super::gl::{Canvas, Sheet};
#[cfg(target_os = "linux")]
use super::keyboard;
use super::{Options, WindowError, damage};
use crate::theme::{self, Theme};
use egui::ViewportId;
use winit::dpi::LogicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

/// The window; the sheet goes before the canvas, whose context it needs.
pub(super) struct Face {
    pub(super) painter: egui_glow::Painter,
    pub(super) input: egui_winit::State,
    pub(super) ctx: egui::Context,
    pub(super) info: egui::ViewportInfo,
    #[cfg(target_os = "linux")]
    pub(super) keyboard: Option<keyboard::Keyboard>,
    damage: damage::Damage,
    pub(super) sheet: Option<Sheet>,
    pub(super) canvas: Canvas,
}

impl Face {
    /// `[main]` Opens the window.
    pub(super) fn open(events: &ActiveEventLoop, options: &Options) -> Result<Face, WindowError> {
        let (width, height) = options.size;
        let scale = f64::from(options.scale);
        let size = LogicalSize::new(f64::from(width) * scale, f64::from(height) * scale);
        let mut attributes = Window::default_attributes()
            .with_title("Headroom")
            .with_inner_size(size)
            .with_min_inner_size(LogicalSize::new(400.0, 250.0));
        #[cfg(target_os = "linux")]
        {
            use winit::platform::x11::WindowAttributesExtX11;
            attributes =
                WindowAttributesExtX11::with_name(attributes, "headroom-gui", "headroom-gui");
            if let Some(parent) = options.parent {
                attributes = attributes
                    .with_embed_parent_window(parent)
                    .with_decorations(false);
            }
        }
        let canvas = Canvas::open(events, attributes)?;
        let gl = std::sync::Arc::clone(&canvas.gl);
        let painter = egui_glow::Painter::new(gl, "", None, false)
            .map_err(|error| WindowError::Painter(error.to_string()))?;
        let ctx = egui::Context::default();
        theme::install(&ctx, options.look);
        ctx.set_zoom_factor(options.scale);
        let sides = Some(painter.max_texture_side());
        let input =
            egui_winit::State::new(ctx.clone(), ViewportId::ROOT, events, None, None, sides);
        Ok(Face {
            painter,
            input,
            ctx,
            info: egui::ViewportInfo::default(),
            #[cfg(target_os = "linux")]
            keyboard: options
                .parent
                .and_then(|_| keyboard::Keyboard::open(&canvas.window)),
            damage: damage::Damage::default(),
            sheet: None,
            canvas,
        })
    }

    /// `[main]` Draws what changed since the frame before.
    pub(super) fn paint(
        &mut self,
        shapes: Vec<egui::epaint::ClippedShape>,
        mut textures: egui::TexturesDelta,
        points: f32,
    ) {
        let size: [u32; 2] = self.canvas.window.inner_size().into();
        if self.sheet.as_ref().is_none_or(|sheet| sheet.size != size) {
            self.sheet = Sheet::new(&self.canvas.gl, size);
            self.damage.forget();
        }
        if self.sheet.is_none() || !textures.is_empty() {
            // A new atlas of glyphs may have moved all of them.
            self.damage.forget();
        }
        let whole = damage::whole(size, points);
        let parts = self.damage.of(&shapes, whole, points);
        let shapes = if parts == [whole] {
            shapes
        } else {
            damage::within(&shapes, &parts)
        };
        let primitives = self.ctx.tessellate(shapes, points);
        if let Some(sheet) = &self.sheet {
            sheet.begin();
        }
        if parts == [whole] {
            let ground = if self.ctx.theme() == egui::Theme::Dark {
                Theme::DARK.ground
            } else {
                Theme::LIGHT.ground
            };
            self.painter
                .clear(size, egui::Rgba::from(ground).to_array());
        }
        self.painter
            .paint_and_update_textures(size, points, &primitives, &mut textures);
        if let Some(sheet) = &self.sheet {
            sheet.show();
        }
    }
}
