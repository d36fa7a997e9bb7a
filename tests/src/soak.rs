//! The soak: hours of audio, faster than real time, while everything that people and controllers do
//! is done at random; memory is looked at when all is quiet.

use std::time::{Duration, Instant};

use headroom_engine::{
    Catalog, Change, ControlError, Controller, Event, Health, Kind, RackSpec, Stream, Tempo,
};

use crate::measure::{mapped_bytes, resident_bytes};
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
const IN_USE: &str = "memory in use";
/// What resident memory may grow by after warm-up: what an allocator keeps of what it was given back. What is
/// in use and what is mapped may not grow by one byte.
const RESIDENT_GROWTH_BYTES: i64 = 128 << 10;

/// What to do.
#[derive(Debug, Clone)]
pub struct Soak {
    /// Hours of audio.
    pub hours: f64,
    /// Another one does other things.
    pub seed: u64,
    /// What racks are made of.
    pub kinds: Vec<&'static Kind>,
    /// Bytes that the program's allocator has given out and not been given back.
    pub in_use_bytes: fn() -> usize,
}

impl Soak {
    /// So many hours of the modules that cost least: everything around a module is what is soaked.
    pub fn of_hours(hours: f64, in_use_bytes: fn() -> usize) -> Self {
        let catalog = Catalog::builtin();
        let kinds = ["gain", "filter", "delay"];
        Self {
            hours,
            seed: 1,
            kinds: kinds.map(|id| catalog.find(id).expect("built in")).to_vec(),
            in_use_bytes,
        }
    }
}

/// Memory at one moment, when nothing rings and nothing waits.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Seconds of audio since the start.
    pub audio_secs: f64,
    /// What the allocator has given out.
    pub in_use_bytes: usize,
    /// Resident memory of the process.
    pub resident_bytes: usize,
    /// What is mapped, but for the allocator's heap.
    pub mapped_bytes: usize,
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
    /// What resident memory grew by after warm-up.
    pub fn resident_growth_bytes(&self) -> i64 {
        self.growth(|look| look.resident_bytes)
    }

    /// What is in use grew by.
    pub fn growth_bytes(&self) -> i64 {
        self.growth(|look| look.in_use_bytes)
    }

    /// The least of the last fourth beyond the least of the second: what is only late to go, on a busy machine,
    /// is no growth, and what grows raises every look.
    fn growth(&self, of: fn(&Look) -> usize) -> i64 {
        let fourth = self.looks.len() / 4;
        let least = |looks: &[Look]| looks.iter().map(of).min().map_or(0, |bytes| bytes as i64);
        least(&self.looks[3 * fourth..]) - least(&self.looks[fourth..2 * fourth])
    }

    /// All that is wrong, a line each.
    pub fn faults(&self) -> Vec<String> {
        self.found(true)
    }

    /// The same under a tool that maps memory of its own in this process.
    pub fn faults_under_a_tool(&self) -> Vec<String> {
        self.found(false)
    }

    fn found(&self, alone: bool) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |wrong: bool, what: String| {
            if wrong {
                faults.push(what);
            }
        };
        let growth = [
            (IN_USE, 0, self.growth(|look| look.in_use_bytes)),
            ("what is mapped", 0, self.growth(|look| look.mapped_bytes)),
            (
                "resident memory",
                RESIDENT_GROWTH_BYTES,
                self.growth(|look| look.resident_bytes),
            ),
        ];
        for (what, most, bytes) in growth {
            fault(
                bytes > most && (alone || what == IN_USE),
                format!("{what} grew by {bytes} bytes: at most {most}"),
            );
        }
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
    let mut soaked = Soaked {
        // All at once: it is not to grow between two looks.
        looks: Vec::with_capacity(LOOKS),
        ..Soaked::default()
    };
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
        let now = quiet(soak, &mut rig, &mut sound, &mut random);
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

/// An empty rack with nothing to undo, all that had left rung out or panicked away and given back; then
/// memory is read.
fn quiet(soak: &Soak, rig: &mut Rig, sound: &mut Sound, random: &mut Random) -> Look {
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
    // Forgets the names of what has left.
    rig.controller.reports();
    drop(rig.controller.take_history());
    Look {
        in_use_bytes: (soak.in_use_bytes)(),
        audio_secs: sound.frames as f64 / f64::from(RATE_HZ),
        resident_bytes: resident_bytes(),
        mapped_bytes: mapped_bytes(),
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
                    None if at % 16 == 1 => {
                        let bpm = 30.0 + 300.0 * f64::from(value);
                        Change::Tempo(Tempo::new(bpm).expect("a tempo like any"))
                    }
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
