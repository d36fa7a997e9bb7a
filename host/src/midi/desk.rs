//! The main thread's side of MIDI: presets by program, learning, saving, and what people are shown.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::Catalog;
use headroom_engine::ControlError;
use headroom_engine::Controller;
use headroom_engine::RackSpec;
use headroom_engine::preset;
use headroom_engine::preset::MidiBinding;
use headroom_engine::preset::MidiTarget;
use rtrb::Consumer;
use rtrb::Producer;

use super::feed::FeedEnds;
use super::heard::Heard;
use super::heard::MidiCounts;
use super::lane::LaneReceiver;
use super::learn::Learn;
use super::learn::target_text;
use super::map::Map;
use super::message::Message;
use super::ports::Wanted;
use super::setup::Setup;
use super::table::Table;
use super::watcher::Tidings;
use super::watcher::Watcher;
use crate::error::one_line;
use crate::presets;
use crate::presets::Found;
use crate::presets::Origin;

/// Between two presets that a finger on a button loads: the rack that left has faded by then, so that
/// none has to wait with all its memory.
const LOAD_PAUSE: Duration = Duration::from_millis(60);

/// What a key of the terminal asks of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeskKey {
    /// Begin or end learning.
    Learn,
    /// Save the rack as it sounds, and what moves it.
    Save,
    /// Choose another parameter.
    Up,
    Down,
    /// Choose another module.
    Left,
    Right,
    /// Let go of what is chosen.
    Unbind,
}

/// What a look at the desk has brought.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// For people, a line each.
    pub(crate) said: Vec<String>,
    /// A pedal has muted or unmuted.
    pub(crate) muted: Option<bool>,
    /// The name of the preset that plays from now on.
    pub(crate) preset: Option<String>,
}

/// What the panel shows of MIDI.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MidiLines {
    /// Ports and the newest message; `None` when MIDI is off.
    pub(crate) status: Option<String>,
    /// What is being learned.
    pub(crate) learn: Option<String>,
}

/// The desk. It is there without MIDI, too: racks are saved with it.
pub(crate) struct Desk {
    catalog: Catalog,
    origin: Origin,
    /// Those of the preset of now, as learned since.
    bindings: Vec<MidiBinding>,
    learn: Option<Learn>,
    said: Vec<String>,
    midi: Option<Midi>,
}

/// What there is of it while MIDI is on.
struct Midi {
    heard: std::sync::Arc<Heard>,
    map: Map,
    /// Ends with the session. Before the queues: it is what fills them.
    watcher: Option<Watcher>,
    ends: Ends,
    ports: Vec<String>,
    /// A program that was chosen and is not loaded yet: channel and number.
    program: Option<(u8, u8)>,
    /// When the newest preset was loaded.
    loaded: Option<Instant>,
    /// The table of the rack of now is still to be sent.
    table_due: bool,
}

/// What is left of the feed's queues when the watcher has the lanes'.
struct Ends {
    lanes_back: Consumer<Box<LaneReceiver>>,
    tables: Producer<Box<Table>>,
    tables_back: Consumer<Box<Table>>,
}

/// The ends that a session hands to its desk: the queues of the feed that the player has.
pub(crate) struct Wiring {
    pub(crate) setup: Setup,
    pub(crate) ends: FeedEnds,
}

/// `[main]` The table of what moves `controller`'s rack as it was opened.
pub(crate) fn first_table(setup: &Setup, controller: &Controller) -> Table {
    let own = controller.spec().midi.iter();
    Table::new(own.chain(&setup.map.bindings), controller)
}

impl Desk {
    /// `[main]` The desk of a session that plays what came from `origin`.
    pub(crate) fn new(origin: Origin, rack: &RackSpec, wiring: Option<Wiring>) -> Self {
        let mut desk = Self {
            catalog: Catalog::builtin(),
            origin,
            bindings: rack.midi.clone(),
            learn: None,
            said: Vec::new(),
            midi: None,
        };
        if let Some(Wiring { setup, ends }) = wiring {
            desk.listen(setup, ends);
        }
        desk
    }

    fn listen(&mut self, setup: Setup, ends: FeedEnds) {
        let FeedEnds {
            lanes,
            lanes_back,
            tables,
            tables_back,
        } = ends;
        if let Wanted::Named(port) = &setup.wanted {
            tracing::debug!("listening for the MIDI port {port}");
        }
        let watcher = Watcher::start(setup.wanted, &setup.heard, lanes);
        if let Err(error) = &watcher {
            self.said.push(format!("warning: no MIDI: {error}"));
        }
        self.midi = Some(Midi {
            heard: setup.heard,
            map: setup.map,
            watcher: watcher.ok(),
            ends: Ends {
                lanes_back,
                tables,
                tables_back,
            },
            ports: Vec::new(),
            program: None,
            loaded: None,
            table_due: false,
        });
    }

