//! A client's end: attaches to an audio process, looks at the board and sends commands. Nothing that stands
//! in shared memory is believed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use crate::board::{Axis, Curve, Description, HealthInfo, MemoryInfo};
use crate::cells::text_from_words;
use crate::commands::{Command, CommandError, CommandSender};
use crate::handover::{self, AttachError};
use crate::meters::{MeterReader, MeterSpan};
use crate::region::{MAX_POINTS, REPLIES, Region};
use crate::runtime::{self, Running};
use crate::segment::Segment;
use crate::sheet::Sheet;
use crate::sound::Tap;
use crate::stream::{self, Heard, Stream};

/// Without a beat for this long, housekeeping stands still.
const STALLED: Duration = Duration::from_secs(1);

/// How the audio process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sound runs.
    Playing,
    /// The device, or the plugin's host, does not call.
    NotCalled,
    /// The process is there, but its main thread has not moved for a second.
    Stalled,
    /// It has ended, or has let this client go.
    Gone,
}

/// A value on the board.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// In the table's unit.
    pub value: f32,
    /// As people read it: `-18.0 dB`.
    pub text: String,
}

/// An answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Which command: what [`Client::send`] gave.
    pub sequence: u64,
    /// What was done, or why it was not.
    pub result: Result<String, String>,
}

/// A sheet that has been read.
struct Read<T> {
    generation: u64,
    newest: Option<Arc<T>>,
}

impl<T: DeserializeOwned> Read<T> {
    const fn nothing() -> Self {
        Self {
            generation: 0,
            newest: None,
        }
    }

    /// What is shown now. What makes no sense is left out of account: the one before stays.
    fn look<const WORDS: usize>(&mut self, sheet: &Sheet<WORDS>) -> Option<Arc<T>> {
        if sheet.generation() != self.generation
            && let Some((generation, text)) = sheet.read()
        {
            self.generation = generation;
            if let Ok(read) = postcard::from_bytes(&text) {
                self.newest = Some(Arc::new(read));
            }
        }
        self.newest.clone()
    }
}

/// One client of one audio process.
pub struct Client {
    region: Segment<Region>,
    commands: CommandSender,
    stream: Stream,
    place: usize,
    meters: MeterReader,
    replied: u64,
    description: Read<Description>,
    health: Read<HealthInfo>,
    memory: Read<MemoryInfo>,
    beats: u64,
    beaten: Instant,
    gone: bool,
}

impl Client {
    /// `[main]` The programs of this user that can be attached to, the newest first.
    ///
    /// # Errors
    ///
    /// The folder where they show themselves cannot be read.
    pub fn running() -> Result<Vec<Running>, AttachError> {
        Ok(runtime::running()?)
    }

    /// `[main]` Attaches to the newest program that takes it.
    ///
    /// # Errors
    ///
    /// There is none, or none takes it: then why the newest does not.
    pub fn attach_to_newest() -> Result<Self, AttachError> {
        let mut refusal = None;
        for running in Self::running()? {
            match Self::attach(&running.path) {
                Ok(client) => return Ok(client),
                // Its process has just ended: nobody is there.
                Err(AttachError::Connect { error, .. })
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound
                    ) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(AttachError::Nobody))
    }

    /// `[main]` Attaches to the program behind a socket; waits two seconds at most.
    ///
    /// # Errors
    ///
    /// It is not there, does not answer, refuses, or is of another version.
    pub fn attach(path: &Path) -> Result<Self, AttachError> {
        let stream = stream::connect(path).map_err(|error| AttachError::Connect {
            path: path.to_owned(),
            error,
        })?;
        Self::from_stream(stream)
    }

    /// `[main]` Attaches over a socket that is connected already, such as the one that a screen finds as its
    /// standard input.
    ///
    /// # Errors
    ///
    /// As of [`Self::attach`].
    pub fn from_stream(stream: Stream) -> Result<Self, AttachError> {
        let given = handover::take(&stream)?;
        let line = &given.region.clients[given.place];
        Ok(Self {
            meters: MeterReader::new(&given.region.meters),
            replied: line.replied.load(Ordering::Acquire),
            commands: CommandSender::new(given.commands),
            place: given.place,
            region: given.region,
            stream,
            description: Read::nothing(),
            health: Read::nothing(),
            memory: Read::nothing(),
            beats: 0,
            beaten: Instant::now(),
            gone: false,
        })
    }

    /// `[any]` The audio process.
    pub fn pid(&self) -> u32 {
        self.region.head.pid.load(Ordering::Relaxed)
    }

    /// `[main]` How the audio process is.
    pub fn state(&mut self) -> State {
        if self.gone || stream::look(&self.stream) == Heard::Closed {
            self.gone = true;
            return State::Gone;
        }
        let beats = self.region.pulse.beats.load(Ordering::Relaxed);
        if beats != self.beats {
            self.beats = beats;
            self.beaten = Instant::now();
        }
        if self.beaten.elapsed() > STALLED {
            State::Stalled
        } else if self.region.pulse.calling.load(Ordering::Relaxed) == 0 {
            State::NotCalled
        } else {
            State::Playing
        }
    }

