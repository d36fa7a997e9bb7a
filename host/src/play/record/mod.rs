//! Recording: what is played, and what came in, into files.
//!
//! | file | holds |
//! | --- | --- |
//! | `tap` | the ring from the output callback to the disk's thread, and the gaps in it |
//! | `socket` | how a tap gets to the callback and back |
//! | `disk` | the thread that writes, and what it does when the disk fails |
//!
//! Sound never waits for the disk. The ring holds 10 s; a disk that stalls for longer leaves a gap, which
//! is counted and filled with silence of the same length.

mod disk;
mod report;
mod socket;
mod tap;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headroom_engine::MemoryMap;

use self::disk::Disk;
use self::disk::Outcome;
use self::disk::Sink;
pub(super) use self::report::RecordingReport;
pub(super) use self::socket::TapSender;
pub(super) use self::socket::TapSocket;
pub(super) use self::socket::socket;
use self::tap::Words;
use super::args::PlayArgs;
use super::error::PlayError;
use crate::audio_file::Layout;
use crate::audio_file::Recording;
use crate::audio_file::SampleFormat;
use crate::audio_file::WriteError;
use crate::render::names_other_format;

/// Between two looks at a disk's thread that is still writing at the end.
const LOOK: Duration = Duration::from_millis(20);
/// Names that are tried for a recording that was given none.
const MAX_NUMBER: u32 = 9_999;

/// Where one recording goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    output: PathBuf,
    dry: Option<PathBuf>,
}

/// The main thread's side of all recordings of a session.
pub(super) struct Recorder {
    sender: TapSender,
    sample_rate_hz: u32,
    max_piece_frames: usize,
    format: SampleFormat,
    /// The one that runs.
    now: Option<Take>,
    /// Those that still go to the disk.
    ending: Vec<Take>,
    /// What became of the others, by their numbers.
    done: Vec<(usize, RecordingReport)>,
    started: usize,
    /// What there is to say.
    news: Vec<String>,
    /// Whether the command line asked for one: keys then start and stop none.
    is_asked_for: bool,
}

/// One recording on its way.
struct Take {
    words: Arc<Words>,
    disk: Disk,
    files: Files,
    number: usize,
    sample_rate_hz: u32,
    /// Where they are until they are whole.
    growing: Vec<PathBuf>,
    /// Said already that frames are missing.
    told_gap: bool,
}

/// What the panel shows of the recording that runs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Status {
    pub(super) seconds: f64,
    pub(super) dropped_frames: u64,
}

/// `[main]` Checks what the command line says about recordings, before any device is touched.
pub(super) fn check(args: &PlayArgs) -> Result<(), PlayError> {
    let Some(output) = &args.record else {
        return Ok(());
    };
    let asked = [
        ("--record", Some(output)),
        ("--record-dry", args.record_dry.as_ref()),
    ];
    for (option, path) in asked {
        let Some(path) = path else { continue };
        if names_other_format(path) {
            return Err(PlayError::Option {
                option,
                given: path.display().to_string(),
                expected: "a name that ends in .wav, since only WAV is written".to_owned(),
            });
        }
        Recording::check(path)?;
    }
    if args.record_dry.as_ref() == Some(output) {
        return Err(PlayError::Option {
            option: "--record-dry",
            given: output.display().to_string(),
            expected: "another file than that of `--record`".to_owned(),
        });
    }
    Ok(())
}

impl Recorder {
    /// `[main]` For a stream of this rate, whose callback works in pieces of at most `max_piece_frames`.
    pub(super) fn new(
        sender: TapSender,
        sample_rate_hz: u32,
        max_piece_frames: usize,
        args: &PlayArgs,
    ) -> Self {
        Self {
            sender,
            sample_rate_hz,
            max_piece_frames,
            format: args.record_format.into(),
            now: None,
            ending: Vec::new(),
            done: Vec::new(),
            started: 0,
            news: Vec::new(),
            is_asked_for: args.record.is_some(),
        }
    }

