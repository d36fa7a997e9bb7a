//! Whatever stands on the board: nothing panics, nothing hangs, nothing is drawn outside of its place.

use egui::{Rect, pos2, vec2};
use headroom_gui::range::Range;
use headroom_gui::text;
use headroom_gui::theme::Theme;
use headroom_gui::view::{Page, Plane, Scale, treemap_layout, treemap_tree};
use headroom_gui_tests::stage::{Set, Stage, harness_of};
use headroom_ipc::board::{Handle, KindInfo, MemoryPart, ModuleInfo, ParamInfo};
use headroom_ipc::{Axis, Curve, Description, MemoryInfo, Value, Walk};
use proptest::prelude::*;
use std::sync::Arc;

fn any_float() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -1e3f32..1e3,
        2 => any::<f32>(),
        1 => Just(f32::NAN),
        1 => Just(f32::INFINITY),
        1 => Just(f32::NEG_INFINITY),
        1 => Just(0.0),
    ]
}

fn any_walk() -> impl Strategy<Value = Walk> {
    prop_oneof![
        Just(Walk::Linear),
        Just(Walk::Log),
        Just(Walk::Choice),
        Just(Walk::Switch)
    ]
}

fn any_param() -> impl Strategy<Value = ParamInfo> {
    let texts = (
        "[a-z_]{0,12}",
        "\\PC{0,40}",
        prop_oneof![Just("Hz"), Just("%"), Just("dB"), Just("\n")],
    );
    let range = (any_float(), any_float(), any_float());
    (texts, range, any_walk(), 0usize..5).prop_map(|((id, name, unit), range, walk, labels)| {
        ParamInfo {
            id,
            name: name.repeat(25),
            unit: unit.to_owned(),
            min: range.0,
            max: range.1,
            default: range.2,
            walk,
            labels: vec!["label".repeat(50); labels],
            structural: false,
        }
    })
}

proptest! {
    #[test]
    fn a_range_is_one_that_can_be_walked(param in any_param(), value in any_float(), steps in any_float()) {
        let range = Range::of(&param);
        prop_assert!(range.low() < range.high());
        for value in [range.clamp(value), range.value(value), range.step(value, steps), range.default()] {
            prop_assert!(value >= range.low() && value <= range.high(), "{value} of {range:?}");
        }
        let fraction = range.fraction(value);
        prop_assert!((0.0..=1.0).contains(&fraction));
        let clamped = range.clamp(value);
        if matches!(param.walk, Walk::Linear | Walk::Log) && (range.high() - range.low()) < 1e6 {
            let back = range.value(range.fraction(clamped));
            let far = (back - clamped).abs() / (range.high() - range.low());
            prop_assert!(far < 1e-3, "{clamped} came back as {back}");
        }
        let _ = text::format(&param, value);
    }

    #[test]
    fn what_is_typed_is_a_value_in_range_or_nothing(param in any_param(), typed in "\\PC{0,20}") {
        let range = Range::of(&param);
        if let Some(value) = text::parse(&param, &typed) {
            prop_assert!(value >= range.low() && value <= range.high());
        }
    }

    #[test]
    fn a_plane_puts_every_point_somewhere_finite(
        low in any_float(), high in any_float(), x in any_float(), y in any_float(), axis in 0..3
    ) {
        let axis = [Axis::FrequencyHz, Axis::Decibels, Axis::Seconds][axis as usize];
        let scale = Scale::new(axis, low, high);
        prop_assert!(scale.low() < scale.high());
        prop_assert!(scale.ticks(300.0).len() <= 80);
        let rect = Rect::from_min_size(pos2(10.0, 10.0), vec2(300.0, 200.0));
        let plane = Plane { rect, x: scale, y: scale };
        if x.is_finite() && y.is_finite() {
            prop_assert!(plane.at(x, y).is_finite());
        }
    }

    #[test]
    fn boxes_of_a_treemap_are_as_large_as_their_sizes_and_do_not_overlap(
        sizes in prop::collection::vec(prop_oneof![0u64..10, 0u64..1_000_000, Just(u64::MAX / 128)], 0..40),
        width in 0.0f32..900.0, height in 0.0f32..600.0
    ) {
        let rect = Rect::from_min_size(pos2(5.0, 7.0), vec2(width, height));
        let boxes = treemap_layout(&sizes, rect);
        prop_assert_eq!(boxes.len(), sizes.len());
        let total: f64 = sizes.iter().map(|&size| size as f64).sum();
        for (place, &size) in boxes.iter().zip(&sizes) {
            prop_assert!(rect.expand(0.5).contains_rect(*place));
            if width > 10.0 && height > 10.0 && total > 0.0 {
                let wanted = size as f64 / total * f64::from(rect.area());
                let off = (f64::from(place.area()) - wanted).abs();
                prop_assert!(off < 0.002 * f64::from(rect.area()), "{off} of {wanted}");
            }
        }
        for (index, one) in boxes.iter().enumerate() {
            for other in &boxes[index + 1..] {
                let both = one.intersect(*other);
                prop_assert!(!both.is_positive() || both.width().min(both.height()) < 0.5);
            }
        }
    }

    #[test]
    fn a_memory_map_of_anything_is_a_tree_of_all_its_bytes(
        parts in prop::collection::vec((0u8..4, any::<bool>(), any::<u64>()), 0..60)
    ) {
        let parts = parts.into_iter().map(|(owner, inside, bytes)| MemoryPart {
            owner: format!("owner {owner}"),
            name: "part".to_owned(),
            sort: "buffer".to_owned(),
            inside,
            address: 0,
            bytes: bytes >> 8,
            pages: 0,
        });
        let info = MemoryInfo { parts: parts.collect(), bytes: 0, resident_bytes: 0 };
        let root = treemap_tree(&info);
        let sum: u64 = root.children.iter().map(|owner| owner.bytes).sum();
        prop_assert_eq!(root.bytes, sum);
    }
}

