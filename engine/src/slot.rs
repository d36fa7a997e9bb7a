//! One place in a rack: a module with its bypass, mix, meter and arena.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use headroom_ipc::Lane;

use crate::automation::AutomationCells;
use crate::block::{ALIGNMENT_BYTES, Block, CHUNK_FRAMES};
use crate::fade::{FADE_SECS, Fade};
use crate::memory::{ArenaBox, ArenaSlice, Carve, Carver, Region, Taken};
use crate::message::{Change, SlotKey};
use crate::meter::{LevelCells, LevelMeter, Measured};
use crate::module::{Kind, Module, Setup};
use crate::preset::ModuleSpec;
use crate::ramp::Ease;
use crate::realtime::{ViolationCounts, add, has_flushed, lower_flushed, raise_flushed};
use crate::stream::Stream;
use crate::tempo::Tempo;

/// What went wrong in one chunk of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotFinite,
    Panicked,
    Allocated,
}

pub(crate) struct Slot {
    pub(crate) key: SlotKey,
    kind: &'static Kind,
    module: ArenaBox<dyn Module>,
    /// How much of the module is heard is the product of these two.
    mix: Ease<1>,
    active: Fade,
    /// How much of the input is taken away from what comes out: 1 leaves the difference.
    delta: Fade,
    fade_frames: usize,
    /// The input as late as the module's output; empty when that is not late.
    dry_line: [ArenaSlice<f32>; 2],
    dry_at: usize,
    /// The key as late as the module's output, for those that follow; empty when that is not late.
    key_line: [ArenaSlice<f32>; 2],
    key_at: usize,
    meter: LevelMeter,
    /// Where its levels stand on a screen's meters.
    lane: u8,
    cells: Arc<LevelCells>,
    health: Arc<SlotHealthCells>,
    /// For so many frames more it says whether its results are flushed to zero.
    watched_frames: usize,
    /// The module panicked: it is never called again, the input goes past it.
    failed: bool,
    /// It did so, and that has not been reported yet.
    panicked: bool,
    /// What it is set to, and what the controller knows of that: events set it too.
    now: Settings,
    told: Settings,
    automation: Arc<AutomationCells>,
}

/// What a slot is set to.
struct Settings {
    values: ArenaSlice<f32>,
    bypass: bool,
    mix: f32,
}

/// What both sides see of a slot: read by the controller, written by the slot.
#[derive(Debug, Clone)]
pub(crate) struct SlotCells {
    pub(crate) level: Arc<LevelCells>,
    pub(crate) automation: Arc<AutomationCells>,
    pub(crate) health: Arc<SlotHealthCells>,
    /// Where its levels stand on a screen's meters: the same for as long as it lives.
    pub(crate) lane: u8,
}

/// What went wrong in one slot, counted from when it was built first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlotHealth {
    /// Chunks in which its output was not finite.
    pub not_finite_chunks: u64,
    /// Chunks in which a result was too small for a number and was flushed to zero, of those that were
    /// watched: the chunks of the second that follows such a block.
    pub flushed_chunks: u64,
}

/// Writer: the audio thread. Relaxed: each figure for itself.
#[derive(Debug, Default)]
pub(crate) struct SlotHealthCells {
    not_finite_chunks: AtomicU64,
    flushed_chunks: AtomicU64,
}

impl SlotHealthCells {
    /// `[main]` The figures of now.
    pub(crate) fn read(&self) -> SlotHealth {
        SlotHealth {
            not_finite_chunks: self.not_finite_chunks.load(Relaxed),
            flushed_chunks: self.flushed_chunks.load(Relaxed),
        }
    }
}

impl SlotCells {
    /// `[main]` Cells for a slot of this module.
    pub(crate) fn new(spec: &ModuleSpec, lane: u8) -> Self {
        Self {
            lane,
            level: Arc::default(),
            automation: Arc::new(AutomationCells::new(spec.values.len())),
            health: Arc::default(),
        }
    }
}

/// Who asks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The controller, which knows what it asked for.
    Controller,
    /// An event of a block, which the controller never sees.
    Event,
}

impl Source {
    /// The value, if an event set it.
    pub(crate) fn of_event<T>(self, value: T) -> Option<T> {
        (self == Self::Event).then_some(value)
    }
}

/// A slot's place in memory: how much it takes and what for.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    pub(crate) bytes: usize,
    pub(crate) latency_frames: usize,
    pub(crate) carves: Vec<Carve>,
}

impl Footprint {
    /// The region that would be taken for a slot of this key.
    pub(crate) fn taken(&self, key: SlotKey) -> Taken {
        let start = self.start(key);
        let mut carves = self.carves.clone();
        for carve in &mut carves {
            carve.offset += start;
        }
        Taken::planned(self.bytes, &carves)
    }

