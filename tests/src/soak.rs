//! The soak: hours of audio, faster than real time, while everything that people and controllers do
//! is done at random; memory is looked at when all is quiet.

use std::time::{Duration, Instant};

use headroom_engine::{
    Catalog, Change, ControlError, Controller, Event, Health, Kind, RackSpec, Stream,
};

use crate::measure::resident_bytes;
use crate::rig::{Rig, lively, rack};
use crate::signal::{Random, noise};

const RATE_HZ: u32 = 48_000;
/// The largest block, as of a host that renders offline.
const BLOCK_FRAMES: usize = 512;
/// The most modules of a rack: a fourth part of what is usual, so that a day passes in minutes.
const MODULES: usize = 3;
/// Looks at memory, over the whole run. The first fourth of them is warm-up.
const LOOKS: usize = 48;
/// How long the collector may take to give back what was retired.
const PATIENCE: Duration = Duration::from_secs(20);
/// A collector that has dropped nothing for so long has nothing left: twice and a half its usual tick.
const COLLECTOR_IS_IDLE: Duration = Duration::from_millis(25);
/// What resident memory may grow by over the whole run: the slack of an allocator's own lists.
pub const GROWTH_BYTES: f64 = 128.0 * 1_024.0;

/// What to do.
#[derive(Debug, Clone)]
pub struct Soak {
    /// Hours of audio.
    pub hours: f64,
    /// Another one does other things.
    pub seed: u64,
    /// What racks are made of.
    pub kinds: Vec<&'static Kind>,
}

impl Soak {
    /// So many hours of the modules that cost least: everything around a module is what is soaked.
    pub fn of_hours(hours: f64) -> Self {
        let catalog = Catalog::builtin();
        let kinds = ["gain", "filter", "delay"];
        Self {
            hours,
            seed: 1,
            kinds: kinds.map(|id| catalog.find(id).expect("built in")).to_vec(),
        }
    }
}

/// Memory at one moment, when nothing rings and nothing waits.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Seconds of audio since the start.
    pub audio_secs: f64,
    /// Resident memory of the process.
    pub resident_bytes: usize,
    /// Audio memory that is not the rack's and not yet given back.
    pub retired_bytes: usize,
}

/// What was done, and what was seen.
#[derive(Debug, Clone, Default)]
pub struct Soaked {
    /// Memory, look by look.
    pub looks: Vec<Look>,
    /// Edits that were taken.
    pub edits: u64,
    /// Preset changes that were taken.
    pub presets: u64,
    /// Parameters moved, by the controller and by events.
    pub moves: u64,
    /// Panic button, pressed and released.
    pub panics: u64,
    /// Times the queue was full and the caller was told.
    pub busy: u64,
    /// Blocks that put out something that is no number.
    pub not_finite_blocks: u64,
    /// The engine's own counters.
    pub health: Option<Health>,
}

impl Soaked {
    /// What resident memory grew by between warm-up and end: the slope of the straight line through
    /// all looks, times their time.
    pub fn growth_bytes(&self) -> f64 {
        let looks = &self.looks[self.looks.len() / 4..];
        let count = looks.len() as f64;
        let mean = |of: fn(&Look) -> f64| looks.iter().map(of).sum::<f64>() / count;
        let (at, bytes) = (mean(|l| l.audio_secs), mean(|l| l.resident_bytes as f64));
        let (mut both, mut square) = (0.0, 0.0);
        for look in looks {
            let off = look.audio_secs - at;
            both += off * (look.resident_bytes as f64 - bytes);
            square += off * off;
        }
        let span = looks[looks.len() - 1].audio_secs - looks[0].audio_secs;
        both / square * span
    }

