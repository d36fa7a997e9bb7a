//! Programs that people make music with, without their windows. They are large: `cargo xtask deep hosts`
//! installs and runs them.

mod ardour;
mod host;

use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

use ardour::{Home, run};
use headroom_engine::Catalog;
use headroom_plugin::rows;
use host::rendered;

const RATE_HZ: u32 = 48_000;

const STRIP: &str = r#"
headroom = 1
name = "Strip"
[[module]]
kind = "eq"
[module.params]
band2_freq_hz = 700.0
band2_gain_db = 7.3
[[module]]
kind = "compressor"
[module.params]
threshold_db = -31.0
ratio = 3.0
[[module]]
kind = "gain"
[module.params]
gain_db = -2.9
"#;

/// 48 kHz as it is, as floats.
const EXPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ExportPreset id="9d2f3f3e-5a0c-4a3e-9f5b-2f6d1d1c7a01" name="Floats">
  <ExportFormat id="20b4ab09-6452-4cb3-bd66-b921cdbd2942"/>
</ExportPreset>
"#;

/// What a WAV of floats holds, by channel: chunks, one after the other.
fn read_floats(path: &Path) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    let (mut at, mut channels, mut data) = (12, 0, &[][..]);
    while at + 8 <= bytes.len() {
        let end = (at + 8 + word(at + 4)).min(bytes.len());
        match &bytes[at..at + 4] {
            b"fmt " => channels = word(at + 8) >> 16,
            b"data" => data = &bytes[at + 8..end],
            _ => {}
        }
        at = end + end % 2;
    }
    let samples: Vec<f32> = data
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four")))
        .collect();
    let channel = |channel| {
        samples
            .iter()
            .copied()
            .skip(channel)
            .step_by(channels)
            .collect()
    };
    (0..channels).map(channel).collect()
}

/// In dB of full scale, of the second half.
fn rms_db(channel: &[f32]) -> f64 {
    let half = &channel[channel.len() / 2..];
    let sum: f64 = half.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (sum / half.len() as f64).log10()
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs Ardour"]
fn ardour_exports_what_the_engine_renders() {
    let folder = tempfile::tempdir().expect("a folder");
    let ardour = Home::new(folder.path(), STRIP);
    let home = ardour.path();
    let exports = ardour.settings().join("export");
    std::fs::create_dir_all(&exports).expect("a folder");
    std::fs::write(exports.join("floats.preset"), EXPORT).expect("a preset");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daws/session.lua");
    let words = ["ardour7-lua", script.to_str().expect("UTF-8")];
    run(&mut ardour.command(&words), "exported");
    let session = &mut ardour.command(&words);
    let text = run(session.env("HEADROOM_STRIP", "Strip"), "exported");
    assert!(text.contains("latency 0"), "{text}");
    for row in rows(&Catalog::builtin()) {
        let shown = text.contains(&format!("parameter {}\n", row.name));
        assert!(shown || row.table.structural, "{} in {text}", row.name);
    }
    let dry = read_floats(&home.join("dry.wav"));
    let wet = read_floats(&home.join("Strip.wav"));
    assert_eq!((dry.len(), dry[0].len()), (2, 96_000));
    assert_eq!((wet.len(), wet[0].len()), (2, 96_000));
    // The sine's phase is Ardour's; its level through the strip is to be the engine's.
    let level = 10_f64.powf(rms_db(&dry[0]) / 20.0) * 2_f64.sqrt();
    let crossings = |channel: &[f32]| {
        let rises = channel
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        rises.count()
    };
    let freq_hz = (crossings(&dry[0]) as f64 / 2.0).round();
    let sine = |at: usize| (level * (TAU * freq_hz * at as f64 / f64::from(RATE_HZ)).sin()) as f32;
    let sine: Vec<f32> = (0..96_000).map(sine).collect();
    let expected = rendered(STRIP, RATE_HZ, &[sine.clone(), sine]);
    let changed = rms_db(&expected[0]) - rms_db(&dry[0]);
    assert!(
        changed.abs() > 1.0,
        "the strip does something: {changed:.3} dB"
    );
    for (wet, expected) in wet.iter().zip(&expected) {
        let off = rms_db(wet) - rms_db(expected);
        assert!(
            off.abs() < 0.005,
            "{off:.5} dB off at {freq_hz} Hz, {changed:.3} dB"
        );
    }
}

#[test]
#[ignore = "`cargo xtask deep hosts` installs Qtractor"]
fn qtractors_scanner_takes_the_clap() {
    let scanner = [
        "/usr/lib/x86_64-linux-gnu/qtractor",
        "/usr/lib/qtractor",
        "/usr/lib64/qtractor",
    ]
    .map(|folder| Path::new(folder).join("qtractor_plugin_scan"))
    .into_iter()
    .find(|scanner| scanner.exists())
    .expect("Qtractor's scanner");
    let folder = tempfile::tempdir().expect("a folder");
    let clap = folder.path().join("Headroom.clap");
    std::os::unix::fs::symlink(host::library(), &clap).expect("a link");
    let path = clap.to_str().expect("UTF-8").to_owned();
    let asks = folder.path().join("asks");
    std::fs::write(&asks, format!("CLAP:{path}\n")).expect("it is written");
    let output = Command::new(scanner)
        .stdin(std::fs::File::open(asks).expect("it opens"))
        .env("QT_QPA_PLATFORM", "offscreen")
        .env("HOME", folder.path())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    // Type, name, audio in and out, MIDI in and out, parameters in and out, and so on.
    let count = rows(&Catalog::builtin()).len();
    let line = format!("CLAP|Headroom|2:2|0:0|{count}:0|");
    assert!(
        text.starts_with(&line) && text.contains(&path),
        "`{text}`, not `{line}`"
    );
}
