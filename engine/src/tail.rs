//! What has left and still rings: a slot that was removed, or a whole rack.

use crate::block::{Block, CHUNK_FRAMES};
use crate::fade::{Fade, SILENT};
use crate::meter::measure;

/// How something leaves: its input fades out, then it rings until it is silent or cut off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    /// How much of the input it still gets.
    pub(crate) input: Fade,
    /// Set once it is cut off: the gain of its output.
    cut: Option<Fade>,
    /// Highest sample since the last multiple of [`CHUNK_FRAMES`].
    peak: f32,
    silent_frames: usize,
    age_frames: usize,
    over: Over,
}

/// What is decided at multiples of [`CHUNK_FRAMES`] only, so that it falls on the same frame for
/// any split into blocks.
#[derive(Debug, Clone, Copy, Default)]
struct Over {
    cut: bool,
    silent_frames: usize,
    age_frames: usize,
    no_input: bool,
}

impl Tail {
    /// [audio] Begins to leave; `from` is how much of the input it had.
    pub(crate) fn new(from: f32, fade_frames: usize) -> Self {
        Self {
            input: Fade::out(from.clamp(0.0, 1.0), fade_frames),
            cut: None,
            peak: 0.0,
            silent_frames: 0,
            age_frames: 0,
            over: Over::default(),
        }
    }

    /// [any] Frames since it left.
    pub(crate) fn age_frames(&self) -> usize {
        self.age_frames
    }

    /// [any] Whether it is being cut off.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// [audio] Fades its output out, if that is not on its way already.
    pub(crate) fn cut_off(&mut self, fade_frames: usize) {
        self.cut.get_or_insert(Fade::out(1.0, fade_frames));
    }

    /// [audio] After it ran: applies the cut to its `output`, counts silence and age. `gains` is
    /// room for a fade's values.
    pub(crate) fn finish_chunk(&mut self, output: &mut Block<'_>, gains: &mut [f32; CHUNK_FRAMES]) {
        let frames = output.frames();
        if let Some(cut) = &mut self.cut {
            let gains = &mut gains[..frames];
            cut.fill(gains);
            for channel in output.iter_mut() {
                for (sample, gain) in channel.iter_mut().zip(&*gains) {
                    *sample *= gain;
                }
            }
        }
        for channel in output.iter_mut() {
            self.peak = self.peak.max(measure(channel).peak);
        }
        self.silent_frames += frames;
        self.age_frames += frames;
        let end = output.position() + frames as u64;
        if end.is_multiple_of(CHUNK_FRAMES as u64) {
            if self.peak >= SILENT {
                self.silent_frames = 0;
            }
            self.peak = 0.0;
            self.over = Over {
                cut: self.cut.is_some_and(|cut| !cut.is_moving()),
                silent_frames: self.silent_frames,
                age_frames: self.age_frames,
                no_input: !self.input.is_moving(),
            };
        }
    }

    /// [any] Whether it can go: it gets no input, and was cut off or silent for `quiet_frames`.
    pub(crate) fn is_over(&self, quiet_frames: usize) -> bool {
        let over = self.over;
        over.no_input && (over.cut || over.silent_frames > quiet_frames)
    }

    /// [any] Whether it has rung for longer than `limit_frames`.
    pub(crate) fn is_older_than(&self, limit_frames: usize) -> bool {
        self.over.age_frames > limit_frames
    }
}
