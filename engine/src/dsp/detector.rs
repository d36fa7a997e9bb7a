//! What a dynamics module hears: the level of each channel, by peak or by RMS, of the input or of
//! the input without its bass.

use crate::block::CHUNK_FRAMES;
use crate::dsp::Chunk;
use crate::dsp::envelope::{MeanSquare, PeakSpan, PeakWindow, keep_for};
use crate::dsp::fast_math::{log2, max};
use crate::dsp::high_pass::{HighPass, HighPassGains};
use crate::ramp::Ramp;
use crate::stream::Stream;

/// Of either of the two low-passes of the mean square.
const RMS_SECS: f64 = 0.005;
/// From one detector to the other: many times longer than the RMS detector takes to settle.
const KIND_GLIDE_SECS: f64 = 0.1;
const HIGH_PASS_GLIDE_SECS: f64 = 0.02;
/// The lowest level that is told apart from silence: -200 dB.
const FLOOR: f32 = 1e-10;

/// How a [`Detector`] hears.
#[derive(Debug, Clone, Copy)]
pub struct Hearing {
    /// By RMS instead of by peak.
    pub rms: bool,
    /// How long a peak is held, in seconds. A sine reads as its peak when half its period is no
    /// longer than this.
    pub peak_window_secs: f64,
    /// Through the high-pass.
    pub high_pass: bool,
    /// The high-pass's corner, in Hz.
    pub corner_hz: f64,
}

/// Levels of one or two channels, in octaves of amplitude (6.02 dB): 0 is full scale. A steady sine
/// reads as its peak or its RMS, silence as -33.2 (-200 dB).
#[derive(Debug)]
pub struct Detector {
    rate_hz: f64,
    span: PeakSpan,
    rms_keep: f32,
    /// 0 for peak, 1 for RMS.
    kind: Ramp,
    amount: Ramp,
    tuning: Ramp,
    high_pass: HighPass,
    window: PeakWindow,
    squares: MeanSquare,
    /// Of one chunk; nothing in them outlives it.
    keys: Chunk,
    rms_levels: Chunk,
}

impl Detector {
    /// `[main]` One that has heard nothing.
    pub fn new(stream: Stream, hearing: &Hearing) -> Self {
        let rate_hz = f64::from(stream.sample_rate_hz());
        let high_pass_frames = stream.frames(HIGH_PASS_GLIDE_SECS);
        let switch = |on: bool| if on { 1.0 } else { 0.0 };
        Self {
            rate_hz,
            span: PeakSpan::new(hearing.peak_window_secs, rate_hz),
            rms_keep: keep_for(RMS_SECS * rate_hz) as f32,
            kind: Ramp::new([switch(hearing.rms)], stream.frames(KIND_GLIDE_SECS)),
            amount: Ramp::new([switch(hearing.high_pass)], high_pass_frames),
            tuning: Ramp::new(
                [HighPass::tuning(hearing.corner_hz, rate_hz)],
                high_pass_frames,
            ),
            high_pass: HighPass::default(),
            window: PeakWindow::default(),
            squares: MeanSquare::default(),
            keys: [[0.0; CHUNK_FRAMES]; 2],
            rms_levels: [[0.0; CHUNK_FRAMES]; 2],
        }
    }

    /// `[audio]` Fades from one detector to the other over 100 ms.
    pub fn set_rms(&mut self, rms: bool) {
        if !self.kind.is_moving() {
            // The detector that was idle heard nothing of late.
            if self.kind.target() == [0.0] {
                self.squares = MeanSquare::default();
            } else {
                self.window = PeakWindow::default();
            }
        }
        self.kind.set([if rms { 1.0 } else { 0.0 }]);
    }

    /// `[audio]` How long a peak is held from the next slice on.
    pub fn set_peak_window(&mut self, secs: f64) {
        self.span = PeakSpan::new(secs, self.rate_hz);
    }

    /// `[audio]` Fades the high-pass in or out over 20 ms.
    pub fn set_high_pass(&mut self, on: bool) {
        if !self.amount.is_moving() && self.amount.target() == [0.0] {
            self.high_pass = HighPass::default();
        }
        self.amount.set([if on { 1.0 } else { 0.0 }]);
    }

    /// `[audio]` Moves the high-pass's corner there over 20 ms.
    pub fn set_corner(&mut self, hz: f64) {
        self.tuning.set([HighPass::tuning(hz, self.rate_hz)]);
    }

    /// `[audio]` For how many frames a fall of the level goes unnoticed: those for which a peak is
    /// held; 0 by RMS.
    pub fn hold_frames(&self) -> f64 {
        if self.kind.target() == [0.0] {
            self.span.hold_frames()
        } else {
            0.0
        }
    }

    /// `[audio]` How many of the next `frames` pass with every ramp either moving or at rest
    /// throughout: [`Detector::detect`] takes no more at once.
    pub fn even_frames(&self, frames: usize) -> usize {
        [&self.kind, &self.amount, &self.tuning]
            .into_iter()
            .map(|ramp| ramp.remaining_frames())
            .filter(|&remaining| remaining > 0)
            .fold(frames, usize::min)
    }

