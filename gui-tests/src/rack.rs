//! A rack as a description: modules that look like real ones.

use crate::kinds::kinds;
use headroom_ipc::Description;
use headroom_ipc::board::{DeviceChoices, DeviceInfo, ModuleInfo, PresetInfo};

/// A rack of these kinds, by their places in [`kinds`].
pub fn description(modules: &[u16]) -> Description {
    let kinds = kinds();
    let mut first_value = 0;
    let modules = modules.iter().enumerate().map(|(place, &kind)| {
        let info = &kinds[usize::from(kind)];
        let module = ModuleInfo {
            id: if place < 4 {
                info.id.clone()
            } else {
                format!("{}-{place}", info.id)
            },
            kind,
            lane: place as u8,
            first_value,
            latency_frames: if info.id == "compressor" { 64 } else { 0 },
        };
        first_value += 2 + info.params.len() as u16;
        module
    });
    Description {
        modules: modules.collect(),
        program: "headroom 0.1.0".to_owned(),
        rack: "Voice".to_owned(),
        preset: "voice".to_owned(),
        is_changed: true,
        kinds,
        latency_frames: 64,
        device: DeviceInfo {
            backend: "jack".to_owned(),
            output: "system".to_owned(),
            input: "system".to_owned(),
            sample_rate_hz: 48_000,
            block_frames: 128,
            channels: 2,
            changeable: true,
            ..DeviceInfo::default()
        },
        choices: DeviceChoices {
            backends: ["jack", "alsa", "pulseaudio", "null"]
                .map(str::to_owned)
                .to_vec(),
            outputs: ["system", "Scarlett 2i2", "HDMI"]
                .map(str::to_owned)
                .to_vec(),
            inputs: ["system", "Scarlett 2i2"].map(str::to_owned).to_vec(),
            rates_hz: vec![44_100, 48_000, 96_000],
            blocks_frames: vec![32, 64, 128, 256, 512],
        },
        presets: presets(),
        undo: Some("Threshold of compressor".to_owned()),
        midi: Some("nanoKONTROL2".to_owned()),
        bindings: vec![
            (
                "compressor.threshold_db".to_owned(),
                "controller 7, channel 1".to_owned(),
            ),
            ("mute".to_owned(), "note 36, channel 10".to_owned()),
        ],
        ..Description::default()
    }
}

fn presets() -> Vec<PresetInfo> {
    let preset = |name: &str, title: &str, tags: &[&str], modules: &[&str], own| PresetInfo {
        name: name.to_owned(),
        title: title.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        modules: modules.iter().map(|kind| (*kind).to_owned()).collect(),
        own,
    };
    vec![
        preset(
            "voice",
            "Voice",
            &["vocal", "live"],
            &["eq", "compressor", "delay", "gain"],
            false,
        ),
        preset(
            "drum-bus",
            "Drum bus",
            &["drums"],
            &["eq", "compressor", "gain"],
            false,
        ),
        preset(
            "master",
            "Master",
            &["mix"],
            &["eq", "compressor", "gain"],
            false,
        ),
        preset("slap", "Slapback", &["vocal", "space"], &["delay"], false),
        preset(
            "anna-sm58",
            "Anna, SM58",
            &["vocal", "live"],
            &["eq", "compressor", "delay"],
            true,
        ),
        preset("room-trim", "Room trim", &["live"], &["eq", "gain"], true),
    ]
}

/// What the values stand at, in the board's order.
pub fn values(description: &Description) -> Vec<f32> {
    let mut values = Vec::new();
    for module in &description.modules {
        let kind = &description.kinds[usize::from(module.kind)];
        values.extend([0.0, if kind.id == "delay" { 0.35 } else { 1.0 }]);
        values.extend(
            kind.params
                .iter()
                .map(|param| moved(&kind.id, &param.id).unwrap_or(param.default)),
        );
    }
    values
}

fn moved(kind: &str, param: &str) -> Option<f32> {
    let all = [
        ("eq", "band1_type", 4.0),
        ("eq", "band1_freq_hz", 85.0),
        ("eq", "band2_freq_hz", 220.0),
        ("eq", "band2_gain_db", -4.5),
        ("eq", "band2_q", 1.4),
        ("eq", "band3_on", 0.0),
        ("eq", "band4_on", 0.0),
        ("eq", "band5_freq_hz", 3_100.0),
        ("eq", "band5_gain_db", 5.5),
        ("eq", "band5_q", 1.1),
        ("eq", "band6_on", 0.0),
        ("eq", "band7_freq_hz", 7_200.0),
        ("eq", "band7_gain_db", -7.0),
        ("eq", "band7_q", 5.0),
        ("eq", "band8_type", 2.0),
        ("eq", "band8_gain_db", 4.0),
        ("compressor", "threshold_db", -24.0),
        ("compressor", "makeup_db", 4.0),
        ("delay", "feedback", 0.55),
        ("delay", "ping_pong", 1.0),
        ("delay", "low_cut_hz", 180.0),
        ("delay", "high_cut_hz", 6_500.0),
        ("gain", "pan", -0.25),
        ("gain", "gain_db", -3.0),
    ];
    let found = all.iter().find(|(of, id, _)| *of == kind && *id == param);
    found.map(|(_, _, value)| *value)
}
