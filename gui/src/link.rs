//! Fills the picture from a client, and sends what the hands do. Finds a program, stays with it until it
//! ends, and then waits for the next.

use crate::hands::Hands;
use crate::model::{Link, MAX_MODULES, Picture};
use crate::sound::Averaging;
use crate::spectrum::FRAMES;
use headroom_ipc::{Client, Command, MAX_VALUES, State, Stream, Tap};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a program is looked for.
const SEARCH: Duration = Duration::from_millis(250);
/// How long a screen that belongs to one program stays when that has ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where the program is.
#[derive(Debug)]
pub enum Source {
    /// The newest that runs, and behind it the next.
    Newest,
    /// This one, and whoever comes to its place.
    At(PathBuf),
    /// The one that started this screen: without it there is nothing to be drawn.
    Given(Option<Stream>),
}

/// The line to a program.
pub struct Line {
    source: Source,
    client: Option<Client>,
    searched: Option<Instant>,
    gone: Option<Instant>,
    looked: Instant,
    opened: Instant,
    generation: Option<u64>,
    heard: u64,
    before: Vec<[f32; 2]>,
    after: Vec<[f32; 2]>,
    /// Whether meters still fall.
    falls: bool,
    why: Option<String>,
    shown: Shown,
}

/// Commands whose control shows by itself that they were done: only a refusal of theirs is put into words. A drag
/// is many of them.
#[derive(Debug, Default)]
struct Shown(VecDeque<u64>);

impl Shown {
    /// Answers of more are not kept by any line.
    const MOST: usize = 256;

    fn sent(&mut self, command: &Command, sequence: u64) {
        if matches!(
            command,
            Command::Set { .. } | Command::Tempo { .. } | Command::Compare { .. }
        ) {
            if self.0.len() == Self::MOST {
                self.0.pop_front();
            }
            self.0.push_back(sequence);
        }
    }

    /// Whether an answer is to a command of these. Those before it have theirs.
    fn take(&mut self, sequence: u64) -> bool {
        while self.0.front().is_some_and(|sent| *sent < sequence) {
            self.0.pop_front();
        }
        self.0.front() == Some(&sequence)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pid = self.client.as_ref().map(Client::pid);
        f.debug_struct("Line")
            .field("source", &self.source)
            .field("pid", &pid)
            .finish()
    }
}

/// What a look at the program needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    /// Sound is drawn.
    pub sound: bool,
    /// Figures of health, if there are newer ones.
    pub health: bool,
    /// How fast spectra follow.
    pub averaging: Averaging,
}

impl Line {
    /// `[main]` A line that looks for its program.
    pub fn new(source: Source) -> Self {
        let now = Instant::now();
        Self {
            source,
            client: None,
            searched: None,
            gone: None,
            looked: now,
            opened: now,
            generation: None,
            heard: 0,
            before: Vec::with_capacity(FRAMES),
            after: Vec::with_capacity(FRAMES),
            falls: false,
            why: None,
            shown: Shown::default(),
        }
    }

    /// `[main]` A line that is attached already.
    pub fn of(client: Client, source: Source) -> Self {
        let mut line = Self::new(source);
        line.client = Some(client);
        line
    }

    /// `[main]` Whether the program that this screen belonged to has ended, and people have had time to
    /// read so.
    pub fn is_over(&self) -> bool {
        matches!(self.source, Source::Given(None))
            && self.client.is_none()
            && self.gone.is_none_or(|gone| gone.elapsed() > FAREWELL)
    }

    /// `[main]` Why nothing is attached, in words, once.
    pub fn take_refusal(&mut self) -> Option<String> {
        self.why.take()
    }

    /// `[main]` Brings `picture` up to date; says whether anything changed that can be seen.
    pub fn look(&mut self, picture: &mut Picture, hands: &mut Hands, wants: Wants) -> bool {
        let now = Instant::now();
        let secs = now.duration_since(self.looked).as_secs_f32();
        self.looked = now;
        picture.now_secs = now.duration_since(self.opened).as_secs_f64();
        let notes = picture.notes.len();
        let now_secs = picture.now_secs;
        picture.notes.retain(|note| note.until_secs >= now_secs);
        let mut changed = notes != picture.notes.len();
        if self.client.is_none() {
            changed |= self.search(picture, now);
        }
        let Some(client) = &mut self.client else {
            return changed;
        };
        client.beat();
        client.want_sound(wants.sound);
        let link = match client.state() {
            State::Playing => Link::Playing,
            State::NotCalled => Link::NotCalled,
            State::Stalled => Link::Stalled,
            State::Gone => Link::Gone,
        };
        if picture.link != link {
            picture.link = link;
            changed = true;
        }
        if link == Link::Gone {
            self.client = None;
            self.gone = Some(now);
            hands.drop_all();
            // What was seen is true no longer.
            *picture = Picture {
                link,
                now_secs: picture.now_secs,
                ..Picture::default()
            };
            return true;
        }
        let held = hands.is_holding();
        hands.settle(client.applied(), picture.now_secs);
        changed |= held;
        let wants_health = wants.health || picture.health.is_none();
        changed |= take_documents(client, picture, wants_health);
        let generation = client.values_generation();
        if self.generation != Some(generation) || changed {
            self.generation = Some(generation);
            changed |= take_values(client, picture);
        }
        match client.meters() {
            Some(span) => {
                picture.levels.take(&span.frame, secs);
                self.falls = true;
                changed = true;
            }
            None if self.falls && link != Link::Playing => {
                self.falls = picture.levels.fall(secs);
                changed |= self.falls;
            }
            None => {}
        }
        for reply in client.replies() {
            let is_shown = self.shown.take(reply.sequence);
            match reply.result {
                Ok(text) if text.is_empty() || is_shown => {}
                Ok(text) => picture.note(&text, false),
                Err(text) => picture.note(&text, true),
            }
            changed = true;
        }
        if wants.sound {
            changed |= self.hear(picture, wants, secs);
        }
        changed
    }

