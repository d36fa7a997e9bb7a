//! Values that move without zipper noise, the same for any split into blocks.
//!
//! A ramp is a straight line of a fixed number of frames. Its value is computed from the number of
//! frames since it was set, never by adding up steps, so that it does not depend on how the frames
//! were cut into blocks.

/// `N` values that move together, linearly, over a fixed number of frames: a gain, or all the
/// coefficients of a filter.
#[derive(Debug, Clone, Copy)]
pub struct Glide<const N: usize> {
    from: [f32; N],
    step: [f32; N],
    target: [f32; N],
    at: u32,
    frames: u32,
}

/// One value that glides.
pub type Ramp = Glide<1>;

impl<const N: usize> Glide<N> {
    /// `[any]` Starts at rest on `values`; later targets are reached after `frames` (at least 1).
    pub fn new(values: [f32; N], frames: usize) -> Self {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX).max(1);
        Self {
            from: values,
            step: [0.0; N],
            target: values,
            at: frames,
            frames,
        }
    }

    /// `[audio]` Sets off from where it is now; the next frame is the first that has moved.
    pub fn set(&mut self, target: [f32; N]) {
        let now = self.now();
        let scale = 1.0 / self.frames as f32;
        for i in 0..N {
            self.step[i] = (target[i] - now[i]) * scale;
        }
        self.from = now;
        self.target = target;
        self.at = 0;
    }

    /// `[audio]` Is on `target` at once.
    pub fn jump(&mut self, target: [f32; N]) {
        self.target = target;
        self.at = self.frames;
    }

    /// `[audio]` Ends a movement at once.
    pub fn finish(&mut self) {
        self.at = self.frames;
    }

    /// `[any]` Whether a target has not been reached yet.
    pub fn is_moving(&self) -> bool {
        self.at < self.frames
    }

    /// `[any]` Frames until the target is reached.
    pub fn remaining_frames(&self) -> usize {
        (self.frames - self.at) as usize
    }

    /// `[any]` The value of the last frame passed.
    pub fn now(&self) -> [f32; N] {
        if self.is_moving() {
            std::array::from_fn(|i| self.from[i] + self.step[i] * self.at as f32)
        } else {
            self.target
        }
    }

    /// `[any]` Where it ends.
    pub fn target(&self) -> [f32; N] {
        self.target
    }

    /// `[any]` The values of the frame `ahead` frames after the last one passed; `ahead` from 1.
    #[inline(always)]
    pub fn ahead(&self, ahead: usize) -> [f32; N] {
        let at = self.at.saturating_add(ahead as u32);
        if at < self.frames {
            std::array::from_fn(|i| self.from[i] + self.step[i] * at as f32)
        } else {
            self.target
        }
    }

    /// `[audio]` Passes one frame and gives its values.
    #[inline(always)]
    pub fn tick(&mut self) -> [f32; N] {
        let values = self.ahead(1);
        self.advance(1);
        values
    }

    /// `[audio]` Passes `frames` frames.
    #[inline(always)]
    pub fn advance(&mut self, frames: usize) {
        self.at = self
            .at
            .saturating_add(u32::try_from(frames).unwrap_or(u32::MAX))
            .min(self.frames);
    }

    /// `[audio]` Takes over where another is and goes: used when a new instance takes a slot's place.
    pub fn adopt(&mut self, other: &Self) {
        let target = self.target;
        *self = *other;
        if self.target != target {
            self.set(target);
        }
    }
}

impl Ramp {
    /// `[audio]` Passes `out.len()` frames and writes each one's value.
    pub fn fill(&mut self, out: &mut [f32]) {
        let frames = out.len();
        let moving = self.remaining_frames().min(frames);
        let (from, step, at) = (self.from[0], self.step[0], self.at);
        for (i, value) in out[..moving].iter_mut().enumerate() {
            let at = at + 1 + i as u32;
            *value = if at < self.frames {
                from + step * at as f32
            } else {
                self.target[0]
            };
        }
        out[moving..].fill(self.target[0]);
        self.advance(frames);
    }

    /// `[audio]` Passes `samples.len()` frames and multiplies each by its value.
    pub fn apply(&mut self, samples: &mut [f32]) {
        let frames = samples.len();
        let moving = self.remaining_frames().min(frames);
        for (i, sample) in samples[..moving].iter_mut().enumerate() {
            *sample *= self.ahead(1 + i)[0];
        }
        let gain = self.target[0];
        if gain != 1.0 {
            for sample in &mut samples[moving..] {
                *sample *= gain;
            }
        }
        self.advance(frames);
    }
}

/// `N` gains that move together without a corner: a cubic that sets off with the speed they have and
/// comes to rest on the target. Between targets that reverse it may overshoot by up to a fifth of
/// the way, so it is for gains; filter coefficients take the straight [`Glide`], which never leaves
/// the range between its ends.
#[derive(Debug, Clone, Copy)]
pub struct Ease<const N: usize> {
    /// Coefficients of x, x^2, x^3 and what they are added to, x from 0 to 1.
    from: [f32; N],
    linear: [f32; N],
    square: [f32; N],
    cube: [f32; N],
    target: [f32; N],
    at: u32,
    frames: u32,
}

