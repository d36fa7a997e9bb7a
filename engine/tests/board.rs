//! The board shows the rack as it sounds, and its pictures are what the modules do.

use headroom_engine::{
    Board, Catalog, Memory, ModuleSpec, RackSpec, Scene, Stream, Tempo, kinds, open,
};
use headroom_ipc::board::KindInfo;
use headroom_ipc::{Axis, Curve, pair};

fn rack(modules: impl IntoIterator<Item = ModuleSpec>) -> RackSpec {
    RackSpec {
        modules: modules.into_iter().collect(),
        ..RackSpec::default()
    }
}

fn module(kind: &str, values: &[(&str, f32)]) -> ModuleSpec {
    let kind = Catalog::builtin().find(kind).unwrap();
    let mut module = ModuleSpec::new(kind);
    for (param, value) in values {
        module.values[kind.param_index(param).unwrap()] = *value;
    }
    module
}

fn curve(module: &ModuleSpec) -> Curve {
    curve_at(module, Tempo::default())
}

fn curve_at(module: &ModuleSpec, tempo: Tempo) -> Curve {
    let stream = Stream::new(48_000, 64, 2).unwrap();
    (module.kind.face.curve.unwrap())(&Scene { stream, tempo }, &module.values)
}

/// The amplitude that a steady sine leaves the rack with, against its own.
fn gain_db(module: &ModuleSpec, hz: f64, amplitude: f64) -> f64 {
    let stream = Stream::new(48_000, 480, 2).unwrap();
    let rack = rack([module.clone()]);
    let (_controller, mut processor) = open(stream, &rack, &Memory::default()).unwrap();
    let (mut left, mut right) = ([0.0_f32; 480], [0.0_f32; 480]);
    processor.process(&mut [&mut left, &mut right], &[]);
    let mut energy = 0.0;
    for block in 0..200 {
        for (at, (left, right)) in left.iter_mut().zip(&mut right).enumerate() {
            let time = (block * 480 + at) as f64 / 48_000.0;
            *left = (amplitude * (std::f64::consts::TAU * hz * time).sin()) as f32;
            *right = *left;
        }
        processor.process(&mut [&mut left, &mut right], &[]);
        if block >= 100 {
            energy += left.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        }
    }
    10.0 * (energy / 48_000.0 / (amplitude * amplitude / 2.0)).log10()
}

#[test]
fn the_picture_of_an_eq_and_of_a_filter_is_what_a_sine_measures() {
    let eq = module(
        "eq",
        &[
            ("band2_gain_db", -9.0),
            ("band4_gain_db", 12.0),
            ("band4_q", 3.0),
            ("band8_gain_db", 6.0),
        ],
    );
    let filter = module(
        "filter",
        &[("highpass_on", 1.0), ("highpass_cutoff_hz", 200.0)],
    );
    for module in [eq, filter] {
        let curve = curve(&module);
        assert_eq!(curve.x.0, Axis::FrequencyHz);
        for at in [20, 60, 100, 113, 140, 170] {
            let (hz, db) = curve.points[at];
            let measured = gain_db(&module, f64::from(hz), 0.1);
            assert!(
                (measured - f64::from(db)).abs() < 0.05,
                "{hz} Hz: {measured} is shown as {db}"
            );
        }
    }
}

#[test]
fn the_picture_of_a_compressor_is_what_steady_levels_measure() {
    let compressor = module(
        "compressor",
        &[
            ("threshold_db", -30.0),
            ("ratio", 4.0),
            ("knee_db", 12.0),
            ("makeup_db", 3.0),
        ],
    );
    let curve = curve(&compressor);
    for at in [20, 50, 60, 66, 100, 118] {
        let (level_db, out_db) = curve.points[at];
        let amplitude = 10_f64.powf(f64::from(level_db) / 20.0);
        let measured = f64::from(level_db) + gain_db(&compressor, 1_000.0, amplitude);
        assert!(
            (measured - f64::from(out_db)).abs() < 0.15,
            "{level_db} dB: {measured} is shown as {out_db}"
        );
    }
}

