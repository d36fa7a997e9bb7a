//! A rectangle of one colour: most of what is drawn is letters, and a letter is one.

use super::{Clip, Sheet, Texture, fill, first_from, over, scaled};
use egui::epaint::Vertex;

/// Draws two triangles that are a rectangle with straight edges and one colour, and whose texels lie on
/// pixels; says whether they were.
pub(super) fn draw(
    sheet: &mut Sheet,
    [a, b, c, d]: [&Vertex; 4],
    texture: &Texture,
    clip: Clip,
    points: f32,
) -> bool {
    let is_straight = a.pos.x == c.pos.x
        && b.pos.x == d.pos.x
        && a.pos.y == b.pos.y
        && c.pos.y == d.pos.y
        && a.pos.x < b.pos.x
        && a.pos.y < c.pos.y;
    let is_even = a.color == b.color && a.color == c.color && a.color == d.color;
    if !(is_straight && is_even) {
        return false;
    }
    let edge = |at: f32| at * points;
    let left = first_from(edge(a.pos.x), clip.left, clip.right);
    let right = first_from(edge(b.pos.x), clip.left, clip.right);
    let top = first_from(edge(a.pos.y), clip.top, clip.foot);
    let foot = first_from(edge(c.pos.y), clip.top, clip.foot);
    let color = a.color.to_array().map(u32::from);
    if a.uv == b.uv && a.uv == c.uv && a.uv == d.uv {
        let texel = texture.sample(a.uv.x, a.uv.y);
        let texel = texel.map(|part| (part + 0.5) as u32);
        let color = std::array::from_fn(|c| scaled(color[c], texel[c]));
        for y in top..foot {
            fill(sheet.span(y, left, right.max(left)), color);
        }
        return true;
    }
    let is_straight = a.uv.x == c.uv.x && b.uv.x == d.uv.x && a.uv.y == b.uv.y && c.uv.y == d.uv.y;
    let across = shift(
        [edge(a.pos.x), edge(b.pos.x)],
        [a.uv.x, b.uv.x].map(|u| u * texture.width as f32),
    );
    let down = shift(
        [edge(a.pos.y), edge(c.pos.y)],
        [a.uv.y, c.uv.y].map(|v| v * texture.height as f32),
    );
    let (true, Some(across), Some(down)) = (is_straight, across, down) else {
        return false;
    };
    for y in top..foot {
        let Some(from) = y.checked_add_signed(down) else {
            continue;
        };
        let from = from * texture.width;
        let (Some(first), Some(last)) = (
            left.checked_add_signed(across),
            right.max(left).checked_add_signed(across),
        ) else {
            continue;
        };
        let texels = texture.pixels.get(from + first..from + last);
        let span = sheet.span(y, left, right.max(left));
        for (pixel, texel) in span.iter_mut().zip(texels.unwrap_or_default()) {
            if texel.a() != 0 {
                let texel = texel.to_array().map(u32::from);
                *pixel = over(*pixel, std::array::from_fn(|c| scaled(color[c], texel[c])));
            }
        }
    }
    true
}

/// By how much a texel's number is above its pixel's, where one texel is one pixel.
fn shift(pixels: [f32; 2], texels: [f32; 2]) -> Option<isize> {
    let [start, end] = [texels[0] - pixels[0], texels[1] - pixels[1]];
    let whole = start.round();
    let is_whole = (start - whole).abs() < 0.02 && (end - whole).abs() < 0.02;
    is_whole.then_some(whole as isize)
}
