//! The picture of the panel: from figures to lines of a given width. No terminal here, so that it can be
//! tested.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crossterm::QueueableCommand;
use crossterm::style::Color;
use crossterm::style::Print;
use crossterm::style::ResetColor;
use crossterm::style::SetForegroundColor;

use super::health::HealthReport;
use super::record::Status;
use crate::midi::MidiLines;

/// Left end of every meter, in dBFS; the right end is 0.
const FLOOR_DB: f32 = -60.0;
/// From here a meter is a warning ...
const WARM_DB: f32 = -12.0;
/// ... and from here an alarm.
const HOT_DB: f32 = -3.0;
/// The panel is no wider than this: beyond, the eye has to travel.
const MAX_COLUMNS: usize = 110;
/// Columns of the names in front of the meters.
const NAME_COLUMNS: usize = 10;
/// Columns of the figures behind them.
const FIGURE_COLUMNS: usize = 17;

/// Everything that the panel shows.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) preset: String,
    pub(super) backend: String,
    pub(super) output: String,
    pub(super) source: String,
    pub(super) sample_rate_hz: u32,
    pub(super) block_frames: u32,
    pub(super) latency_frames: usize,
    pub(super) tempo_bpm: f64,
    pub(super) seconds: f64,
    pub(super) muted: bool,
    pub(super) ending: bool,
    pub(super) panic: bool,
    pub(super) recording: Option<Status>,
    /// The device is lost.
    pub(super) waiting: bool,
    /// There is another preset to go to.
    pub(super) has_setlist: bool,
    pub(super) slots: Vec<(String, Level)>,
    pub(super) master: Level,
    pub(super) block_ns: [u64; 3],
    pub(super) deadline_ns: u64,
    pub(super) over_deadline: u64,
    pub(super) xruns: u64,
    pub(super) input_gaps: u64,
    pub(super) allocations: u64,
    pub(super) deallocations: u64,
    pub(super) faults: u64,
    pub(super) health: HealthReport,
    pub(super) realtime: bool,
    pub(super) midi: MidiLines,
}

/// One meter, two channels, in dBFS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub(super) peak_db: [f32; 2],
    pub(super) hold_db: [f32; 2],
    pub(super) rms_db: [f32; 2],
}

impl Default for Level {
    fn default() -> Self {
        let silence = [f32::NEG_INFINITY; 2];
        Self {
            peak_db: silence,
            hold_db: silence,
            rms_db: silence,
        }
    }
}

/// One line of the panel: pieces of text with their colours.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pieces: Vec<(Option<Color>, String)>,
}

impl Line {
    fn put(&mut self, colour: Option<Color>, text: impl Into<String>) -> &mut Self {
        self.pieces.push((colour, text.into()));
        self
    }

    /// The text without its colours.
    #[cfg(test)]
    pub(super) fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Cuts the line to a width.
    fn fit(mut self, columns: usize) -> Self {
        let mut left = columns;
        for (_, text) in &mut self.pieces {
            let count = text.chars().count();
            if count > left {
                *text = text.chars().take(left).collect();
            }
            left -= count.min(left);
        }
        self
    }

    /// `[main]` Writes the line, with colours where they are wanted.
    pub(super) fn write(&self, to: &mut Vec<u8>, colour: bool) -> io::Result<()> {
        for (ink, text) in &self.pieces {
            match ink.filter(|_| colour) {
                Some(ink) => {
                    to.queue(SetForegroundColor(ink))?;
                    to.queue(Print(text))?;
                    to.queue(ResetColor)?;
                }
                None => to.write_all(text.as_bytes())?,
            }
        }
        Ok(())
    }
}

