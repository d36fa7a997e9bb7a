//! Takes the frames of one clock at the speed of another: a windowed sinc at any ratio, that can be moved.

use headroom_engine::memory::Place;
use rubato::Adjustable;
use rubato::Async;
use rubato::FixedAsync;
use rubato::Resampler;
use rubato::ResamplerConstructionError;
use rubato::Resizable;
use rubato::SincInterpolationParameters;
use rubato::SincInterpolationType;
use rubato::WindowFunction;
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;

use super::inlet::Inlet;
use super::pace::Pace;

/// Taps at equal rates; more where the rate goes down, so that the filter is as steep at the lower rate.
///
/// The filter is half down at the lower Nyquist frequency, and with this many taps flat to 20 kHz at 48 kHz
/// (at 44.1 kHz 0.4 dB down there). What lies above mirrors to above. So short a filter costs 32 frames.
const TAPS: usize = 64;
/// Filters between two frames, with a cubic between them: their error lies under -120 dB.
const PHASES: usize = 256;
/// Frames that a start in the middle of sound takes to fill the filter, and what it gives for them, unheard.
const FILLING_FRAMES: usize = 2 * TAPS;
const UNHEARD_FRAMES: usize = FILLING_FRAMES - 1;
/// So many of them are still to be heard: the filter looks ahead.
pub(super) const AHEAD_FRAMES: usize = TAPS / 2;
/// The others were.
const PAST_FRAMES: usize = FILLING_FRAMES - AHEAD_FRAMES;

/// The resampler and its buffers, two channels.
pub(super) struct Retimer {
    resampler: Async<f32>,
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    max_frames: usize,
    /// Input frames that each output frame takes at nominal speed.
    nominal_step: f64,
    /// The step that the newest frame took, and the one to be reached by the end of the next piece.
    step: f64,
    next_step: f64,
    /// Input frames between the newest that was taken and the place that is played, filter left out:
    /// taken frames run ahead by this.
    ahead_frames: f64,
}

impl Retimer {
    /// `[main]` For pieces of at most `max_frames` output frames. Allocates all that it will ever use.
    pub(super) fn new(
        input_rate_hz: u32,
        output_rate_hz: u32,
        max_frames: usize,
    ) -> Result<Self, ResamplerConstructionError> {
        let ratio = f64::from(output_rate_hz) / f64::from(input_rate_hz);
        let taps = (TAPS as f64 / ratio.min(1.0)).ceil() as usize;
        let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris)
            .f_cutoff(1.0)
            .oversampling_factor(PHASES)
            .interpolation(SincInterpolationType::Cubic);
        let max_frames = max_frames.max(UNHEARD_FRAMES);
        let resampler = Async::new_sinc(
            ratio,
            Pace::MAX_SPEED * 1.001,
            &parameters,
            max_frames,
            2,
            FixedAsync::Output,
        )?;
        let mut retimer = Self {
            input: vec![vec![0.0; resampler.input_frames_max()]; 2],
            output: vec![vec![0.0; max_frames]; 2],
            max_frames,
            resampler,
            nominal_step: 1.0 / ratio,
            step: 1.0 / ratio,
            next_step: 1.0 / ratio,
            ahead_frames: 0.0,
        };
        // Every page is touched before a callback does it: by the longest piece, and by the clearing.
        retimer.input.iter_mut().for_each(|plane| plane.fill(1e-9));
        let longest_frames = retimer.needed_frames(max_frames);
        retimer.run(longest_frames, max_frames);
        retimer.reset(1.0);
        Ok(retimer)
    }

    /// `[main]` Where the buffers before and behind the resampler are.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let planes = self.input.iter().chain(&self.output);
        planes.map(|plane| Place::of(plane))
    }

    /// `[any]` Output frames of the longest piece.
    pub(super) fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// `[audio]` Forgets all sound; the next piece starts at `speed`.
    pub(super) fn reset(&mut self, speed: f64) {
        self.resampler.reset();
        self.ahead_frames = 0.0;
        self.jump_to(speed);
    }

    fn jump_to(&mut self, speed: f64) {
        self.next_step = self.nominal_step * speed;
        self.step = self.next_step;
        self.set_ratio(speed, false);
    }

    /// `[audio]` Reaches `speed` by the end of the next piece.
    pub(super) fn set_speed(&mut self, speed: f64) {
        self.next_step = self.nominal_step * speed;
        self.set_ratio(speed, true);
    }

    fn set_ratio(&mut self, speed: f64, ramp: bool) {
        let set = self
            .resampler
            .set_resample_ratio_relative(1.0 / speed, ramp);
        debug_assert!(set.is_ok(), "speed {speed} is within the loop's bounds");
    }

    /// `[any]` Output frames by which the filter is late.
    pub(super) fn delay_frames(&self) -> usize {
        self.resampler.output_delay()
    }

    /// `[any]` Input frames at nominal speed for `frames` of the output.
    pub(super) fn nominal_input_frames(&self, frames: usize) -> f64 {
        frames as f64 * self.nominal_step
    }

    /// `[any]` By how many frames, and what part of one, taking is ahead of playing.
    pub(super) fn ahead_frames(&self) -> f64 {
        self.ahead_frames
    }

    /// `[audio]` Input frames that the next piece of `frames` will take.
    pub(super) fn needed_frames(&mut self, frames: usize) -> usize {
        match self.resampler.set_chunk_size(frames) {
            Ok(()) => self.resampler.input_frames_next(),
            Err(_) => 0,
        }
    }

    /// `[audio]` The next `frames` of both channels, [`Retimer::max_frames`] at most; `None`, and nothing
    /// taken, when too few wait.
    pub(super) fn pull(&mut self, inlet: &mut Inlet, frames: usize) -> Option<[&[f32]; 2]> {
        let needed_frames = self.needed_frames(frames);
        if needed_frames > inlet.held_frames() || frames > self.max_frames {
            return None;
        }
        if let [left, right] = &mut self.input[..] {
            inlet.read(&mut left[..needed_frames], &mut right[..needed_frames]);
        }
        self.run(needed_frames, frames)
            .then(|| [&self.output[0][..frames], &self.output[1][..frames]])
    }

    /// `[audio]` Starts in the middle of sound at equal rates, so that the next frame given is the one that
    /// comes after `past`, not late by the filter. Takes [`AHEAD_FRAMES`] at once; `false`, and nothing
    /// done, when fewer wait.
    pub(super) fn begin_after(&mut self, past: &Past, inlet: &mut Inlet) -> bool {
        // The resampler's filters lie one phase early; this takes it back.
        self.reset(1.0 - 1.0 / (PHASES * UNHEARD_FRAMES) as f64);
        let fits = self.needed_frames(UNHEARD_FRAMES) == FILLING_FRAMES;
        if !fits || inlet.held_frames() < AHEAD_FRAMES {
            return false;
        }
        if let [left, right] = &mut self.input[..] {
            left[..PAST_FRAMES].copy_from_slice(&past.planes[0]);
            right[..PAST_FRAMES].copy_from_slice(&past.planes[1]);
            inlet.read(
                &mut left[PAST_FRAMES..FILLING_FRAMES],
                &mut right[PAST_FRAMES..FILLING_FRAMES],
            );
        }
        let begun = self.run(FILLING_FRAMES, UNHEARD_FRAMES);
        self.jump_to(1.0);
        begun
    }

    fn run(&mut self, input_frames: usize, output_frames: usize) -> bool {
        let input = SequentialSliceOfVecs::new(&self.input, 2, input_frames);
        let output = SequentialSliceOfVecs::new_mut(&mut self.output, 2, output_frames);
        let (Ok(input), Ok(mut output)) = (input, output) else {
            return false;
        };
        let done = self
            .resampler
            .process_into_buffer(&input, &mut output, None)
            .is_ok();
        // As the resampler itself: the step moves in equal parts, and is moved before it is taken.
        let taken = output_frames as f64 * 0.5 * (self.step + self.next_step)
            + 0.5 * (self.next_step - self.step);
        self.ahead_frames += input_frames as f64 - taken;
        self.step = self.next_step;
        done
    }
}