#[test]
fn boxes_of_a_treemap_are_wider_than_high_so_that_names_fit() {
    for (count, width, height) in [(4, 187.0, 95.0), (12, 400.0, 400.0), (9, 500.0, 200.0)] {
        let rect = Rect::from_min_size(pos2(3.0, 4.0), vec2(width, height));
        for place in treemap_layout(&vec![7; count], rect) {
            let ratio = place.width() / place.height();
            assert!((1.0..4.0).contains(&ratio), "{count}: {place:?}");
        }
    }
}

fn description(modules: usize, kind: KindInfo) -> Description {
    let modules = (0..modules).map(|index| ModuleInfo {
        id: format!("m{index}"),
        kind: if index % 7 == 6 { 99 } else { 0 },
        lane: (index * 3) as u8,
        first_value: (index * 52) as u16,
        latency_frames: u32::MAX,
    });
    Description {
        rack: "n".repeat(1_000),
        modules: modules.collect(),
        kinds: vec![kind],
        latency_frames: u32::MAX,
        delta: Some("nobody".to_owned()),
        undo: Some("u".repeat(1_000)),
        compared: 200,
        ..Description::default()
    }
}

fn absurd_kind() -> KindInfo {
    let walks = [Walk::Linear, Walk::Log, Walk::Choice, Walk::Switch];
    let params = (0..50).map(|index| ParamInfo {
        id: format!("p{index}"),
        name: "x".repeat(1_000),
        unit: "u".repeat(index),
        min: if index % 3 == 0 { f32::NAN } else { 1.0 },
        max: if index % 5 == 0 { f32::INFINITY } else { -1.0 },
        default: f32::NAN,
        walk: walks[index % 4],
        labels: Vec::new(),
        structural: true,
    });
    let handle = |index: u16| Handle {
        x: Some(index),
        y: Some(9_999),
        wheel: Some(index + 1),
        on: Some(index + 2),
        choice: None,
        x_unless: None,
    };
    KindInfo {
        id: String::new(),
        name: "k".repeat(1_000),
        about: "a".repeat(1_000),
        params: params.collect(),
        handles: (0..60).map(handle).collect(),
        reduces: true,
    }
}

#[test]
fn every_page_survives_absurd_descriptions() {
    let nan = f32::NAN;
    let curves = [
        (
            (Axis::FrequencyHz, nan, nan),
            (Axis::Decibels, 0.0, 0.0),
            false,
        ),
        (
            (Axis::Decibels, -1e30, 1e30),
            (Axis::Decibels, 5.0, -5.0),
            false,
        ),
        (
            (Axis::Seconds, 0.0, 1e-9),
            (Axis::FrequencyHz, -1.0, 1.0),
            true,
        ),
    ];
    for count in [0, 1, 64, 300] {
        for (index, (x, y, stems)) in curves.iter().copied().enumerate() {
            let set = Set {
                secs: 0.2,
                page: [Page::Rack, Page::Meters, Page::Health][index],
                size: if index == 0 {
                    (800.0, 500.0)
                } else {
                    (220.0, 120.0)
                },
                ..Set::default()
            };
            let mut stage = Stage::new(&set);
            stage.is_frozen = true;
            stage.picture.description = Arc::new(description(count, absurd_kind()));
            let value = |index: usize| Value {
                value: [nan, f32::INFINITY, -1e38, 0.5][index % 4],
                text: "v".repeat(index % 500),
            };
            stage.picture.values = (0..4_000).map(|index| Some(value(index))).collect();
            let points = (0..256).map(|index| (index as f32, [nan, 1e38, -1e38, 0.0][index % 4]));
            let curve = Curve {
                x,
                y,
                stems,
                points: points.collect(),
            };
            stage.picture.curves = vec![Some(curve); count];
            let frames = vec![[nan, f32::INFINITY]; 4_096];
            let averaging = stage.screen.averaging;
            stage
                .picture
                .sound
                .look(&frames, &frames, 0, averaging, nan);
            let mut harness = harness_of(stage, &set);
            harness.run_steps(3);
            harness.render().expect("it is drawn");
        }
    }
}

#[test]
fn what_is_read_stands_out_from_its_ground_in_both_looks() {
    for theme in [Theme::DARK, Theme::LIGHT] {
        for ground in [theme.panel, theme.raised, theme.well, theme.ground] {
            assert!(Theme::contrast(theme.text, ground) > 10.0);
            assert!(
                Theme::contrast(theme.dim, ground) > 4.5,
                "{:?} on {ground:?}",
                theme.dim
            );
            for hue in [theme.set, theme.heard, theme.wrong] {
                assert!(Theme::contrast(hue, ground) > 3.0, "{hue:?} on {ground:?}");
            }
        }
        for hue in [theme.set, theme.heard, theme.wrong] {
            assert!(Theme::contrast(theme.on_hue, hue) > 4.5, "text on {hue:?}");
        }
    }
}
