//! The crossfade of edits, preset changes, bypass and mute: 20 ms, with no corner to be heard.
//!
//! Parameters move by other curves (`ramp.rs`): automation that sets a new target every few frames
//! would never get away from the flat start of this one.

/// How long a slot or a rack takes to come or to leave, in seconds.
pub(crate) const FADE_SECS: f64 = 0.02;
/// What has left is silent below this: -100 dBFS.
pub(crate) const SILENT: f32 = 1e-5;

/// An amount that goes once from one value to another. Its values depend on the frames since it
/// began, not on how they were cut into blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fade {
    from: f32,
    to: f32,
    at: u32,
    frames: u32,
}

impl Fade {
    /// Wholly there.
    pub(crate) const fn all() -> Self {
        Self::at(1.0)
    }

    /// At rest on `value`.
    pub(crate) const fn at(value: f32) -> Self {
        Self {
            from: value,
            to: value,
            at: 1,
            frames: 1,
        }
    }

    /// From 0 to 1.
    pub(crate) fn into(frames: usize) -> Self {
        Self::over(0.0, 1.0, frames)
    }

    /// From `from` to 0.
    pub(crate) fn out(from: f32, frames: usize) -> Self {
        Self::over(from, 0.0, frames)
    }

    /// From one value to another.
    pub(crate) fn over(from: f32, to: f32, frames: usize) -> Self {
        Self {
            from,
            to,
            at: 0,
            frames: u32::try_from(frames).unwrap_or(u32::MAX).max(1),
        }
    }

    pub(crate) fn is_moving(&self) -> bool {
        self.at < self.frames
    }

    /// Where it ends.
    pub(crate) fn target(&self) -> f32 {
        self.to
    }

    /// Frames until it ends.
    pub(crate) fn remaining_frames(&self) -> usize {
        (self.frames - self.at) as usize
    }

    /// The value `ahead` frames after the last one passed.
    pub(crate) fn ahead(&self, ahead: usize) -> f32 {
        self.value(self.at.saturating_add(ahead as u32))
    }

    /// `[audio]` Passes `frames` frames.
    pub(crate) fn advance(&mut self, frames: usize) {
        self.at = self.at.saturating_add(frames as u32).min(self.frames);
    }

    /// The value of the last frame passed.
    pub(crate) fn now(&self) -> f32 {
        self.value(self.at)
    }

    fn value(&self, at: u32) -> f32 {
        if at >= self.frames {
            return self.to;
        }
        // Perlin's smootherstep: its first and second derivatives are 0 at both ends.
        let x = at as f32 / self.frames as f32;
        let shape = x * x * x * (10.0 + x * (6.0 * x - 15.0));
        self.from + (self.to - self.from) * shape
    }

    /// `[any]` The values of the next frames, without passing them.
    pub(crate) fn peek(&self, values: &mut [f32]) {
        let mut ahead = *self;
        ahead.fill(values);
    }

    /// `[audio]` Passes `values.len()` frames and writes each one's value.
    pub(crate) fn fill(&mut self, values: &mut [f32]) {
        if !self.is_moving() {
            values.fill(self.to);
            return;
        }
        for value in values {
            self.at = (self.at + 1).min(self.frames);
            *value = self.value(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_and_its_reverse_add_up_to_one_at_every_frame() {
        let (mut one, mut other) = (Fade::into(960), Fade::out(1.0, 960));
        let (mut a, mut b) = ([0.0; 1000], [0.0; 1000]);
        one.fill(&mut a);
        other.fill(&mut b[..7]);
        other.fill(&mut b[7..]);
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            assert!((a + b - 1.0).abs() < 1e-6, "frame {i}: {a} + {b}");
        }
        assert!(
            a.windows(2).all(|pair| pair[1] - pair[0] > -1e-6),
            "it never turns back"
        );
        assert_eq!((a[959], a[999]), (1.0, 1.0));
    }
}
