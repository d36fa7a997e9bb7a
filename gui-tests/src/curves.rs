//! Curves of the rack's modules, that do what they should.

use headroom_ipc::{Axis, Curve, Description};

/// The curve of the module in `place`; none for what has none.
pub fn curve(description: &Description, values: &[f32], place: usize) -> Option<Curve> {
    let module = &description.modules[place];
    let kind = &description.kinds[usize::from(module.kind)];
    let own = &values[module.param_value(0)..module.param_value(kind.params.len())];
    match kind.id.as_str() {
        "eq" => Some(response(own)),
        "compressor" => Some(transfer(own)),
        "delay" => Some(echoes(own)),
        _ => None,
    }
}

fn response(values: &[f32]) -> Curve {
    let points = (0..256).map(|index| {
        let hz = 20.0 * 1_000f32.powf(index as f32 / 255.0);
        let db: f32 = values.chunks(5).map(|band| band_db(band, hz)).sum();
        (hz, db)
    });
    Curve {
        x: (Axis::FrequencyHz, 20.0, 20_000.0),
        y: (Axis::Decibels, -18.0, 18.0),
        stems: false,
        points: points.collect(),
    }
}

/// The analogue prototypes of the audio EQ cookbook (R. Bristow-Johnson), by their magnitude.
fn band_db(band: &[f32], hz: f32) -> f32 {
    let &[on, kind, freq_hz, gain_db, q] = band else {
        return 0.0;
    };
    if on < 0.5 {
        return 0.0;
    }
    let w = f64::from(hz / freq_hz);
    let (a, q) = (10f64.powf(f64::from(gain_db) / 40.0), f64::from(q));
    let part = |constant: f64, linear: f64, square: f64| {
        let (re, im) = (constant - square * w * w, linear * w);
        re * re + im * im
    };
    let root = a.sqrt();
    let (top, foot) = match kind as usize {
        0 => (part(1.0, a / q, 1.0), part(1.0, 1.0 / (a * q), 1.0)),
        1 => (part(a * a, a * root / q, a), part(1.0, root / q, a)),
        2 => (part(a, a * root / q, a * a), part(a, root / q, 1.0)),
        3 => (part(1.0, 0.0, 1.0), part(1.0, 1.0 / q, 1.0)),
        4 => (part(0.0, 0.0, 1.0), part(1.0, 1.0 / q, 1.0)),
        _ => (1.0, part(1.0, 1.0 / q, 1.0)),
    };
    (10.0 * (top.max(1e-12) / foot.max(1e-12)).log10()).clamp(-80.0, 60.0) as f32
}

fn transfer(values: &[f32]) -> Curve {
    let (threshold_db, ratio, knee_db, makeup_db) = (values[0], values[1], values[2], values[5]);
    let out = |db: f32| {
        let over = db - threshold_db;
        let slope = 1.0 / ratio - 1.0;
        let taken = if 2.0 * over.abs() <= knee_db && knee_db > 0.0 {
            slope * (over + knee_db / 2.0).powi(2) / (2.0 * knee_db)
        } else {
            slope * over.max(0.0)
        };
        db + taken + makeup_db
    };
    let points = (0..121).map(|index| {
        let db = -60.0 + index as f32 * 0.5;
        (db, out(db))
    });
    Curve {
        x: (Axis::Decibels, -60.0, 0.0),
        y: (Axis::Decibels, -60.0, 0.0),
        stems: false,
        points: points.collect(),
    }
}

fn echoes(values: &[f32]) -> Curve {
    let (time_secs, feedback, level_db) = (values[0] / 1_000.0, values[1], values[5]);
    let echo = |n: i32| {
        (
            time_secs * n as f32,
            level_db + 20.0 * feedback.max(1e-3).powi(n - 1).log10(),
        )
    };
    let points = (1..40).map(echo).filter(|(_, db)| *db > -60.0);
    let points = std::iter::once((0.0, 0.0)).chain(points);
    Curve {
        x: (Axis::Seconds, 0.0, (time_secs * 8.0).max(0.1)),
        y: (Axis::Decibels, -60.0, 6.0),
        stems: true,
        points: points.collect(),
    }
}
