//! What of a frame has changed, and how it is drawn.
//!
//! [`Brush`] draws egui's triangles by the processor, for machines without a graphics card: colours are
//! premultiplied and blended as they are, a texture is filtered linearly, a pixel belongs to the triangle
//! that its centre lies in. A frame of which a tenth has changed costs a tenth.

mod damage;
mod quad;
mod triangle;

pub use damage::{Change, Damage};

use egui::epaint::{ImageData, Primitive, Vertex};
use egui::{ClippedPrimitive, Color32, Mesh, Rect, TextureId, TexturesDelta};
use std::collections::HashMap;

/// What is drawn on: rows of pixels from the top, each `0x00RRGGBB`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u32>,
}

impl Sheet {
    /// `[main]` A black sheet of so many pixels.
    pub fn new([width, height]: [usize; 2]) -> Self {
        Self {
            width,
            height,
            pixels: vec![0; width * height],
        }
    }

    /// `[any]` Pixels from left to right, and from the top down.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// `[any]` All pixels, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// `[main]` Makes all of it one colour.
    pub fn clear(&mut self, color: Color32) {
        self.pixels.fill(packed(color));
    }

    /// The pixels of row `y` from `left` up to `right`; nothing where there are none.
    fn span(&mut self, y: usize, left: usize, right: usize) -> &mut [u32] {
        let row = y * self.width;
        self.pixels
            .get_mut(row + left..row + right.min(self.width))
            .unwrap_or_default()
    }
}

/// The textures that egui has given, and what draws with them.
#[derive(Debug, Default)]
pub struct Brush {
    textures: HashMap<TextureId, Texture>,
}

#[derive(Debug, Clone, Default)]
struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Color32>,
}

impl Brush {
    /// `[main]` Takes new textures and parts of textures; to be called before a frame is drawn.
    pub fn take(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            for image in images {
                let ImageData::Color(pixels) = &image.image;
                let [width, height] = pixels.size;
                let texture = self.textures.entry(id).or_default();
                let [left, top] = image.pos.unwrap_or([0, 0]);
                if image.pos.is_none() {
                    *texture = Texture {
                        width,
                        height,
                        pixels: vec![Color32::TRANSPARENT; width * height],
                    };
                }
                for y in 0..height {
                    let to = (top + y) * texture.width + left;
                    let row = pixels.pixels.get(y * width..(y + 1) * width);
                    let place = texture.pixels.get_mut(to..to + width);
                    if let (Some(row), Some(place)) = (row, place) {
                        place.copy_from_slice(row);
                    }
                }
            }
        }
    }

    /// `[main]` Gives back what egui needs no longer; to be called when a frame is drawn.
    pub fn give_back(&mut self, delta: &mut TexturesDelta) {
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    /// `[main]` Draws `primitives` over what there is; `points` is the pixels of a point.
    pub fn draw(&self, sheet: &mut Sheet, primitives: &[ClippedPrimitive], points: f32) {
        for clipped in primitives {
            // A callback is the card's business; this screen has none.
            if let Primitive::Mesh(mesh) = &clipped.primitive
                && let Some(texture) = self.textures.get(&mesh.texture_id)
            {
                let clip = Clip::new(clipped.clip_rect, points, sheet);
                mesh_on(sheet, mesh, texture, clip, points);
            }
        }
    }
}

fn mesh_on(sheet: &mut Sheet, mesh: &Mesh, texture: &Texture, clip: Clip, points: f32) {
    if clip.left >= clip.right || clip.top >= clip.foot {
        return;
    }
    let mut rest = mesh.indices.as_slice();
    let vertex = |index: u32| mesh.vertices.get(index as usize);
    while let [a, b, c, more @ ..] = rest {
        if let [d, e, f, further @ ..] = more
            && [*d, *e] == [*c, *b]
            && let (Some(a), Some(b), Some(c), Some(f)) =
                (vertex(*a), vertex(*b), vertex(*c), vertex(*f))
            && quad::draw(sheet, [a, b, c, f], texture, clip, points)
        {
            rest = further;
            continue;
        }
        if let (Some(a), Some(b), Some(c)) = (vertex(*a), vertex(*b), vertex(*c)) {
            triangle::draw(sheet, [a, b, c], texture, clip, points);
        }
        rest = more;
    }
}

