//! The memory map as a picture: an area for each part, as large as it is, inside its owner's.

use std::io;
use std::path::Path;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use tiny_skia::{Color, Paint, Pixmap, PremultipliedColorU8, Rect, Transform};

use super::report::{MemoryReport, PartReport, with_unit};

const WIDTH: u32 = 1_600;
const HEIGHT: u32 = 1_000;
const MARGIN: f32 = 24.0;
const HEAD_HEIGHT: f32 = 64.0;
const NAME_HEIGHT: f32 = 26.0;
const GAP: f32 = 2.0;
/// What is smaller than these shares is drawn as large, so that it can be seen and read.
const OWNERS_LEAST: f64 = 1.0 / 30.0;
const PARTS_LEAST: f64 = 1.0 / 60.0;
const NOTE: &str = "areas in proportion to bytes; what is very small is drawn larger";

const BACKGROUND: [u8; 3] = [0x14, 0x16, 0x1a];
const TEXT: [u8; 3] = [0xe8, 0xe6, 0xe1];
const SOFT: [u8; 3] = [0xc9, 0xc8, 0xc4];
const FAINT: [u8; 3] = [0x9a, 0x9c, 0xa2];
const PADDING: [u8; 3] = [0x2a, 0x2d, 0x33];
/// One for each owner, again from the start where there are more.
const OWNERS: [[u8; 3]; 7] = [
    [0x3d, 0x6f, 0x8e],
    [0xa3, 0x63, 0x3a],
    [0x4f, 0x7f, 0x52],
    [0x86, 0x5a, 0x8f],
    [0x97, 0x83, 0x33],
    [0x8e, 0x4a, 0x4f],
    [0x3c, 0x7d, 0x78],
];

/// An area in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

/// `[main]` Draws the map and writes it as a PNG.
pub(super) fn save(report: &MemoryReport, path: &Path) -> io::Result<()> {
    let picture = Picture::draw(report)?;
    let png = picture.pixels.encode_png().map_err(io::Error::other)?;
    std::fs::write(path, png)
}

struct Picture<'a> {
    pixels: Pixmap,
    font: FontRef<'a>,
}

