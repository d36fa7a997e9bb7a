use super::*;
use serde_json::Value;

fn json(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

fn render(place: &Place, args: &[&str]) -> Value {
    let mut all = vec!["render"];
    all.extend(args);
    all.push("--json");
    json(&place.succeed(&all))
}

#[test]
fn a_neutral_rack_gives_back_the_input_bit_for_bit() {
    let place = Place::new();
    place.write("neutral.toml", NEUTRAL);
    for channels in [1, 2] {
        let samples = tone(channels, 10_001);
        place.write("in.wav", wav_f32(channels as u16, 44_100, &samples));
        for block in ["1", "64", "480", "8192"] {
            let args = [
                "in.wav",
                "out.wav",
                "--preset",
                "neutral.toml",
                "--tail",
                "0",
                "--block",
                block,
            ];
            let report = render(&place, &args);
            assert_eq!(report["frames"], 10_001);
            assert!(
                samples_of(&fs::read(place.path("out.wav")).unwrap()) == samples,
                "blocks of {block}"
            );
        }
    }
}

#[test]
fn the_report_is_complete_and_the_callback_clean() {
    let place = Place::new();
    place.write("in.wav", wav_f32(2, 48_000, &tone(2, 48_000)));
    for preset in ["voice", "drum-bus", "master"] {
        let report = render(
            &place,
            &["in.wav", "out.wav", "--preset", preset, "--tail", "0.5"],
        );
        assert_eq!(
            (report["frames"].as_u64(), report["sample_rate_hz"].as_u64()),
            (Some(72_000), Some(48_000))
        );
        assert_eq!(report["seconds"], 1.5);
        assert!(report["realtime_factor"].as_f64().unwrap() > 0.0);
        assert!(report["latency_frames"].is_u64());
        let peak = report["peak_dbfs"].as_f64().unwrap();
        assert!((-60.0..12.0).contains(&peak), "{preset}: {peak} dBFS");
        let thread = &report["audio_thread"];
        assert_eq!(
            (
                thread["allocations"].as_u64(),
                thread["deallocations"].as_u64()
            ),
            (Some(0), Some(0))
        );
        assert!(thread["blocks"].as_u64().unwrap() >= 72_000 / 512);
        let [p50, p99, max] =
            ["p50", "p99", "max"].map(|key| thread["block_ns"][key].as_u64().unwrap());
        assert!(0 < p50 && p50 <= p99, "{thread}");
        assert!(max > 0);
        assert!(thread["minor_faults"].is_u64() && thread["major_faults"].is_u64());
    }
}

#[test]
fn the_sound_does_not_depend_on_the_block() {
    let place = Place::new();
    place.write("in.wav", wav_f32(2, 48_000, &tone(2, 30_000)));
    for preset in ["voice", "drum-bus", "master"] {
        let outputs = ["1000", "1", "64", "8192"].map(|block| {
            place.succeed(&[
                "render", "in.wav", "out.wav", "--preset", preset, "--block", block, "--tail", "1",
            ]);
            fs::read(place.path("out.wav")).unwrap()
        });
        assert!(
            outputs.iter().all(|output| *output == outputs[0]),
            "{preset}"
        );
    }
}

#[test]
fn silence_has_no_peak_and_no_tail_beyond_its_second() {
    let place = Place::new();
    place.write("in.wav", wav_f32(1, 8_000, &[0.0; 8_000]));
    place.write("neutral.toml", NEUTRAL);
    let report = render(&place, &["in.wav", "out.wav", "--preset", "neutral.toml"]);
    assert!(report["peak_dbfs"].is_null());
    let seconds = report["seconds"].as_f64().unwrap();
    assert!((1.0..=2.1).contains(&seconds), "{seconds} s");
}

#[test]
fn the_formats_hold_the_same_sound() {
    let place = Place::new();
    let samples = tone(2, 5_000);
    place.write("in.wav", wav_f32(2, 48_000, &samples));
    place.write("neutral.toml", NEUTRAL);
    for (format, bytes, step) in [("s16", 2, 1.0 / 32_768.0), ("s24", 3, 1.0 / 8_388_608.0)] {
        place.succeed(&[
            "render",
            "in.wav",
            "out.wav",
            "--preset",
            "neutral.toml",
            "--tail",
            "0",
            "--format",
            format,
        ]);
        let file = fs::read(place.path("out.wav")).unwrap();
        let at = file
            .windows(4)
            .position(|window| window == b"data")
            .unwrap()
            + 8;
        let stored: Vec<f32> = file[at..]
            .chunks_exact(bytes)
            .map(|bytes| {
                let mut wide = [0; 4];
                wide[4 - bytes.len()..].copy_from_slice(bytes);
                i32::from_le_bytes(wide) as f32 / 2_147_483_648.0
            })
            .collect();
        assert_eq!(stored.len(), samples.len());
        let worst = stored
            .iter()
            .zip(&samples)
            .map(|(one, other)| (one - other).abs())
            .fold(0.0, f32::max);
        assert!(
            worst < 1.51 * step && worst > 0.5 * step,
            "{format}: {} steps",
            worst / step
        );
    }
}

#[test]
fn what_was_there_is_replaced_and_only_that() {
    let place = Place::new();
    place.write("in.wav", wav_f32(1, 48_000, &tone(1, 100)));
    place.write("out.wav", "old");
    place.write("neutral.toml", NEUTRAL);
    let before = names_below(place.0.path());
    place.succeed(&["render", "in.wav", "out.wav", "--preset", "neutral.toml"]);
    assert_eq!(names_below(place.0.path()), before);
    assert_eq!(fs::read(place.path("out.wav")).unwrap()[..4], *b"RIFF");
}

#[test]
fn people_get_a_summary() {
    let place = Place::new();
    place.write("in.wav", wav_f32(1, 48_000, &tone(1, 48_000)));
    place.write(
        "loud.toml",
        format!("{NEUTRAL}[module.params]\ngain_db = 20.0\n"),
    );
    let output = place.run(&[
        "render",
        "in.wav",
        "out.wav",
        "--preset",
        "loud.toml",
        "--tail",
        "0",
        "--format",
        "s16",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "out.wav: 0:01.000 through Neutral",
        "48000 Hz",
        "times real time",
        "latency",
        "0 allocations",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(
        warning.contains("samples were cut at full scale"),
        "{warning}"
    );
}

#[test]
fn a_synced_echo_comes_where_the_tempo_puts_it() {
    let place = Place::new();
    let mut click = vec![0.0; 100];
    click[0] = 0.5;
    place.write("in.wav", wav_f32(1, 48_000, &click));
    place.write(
        "echo.toml",
        "headroom = 1\n[[module]]\nkind = \"delay\"\n[module.params]\nsync = \"1/8D\"\n\
         feedback = 0.0\nlevel_db = 0.0\ndry = false\n",
    );
    // An eighth and a half: 0.375 s at 120, 0.5 s at 90; slower than 2.7 it is halved until it fits 5 s.
    for (tempo, frame) in [
        (None, 18_000),
        (Some("90"), 24_000),
        (Some("93.75"), 23_040),
        (Some("2"), 135_000),
    ] {
        let mut args = vec!["in.wav", "out.wav", "--preset", "echo.toml", "--tail", "4"];
        args.extend(tempo.iter().flat_map(|bpm| ["--tempo", *bpm]));
        render(&place, &args);
        let out = samples_of(&fs::read(place.path("out.wav")).unwrap());
        let heard = out.iter().position(|sample| *sample != 0.0);
        assert_eq!(heard, Some(frame), "{tempo:?}");
        assert_eq!(out[frame], 0.5);
    }
}
