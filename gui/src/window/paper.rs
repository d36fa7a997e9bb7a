//! The window as a sheet of pixels in memory, for machines without a graphics card: what changed is drawn by
//! the processor and handed to the display, and nothing else.

use super::WindowError;
use crate::paint::{Brush, Change, Sheet};
use egui::{Color32, Rect, TexturesDelta};
use softbuffer::{Context, Surface};
use std::num::NonZeroU32;
use std::rc::Rc;
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::Window;

/// The sheet and the way to the display. The surface goes before the window.
pub(super) struct Paper {
    surface: Surface<OwnedDisplayHandle, Rc<Window>>,
    sheet: Sheet,
    brush: Brush,
    /// What was drawn since the display was handed something.
    parts: Vec<Rect>,
    points: f32,
    /// The display has lost what it was handed.
    is_uncovered: bool,
}

impl Paper {
    /// `[main]` A sheet for `window`.
    pub(super) fn open(events: &ActiveEventLoop, window: &Rc<Window>) -> Result<Self, WindowError> {
        let refused = |error: softbuffer::SoftBufferError| WindowError::Display(error.to_string());
        let context = Context::new(events.owned_display_handle()).map_err(refused)?;
        let surface = Surface::new(&context, Rc::clone(window)).map_err(refused)?;
        Ok(Self {
            surface,
            sheet: Sheet::default(),
            brush: Brush::default(),
            parts: Vec::new(),
            points: 1.0,
            is_uncovered: true,
        })
    }

    /// `[main]` Makes the sheet as large as the window; says whether it was so already.
    pub(super) fn fit(&mut self, size: [u32; 2]) -> bool {
        let size = size.map(|side| side as usize);
        let fits = self.sheet.size() == size;
        if !fits {
            self.sheet = Sheet::new(size);
        }
        fits
    }

    /// `[main]` Draws what changed; on `ground` if it is a whole frame.
    pub(super) fn paint(
        &mut self,
        change: Change,
        textures: &mut TexturesDelta,
        points: f32,
        ground: Option<Color32>,
    ) {
        self.brush.take(textures);
        if let Some(ground) = ground {
            self.sheet.clear(ground);
        }
        self.brush.draw(&mut self.sheet, &change.primitives, points);
        self.brush.give_back(textures);
        (self.parts, self.points) = (change.parts, points);
    }

    /// `[main]` Next time all of it is handed over.
    pub(super) fn uncover(&mut self) {
        self.is_uncovered = true;
    }

    /// `[main]` Hands the display what was drawn.
    pub(super) fn show(&mut self) -> Result<(), WindowError> {
        let refused = |error: softbuffer::SoftBufferError| WindowError::Display(error.to_string());
        let [width, height] = self.sheet.size();
        let side = |length: usize| u32::try_from(length).ok().and_then(NonZeroU32::new);
        let (Some(wide), Some(high)) = (side(width), side(height)) else {
            return Ok(());
        };
        self.surface.resize(wide, high).map_err(refused)?;
        let mut buffer = self.surface.buffer_mut().map_err(refused)?;
        let whole = std::mem::take(&mut self.is_uncovered) || buffer.age() != 1;
        let parts = std::mem::take(&mut self.parts);
        let mut damage = Vec::new();
        if whole {
            buffer.copy_from_slice(self.sheet.pixels());
            damage.extend(rectangle([0, 0, width, height]));
        }
        for part in parts.iter().filter(|_| !whole) {
            let pixel = |at: f32, most: usize| ((at * self.points).round() as usize).min(most);
            let (left, top) = (pixel(part.min.x, width), pixel(part.min.y, height));
            let (right, foot) = (pixel(part.max.x, width), pixel(part.max.y, height));
            for y in top..foot {
                let row = y * width + left..y * width + right.max(left);
                buffer[row.clone()].copy_from_slice(&self.sheet.pixels()[row]);
            }
            damage.extend(rectangle([left, top, right, foot]));
        }
        if damage.is_empty() {
            return Ok(());
        }
        buffer.present_with_damage(&damage).map_err(refused)
    }

    /// `[main]` The picture as it stands, four bytes a pixel.
    pub(super) fn picture(&self) -> Vec<u8> {
        let bytes = |pixel: &u32| {
            let [_, red, green, blue] = pixel.to_be_bytes();
            [red, green, blue, 255]
        };
        self.sheet.pixels().iter().flat_map(bytes).collect()
    }
}

fn rectangle([left, top, right, foot]: [usize; 4]) -> Option<softbuffer::Rect> {
    let number = |at: usize| u32::try_from(at).ok();
    Some(softbuffer::Rect {
        x: number(left)?,
        y: number(top)?,
        width: NonZeroU32::new(number(right.checked_sub(left)?)?)?,
        height: NonZeroU32::new(number(foot.checked_sub(top)?)?)?,
    })
}