/// `[main]` The panel for a terminal that is `columns` wide.
pub(super) fn lines(view: &View, columns: usize) -> Vec<Line> {
    // One column stays free: a line as wide as the terminal wraps on some.
    let width = columns.saturating_sub(1).min(MAX_COLUMNS);
    let bar = width.saturating_sub(NAME_COLUMNS + FIGURE_COLUMNS).max(8);
    let mut lines = vec![title(view, width), setting(view), Line::default()];
    for (name, level) in &view.slots {
        lines.push(slot(name, level, bar));
    }
    lines.push(scale(bar));
    lines.push(channel("MASTER L", &view.master, 0, bar));
    lines.push(channel("       R", &view.master, 1, bar));
    lines.push(Line::default());
    lines.push(load(view, bar));
    lines.push(health(view));
    lines.push(marks(view));
    lines.extend(view.midi.status.iter().map(|text| midi("MIDI", text)));
    if let Some(text) = &view.midi.learn {
        lines.push(midi("LEARN", text));
        lines.push(learn_keys());
    }
    lines.push(keys(view));
    lines.into_iter().map(|line| line.fit(width)).collect()
}

fn title(view: &View, width: usize) -> Line {
    let (colour, state) = if view.ending {
        (Color::Yellow, "FADING OUT")
    } else if view.waiting {
        (Color::Red, "WAITING FOR DEVICE")
    } else if view.panic {
        (Color::Red, "PANIC")
    } else if view.muted {
        (Color::Red, "MUTED")
    } else {
        (Color::Green, "LIVE")
    };
    let clock = clock(view.seconds);
    let recording = view.recording.map_or_else(String::new, |recording| {
        let gaps = if recording.dropped_frames > 0 {
            " GAPS"
        } else {
            ""
        };
        format!("REC {}{gaps}  ", self::clock(recording.seconds))
    });
    let right = format!("{recording}{state}  {clock:>8}");
    let mut line = Line::default();
    let name = "HEADROOM";
    let preset = format!("  {}", view.preset);
    let taken = [name, &preset, &right].map(|text| text.chars().count());
    let room = width.saturating_sub(taken.iter().sum());
    let mut tempo = format!("  {} bpm", (view.tempo_bpm * 100.0).round() / 100.0);
    // What sound does comes before what it goes by.
    if tempo.len() + 2 > room {
        tempo.clear();
    }
    let gap = room.saturating_sub(tempo.len()).max(2);
    line.put(Some(Color::Cyan), name)
        .put(None, preset)
        .put(Some(Color::DarkGrey), tempo)
        .put(None, " ".repeat(gap))
        .put(Some(Color::Red), recording)
        .put(Some(colour), state)
        .put(None, format!("  {clock:>8}"));
    line
}

fn clock(seconds: f64) -> String {
    format!("{}:{:04.1}", (seconds / 60.0) as u64, seconds % 60.0)
}

fn setting(view: &View) -> Line {
    let mut line = Line::default();
    let rate_khz = f64::from(view.sample_rate_hz) / 1000.0;
    line.put(
        Some(Color::DarkGrey),
        format!(
            "{} | {rate_khz} kHz | block {} = {:.1} ms | rack latency {:.1} ms | {} > {}",
            view.backend,
            view.block_frames,
            milliseconds(view.block_frames as usize, view.sample_rate_hz),
            milliseconds(view.latency_frames, view.sample_rate_hz),
            view.source,
            view.output,
        ),
    );
    line
}

fn milliseconds(frames: usize, sample_rate_hz: u32) -> f64 {
    frames as f64 * 1000.0 / f64::from(sample_rate_hz.max(1))
}

/// A slot: both channels in one line, the louder one in figures.
fn slot(name: &str, level: &Level, bar: usize) -> Line {
    let half = bar.saturating_sub(1) / 2;
    let mut line = name_of(name);
    meter(&mut line, level, 0, half);
    line.put(None, " ");
    meter(&mut line, level, 1, half);
    line.put(None, " ".repeat(bar.saturating_sub(half * 2 + 1)));
    figures(
        &mut line,
        level.peak_db[0].max(level.peak_db[1]),
        level.hold_db[0].max(level.hold_db[1]),
    );
    line
}