    /// `[main]` Whether messages may come at any time: the caller then looks more often.
    pub(crate) fn is_listening(&self) -> bool {
        self.midi.is_some()
    }

    /// `[main]` Whether a parameter is being learned: arrow keys are the desk's then.
    pub(crate) fn is_learning(&self) -> bool {
        self.learn.is_some()
    }

    /// `[main]` Looks at what has come in. Bounded: one preset is loaded at most, and none while
    /// nothing `plays` that would take it; the newest program waits.
    pub(crate) fn look(&mut self, controller: &mut Controller, plays: bool) -> News {
        let mut news = News::default();
        if let Some(midi) = &mut self.midi {
            midi.sweep();
            midi.tell(&mut self.said);
            news.muted = midi.heard.take_muted();
            midi.program = midi.heard.take_program().or(midi.program);
        }
        let due = |midi: &&Midi| {
            plays
                && midi
                    .loaded
                    .is_none_or(|loaded| loaded.elapsed() >= LOAD_PAUSE)
        };
        if let Some((channel, number)) =
            self.midi.as_ref().filter(due).and_then(|midi| midi.program)
        {
            news.preset = self.choose(channel, number, controller);
        }
        self.listen_for_touch(controller);
        self.send_table(controller);
        news.said = std::mem::take(&mut self.said);
        news
    }

    /// `[main]` Another rack plays, or the same one built anew: everything is looked up again.
    pub(crate) fn rack_changed(&mut self, controller: &Controller) {
        self.learn = self.learn.take().map(|_| Learn::new(controller.spec()));
        self.bindings_changed(controller);
    }

    /// `[main]` Another preset plays, and not because of MIDI.
    pub(crate) fn preset_changed(&mut self, preset: &Found, controller: &Controller) {
        self.origin = preset.origin.clone();
        self.bindings.clone_from(&preset.spec.midi);
        self.rack_changed(controller);
    }

    /// A program was chosen: its preset's name, once it plays.
    fn choose(&mut self, channel: u8, number: u8, controller: &mut Controller) -> Option<String> {
        let midi = self.midi.as_mut()?;
        let wanted = midi.map.preset(channel, number);
        let found = wanted.and_then(|name| {
            let found = presets::locate(Some(&name), &self.catalog);
            found
                .map(|found| (name, found))
                .map_err(|error| format!("program {}: {}", number + 1, one_line(&error)))
        });
        let (name, found) = match found {
            Ok(found) => found,
            Err(what) => {
                midi.program = None;
                self.said.push(format!("warning: {what}"));
                return None;
            }
        };
        match controller.load(&found.spec) {
            Ok(()) => {}
            // Next time; a newer program takes its place.
            Err(ControlError::Busy) => return None,
            Err(error) => {
                midi.program = None;
                let error = one_line(&error);
                self.said
                    .push(format!("warning: program {}: {error}", number + 1));
                return None;
            }
        }
        midi.program = None;
        midi.loaded = Some(Instant::now());
        self.said
            .push(format!("program {}: preset `{name}`", number + 1));
        self.preset_changed(&found, controller);
        Some(found.spec.name)
    }

    fn listen_for_touch(&mut self, controller: &Controller) {
        let (Some(midi), Some(learn)) = (&mut self.midi, &self.learn) else {
            return;
        };
        let Some(message) = midi.heard.take_touched() else {
            return;
        };
        match learn.bind(message, &mut self.bindings) {
            Ok(binding) => {
                let channel = binding.channel.unwrap_or(0);
                self.said.push(format!(
                    "{} on channel {channel} moves {} (s saves it)",
                    binding.source, binding.target
                ));
                self.bindings_changed(controller);
            }
            Err(what) => self.said.push(what),
        }
    }

    fn send_table(&mut self, controller: &Controller) {
        let Some(midi) = self.midi.as_mut().filter(|midi| midi.table_due) else {
            return;
        };
        if !midi.ends.tables.is_full() {
            let all = self.bindings.iter().chain(&midi.map.bindings);
            let table = Box::new(Table::new(all, controller));
            // Cannot fail: it has been asked whether there is room.
            let _has_room = midi.ends.tables.push(table);
            midi.table_due = false;
        }
    }

