//! The audio-thread end of an engine.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use basedrop::Owned;
use headroom_ipc::Publisher;
use rtrb::{Consumer, Producer};
use wide::f32x4;

use crate::block::{Block, CHUNK_FRAMES};
use crate::fade::{FADE_SECS, Fade};
use crate::memory::{Chunk, Cursor, Place, Pool, Scratch};
use crate::message::{Change, Event, Message, Notice, SlotKey};
use crate::meter::{LevelCells, LevelMeter, Measured};
use crate::panic::{Panic, PanicButton, SLOTS_A_STEP};
use crate::rack::{NoRoom, Rack, TAIL_LIMIT_SECS};
use crate::realtime::{
    BlockWatch, Collector, HealthCells, ThreadFaults, add, guarded, has_flushed, lower_flushed,
    raise, thread_id,
};
use crate::scope::{Scope, Side};
use crate::slot::Source;
use crate::stream::Stream;
use crate::tail::{Limits, Tail};
use crate::tempo::{Tempo, TempoCell};

/// Racks at most that have left and still ring: one more cuts the oldest off, in 20 ms.
pub const MAX_RACK_TAILS: usize = 2;
/// Messages taken in one block at most; the rest waits for the next. So many, and
/// beside one for each frame, so that they take a bounded part of the block's time.
const MESSAGES_A_BLOCK: usize = 16;
/// Before the first sound there is time.
const MESSAGES_AT_ONCE: usize = 1_024;

/// The audio-thread end of an engine: runs the rack.
///
/// It is `Send` but not `Sync`: one thread at a time. Drop it anywhere but on the audio thread; the
/// last of an engine's ends to go may join the collector's thread.
///
/// ```compile_fail
/// fn is_sync<T: Sync>() {}
/// is_sync::<headroom_engine::Processor>();
/// ```
pub struct Processor {
    stream: Stream,
    rack: Owned<Rack>,
    tails: Pool<RackTail>,
    scratch: Scratch,
    commands: Consumer<Message>,
    notices: Producer<Notice>,
    health: Arc<HealthCells>,
    /// The gain of everything: 0 when muted.
    master: Fade,
    panic: Panic,
    tempo: Tempo,
    tempo_cell: Arc<TempoCell>,
    meter: LevelMeter,
    meter_cells: Arc<LevelCells>,
    /// What a screen is shown.
    scope: Scope,
    position: u64,
    deadline: Deadline,
    primed: bool,
    // Dropped after all that it collects.
    _collector: Arc<Collector>,
    _not_sync: PhantomData<Cell<()>>,
}

/// Writes to as much of the stack as a rack could use, so that no block is the first to touch it.
#[inline(never)]
fn touch_stack() {
    std::hint::black_box(&mut [1_u8; 64 * 1024]);
}

/// How long a block of so many frames may take. Kept from block to block, since most are of one
/// length and a division takes as long as dozens of additions.
struct Deadline {
    frames: usize,
    time_ns: u64,
}

impl Deadline {
    fn of(stream: &Stream, frames: usize) -> Self {
        Self {
            frames,
            time_ns: stream.deadline_ns(frames),
        }
    }
}

/// A rack that a preset change sent away.
struct RackTail {
    rack: Owned<Rack>,
    tail: Tail,
}

/// What [`crate::open`] hands to the audio thread's side.
pub(crate) struct Parts {
    pub(crate) stream: Stream,
    pub(crate) rack: Owned<Rack>,
    pub(crate) scratch: Scratch,
    pub(crate) commands: Consumer<Message>,
    pub(crate) notices: Producer<Notice>,
    pub(crate) health: Arc<HealthCells>,
    pub(crate) meter_cells: Arc<LevelCells>,
    pub(crate) panic_button: PanicButton,
    pub(crate) tempo_cell: Arc<TempoCell>,
    pub(crate) collector: Arc<Collector>,
}

