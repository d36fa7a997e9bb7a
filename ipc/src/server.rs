//! The audio process's end: makes the segment, lets clients in, takes their commands, shows the board.
//!
//! There is no thread here. Housekeeping calls [`Server::look`] a few dozen times a second; each call does a
//! bounded amount of work, whatever clients do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use thiserror::Error;

use crate::board::{Curve, Description, HealthInfo, MemoryInfo, MemoryPart};
use crate::cells::text_to_words;
use crate::commands::{Command, CommandReceiver};
use crate::handover;
use crate::publisher::{Gate, Publisher, Publishers};
use crate::region::{
    CURVE_WORDS, CommandRegion, MAX_CLIENTS, MAX_POINTS, MAX_VALUES, REPLIES, REPLY_WORDS, Region,
    VALUE_TEXT_BYTES, VALUE_WORDS,
};
use crate::runtime::{self, RuntimeError};
use crate::segment::{Access, Backing, Segment, SegmentError};
use crate::sheet::Sheet;
use crate::stream::{self, Heard, Listener, Stream};

/// Commands that are taken from one client in one look.
const COMMANDS_A_LOOK: usize = 64;
/// Clients that are let in in one look.
const ADMISSIONS_A_LOOK: usize = 4;

/// Why there is nothing to attach to. Sound does not need it.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The memory.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The folder.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The socket.
    #[error("the socket {path}: {error}")]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

/// The audio process's end of all that is shared.
pub struct Server {
    region: Segment<Region>,
    backing: Backing,
    gate: Arc<Gate>,
    door: Option<Door>,
    clients: [Option<Attached>; MAX_CLIENTS],
    /// For each place, how many have had it: an answer for one that has left is for nobody.
    turns: [u64; MAX_CLIENTS],
    described: Pages,
    healthy: Pages,
    mapped: Pages,
    values: Vec<(u32, [u8; VALUE_TEXT_BYTES])>,
    curves: Vec<Option<Curve>>,
    locked: bool,
}

/// Where clients come in.
struct Door {
    listener: Listener,
    path: PathBuf,
}

impl Drop for Door {
    fn drop(&mut self) {
        // Swept away by somebody: as good.
        let _gone = std::fs::remove_file(&self.path);
        // The folder goes with the last one in it.
        if let Some(folder) = self.path.parent() {
            let _others_are_in_it = std::fs::remove_dir(folder);
        }
    }
}

struct Attached {
    stream: Stream,
    commands: CommandReceiver,
}

/// What a sheet shows.
#[derive(Default)]
struct Pages {
    generation: u64,
    shown: Vec<u8>,
}

impl Pages {
    /// Shows it, unless it is what is shown; false when it is too long.
    fn show<const WORDS: usize>(&mut self, sheet: &Sheet<WORDS>, what: &impl Serialize) -> bool {
        let Ok(text) = postcard::to_stdvec(what) else {
            return false;
        };
        if text == self.shown {
            return true;
        }
        if !sheet.write(self.generation + 1, &text) {
            return false;
        }
        self.generation += 1;
        self.shown = text;
        true
    }
}

/// A command that came in, and from whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// What is to be done.
    pub command: Command,
    /// Its number, as the client knows it.
    pub sequence: u64,
    place: usize,
    turn: u64,
}

/// A client that was let in by [`Server::admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    place: usize,
    turn: u64,
}

/// What a look has brought.
#[derive(Debug, Default, PartialEq)]
pub struct Look {
    /// Commands in the order in which each client sent them.
    pub commands: Vec<Incoming>,
    /// Clients that have come.
    pub arrived: usize,
    /// Clients that have gone.
    pub left: usize,
}