    /// `[main]` A key of the terminal; gives what there is to say.
    pub(crate) fn key(&mut self, key: DeskKey, controller: &Controller) -> Option<String> {
        if key == DeskKey::Save {
            return Some(self.save(controller));
        }
        if key == DeskKey::Learn {
            let Some(midi) = &mut self.midi else {
                return Some("MIDI is off: start with `--midi auto` to learn".to_owned());
            };
            // What was moved before does not count.
            let _before = midi.heard.take_touched();
            self.learn = match self.learn.take() {
                None => Some(Learn::new(controller.spec())),
                Some(_) => None,
            };
            return None;
        }
        let learn = self.learn.as_mut()?;
        match key {
            DeskKey::Up => learn.step(false),
            DeskKey::Down => learn.step(true),
            DeskKey::Left => learn.step_module(false),
            DeskKey::Right => learn.step_module(true),
            DeskKey::Unbind => {
                let target = learn.target().to_string();
                if !learn.unbind(&mut self.bindings) {
                    return Some(format!("nothing moves {target}"));
                }
                self.bindings_changed(controller);
                return Some(format!("nothing moves {target} any more (s saves it)"));
            }
            DeskKey::Learn | DeskKey::Save => {}
        }
        // Chosen anew: what was moved before does not count.
        if let Some(midi) = &self.midi {
            let _before = midi.heard.take_touched();
        }
        None
    }

    fn bindings_changed(&mut self, controller: &Controller) {
        if let Some(midi) = &mut self.midi {
            midi.table_due = true;
        }
        self.send_table(controller);
    }

    /// Saves the rack as it sounds, into the file it came from; a built-in one as a file of the
    /// user's own.
    fn save(&mut self, controller: &Controller) -> String {
        let mut rack = controller.current();
        rack.midi.clone_from(&self.bindings);
        let (path, saved) = match &self.origin {
            Origin::File(path) => {
                let saved = preset::update(path, &rack, &self.catalog);
                (path.clone(), saved.map_err(|error| one_line(&error)))
            }
            Origin::BuiltIn(name) => match presets::own_copy(name) {
                Ok(path) => {
                    let saved = preset::save(&path, &rack);
                    (path, saved.map_err(|error| one_line(&error)))
                }
                Err(error) => (PathBuf::from(name), Err(error)),
            },
        };
        match saved {
            Ok(()) => {
                let said = format!("saved: {}", path.display());
                self.origin = Origin::File(path);
                said
            }
            Err(error) => format!("warning: not saved: {error}"),
        }
    }

    /// `[main]` Saves the rack as it sounds under a name among the user's own presets; where it came from if
    /// there is none.
    pub(crate) fn save_as(
        &mut self,
        name: &str,
        controller: &Controller,
    ) -> Result<String, String> {
        if name.is_empty() {
            let said = self.save(controller);
            return match said.strip_prefix("warning: ") {
                Some(error) => Err(error.to_owned()),
                None => Ok(said),
            };
        }
        let path = presets::own_file(name)?;
        let mut rack = controller.current();
        name.clone_into(&mut rack.name);
        rack.midi.clone_from(&self.bindings);
        preset::save(&path, &rack).map_err(|error| format!("not saved: {}", one_line(&error)))?;
        let said = format!("saved: {}", path.display());
        self.origin = Origin::File(path);
        Ok(said)
    }

