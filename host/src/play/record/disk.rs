//! The disk's thread: from the ring into files, and what is said when that goes wrong.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::realtime::enlist_thread;

use super::tap::Next;
use super::tap::Planes;
use super::tap::Spool;
use super::tap::Words;
use crate::audio_file::Recorded;
use crate::audio_file::Recording;
use crate::audio_file::WriteError;

/// Frames that go to the files in one step.
const STEP_FRAMES: usize = 4096;
/// How long the thread sleeps when nothing has come.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a file's header is made true: what a killed program may lose.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// Every so many of these all of it goes to the disk itself: what a power cut may lose.
const CHECKPOINTS_A_SYNC: u32 = 5;

/// Where one recording goes.
pub(super) trait Sink: Send {
    /// `[main]` The disk's thread appends frames.
    fn write(&mut self, left: &[f32], right: &[f32]) -> Result<(), WriteError>;

    /// `[main]` From here on what was written can be opened even if the program is killed; `last`: even if
    /// the power fails.
    fn checkpoint(&mut self, last: bool) -> Result<(), WriteError>;

    /// `[main]` Completes it.
    fn finish(self: Box<Self>) -> Result<Recorded, WriteError>;

    /// `[main]` After an error: keeps what is there.
    fn salvage(self: Box<Self>) -> Result<Recorded, WriteError>;

    /// `[main]` Where it is until it is complete.
    fn growing_path(&self) -> PathBuf;
}

impl Sink for Recording {
    fn write(&mut self, left: &[f32], right: &[f32]) -> Result<(), WriteError> {
        Self::write(self, &[left, right])
    }

    fn checkpoint(&mut self, last: bool) -> Result<(), WriteError> {
        Self::checkpoint(self, last)
    }

    fn finish(self: Box<Self>) -> Result<Recorded, WriteError> {
        Self::finish(*self)
    }

    fn salvage(self: Box<Self>) -> Result<Recorded, WriteError> {
        Self::salvage(*self)
    }

    fn growing_path(&self) -> PathBuf {
        Self::growing_path(self).to_owned()
    }
}

/// What became of one file.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Where it is now.
    pub(super) path: PathBuf,
    pub(super) frames: u64,
    pub(super) clipped_samples: u64,
    /// Why it is not whole.
    pub(super) failure: Option<WriteError>,
}

/// The main thread's end of the disk's thread.
pub(super) struct Disk {
    thread: JoinHandle<Vec<Outcome>>,
    messages: Receiver<String>,
}

impl Disk {
    /// `[main]` Starts the thread. The first sink gets the output, a second one what came in.
    pub(super) fn start(
        spool: Spool,
        words: Arc<Words>,
        sinks: Vec<Box<dyn Sink>>,
        sample_rate_hz: u32,
    ) -> std::io::Result<Self> {
        let (tell, messages) = mpsc::channel();
        let work = Work {
            planes: Planes::new(sinks.len() > 1, STEP_FRAMES),
            tracks: sinks
                .into_iter()
                .map(|sink| Track::new(sink, sample_rate_hz, &tell))
                .collect(),
            spool,
            words,
        };
        let thread = std::thread::Builder::new()
            .name("headroom-disk".to_owned())
            .spawn(move || {
                let _enlisted = enlist_thread("recorder");
                work.run()
            })?;
        Ok(Self { thread, messages })
    }

    /// `[main]` What went wrong since the last call, a line each.
    pub(super) fn messages(&self) -> Vec<String> {
        self.messages.try_iter().collect()
    }

    /// `[main]` Whether all that will ever be written is written.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// `[main]` Waits for the end; gives what became of the files, and what was said last.
    pub(super) fn join(self) -> (Vec<Outcome>, Vec<String>) {
        // A thread that panicked has made the headers true up to then.
        let outcomes = self.thread.join().unwrap_or_default();
        (outcomes, self.messages.try_iter().collect())
    }
}

struct Work {
    spool: Spool,
    planes: Planes,
    words: Arc<Words>,
    tracks: Vec<Track>,
}