impl Server {
    /// `[main]` Makes the segment and shows it to this user's programs; what dead programs have left is
    /// swept.
    ///
    /// # Errors
    ///
    /// The system refuses memory, folder or socket.
    pub fn open(backing: Backing) -> Result<Self, ServeError> {
        let mut server = Self::closed(backing)?;
        let folder = runtime::folder()?;
        runtime::sweep(&folder);
        let path = runtime::own_socket(&folder);
        let socket = |error| ServeError::Socket {
            path: path.clone(),
            error,
        };
        let bind = || Listener::bind(&path);
        // Whoever was the last in the folder may just have taken it away.
        let listener = match bind() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                runtime::folder()?;
                bind()
            }
            bound => bound,
        };
        let listener = listener.map_err(socket)?;
        server.door = Some(Door { listener, path });
        Ok(server)
    }

    /// `[main]` The same without a door: only who is let in by [`Self::admit`] gets in.
    ///
    /// # Errors
    ///
    /// The system refuses the memory.
    pub fn closed(backing: Backing) -> Result<Self, ServeError> {
        let region: Segment<Region> = Segment::make(backing, Access::Maker)?;
        let locked = region.lock(std::mem::offset_of!(Region, description));
        region.announce();
        Ok(Self {
            region,
            backing,
            gate: Arc::default(),
            door: None,
            clients: Default::default(),
            turns: [0; MAX_CLIENTS],
            described: Pages::default(),
            healthy: Pages::default(),
            mapped: Pages::default(),
            values: Vec::new(),
            curves: Vec::new(),
            locked,
        })
    }

    /// `[main]` Where it can be attached to.
    pub fn path(&self) -> Option<&Path> {
        self.door.as_ref().map(|door| door.path.as_path())
    }

    /// `[main]` The audio thread's end; `None` while there is one.
    pub fn publisher(&self) -> Option<Publisher> {
        self.publishers().take()
    }

    /// `[main]` Where it comes from.
    pub fn publishers(&self) -> Publishers {
        Publishers {
            region: self.region.clone(),
            gate: Arc::clone(&self.gate),
        }
    }

    /// `[main]` Lets a client in whose end of a socket pair somebody else has, such as a screen that was
    /// started with it.
    ///
    /// # Errors
    ///
    /// There is no place left, or the system refuses.
    pub fn admit(&mut self, stream: Stream) -> Result<Guest, ServeError> {
        let path = || PathBuf::from("a socket pair");
        let full = || ServeError::Socket {
            path: path(),
            error: io::ErrorKind::QuotaExceeded.into(),
        };
        let place = self.clients.iter().position(Option::is_none);
        let place = place.ok_or_else(full)?;
        let region: Segment<CommandRegion> = Segment::make(self.backing, Access::Both)?;
        region.announce();
        // Before it is let in: it reads where the answers stand as soon as it can.
        let line = &self.region.clients[place];
        line.applied.store(0, Ordering::Relaxed);
        line.replied.store(0, Ordering::Relaxed);
        handover::give(&stream, &self.region, &region, place).map_err(|error| {
            ServeError::Socket {
                path: path(),
                error,
            }
        })?;
        self.turns[place] += 1;
        self.clients[place] = Some(Attached {
            stream,
            commands: CommandReceiver::new(region),
        });
        self.count();
        let turn = self.turns[place];
        Ok(Guest { place, turn })
    }

    /// `[main]` How often this client has shown that it looks ([`crate::Client::beat`]); `None` when it has
    /// left. What it says is believed for nothing but whether it lives.
    pub fn beats(&self, guest: Guest) -> Option<u32> {
        let client = self.clients[guest.place].as_ref();
        let client = client.filter(|_| self.turns[guest.place] == guest.turn);
        client.map(|client| client.commands.beats())
    }

    /// `[main]` Clients that are attached.
    pub fn clients(&self) -> usize {
        self.clients.iter().flatten().count()
    }

    /// `[main]` Whether anybody wants to see or hear something.
    pub fn is_watched(&self) -> bool {
        self.clients() > 0
    }

    /// `[main]` Lets in who is at the door, notices who has left, and takes the commands that have come.
    pub fn look(&mut self) -> Look {
        let mut news = Look::default();
        for _ in 0..ADMISSIONS_A_LOOK {
            let Some(door) = &mut self.door else { break };
            let Some(stream) = door.listener.accept() else {
                break;
            };
            // A stranger, or one too many: the socket is closed, and that is the answer.
            if stream::is_ours(&stream) && self.admit(stream).is_ok() {
                news.arrived += 1;
            }
        }
        for (place, client) in self.clients.iter_mut().enumerate() {
            let Some(attached) = client else { continue };
            let turn = self.turns[place];
            for _ in 0..COMMANDS_A_LOOK {
                match attached.commands.receive() {
                    None => break,
                    Some((sequence, Ok(command))) => news.commands.push(Incoming {
                        command,
                        sequence,
                        place,
                        turn,
                    }),
                    Some((sequence, Err(error))) => {
                        self.region
                            .pulse
                            .bad_commands
                            .fetch_add(1, Ordering::Relaxed);
                        answer(&self.region, place, sequence, Err(error.to_string()));
                    }
                }
            }
            // Behind the commands: what was sent before the end counts.
            if stream::look(&attached.stream) == Heard::Closed {
                *client = None;
                news.left += 1;
            }
        }
        self.count();
        news
    }

    /// Tells the audio thread who looks.
    fn count(&self) {
        let attached = || self.clients.iter().flatten();
        let listeners = attached().filter(|client| client.commands.wants_sound());
        let (watchers, listeners) = (attached().count(), listeners.count());
        self.gate.watchers.store(watchers as u32, Ordering::Relaxed);
        self.gate
            .listeners
            .store(listeners as u32, Ordering::Relaxed);
    }

    /// `[main]` Says what became of a command: a few words for people. The board already shows it.
    pub fn reply(&mut self, incoming: &Incoming, result: Result<String, String>) {
        if self.turns[incoming.place] == incoming.turn {
            answer(&self.region, incoming.place, incoming.sequence, result);
        }
    }

    /// `[main]` Commands that made no sense.
    pub fn bad_commands(&self) -> u64 {
        self.region.pulse.bad_commands.load(Ordering::Relaxed)
    }

    /// `[main]` Somebody is at home; `calling` is whether the device or the host calls the audio thread.
    pub fn beat(&self, calling: bool) {
        let pulse = &self.region.pulse;
        pulse.calling.store(u32::from(calling), Ordering::Relaxed);
        pulse.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// `[main]` Shows the rack; false when it is too large for the board, which then stays as it was.
    pub fn describe(&mut self, description: &Description) -> bool {
        self.described.show(&self.region.description, description)
    }

    /// `[main]` Shows the health.
    pub fn show_health(&mut self, health: &HealthInfo) -> bool {
        self.healthy.show(&self.region.health, health)
    }

    /// `[main]` Shows where the memory is.
    pub fn show_memory(&mut self, memory: &MemoryInfo) -> bool {
        self.mapped.show(&self.region.memory, memory)
    }

    /// `[main]` Shows a value and its text, cut to 24 bytes; nothing is written where it is shown already.
    pub fn set_value(&mut self, place: usize, value: f32, text: &str) {
        if place >= MAX_VALUES {
            return;
        }
        let mut cut = [0; VALUE_TEXT_BYTES];
        let end = text.floor_char_boundary(VALUE_TEXT_BYTES);
        cut[..end].copy_from_slice(&text.as_bytes()[..end]);
        let now = (value.to_bits(), cut);
        if place >= self.values.len() {
            // What no float has been: the first value is always written.
            self.values
                .resize(place + 1, (u32::MAX, [0xff; VALUE_TEXT_BYTES]));
        }
        if self.values[place] == now {
            return;
        }
        self.values[place] = now;
        let mut words = [0; VALUE_WORDS];
        words[0] = now.0;
        words[1..].copy_from_slice(&text_to_words::<{ VALUE_WORDS - 1 }>(text));
        self.region.values[place].write(&words);
        self.turn_values();
    }

    /// `[main]` Shows the curve of the module at a place of the rack.
    pub fn set_curve(&mut self, place: usize, curve: Option<&Curve>) {
        let Some(cell) = self.region.curves.get(place) else {
            return;
        };
        if place >= self.curves.len() {
            self.curves.resize(place + 1, None);
        } else if self.curves[place].as_ref() == curve {
            return;
        }
        self.curves[place] = curve.cloned();
        let mut words = [0; CURVE_WORDS];
        if let Some(curve) = curve {
            let count = curve.points.len().min(MAX_POINTS);
            words[0] = count as u32;
            words[1] = u32::from(curve.stems);
            for (at, (axis, from, to)) in [(2, curve.x), (5, curve.y)] {
                words[at] = axis.code();
                words[at + 1] = from.to_bits();
                words[at + 2] = to.to_bits();
            }
            for (at, (x, y)) in curve.points.iter().take(count).enumerate() {
                words[8 + 2 * at] = x.to_bits();
                words[9 + 2 * at] = y.to_bits();
            }
        }
        cell.write(&words);
        self.turn_values();
    }

    fn turn_values(&self) {
        // Release: who sees the number finds the values.
        self.region
            .pulse
            .values_generation
            .fetch_add(1, Ordering::Release);
    }

    /// `[main]` Where the segment is, how large it is, and whether what the audio thread writes is locked.
    pub fn memory(&self) -> (usize, usize, bool) {
        (self.region.address(), size_of::<Region>(), self.locked)
    }

    /// `[main]` The segment's own line in the memory map.
    pub fn memory_part(&self) -> MemoryPart {
        let (address, bytes, locked) = self.memory();
        MemoryPart {
            owner: "screen".to_owned(),
            name: "meters, sound and board".to_owned(),
            sort: "segment".to_owned(),
            inside: false,
            address: address as u64,
            bytes: bytes as u64,
            // Every page is touched when the segment is made, and shared.
            pages: u8::from(locked) | 0b1100,
        }
    }
}

/// Puts an answer into a client's line.
fn answer(region: &Region, place: usize, sequence: u64, result: Result<String, String>) {
    let line = &region.clients[place];
    let (is_done, text) = match &result {
        Ok(text) => (1, text),
        Err(text) => (0, text),
    };
    let mut words = [0; REPLY_WORDS];
    words[0] = sequence as u32;
    words[1] = (sequence >> 32) as u32;
    words[2] = is_done;
    words[3..].copy_from_slice(&text_to_words::<{ REPLY_WORDS - 3 }>(text));
    let replied = line.replied.load(Ordering::Relaxed);
    line.replies[(replied % REPLIES as u64) as usize].write(&words);
    // Release: who sees the number finds the answer; who sees the command applied finds the board.
    line.replied
        .store(replied.wrapping_add(1), Ordering::Release);
    line.applied.store(sequence, Ordering::Release);
}
