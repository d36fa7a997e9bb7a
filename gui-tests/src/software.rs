//! Draws egui's triangles by the processor alone, as `egui_glow` does by a graphics card: colours are
//! premultiplied and blended as they are, a texture is filtered linearly, a pixel belongs to the triangle
//! that its centre lies in. The same picture everywhere, and no driver to be built or found.

use egui::epaint::{ImageData, Mesh, Primitive, Vertex};
use egui::{Color32, Context, FullOutput, Pos2, Rect, TextureId, TexturesDelta};
use egui_kittest::TestRenderer;
use image::{Rgba, RgbaImage};
use std::collections::HashMap;

/// The renderer.
#[derive(Debug, Default)]
pub struct Software {
    textures: HashMap<TextureId, Texture>,
}

#[derive(Debug, Clone, Default)]
struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Color32>,
}

impl Texture {
    /// The texel nearest below, and how far towards the next.
    fn sample(&self, uv: Pos2) -> [f32; 4] {
        let place = |part: f32, length: usize| {
            let at = (part * length as f32 - 0.5).clamp(0.0, length as f32 - 1.0);
            let low = at.floor() as usize;
            (low, (low + 1).min(length - 1), at - low as f32)
        };
        let (x0, x1, right) = place(uv.x, self.width);
        let (y0, y1, down) = place(uv.y, self.height);
        let texel = |x: usize, y: usize| self.pixels[y * self.width + x].to_array().map(f32::from);
        let corners = [texel(x0, y0), texel(x1, y0), texel(x0, y1), texel(x1, y1)];
        std::array::from_fn(|c| {
            let top = corners[0][c] + (corners[1][c] - corners[0][c]) * right;
            let foot = corners[2][c] + (corners[3][c] - corners[2][c]) * right;
            (top + (foot - top) * down) / 255.0
        })
    }
}

impl TestRenderer for Software {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
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
                    let row = &pixels.pixels[y * width..(y + 1) * width];
                    texture.pixels[to..to + width].copy_from_slice(row);
                }
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let points = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * points;
        let mut picture = Picture::new(size.x.round() as usize, size.y.round() as usize);
        for clipped in ctx.tessellate(output.shapes.clone(), points) {
            let Primitive::Mesh(mesh) = &clipped.primitive else {
                return Err("a callback cannot be drawn".to_owned());
            };
            let texture = self
                .textures
                .get(&mesh.texture_id)
                .ok_or("a texture is missing")?;
            picture.draw(mesh, texture, clipped.clip_rect, points);
        }
        Ok(picture.finish())
    }
}

struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0.0; 4]; width * height],
        }
    }

    fn draw(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect, points: f32) {
        let edge = |at: f32, most: usize| ((at * points).round().max(0.0) as usize).min(most);
        let clip = [
            edge(clip.min.x, self.width),
            edge(clip.min.y, self.height),
            edge(clip.max.x, self.width),
            edge(clip.max.y, self.height),
        ];
        for corners in mesh.triangles() {
            let corners = corners.map(|index| &mesh.vertices[index as usize]);
            self.triangle(corners, texture, clip, points);
        }
    }

    fn triangle(
        &mut self,
        mut corners: [&Vertex; 3],
        texture: &Texture,
        [left, top, right, foot]: [usize; 4],
        points: f32,
    ) {
        let place = |vertex: &Vertex| {
            (
                f64::from(vertex.pos.x * points),
                f64::from(vertex.pos.y * points),
            )
        };
        let area = |a: (f64, f64), b: (f64, f64), c: (f64, f64)| {
            (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
        };
        if area(place(corners[0]), place(corners[1]), place(corners[2])) < 0.0 {
            corners.swap(1, 2);
        }
        let [a, b, c] = corners.map(place);
        let whole = area(a, b, c);
        if whole <= 0.0 || !whole.is_finite() {
            return;
        }
        let least = |values: [f64; 3]| values.into_iter().fold(f64::INFINITY, f64::min);
        let most = |values: [f64; 3]| values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let first_x = (least([a.0, b.0, c.0]).floor().max(0.0) as usize).max(left);
        let last_x = (most([a.0, b.0, c.0]).ceil().max(0.0) as usize).min(right);
        let first_y = (least([a.1, b.1, c.1]).floor().max(0.0) as usize).max(top);
        let last_y = (most([a.1, b.1, c.1]).ceil().max(0.0) as usize).min(foot);
        // A centre on an edge belongs to the triangle left of or below it, so that two neighbours do not
        // both draw it.
        let owns =
            |from: (f64, f64), to: (f64, f64)| (from.1 == to.1 && to.0 > from.0) || to.1 < from.1;
        let edges = [(b, c), (c, a), (a, b)];
        for y in first_y..last_y {
            for x in first_x..last_x {
                let at = (x as f64 + 0.5, y as f64 + 0.5);
                let parts = edges.map(|(from, to)| area(from, to, at));
                let inside = parts
                    .iter()
                    .zip(edges)
                    .all(|(part, (from, to))| *part > 0.0 || (*part == 0.0 && owns(from, to)));
                if inside {
                    let weights = parts.map(|part| (part / whole) as f32);
                    self.blend(x, y, weights, corners, texture);
                }
            }
        }
    }

    fn blend(
        &mut self,
        x: usize,
        y: usize,
        weights: [f32; 3],
        corners: [&Vertex; 3],
        texture: &Texture,
    ) {
        let mix = |of: fn(&Vertex) -> f32| {
            weights
                .iter()
                .zip(corners)
                .map(|(weight, corner)| weight * of(corner))
                .sum::<f32>()
        };
        let texel = texture.sample(Pos2::new(mix(|v| v.uv.x), mix(|v| v.uv.y)));
        let color = [
            mix(|v| f32::from(v.color.r())),
            mix(|v| f32::from(v.color.g())),
            mix(|v| f32::from(v.color.b())),
            mix(|v| f32::from(v.color.a())),
        ];
        let source: [f32; 4] = std::array::from_fn(|c| color[c] / 255.0 * texel[c]);
        let pixel = &mut self.pixels[y * self.width + x];
        let keep = 1.0 - source[3];
        *pixel = std::array::from_fn(|c| source[c] + pixel[c] * keep);
    }

    fn finish(self) -> RgbaImage {
        let mut image = RgbaImage::new(self.width as u32, self.height as u32);
        for (to, from) in image.pixels_mut().zip(&self.pixels) {
            let byte = |part: f32| (part * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
            *to = Rgba([byte(from[0]), byte(from[1]), byte(from[2]), 255]);
        }
        image
    }
}