impl Work {
    fn run(mut self) -> Vec<Outcome> {
        let mut checkpoints: u32 = 0;
        let mut checked = Instant::now();
        loop {
            match self.spool.next(&mut self.planes, STEP_FRAMES) {
                Next::End => break,
                Next::Nothing => std::thread::sleep(PAUSE),
                Next::Frames(frames) => {
                    for (track, planes) in self.tracks.iter_mut().zip(&self.planes.0) {
                        track.write(planes, frames);
                    }
                }
            }
            if checked.elapsed() >= CHECKPOINT {
                checkpoints = checkpoints.wrapping_add(1);
                let last = checkpoints.is_multiple_of(CHECKPOINTS_A_SYNC);
                for track in &mut self.tracks {
                    track.attempt(|sink| sink.checkpoint(last));
                }
                checked = Instant::now();
            }
            if !self.tracks.iter().any(Track::is_open) {
                // The callback need not fill a ring that nobody empties.
                self.words.end();
                break;
            }
        }
        self.tracks.into_iter().map(Track::finish).collect()
    }
}

/// One file on its way.
struct Track {
    state: State,
    frames: u64,
    sample_rate_hz: u32,
    tell: Sender<String>,
}

enum State {
    Open(Box<dyn Sink>),
    Closed(Outcome),
}

impl Track {
    fn new(sink: Box<dyn Sink>, sample_rate_hz: u32, tell: &Sender<String>) -> Self {
        Self {
            state: State::Open(sink),
            frames: 0,
            sample_rate_hz,
            tell: tell.clone(),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    fn write(&mut self, [left, right]: &[Vec<f32>; 2], frames: usize) {
        self.attempt(|sink| sink.write(&left[..frames], &right[..frames]));
        self.frames += frames as u64;
    }

    /// Does it; where that fails, keeps what is there and says so. After that there is nothing to do.
    fn attempt(&mut self, work: impl FnOnce(&mut dyn Sink) -> Result<(), WriteError>) {
        let State::Open(sink) = &mut self.state else {
            return;
        };
        let Err(failure) = work(&mut **sink) else {
            return;
        };
        let growing = sink.growing_path();
        let closed = State::Closed(Outcome {
            path: growing,
            frames: self.frames,
            clipped_samples: 0,
            failure: Some(failure),
        });
        let State::Open(sink) = std::mem::replace(&mut self.state, closed) else {
            return;
        };
        let salvaged = sink.salvage();
        let State::Closed(outcome) = &mut self.state else {
            return;
        };
        let kept = match salvaged {
            Ok(kept) => {
                outcome.path = kept.path;
                outcome.frames = kept.written.frames;
                outcome.clipped_samples = kept.written.clipped_samples;
                let secs = outcome.frames as f64 / f64::from(self.sample_rate_hz);
                format!("its first {secs:.1} s are in {}", outcome.path.display())
            }
            Err(_) => stands_in(&outcome.path),
        };
        if let Some(failure) = &outcome.failure {
            say(&self.tell, failure, &kept);
        }
    }

    fn finish(self) -> Outcome {
        let sink = match self.state {
            State::Closed(outcome) => return outcome,
            State::Open(sink) => sink,
        };
        let growing = sink.growing_path();
        match sink.finish() {
            Ok(Recorded { path, written }) => Outcome {
                path,
                frames: written.frames,
                clipped_samples: written.clipped_samples,
                failure: None,
            },
            Err(failure) => {
                say(&self.tell, &failure, &stands_in(&growing));
                Outcome {
                    path: growing,
                    frames: self.frames,
                    clipped_samples: 0,
                    failure: Some(failure),
                }
            }
        }
    }
}

fn stands_in(path: &Path) -> String {
    format!("what was written is in {}", path.display())
}

fn say(tell: &Sender<String>, failure: &WriteError, kept: &str) {
    // Nobody listens any more only when the program is on its way out.
    let _heard = tell.send(format!("the recording ended early: {failure}: {kept}"));
}