impl Processor {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            stream: parts.stream,
            rack: parts.rack,
            tails: Pool::with_room(MAX_RACK_TAILS),
            scratch: parts.scratch,
            commands: parts.commands,
            notices: parts.notices,
            health: parts.health,
            master: Fade::all(),
            panic: Panic::new(parts.panic_button, &parts.stream),
            tempo: Tempo::default(),
            tempo_cell: parts.tempo_cell,
            meter: LevelMeter::new(&parts.stream),
            meter_cells: parts.meter_cells,
            scope: Scope::default(),
            position: 0,
            deadline: Deadline::of(&parts.stream, parts.stream.max_block_frames()),
            primed: false,
            _collector: parts.collector,
            _not_sync: PhantomData,
        }
    }

    /// `[main]` Where the pool of racks that have left is.
    pub(crate) fn tails(&self) -> Place {
        self.tails.place()
    }

    /// `[main]` What that pool takes.
    pub(crate) fn planned_tails() -> Place {
        Pool::<RackTail>::planned(MAX_RACK_TAILS)
    }

    /// `[main]` Shows levels and sound through `publisher` from now on, or no more; gives the one before.
    /// While no block is processed.
    pub fn publish_to(&mut self, publisher: Option<Publisher>) -> Option<Publisher> {
        let publisher = publisher.map(|mut publisher| {
            publisher.set_sample_rate_hz(self.stream.sample_rate_hz());
            publisher
        });
        self.scope.replace(publisher)
    }

    /// `[any]` The stream it was opened for.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// `[audio]` Runs one block in place: `channels` are the stream's channels, planar, of the same
    /// length, from 0 frames up. `events` are sorted by frame. Cannot fail: what is not finite
    /// becomes 0, a module that goes wrong is taken out of the chain and reported.
    ///
    /// Longer blocks than the stream's `max_block_frames` are processed too. Channels beyond the
    /// stream's are silenced.
    ///
    /// The first call is the priming block: its output is silent, its events are taken, it is counted
    /// apart, and the stream starts with the second. A change for a slot whose insertion still waits
    /// for the audio thread is dropped.
    pub fn process(&mut self, channels: &mut [&mut [f32]], events: &[Event]) {
        self.process_keyed(channels, &[], events);
    }

    /// `[audio]` The same with a *key*: another signal, of as many frames, that modules may follow instead of
    /// their own input (a compressor that ducks music under a voice). It is taken channel by channel; a
    /// stream's second channel without one of its own follows the first. Without any, who would follow it
    /// follows its own input. What is not finite in it becomes 0. A slot that is late makes the key as late
    /// for those behind it.
    pub fn process_keyed(&mut self, channels: &mut [&mut [f32]], key: &[&[f32]], events: &[Event]) {
        let watch = BlockWatch::begin();
        let frames = channels.iter().map(|channel| channel.len()).min();
        let frames = frames.unwrap_or(0);
        let key = if key.iter().all(|key| key.len() >= frames) {
            key
        } else {
            &[]
        };
        let priming = !self.primed;
        let mut scratch = self.scratch.lend();
        let result = guarded(|| {
            catch_unwind(AssertUnwindSafe(|| {
                if priming {
                    self.prime(channels, events, scratch.begin());
                } else {
                    self.run(channels, key, frames, events, scratch.begin());
                }
            }))
            // What a panic leaves behind is freed inside the guard, so that it is counted.
            .map_err(drop)
        });
        self.scratch = scratch;
        raise(&self.health.most_scratch, self.scratch.most_bytes() as u64);
        if result.is_err() {
            add(&self.health.panics, 1);
            channels.iter_mut().for_each(|channel| channel.fill(0.0));
        }
        if priming {
            self.primed = true;
            add(&self.health.priming_blocks, 1);
            self.introduce_thread();
            return;
        }
        if frames != self.deadline.frames {
            self.deadline = Deadline::of(&self.stream, frames);
        }
        watch.end(&self.health, frames, self.deadline.time_ns);
    }

    /// `[audio]` The stream goes on, on another thread than before, with all its sound: touches this
    /// thread's stack and tells housekeeping which one to watch. System calls, as in the priming block:
    /// once, before the first block there.
    pub fn move_to_this_thread(&mut self) {
        touch_stack();
        self.introduce_thread();
    }

    /// `[audio]` For how many frames the output must have been silent, the input being silent too,
    /// before it can be called silent for good: an echo of five seconds is silent for longer than a
    /// meter would wait.
    pub fn quiet_frames(&self) -> usize {
        let left = self.tails.iter().map(|tail| tail.rack.quiet_frames());
        left.fold(self.rack.quiet_frames(), usize::max)
    }

    /// `[audio]` Fades the output out, or in again, as [`crate::Controller::mute`] does: for a pedal,
    /// which must not wait for the main thread.
    pub fn mute(&mut self, on: bool) {
        let to = if on { 0.0 } else { 1.0 };
        self.master = Fade::over(self.master.now(), to, self.stream.frames(FADE_SECS));
    }

    /// `[audio]` Whether the output is muted, or on its way there.
    pub fn is_muted(&self) -> bool {
        self.master.target() == 0.0
    }

    /// `[audio]` The tempo by which its modules go.
    pub fn tempo(&self) -> Tempo {
        self.tempo
    }

    /// `[audio]` Whether a slot is passed by, as of the last change; `None` when there is none of
    /// that key. A switch that is turned over asks for it.
    pub fn is_bypassed(&self, slot: SlotKey) -> Option<bool> {
        self.rack.is_bypassed(slot)
    }

    /// `[audio]` Forgets all sound and counts frames from 0 again, as after [`crate::open`] with the
    /// parameters of now. What had left and still rang is gone.
    pub fn reset(&mut self) {
        guarded(|| self.forget());
    }

    fn forget(&mut self) {
        self.rack.reset();
        self.tails.clear();
        self.master = Fade::at(self.master.target());
        self.panic.settle();
        self.meter.reset();
        self.position = 0;
        self.scope.reset();
    }

    /// The first block: runs everything once on silence, so that code, stack and memory have been
    /// touched before anything is claimed.
    fn prime(&mut self, channels: &mut [&mut [f32]], events: &[Event], mut scratch: Cursor<'_>) {
        self.panic.look();
        // All that was sent before: nothing sounds yet, so what waits for room has it at once.
        while !self.commands.is_empty() {
            self.take_messages(MESSAGES_AT_ONCE);
            self.forget();
        }
        for event in events {
            self.take_event(event);
        }
        for _ in 0..2 {
            let mut scratch = scratch.nested();
            let mut ours = scratch.chunk();
            ours.silence();
            let mut block = ours.block(self.stream.channels(), CHUNK_FRAMES, self.position);
            self.run_chunk(&mut block, &mut scratch);
        }
        self.rack.publish();
        self.meter.publish(&self.meter_cells);
        self.forget();
        raise(&self.health.most_slots, self.rack.entries() as u64);
        // What the fades of silence flush is nobody's concern.
        lower_flushed();
        channels.iter_mut().for_each(|channel| channel.fill(0.0));
    }

    /// Tells housekeeping which thread this is, and what it had cost up to now. System calls: after
    /// the priming block only.
    fn introduce_thread(&self) {
        let faults = ThreadFaults::of_this_thread();
        let [minor, major] = &self.health.faults_at_start;
        minor.store(faults.minor, Ordering::Relaxed);
        major.store(faults.major, Ordering::Relaxed);
        self.health.thread_id.store(thread_id(), Ordering::Relaxed);
    }

    fn run(
        &mut self,
        channels: &mut [&mut [f32]],
        key: &[&[f32]],
        frames: usize,
        events: &[Event],
        mut scratch: Cursor<'_>,
    ) {
        self.panic.look();
        self.take_messages(MESSAGES_A_BLOCK + frames);
        self.scope.begin(self.position);
        let count = self.stream.channels().min(channels.len());
        let mut events = events.iter().peekable();
        let mut at = 0;
        while at < frames {
            while let Some(event) = events.next_if(|event| event.frame as usize <= at) {
                self.take_event(event);
            }
            let into_chunk = (self.position % CHUNK_FRAMES as u64) as usize;
            let mut end = frames.min(at + CHUNK_FRAMES - into_chunk);
            if let Some(event) = events.peek() {
                end = end.min(event.frame as usize);
            }
            if self.panic.is_on() {
                self.follow_panic();
            }
            let chunk = end - at;
            for channel in &mut channels[..count] {
                let bad = make_finite(&mut channel[at..end]);
                if bad > 0 {
                    add(&self.health.non_finite_inputs, bad);
                }
                self.panic.let_in(&mut channel[at..end]);
            }
            self.scope.sound(Side::Before, &channels[..count], at, end);
            let mut scratch = scratch.nested();
            let mut key = self.take_key(key, at..end, &mut scratch);
            let key = key.as_mut().map(|key| key.split(chunk));
            match block_of(&mut channels[..count], at..end, self.position) {
                Some(block) if block.channels() == self.stream.channels() && block.is_aligned() => {
                    self.run_chunk(&mut block.with_key(key), &mut scratch);
                }
                _ => {
                    let mut scratch = scratch.nested();
                    let mut ours = scratch.chunk();
                    for (ours, channel) in ours.0.iter_mut().zip(&channels[..count]) {
                        ours[..chunk].copy_from_slice(&channel[at..end]);
                    }
                    for ours in &mut ours.0[count..] {
                        ours[..chunk].fill(0.0);
                    }
                    let block = ours.block(self.stream.channels(), chunk, self.position);
                    self.run_chunk(&mut block.with_key(key), &mut scratch);
                    for (channel, ours) in channels[..count].iter_mut().zip(&*ours.0) {
                        channel[at..end].copy_from_slice(&ours[..chunk]);
                    }
                }
            }
            self.scope.sound(Side::After, &channels[..count], at, end);
            at = end;
        }
        for event in events {
            self.take_event(event);
        }
        for channel in &mut channels[count..] {
            channel.fill(0.0);
        }
        self.rack.publish();
        self.meter.publish(&self.meter_cells);
        self.scope
            .end(frames, self.position, &mut self.rack, &mut self.meter);
        if has_flushed() {
            // Which slot it is, the next second tells: to ask each one always would cost too much.
            lower_flushed();
            add(&self.health.flushed_blocks, 1);
            self.rack.watch_flushing(self.stream.frames(1.0));
        }
    }

    /// A chunk of the key, if there is one and somebody follows it.
    fn take_key<'s>(
        &self,
        key: &[&[f32]],
        span: Range<usize>,
        scratch: &mut Cursor<'s>,
    ) -> Option<Chunk<'s>> {
        let last = key.len().checked_sub(1)?;
        let keyed = |left: &RackTail| left.rack.is_keyed();
        if !self.rack.is_keyed() && !self.tails.iter().any(keyed) {
            return None;
        }
        let taken = scratch.chunk();
        for (at, to) in taken.0.iter_mut().take(self.stream.channels()).enumerate() {
            let to = &mut to[..span.len()];
            to.copy_from_slice(&key[at.min(last)][span.clone()]);
            let bad = make_finite(to);
            if bad > 0 {
                add(&self.health.non_finite_inputs, bad);
            }
        }
        Some(taken)
    }

    /// Forgets what the panic button asks to forget before the next chunk.
    fn follow_panic(&mut self) {
        let from = self.panic.next_reset(self.position, self.rack.slots());
        if from == Some(0) {
            // Gone, and not only reset: one that ended between two steps would move the others up.
            self.tails.clear();
            self.rack.drop_tails();
        }
        if let Some(from) = from {
            self.rack.reset_some(from, SLOTS_A_STEP);
        }
    }

    /// One chunk through the rack and what has left, in place.
    fn run_chunk(&mut self, block: &mut Block<'_>, scratch: &mut Cursor<'_>) {
        let frames = block.frames();
        let mut notify = |notice| tell(&self.health, &mut self.notices, notice);
        let mut measured = Measured::SILENT;
        let mut known = if self.tails.is_empty() {
            self.rack
                .process(block, scratch, &mut measured, &mut notify)
        } else {
            self.run_racks(block, scratch.nested());
            false
        };
        if self.master.is_moving() || self.master.target() != 1.0 {
            let mut scratch = scratch.nested();
            let fade = scratch.plane();
            self.master.fill(&mut fade[..frames]);
            for channel in block.iter_mut() {
                for (sample, gain) in channel.iter_mut().zip(&fade[..frames]) {
                    *sample *= gain;
                }
            }
            known = false;
        }
        if self.panic.is_on() {
            self.panic.let_out(block);
            known = false;
        }
        if !known {
            measured.set(block);
        }
        if !measured.finite {
            // Sums of what is almost too large for a number can be too large.
            block.iter_mut().for_each(|channel| channel.fill(0.0));
            measured = Measured::SILENT;
            add(&self.health.muted_chunks, 1);
        }
        self.meter.add(&measured, frames);
        self.position += frames as u64;
    }

    /// The same with racks that have left: each has its share of the input, and what all say is summed.
    fn run_racks(&mut self, block: &mut Block<'_>, mut scratch: Cursor<'_>) {
        let (count, frames, position) = (block.channels(), block.frames(), block.position());
        let (mut input, mut work) = (scratch.chunk(), scratch.chunk());
        // Each rack makes a key of its own late.
        let mut key = block.take_key().map(|key| (key, scratch.chunk()));
        let (taken, fade) = (scratch.plane(), scratch.plane());
        input.silence();
        for (input, channel) in input.0.iter_mut().zip(block.iter_mut()) {
            input[..frames].copy_from_slice(channel);
            channel.fill(0.0);
        }
        taken.fill(0.0);
        let mut notify = |notice| tell(&self.health, &mut self.notices, notice);
        let mut measured = Measured::SILENT;
        self.tails.for_each_mut(|RackTail { rack, tail }| {
            tail.input.fill(&mut fade[..frames]);
            for (taken, fade) in taken.iter_mut().zip(&fade[..frames]) {
                *taken += fade;
            }
            scale(&mut work, &input, &fade[..frames]);
            let part = work.block(count, frames, position);
            let mut part = part.with_key(key.as_mut().map(copied));
            rack.process(&mut part, &mut scratch, &mut measured, &mut notify);
            let limits = Limits {
                quiet_frames: rack.quiet_frames(),
                age_frames: self.stream.frames(TAIL_LIMIT_SECS),
            };
            tail.finish_chunk(&mut part, fade, limits);
            add_to(block, &mut part);
        });
        for (fade, taken) in fade.iter_mut().zip(&*taken) {
            *fade = 1.0 - taken;
        }
        scale(&mut work, &input, &fade[..frames]);
        let part = work.block(count, frames, position);
        let mut part = part.with_key(key.as_mut().map(copied));
        self.rack
            .process(&mut part, &mut scratch, &mut measured, &mut notify);
        add_to(block, &mut part);
        let fade_frames = self.stream.frames(FADE_SECS);
        self.tails.retain_mut(|RackTail { tail, .. }| {
            if tail.is_old() && !tail.is_cut() {
                tail.cut_off(fade_frames);
                notify(Notice::RackCut);
            }
            !tail.is_over()
        });
    }

    /// Takes what the controller sent. An edit or a preset for which there is no room yet stays in
    /// the queue, and all that comes behind it: nothing overtakes.
    fn take_messages(&mut self, most: usize) {
        for _ in 0..most {
            let room = match self.commands.peek() {
                Err(_) => return,
                Ok(Message::Edit(order)) => self.rack.has_room_for(order),
                Ok(Message::Preset(_)) => self.has_room_for_rack(),
                Ok(_) => Ok(()),
            };
            if let Err(NoRoom { cut }) = room {
                add(&self.health.cut_tails, cut);
                return;
            }
            match self.commands.pop() {
                Err(_) => return,
                Ok(Message::Change(change)) => self.take_change(change, Source::Controller),
                Ok(Message::Edit(mut order)) => {
                    self.rack.apply(&mut order);
                    self.panic.start_anew();
                    raise(&self.health.most_slots, self.rack.entries() as u64);
                }
                Ok(Message::Preset(rack)) => {
                    self.change_rack(rack);
                    self.panic.start_anew();
                    raise(&self.health.most_slots, self.rack.entries() as u64);
                    raise(&self.health.most_rack_tails, self.tails.most() as u64);
                }
                Ok(Message::Mute(on)) => self.mute(on),
                Ok(Message::Reset) => self.forget(),
            }
        }
    }

    fn take_event(&mut self, event: &Event) {
        self.take_change(event.change, Source::Event);
    }

    fn take_change(&mut self, change: Change, source: Source) {
        if let Change::Tempo(tempo) = change {
            self.tempo_cell.set(source.of_event(tempo));
            self.set_tempo(tempo);
        }
        if let Some(slot) = change.slot()
            && !self.rack.change(slot, change, source)
        {
            tell(&self.health, &mut self.notices, Notice::UnknownSlot(slot));
        }
    }

    /// What has left follows too: an echo that outlives its rack stays on the beat.
    fn set_tempo(&mut self, tempo: Tempo) {
        self.tempo = tempo;
        self.rack.set_tempo(tempo);
        self.tails.for_each_mut(|left| left.rack.set_tempo(tempo));
    }

    fn has_room_for_rack(&mut self) -> Result<(), NoRoom> {
        if !self.tails.is_full() {
            return Ok(());
        }
        let fade_frames = self.stream.frames(FADE_SECS);
        let mut cut = 0;
        if let Some(RackTail { tail, .. }) = self.tails.oldest_mut()
            && !tail.is_cut()
        {
            tail.cut_off(fade_frames);
            cut = 1;
        }
        Err(NoRoom { cut })
    }

    fn change_rack(&mut self, mut rack: Owned<Rack>) {
        rack.set_tempo(self.tempo);
        let taken: f32 = self.tails.iter().map(|left| left.tail.input.now()).sum();
        let old = std::mem::replace(&mut self.rack, rack);
        if self.position == 0 {
            // Nothing has sounded yet: there is nothing to fade.
            return;
        }
        let left = self.tails.put(RackTail {
            rack: old,
            tail: Tail::new(1.0 - taken, self.stream.frames(FADE_SECS)),
        });
        // The change waited for room, so there is some; a rack for which there were none would be cut off
        // here, and go to the collector.
        if left.is_err() {
            tell(&self.health, &mut self.notices, Notice::RackCut);
        }
    }
}