fn channel(name: &str, level: &Level, side: usize, bar: usize) -> Line {
    let mut line = name_of(name);
    meter(&mut line, level, side, bar);
    figures(&mut line, level.peak_db[side], level.hold_db[side]);
    line
}

fn name_of(name: &str) -> Line {
    let mut line = Line::default();
    let short: String = name.chars().take(NAME_COLUMNS - 1).collect();
    line.put(None, format!("{short:<NAME_COLUMNS$}"));
    line
}

fn figures(line: &mut Line, peak_db: f32, hold_db: f32) {
    line.put(None, format!(" {:>6}", decibels(peak_db)));
    line.put(
        Some(colour_at(hold_db)),
        format!(" hold {:>4}", whole_decibels(hold_db)),
    );
}

fn decibels(db: f32) -> String {
    if db < -120.0 {
        "-inf".to_owned()
    } else {
        format!("{db:.1}")
    }
}

fn whole_decibels(db: f32) -> String {
    if db < -120.0 {
        "-inf".to_owned()
    } else {
        format!("{db:.0}")
    }
}

fn colour_at(db: f32) -> Color {
    if db >= HOT_DB {
        Color::Red
    } else if db >= WARM_DB {
        Color::Yellow
    } else {
        Color::Green
    }
}

/// How far along a meter of `columns` a level is, in columns.
fn reach(db: f32, columns: usize) -> f32 {
    ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0) * columns as f32
}

/// RMS as a solid bar, the peak as a lighter one beyond it, the held peak as a mark.
fn meter(line: &mut Line, level: &Level, side: usize, columns: usize) {
    let rms = reach(level.rms_db[side], columns);
    let peak = reach(level.peak_db[side], columns).round() as usize;
    let hold = reach(level.hold_db[side], columns).ceil() as usize;
    for column in 0..columns {
        let here_db = FLOOR_DB + (column as f32 + 0.5) / columns as f32 * -FLOOR_DB;
        let lit = colour_at(here_db);
        let filled = rms - column as f32;
        let (colour, cell) = if hold == column + 1 && filled < 1.0 {
            (lit, '┃')
        } else if filled >= 1.0 {
            (lit, '█')
        } else if filled >= 0.125 && peak <= column {
            (lit, EIGHTHS[(filled * 8.0) as usize])
        } else if peak > column {
            (lit, '▒')
        } else {
            (Color::DarkGrey, '·')
        };
        line.put(Some(colour), cell);
    }
}

const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// The marks over the master meter.
fn scale(bar: usize) -> Line {
    let mut marks = vec![' '; bar + 3];
    for db in [-60, -48, -36, -24, -18, -12, -6, 0] {
        let text = db.to_string();
        // Mark the end of the column that the level reaches.
        let at = (reach(db as f32, bar) as usize).saturating_sub(text.len() / 2);
        let end = at + text.len();
        let room = end <= marks.len()
            && marks[at.saturating_sub(1)..end]
                .iter()
                .all(|mark| *mark == ' ');
        if room {
            marks[at..end]
                .iter_mut()
                .zip(text.chars())
                .for_each(|(mark, digit)| *mark = digit);
        }
    }
    let mut line = Line::default();
    line.put(Some(Color::DarkGrey), " ".repeat(NAME_COLUMNS));
    line.put(Some(Color::DarkGrey), marks.into_iter().collect::<String>());
    line
}

