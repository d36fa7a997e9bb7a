//! Every view as a picture. A change of look is seen in review: `UPDATE_SNAPSHOTS=1` takes new ones.

use egui_kittest::SnapshotResults;
use headroom_gui::link::{Line, Source};
use headroom_gui::model::Picture;
use headroom_gui::theme::Look;
use headroom_gui::view::Page;
use headroom_gui_tests::stage::{Set, Stage, harness_of};

fn take(results: &mut SnapshotResults, name: &str, set: &Set, change: impl FnOnce(&mut Stage)) {
    let mut stage = Stage::new(set);
    change(&mut stage);
    let mut harness = harness_of(stage, set);
    harness.run_steps(3);
    results.add(harness.try_snapshot(name));
}

#[test]
fn the_rack_looks_as_it_should() {
    let mut results = SnapshotResults::new();
    let set = Set::default();
    take(&mut results, "rack_eq", &set, |_| {});
    take(&mut results, "rack_compressor", &set, |stage| {
        stage.screen.select("compressor")
    });
    take(&mut results, "rack_delay", &set, |stage| {
        stage.screen.select("delay")
    });
    take(&mut results, "rack_gain", &set, |stage| {
        stage.screen.select("gain")
    });
    let light = Set {
        look: Look::Light,
        ..Set::default()
    };
    take(&mut results, "rack_eq_light", &light, |_| {});
    let small = Set {
        size: (800.0, 500.0),
        ..Set::default()
    };
    take(&mut results, "rack_compressor_800x500", &small, |stage| {
        stage.screen.select("compressor")
    });
    let double = Set {
        scale: 2.0,
        size: (800.0, 500.0),
        ..Set::default()
    };
    take(&mut results, "rack_eq_200_percent", &double, |_| {});
}

#[test]
fn meters_look_as_they_should() {
    let mut results = SnapshotResults::new();
    let set = Set {
        page: Page::Meters,
        ..Set::default()
    };
    take(&mut results, "meters", &set, |_| {});
    let light = Set {
        look: Look::Light,
        ..set.clone()
    };
    take(&mut results, "meters_light", &light, |_| {});
    let loud = Set { gain: 4.0, ..set };
    take(&mut results, "meters_overloaded", &loud, |_| {});
}

#[test]
fn health_looks_as_it_should() {
    let mut results = SnapshotResults::new();
    let set = Set {
        page: Page::Health,
        ..Set::default()
    };
    take(&mut results, "health", &set, |_| {});
    take(&mut results, "health_violated", &set, |stage| {
        let bad = headroom_gui_tests::thread::bad_health();
        stage.engine.server.0.show_health(&bad);
        stage.look();
    });
    let light = Set {
        look: Look::Light,
        size: (800.0, 500.0),
        ..set
    };
    take(&mut results, "health_light_800x500", &light, |_| {});
}

#[test]
fn presets_and_devices_look_as_they_should() {
    let mut results = SnapshotResults::new();
    for (name, page, look) in [
        ("presets", Page::Presets, Look::Dark),
        ("presets_light", Page::Presets, Look::Light),
        ("device", Page::Device, Look::Dark),
        ("device_light", Page::Device, Look::Light),
    ] {
        let set = Set {
            page,
            look,
            ..Set::default()
        };
        take(&mut results, name, &set, |_| {});
    }
}

#[test]
fn every_page_looks_as_it_should_at_200_percent() {
    let mut results = SnapshotResults::new();
    for (name, page) in [
        ("meters_200_percent", Page::Meters),
        ("health_200_percent", Page::Health),
        ("presets_200_percent", Page::Presets),
        ("device_200_percent", Page::Device),
    ] {
        let set = Set {
            page,
            scale: 2.0,
            size: (800.0, 500.0),
            ..Set::default()
        };
        take(&mut results, name, &set, |_| {});
    }
}

#[test]
fn a_rack_that_clips_and_one_that_learns_look_as_they_should() {
    let mut results = SnapshotResults::new();
    let loud = Set {
        gain: 4.0,
        ..Set::default()
    };
    take(&mut results, "rack_overloaded", &loud, |_| {});
    let wide = Set {
        size: (1_280.0, 800.0),
        ..Set::default()
    };
    take(&mut results, "rack_learning_1280x800", &wide, |stage| {
        stage.screen.select("compressor");
        stage.engine.description.learning = Some("compressor.ratio".to_owned());
        stage.engine.show();
        stage.look();
    });
}

#[test]
fn a_tempo_looks_as_it_should() {
    let mut results = SnapshotResults::new();
    for (name, look, size, is_hosts) in [
        ("tempo", Look::Dark, (900.0, 600.0), false),
        ("tempo_light", Look::Light, (900.0, 600.0), false),
        ("tempo_800x500", Look::Dark, (800.0, 500.0), false),
        ("tempo_of_a_host_800x500", Look::Dark, (800.0, 500.0), true),
    ] {
        let set = Set {
            look,
            size,
            ..Set::default()
        };
        take(&mut results, name, &set, |stage| {
            stage.screen.select("delay");
            stage.engine.description.tempo_bpm = 93.7;
            stage.engine.description.tempo_is_hosts = is_hosts;
            stage.engine.show();
            stage.look();
        });
    }
}

#[test]
fn a_screen_without_a_rack_says_so() {
    let mut results = SnapshotResults::new();
    let empty = Set {
        modules: Vec::new(),
        secs: 0.0,
        size: (800.0, 500.0),
        ..Set::default()
    };
    take(&mut results, "empty", &empty, |_| {});
    take(&mut results, "gone", &empty, Stage::end_engine);
    take(&mut results, "looking", &empty, |stage| {
        stage.line = Line::new(Source::At("no/program/is/here".into()));
        stage.picture = Picture::default();
        stage.look();
    });
}