/// Counts what a notice says, and sends it; a notice that finds no room is counted.
fn tell(health: &HealthCells, notices: &mut Producer<Notice>, notice: Notice) {
    match notice {
        Notice::NotFinite(_) => add(&health.muted_chunks, 1),
        Notice::Panicked(_) => add(&health.panics, 1),
        _ => {}
    }
    if notices.push(notice).is_err() {
        add(&health.lost_notices, 1);
    }
}

/// Part of the first one or two channels as a block; `None` if there are none.
fn block_of<'a>(
    channels: &'a mut [&mut [f32]],
    span: Range<usize>,
    position: u64,
) -> Option<Block<'a>> {
    match channels {
        [] => None,
        [mono] => Some(Block::mono(&mut mono[span], position)),
        [left, right, ..] => Some(Block::stereo(
            &mut left[span.clone()],
            &mut right[span],
            position,
        )),
    }
}

/// Puts 0 for what is not finite; returns how many were not.
fn make_finite(samples: &mut [f32]) -> u64 {
    // Nothing times 0 is 0 but what is finite, and a sum keeps what is no number: two operations a
    // vector.
    let (whole, rest) = samples.as_chunks::<8>();
    let mut zeros = [f32x4::ZERO; 2];
    for &[a, b, c, d, e, f, g, h] in whole {
        zeros[0] += f32x4::new([a, b, c, d]) * f32x4::ZERO;
        zeros[1] += f32x4::new([e, f, g, h]) * f32x4::ZERO;
    }
    let rest: f32 = rest.iter().map(|sample| sample * 0.0).sum();
    if !((zeros[0] + zeros[1]).reduce_add() + rest).is_nan() {
        return 0;
    }
    let mut bad = 0;
    for sample in samples {
        if !sample.is_finite() {
            *sample = 0.0;
            bad += 1;
        }
    }
    bad
}

/// A copy of a chunk's key.
fn copied<'a>((key, room): &'a mut ([&mut [f32]; 2], Chunk<'_>)) -> [&'a mut [f32]; 2] {
    let frames = key[0].len();
    for (to, from) in room.0.iter_mut().zip(&*key) {
        to[..frames].copy_from_slice(from);
    }
    room.split(frames)
}

/// `to = from * gains`, frame by frame.
fn scale(to: &mut Chunk<'_>, from: &Chunk<'_>, gains: &[f32]) {
    for (to, from) in to.0.iter_mut().zip(from.0.iter()) {
        for ((to, from), gain) in to.iter_mut().zip(from).zip(gains) {
            *to = from * gain;
        }
    }
}

/// `to = to + from`, frame by frame.
fn add_to(to: &mut Block<'_>, from: &mut Block<'_>) {
    for (to, from) in to.iter_mut().zip(from.iter_mut()) {
        for (to, from) in to.iter_mut().zip(&*from) {
            *to += from;
        }
    }
}

const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Processor>();
};