    /// `[main]` Starts what the command line asks for. Before the first block: not one frame is missing.
    pub(super) fn start_asked(&mut self, args: &PlayArgs) -> Result<(), PlayError> {
        match &args.record {
            Some(output) => self.start(Files {
                output: output.clone(),
                dry: args.record_dry.clone(),
            }),
            None => Ok(()),
        }
    }

    /// `[main]` Starts a recording into a new file of `folder`, or ends the one that runs. Returns what there
    /// is to say.
    pub(super) fn toggle(&mut self, folder: &Path) -> String {
        if self.is_asked_for {
            return "recording since the start, and to the end".to_owned();
        }
        if let Some(take) = self.now.take() {
            take.words.end();
            let said = format!("recorded into {}", take.files.output.display());
            self.ending.push(take);
            return said;
        }
        let name = jiff::Zoned::now().strftime("headroom %Y-%m-%d %H.%M.%S");
        let output = free_name(folder, &name.to_string());
        let said = format!("recording into {}", output.display());
        match self.start(Files { output, dry: None }) {
            Ok(()) => said,
            Err(error) => format!("warning: not recording: {error}"),
        }
    }

    /// `[main]` The device is back at another rate: what runs is ended, and goes on in a file beside.
    pub(super) fn change_rate(&mut self, sample_rate_hz: u32, max_piece_frames: usize) {
        self.sample_rate_hz = sample_rate_hz;
        self.max_piece_frames = max_piece_frames;
        let Some(take) = self.now.take() else {
            return;
        };
        take.words.end();
        let files = Files {
            output: next_name(&take.files.output),
            dry: take.files.dry.as_deref().map(next_name),
        };
        self.ending.push(take);
        let name = files.output.display().to_string();
        let said = match self.start(files) {
            Ok(()) => format!("the recording goes on in {name}, at {sample_rate_hz} Hz"),
            Err(error) => format!("warning: the recording does not go on: {error}"),
        };
        self.news.push(said);
    }

    fn start(&mut self, files: Files) -> Result<(), PlayError> {
        let layout = Layout {
            channels: 2,
            sample_rate_hz: self.sample_rate_hz,
            format: self.format,
        };
        let create = |path: &PathBuf| -> Result<Box<dyn Sink>, WriteError> {
            Ok(Box::new(Recording::create(path, layout)?))
        };
        let sinks = [Some(&files.output), files.dry.as_ref()];
        let sinks = sinks.into_iter().flatten().map(create);
        let sinks = sinks.collect::<Result<Vec<_>, _>>()?;
        self.start_into(sinks, files)
    }

    fn start_into(&mut self, sinks: Vec<Box<dyn Sink>>, files: Files) -> Result<(), PlayError> {
        let growing = sinks.iter().map(|sink| sink.growing_path()).collect();
        let (tap, spool, words) =
            tap::tap(sinks.len() > 1, self.sample_rate_hz, self.max_piece_frames);
        let disk = Disk::start(spool, Arc::clone(&words), sinks, self.sample_rate_hz).map_err(
            |source| PlayError::System {
                doing: "start the disk's thread",
                source,
            },
        )?;
        let take = Take {
            words,
            disk,
            files,
            number: self.started,
            sample_rate_hz: self.sample_rate_hz,
            growing,
            told_gap: false,
        };
        self.started += 1;
        if self.sender.send(tap) {
            self.now = Some(take);
        } else {
            // The audio thread does not call: there is nothing to record.
            take.words.end();
            self.ending.push(take);
        }
        Ok(())
    }

    /// `[main]` A few times a second: what there is to say, and the memory of what is over.
    pub(super) fn look(&mut self) -> Vec<String> {
        self.sender.clear();
        let mut said = std::mem::take(&mut self.news);
        for take in self.now.iter_mut().chain(&mut self.ending) {
            said.extend(take.disk.messages());
            if take.words.dropped_frames() > 0 && !take.told_gap {
                take.told_gap = true;
                let at_secs = take.seconds();
                said.push(format!(
                    "warning: the disk is too slow: from {at_secs:.1} s on the recording has gaps (silence, counted)"
                ));
            }
        }
        // Where every file has failed.
        if let Some(take) = self.now.take_if(|take| take.disk.is_finished()) {
            self.ending.push(take);
        }
        for at in (0..self.ending.len()).rev() {
            if self.ending[at].disk.is_finished() {
                let take = self.ending.remove(at);
                said.extend(self.close(take));
            }
        }
        said
    }

