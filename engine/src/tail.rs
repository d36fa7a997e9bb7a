//! What has left and still rings: a slot that was removed, or a whole rack.

use crate::block::{Block, CHUNK_FRAMES};
use crate::fade::{Fade, SILENT};
use crate::meter::Measured;

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
    /// The next two are decided at multiples of [`CHUNK_FRAMES`] only, so that they fall on the same
    /// frame for any split into blocks.
    over: bool,
    old: bool,
}

impl Tail {
    /// `[audio]` Begins to leave; `from` is how much of the input it had.
    pub(crate) fn new(from: f32, fade_frames: usize) -> Self {
        Self {
            input: Fade::out(from.clamp(0.0, 1.0), fade_frames),
            cut: None,
            peak: 0.0,
            silent_frames: 0,
            age_frames: 0,
            over: false,
            old: false,
        }
    }

    /// `[any]` Frames since it left.
    pub(crate) fn age_frames(&self) -> usize {
        self.age_frames
    }

    /// `[any]` Whether it is being cut off.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// `[audio]` Fades its output out, if that is not on its way already.
    pub(crate) fn cut_off(&mut self, fade_frames: usize) {
        self.cut.get_or_insert(Fade::out(1.0, fade_frames));
    }

    /// `[audio]` After it ran: applies the cut to its `output`, counts silence and age. `gains` is
    /// room for a fade's values.
    pub(crate) fn finish_chunk(
        &mut self,
        output: &mut Block<'_>,
        gains: &mut [f32; CHUNK_FRAMES],
        limits: Limits,
    ) {
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
        let mut measured = Measured::SILENT;
        measured.set(output);
        self.peak = self.peak.max(measured.peak[0]).max(measured.peak[1]);
        self.silent_frames += frames;
        self.age_frames += frames;
        let end = output.position() + frames as u64;
        if end.is_multiple_of(CHUNK_FRAMES as u64) {
            if self.peak >= SILENT {
                self.silent_frames = 0;
            }
            self.peak = 0.0;
            let cut = self.cut.is_some_and(|cut| !cut.is_moving());
            let silent = self.silent_frames > limits.quiet_frames;
            self.over = !self.input.is_moving() && (cut || silent);
            self.old = self.age_frames > limits.age_frames;
        }
    }

    /// `[any]` Whether it can go: it gets no input, and was cut off or silent for long enough.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// `[any]` Whether it rings for longer than it may.
    pub(crate) fn is_old(&self) -> bool {
        self.old
    }
}

/// When something that has left is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// It was silent for this long.
    pub(crate) quiet_frames: usize,
    /// It has rung for this long.
    pub(crate) age_frames: usize,
}
