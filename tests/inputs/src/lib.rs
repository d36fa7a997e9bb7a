//! What the program reads from outside, one function for each kind: any bytes are an error or a value that
//! keeps its promises, never a panic and never without end.
//!
//! `fuzz/` calls these with what it makes up; `tests/corpus.rs` with what it has found before, and with a few
//! thousand mutations of that.

#[allow(dead_code, unreachable_pub, unused_imports)] // the host uses the rest
#[path = "../../../host/src/audio_file/mod.rs"]
mod audio_file;

#[allow(dead_code, unreachable_pub)]
mod midi;

/// What `midi/map.rs` asks of the host, in its place: the built-in presets, and no files.
mod presets {
    use headroom_engine::{Catalog, preset};

    #[derive(Debug, thiserror::Error)]
    #[error("no such preset")]
    pub(crate) struct NoSuch;

    pub(crate) fn names() -> Vec<String> {
        let factory = preset::factory().iter();
        factory.map(|preset| preset.name.to_owned()).collect()
    }

    pub(crate) fn locate(name: Option<&str>, _: &Catalog) -> Result<(), NoSuch> {
        let is_there = name.is_some_and(|name| names().iter().any(|known| known == name));
        is_there.then_some(()).ok_or(NoSuch)
    }
}

mod error {
    pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
        error.to_string()
    }
}

use std::io::Write as _;

use headroom_engine::{Catalog, preset};

/// The most frames that a file of a few kilobytes may give: more is without end.
const MOST_FRAMES: usize = 20_000_000;

