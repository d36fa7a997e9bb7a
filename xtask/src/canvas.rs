//! A picture in memory: filled rectangles with soft edges, text, and the PNG it is saved as.

use crate::error::Error;
use crate::font;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Red, green, blue.
pub(crate) type Colour = [u8; 3];

/// Eight-bit RGB pixels, origin top left.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize, background: Colour) -> Self {
        Canvas {
            width,
            height,
            pixels: background.repeat(width * height),
        }
    }

    /// Lays a colour over one pixel; `cover` from 0 (none) to 1 (opaque). Outside: nothing.
    fn blend(&mut self, x: usize, y: usize, colour: Colour, cover: f64) {
        if x >= self.width || y >= self.height {
            return;
        }
        let at = 3 * (y * self.width + x);
        for (pixel, &c) in self.pixels[at..at + 3].iter_mut().zip(&colour) {
            let mixed = f64::from(*pixel) + cover * (f64::from(c) - f64::from(*pixel));
            *pixel = mixed.round() as u8;
        }
    }

    /// Fills the pixels of column `x` from `top` to `bottom`; the ends may lie between pixels.
    pub(crate) fn column(&mut self, x: usize, top: f64, bottom: f64, colour: Colour, cover: f64) {
        let top = top.max(0.0);
        let last = (bottom.ceil().max(0.0) as usize).min(self.height);
        for y in top.floor() as usize..last {
            let part = bottom.min(y as f64 + 1.0) - top.max(y as f64);
            self.blend(x, y, colour, cover * part.clamp(0.0, 1.0));
        }
    }

    /// Fills a rectangle.
    pub(crate) fn rect(
        &mut self,
        [x, y]: [usize; 2],
        [width, height]: [usize; 2],
        colour: Colour,
        cover: f64,
    ) {
        for y in y..y + height {
            for x in x..x + width {
                self.blend(x, y, colour, cover);
            }
        }
    }

    /// Writes a line of text, its top left corner at `x`, `y`, each dot `scale` pixels wide.
    pub(crate) fn text(&mut self, [x, y]: [usize; 2], text: &str, scale: usize, colour: Colour) {
        for (i, c) in text.chars().enumerate() {
            for (column, bits) in font::glyph(c).into_iter().enumerate() {
                for row in (0..font::HEIGHT).filter(|row| bits >> row & 1 == 1) {
                    let left = x + (i * font::ADVANCE + column) * scale;
                    self.rect([left, y + row * scale], [scale, scale], colour, 1.0);
                }
            }
        }
    }

    /// Width of a line of text in pixels.
    pub(crate) fn text_width(text: &str, scale: usize) -> usize {
        (text.chars().count() * font::ADVANCE).saturating_sub(1) * scale
    }

    /// `[main]` Writes the picture as a PNG.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let file = File::create(path).map_err(|source| Error::file(path, source))?;
        let mut encoder =
            png::Encoder::new(BufWriter::new(file), self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder
            .write_header()
            .and_then(|mut writer| {
                writer.write_image_data(&self.pixels)?;
                writer.finish()
            })
            .map_err(|source| Error::Picture {
                path: path.to_owned(),
                source,
            })
    }
}

#[cfg(test)]
impl Canvas {
    /// The colour of a pixel.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> Colour {
        let at = 3 * (y * self.width + x);
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }
}