    fn close(&mut self, take: Take) -> Vec<String> {
        let dropped_frames = take.words.dropped_frames();
        let (outcomes, said) = take.disk.join();
        let outcomes: [Option<Outcome>; 2] = {
            let mut outcomes = outcomes.into_iter();
            [outcomes.next(), outcomes.next()]
        };
        let report = RecordingReport::new(outcomes, dropped_frames, take.sample_rate_hz);
        self.done.push((take.number, report));
        said
    }

    /// `[main]` What runs now.
    pub(super) fn status(&self) -> Option<Status> {
        self.now.as_ref().map(|take| Status {
            seconds: take.seconds(),
            dropped_frames: take.words.dropped_frames(),
        })
    }

    /// `[main]` Lists the rings of what runs, and of what still goes to the disk.
    pub(super) fn list(&self, map: &mut MemoryMap) {
        for take in self.now.iter().chain(&self.ending) {
            take.words.list(map);
        }
    }

    /// `[main]` Ends what runs and waits until all of it is in its files, or until `give_up` says that it is
    /// not worth it. Returns what there is to say.
    pub(super) fn finish(&mut self, give_up: impl Fn() -> bool) -> Vec<String> {
        if let Some(take) = self.now.take() {
            take.words.end();
            self.ending.push(take);
        }
        let mut said = Vec::new();
        while !self.ending.is_empty() {
            said.extend(self.look());
            if !self.ending.is_empty() {
                if give_up() {
                    break;
                }
                std::thread::sleep(LOOK);
            }
        }
        for take in std::mem::take(&mut self.ending) {
            let growing = take.growing.iter().map(|path| path.display().to_string());
            said.push(format!(
                "warning: the disk does not answer: what was written is in {}",
                growing.collect::<Vec<_>>().join(" and ")
            ));
            let dropped_frames = take.words.dropped_frames();
            let report = RecordingReport::given_up(&take.growing, dropped_frames);
            self.done.push((take.number, report));
        }
        self.done.sort_by_key(|(number, _)| *number);
        said
    }

    /// `[main]` What became of the recording that the command line asked for.
    pub(super) fn asked_report(&self) -> Option<RecordingReport> {
        let first = self.done.first().filter(|_| self.is_asked_for);
        first.map(|(_, report)| report.clone())
    }

    /// `[main]` What became of those that a key started, or a change of rate.
    pub(super) fn other_reports(&self) -> Vec<RecordingReport> {
        let others = self.done.iter().skip(usize::from(self.is_asked_for));
        others.map(|(_, report)| report.clone()).collect()
    }

    /// `[main]` Whether one of them is not whole.
    pub(super) fn has_failed(&self) -> bool {
        self.done.iter().any(|(_, report)| !report.is_whole())
    }
}

impl Take {
    fn seconds(&self) -> f64 {
        self.words.offered_frames() as f64 / f64::from(self.sample_rate_hz)
    }
}

/// `[main]` Where recordings go that were given no name: the music folder, or else the home folder.
pub(super) fn folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    let music = dirs.audio_dir().filter(|music| music.is_dir());
    Some(music.unwrap_or_else(|| dirs.home_dir()).to_owned())
}

/// The name beside `path` that is free: `take 2.wav` after `take.wav`.
fn next_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    free_name(path.parent().unwrap_or(Path::new("")), &stem)
}

/// A name in `folder` under which there is no file yet.
fn free_name(folder: &Path, stem: &str) -> PathBuf {
    let plain = folder.join(format!("{stem}.wav"));
    let more = (2..=MAX_NUMBER).map(|number| folder.join(format!("{stem} {number}.wav")));
    let mut names = std::iter::once(plain.clone()).chain(more);
    let is_free = |path: &PathBuf| !path.exists() && !path.with_extension("wav.part").exists();
    names.find(is_free).unwrap_or(plain)
}
