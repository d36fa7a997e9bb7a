//! What every device calls: from its interleaved block to the rack and back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use cpal::FromSample;
use cpal::Sample;
use headroom_engine::Buffer;
use headroom_engine::MemoryMap;
use headroom_engine::Processor;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use headroom_engine::realtime::ViolationCounts;
use headroom_engine::realtime::guarded;

use super::bridge::LiveInput;
use super::priority;
use super::record::TapSocket;
use super::routing::Layout;
use super::shared::Shared;
use super::source::FileInput;
use crate::midi;

/// Seconds of the fade that ends every programme.
const FADE_SECS: f64 = 0.03;
/// The tail of a file is over when the output has stayed below this ...
const QUIET: f32 = 3.162e-5; // -90 dBFS
/// ... for this long (or longer, if an echo of the rack can come later) ...
const QUIET_SECS: f64 = 1.0;
/// ... and at the latest after this.
const MAX_TAIL_SECS: f64 = 60.0;

/// Where the frames come from.
pub(super) enum Input {
    /// A file, through its reader thread.
    File(FileInput),
    /// The input device, through its own callback.
    Live(Box<LiveInput>),
    /// The device's own block: what is heard and what is played are of one callback.
    Block,
    /// Nothing: the device has no input.
    Silence,
}

/// The output callback: owns the processor, feeds it pieces of at most `max_block_frames`, counts.
pub(super) struct Player {
    processor: Processor,
    input: Input,
    shared: Arc<Shared>,
    taps: Option<TapSocket>,
    left: Buffer,
    right: Buffer,
    /// Whether the thread that calls has called before.
    settled: bool,
    primed: bool,
    /// The device before was lost, and the rack goes on at another.
    arriving: bool,
    /// Frames of the programme so far.
    position: u64,
    /// The first frame that is no longer part of the programme.
    end: Option<u64>,
    fade_frames: u64,
    tail: Tail,
    /// What MIDI there is to listen to.
    midi: Option<Box<midi::Feed>>,
}

/// What a device calls with: a block to be filled, whatever its shape, and perhaps what was heard meanwhile.
pub(super) trait Block {
    /// `[audio]` Frames to be filled.
    fn frames(&self) -> usize;

    /// `[audio]` Both sides of what was heard from frame `at` on; silence where there is no input.
    fn hear(&self, at: usize, left: &mut [f32], right: &mut [f32]);

    /// `[audio]` Fills the frames from `at` on. What was heard there may be gone then.
    fn put(&mut self, at: usize, left: &[f32], right: &[f32]);

    /// `[audio]` Silence from frame `at` to the end.
    fn silence(&mut self, at: usize);
}

/// A block with the channels of each frame side by side.
struct Interleaved<'a, T> {
    samples: &'a mut [T],
    layout: Layout,
}

impl<T> Block for Interleaved<'_, T>
where
    T: Sample + FromSample<f32>,
{
    fn frames(&self) -> usize {
        self.samples.len() / self.layout.count()
    }

    fn hear(&self, _: usize, left: &mut [f32], right: &mut [f32]) {
        left.fill(0.0);
        right.fill(0.0);
    }

    fn put(&mut self, at: usize, left: &[f32], right: &[f32]) {
        let count = self.layout.count();
        let range = at * count..(at + left.len()) * count;
        self.layout.place(left, right, &mut self.samples[range]);
    }

    fn silence(&mut self, at: usize) {
        self.samples[at * self.layout.count()..].fill(T::EQUILIBRIUM);
    }
}

/// How long the rack rings on after a file.
struct Tail {
    least_frames: u64,
    quiet_frames: u64,
    most_frames: u64,
    /// Frames since the file ended, and how many of the newest were quiet.
    since_frames: u64,
    quiet_for_frames: u64,
}

/// What a [`Player`] is made for.
pub(super) struct Programme {
    pub(super) sample_rate_hz: u32,
    pub(super) max_block_frames: usize,
    /// Exact length, or until stopped.
    pub(super) length_frames: Option<u64>,
    pub(super) latency_frames: usize,
}

impl Player {
    /// `[main]` Allocates all that the callback will ever use.
    pub(super) fn new(
        processor: Processor,
        input: Input,
        programme: &Programme,
        shared: &Arc<Shared>,
    ) -> Self {
        let frames = |secs: f64| (secs * f64::from(programme.sample_rate_hz)).ceil() as u64;
        Self {
            processor,
            input,
            shared: Arc::clone(shared),
            taps: None,
            left: Buffer::silent(programme.max_block_frames),
            right: Buffer::silent(programme.max_block_frames),
            primed: false,
            settled: false,
            arriving: false,
            position: 0,
            end: programme.length_frames,
            fade_frames: frames(FADE_SECS),
            tail: Tail {
                least_frames: programme.latency_frames as u64,
                quiet_frames: frames(QUIET_SECS),
                most_frames: frames(MAX_TAIL_SECS),
                since_frames: 0,
                quiet_for_frames: 0,
            },
            midi: None,
        }
    }