/// Block times against the deadline: the bar is the deadline, filled to p99, marked at the maximum.
fn load(view: &View, bar: usize) -> Line {
    let share = |ns: u64| ns as f64 / view.deadline_ns.max(1) as f64;
    let [p50, p99, max] = view.block_ns;
    let columns = bar / 3;
    let (filled, mark) = (
        share(p99) * columns as f64,
        (share(max) * columns as f64) as usize,
    );
    let colour = match share(max) {
        share if share >= 0.9 => Color::Red,
        share if share >= 0.6 => Color::Yellow,
        _ => Color::Green,
    };
    let mut line = name_of("BLOCK");
    let cells: String = (0..columns)
        .map(|column| match filled - column as f64 {
            full if full >= 1.0 => '█',
            _ if mark.min(columns - 1) == column && max > 0 => '┃',
            part if part >= 0.125 => EIGHTHS[(part * 8.0) as usize],
            _ => '·',
        })
        .collect();
    line.put(Some(colour), cells);
    line.put(
        None,
        format!(
            " {:.0}% of {}  p50 {}  p99 {}  max {}",
            share(p99) * 100.0,
            time(view.deadline_ns),
            time(p50),
            time(p99),
            time(max)
        ),
    );
    line
}

fn time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..100_000 => format!("{:.1} us", ns as f64 / 1e3),
        100_000..1_000_000 => format!("{:.0} us", ns as f64 / 1e3),
        _ => format!("{:.2} ms", ns as f64 / 1e6),
    }
}

/// What must stay at zero.
fn health(view: &View) -> Line {
    let mut line = name_of("HEALTH");
    let counts = [
        ("xruns", view.xruns),
        ("gaps", view.input_gaps),
        ("late", view.over_deadline),
        ("allocs", view.allocations),
        ("frees", view.deallocations),
        ("faults", view.faults),
    ];
    let mut text = String::new();
    for (name, count) in counts {
        text.clear();
        // PANIC: writing into a String cannot fail, and the result says nothing else.
        let _infallible = write!(text, "{name} {count}  ");
        line.put(
            Some(if count == 0 { Color::Green } else { Color::Red }),
            text.clone(),
        );
    }
    let numbers = &view.health;
    let more = [
        (
            "NaN",
            numbers.muted_chunks,
            numbers.named(numbers.muted_chunks, |slot| slot.not_finite_chunks),
            Color::Red,
        ),
        // No fault: it costs nothing where it is flushed, but says where a tail ends in very small numbers.
        (
            "flushed",
            numbers.flushed_blocks,
            numbers.named(numbers.flushed_blocks, |slot| slot.flushed_chunks),
            Color::Yellow,
        ),
    ];
    for (name, count, named, colour) in more {
        let colour = if count == 0 { Color::Green } else { colour };
        line.put(Some(colour), format!("{name} {named}  "));
    }
    if !view.realtime {
        line.put(Some(Color::Yellow), "not real-time");
    }
    line
}

/// How full queues, lists and pools ever were, the collector, and the thread's context switches.
fn marks(view: &View) -> Line {
    let mut line = name_of("MOST");
    let switches = view.health.context_switches.map_or(String::new(), |it| {
        format!("  switches {}+{}", it.voluntary, it.involuntary)
    });
    let text = format!("{}{switches}", view.health.marks());
    line.put(Some(Color::DarkGrey), text);
    line
}

fn midi(name: &str, text: &str) -> Line {
    let mut line = name_of(name);
    let ink = (name == "LEARN").then_some(Color::Yellow);
    line.put(ink, text);
    line
}

fn learn_keys() -> Line {
    let mut line = name_of("");
    let text = "up, down: parameter   left, right: module   x let go   s save   l done";
    line.put(Some(Color::DarkGrey), text);
    line
}

fn keys(view: &View) -> Line {
    let mut line = name_of("");
    let mute = if view.muted { "m unmute" } else { "m mute" };
    let learn = match view.midi.status {
        Some(_) => "l learn   ",
        None => "",
    };
    let panic = if view.panic {
        "p let sound in"
    } else {
        "p panic"
    };
    let record = if view.recording.is_some() {
        "r stop recording"
    } else {
        "r record"
    };
    let presets = if view.has_setlist {
        "n/b presets   "
    } else {
        ""
    };
    line.put(
        Some(Color::DarkGrey),
        format!("{mute}   {panic}   {record}   {presets}{learn}s save   q fade out"),
    );
    line
}

