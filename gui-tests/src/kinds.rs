//! Kinds of modules that look like real ones.

use headroom_ipc::Walk;
use headroom_ipc::board::{Handle, KindInfo, ParamInfo};

fn param(
    id: &str,
    name: &str,
    unit: &str,
    range: (f32, f32),
    default: f32,
    walk: Walk,
) -> ParamInfo {
    ParamInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        min: range.0,
        max: range.1,
        default,
        walk,
        labels: Vec::new(),
        structural: false,
    }
}

fn switch(id: &str, name: &str, default: bool) -> ParamInfo {
    param(
        id,
        name,
        "",
        (0.0, 1.0),
        f32::from(u8::from(default)),
        Walk::Switch,
    )
}

fn choice(id: &str, name: &str, labels: &[&str], default: usize) -> ParamInfo {
    let mut info = param(
        id,
        name,
        "",
        (0.0, labels.len() as f32 - 1.0),
        default as f32,
        Walk::Choice,
    );
    info.labels = labels.iter().map(|label| (*label).to_owned()).collect();
    info
}

fn kind(id: &str, name: &str, about: &str, params: Vec<ParamInfo>) -> KindInfo {
    KindInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        about: about.to_owned(),
        params,
        handles: Vec::new(),
        reduces: false,
    }
}

const TYPES: &[&str] = &[
    "bell",
    "low shelf",
    "high shelf",
    "notch",
    "high-pass",
    "low-pass",
];

fn eq() -> KindInfo {
    let defaults_hz = [
        80.0, 150.0, 400.0, 1_000.0, 2_500.0, 5_000.0, 8_000.0, 12_000.0,
    ];
    let mut params = Vec::new();
    let mut handles = Vec::new();
    for (index, hz) in defaults_hz.into_iter().enumerate() {
        let n = index + 1;
        let first = (index * 5) as u16;
        params.push(switch(&format!("band{n}_on"), &format!("Band {n}"), true));
        params.push(choice(
            &format!("band{n}_type"),
            &format!("Band {n} type"),
            TYPES,
            0,
        ));
        let name = format!("Band {n} frequency");
        params.push(param(
            &format!("band{n}_freq_hz"),
            &name,
            "Hz",
            (10.0, 22_000.0),
            hz,
            Walk::Log,
        ));
        let name = format!("Band {n} gain");
        params.push(param(
            &format!("band{n}_gain_db"),
            &name,
            "dB",
            (-24.0, 24.0),
            0.0,
            Walk::Linear,
        ));
        params.push(param(
            &format!("band{n}_q"),
            &format!("Band {n} Q"),
            "",
            (0.1, 40.0),
            0.707,
            Walk::Log,
        ));
        handles.push(Handle {
            on: Some(first),
            choice: Some(first + 1),
            x_unless: None,
            x: Some(first + 2),
            y: Some(first + 3),
            wheel: Some(first + 4),
        });
    }
    KindInfo {
        handles,
        ..kind(
            "eq",
            "Equaliser",
            "Eight bands: bells, shelves, notches, high- and low-passes",
            params,
        )
    }
}

fn compressor() -> KindInfo {
    let about =
        "Soft-knee compressor with peak or RMS detection, side-chain high-pass and stereo link";
    let params = vec![
        param(
            "threshold_db",
            "Threshold",
            "dB",
            (-60.0, 0.0),
            -20.0,
            Walk::Linear,
        ),
        param("ratio", "Ratio", ":1", (1.0, 20.0), 4.0, Walk::Log),
        param("knee_db", "Knee", "dB", (0.0, 24.0), 6.0, Walk::Linear),
        param("attack_ms", "Attack", "ms", (0.1, 200.0), 10.0, Walk::Log),
        param(
            "release_ms",
            "Release",
            "ms",
            (5.0, 2_000.0),
            100.0,
            Walk::Log,
        ),
        param(
            "makeup_db",
            "Make-up",
            "dB",
            (-24.0, 24.0),
            0.0,
            Walk::Linear,
        ),
        switch("auto_makeup", "Auto make-up", false),
        param("range_db", "Range", "dB", (0.0, 60.0), 60.0, Walk::Linear),
        choice("detector", "Detector", &["peak", "rms"], 0),
        switch("sidechain_highpass", "Side-chain high-pass", false),
        param(
            "sidechain_hz",
            "Side-chain corner",
            "Hz",
            (20.0, 1_000.0),
            100.0,
            Walk::Log,
        ),
        param("link", "Stereo link", "%", (0.0, 1.0), 1.0, Walk::Linear),
        choice("key", "Key", &["internal", "external"], 0),
    ];
    KindInfo {
        handles: vec![Handle {
            x: Some(0),
            y: None,
            wheel: Some(1),
            on: None,
            choice: None,
            x_unless: None,
        }],
        reduces: true,
        ..kind("compressor", "Compressor", about, params)
    }
}

fn delay() -> KindInfo {
    let about = "Echoes up to 5 s with feedback, ping-pong and filters in the loop";
    let params = vec![
        param("time_ms", "Time", "ms", (1.0, 5_000.0), 350.0, Walk::Log),
        param("feedback", "Feedback", "%", (0.0, 0.98), 0.4, Walk::Linear),
        switch("ping_pong", "Ping-pong", false),
        param(
            "low_cut_hz",
            "Low cut",
            "Hz",
            (10.0, 2_000.0),
            10.0,
            Walk::Log,
        ),
        param(
            "high_cut_hz",
            "High cut",
            "Hz",
            (200.0, 22_000.0),
            22_000.0,
            Walk::Log,
        ),
        param(
            "level_db",
            "Echo level",
            "dB",
            (-60.0, 12.0),
            -6.0,
            Walk::Linear,
        ),
        switch("dry", "Dry signal", true),
    ];
    KindInfo {
        handles: vec![Handle {
            x: Some(0),
            y: Some(5),
            wheel: Some(1),
            on: None,
            choice: None,
            x_unless: None,
        }],
        ..kind("delay", "Delay", about, params)
    }
}

fn gain() -> KindInfo {
    let params = vec![
        param("gain_db", "Gain", "dB", (-72.0, 24.0), 0.0, Walk::Linear),
        param("pan", "Pan", "%", (-1.0, 1.0), 0.0, Walk::Linear),
        param("width", "Width", "%", (0.0, 2.0), 1.0, Walk::Linear),
        switch("invert_left", "Invert left", false),
        switch("invert_right", "Invert right", false),
        switch("dc_block", "DC block", false),
    ];
    kind(
        "gain",
        "Gain",
        "Level, pan, stereo width, polarity and a DC block",
        params,
    )
}

/// The kinds that there are.
pub fn kinds() -> Vec<KindInfo> {
    vec![eq(), compressor(), delay(), gain()]
}
