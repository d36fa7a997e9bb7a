//! An engine that does not exist, behind a real segment: it describes a rack, takes commands, plays.

use crate::{curves, music, rack, thread};
use headroom_ipc::board::{KindInfo, ModuleInfo};
use headroom_ipc::{Command, Description, Lane, MeterFrame, Publisher, Server};

/// The engine.
#[derive(Debug)]
pub struct Engine {
    /// The segment's end.
    pub server: ServerBox,
    /// What it describes.
    pub description: Description,
    /// Its values.
    pub values: Vec<f32>,
    /// Everything that was commanded, oldest first.
    pub commands: Vec<Command>,
    frame: u64,
}

/// The server, which does not show what is in it.
pub struct ServerBox(pub Server);

impl std::fmt::Debug for ServerBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Engine {
    /// An engine with these kinds in its rack.
    pub fn new(server: Server, modules: &[u16]) -> Self {
        let description = rack::description(modules);
        let values = rack::values(&description);
        let mut engine = Self {
            server: ServerBox(server),
            description,
            values,
            commands: Vec::new(),
            frame: 0,
        };
        engine.show();
        engine.server.0.show_health(&thread::health());
        let memory = thread::memory(&engine.description);
        engine.server.0.show_memory(&memory);
        engine
    }

    /// Shows the description, all values and curves.
    pub fn show(&mut self) {
        let server = &mut self.server.0;
        server.describe(&self.description);
        for place in 0..self.values.len() {
            server.set_value(place, self.values[place], "");
        }
        for place in 0..self.description.modules.len() {
            let curve = curves::curve(&self.description, &self.values, place);
            server.set_curve(place, curve.as_ref());
        }
        server.beat(true);
    }

    /// Takes the commands that came, and does what can be done with them.
    pub fn obey(&mut self) {
        self.server.0.beat(true);
        let look = self.server.0.look();
        for incoming in &look.commands {
            let command = incoming.command.clone();
            let result = self.take(&command);
            if !matches!(
                command,
                Command::Set { .. }
                    | Command::Begin { .. }
                    | Command::End { .. }
                    | Command::Tempo { .. }
            ) {
                self.show();
            }
            self.server.0.reply(incoming, result);
            self.commands.push(command);
        }
        if !look.commands.is_empty() {
            self.show();
        }
    }

    fn take(&mut self, command: &Command) -> Result<String, String> {
        let description = &mut self.description;
        match command {
            Command::Set { target, value } => {
                let place = place(description, target).ok_or("no such parameter")?;
                self.values[place] = *value;
                // In words, as the program says it to whoever has no screen.
                return Ok(format!("{target} {value}"));
            }
            Command::Begin { .. } | Command::End { .. } => return Ok(String::new()),
            Command::Tempo { bpm } => {
                description.tempo_bpm = *bpm;
                return Ok(format!("tempo {bpm}"));
            }
            Command::Panic { on } => description.panic = *on,
            Command::Mute { on } => description.muted = *on,
            Command::Record { on } => description.recording = *on,
            Command::Compare { slot } => description.compared = *slot,
            Command::Delta { module, on } => description.delta = on.then(|| module.clone()),
            Command::Learn { target, on } => description.learning = on.then(|| target.clone()),
            Command::Move { module, index } => {
                let (from, _) = description.module(module).ok_or("no such module")?;
                let moved = description.modules.remove(from);
                let index = usize::from(*index).min(description.modules.len());
                description.modules.insert(index, moved);
            }
            Command::Remove { module } => {
                description.modules.retain(|other| other.id != *module);
            }
            Command::Insert { kind, index } => self.insert(kind, usize::from(*index))?,
            Command::Preset { name } => description.preset.clone_from(name),
            _ => return Err("this engine only pretends".to_owned()),
        }
        Ok("Done".to_owned())
    }

    fn insert(&mut self, kind: &str, index: usize) -> Result<(), String> {
        let description = &mut self.description;
        let place = description.kinds.iter().position(|known| known.id == kind);
        let place = place.ok_or("no such kind")?;
        let info: &KindInfo = &description.kinds[place];
        let first_value = self.values.len() as u16;
        self.values.extend([0.0, 1.0]);
        self.values
            .extend(info.params.iter().map(|param| param.default));
        let module = ModuleInfo {
            id: format!("{kind}-{first_value}"),
            kind: place as u16,
            lane: description.modules.len() as u8,
            first_value,
            latency_frames: 0,
        };
        let index = index.min(description.modules.len());
        description.modules.insert(index, module);
        Ok(())
    }

    /// Plays `count` frames into the meters and the sound rings.
    pub fn play(&mut self, publisher: &mut Publisher, count: usize) {
        let before = music::frames(self.frame, count);
        let after = music::after(&before);
        self.frame += count as u64;
        let channel = |frames: &[[f32; 2]], index: usize| -> Vec<f32> {
            frames.iter().map(|frame| frame[index]).collect()
        };
        publisher.before(&channel(&before, 0), &channel(&before, 1));
        publisher.after(&channel(&after, 0), &channel(&after, 1));
        let metered = metered(self.frame, &after, self.description.modules.len());
        publisher.publish(self.frame, |frame| *frame = metered);
    }
}

fn place(description: &Description, target: &str) -> Option<usize> {
    let (module, param) = target.split_once('.')?;
    let (_, module) = description.module(module)?;
    let kind = description.kind_of(module)?;
    match param {
        "bypass" => Some(module.bypass_value()),
        "mix" => Some(module.mix_value()),
        _ => {
            let index = kind.params.iter().position(|known| known.id == param)?;
            Some(module.param_value(index))
        }
    }
}

/// The levels of `frames`, and of `lanes` modules before them.
pub fn metered(to: u64, frames: &[[f32; 2]], lanes: usize) -> MeterFrame {
    let mut lane = Lane::default();
    for frame in frames {
        for (channel, sample) in frame.iter().enumerate() {
            lane.peak[channel] = lane.peak[channel].max(sample.abs());
            lane.mean_square[channel] += sample * sample / frames.len().max(1) as f32;
        }
    }
    let lanes = lanes.min(headroom_ipc::MAX_LANES);
    let reduction_db = (lane.peak[0].max(1e-3).log10() * 20.0 + 14.0).clamp(0.0, 12.0);
    let at = |index: usize| {
        let scale = 1.15 - 0.1 * index as f32;
        Lane {
            peak: lane.peak.map(|peak| peak * scale),
            mean_square: lane.mean_square.map(|square| square * scale * scale),
            reduction_db: if index == 1 { reduction_db } else { 0.0 },
        }
    };
    MeterFrame {
        to,
        master: lane,
        present: if lanes == 64 {
            u64::MAX
        } else {
            (1 << lanes) - 1
        },
        lanes: std::array::from_fn(|index| {
            if index < lanes {
                at(index)
            } else {
                Lane::default()
            }
        }),
    }
}
