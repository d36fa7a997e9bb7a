//! The memory map as a picture: every byte has a place, and its area is its size.

use crate::draw;
use crate::text::{self, cut};
use crate::theme::{self, Theme, faint, size};
use egui::{Align2, Painter, Rect, Response, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use headroom_ipc::MemoryInfo;

/// Boxes that are drawn at one level.
const MAX_BOXES: usize = 400;
const LOCKED: u8 = 1;
/// How many times as wide as high a box had best be.
const WIDER: f32 = 2.0;

/// One box: an owner, a region, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// For people.
    pub name: String,
    /// What sort of memory it is; empty for an owner.
    pub sort: String,
    /// Its size; at least that of its children.
    pub bytes: u64,
    /// Bits of its pages, of all of it.
    pub pages: u8,
    /// What is in it.
    pub children: Vec<Node>,
}

/// `[any]` The map as a tree: owners, their regions, their parts.
pub fn tree(memory: &MemoryInfo) -> Node {
    let mut owners: Vec<Node> = Vec::new();
    let mut newest: Option<usize> = None;
    for part in memory.parts.iter().take(20_000) {
        let node = Node {
            name: cut(&part.name).to_owned(),
            sort: cut(&part.sort).to_owned(),
            bytes: part.bytes,
            pages: part.pages,
            children: Vec::new(),
        };
        let region = newest.and_then(|owner| owners[owner].children.last_mut());
        if let (true, Some(region)) = (part.inside, region) {
            region.children.push(node);
            continue;
        }
        let place = owners
            .iter()
            .position(|owner| owner.name == cut(&part.owner));
        let place = place.unwrap_or_else(|| {
            owners.push(Node {
                name: cut(&part.owner).to_owned(),
                pages: u8::MAX,
                ..Node::default()
            });
            owners.len() - 1
        });
        let owner = &mut owners[place];
        owner.bytes = owner.bytes.saturating_add(node.bytes);
        owner.pages &= node.pages;
        owner.children.push(node);
        newest = Some(place);
    }
    for region in owners.iter_mut().flat_map(|owner| &mut owner.children) {
        let used: u64 = region
            .children
            .iter()
            .fold(0, |sum, part| sum.saturating_add(part.bytes));
        if region.children.is_empty() {
            continue;
        }
        // What was rounded up to whole pages belongs to the region too.
        let free = region.bytes.saturating_sub(used);
        region.bytes = region.bytes.max(used);
        if free > 0 {
            region.children.push(Node {
                name: "unused".to_owned(),
                sort: "padding".to_owned(),
                bytes: free,
                pages: region.pages,
                children: Vec::new(),
            });
        }
    }
    // An owner with one region: the region is not worth a step of its own.
    for owner in &mut owners {
        if owner.children.len() == 1 && !owner.children[0].children.is_empty() {
            owner.children = std::mem::take(&mut owner.children[0].children);
        }
    }
    let bytes = owners
        .iter()
        .fold(0u64, |sum, owner| sum.saturating_add(owner.bytes));
    Node {
        name: "All audio memory".to_owned(),
        sort: String::new(),
        bytes,
        pages: u8::MAX,
        children: owners,
    }
}

/// `[any]` Rectangles inside `rect` whose areas are as `sizes`, as near to twice as wide as high as may be: names
/// run across. What has no size gets no area.
pub fn layout(sizes: &[u64], rect: Rect) -> Vec<Rect> {
    let narrow = vec2(rect.width() / WIDER, rect.height());
    let places = squares(sizes, Rect::from_min_size(rect.min, narrow));
    let widen = |x: f32| rect.min.x + (x - rect.min.x) * WIDER;
    let back = |place: Rect| {
        Rect::from_x_y_ranges(widen(place.min.x)..=widen(place.max.x), place.y_range())
    };
    places.into_iter().map(back).collect()
}

/// As square as may be. Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000.
fn squares(sizes: &[u64], rect: Rect) -> Vec<Rect> {
    let mut places = vec![Rect::from_min_size(rect.min, egui::Vec2::ZERO); sizes.len()];
    let total: f64 = sizes.iter().map(|&bytes| bytes as f64).sum();
    if !(rect.is_positive() && rect.is_finite() && total > 0.0) {
        return places;
    }
    let scale = f64::from(rect.area()) / total;
    let mut order: Vec<usize> = (0..sizes.len()).filter(|&index| sizes[index] > 0).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(sizes[index]));
    let area = |index: usize| (sizes[index] as f64 * scale) as f32;
    let mut free = rect;
    let mut from = 0;
    while from < order.len() {
        let side = free.width().min(free.height()).max(1e-3);
        let mut to = from + 1;
        let mut row = area(order[from]);
        let mut worst = ratio(row, row, row, side);
        while to < order.len() {
            let longer = row + area(order[to]);
            let next = ratio(area(order[from]), area(order[to]), longer, side);
            if next > worst {
                break;
            }
            (row, worst) = (longer, next);
            to += 1;
        }
        let is_wide = free.width() >= free.height();
        let depth = if to == order.len() {
            if is_wide { free.width() } else { free.height() }
        } else {
            row / side
        };
        let mut along = 0.0;
        for &index in &order[from..to] {
            let length = area(index) / row.max(1e-6) * side;
            let min = if is_wide {
                pos2(free.min.x, free.min.y + along)
            } else {
                pos2(free.min.x + along, free.min.y)
            };
            let extent = if is_wide {
                vec2(depth, length)
            } else {
                vec2(length, depth)
            };
            places[index] = Rect::from_min_size(min, extent).intersect(rect);
            along += length;
        }
        if is_wide {
            free.min.x = (free.min.x + depth).min(free.max.x);
        } else {
            free.min.y = (free.min.y + depth).min(free.max.y);
        }
        from = to;
    }
    places
}

