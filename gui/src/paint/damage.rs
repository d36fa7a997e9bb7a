//! What of a frame differs from the one before: only that is drawn again. On a machine without a graphics
//! card every pixel costs, and most of them stay as they are.

use egui::epaint::ClippedShape;
use egui::{ClippedPrimitive, Context, Pos2, Rect, Shape, Vec2};
use std::sync::Arc;

/// Rectangles that are drawn one by one; more are put together.
const MOST: usize = 10;
/// How far ahead a shape is looked for that was there before.
const AHEAD: usize = 12;
/// A part of the window above which all of it is drawn.
const ALL: f32 = 0.75;

/// What of a frame is drawn.
#[derive(Debug)]
pub struct Change {
    /// All that lies in the parts.
    pub primitives: Vec<ClippedPrimitive>,
    /// In points, on whole pixels, apart from each other.
    pub parts: Vec<Rect>,
    /// It is the whole frame, and the ground below it.
    pub is_whole: bool,
}

/// What the frame before was.
#[derive(Debug, Default)]
pub struct Damage {
    before: Vec<ClippedShape>,
    points: f32,
    whole: Option<Rect>,
}

impl Damage {
    /// `[main]` Forgets the frame before: all of the next one is drawn.
    pub fn forget(&mut self) {
        self.whole = None;
    }

    /// `[main]` What has to be drawn so that the frame before becomes the one that `shapes` are, in a window
    /// of `size` pixels.
    pub fn change(
        &mut self,
        ctx: &Context,
        shapes: Vec<ClippedShape>,
        size: [u32; 2],
        points: f32,
    ) -> Change {
        let whole = Rect::from_min_size(
            Pos2::ZERO,
            Vec2::new(size[0] as f32, size[1] as f32) / points,
        );
        let parts = self.of(&shapes, whole, points);
        let is_whole = parts == [whole];
        let shapes = if is_whole {
            shapes
        } else {
            within(&shapes, &parts, points)
        };
        Change {
            primitives: ctx.tessellate(shapes, points),
            parts,
            is_whole,
        }
    }

    /// The parts of `whole`, on whole pixels and apart from each other, that `shapes` draws
    /// otherwise than the frame before.
    fn of(&mut self, shapes: &[ClippedShape], whole: Rect, points: f32) -> Vec<Rect> {
        let known = self.whole == Some(whole) && self.points == points;
        let mut parts = Vec::new();
        if known {
            differences(&self.before, shapes, |shape| {
                let rect = extent(shape, points);
                let rect = outwards(rect.intersect(shape.clip_rect).intersect(whole), points);
                if rect.is_positive() {
                    add(&mut parts, rect);
                }
            });
        }
        self.before.clear();
        self.before.extend_from_slice(shapes);
        (self.whole, self.points) = (Some(whole), points);
        let area: f32 = parts.iter().map(Rect::area).sum();
        if !known || area > ALL * whole.area() {
            return vec![whole];
        }
        parts
    }
}

/// The shapes of a frame, as far as they lie in `parts`.
fn within(shapes: &[ClippedShape], parts: &[Rect], points: f32) -> Vec<ClippedShape> {
    let mut kept = Vec::new();
    for part in parts {
        let first = kept.len();
        for shape in shapes {
            let clip_rect = shape.clip_rect.intersect(*part);
            if covers(shape, *part, points) {
                // Nothing of what lies below is seen.
                kept.truncate(first);
            }
            if clip_rect.is_positive() && extent(shape, points).intersects(clip_rect) {
                kept.push(ClippedShape {
                    clip_rect,
                    ..shape.clone()
                });
            }
        }
    }
    kept
}

/// Where `shape` is drawn: edges are smoothed, and lines are moved onto pixels.
fn extent(shape: &ClippedShape, points: f32) -> Rect {
    shape.shape.visual_bounding_rect().expand(1.5 / points)
}