    fn search(&mut self, picture: &mut Picture, now: Instant) -> bool {
        if self
            .searched
            .is_some_and(|last| now.duration_since(last) < SEARCH)
        {
            return false;
        }
        self.searched = Some(now);
        let found = match &mut self.source {
            Source::Newest => Client::attach_to_newest(),
            Source::At(path) => Client::attach(path),
            Source::Given(stream) => match stream.take() {
                Some(stream) => Client::from_stream(stream),
                None => return false,
            },
        };
        match found {
            Ok(client) => {
                *picture = Picture {
                    pid: Some(client.pid()),
                    now_secs: picture.now_secs,
                    ..Picture::default()
                };
                self.client = Some(client);
                self.shown = Shown::default();
                self.generation = None;
                self.gone = None;
                self.why = None;
                true
            }
            Err(error) => {
                if matches!(self.source, Source::Given(_)) {
                    self.gone.get_or_insert(now);
                }
                self.why = Some(error.to_string());
                let was = picture.link;
                if was != Link::Gone {
                    picture.link = Link::Connecting;
                }
                was != picture.link
            }
        }
    }

    /// The newest sound, and what is heard of it; says whether there is any that is new.
    fn hear(&mut self, picture: &mut Picture, wants: Wants, secs: f32) -> bool {
        let Some(client) = &self.client else {
            return false;
        };
        let rate_hz = client.sample_rate_hz();
        client.sound(Tap::Before, FRAMES, &mut self.before);
        let end = client.sound(Tap::After, FRAMES, &mut self.after);
        let new = end.wrapping_sub(self.heard);
        self.heard = end;
        if new == 0 {
            return false;
        }
        // What was missed is not counted: loudness is of what this screen has heard.
        let new = (new.min(FRAMES as u64) as usize).min(self.after.len());
        if (8_000..=768_000).contains(&rate_hz) {
            let sound = &mut picture.sound;
            sound.measure(&self.after[self.after.len() - new..], rate_hz);
        }
        let (before, after) = (&self.before, &self.after);
        picture
            .sound
            .look(before, after, rate_hz, wants.averaging, secs);
        true
    }

    /// `[main]` Sends what the hands did; says in `picture` what could not be sent.
    pub fn send(&mut self, picture: &mut Picture, hands: &mut Hands) {
        let (client, shown) = (&mut self.client, &mut self.shown);
        let mut refusal = None;
        hands.send(|command| match client.as_mut()?.send(command) {
            Ok(sequence) => {
                shown.sent(command, sequence);
                Some(sequence)
            }
            Err(error) => {
                refusal = Some(error.to_string());
                None
            }
        });
        if let Some(refusal) = refusal {
            picture.note(&refusal, true);
        }
    }
}

fn take_documents(client: &mut Client, picture: &mut Picture, wants_health: bool) -> bool {
    fn renew<T>(seen: &mut Option<Arc<T>>, new: Option<Arc<T>>) -> bool {
        let Some(new) = new else {
            return false;
        };
        let same = seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, &new));
        *seen = Some(new);
        !same
    }
    let mut changed = false;
    if let Some(description) = client.description()
        && !Arc::ptr_eq(&description, &picture.description)
    {
        picture.description = description;
        changed = true;
    }
    if wants_health {
        changed |= renew(&mut picture.health, client.health());
    }
    changed | renew(&mut picture.memory, client.memory())
}

/// Values and curves of the modules that there are.
fn take_values(client: &Client, picture: &mut Picture) -> bool {
    let description = Arc::clone(&picture.description);
    let ends = description
        .modules
        .iter()
        .take(MAX_MODULES)
        .filter_map(|module| {
            let kind = description.kind_of(module)?;
            Some(module.param_value(kind.params.len()))
        });
    let count = ends.max().unwrap_or(0).min(MAX_VALUES);
    let values: Vec<_> = (0..count).map(|place| client.value(place)).collect();
    let modules = description.modules.len().min(MAX_MODULES);
    let curves: Vec<_> = (0..modules).map(|place| client.curve(place)).collect();
    let changed = values != picture.values || curves != picture.curves;
    picture.values = values;
    picture.curves = curves;
    changed
}