    /// `[main]` Lists its memory, and that of what it is fed by. It must lie where it will be used.
    pub(super) fn list(&self, map: &mut MemoryMap) {
        let player = || Owner::Program("player");
        map.add_heap(player(), "itself", Sort::State, Place::at(self, 1));
        map.add_heap(player(), "left", Sort::Samples, Place::of(&self.left));
        map.add_heap(player(), "right", Sort::Samples, Place::of(&self.right));
        let shared = Place::at(Arc::as_ptr(&self.shared), 1);
        map.add_heap(player(), "words", Sort::Cells, shared);
        match &self.input {
            Input::File(file) => file.list(map),
            Input::Live(live) => live.list(map),
            Input::Block | Input::Silence => {}
        }
        if let Some(midi) = &self.midi {
            midi.list(map);
        }
    }

    /// `[main]` Moves the rack by MIDI from now on.
    pub(super) fn listen_to(&mut self, feed: midi::Feed) {
        self.midi = Some(Box::new(feed));
    }

    /// `[main]` The rack is another one: what MIDI moves in it now.
    pub(super) fn move_midi_to(&mut self, table: midi::Table) {
        if let Some(midi) = &mut self.midi {
            midi.move_to(table);
        }
    }

    /// `[main]` The same with a place for recordings.
    pub(super) fn with_taps(mut self, taps: TapSocket) -> Self {
        self.taps = Some(taps);
        self
    }

    /// `[main]` Makes it ready for another device of the same rate: the rack goes on where it was. The
    /// input is a new one, unless it is a file's.
    pub(super) fn move_on(&mut self, input: Option<Input>) {
        self.settled = false;
        self.arriving = self.primed;
        if let Some(input) = input {
            self.input = input;
        }
    }

    /// `[main]` Makes it ready for a device of another rate: a rack that was built anew, and as much of the
    /// programme behind it, in seconds, as there was.
    pub(super) fn start_over(
        &mut self,
        processor: Processor,
        input: Input,
        programme: &Programme,
        before_hz: u32,
    ) {
        let ratio = f64::from(programme.sample_rate_hz) / f64::from(before_hz);
        let scaled = |frames: u64| (frames as f64 * ratio).round() as u64;
        let position = scaled(self.position);
        let mut processor = processor;
        processor.publish_to(self.processor.publish_to(None));
        // Their writer is the callback that has the player, and now nobody else has it.
        let heard_frames = &self.shared.input_frames;
        heard_frames.store(scaled(heard_frames.load(Relaxed)), Relaxed);
        self.shared.frames.store(position, Relaxed);
        *self = Self {
            position,
            taps: self.taps.take(),
            midi: self.midi.take(),
            ..Self::new(processor, input, programme, &self.shared)
        };
    }

    /// `[audio]` Fills one interleaved block of the device, whatever its size.
    pub(super) fn fill<T>(&mut self, block: &mut [T], layout: Layout)
    where
        T: Sample + FromSample<f32>,
    {
        self.fill_block(&mut Interleaved {
            samples: block,
            layout,
        });
    }

    /// `[audio]` Fills one block of the device, whatever its size.
    pub(super) fn fill_block(&mut self, block: &mut impl Block) {
        let frames = block.frames();
        self.shared.callbacks.fetch_add(1, Relaxed);
        self.shared.asked_frames.fetch_add(frames as u64, Relaxed);
        if !self.settled {
            self.settled = true;
            self.settle(block);
        }
        // A device that is lost and still calls may run at another rate: silence, not noise.
        if !self.shared.running() || self.shared.lost().is_some() {
            block.silence(0);
            if let Input::Live(live) = &mut self.input {
                live.flush();
            }
            return;
        }
        let mut from = 0;
        if !self.primed {
            from = frames.min(self.left.len());
            self.prime(from);
            block.put(0, &self.left[..from], &self.right[..from]);
        }
        // Not the rack alone: what feeds it keeps the same promise, and is counted with it.
        let before = ViolationCounts::of_this_thread();
        guarded(|| self.run(block, from));
        self.shared.count_violations(before);
    }

    /// `[audio]` Cuts the rest of a block into pieces that the rack takes.
    fn run(&mut self, block: &mut impl Block, from: usize) {
        if let Some(taps) = &mut self.taps {
            taps.look();
        }
        if self.shared.stopping() {
            let soon = self.position + self.fade_frames;
            self.end = Some(self.end.map_or(soon, |end| end.min(soon)));
        }
        let frames = block.frames() - from;
        if let Input::Live(live) = &mut self.input {
            live.begin(Instant::now(), frames);
        }
        if let Some(midi) = &mut self.midi {
            midi.begin(frames, &mut self.processor);
        }
        let mut at = from;
        while at < block.frames() {
            let left_frames = self
                .end
                .map_or(u64::MAX, |end| end.saturating_sub(self.position));
            if left_frames == 0 {
                block.silence(at);
                break;
            }
            let piece_frames = usize::try_from(left_frames)
                .unwrap_or(usize::MAX)
                .min(block.frames() - at)
                .min(self.left.len());
            self.play(block, at, piece_frames);
            block.put(at, &self.left[..piece_frames], &self.right[..piece_frames]);
            at += piece_frames;
        }
        if self.end.is_some_and(|end| end <= self.position) {
            self.shared.finish();
        }
    }