    /// All that is wrong, a line each.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |wrong: bool, what: String| {
            if wrong {
                faults.push(what);
            }
        };
        let growth = self.growth_bytes();
        fault(
            growth.abs() > GROWTH_BYTES,
            format!("resident memory grew by {growth:.0} bytes: at most {GROWTH_BYTES}"),
        );
        for look in &self.looks {
            fault(
                look.retired_bytes > 0,
                format!(
                    "{} retired bytes were never given back, at {:.0} s",
                    look.retired_bytes, look.audio_secs
                ),
            );
        }
        let blocks = self.not_finite_blocks;
        fault(blocks > 0, format!("{blocks} blocks were no numbers"));
        match &self.health {
            None => fault(true, "it did not run to its end".to_owned()),
            Some(health) => {
                let counts = [
                    ("allocations", health.allocations),
                    ("deallocations", health.deallocations),
                    ("muted chunks", health.muted_chunks),
                    ("modules that panicked", health.panics),
                ];
                for (what, count) in counts {
                    fault(count > 0, format!("{count} {what} on the audio thread"));
                }
            }
        }
        faults
    }
}

/// Runs it. Allocations on the audio thread end a program whose allocator is `AllocDisabler`.
pub fn run(soak: &Soak, mut seen: impl FnMut(&Look)) -> Soaked {
    let stream = Stream::new(RATE_HZ, BLOCK_FRAMES, 2).expect("a stream like any");
    let mut random = Random::new(soak.seed);
    let mut rig = Rig::new(stream, &any_rack(soak, &mut random));
    let mut sound = Sound::new();
    let mut soaked = Soaked::default();
    let frames = (soak.hours * 3_600.0 * f64::from(RATE_HZ)) as u64;
    for look in 1..=LOOKS as u64 {
        let until = frames * look / LOOKS as u64;
        while sound.frames < until {
            act(soak, &mut random, &mut rig, &mut soaked);
            // Now and then a storm: each block has its events and its changes.
            let storm = random.below(16) == 0;
            for _ in 0..4 + random.below(48) {
                if storm {
                    soaked.moves += changes(&mut random, &mut rig.controller, &mut soaked.busy);
                }
                let events = if storm { 24 } else { random.below(2) };
                soaked.moves += events as u64;
                if !sound.block(&mut rig, &mut random, events) {
                    soaked.not_finite_blocks += 1;
                }
            }
            rig.controller.reports();
        }
        let now = quiet(&mut rig, &mut sound, &mut random);
        seen(&now);
        soaked.looks.push(now);
    }
    soaked.health = Some(rig.controller.health());
    soaked
}

/// One thing that people do.
fn act(soak: &Soak, random: &mut Random, rig: &mut Rig, soaked: &mut Soaked) {
    let controller = &mut rig.controller;
    let result = match random.below(20) {
        0 => {
            let done = controller.load(&any_rack(soak, random));
            soaked.presets += u64::from(done.is_ok());
            done
        }
        1..=8 => {
            let done = controller.edit(&any_rack(soak, random));
            soaked.edits += u64::from(done.is_ok());
            done
        }
        9 => {
            let button = controller.panic_button();
            if button.is_pressed() {
                button.release();
            } else {
                button.press();
                soaked.panics += 1;
            }
            Ok(())
        }
        10 => controller.mute(random.below(4) == 0),
        11 => controller.reset(),
        12 => {
            let spec = controller.current();
            match spec.modules.first() {
                Some(module) => controller.set_bypass(&module.id, random.below(2) == 0),
                None => Ok(()),
            }
        }
        _ => {
            soaked.moves += changes(random, controller, &mut soaked.busy);
            Ok(())
        }
    };
    match result {
        Ok(()) => {}
        Err(ControlError::Busy) => soaked.busy += 1,
        Err(error) => panic!("{error}"),
    }
}