impl<const N: usize> Ease<N> {
    /// `[any]` Starts at rest on `values`; later targets are reached after `frames` (at least 1).
    pub fn new(values: [f32; N], frames: usize) -> Self {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX).max(1);
        Self {
            from: values,
            linear: [0.0; N],
            square: [0.0; N],
            cube: [0.0; N],
            target: values,
            at: frames,
            frames,
        }
    }

    /// `[audio]` Sets off from where it is, as fast as it is; the next frame is the first that has
    /// moved.
    pub fn set(&mut self, target: [f32; N]) {
        let x = self.at as f32 / self.frames as f32;
        let moving = self.is_moving();
        for (i, &target) in target.iter().enumerate() {
            let from = self.value(i, self.at);
            let speed = if moving {
                self.linear[i] + x * (2.0 * self.square[i] + x * 3.0 * self.cube[i])
            } else {
                0.0
            };
            let way = target - from;
            self.from[i] = from;
            self.linear[i] = speed;
            // The cubic with this start, this speed, this end, and no speed there.
            self.square[i] = 3.0 * way - 2.0 * speed;
            self.cube[i] = speed - 2.0 * way;
        }
        self.target = target;
        self.at = 0;
    }

    /// `[audio]` Ends a movement at once.
    pub fn finish(&mut self) {
        self.at = self.frames;
    }

    /// `[any]` Whether a target has not been reached yet.
    pub fn is_moving(&self) -> bool {
        self.at < self.frames
    }

    /// `[any]` Frames until the target is reached.
    pub fn remaining_frames(&self) -> usize {
        (self.frames - self.at) as usize
    }

    /// `[any]` Where it ends.
    pub fn target(&self) -> [f32; N] {
        self.target
    }

    /// `[any]` The values of the frame `ahead` frames after the last one passed.
    #[inline(always)]
    pub fn ahead(&self, ahead: usize) -> [f32; N] {
        let at = self.at.saturating_add(ahead as u32);
        std::array::from_fn(|i| self.value(i, at))
    }

    #[inline(always)]
    fn value(&self, i: usize, at: u32) -> f32 {
        if at >= self.frames {
            return self.target[i];
        }
        let x = at as f32 / self.frames as f32;
        self.from[i] + x * (self.linear[i] + x * (self.square[i] + x * self.cube[i]))
    }

    /// `[audio]` Passes `frames` frames.
    #[inline(always)]
    pub fn advance(&mut self, frames: usize) {
        self.at = self
            .at
            .saturating_add(u32::try_from(frames).unwrap_or(u32::MAX))
            .min(self.frames);
    }

    /// `[audio]` Takes over where another is and goes: used when a new instance takes a slot's place.
    pub fn adopt(&mut self, other: &Self) {
        let target = self.target;
        *self = *other;
        if self.target != target {
            self.set(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramp_reaches_its_target_on_the_last_frame_and_stays() {
        let mut ramp = Ramp::new([0.0], 4);
        ramp.set([1.0]);
        let mut out = [0.0; 6];
        ramp.fill(&mut out);
        assert_eq!(out, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        assert!(!ramp.is_moving());
    }

    #[test]
    fn ramp_is_the_same_for_any_split() {
        let run = |splits: &[usize]| {
            let mut ramp = Ramp::new([0.3], 100);
            ramp.set([-7.7]);
            let mut out = vec![0.0; splits.iter().sum()];
            let mut at = 0;
            for &frames in splits {
                ramp.fill(&mut out[at..at + frames]);
                at += frames;
            }
            out
        };
        let whole = run(&[130]);
        assert_eq!(whole, run(&[1; 130]));
        assert_eq!(whole, run(&[0, 7, 32, 0, 61, 30]));
    }

    #[test]
    fn retargeting_continues_from_where_it_is() {
        let mut ramp = Ramp::new([0.0], 10);
        ramp.set([1.0]);
        ramp.advance(5);
        ramp.set([0.0]);
        let [first] = ramp.tick();
        assert!((first - 0.45).abs() < 1e-6, "{first}");
    }

    #[test]
    fn easing_has_no_corner_even_when_it_is_retargeted() {
        let mut ease = Ease::new([0.0], 100);
        let mut values = vec![0.0];
        for frame in 0..600 {
            match frame {
                50 => ease.set([1.0]),
                110 => ease.set([-1.0]),
                130 => ease.set([0.5]),
                _ => {}
            }
            values.push(ease.ahead(1)[0]);
            ease.advance(1);
        }
        assert_eq!(values[600], 0.5);
        // The speed never jumps: its largest change a frame is that of the cubic itself.
        let changes = values.windows(3).map(|v| (v[2] - 2.0 * v[1] + v[0]).abs());
        let largest = changes.fold(0.0, f32::max);
        assert!(largest < 0.0025, "{largest}");
    }

    #[test]
    fn easing_follows_targets_that_come_without_pause() {
        // A rising line of targets, one every 64 frames: it follows some frames behind, and does
        // not stand still.
        let mut ease = Ease::new([0.0], 960);
        let mut value = 0.0;
        for step in 1..=200 {
            ease.set([step as f32]);
            value = ease.ahead(64)[0];
            ease.advance(64);
        }
        assert!((180.0..200.0).contains(&value), "{value}");
    }
}