/// How far from a square the worst box of a row is.
fn ratio(largest: f32, smallest: f32, row: f32, side: f32) -> f32 {
    let (side, row) = (side * side, row * row);
    (side * largest / row).max(row / (side * smallest.max(1e-9)))
}

/// `[main]` Draws the boxes of `node`, and what is in them; gives the box that was clicked.
pub(super) fn show(ui: &mut Ui, rect: Rect, node: &Node) -> Option<usize> {
    let children = &node.children[..node.children.len().min(MAX_BOXES)];
    let sizes: Vec<u64> = children.iter().map(|child| child.bytes).collect();
    let mut clicked = None;
    for (index, place) in layout(&sizes, rect).into_iter().enumerate() {
        let place = place.shrink(1.0);
        if !place.is_positive() || place.area() < 4.0 {
            continue;
        }
        let child = &children[index];
        let sense = if child.children.is_empty() {
            Sense::hover()
        } else {
            Sense::click()
        };
        let response = ui.interact(place, ui.scope_id().with(("box", index)), sense);
        let label = format!(
            "{} {}, {}",
            child.name,
            child.sort,
            text::bytes(child.bytes)
        );
        let role = egui::accesskit::Role::Button;
        response.widget_info(|| egui::WidgetInfo::labeled(role, true, &label));
        if response.clicked() {
            clicked = Some(index);
        }
        paint(ui, place, child, node.bytes, &response);
        response.on_hover_text(hint(child, node.bytes));
    }
    clicked
}

fn paint(ui: &Ui, place: Rect, child: &Node, all: u64, response: &Response) {
    let theme = Theme::of(ui);
    let painter = ui.painter().with_clip_rect(place);
    let is_padding = child.sort == "padding";
    let locked = child.pages & LOCKED != 0;
    let fill = if is_padding {
        theme.well
    } else if locked {
        faint(theme.heard, 0.20)
    } else {
        theme.raised
    };
    let edge = if response.hovered() {
        theme.text
    } else {
        theme.line
    };
    let stroke = Stroke::new(if response.hovered() { 2.0 } else { 1.0 }, edge);
    painter.rect(place, 3.0, fill, stroke, StrokeKind::Inside);
    inner_boxes(&painter, theme, place, child);
    let room = place.width() - 12.0;
    if room < 30.0 || place.height() < 18.0 {
        return;
    }
    let at = place.left_top() + vec2(6.0, 4.0);
    let font = theme::medium(size::SMALL);
    let color = if is_padding { theme.dim } else { theme.text };
    draw::write(
        &painter,
        at,
        Align2::LEFT_TOP,
        &child.name,
        font,
        color,
        room,
    );
    if place.height() > 36.0 {
        let share = child.bytes as f64 * 100.0 / all.max(1) as f64;
        let kept = if locked || is_padding {
            ""
        } else {
            "  not locked"
        };
        let bytes = text::bytes(child.bytes);
        let words = [
            format!("{bytes}  {share:.0} %{kept}"),
            format!("{bytes}{kept}"),
            bytes,
        ];
        let at = place.left_top() + vec2(6.0, 20.0);
        let font = theme::regular(size::SMALL);
        draw::first_that_fits(&painter, at, &words, font, theme.dim, room);
    }
    draw::focus_ring(ui, response, place);
}

/// What is inside, as thin lines: it can be walked into.
fn inner_boxes(painter: &Painter, theme: &Theme, place: Rect, child: &Node) {
    let field = Rect::from_min_max(place.min + vec2(4.0, 40.0), place.max - vec2(4.0, 4.0));
    if field.width() < 24.0 || field.height() < 16.0 {
        return;
    }
    let inner = &child.children[..child.children.len().min(40)];
    let sizes: Vec<u64> = inner.iter().map(|part| part.bytes).collect();
    for (place, part) in layout(&sizes, field).into_iter().zip(inner) {
        let place = place.shrink(1.0);
        if !place.is_positive() || place.area() < 6.0 {
            continue;
        }
        let fill = if part.sort == "padding" {
            theme.well
        } else {
            faint(theme.text, 0.07)
        };
        painter.rect_filled(place, 2.0, fill);
        if place.width() > 44.0 && place.height() > 20.0 {
            let at = place.left_top() + vec2(5.0, 3.0);
            let font = theme::regular(size::SMALL);
            let room = place.size() - vec2(8.0, 6.0);
            draw::lines(painter, at, &part.name, font, theme.dim, room);
        }
    }
}

fn hint(child: &Node, all: u64) -> String {
    let share = child.bytes as f64 * 100.0 / all.max(1) as f64;
    let mut words = Vec::new();
    for (bit, word) in [
        (0, "locked"),
        (1, "huge pages"),
        (2, "prefaulted"),
        (3, "shared"),
    ] {
        if child.pages & (1 << bit) != 0 {
            words.push(word);
        }
    }
    if child.pages == u8::MAX {
        words.clear();
    }
    let pages = if words.is_empty() {
        String::new()
    } else {
        format!("\n{}", words.join(", "))
    };
    let inside = match child.children.len() {
        0 => String::new(),
        count => format!("\n{count} parts: click to walk in"),
    };
    format!(
        "{} {}\n{} bytes, {share:.1} %{pages}{inside}",
        child.name,
        child.sort,
        text::count(child.bytes)
    )
}