#[test]
fn the_picture_of_a_delay_is_its_echoes() {
    let delay = module(
        "delay",
        &[("time_ms", 250.0), ("feedback", 0.5), ("level_db", -3.0)],
    );
    let curve = curve(&delay);
    assert!(curve.stems);
    assert_eq!(curve.points[0], (0.0, 0.0));
    for (at, (secs, db)) in curve.points[1..5].iter().enumerate() {
        assert!((secs - 0.25 * (at + 1) as f32).abs() < 1e-6);
        assert!((db - (-3.0 - 6.0206 * at as f32)).abs() < 0.01, "{db}");
    }
}

/// Whatever the values, a picture is finite and fits the board.
#[test]
fn no_picture_has_a_hole() {
    for kind in Catalog::builtin().kinds() {
        let Some(curve) = kind.face.curve else {
            continue;
        };
        let stream = Stream::new(44_100, 64, 2).unwrap();
        for position in [0.0, 0.2, 0.5, 0.9, 1.0] {
            let values: Vec<f32> = kind
                .params
                .iter()
                .map(|param| param.denormalize(position))
                .collect();
            let tempo = Tempo::nearest(f64::from(position) * 999.0).unwrap_or(Tempo::SLOWEST);
            let curve = curve(&Scene { stream, tempo }, &values);
            assert!(!curve.points.is_empty() && curve.points.len() <= headroom_ipc::MAX_POINTS);
            assert!(curve.x.1 < curve.x.2 && curve.y.1 < curve.y.2);
            for (x, y) in &curve.points {
                assert!(
                    x.is_finite() && y.is_finite(),
                    "{} at {position}: {x} {y}",
                    kind.id
                );
            }
            assert!(
                curve.points.windows(2).all(|pair| pair[0].0 <= pair[1].0),
                "{}",
                kind.id
            );
        }
    }
}

#[test]
fn every_handle_points_at_rows_of_its_table() {
    for kind in kinds(&Catalog::builtin()) {
        for handle in &kind.handles {
            let rows = [handle.x, handle.y, handle.wheel, handle.on, handle.choice];
            for row in rows.into_iter().chain([handle.x_unless]).flatten() {
                assert!(usize::from(row) < kind.params.len(), "{}", kind.id);
            }
        }
    }
}

fn text(
    kind: &KindInfo,
    module: &headroom_ipc::board::ModuleInfo,
    client: &headroom_ipc::Client,
    param: &str,
) -> String {
    let index = kind
        .params
        .iter()
        .position(|known| known.id == param)
        .unwrap();
    client.value(module.param_value(index)).unwrap().text
}

#[test]
fn the_board_follows_what_is_edited_and_each_module_keeps_its_lane() {
    let (mut server, client) = pair().unwrap();
    let stream = Stream::new(48_000, 64, 2).unwrap();
    let spec = rack([module("eq", &[]), module("delay", &[("time_ms", 400.0)])]);
    let (mut controller, mut processor) = open(stream, &spec, &Memory::default()).unwrap();
    let mut blocks = |count| {
        for _ in 0..count {
            processor.process(&mut [&mut [0.0; 64], &mut [0.0; 64]], &[]);
        }
    };
    let kinds = kinds(&Catalog::builtin());
    let mut board = Board::default();
    let modules = Board::modules(&controller, &kinds);
    board.show(&controller, &modules, &mut server);
    let delay = &kinds[usize::from(modules[1].kind)];
    assert_eq!(delay.id, "delay");
    assert_eq!(text(delay, &modules[1], &client, "time_ms"), "400 ms");
    assert!(client.curve(1).unwrap().stems);
    blocks(10);

    controller.set_param("delay", "time_ms", 250.0).unwrap();
    controller.insert(0, module("gain", &[])).unwrap();
    controller.move_to("delay", 0).unwrap();
    blocks(10);
    let moved = Board::modules(&controller, &kinds);
    board.show(&controller, &moved, &mut server);
    assert_eq!(
        moved
            .iter()
            .map(|module| module.id.as_str())
            .collect::<Vec<_>>(),
        ["delay", "gain", "eq"]
    );
    assert_eq!(moved[0].lane, modules[1].lane);
    assert_eq!(moved[2].lane, modules[0].lane);
    assert!(![modules[0].lane, modules[1].lane].contains(&moved[1].lane));
    assert_eq!(text(delay, &moved[0], &client, "time_ms"), "250 ms");
    assert!(client.curve(0).unwrap().stems);
    assert_eq!(client.curve(1), None, "a gain has no picture");

    // However often modules come and go, no two have one lane.
    for round in 0..200 {
        controller
            .remove(if round == 0 { "gain" } else { "more" })
            .unwrap();
        let mut more = module("gain", &[]);
        more.id = "more".to_owned();
        controller.insert(round % 3, more).unwrap();
        blocks(30);
        let mut lanes: Vec<u8> = Board::modules(&controller, &kinds)
            .iter()
            .map(|module| module.lane)
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        assert_eq!(lanes.len(), 3, "round {round}");
    }
}