    /// Where in its pages the slot starts. Pages all begin with the same sets of the first-level
    /// cache: if all slots did too, their states would drive each other out of it. So every second
    /// one lies at the end of its pages.
    fn start(&self, key: SlotKey) -> usize {
        let slack = Region::whole_pages(self.bytes) - self.bytes;
        if key.0.is_multiple_of(2) {
            slack / ALIGNMENT_BYTES * ALIGNMENT_BYTES
        } else {
            0
        }
    }
}

impl Slot {
    /// `[main]` What `spec` would take; nothing is taken.
    pub(crate) fn measure(stream: Stream, spec: &ModuleSpec) -> Footprint {
        let mut carver = Carver::measuring();
        let cells = SlotCells::new(spec, 0);
        let slot = Self::carve(&mut carver, stream, spec, SlotKey(0), cells);
        Footprint {
            bytes: carver.bytes(),
            latency_frames: slot.latency_frames(),
            carves: carver.carves().to_vec(),
        }
    }

    /// `[main]` Builds the slot, whole, in an arena of its own.
    pub(crate) fn build(
        stream: Stream,
        spec: &ModuleSpec,
        footprint: &Footprint,
        key: SlotKey,
        cells: SlotCells,
        region: Region,
    ) -> (ArenaBox<Self>, Taken) {
        let mut carver = Carver::carving(region);
        carver.skip(footprint.start(key));
        let slot = Self::carve(&mut carver, stream, spec, key, cells);
        let taken = Taken::of(&carver);
        (slot, taken)
    }

    fn carve(
        carver: &mut Carver,
        stream: Stream,
        spec: &ModuleSpec,
        key: SlotKey,
        cells: SlotCells,
    ) -> ArenaBox<Self> {
        let module = (spec.kind.build)(&mut Setup::new(stream, &spec.values, carver));
        let latency_frames = module.latency_frames();
        let right_frames = if stream.channels() == 2 {
            latency_frames
        } else {
            0
        };
        let dry_line = [
            carver.slice("dry line left", latency_frames, |_| 0.0),
            carver.slice("dry line right", right_frames, |_| 0.0),
        ];
        let key_line = [
            carver.slice("key line left", latency_frames, |_| 0.0),
            carver.slice("key line right", right_frames, |_| 0.0),
        ];
        let fade_frames = stream.frames(FADE_SECS);
        let count = spec.values.len();
        let now = Settings {
            values: carver.slice("values", count, |i| spec.values[i]),
            bypass: spec.bypass,
            mix: spec.mix,
        };
        let told = Settings {
            values: carver.slice("values as told", count, |i| spec.values[i]),
            ..now
        };
        let slot = Self {
            key,
            kind: spec.kind,
            module,
            mix: Ease::new([spec.mix], fade_frames),
            active: Fade::at(if spec.bypass { 0.0 } else { 1.0 }),
            delta: Fade::at(0.0),
            fade_frames,
            dry_line,
            dry_at: 0,
            key_line,
            key_at: 0,
            meter: LevelMeter::new(&stream),
            lane: cells.lane,
            cells: cells.level,
            failed: false,
            panicked: false,
            now,
            told,
            automation: cells.automation,
            health: cells.health,
            watched_frames: 0,
        };
        carver.put("slot", slot)
    }

    /// Whether all that is heard is the module, now and on.
    fn is_all_wet(&self) -> bool {
        !self.mix.is_moving()
            && !self.active.is_moving()
            && self.mix.target() == [1.0]
            && self.active.target() == 1.0
            && !self.delta.is_moving()
            && self.delta.target() == 0.0
    }

    /// `[any]` Frames by which the slot is late, bypassed or not.
    pub(crate) fn latency_frames(&self) -> usize {
        self.module.latency_frames()
    }

    /// `[audio]` For how many frames its output must be silent to be so for good.
    pub(crate) fn quiet_frames(&self) -> usize {
        if self.failed {
            return 0;
        }
        self.module.quiet_frames() + self.latency_frames()
    }

    /// `[any]` Whether its module follows the key.
    pub(crate) fn follows_key(&self) -> bool {
        !self.failed && self.module.follows_key()
    }

    /// `[audio]` Makes the key of a chunk as late as what comes out, for the slots behind.
    pub(crate) fn delay_key(&mut self, block: &mut Block<'_>) {
        let length = self.key_line[0].len();
        let Some(key) = block.lend_key().filter(|_| length > 0) else {
            return;
        };
        let lines = self.key_line.iter_mut().filter(|line| !line.is_empty());
        for (line, key) in lines.zip(key) {
            let mut at = self.key_at;
            for sample in key {
                std::mem::swap(sample, &mut line[at]);
                at = (at + 1) % length;
            }
        }
        self.key_at = (self.key_at + block.frames()) % length;
    }