/// Moves every parameter that takes no rebuilding somewhere; how many were.
fn changes(random: &mut Random, controller: &mut Controller, busy: &mut u64) -> u64 {
    let mut done = 0;
    for module in controller.spec().modules.clone() {
        for param in module.kind.params.iter().filter(|param| !param.structural) {
            let value = param.denormalize(random.unit());
            match controller.set_param(&module.id, param.id, value) {
                Ok(()) => done += 1,
                Err(ControlError::Busy) => *busy += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    done
}

fn any_rack(soak: &Soak, random: &mut Random) -> RackSpec {
    let count = random.below(MODULES + 1);
    rack((0..count).map(|place| {
        let kind = soak.kinds[random.below(soak.kinds.len())];
        // Ids from a small set, so that modules stay, move, are rebuilt and replaced.
        lively(kind, random.bits()).with_id(format!("{}{place}", kind.id))
    }))
}

/// An empty rack, all that had left rung out or panicked away and given back; then memory is read.
fn quiet(rig: &mut Rig, sound: &mut Sound, random: &mut Random) -> Look {
    let start = Instant::now();
    while let Err(error) = rig.controller.load(&rack([])) {
        assert!(matches!(error, ControlError::Busy), "{error}");
        sound.block(rig, random, 0);
    }
    rig.controller.panic_button().press();
    let mut retired_bytes;
    loop {
        for _ in 0..100 {
            sound.block(rig, random, 0);
        }
        retired_bytes = rig.controller.memory_map().retired_bytes;
        if retired_bytes == 0 || start.elapsed() > PATIENCE {
            break;
        }
        // The collector keeps its own, real time.
        std::thread::sleep(Duration::from_millis(2));
    }
    rig.controller.panic_button().release();
    // The lists that slots stood in are given back behind them, in the collector's own time.
    loop {
        let given_back = rig.controller.health().collected.objects;
        std::thread::sleep(COLLECTOR_IS_IDLE);
        if rig.controller.health().collected.objects == given_back || start.elapsed() > PATIENCE {
            break;
        }
    }
    Look {
        audio_secs: sound.frames as f64 / f64::from(RATE_HZ),
        resident_bytes: resident_bytes(),
        retired_bytes,
    }
}

/// What is played, block by block, without taking memory.
struct Sound {
    input: [Vec<f32>; 2],
    block: [Vec<f32>; 2],
    events: Vec<Event>,
    frames: u64,
}

impl Sound {
    fn new() -> Self {
        let silence = || vec![0.0; BLOCK_FRAMES];
        Self {
            input: [noise(1, 0.3, BLOCK_FRAMES), noise(2, 0.3, BLOCK_FRAMES)],
            block: [silence(), silence()],
            events: Vec::with_capacity(32),
            frames: 0,
        }
    }

    /// One block, of any size now and then, with so many events; whether all came out as numbers.
    fn block(&mut self, rig: &mut Rig, random: &mut Random, events: usize) -> bool {
        let frames = match random.below(8) {
            0 => random.below(BLOCK_FRAMES + 1),
            _ => BLOCK_FRAMES,
        };
        for (block, input) in self.block.iter_mut().zip(&self.input) {
            block[..frames].copy_from_slice(&input[..frames]);
        }
        self.events.clear();
        let spec = rig.controller.spec();
        if let Some(module) = spec.modules.last().filter(|_| frames > 0 && events > 0) {
            let slot = rig.controller.slot_key(&module.id).expect("it is there");
            let param = module.kind.params.iter().position(|of| !of.structural);
            for at in 0..events {
                let value = random.unit();
                let change = match param.filter(|_| at % 2 == 0) {
                    Some(index) => Change::Param {
                        slot,
                        index: index as u16,
                        value: module.kind.params[index].denormalize(value),
                    },
                    None => Change::Mix { slot, value },
                };
                let frame = (frames * at / events) as u32;
                self.events.push(Event { frame, change });
            }
        }
        let [left, right] = &mut self.block;
        let mut views = [&mut left[..frames], &mut right[..frames]];
        rig.processor.process(&mut views, &self.events);
        self.frames += frames as u64;
        // A sum of numbers is one, and one that is none makes the sum none.
        views
            .iter()
            .flat_map(|view| view.iter())
            .sum::<f32>()
            .is_finite()
    }
}