/// The pixels that may be drawn on.
#[derive(Debug, Clone, Copy)]
struct Clip {
    left: usize,
    top: usize,
    right: usize,
    foot: usize,
}

impl Clip {
    fn new(rect: Rect, points: f32, sheet: &Sheet) -> Self {
        // A float that is negative or no number becomes 0.
        let edge = |at: f32, most: usize| ((at * points).round() as usize).min(most);
        Self {
            left: edge(rect.min.x, sheet.width),
            top: edge(rect.min.y, sheet.height),
            right: edge(rect.max.x, sheet.width),
            foot: edge(rect.max.y, sheet.height),
        }
    }
}

/// The first pixel whose centre is at `at` or beyond it, within `low..=high`.
fn first_from(at: f32, low: usize, high: usize) -> usize {
    ((at - 0.5).ceil() as usize).clamp(low, high.max(low))
}

impl Texture {
    /// The texel at this place, filtered, 0 to 255 in each channel.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let place = |part: f32, length: usize| {
            let most = length.saturating_sub(1);
            let at = (part * length as f32 - 0.5).clamp(0.0, most as f32);
            let low = at as usize;
            (low, (low + 1).min(most), at - low as f32)
        };
        let (x0, x1, right) = place(u, self.width);
        let (y0, y1, down) = place(v, self.height);
        let texel = |x: usize, y: usize| {
            let color = self.pixels.get(y * self.width + x);
            color.map_or([0.0; 4], |color| color.to_array().map(f32::from))
        };
        let corners = [texel(x0, y0), texel(x1, y0), texel(x0, y1), texel(x1, y1)];
        std::array::from_fn(|c| {
            let top = corners[0][c] + (corners[1][c] - corners[0][c]) * right;
            let foot = corners[2][c] + (corners[3][c] - corners[2][c]) * right;
            top + (foot - top) * down
        })
    }
}

fn packed(color: Color32) -> u32 {
    u32::from_be_bytes([0, color.r(), color.g(), color.b()])
}

fn color_of(vertex: &Vertex) -> [f32; 4] {
    vertex.color.to_array().map(f32::from)
}

/// `a * b / 255`, rounded: exact for all bytes.
fn scaled(a: u32, b: u32) -> u32 {
    let product = a * b + 128;
    (product + (product >> 8)) >> 8
}

/// Puts a premultiplied colour over a pixel. Where a colour is brighter than its alpha (light that is
/// added), the sum ends at white.
fn over(pixel: u32, [red, green, blue, alpha]: [u32; 4]) -> u32 {
    let keep = 255 - alpha;
    let channel = |shift: u32, add: u32| {
        let sum = add + scaled((pixel >> shift) & 0xff, keep);
        sum.min(255) << shift
    };
    channel(16, red) | channel(8, green) | channel(0, blue)
}

/// Puts one premultiplied colour over a row of pixels.
fn fill(span: &mut [u32], [red, green, blue, alpha]: [u32; 4]) {
    match alpha {
        255 => span.fill(red << 16 | green << 8 | blue),
        0 if red | green | blue == 0 => {}
        _ if red.max(green).max(blue) > alpha => {
            for pixel in span {
                *pixel = over(*pixel, [red, green, blue, alpha]);
            }
        }
        _ => {
            // Red and blue in one go: no sum is above 255, so none runs into the other.
            let keep = 255 - alpha;
            let add = red << 16 | green << 8 | blue;
            for pixel in span {
                let outer = (*pixel & 0x00ff_00ff) * keep + 0x0080_0080;
                let outer = ((outer + ((outer >> 8) & 0x00ff_00ff)) >> 8) & 0x00ff_00ff;
                let inner = ((*pixel >> 8) & 0xff) * keep + 128;
                let inner = (inner + (inner >> 8)) & 0xff00;
                *pixel = (outer | inner) + add;
            }
        }
    }
}
