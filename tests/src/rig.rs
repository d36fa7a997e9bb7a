//! Runs an engine block by block over a signal.

use headroom_engine::{
    Catalog, Controller, Event, Memory, ModuleSpec, Processor, RackSpec, Stream, open,
};

use crate::signal::Random;

/// An engine that has been primed, and the two ends of it.
pub struct Rig {
    /// The main thread's end.
    pub controller: Controller,
    /// The audio thread's end.
    pub processor: Processor,
}

impl Rig {
    /// Opens an engine and runs the priming block.
    pub fn new(stream: Stream, spec: &RackSpec) -> Self {
        let (controller, mut processor) =
            open(stream, spec, &Memory::default()).expect("the rack opens");
        processor.process(&mut [], &[]);
        Self {
            controller,
            processor,
        }
    }

    /// Two channels at 48 kHz, blocks of 512 at most.
    pub fn stereo(spec: &RackSpec) -> Self {
        Self::new(stream(48_000, 2), spec)
    }

    /// Runs `channels` in place, block by block; before each block `before` is called with the
    /// controller and the block's first frame. Events are given by frames from the start.
    pub fn run(
        &mut self,
        channels: &mut [Vec<f32>],
        blocks: &Blocks,
        events: &[(usize, headroom_engine::Change)],
        mut before: impl FnMut(&mut Controller, usize),
    ) {
        let frames = channels[0].len();
        let mut sizes = blocks.clone();
        let mut block_events = Vec::with_capacity(events.len());
        let mut events = events.iter().peekable();
        let mut at = 0;
        while at < frames {
            let size = sizes.next_frames().min(frames - at);
            before(&mut self.controller, at);
            block_events.clear();
            while let Some((frame, change)) = events.next_if(|event| event.0 < at + size) {
                block_events.push(Event {
                    frame: (frame - at) as u32,
                    change: *change,
                });
            }
            let mut views: Vec<&mut [f32]> = channels
                .iter_mut()
                .map(|channel| &mut channel[at..at + size])
                .collect();
            self.processor.process(&mut views, &block_events);
            at += size;
        }
    }

    /// Runs `channels` in blocks of 128.
    pub fn play(&mut self, channels: &mut [Vec<f32>]) {
        self.run(channels, &Blocks::Fixed(128), &[], |_, _| {});
    }
}

/// The sizes of blocks, one after the other.
#[derive(Debug, Clone)]
pub enum Blocks {
    /// All of one size.
    Fixed(usize),
    /// Any size from 0 to 512.
    Random(Random),
}

impl Blocks {
    fn next_frames(&mut self) -> usize {
        match self {
            Self::Fixed(frames) => *frames,
            Self::Random(random) => random.below(513),
        }
    }
}

/// A stream of blocks of 512 frames at most.
pub fn stream(rate_hz: u32, channels: usize) -> Stream {
    Stream::new(rate_hz, 512, channels).expect("a stream like any")
}

/// A rack of these modules.
pub fn rack(modules: impl IntoIterator<Item = ModuleSpec>) -> RackSpec {
    RackSpec {
        modules: modules.into_iter().collect(),
        ..RackSpec::default()
    }
}

/// A built-in module with its default values.
pub fn module(kind: &str) -> ModuleSpec {
    let kind = Catalog::builtin().find(kind);
    ModuleSpec::new(kind.expect("a built-in kind"))
}

/// A module whose every parameter that is no switch or choice stands somewhere off its default, so
/// that it does something to the sound.
pub fn lively(kind: &'static headroom_engine::Kind, seed: u64) -> ModuleSpec {
    let mut random = Random::new(seed);
    let mut module = ModuleSpec::new(kind);
    for (value, param) in module.values.iter_mut().zip(kind.params) {
        let middle = param.normalize(param.default);
        let position = middle + 0.35 * (random.unit() - 0.5);
        *value = param.denormalize(position.clamp(0.0, 1.0));
        if param.labels().is_some() {
            *value = param.clamp(random.below(param.max as usize + 1) as f32);
        }
        if param.scale == headroom_engine::Scale::Switch {
            *value = if random.unit() > 0.5 { 1.0 } else { 0.0 };
        }
    }
    module
}