#[cfg(test)]
mod tests {
    use super::super::health::{Mark, SlotFaults, Switches};
    use super::*;

    fn view() -> View {
        View {
            preset: "voice".to_owned(),
            backend: "jack".to_owned(),
            output: "JACK Output".to_owned(),
            source: "take-3.flac".to_owned(),
            sample_rate_hz: 48_000,
            block_frames: 128,
            tempo_bpm: 93.75,
            slots: vec![
                ("eq".to_owned(), Level::default()),
                (
                    "a-very-long-identity".to_owned(),
                    Level {
                        peak_db: [3.0, -30.0],
                        hold_db: [6.0, -20.0],
                        rms_db: [-10.0, -40.0],
                    },
                ),
            ],
            block_ns: [41_000, 66_000, 5_000_000],
            deadline_ns: 2_666_666,
            ..View::default()
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in 1..200 {
            for line in lines(&view(), columns) {
                assert!(
                    line.plain().chars().count() < columns.max(2),
                    "{columns}: {}",
                    line.plain()
                );
            }
        }
    }

    #[test]
    fn the_tempo_stands_beside_the_preset_where_there_is_room_for_it() {
        let first = |view: &View, columns| lines(view, columns)[0].plain();
        let title = first(&view(), 60);
        assert!(title.starts_with("HEADROOM  voice  93.75 bpm "), "{title}");
        let whole = View {
            tempo_bpm: 120.0,
            ..view()
        };
        assert!(first(&whole, 60).contains("  120 bpm  "));
        // At the least two columns are between what stands left and what stands right.
        let title = first(&view(), 43);
        assert_eq!(title, "HEADROOM  voice  93.75 bpm  LIVE    0:00.0");
        let title = first(&view(), 42);
        assert_eq!(title, "HEADROOM  voice            LIVE    0:00.0");
    }

    #[test]
    fn a_meter_reads_from_left_to_right() {
        let level = Level {
            peak_db: [-30.0; 2],
            hold_db: [-15.0; 2],
            rms_db: [-45.0; 2],
        };
        let mut line = Line::default();
        meter(&mut line, &level, 0, 40);
        assert_eq!(line.plain(), "██████████▒▒▒▒▒▒▒▒▒▒·········┃··········");
    }

    #[test]
    fn silence_and_overload_stay_inside_the_meter() {
        for db in [f32::NEG_INFINITY, -200.0, 0.0, 40.0, f32::NAN] {
            let level = Level {
                peak_db: [db; 2],
                hold_db: [db; 2],
                rms_db: [db; 2],
            };
            let mut line = Line::default();
            meter(&mut line, &level, 1, 20);
            assert_eq!(line.plain().chars().count(), 20, "{db}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_with_its_slot_and_marks_with_their_room() {
        let mut view = view();
        view.health.muted_chunks = 3;
        view.health.slots = [("tone", 0), ("room", 3)]
            .map(|(id, not_finite_chunks)| SlotFaults {
                id: id.to_owned(),
                not_finite_chunks,
                flushed_chunks: 0,
            })
            .to_vec();
        view.health.high_water.commands = Mark {
            most: 12,
            room: 1_024,
        };
        view.health.context_switches = Some(Switches {
            voluntary: 375,
            involuntary: 2,
        });
        let [health, marks] = [health(&view).plain(), marks(&view).plain()];
        assert!(health.contains("NaN 3 (room)  flushed 0"), "{health}");
        assert!(marks.contains("commands 12/1024  notices"), "{marks}");
        assert!(marks.ends_with("switches 375+2"), "{marks}");
        assert!(marks.chars().count() < MAX_COLUMNS, "{marks}");
    }

    #[test]
    fn counts_that_are_not_zero_are_red() {
        let bad = View { xruns: 3, ..view() };
        let red = |line: &Line| line.pieces.iter().any(|(ink, _)| *ink == Some(Color::Red));
        assert!(red(&health(&bad)));
        assert!(!red(&health(&view())));
    }
}