/// Whether nothing shows through `shape` anywhere in `part`: an opaque rectangle, its corners outside.
fn covers(shape: &ClippedShape, part: Rect, points: f32) -> bool {
    let Shape::Rect(rect) = &shape.shape else {
        return false;
    };
    let corner = rect.corner_radius;
    let radius = corner.nw.max(corner.ne).max(corner.sw).max(corner.se);
    rect.fill.is_opaque()
        && rect.blur_width == 0.0
        && rect.brush.is_none()
        && rect.angle == 0.0
        && shape.clip_rect.contains_rect(part)
        && rect
            .rect
            // A square stays inside of a round corner from 0.293 of its radius on; the edge is smoothed.
            .shrink(0.3 * f32::from(radius) + 1.5 / points)
            .contains_rect(part)
}

/// Calls `found` for every shape that only one of the two frames has.
fn differences(
    before: &[ClippedShape],
    after: &[ClippedShape],
    mut found: impl FnMut(&ClippedShape),
) {
    let (mut old, mut new) = (0, 0);
    while old < before.len() && new < after.len() {
        if is_same(&before[old], &after[new]) {
            (old, new) = (old + 1, new + 1);
            continue;
        }
        // One more or one less: the next that both have is near.
        let step = (1..AHEAD).find_map(|ahead| {
            let skip_new = after
                .get(new + ahead)
                .is_some_and(|it| is_same(&before[old], it));
            let skip_old = before
                .get(old + ahead)
                .is_some_and(|it| is_same(it, &after[new]));
            match (skip_new, skip_old) {
                (true, _) => Some((0, ahead)),
                (_, true) => Some((ahead, 0)),
                _ => None,
            }
        });
        let (skip_old, skip_new) = step.unwrap_or((1, 1));
        before[old..old + skip_old].iter().for_each(&mut found);
        after[new..new + skip_new].iter().for_each(&mut found);
        (old, new) = (old + skip_old, new + skip_new);
    }
    before[old..].iter().for_each(&mut found);
    after[new..].iter().for_each(&mut found);
}

fn is_same(a: &ClippedShape, b: &ClippedShape) -> bool {
    a.clip_rect == b.clip_rect && is_same_shape(&a.shape, &b.shape)
}

fn is_same_shape(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        // Text that is laid out alike is the same in egui's cache; to compare glyphs would cost more than
        // to draw them.
        (Shape::Text(a), Shape::Text(b)) => {
            Arc::ptr_eq(&a.galley, &b.galley)
                && a.pos == b.pos
                && a.fallback_color == b.fallback_color
                && a.override_text_color == b.override_text_color
                && a.opacity_factor == b.opacity_factor
                && a.angle == b.angle
                && a.underline == b.underline
        }
        (Shape::Mesh(a), Shape::Mesh(b)) => Arc::ptr_eq(a, b) || a == b,
        (Shape::Vec(a), Shape::Vec(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_shape(a, b))
        }
        _ => a == b,
    }
}

fn outwards(rect: Rect, points: f32) -> Rect {
    let low = |at: f32| (at * points).floor() / points;
    let high = |at: f32| (at * points).ceil() / points;
    Rect::from_min_max(
        Pos2::new(low(rect.min.x), low(rect.min.y)),
        Pos2::new(high(rect.max.x), high(rect.max.y)),
    )
}