    /// `[audio]` Takes a change that is meant for this slot.
    pub(crate) fn change(&mut self, change: Change, source: Source) {
        match change {
            Change::Param { index, value, .. } => {
                let index = usize::from(index);
                if let Some(param) = self.kind.params.get(index)
                    && !param.structural
                {
                    let value = param.clamp(value);
                    self.now.values[index] = value;
                    self.automation.set_value(index, source.of_event(value));
                    if source == Source::Controller {
                        self.told.values[index] = value;
                    }
                    self.call(|module| module.set_param(index, value));
                }
            }
            Change::Bypass { on, .. } => {
                self.now.bypass = on;
                self.automation.set_bypass(source.of_event(on));
                if source == Source::Controller {
                    self.told.bypass = on;
                }
                let to = if on { 0.0 } else { 1.0 };
                self.active = Fade::over(self.active.now(), to, self.fade_frames);
            }
            Change::Mix { value, .. } => {
                if value.is_finite() {
                    let value = value.clamp(0.0, 1.0);
                    self.now.mix = value;
                    self.automation.set_mix(source.of_event(value));
                    if source == Source::Controller {
                        self.told.mix = value;
                    }
                    self.mix.set([value]);
                }
            }
            Change::Delta { on, .. } => {
                let to = if on { 1.0 } else { 0.0 };
                self.delta = Fade::over(self.delta.now(), to, self.fade_frames);
            }
            Change::Tempo(tempo) => self.set_tempo(tempo),
        }
    }

    /// `[audio]` The music goes at `tempo` from now on.
    pub(crate) fn set_tempo(&mut self, tempo: Tempo) {
        self.call(|module| module.set_tempo(tempo));
    }

    /// `[audio]` Whether it is passed by, as of the last change.
    pub(crate) fn is_bypassed(&self) -> bool {
        self.now.bypass
    }

    /// Calls the module where it may go wrong: one that panics is never called again.
    fn call(&mut self, call: impl FnOnce(&mut dyn Module)) {
        if self.failed {
            return;
        }
        let module = &mut *self.module;
        if catch_unwind(AssertUnwindSafe(|| call(module))).is_err() {
            self.failed = true;
            self.panicked = true;
        }
    }

    /// What events have set since the controller last spoke stays set, unless the edit that built
    /// this instance says otherwise: the controller does not know of it.
    fn keep_automation(&mut self, old: &Self) {
        if !std::ptr::eq(self.kind, old.kind) {
            return;
        }
        let slot = self.key;
        for index in 0..self.kind.params.len() {
            let edited = self.told.values[index] != old.told.values[index];
            if edited {
                self.automation.set_value(index, None);
            }
            let value = old.now.values[index];
            if !edited && value != self.now.values[index] {
                let index = index as u16;
                self.change(Change::Param { slot, index, value }, Source::Event);
            }
        }
        if self.told.bypass != old.told.bypass {
            self.automation.set_bypass(None);
        } else if self.now.bypass != old.now.bypass {
            let on = old.now.bypass;
            self.change(Change::Bypass { slot, on }, Source::Event);
        }
        if self.told.mix != old.told.mix {
            self.automation.set_mix(None);
        } else if self.now.mix != old.now.mix {
            let value = old.now.mix;
            self.change(Change::Mix { slot, value }, Source::Event);
        }
    }

    /// `[audio]` Takes over from the instance that leaves.
    pub(crate) fn adopt(&mut self, old: &Self) {
        self.keep_automation(old);
        self.mix.adopt(&old.mix);
        self.delta = old.delta;
        let target = self.active.target();
        self.active = if old.active.target() == target {
            old.active
        } else {
            Fade::over(old.active.now(), target, self.fade_frames)
        };
        if !old.failed && std::ptr::eq(self.kind, old.kind) {
            self.call(|module| module.adopt(&*old.module));
        }
    }

    /// `[audio]` Forgets all sound.
    pub(crate) fn reset(&mut self) {
        self.mix.finish();
        self.active = Fade::at(self.active.target());
        self.delta = Fade::at(self.delta.target());
        self.call(|module| module.reset());
        for line in &mut self.dry_line {
            line.fill(0.0);
        }
        self.dry_at = 0;
        for line in &mut self.key_line {
            line.fill(0.0);
        }
        self.key_at = 0;
        self.meter.reset();
    }

