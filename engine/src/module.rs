//! What an effect is: plain data ([`Kind`]) that builds the object on the audio thread ([`Module`]).

use std::any::Any;

use crate::block::Block;
use crate::face::Face;
use crate::memory::{ArenaBox, ArenaSlice, Carver};
use crate::param::Param;
use crate::stream::Stream;
use crate::tempo::Tempo;

/// The audio-thread side of one effect.
///
/// Everything it needs was carved in [`Kind::build`]. Its output may depend on the input, the
/// parameters and the time since reset, never on how that time was cut into chunks: a filter's
/// remainder does the same operations as its whole vectors, and a ramp counts frames.
pub trait Module: Send + Any {
    /// `[audio]` Moves parameter `index` of the kind's table to `value`, in the table's unit and
    /// already inside its range. It takes effect with the next frame, without zipper noise.
    /// Structural parameters never come this way.
    fn set_param(&mut self, index: usize, value: f32);

    /// `[audio]` Runs one chunk in place: 1 to [`crate::CHUNK_FRAMES`] finite frames of as many
    /// channels as the stream has.
    fn process(&mut self, block: &mut Block<'_>);

    /// `[audio]` Forgets all sound and ends all ramps: what follows is as after `build` with the
    /// parameters of now. Touches 64 KiB at most: a larger memory is not cleared but fenced off
    /// (count the frames written since).
    fn reset(&mut self);

    /// `[any]` Frames by which the output is late; fixed from build on.
    fn latency_frames(&self) -> usize {
        0
    }

    /// `[audio]` For how many frames the output must have been silent, the input being silent too,
    /// before it can be called silent for good. An echo needs its delay time here.
    fn quiet_frames(&self) -> usize {
        256
    }

    /// `[audio]` By how many dB the last frame was turned down, at least 0, for the meters: of modules
    /// that follow a level. Make-up gain is left out of account; of several channels or bands, the one
    /// that is turned down most.
    fn gain_reduction_db(&self) -> f32 {
        0.0
    }

    /// `[audio]` Whether it follows the block's key ([`Block::split_with_key`]), as it is set now. Asked when
    /// it is built and behind every change: a key that nobody follows is not copied.
    fn follows_key(&self) -> bool {
        false
    }

    /// `[audio]` The music goes at `tempo` from the next frame on. Told before the first frame too: a module
    /// that follows it begins there at once, and afterwards gets there without a click, though a host may say
    /// another with every block. Until it is told it goes by [`Tempo::default`]; a reset does not change it.
    fn set_tempo(&mut self, tempo: Tempo) {
        let _ = tempo;
    }

    /// `[audio]` Takes over the *control* state of an instance of the same kind that leaves: envelopes,
    /// detector states, LFO phases, smoothers; 4 KiB at most and never audio histories, which would
    /// sound twice. `old` can be downcast with `downcast`, a method of `dyn Module`.
    fn adopt(&mut self, old: &dyn Module) {
        let _ = old;
    }
}

impl dyn Module {
    /// `[audio]` This module as its own type, or `None` if it is of another.
    pub fn downcast<M: Module>(&self) -> Option<&M> {
        (self as &dyn Any).downcast_ref()
    }
}

/// One kind of effect: its name, its parameter table and how it is built. A constant of its file.
pub struct Kind {
    /// Unique, lower case: `eq`. What a preset's `kind` says.
    pub id: &'static str,
    /// For people: `Equaliser`.
    pub name: &'static str,
    /// One line for people: what it does.
    pub about: &'static str,
    /// What a screen can show of it beside its parameters.
    pub face: Face,
    /// The parameter table; [`Module::set_param`] speaks of its indices.
    pub params: &'static [Param],
    /// `[main]` Builds the module: `setup` is the only source of memory. Runs twice over the same
    /// code, first to measure, then to carve; while measuring, buffers are empty.
    pub build: fn(setup: &mut Setup<'_>) -> ArenaBox<dyn Module>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("id", &self.id).finish()
    }
}

impl Kind {
    /// `[any]` The index of a parameter in the table.
    pub fn param_index(&self, id: &str) -> Option<usize> {
        self.params.iter().position(|param| param.id == id)
    }

    /// `[main]` The table's default values.
    pub fn defaults(&self) -> Vec<f32> {
        self.params.iter().map(|param| param.default).collect()
    }
}

/// The setup phase of one module: the stream, the parameter values, and the arena to carve from.
pub struct Setup<'a> {
    stream: Stream,
    values: &'a [f32],
    carver: &'a mut Carver,
}

impl<'a> Setup<'a> {
    /// `[main]` The setup of a module with these `values` (one for each row of its table).
    pub fn new(stream: Stream, values: &'a [f32], carver: &'a mut Carver) -> Self {
        Self {
            stream,
            values,
            carver,
        }
    }

    /// `[main]` The stream it will run in.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// `[main]` The values of all parameters, in the table's order.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// `[main]` Carves `frames` samples of silence under `name`, aligned to 64 bytes. Empty while
    /// measuring.
    pub fn buffer(&mut self, name: &'static str, frames: usize) -> ArenaSlice<f32> {
        self.carver.slice(name, frames, |_| 0.0)
    }

    /// `[main]` Carves `len` elements under `name`, aligned to 64 bytes, each made by `init`, which
    /// is not called while measuring (the slice is then empty).
    pub fn slice<T: Copy + Send + Sync + 'static>(
        &mut self,
        name: &'static str,
        len: usize,
        init: impl FnMut(usize) -> T,
    ) -> ArenaSlice<T> {
        self.carver.slice(name, len, init)
    }

    /// `[main]` Puts the finished module itself into the arena: the last thing that `build` does.
    pub fn module<M: Module>(&mut self, module: M) -> ArenaBox<dyn Module> {
        self.carver.module(module)
    }
}

/// The kinds that presets may name: the built-in ones and whatever a program adds.
#[derive(Debug, Clone)]
pub struct Catalog {
    kinds: Vec<&'static Kind>,
}

impl Catalog {
    /// `[main]` The built-in modules.
    pub fn builtin() -> Self {
        Self {
            kinds: crate::modules::ALL.to_vec(),
        }
    }

    /// `[main]` One more kind; it replaces one of the same id.
    #[must_use]
    pub fn with(mut self, kind: &'static Kind) -> Self {
        self.kinds.retain(|known| known.id != kind.id);
        self.kinds.push(kind);
        self
    }

    /// `[main]` All kinds, in the order in which people are shown them.
    pub fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// `[main]` The kind of this id.
    pub fn find(&self, id: &str) -> Option<&'static Kind> {
        self.kinds.iter().copied().find(|kind| kind.id == id)
    }
}