    /// `[audio]` The first callback of a thread, while the device is still on trial: what takes its time
    /// once per thread, and would be heard as a gap later.
    fn settle(&mut self, block: &mut impl Block) {
        let frames = block.frames().min(self.left.len());
        // Touches the block's own memory.
        block.hear(0, &mut self.left[..frames], &mut self.right[..frames]);
        block.silence(0);
        self.shared.set_priority(priority::make_realtime());
        self.shared.stack.paint();
        if self.arriving {
            self.arriving = false;
            self.processor.move_to_this_thread();
            // Again, present now: that call goes deep on purpose.
            self.shared.stack.paint();
        }
    }

    /// `[audio]` The priming block: what happens once per thread happens here, in silence.
    fn prime(&mut self, frames: usize) {
        self.primed = true;
        // Whole, not `frames` of it: every page is touched before the faults are counted.
        self.left.fill(0.0);
        self.right.fill(0.0);
        self.processor.process(
            &mut [&mut self.left[..frames], &mut self.right[..frames]],
            &[],
        );
        if let Input::Live(live) = &mut self.input {
            live.flush();
        }
    }

    /// `[audio]` One piece of the programme.
    fn play(&mut self, block: &impl Block, at: usize, frames: usize) {
        let (left, right) = (&mut self.left[..frames], &mut self.right[..frames]);
        let mut input_over = false;
        match &mut self.input {
            Input::File(file) => {
                let read = file.fill(left, right);
                self.shared
                    .input_frames
                    .fetch_add(read.frames as u64, Relaxed);
                if read.ran_dry {
                    self.shared.input_underruns.fetch_add(1, Relaxed);
                }
                input_over = read.over;
            }
            Input::Live(live) => live.fill(left, right),
            Input::Block => block.hear(at, left, right),
            Input::Silence => {
                left.fill(0.0);
                right.fill(0.0);
            }
        }

        if let Some(taps) = &mut self.taps {
            taps.keep_dry(left, right);
        }
        let start = Instant::now();
        let events = match &mut self.midi {
            Some(midi) => midi.next(frames),
            None => &[],
        };
        self.processor
            .process(&mut [&mut *left, &mut *right], events);
        let busy_ns = start.elapsed().as_nanos();
        self.shared
            .busy_ns
            .fetch_add(busy_ns.try_into().unwrap_or(u64::MAX), Relaxed);

        if input_over
            && self.end.is_none()
            && self
                .tail
                .is_over(left, right, self.processor.quiet_frames() as u64)
        {
            self.end = Some(self.position + self.fade_frames.max(frames as u64));
        }
        if let Some(end) = self.end {
            fade_out(left, right, self.position, end, self.fade_frames);
        }
        if let Some(taps) = &mut self.taps {
            taps.push(left, right);
        }
        self.shared.raise_peak(peak(left).max(peak(right)));
        self.position += frames as u64;
        self.shared.frames.store(self.position, Relaxed);
    }
}

impl Tail {
    /// `[audio]` Follows one block after the end of the input.
    fn is_over(&mut self, left: &[f32], right: &[f32], echo_frames: u64) -> bool {
        self.since_frames += left.len() as u64;
        if peak(left).max(peak(right)) < QUIET {
            self.quiet_for_frames += left.len() as u64;
        } else {
            self.quiet_for_frames = 0;
        }
        self.since_frames >= self.most_frames
            || (self.since_frames >= self.least_frames
                && self.quiet_for_frames >= self.quiet_frames.max(echo_frames))
    }
}

fn peak(samples: &[f32]) -> f32 {
    samples
        .iter()
        .fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
}

/// `[audio]` The last `fade_frames` before `end` go to silence by half a cosine, sample by sample.
fn fade_out(left: &mut [f32], right: &mut [f32], position: u64, end: u64, fade_frames: u64) {
    let start = end.saturating_sub(fade_frames);
    if position + left.len() as u64 <= start {
        return;
    }
    for (index, (left, right)) in left.iter_mut().zip(right.iter_mut()).enumerate() {
        let at = position + index as u64;
        if at >= start {
            let left_frames = end.saturating_sub(at + 1) as f32;
            let way = left_frames / fade_frames.max(1) as f32;
            let gain = 0.5 - 0.5 * (std::f32::consts::PI * way).cos();
            *left *= gain;
            *right *= gain;
        }
    }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
