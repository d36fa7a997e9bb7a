//! The window as a graphics card draws it, by OpenGL.

use super::WindowError;
use super::gl::{Canvas, Sheet};
use egui::{ClippedPrimitive, Color32, TexturesDelta};
use std::rc::Rc;
use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Window, WindowAttributes};

/// The painter and the sheet go before the canvas, whose context they need.
pub(super) struct Card {
    painter: egui_glow::Painter,
    sheet: Option<Sheet>,
    canvas: Canvas,
}

impl Card {
    /// `[main]` Opens a window with a context.
    pub(super) fn open(
        events: &ActiveEventLoop,
        attributes: WindowAttributes,
    ) -> Result<(Rc<Window>, Self), WindowError> {
        let (window, canvas) = Canvas::open(events, attributes)?;
        let gl = std::sync::Arc::clone(&canvas.gl);
        let painter = egui_glow::Painter::new(gl, "", None, false)
            .map_err(|error| WindowError::Painter(error.to_string()))?;
        let card = Self {
            painter,
            sheet: None,
            canvas,
        };
        Ok((window, card))
    }

    /// `[main]` Whether it is the processor that draws, behind a driver that imitates a card.
    pub(super) fn is_imitated(&self) -> bool {
        let name = self.canvas.renderer().to_lowercase();
        ["llvmpipe", "softpipe", "swrast", "software"]
            .iter()
            .any(|known| name.contains(known))
    }

    /// `[main]` The largest texture that it takes.
    pub(super) fn max_texture_side(&self) -> usize {
        self.painter.max_texture_side()
    }

    /// `[main]` Makes the sheet as large as the window; says whether there is one, and was before.
    pub(super) fn fit(&mut self, size: [u32; 2]) -> bool {
        let fits = self.sheet.as_ref().is_some_and(|sheet| sheet.size == size);
        if !fits {
            self.sheet = Sheet::new(&self.canvas.gl, size);
        }
        fits
    }

    /// `[main]` Draws `primitives`; on `ground` if they are a whole frame.
    pub(super) fn paint(
        &mut self,
        primitives: &[ClippedPrimitive],
        textures: &mut TexturesDelta,
        points: f32,
        size: [u32; 2],
        ground: Option<Color32>,
    ) {
        if let Some(sheet) = &self.sheet {
            sheet.begin();
        }
        if let Some(ground) = ground {
            self.painter
                .clear(size, egui::Rgba::from(ground).to_array());
        }
        self.painter
            .paint_and_update_textures(size, points, primitives, textures);
        if let Some(sheet) = &self.sheet {
            sheet.show();
        }
    }

    /// `[main]` Shows what was drawn.
    pub(super) fn show(&self) -> Result<(), WindowError> {
        self.canvas.swap()
    }

    /// `[main]` The window has a new size.
    pub(super) fn resize(&self, size: PhysicalSize<u32>) {
        self.canvas.resize(size);
    }

    /// `[main]` The picture as it was just drawn, four bytes a pixel.
    pub(super) fn picture(&self, size: [u32; 2]) -> Vec<u8> {
        self.painter.read_screen_rgba(size).as_raw().to_vec()
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        self.sheet = None;
        self.painter.destroy();
    }
}