#[test]
fn what_is_published_is_what_passed_and_shows_no_difference_in_the_sound() {
    let stream = Stream::new(48_000, 128, 2).unwrap();
    let spec = rack([
        module("compressor", &[("threshold_db", -40.0)]),
        module("gain", &[("gain_db", -6.0)]),
    ]);
    let run = |publish: bool| {
        let (mut server, mut client) = pair().unwrap();
        client.want_sound(true);
        server.look();
        let (controller, mut processor) = open(stream, &spec, &Memory::default()).unwrap();
        if publish {
            processor.publish_to(server.publisher());
        }
        let lanes: Vec<u8> = Board::modules(&controller, &kinds(&Catalog::builtin()))
            .iter()
            .map(|module| module.lane)
            .collect();
        let (mut input, mut output) = (Vec::new(), Vec::new());
        for block in 0..120 {
            let sample = |at: usize| {
                if block == 60 && at == 77 {
                    0.99
                } else {
                    0.2 * ((block * 128 + at) as f32 * 0.05).sin()
                }
            };
            let (mut left, mut right): (Vec<f32>, Vec<f32>) =
                (0..128).map(|at| (sample(at), -sample(at))).unzip();
            if block > 0 {
                input.extend(left.iter().zip(&right).map(|(l, r)| [*l, *r]));
            }
            processor.process(&mut [&mut left, &mut right], &[]);
            if block > 0 {
                output.extend(left.iter().zip(&right).map(|(l, r)| [*l, *r]));
            }
        }
        (client, lanes, input, output)
    };
    let (mut client, lanes, input, output) = run(true);
    let (_, _, _, alone) = run(false);
    assert_eq!(output, alone, "a screen changes no sample");

    let span = client.meters().unwrap();
    let highest = |of: &[[f32; 2]]| {
        of.iter()
            .flatten()
            .fold(0.0_f32, |peak, x| peak.max(x.abs()))
    };
    let published = span.frame.to as usize;
    assert!(published > output.len() - 512, "{published}");
    // The first publication begins the watch.
    assert_eq!(
        span.frame.master.peak[0].max(span.frame.master.peak[1]),
        highest(&output[512..published])
    );
    let compressor = span.frame.lane(usize::from(lanes[0])).unwrap();
    assert!(compressor.reduction_db > 10.0, "{compressor:?}");
    assert!((compressor.peak[0] / span.frame.master.peak[0] - 1.995).abs() < 0.01);
    let mut heard = Vec::new();
    let end = client.sound(headroom_ipc::Tap::Before, 4_096, &mut heard) as usize;
    assert_eq!(end, input.len());
    assert_eq!(heard, input[end - 4_096..]);
    client.sound(headroom_ipc::Tap::After, 4_096, &mut heard);
    assert_eq!(heard, output[end - 4_096..]);
}
