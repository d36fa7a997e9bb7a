//! A triangle, row by row. Two that share an edge share how it is cut into rows, so that no pixel between
//! them is drawn twice or left out.

use super::{Clip, Sheet, Texture, color_of, fill, first_from, over};
use egui::epaint::Vertex;

/// A value that changes evenly over the triangle.
#[derive(Debug, Clone, Copy)]
struct Slope<const N: usize> {
    at: [f32; N],
    right: [f32; N],
    down: [f32; N],
}

#[derive(Debug, Clone, Copy)]
struct Corner<'a> {
    x: f32,
    y: f32,
    vertex: &'a Vertex,
}

/// Draws the triangle.
pub(super) fn draw(
    sheet: &mut Sheet,
    vertices: [&Vertex; 3],
    texture: &Texture,
    clip: Clip,
    points: f32,
) {
    if vertices
        .iter()
        .all(|vertex| vertex.color == egui::Color32::TRANSPARENT)
    {
        return;
    }
    let mut corners = vertices.map(|vertex| Corner {
        x: vertex.pos.x * points,
        y: vertex.pos.y * points,
        vertex,
    });
    // By height, and by x where two are as high: so that an edge is always walked the same way.
    let upper = |a: &Corner<'_>, b: &Corner<'_>| (a.y, a.x) > (b.y, b.x);
    for (one, other) in [(0, 1), (1, 2), (0, 1)] {
        if upper(&corners[one], &corners[other]) {
            corners.swap(one, other);
        }
    }
    let [top, middle, foot] = corners;
    let area = (middle.x - top.x) * (foot.y - top.y) - (foot.x - top.x) * (middle.y - top.y);
    if area == 0.0 || !area.is_finite() {
        return;
    }
    let first = first_from(top.y, clip.top, clip.foot);
    let last = first_from(foot.y, clip.top, clip.foot);
    let [a, b, c] = corners.map(|corner| corner.vertex.uv);
    let is_plain = a == b && b == c;
    let is_even = vertices
        .iter()
        .all(|vertex| vertex.color == vertices[0].color);
    let colors = corners.map(|corner| color_of(corner.vertex));
    let texel = texture.sample(a.x, a.y);
    let mut rows = Rows {
        corners,
        first,
        last,
        clip,
    };
    match (is_plain, is_even) {
        (true, true) => {
            let color = tinted(colors[0], texel);
            rows.each(sheet, |span, _, _| fill(span, color));
        }
        (true, false) => {
            let colors = colors.map(|color| std::array::from_fn(|c| color[c] * texel[c] / 255.0));
            let color = Slope::new(&corners, area, colors);
            rows.each(sheet, |span, x, y| {
                // Each by itself, so that a pixel does not depend on where its row was cut.
                for (index, pixel) in span.iter_mut().enumerate() {
                    let now = color.value(&top, x + index, y);
                    // Rounded; a float below 0 becomes 0.
                    *pixel = over(*pixel, now.map(|part| ((part + 0.5) as u32).min(255)));
                }
            });
        }
        (false, _) => {
            let color = Slope::new(&corners, area, colors);
            let uv = corners.map(|corner| [corner.vertex.uv.x, corner.vertex.uv.y]);
            let uv = Slope::new(&corners, area, uv);
            rows.each(sheet, |span, x, y| {
                for (index, pixel) in span.iter_mut().enumerate() {
                    let x = x + index;
                    let [u, v] = uv.value(&top, x, y);
                    let color = color.value(&top, x, y);
                    *pixel = over(*pixel, tinted(color, texture.sample(u, v)));
                }
            });
        }
    }
}

fn tinted(color: [f32; 4], texel: [f32; 4]) -> [u32; 4] {
    std::array::from_fn(|c| ((color[c] * texel[c] / 255.0 + 0.5) as u32).min(255))
}

struct Rows<'a> {
    corners: [Corner<'a>; 3],
    first: usize,
    last: usize,
    clip: Clip,
}

impl Rows<'_> {
    /// Calls `paint` for the pixels of each row, with the place of the first of them.
    fn each(&mut self, sheet: &mut Sheet, mut paint: impl FnMut(&mut [u32], usize, usize)) {
        let [top, middle, foot] = self.corners;
        let long = Edge::new(top, foot);
        let upper = Edge::new(top, middle);
        let lower = Edge::new(middle, foot);
        for y in self.first..self.last {
            let center = y as f32 + 0.5;
            let short = if center < middle.y { &upper } else { &lower };
            let (one, other) = (long.x(center), short.x(center));
            let left = first_from(one.min(other), self.clip.left, self.clip.right);
            let right = first_from(one.max(other), self.clip.left, self.clip.right);
            if left < right {
                paint(sheet.span(y, left, right), left, y);
            }
        }
    }
}

struct Edge {
    x: f32,
    y: f32,
    slope: f32,
}

impl Edge {
    fn new(from: Corner<'_>, to: Corner<'_>) -> Self {
        let height = to.y - from.y;
        Self {
            x: from.x,
            y: from.y,
            // An edge that lies flat crosses no row.
            slope: if height > 0.0 {
                (to.x - from.x) / height
            } else {
                0.0
            },
        }
    }

    fn x(&self, y: f32) -> f32 {
        self.x + (y - self.y) * self.slope
    }
}

impl<const N: usize> Slope<N> {
    fn new([a, b, c]: &[Corner<'_>; 3], area: f32, values: [[f32; N]; 3]) -> Self {
        let [at, second, third] = values;
        let (by_x, by_y) = ((b.x - a.x, c.x - a.x), (b.y - a.y, c.y - a.y));
        let along = |index: usize| (second[index] - at[index], third[index] - at[index]);
        Self {
            at,
            right: std::array::from_fn(|index| {
                let (b, c) = along(index);
                (b * by_y.1 - c * by_y.0) / area
            }),
            down: std::array::from_fn(|index| {
                let (b, c) = along(index);
                (c * by_x.0 - b * by_x.1) / area
            }),
        }
    }

    /// At the centre of the pixel `x`, `y`.
    fn value(&self, top: &Corner<'_>, x: usize, y: usize) -> [f32; N] {
        let (x, y) = (x as f32 + 0.5 - top.x, y as f32 + 0.5 - top.y);
        std::array::from_fn(|index| self.at[index] + self.right[index] * x + self.down[index] * y)
    }
}