/// A kind of input: its name, which is that of its corpus, and its function, which says whether the bytes were
/// taken.
pub type Input = (&'static str, fn(&[u8]) -> bool);

/// All kinds.
pub const INPUTS: [Input; 6] = [
    ("preset", preset_file),
    ("audio_file", audio),
    ("midi", midi_bytes),
    ("midi_map", midi_map),
    ("command", command),
    ("segment", segment),
];

/// A preset file: what is read can be written and read again, and is the same.
pub fn preset_file(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let catalog = Catalog::builtin();
    match preset::parse(text, "some.toml", &catalog) {
        Err(error) => {
            assert!(error.to_string().contains("some.toml"), "{error}");
            false
        }
        Ok(rack) => {
            for module in &rack.modules {
                for (value, param) in module.values.iter().zip(module.kind.params) {
                    assert_eq!(param.clamp(*value), *value, "{}", param.id);
                }
            }
            let written = preset::to_toml(&rack);
            let again = preset::parse(&written, "again.toml", &catalog);
            let again = again.expect("what is written is read");
            assert_eq!(preset::to_toml(&again), written);
            true
        }
    }
}

/// An audio file of any kind: it ends, and what it says of itself is what may be played.
pub fn audio(bytes: &[u8]) -> bool {
    let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    file.write_all(bytes).expect("room for a few kilobytes");
    let Ok(mut reader) = audio_file::Reader::open(file.path()) else {
        return false;
    };
    let channels = reader.channels();
    assert!((1..=audio_file::MAX_CHANNELS).contains(&channels));
    assert!(audio_file::SAMPLE_RATES_HZ.contains(&reader.sample_rate_hz()));
    let (mut left, mut right) = (vec![0.0; 4_096], vec![0.0; 4_096]);
    let mut frames = 0;
    while let Ok(count @ 1..) = reader.read(&mut [&mut left[..], &mut right[..]][..channels]) {
        assert!(count <= left.len());
        frames += count;
        assert!(frames < MOST_FRAMES, "without end");
    }
    true
}

/// A command as a client writes it into shared memory: what is taken makes sense by itself.
pub fn command(bytes: &[u8]) -> bool {
    match headroom_ipc::Command::decode(bytes) {
        Err(_) => false,
        Ok(command) => {
            command.check().expect("what is taken has been checked");
            true
        }
    }
}

/// A segment of shared memory that holds any bytes, over and over: a client reads all that there is, and gets
/// numbers that are finite, or nothing. Whether any value came of it.
#[cfg(target_os = "linux")]
pub fn segment(bytes: &[u8]) -> bool {
    use headroom_ipc::{MAX_LANES, MAX_VALUES, Tap, pair};
    use std::os::unix::fs::FileExt as _;

    if bytes.is_empty() {
        return false;
    }
    let (server, mut client) = pair().expect("shared memory");
    let (address, size, _) = server.memory();
    // Behind its head, which a client asks once only.
    let mut nonsense = bytes.repeat((size - 64).div_ceil(bytes.len()));
    nonsense.truncate(size - 64);
    // As another process would, that may do anything: not through any of our types.
    let memory = std::fs::OpenOptions::new()
        .write(true)
        .open("/proc/self/mem");
    let memory = memory.expect("our own memory");
    memory
        .write_all_at(&nonsense, address as u64 + 64)
        .expect("the segment is mapped");

    let _nonsense = (
        client.description(),
        client.health(),
        client.memory(),
        client.state(),
    );
    let mut values = 0;
    for place in 0..=MAX_VALUES {
        if let Some(value) = client.value(place) {
            values += 1;
            assert!(value.value.is_finite());
            assert!(!value.text.chars().any(char::is_control));
        }
    }
    for place in 0..=MAX_LANES {
        if let Some(curve) = client.curve(place) {
            assert!(curve.x.1 < curve.x.2 && curve.y.1 < curve.y.2);
            assert!(
                curve
                    .points
                    .iter()
                    .all(|(x, y)| x.is_finite() && y.is_finite())
            );
        }
    }
    for _ in 0..2 {
        if let Some(span) = client.meters() {
            let levels = [span.frame.master.peak, span.frame.master.mean_square];
            assert!(levels.as_flattened().iter().all(|level| level.is_finite()));
        }
    }
    let mut frames = Vec::new();
    for tap in [Tap::Before, Tap::After] {
        client.sound(tap, usize::MAX, &mut frames);
        assert!(frames.len() <= headroom_ipc::SOUND_FRAMES);
        // What is finite is 0 of it and what is not is none; without a comparison, of which the fuzzer counts each.
        let zero: f32 = frames.as_flattened().iter().map(|it| it * 0.0).sum();
        assert!(zero == 0.0);
    }
    assert!(client.replies().len() <= 16);
    values > 0
}

/// Elsewhere a process cannot write over itself from outside.
#[cfg(not(target_os = "linux"))]
pub fn segment(_: &[u8]) -> bool {
    false
}

/// Bytes from a MIDI port: what is understood is within its range, and comes back from the word it is kept in.
pub fn midi_bytes(bytes: &[u8]) -> bool {
    use midi::message::Message;
    let mut understood = false;
    for from in 0..bytes.len() {
        let Some(message) = Message::parse(&bytes[from..]) else {
            continue;
        };
        understood = true;
        let (channel, number) = match message {
            Message::Controller {
                channel,
                number,
                value,
            } => {
                assert!(value < 128);
                (channel, number)
            }
            Message::Note {
                channel, number, ..
            }
            | Message::Program { channel, number } => (channel, number),
        };
        assert!(channel < 16 && number < 128);
        assert_ne!(message.pack(), 0);
        assert_eq!(Message::unpack(message.pack()), Some(message));
        // What follows a message does not change it.
        assert_eq!(
            Message::parse(&bytes[from..bytes.len().min(from + 3)]),
            Some(message)
        );
    }
    understood
}

/// A MIDI map: what it says of every program is a preset or a reason.
pub fn midi_map(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    match midi::Programs::read(text) {
        Err(error) => {
            assert!(error.to_string().contains("midi.toml"), "{error}");
            false
        }
        Ok(map) => {
            for (channel, number) in [(0, 0), (15, 127), (9, 63)] {
                match map.preset(channel, number) {
                    Ok(preset) => assert!(presets::names().contains(&preset), "{preset}"),
                    Err(reason) => assert!(reason.contains("program"), "{reason}"),
                }
            }
            true
        }
    }
}