    /// `[audio]` Writes to `levels` what is heard at each frame of `channels`, the first of which is
    /// frame `position`. Where `joined`, `levels[0]` gets the higher level of both channels, and
    /// `levels[1]` nothing of meaning.
    pub fn detect<const N: usize>(
        &mut self,
        channels: [&[f32]; N],
        position: u64,
        joined: bool,
        levels: &mut Chunk,
    ) {
        let frames = channels[0].len();
        let filters = self.amount.is_moving() || self.amount.target() != [0.0];
        if filters {
            self.filter(channels);
        }
        let hears_peak = self.kind.is_moving() || self.kind.target() == [0.0];
        let hears_rms = self.kind.is_moving() || self.kind.target() == [1.0];
        let heard: [&[f32]; 2] = if filters {
            [&self.keys[0][..frames], &self.keys[1][..frames]]
        } else {
            [channels[0], channels[N - 1]]
        };
        if hears_peak {
            self.window.process(heard, levels, position, self.span);
        }
        if hears_rms {
            self.squares
                .process(heard, &mut self.rms_levels, self.rms_keep);
        }
        if hears_peak {
            to_octaves::<N, 1>(levels, frames, joined);
        }
        if hears_rms {
            to_octaves::<N, 2>(&mut self.rms_levels, frames, joined);
            let kind = self.kind;
            for (levels, rms) in levels.iter_mut().zip(&self.rms_levels).take(N) {
                let (levels, rms) = (&mut levels[..frames], &rms[..frames]);
                if hears_peak {
                    for (i, (level, rms)) in levels.iter_mut().zip(rms).enumerate() {
                        *level += (*rms - *level) * kind.ahead(1 + i)[0];
                    }
                } else {
                    levels.copy_from_slice(rms);
                }
            }
        }
        self.kind.advance(frames);
        self.amount.advance(frames);
        self.tuning.advance(frames);
    }

    /// Writes what is heard of `channels` to the keys.
    fn filter<const N: usize>(&mut self, channels: [&[f32]; N]) {
        let (tuning, amount) = (self.tuning, self.amount);
        if tuning.is_moving() || amount.is_moving() {
            self.filter_by(channels, |ahead| {
                (
                    HighPassGains::new(tuning.ahead(ahead)[0]),
                    amount.ahead(ahead)[0],
                )
            });
        } else {
            let gains = HighPassGains::new(tuning.target()[0]);
            self.filter_by(channels, |_| (gains, 1.0));
        }
    }

    #[inline(always)]
    fn filter_by<const N: usize>(
        &mut self,
        channels: [&[f32]; N],
        setting: impl Fn(usize) -> (HighPassGains, f32),
    ) {
        let mut filter = self.high_pass;
        let (left, right) = (channels[0], channels[N - 1]);
        let [left_key, right_key] = &mut self.keys;
        let inputs = left.iter().zip(right);
        let keys = left_key.iter_mut().zip(right_key);
        for (i, ((&left, &right), (left_key, right_key))) in inputs.zip(keys).enumerate() {
            let (gains, amount) = setting(1 + i);
            let high = filter.tick([left, right], &gains);
            *left_key = high[0] * amount + left * (1.0 - amount);
            *right_key = high[1] * amount + right * (1.0 - amount);
        }
        self.high_pass = filter;
    }

    /// `[audio]` Forgets what it heard and ends all fades.
    pub fn reset(&mut self) {
        self.kind.finish();
        self.amount.finish();
        self.tuning.finish();
        self.high_pass = HighPass::default();
        self.window = PeakWindow::default();
        self.squares = MeanSquare::default();
    }

    /// `[audio]` Goes on with what `old` heard.
    pub fn adopt(&mut self, old: &Self) {
        self.kind.adopt(&old.kind);
        self.amount.adopt(&old.amount);
        self.tuning.adopt(&old.tuning);
        self.high_pass = old.high_pass;
        self.window = old.window;
        self.squares = old.squares;
    }
}

/// Magnitudes (`POWER` 1) or squares (`POWER` 2) of `N` channels to octaves of amplitude, in place;
/// where `joined`, the higher of both channels first.
fn to_octaves<const N: usize, const POWER: i32>(levels: &mut Chunk, frames: usize, joined: bool) {
    let mut voices = N;
    if joined && N == 2 {
        let [left, right] = levels;
        for (left, right) in left[..frames].iter_mut().zip(&right[..frames]) {
            *left = max(*left, *right);
        }
        voices = 1;
    }
    let floor = FLOOR.powi(POWER);
    let scale = 1.0 / POWER as f32;
    for levels in levels.iter_mut().take(voices) {
        for level in &mut levels[..frames] {
            *level = log2(max(*level, floor)) * scale;
        }
    }
}
