//! What the processor draws without a graphics card: the same as a slow and simple reference, and out of the
//! frame before the same as from nothing.

use egui::{Color32, Pos2, Rect, TextureId, TexturesDelta, pos2, vec2};
use headroom_gui::paint::{Brush, Sheet};
use headroom_gui::theme::Look;
use headroom_gui::view::Page;
use headroom_gui_tests::shipped::Shipped;
use headroom_gui_tests::stage::{Set, Stage, harness_drawn_by};

const PAGES: [Page; 5] = [
    Page::Rack,
    Page::Meters,
    Page::Health,
    Page::Presets,
    Page::Device,
];

#[test]
fn every_page_is_drawn_as_by_the_reference_in_both_looks_at_every_scale() {
    for (look, scale) in [
        (Look::Dark, 1.0),
        (Look::Light, 1.0),
        (Look::Dark, 1.25),
        (Look::Light, 1.5),
        (Look::Dark, 2.0),
    ] {
        for page in PAGES {
            let set = Set {
                look,
                page,
                scale,
                secs: 1.0,
                ..Set::default()
            };
            let mut harness = harness_drawn_by(Stage::new(&set), &set, Shipped::default());
            harness.run_steps(3);
            if let Err(why) = harness.render() {
                panic!("{page:?} {look:?} {scale}: {why}");
            }
        }
    }
}

#[test]
fn a_frame_drawn_out_of_the_one_before_is_the_frame_drawn_whole_to_the_bit() {
    for scale in [1.0, 1.25] {
        let set = Set {
            scale,
            secs: 1.0,
            ..Set::default()
        };
        let shipped = Shipped::default();
        let in_parts = std::rc::Rc::clone(&shipped.in_parts);
        let mut harness = harness_drawn_by(Stage::new(&set), &set, shipped);
        harness.run_steps(3);
        harness.render().expect("the first frame");
        let mut seed = 5_u32;
        let mut random = move |below: f32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 * below
        };
        let mut frames = 0;
        for page in PAGES {
            harness.state_mut().screen.page = page;
            for _ in 0..12 {
                // Sound goes on, and the mouse goes anywhere.
                harness.state_mut().play(0.04, 0.2 + random(1.0));
                harness.hover_at(pos2(random(900.0), random(600.0)));
                harness.step();
                frames += 1;
                if let Err(why) = harness.render() {
                    panic!("{page:?} frame {frames}: {why}");
                }
            }
        }
        assert!(
            in_parts.get() * 4 > frames * 3,
            "{} of {frames} frames were drawn in parts: nothing was tried",
            in_parts.get()
        );
    }
}

/// A brush with egui's white texel, and a texture of two by two colours.
fn brush() -> Brush {
    let mut brush = Brush::default();
    let mut delta = TexturesDelta::default();
    let options = egui::TextureOptions::LINEAR;
    let white = egui::ColorImage::filled([1, 1], Color32::WHITE);
    delta.push(
        TextureId::default(),
        egui::epaint::ImageDelta::full(white, options),
    );
    brush.take(&mut delta);
    brush
}

fn draw(sheet: &mut Sheet, mesh: egui::Mesh) {
    let primitive = egui::ClippedPrimitive {
        clip_rect: Rect::EVERYTHING,
        primitive: egui::epaint::Primitive::Mesh(mesh),
    };
    brush().draw(sheet, &[primitive], 1.0);
}

#[test]
fn triangles_that_share_edges_leave_no_pixel_out_and_draw_none_twice() {
    let mut seed = 11_u32;
    let mut random = move |below: f32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 * below
    };
    // Half of white over black is 128 where it is drawn once, 192 where it is drawn twice.
    let color = Color32::from_rgba_premultiplied(128, 128, 128, 128);
    for _ in 0..300 {
        let middle = pos2(8.0 + random(48.0), 8.0 + random(48.0));
        let mut mesh = egui::Mesh::default();
        mesh.colored_vertex(middle, color);
        // A fan all around, over the edges of the sheet.
        let mut corners: Vec<Pos2> = Vec::new();
        for side in 0..4 {
            let (from, along) = [
                (pos2(-3.0, -3.0), vec2(1.0, 0.0)),
                (pos2(67.0, -3.0), vec2(0.0, 1.0)),
                (pos2(67.0, 67.0), vec2(-1.0, 0.0)),
                (pos2(-3.0, 67.0), vec2(0.0, -1.0)),
            ][side];
            let mut way = 0.0;
            while way < 70.0 {
                corners.push(from + along * way);
                way += 1.0 + random(30.0);
            }
        }
        for corner in &corners {
            mesh.colored_vertex(*corner, color);
        }
        let count = corners.len() as u32;
        for index in 0..count {
            mesh.add_triangle(0, 1 + index, 1 + (index + 1) % count);
        }
        let mut sheet = Sheet::new([64, 64]);
        draw(&mut sheet, mesh);
        assert!(sheet.pixels().iter().all(|pixel| *pixel == 0x80_80_80));
    }
}

#[test]
fn nothing_that_a_mesh_may_hold_draws_outside_or_panics() {
    let odd = [
        0.0,
        -1e30,
        1e30,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        3.5,
        40.0,
    ];
    let mut seed = 3_u32;
    let mut any = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize
    };
    for _ in 0..20_000 {
        let mut mesh = egui::Mesh::default();
        for _ in 0..4 {
            mesh.vertices.push(egui::epaint::Vertex {
                pos: pos2(odd[any() % 8], odd[any() % 8]),
                uv: pos2(odd[any() % 8], odd[any() % 8]),
                color: Color32::from_rgba_premultiplied(any() as u8, any() as u8, 255, any() as u8),
            });
        }
        mesh.indices.extend([0, 1, 2, 2, 1, 3, 0, 9, 1]);
        let mut sheet = Sheet::new([20, 10]);
        draw(&mut sheet, mesh);
        assert!(sheet.pixels().iter().all(|pixel| *pixel <= 0x00ff_ffff));
    }
}