impl Picture<'_> {
    fn draw(report: &MemoryReport) -> io::Result<Self> {
        let pixels = Pixmap::new(WIDTH, HEIGHT).ok_or_else(|| io::Error::other("no pixels"))?;
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
            .map_err(io::Error::other)?;
        let mut picture = Self { pixels, font };
        picture.pixels.fill(color(BACKGROUND));
        picture.text(
            [MARGIN, MARGIN],
            WIDTH as f32,
            26.0,
            &report.headline(),
            TEXT,
        );
        let below = [MARGIN, HEIGHT as f32 - MARGIN - 2.0];
        picture.text(below, WIDTH as f32, 14.0, NOTE, FAINT);
        let whole = Area {
            x: MARGIN,
            y: MARGIN + HEAD_HEIGHT - 16.0,
            width: WIDTH as f32 - 2.0 * MARGIN,
            height: HEIGHT as f32 - 2.0 * MARGIN - HEAD_HEIGHT + 16.0,
        };
        let owners = owners(&report.parts);
        let sizes: Vec<f64> = owners.iter().map(|(_, parts)| size(parts)).collect();
        let owners = owners.iter().zip(squarified(&sizes, whole, OWNERS_LEAST));
        for (at, ((owner, parts), area)) in owners.enumerate() {
            picture.owner(owner, parts, area, OWNERS[at % OWNERS.len()]);
        }
        Ok(picture)
    }

    fn owner(&mut self, owner: &str, parts: &[&PartReport], area: Area, base: [u8; 3]) {
        self.fill(area, shade(base, 0.45));
        let name = format!("{owner}  {}", with_unit(size(parts) as usize));
        let room = area.width - 16.0;
        self.text([area.x + 8.0, area.y + 5.0], room, 17.0, &name, TEXT);
        let inner = Area {
            x: area.x + 4.0,
            y: area.y + NAME_HEIGHT,
            width: (area.width - 8.0).max(0.0),
            height: (area.height - NAME_HEIGHT - 4.0).max(0.0),
        };
        let sizes: Vec<f64> = parts.iter().map(|part| part.bytes as f64).collect();
        for (part, area) in parts.iter().zip(squarified(&sizes, inner, PARTS_LEAST)) {
            let fill = match part.sort.as_str() {
                "padding" => PADDING,
                "buffer" => base,
                _ => shade(base, 0.75),
            };
            self.fill(area, fill);
            let room = area.width - 10.0;
            let [x, y] = [area.x + 6.0, area.y + 4.0];
            if area.height > 20.0 {
                self.text([x, y], room, 14.0, &part.name, TEXT);
            }
            if area.height > 38.0 {
                self.text([x, y + 17.0], room, 13.0, &with_unit(part.bytes), SOFT);
            }
        }
    }

    fn fill(&mut self, area: Area, fill: [u8; 3]) {
        let (width, height) = (area.width - GAP, area.height - GAP);
        if let Some(rect) = Rect::from_xywh(area.x, area.y, width.max(0.5), height.max(0.5)) {
            let mut paint = Paint::default();
            paint.set_color(color(fill));
            self.pixels
                .fill_rect(rect, &paint, Transform::identity(), None);
        }
    }

    /// A line of text from its top left corner; nothing if it does not fit into `room` pixels.
    fn text(&mut self, [x, y]: [f32; 2], room: f32, height: f32, text: &str, fill: [u8; 3]) {
        let font = self.font.as_scaled(PxScale::from(height));
        let ascent = font.ascent();
        let mut at = 0.0;
        let mut glyphs = Vec::new();
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            glyphs.push(id.with_scale_and_position(height, point(x + at, y + ascent)));
            at += font.h_advance(id);
        }
        if at > room {
            return;
        }
        let outlines: Vec<_> = glyphs
            .into_iter()
            .filter_map(|glyph| font.outline_glyph(glyph))
            .collect();
        for outline in outlines {
            let bounds = outline.px_bounds();
            outline.draw(|dx, dy, cover| {
                let at = [bounds.min.x + dx as f32, bounds.min.y + dy as f32];
                self.blend(at, fill, cover);
            });
        }
    }

    fn blend(&mut self, [x, y]: [f32; 2], fill: [u8; 3], cover: f32) {
        let (x, y) = (x as u32, y as u32);
        if x >= WIDTH || y >= HEIGHT {
            return;
        }
        let pixel = &mut self.pixels.pixels_mut()[(y * WIDTH + x) as usize];
        let below = [pixel.red(), pixel.green(), pixel.blue()];
        let [red, green, blue] = std::array::from_fn(|i| {
            let mixed = f32::from(below[i]) * (1.0 - cover) + f32::from(fill[i]) * cover;
            mixed.round().clamp(0.0, 255.0) as u8
        });
        if let Some(mixed) = PremultipliedColorU8::from_rgba(red, green, blue, 255) {
            *pixel = mixed;
        }
    }
}

/// Each owner with the smallest parts of the map that are his: what is inside of regions, and what
/// lies alone.
fn owners(parts: &[PartReport]) -> Vec<(&str, Vec<&PartReport>)> {
    let mut owners: Vec<(&str, Vec<&PartReport>)> = Vec::new();
    let smallest = |part: &&PartReport| part.sort != "region" && part.bytes > 0;
    for part in parts.iter().filter(smallest) {
        match owners.iter_mut().find(|(owner, _)| *owner == part.owner) {
            Some((_, parts)) => parts.push(part),
            None => owners.push((&part.owner, vec![part])),
        }
    }
    owners
}

fn size(parts: &[&PartReport]) -> f64 {
    parts.iter().map(|part| part.bytes as f64).sum()
}