    /// `[main]` What there is; the same `Arc` until it changes.
    pub fn description(&mut self) -> Option<Arc<Description>> {
        self.description.look(&self.region.description)
    }

    /// `[main]` How the audio thread does.
    pub fn health(&mut self) -> Option<Arc<HealthInfo>> {
        self.health.look(&self.region.health)
    }

    /// `[main]` Where its memory is.
    pub fn memory(&mut self) -> Option<Arc<MemoryInfo>> {
        self.memory.look(&self.region.memory)
    }

    /// `[any]` Changes when any value or curve does.
    pub fn values_generation(&self) -> u64 {
        self.region.pulse.values_generation.load(Ordering::Acquire)
    }

    /// `[any]` A value on the board; see [`crate::board::ModuleInfo::param_value`] for its place.
    pub fn value(&self, place: usize) -> Option<Value> {
        let words = self.region.values.get(place)?.read()?;
        let value = f32::from_bits(words[0]);
        value.is_finite().then(|| Value {
            value,
            text: text_from_words(&words[1..]),
        })
    }

    /// `[any]` The curve of the module at a place of the rack.
    pub fn curve(&self, place: usize) -> Option<Curve> {
        let words = self.region.curves.get(place)?.read()?;
        let count = (words[0] as usize).min(MAX_POINTS);
        let float = |at: usize| f32::from_bits(words[at]);
        let axis = |at: usize| {
            let (from, to) = (float(at + 1), float(at + 2));
            let is_range = from.is_finite() && to.is_finite() && from < to;
            is_range.then_some((Axis::from_code(words[at])?, from, to))
        };
        if count == 0 {
            return None;
        }
        let points = (0..count).map(|at| (float(8 + 2 * at), float(9 + 2 * at)));
        Some(Curve {
            x: axis(2)?,
            y: axis(5)?,
            stems: words[1] != 0,
            points: points
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .collect(),
        })
    }

    /// `[main]` The highest levels of all that was published since the last call; `None` when nothing was.
    pub fn meters(&mut self) -> Option<MeterSpan> {
        self.meters.take(&self.region.meters)
    }

    /// `[any]` Samples a second, as the audio thread has it.
    pub fn sample_rate_hz(&self) -> u32 {
        self.region.pulse.sample_rate_hz.load(Ordering::Relaxed)
    }

    /// `[main]` Shows that this client looks; once a look. Without it, whoever keeps a screen takes it for hung.
    pub fn beat(&self) {
        self.commands.beat();
    }

    /// `[main]` Asks for sound, or no more.
    pub fn want_sound(&mut self, on: bool) {
        self.commands.want_sound(on);
    }

    /// `[any]` Copies the newest `frames` frames into `into`, oldest first; gives the number of the frame
    /// behind the last. There may be fewer.
    pub fn sound(&self, tap: Tap, frames: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        match tap {
            Tap::Before => self.region.before.read(frames, into),
            Tap::After => self.region.after.read(frames, into),
        }
    }

    /// `[main]` Sends a command; gives its number. What became of it: [`Self::replies`].
    ///
    /// # Errors
    ///
    /// It makes no sense, too many wait already, or the program has ended. Nothing has been sent then.
    pub fn send(&mut self, command: &Command) -> Result<u64, CommandError> {
        if self.gone {
            return Err(CommandError::Gone);
        }
        self.commands.send(command)
    }

    /// `[main]` Answers that have come. Only the newest sixteen are kept between two calls.
    pub fn replies(&mut self) -> Vec<Reply> {
        let line = &self.region.clients[self.place];
        // Acquire: with the Release behind each answer.
        let replied = line.replied.load(Ordering::Acquire);
        let new = replied.wrapping_sub(self.replied).min(REPLIES as u64);
        let from = replied.wrapping_sub(new);
        self.replied = replied;
        let read = |at: u64| {
            let number = from.wrapping_add(at);
            let words = line.replies[(number % REPLIES as u64) as usize].read()?;
            let text = text_from_words(&words[3..]);
            Some(Reply {
                sequence: u64::from(words[0]) | u64::from(words[1]) << 32,
                result: if words[2] == 1 { Ok(text) } else { Err(text) },
            })
        };
        (0..new).filter_map(read).collect()
    }

    /// `[any]` The number of the newest command of ours that was taken: what the board shows is at least as
    /// new.
    pub fn applied(&self) -> u64 {
        self.region.clients[self.place]
            .applied
            .load(Ordering::Acquire)
    }

    /// `[main]` Sends a command and waits for its answer.
    ///
    /// # Errors
    ///
    /// As of [`Self::send`]; or there is no answer in time.
    pub fn ask(&mut self, command: &Command, patience: Duration) -> Result<Reply, CommandError> {
        let sequence = self.send(command)?;
        let start = Instant::now();
        loop {
            let answer = self
                .replies()
                .into_iter()
                .find(|it| it.sequence == sequence);
            if let Some(reply) = answer {
                return Ok(reply);
            }
            if self.state() == State::Gone || start.elapsed() > patience {
                return Err(CommandError::Gone);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// `[any]` Commands of all clients that the audio process could make nothing of.
    pub fn bad_commands(&self) -> u64 {
        self.region.pulse.bad_commands.load(Ordering::Relaxed)
    }
}
