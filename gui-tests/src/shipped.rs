//! Draws as the program does on a machine without a graphics card, every frame out of the one before, and
//! holds that to two others: the same frame drawn whole, to the bit, and the slow reference.

use crate::software::Software;
use egui::{Color32, Context, FullOutput, TexturesDelta};
use egui_kittest::TestRenderer;
use headroom_gui::paint::{Brush, Damage, Sheet};
use image::RgbaImage;
use std::cell::Cell;
use std::rc::Rc;

/// By how much a channel may differ from the reference: it rounds once, the program at every layer.
const TOLERANCE: u8 = 3;
/// Pixels of a thousand that may differ more: centres that lie on an edge as far as numbers can say.
const ODD_PER_MILLE: usize = 1;

/// The renderer.
#[derive(Debug, Default)]
pub struct Shipped {
    reference: Software,
    brush: Brush,
    damage: Damage,
    sheet: Sheet,
    /// Frames that were drawn in parts, for whoever asks.
    pub in_parts: Rc<Cell<usize>>,
}

impl Shipped {
    fn draw(&mut self, ctx: &Context, output: &FullOutput) -> Sheet {
        let points = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * points;
        let size = [size.x.round() as usize, size.y.round() as usize];
        if self.sheet.size() != size {
            self.sheet = Sheet::new(size);
            self.damage.forget();
        }
        let pixels = size.map(|side| side as u32);
        let shapes = output.shapes.clone();
        let change = self.damage.change(ctx, shapes, pixels, points);
        if change.is_whole {
            self.sheet.clear(Color32::BLACK);
        } else {
            self.in_parts.set(self.in_parts.get() + 1);
        }
        self.brush.draw(&mut self.sheet, &change.primitives, points);
        let mut whole = Sheet::new(size);
        let primitives = ctx.tessellate(output.shapes.clone(), points);
        self.brush.draw(&mut whole, &primitives, points);
        whole
    }
}

impl TestRenderer for Shipped {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut images = delta.set.values().flatten();
        if images.any(|image| image.pos.is_none()) {
            self.damage.forget();
        }
        self.brush.take(&mut delta.clone());
        self.reference.handle_delta(delta);
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let whole = self.draw(ctx, output);
        let [width, _] = whole.size();
        let pairs = self.sheet.pixels().iter().zip(whole.pixels());
        let wrong: Vec<usize> = pairs
            .enumerate()
            .filter_map(|(place, (ours, theirs))| (ours != theirs).then_some(place))
            .collect();
        if let Some(first) = wrong.first() {
            let (x, y) = (first % width, first / width);
            let last = wrong.last().map_or(0, |last| last / width);
            let count = wrong.len();
            return Err(format!(
                "{count} pixels down to row {last} are not as in the whole frame, the first at {x}, {y}"
            ));
        }
        let reference = self.reference.render(ctx, output)?;
        let pairs = whole.pixels().iter().zip(reference.pixels());
        let is_odd = |(ours, theirs): &(&u32, &image::Rgba<u8>)| {
            let [_, ours @ ..] = ours.to_be_bytes();
            let mut channels = ours.iter().zip(theirs.0);
            channels.any(|(ours, theirs)| ours.abs_diff(theirs) > TOLERANCE)
        };
        let odd = pairs.filter(is_odd).count();
        if odd * 1_000 > ODD_PER_MILLE * whole.pixels().len() {
            return Err(format!("{odd} pixels are not as in the reference"));
        }
        Ok(reference)
    }
}