/// Puts `rect` to the others; what touches becomes one, so that no pixel is blended twice.
fn add(parts: &mut Vec<Rect>, mut rect: Rect) {
    loop {
        let touching = parts
            .iter()
            .position(|part| part.expand(0.5).intersects(rect));
        if let Some(index) = touching {
            rect = rect.union(parts.swap_remove(index));
            continue;
        }
        if parts.len() < MOST {
            parts.push(rect);
            return;
        }
        let grown = |part: &Rect| part.union(rect).area() - part.area();
        let nearest = parts
            .iter()
            .enumerate()
            .min_by(|a, b| grown(a.1).total_cmp(&grown(b.1)));
        let Some((index, _)) = nearest else {
            return;
        };
        rect = rect.union(parts.swap_remove(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, pos2, vec2};

    fn shape(x: f32, y: f32, color: Color32) -> ClippedShape {
        let rect = Rect::from_min_size(pos2(x, y), vec2(10.0, 10.0));
        ClippedShape::new(Rect::EVERYTHING, Shape::rect_filled(rect, 0.0, color))
    }

    fn window() -> Rect {
        Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0))
    }

    fn frame(count: usize) -> Vec<ClippedShape> {
        (0..count)
            .map(|i| shape(20.0 * i as f32, 5.0, Color32::from_gray(i as u8)))
            .collect()
    }

    #[test]
    fn the_first_frame_is_drawn_whole_and_the_same_again_not_at_all() {
        let mut damage = Damage::default();
        assert_eq!(damage.of(&frame(8), window(), 1.0), [window()]);
        assert_eq!(damage.of(&frame(8), window(), 1.0), []);
        damage.forget();
        assert_eq!(damage.of(&frame(8), window(), 1.0), [window()]);
    }

    #[test]
    fn what_moved_is_drawn_where_it_was_and_where_it_is() {
        let mut damage = Damage::default();
        let mut shapes = frame(8);
        damage.of(&shapes, window(), 1.0);
        shapes[3] = shape(200.0, 200.0, Color32::RED);
        let parts = damage.of(&shapes, window(), 1.0);
        assert_eq!(parts.len(), 2, "{parts:?}");
        for place in [pos2(65.0, 10.0), pos2(205.0, 205.0)] {
            assert!(
                parts.iter().any(|part| part.contains(place)),
                "{place:?} in {parts:?}"
            );
        }
        let area: f32 = parts.iter().map(Rect::area).sum();
        assert!(area < 500.0, "{parts:?}");
    }

    #[test]
    fn one_more_in_the_middle_damages_only_its_own_place() {
        let mut damage = Damage::default();
        let mut shapes = frame(8);
        damage.of(&shapes, window(), 1.0);
        shapes.insert(2, shape(300.0, 100.0, Color32::RED));
        let parts = damage.of(&shapes, window(), 1.0);
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert!(parts[0].contains(pos2(305.0, 105.0)) && parts[0].area() < 300.0);
        shapes.remove(2);
        let again = damage.of(&shapes, window(), 1.0);
        assert_eq!(again, parts);
    }

    #[test]
    fn what_went_at_the_end_is_drawn_over() {
        let mut damage = Damage::default();
        let mut shapes = frame(8);
        damage.of(&shapes, window(), 1.0);
        shapes.truncate(7);
        let parts = damage.of(&shapes, window(), 1.0);
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert!(parts[0].contains(pos2(145.0, 10.0)));
    }

    #[test]
    fn what_came_at_the_end_is_drawn() {
        let mut damage = Damage::default();
        let shapes = frame(8);
        damage.of(&shapes[..7], window(), 1.0);
        let parts = damage.of(&shapes, window(), 1.0);
        assert_eq!(parts.len(), 1, "{parts:?}");
        assert!(parts[0].contains(pos2(145.0, 10.0)));
    }

    #[test]
    fn what_is_covered_is_not_drawn() {
        let part = Rect::from_min_size(pos2(50.0, 50.0), vec2(20.0, 20.0));
        let sheet = |color| {
            let shape = Shape::rect_filled(part.expand(10.0), 4.0, color);
            ClippedShape::new(Rect::EVERYTHING, shape)
        };
        let dot = shape(55.0, 55.0, Color32::RED);
        let opaque = [dot.clone(), sheet(Color32::BLUE), dot.clone()];
        assert_eq!(within(&opaque, &[part], 1.0).len(), 2);
        let glass = [
            dot.clone(),
            sheet(Color32::from_black_alpha(100)),
            dot.clone(),
        ];
        assert_eq!(within(&glass, &[part], 1.0).len(), 3);
        let small = [dot.clone(), shape(52.0, 52.0, Color32::BLUE), dot];
        assert_eq!(within(&small, &[part], 1.0).len(), 3);
    }

    #[test]
    fn parts_never_overlap() {
        let mut damage = Damage::default();
        damage.of(&[], window(), 1.5);
        let mut seed = 7u32;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        for _ in 0..200 {
            let count = random(30);
            let shapes: Vec<_> = (0..count)
                .map(|_| shape(random(390) as f32, random(290) as f32, Color32::WHITE))
                .collect();
            let parts = damage.of(&shapes, window(), 1.5);
            for (index, one) in parts.iter().enumerate() {
                for other in &parts[index + 1..] {
                    assert!(!one.intersect(*other).is_positive(), "{one:?} {other:?}");
                }
            }
        }
    }
}