/// The newest frames that were heard, for a [`Retimer`] that is to go on from them.
pub(super) struct Past {
    planes: [[f32; PAST_FRAMES]; 2],
}

impl Past {
    /// `[any]` Silence.
    pub(super) fn new() -> Self {
        Self {
            planes: [[0.0; PAST_FRAMES]; 2],
        }
    }

    /// `[audio]` Both channels of what is heard now.
    pub(super) fn hear(&mut self, left: &[f32], right: &[f32]) {
        for (plane, heard) in self.planes.iter_mut().zip([left, right]) {
            let new = &heard[heard.len().saturating_sub(PAST_FRAMES)..];
            plane.copy_within(new.len().., 0);
            plane[PAST_FRAMES - new.len()..].copy_from_slice(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;

    fn tone(frame: usize) -> [f32; 2] {
        let sample = (frame as f64 * 0.13).sin() as f32;
        [sample, 0.5 * sample]
    }

    fn inlet_of(frames: std::ops::Range<usize>) -> Inlet {
        let (mut push, pop) = RingBuffer::new(2 * frames.len());
        for sample in frames.flat_map(tone) {
            push.push(sample).unwrap();
        }
        let (_, stamps) = RingBuffer::new(1);
        Inlet::new(pop, stamps, 48_000)
    }

    #[test]
    fn a_start_in_the_middle_goes_on_with_the_next_frame() {
        for max_frames in [1, 16, 300] {
            let mut retimer = Retimer::new(48_000, 48_000, max_frames).unwrap();
            let mut past = Past::new();
            for start in (0..1000).step_by(50) {
                let (left, right): (Vec<_>, Vec<_>) = (start..start + 50)
                    .map(tone)
                    .map(|[left, right]| (left, right))
                    .unzip();
                past.hear(&left, &right);
            }
            let mut inlet = inlet_of(1000..2000);
            assert!(retimer.begin_after(&past, &mut inlet));
            let mut next = 1000;
            while next < 1900 {
                let planes = retimer.pull(&mut inlet, max_frames.min(100)).unwrap();
                for (left, right) in planes[0].iter().zip(planes[1]) {
                    let [wanted, half] = tone(next);
                    assert!((left - wanted).abs() < 1e-5, "{next}: {left} for {wanted}");
                    assert!((right - half).abs() < 1e-5, "{next}: {right} for {half}");
                    next += 1;
                }
            }
        }
    }

    #[test]
    fn a_start_with_too_few_frames_takes_none() {
        let mut retimer = Retimer::new(48_000, 48_000, 64).unwrap();
        let mut inlet = inlet_of(0..AHEAD_FRAMES - 1);
        assert!(!retimer.begin_after(&Past::new(), &mut inlet));
        assert_eq!(inlet.held_frames(), AHEAD_FRAMES - 1);
        assert!(retimer.pull(&mut inlet, 64).is_none());
        assert_eq!(inlet.held_frames(), AHEAD_FRAMES - 1);
    }
}