    /// `[audio]` Runs one chunk in place. `dry` is room for a chunk of each channel, `measured` for
    /// what is found in the output: written where it is wanted, since copies of what was just
    /// written in other pieces make the processor wait.
    pub(crate) fn process(
        &mut self,
        block: &mut Block<'_>,
        dry: &mut [[f32; CHUNK_FRAMES]; 2],
        measured: &mut Measured,
    ) -> Option<Fault> {
        let frames = block.frames();
        let late = !self.dry_line[0].is_empty();
        let mixing = self.failed || !self.is_all_wet();
        if late || mixing {
            self.keep_dry(block, dry);
        }
        let mut fault = None;
        if !self.failed {
            let counts = ViolationCounts::of_this_thread();
            // A module that panicked is left as it is and never touched again but to drop it.
            if self.watched_frames == 0 {
                self.call(|module| module.process(block));
            } else {
                self.process_watched(block);
            }
            if self.failed {
                block.iter_mut().for_each(|channel| channel.fill(0.0));
            } else if !ViolationCounts::of_this_thread().since(counts).is_zero() {
                fault = Some(Fault::Allocated);
            }
        }
        measured.set(block);
        if !measured.finite {
            fault = Some(Fault::NotFinite);
            add(&self.health.not_finite_chunks, 1);
            block.iter_mut().for_each(|channel| channel.fill(0.0));
            self.call(|module| module.reset());
            *measured = Measured::SILENT;
        }
        if self.panicked {
            // Wherever it was: in this chunk, or in a change since the last one.
            self.panicked = false;
            fault = Some(Fault::Panicked);
        }
        if mixing {
            self.mix_dry(block, dry);
            measured.set(block);
        }
        self.meter.add(measured, frames);
        fault
    }

    /// `[audio]` For so many frames it says whether its results are flushed to zero.
    pub(crate) fn watch_flushing(&mut self, frames: usize) {
        self.watched_frames = frames;
    }

    #[cold]
    fn process_watched(&mut self, block: &mut Block<'_>) {
        self.watched_frames = self.watched_frames.saturating_sub(block.frames());
        let others = has_flushed();
        lower_flushed();
        self.call(|module| module.process(block));
        if has_flushed() {
            add(&self.health.flushed_chunks, 1);
        } else if others {
            // The processor looks at the end of the block.
            raise_flushed();
        }
    }

    /// `[audio]` Shows the meter, once a block.
    pub(crate) fn publish(&mut self) {
        let mut reduction_db = 0.0;
        self.call(|module| reduction_db = module.gain_reduction_db());
        self.meter.turn_down(reduction_db);
        self.meter.publish(&self.cells);
    }

    /// `[audio]` Its levels since the last call, for a screen, and where they stand there.
    pub(crate) fn take_shown(&mut self) -> (usize, Lane) {
        (usize::from(self.lane), self.meter.take_shown())
    }

    fn keep_dry(&mut self, block: &mut Block<'_>, dry: &mut [[f32; CHUNK_FRAMES]; 2]) {
        let frames = block.frames();
        let latency_frames = self.dry_line[0].len();
        for ((samples, dry), line) in block.iter_mut().zip(dry).zip(&mut self.dry_line) {
            let dry = &mut dry[..frames];
            dry.copy_from_slice(samples);
            let mut at = self.dry_at;
            for sample in dry.iter_mut().filter(|_| latency_frames > 0) {
                std::mem::swap(sample, &mut line[at]);
                at = if at + 1 == latency_frames { 0 } else { at + 1 };
            }
        }
        if latency_frames > 0 {
            self.dry_at = (self.dry_at + frames) % latency_frames;
        }
    }

    fn mix_dry(&mut self, block: &mut Block<'_>, dry: &[[f32; CHUNK_FRAMES]; 2]) {
        let frames = block.frames();
        if self.failed {
            self.active = Fade::at(0.0);
        }
        let (mix, active) = (self.mix, self.active);
        let moving = mix.remaining_frames().max(active.remaining_frames());
        let moving = moving.min(frames);
        let rest = mix.target()[0] * active.target();
        for channel in 0..block.channels() {
            let samples = block.channel(channel);
            let (moved, rested) = samples.split_at_mut(moving);
            let (dry_moved, dry_rested) = dry[channel][..frames].split_at(moving);
            for (i, (sample, &dry)) in moved.iter_mut().zip(dry_moved).enumerate() {
                let wet = mix.ahead(1 + i)[0] * active.ahead(1 + i);
                *sample = *sample * wet + dry * (1.0 - wet);
            }
            // At rest on either end the sound is one of the two, to the bit: adding nothing could
            // still turn a negative zero.
            if rest == 0.0 {
                rested.copy_from_slice(dry_rested);
            } else if rest != 1.0 {
                for (sample, &dry) in rested.iter_mut().zip(dry_rested) {
                    *sample = *sample * rest + dry * (1.0 - rest);
                }
            }
        }
        self.mix.advance(frames);
        self.active.advance(frames);
        if self.delta.is_moving() || self.delta.target() != 0.0 {
            let delta = self.delta;
            for channel in 0..block.channels() {
                let samples = block.channel(channel).iter_mut().zip(&dry[channel]);
                for (i, (sample, dry)) in samples.enumerate() {
                    *sample -= dry * delta.ahead(1 + i);
                }
            }
            self.delta.advance(frames);
        }
    }
}