/// Areas in proportion to `sizes`, in their order, as near to squares as can be (Bruls, Huizing, van
/// Wijk: Squarified Treemaps, 2000). None is less than that share of the whole: it would not be seen.
fn squarified(sizes: &[f64], whole: Area, least: f64) -> Vec<Area> {
    let least = sizes.iter().sum::<f64>() * least;
    let sizes: Vec<f64> = sizes.iter().map(|size| size.max(least)).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*b].total_cmp(&sizes[*a]));
    let pixels = f64::from(whole.width) * f64::from(whole.height);
    let scale = pixels / sizes.iter().sum::<f64>();
    let pixels: Vec<f64> = order.iter().map(|at| sizes[*at] * scale).collect();

    let mut areas = vec![whole; sizes.len()];
    let mut rest = whole;
    let mut from = 0;
    while from < pixels.len() {
        // As many in a row along the shorter side as make its worst area less long.
        let side = f64::from(rest.width.min(rest.height));
        let mut to = from + 1;
        while to < pixels.len() && worst(&pixels[from..=to], side) <= worst(&pixels[from..to], side)
        {
            to += 1;
        }
        let row = &pixels[from..to];
        let depth = (row.iter().sum::<f64>() / side.max(f64::MIN_POSITIVE)) as f32;
        let mut along = 0.0;
        for (at, pixels) in order[from..to].iter().zip(row) {
            let length = (pixels / f64::from(depth.max(f32::MIN_POSITIVE))) as f32;
            areas[*at] = if rest.width >= rest.height {
                Area {
                    x: rest.x,
                    y: rest.y + along,
                    width: depth,
                    height: length,
                }
            } else {
                Area {
                    x: rest.x + along,
                    y: rest.y,
                    width: length,
                    height: depth,
                }
            };
            along += length;
        }
        if rest.width >= rest.height {
            rest.x += depth;
            rest.width = (rest.width - depth).max(0.0);
        } else {
            rest.y += depth;
            rest.height = (rest.height - depth).max(0.0);
        }
        from = to;
    }
    areas
}

/// The longest of the areas of a row, as length by width, along a side.
fn worst(row: &[f64], side: f64) -> f64 {
    let depth = row.iter().sum::<f64>() / side;
    row.iter()
        .map(|pixels| (pixels / depth / depth).max(depth * depth / pixels))
        .fold(0.0, f64::max)
}

fn color([red, green, blue]: [u8; 3]) -> Color {
    Color::from_rgba8(red, green, blue, 255)
}

/// A darker one.
fn shade(of: [u8; 3], by: f32) -> [u8; 3] {
    of.map(|part| (f32::from(part) * by) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_in_proportion_fill_the_whole_and_lie_apart() {
        let whole = Area {
            x: 10.0,
            y: 20.0,
            width: 600.0,
            height: 400.0,
        };
        let sizes = [5.0, 60.0, 20.0, 10.0, 5.0];
        let areas = squarified(&sizes, whole, 0.0);
        for (area, size) in areas.iter().zip(sizes) {
            let share = f64::from(area.width * area.height) / (600.0 * 400.0);
            assert!((share - size / 100.0).abs() < 1e-3, "{area:?} for {size}");
            assert!(area.x >= 9.99 && area.x + area.width <= 610.01, "{area:?}");
            assert!(
                area.y >= 19.99 && area.y + area.height <= 420.01,
                "{area:?}"
            );
        }
        for (i, a) in areas.iter().enumerate() {
            for b in &areas[..i] {
                let overlap = (a.x + a.width).min(b.x + b.width) - a.x.max(b.x);
                let overlap_y = (a.y + a.height).min(b.y + b.height) - a.y.max(b.y);
                assert!(overlap < 0.01 || overlap_y < 0.01, "{a:?} on {b:?}");
            }
        }
        let seen = squarified(&[1e6, 1.0], whole, 0.1);
        assert!(
            seen[1].width * seen[1].height > 0.08 * 600.0 * 400.0,
            "{seen:?}"
        );
    }
}
