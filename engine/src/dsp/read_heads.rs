//! Reads a delay line at a delay that may change: two heads and a crossfade between them.

use super::delay_line::DelayLine;

/// Where delay lines are read, and the crossfade from one place to the next. A further change waits
/// until the fade under way is done; the last one asked for wins.
#[derive(Debug, Clone, Copy)]
pub struct ReadHeads {
    /// The delay that is heard, and after a fade the one that is left.
    from_frames: usize,
    /// The delay that is faded to; the same as `from_frames` outside a fade.
    to_frames: usize,
    /// What was asked for last.
    wanted_frames: usize,
    /// Frames of the fade that have passed, and its length.
    at: usize,
    fade_frames: usize,
}

impl ReadHeads {
    /// `[any]` At rest on `delay_frames`; later fades last `fade_frames`. Both at least 1.
    pub fn new(delay_frames: usize, fade_frames: usize) -> Self {
        Self {
            from_frames: delay_frames,
            to_frames: delay_frames,
            wanted_frames: delay_frames,
            at: 0,
            fade_frames: fade_frames.max(1),
        }
    }

    /// `[any]` Whether two heads are heard.
    pub fn is_fading(&self) -> bool {
        self.from_frames != self.to_frames
    }

    /// `[audio]` Goes to `delay_frames`, at least 1, as soon as no fade is under way.
    pub fn set(&mut self, delay_frames: usize) {
        self.wanted_frames = delay_frames;
        if !self.is_fading() {
            self.to_frames = delay_frames;
        }
    }

    /// `[audio]` How many frames may be read at once: before one of them must be written, and before
    /// a fade ends.
    pub fn even_frames(&self) -> usize {
        let nearest = self.from_frames.min(self.to_frames);
        if self.is_fading() {
            nearest.min(self.fade_frames - self.at)
        } else {
            nearest
        }
    }

    /// `[any]` The longest delay that is heard or will be, and the time that a fade takes to it.
    pub fn longest_frames(&self) -> usize {
        let longest = self.from_frames.max(self.to_frames);
        longest.max(self.wanted_frames) + self.fade_frames
    }

    /// `[audio]` Reads the next frames of `line`, at most [`ReadHeads::even_frames`]; `spare` is as
    /// long as `out`. Call it for each line, then [`ReadHeads::advance`] once.
    pub fn read(&self, line: &DelayLine, out: &mut [f32], spare: &mut [f32]) {
        line.read(self.from_frames, out);
        if self.is_fading() {
            line.read(self.to_frames, spare);
            for (i, (out, next)) in out.iter_mut().zip(spare).enumerate() {
                *out += (*next - *out) * self.weight(1 + i);
            }
        }
    }

    /// The second head's part `ahead` frames after the last one passed. A quintic: bends so gently
    /// that a fade leaves nothing to be heard above a low tone, which a straight line does.
    #[inline(always)]
    fn weight(&self, ahead: usize) -> f32 {
        let t = (self.at + ahead) as f32 / self.fade_frames as f32;
        t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
    }

    /// `[audio]` Passes `frames` frames, at most [`ReadHeads::even_frames`].
    pub fn advance(&mut self, frames: usize) {
        if self.is_fading() {
            self.at += frames;
            if self.at >= self.fade_frames {
                self.from_frames = self.to_frames;
                self.to_frames = self.wanted_frames;
                self.at = 0;
            }
        }
    }

    /// `[audio]` Is where it was last told to go, at once.
    pub fn finish(&mut self) {
        *self = Self::new(self.wanted_frames, self.fade_frames);
    }
}