    /// `[main]` The name by which the preset is loaded again; empty where it came from some file.
    pub(crate) fn preset_name(&self) -> String {
        match &self.origin {
            Origin::BuiltIn(name) => (*name).to_owned(),
            Origin::File(path) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let own = presets::own_file(&stem);
                let is_own = own.is_ok_and(|own| own == *path);
                if is_own {
                    stem.into_owned()
                } else {
                    String::new()
                }
            }
        }
    }

    /// `[main]` What is listened to; `None` when MIDI is off.
    pub(crate) fn listening_to(&self) -> Option<String> {
        let midi = self.midi.as_ref()?;
        Some(midi.ports.join(", "))
    }

    /// `[main]` What is being learned, as commands write it.
    pub(crate) fn learning(&self) -> Option<String> {
        Some(target_text(self.learn.as_ref()?.target()))
    }

    /// `[main]` What moves what, in words.
    pub(crate) fn bindings(&self) -> Vec<(String, String)> {
        let words = |binding: &MidiBinding| {
            let channel = match binding.channel {
                Some(channel) => format!(" on channel {channel}"),
                None => String::new(),
            };
            (
                target_text(&binding.target),
                format!("{}{channel}", binding.source),
            )
        };
        self.bindings.iter().map(words).collect()
    }

    /// `[main]` Learns what moves `target`, or gives up learning.
    pub(crate) fn learn(
        &mut self,
        target: Option<&str>,
        controller: &Controller,
    ) -> Result<String, String> {
        let Some(target) = target else {
            self.learn = None;
            return Ok("learning is over".to_owned());
        };
        let midi = self
            .midi
            .as_ref()
            .ok_or("MIDI is off: start with `--midi auto` to learn")?;
        // What was moved before does not count.
        let _before = midi.heard.take_touched();
        let mut learn = Learn::new(controller.spec());
        if !learn.choose(target) {
            return Err(format!("`{target}` cannot be moved by a controller"));
        }
        self.learn = Some(learn);
        Ok(format!("move a controller: it will move {target}"))
    }

    /// `[main]` Lets go of what moves `target`.
    pub(crate) fn forget(
        &mut self,
        target: &str,
        controller: &Controller,
    ) -> Result<String, String> {
        let count = self.bindings.len();
        self.bindings
            .retain(|binding| target_text(&binding.target) != target);
        if self.bindings.len() == count {
            return Err(format!("nothing moves {target}"));
        }
        self.bindings_changed(controller);
        Ok(format!("nothing moves {target} any more (saving keeps it)"))
    }

    /// `[main]` What the panel shows.
    pub(crate) fn lines(&self, controller: &Controller) -> MidiLines {
        let Some(midi) = &self.midi else {
            return MidiLines::default();
        };
        let rack = controller.current();
        let ports = match &midi.ports[..] {
            [] => "waiting for a port".to_owned(),
            ports => ports.join(", "),
        };
        let newest = midi.heard.newest().map(|message| {
            let moved = self
                .bindings
                .iter()
                .filter(|binding| is_for(binding, message));
            let moved: Vec<_> = moved
                .map(|binding| value_of(&binding.target, &rack))
                .collect();
            match &moved[..] {
                [] => format!("  {message}"),
                moved => format!("  {message} > {}", moved.join(", ")),
            }
        });
        let learn = self.learn.as_ref().map(|learn| {
            let (place, count) = learn.place();
            let bound = match learn.bound(&self.bindings) {
                Some(binding) => format!("{}", binding.source),
                None => "move a controller".to_owned(),
            };
            format!(
                "{}  [{bound}]  {place}/{count}",
                value_of(learn.target(), &rack)
            )
        });
        MidiLines {
            status: Some(format!("{ports}{}", newest.unwrap_or_default())),
            learn,
        }
    }

    /// `[main]` The report's figures; `None` when MIDI is off.
    pub(crate) fn counts(&self) -> Option<MidiCounts> {
        self.midi.as_ref().map(|midi| midi.heard.counts())
    }
}

impl Midi {
    /// Drops what the audio thread is done with.
    fn sweep(&mut self) {
        while self.ends.lanes_back.pop().is_ok() {}
        while self.ends.tables_back.pop().is_ok() {}
    }

    fn tell(&mut self, said: &mut Vec<String>) {
        let Some(watcher) = &self.watcher else { return };
        for tidings in watcher.tidings() {
            match tidings {
                Tidings::Connected(port) => {
                    said.push(format!("listening to the MIDI port `{port}`"));
                    self.ports.push(port);
                }
                Tidings::Back(port) => {
                    said.push(format!("the MIDI port `{port}` is back"));
                    self.ports.push(port);
                }
                Tidings::Lost(port) => {
                    said.push(format!(
                        "warning: the MIDI port `{port}` went away: waiting for it"
                    ));
                    self.ports.retain(|known| *known != port);
                }
                Tidings::Refused { port, reason } => {
                    said.push(format!("warning: the MIDI port `{port}` refuses: {reason}"));
                }
            }
        }
    }
}

fn is_for(binding: &MidiBinding, message: Message) -> bool {
    use headroom_engine::preset::MidiSource;
    let (channel, is_it) = match (message, binding.source) {
        (
            Message::Controller {
                channel, number, ..
            },
            MidiSource::Controller(bound),
        ) => (channel, number == bound),
        (
            Message::Controller {
                channel, number, ..
            },
            MidiSource::FineController(bound),
        ) => (channel, number == bound || number == bound + 32),
        (
            Message::Note {
                channel, number, ..
            },
            MidiSource::Note(bound),
        ) => (channel, number == bound),
        _ => return false,
    };
    is_it && binding.channel.is_none_or(|bound| bound == channel + 1)
}

/// What is moved, and where it stands.
fn value_of(target: &MidiTarget, rack: &RackSpec) -> String {
    let module = |id: &str| rack.modules.iter().find(|module| module.id == id);
    let value = match target {
        MidiTarget::Param {
            module: id, param, ..
        } => module(id).and_then(|module| {
            let index = module.kind.param_index(param)?;
            Some(module.kind.params[index].format(module.values[index]))
        }),
        MidiTarget::Mix { module: id } => {
            module(id).map(|module| format!("{:.0} %", module.mix * 100.0))
        }
        MidiTarget::Bypass { module: id } => {
            module(id).map(|module| if module.bypass { "on" } else { "off" }.to_owned())
        }
        MidiTarget::Mute | MidiTarget::Panic => None,
    };
    match value {
        Some(value) => format!("{target} {value}"),
        None => target.to_string(),
    }
}
