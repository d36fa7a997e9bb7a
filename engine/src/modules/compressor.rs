//! A feed-forward compressor: detector, static curve and smoothing all in the logarithmic domain.
//!
//! Static curve and follower after Giannoulis, Massberg and Reiss, "Digital Dynamic Range
//! Compressor Design: A Tutorial and Analysis", JAES 60 (2012): the soft knee of equation 4, and the
//! smooth branching follower applied to the gain reduction.
//!
//! - The *peak* detector reads a steady sine as its peak: it holds the largest magnitude of the last
//!   12.5 ms, or of a quarter of the release time where that is shorter.
//! - The *RMS* detector reads a steady sine as its RMS (3 dB less). Its average takes about 10 ms,
//!   which come on top of attack and release.
//! - *Attack* and *release* are the times that the gain reduction, in dB, takes to cover 63.2 % of
//!   the way after the level has stepped. The peak detector's hold is part of the release time.

use std::f64::consts::LOG2_10;

use crate::block::{Block, CHUNK_FRAMES};
use crate::dsp::Chunk;
use crate::dsp::detector::{Detector, Hearing};
use crate::dsp::envelope::{AttackRelease, keep_for};
use crate::dsp::fast_math::{exp2, max, min};
use crate::face::{Axis, Curve as Picture, Face, Handle, Scene};
use crate::module::{Kind, Module, Setup};
use crate::param::{Param, Unit};
use crate::ramp::{Glide, Ramp};

/// The kind `compressor`.
pub(crate) static KIND: Kind = Kind {
    id: "compressor",
    name: "Compressor",
    about: "Soft-knee compressor with peak or RMS detection, side-chain high-pass and stereo link",
    face: Face {
        curve: Some(static_curve),
        handles: &[Handle {
            x: Some(THRESHOLD_DB as u16),
            y: None,
            wheel: Some(RATIO as u16),
            on: None,
            choice: None,
            x_unless: None,
        }],
        reduces: true,
    },
    params: &[
        Param::linear(
            "threshold_db",
            "Threshold",
            Unit::Decibels,
            (-60.0, 0.0),
            -20.0,
        ),
        Param::log("ratio", "Ratio", Unit::Ratio, (1.0, 20.0), 4.0),
        Param::linear("knee_db", "Knee", Unit::Decibels, (0.0, 24.0), 6.0),
        Param::log(
            "attack_ms",
            "Attack",
            Unit::Milliseconds,
            (0.1, 200.0),
            10.0,
        ),
        Param::log(
            "release_ms",
            "Release",
            Unit::Milliseconds,
            (5.0, 2_000.0),
            100.0,
        ),
        Param::linear("makeup_db", "Make-up", Unit::Decibels, (-24.0, 24.0), 0.0),
        Param::switch("auto_makeup", "Auto make-up", false),
        Param::linear("range_db", "Range", Unit::Decibels, (0.0, 60.0), 60.0),
        Param::choice("detector", "Detector", &["peak", "rms"], 0),
        Param::switch("sidechain_highpass", "Side-chain high-pass", false),
        Param::log(
            "sidechain_hz",
            "Side-chain corner",
            Unit::Hertz,
            (20.0, 1_000.0),
            100.0,
        ),
        Param::linear("link", "Stereo link", Unit::Percent, (0.0, 1.0), 1.0),
        // What it follows: its own input, or the key that a host gives, where one gives any.
        Param::choice("key", "Key", &["internal", "external"], 0),
    ],
    build: |setup| {
        let module = Compressor::new(setup);
        setup.module(module)
    },
};

const THRESHOLD_DB: usize = 0;
const RATIO: usize = 1;
const KNEE_DB: usize = 2;
const ATTACK_MS: usize = 3;
const RELEASE_MS: usize = 4;
const MAKEUP_DB: usize = 5;
const AUTO_MAKEUP: usize = 6;
const RANGE_DB: usize = 7;
const DETECTOR: usize = 8;
const SIDECHAIN_HIGHPASS: usize = 9;
const SIDECHAIN_HZ: usize = 10;
const LINK: usize = 11;
const KEY: usize = 12;
const PARAMS: usize = 13;

const PEAK_WINDOW_SECS: f64 = 0.0125;
const PEAK_WINDOW_OF_RELEASE: f64 = 0.25;
/// Ramps of the curve, the link, and from one key to the other.
const GLIDE_SECS: f64 = 0.02;

/// The audio-thread side of the kind `compressor`. Public for its read-out, which is reached by
/// downcasting a module.
pub struct Compressor {
    values: [f32; PARAMS],
    rate_hz: f64,
    curve: Glide<5>,
    link: Ramp,
    /// 0 where it follows its own input, 1 where the key.
    key: Ramp,
    detector: Detector,
    follower: AttackRelease,
    /// The gain reduction of each channel, in octaves of amplitude (6.02 dB), at least 0.
    reduction: [f64; 2],
    /// Of one chunk: levels, then reductions, then gains. Nothing in it outlives it.
    levels: Chunk,
    /// Of one chunk: what it follows while that changes.
    heard: Chunk,
}

/// The static curve, in octaves of amplitude: level above which it reduces, part of the excess that
/// is taken away (1 - 1/ratio), width of the knee, most that is taken away, make-up gain.
#[derive(Clone, Copy)]
struct Curve {
    threshold: f32,
    slope: f32,
    knee: f32,
    range: f32,
    makeup: f32,
}

impl Curve {
    fn new(values: &[f32; PARAMS]) -> Self {
        let mut curve = Self {
            threshold: octaves(values[THRESHOLD_DB]),
            slope: 1.0 - 1.0 / values[RATIO],
            knee: octaves(values[KNEE_DB]),
            range: octaves(values[RANGE_DB]),
            makeup: octaves(values[MAKEUP_DB]),
        };
        if values[AUTO_MAKEUP] > 0.5 {
            // Half of what full scale loses: loud programme comes out about as loud as it went in.
            curve.makeup += 0.5 * curve.reduction(0.0);
        }
        curve
    }

    /// How much a steady `level` is reduced, at least 0.
    #[inline(always)]
    fn reduction(&self, level: f32) -> f32 {
        let over = level - self.threshold;
        let half = 0.5 * self.knee;
        // Inside the knee (over + half)^2 / 2 knee, above it `over`: the sum of the two parts below.
        let inside = min(max(over + half, 0.0), self.knee);
        let above = max(over - half, 0.0);
        let bent = inside * inside * (0.5 / max(self.knee, 1e-6)) + above;
        min(self.slope * bent, self.range)
    }

    fn to_array(self) -> [f32; 5] {
        [
            self.threshold,
            self.slope,
            self.knee,
            self.range,
            self.makeup,
        ]
    }

    #[inline(always)]
    fn from_array([threshold, slope, knee, range, makeup]: [f32; 5]) -> Self {
        Self {
            threshold,
            slope,
            knee,
            range,
            makeup,
        }
    }
}

/// What comes out for what goes in, steady, in dB.
fn static_curve(_: &Scene, values: &[f32]) -> Picture {
    const FLOOR_DB: f32 = -60.0;
    let mut own = [0.0; PARAMS];
    for (own, value) in own.iter_mut().zip(values) {
        *own = *value;
    }
    let curve = Curve::new(&own);
    let point = |at: usize| {
        let level_db = FLOOR_DB + at as f32 * 0.5;
        let level = octaves(level_db);
        let gain_db = (curve.makeup - curve.reduction(level)) / octaves(1.0);
        (level_db, level_db + gain_db)
    };
    Picture {
        x: (Axis::Decibels, FLOOR_DB, 0.0),
        y: (Axis::Decibels, FLOOR_DB, 0.0),
        stems: false,
        points: (0..=120).map(point).collect(),
    }
}

/// Decibels of amplitude in octaves of amplitude.
fn octaves(db: f32) -> f32 {
    (f64::from(db) * (LOG2_10 / 20.0)) as f32
}

impl Compressor {
    fn new(setup: &Setup<'_>) -> Self {
        let stream = setup.stream();
        let rate_hz = f64::from(stream.sample_rate_hz());
        let mut values = [0.0; PARAMS];
        values.copy_from_slice(setup.values());
        let glide_frames = stream.frames(GLIDE_SECS);
        let detector = Detector::new(stream, &hearing(&values));
        Self {
            values,
            rate_hz,
            curve: Glide::new(Curve::new(&values).to_array(), glide_frames),
            link: Ramp::new([values[LINK]], glide_frames),
            key: Ramp::new([values[KEY]], glide_frames),
            follower: follower(&values, rate_hz, &detector),
            detector,
            reduction: [0.0; 2],
            levels: [[0.0; CHUNK_FRAMES]; 2],
            heard: [[0.0; CHUNK_FRAMES]; 2],
        }
    }

    /// How many of the next `frames` pass with every ramp either moving or at rest throughout.
    fn even_frames(&self, frames: usize) -> usize {
        let ramps = [
            self.curve.remaining_frames(),
            self.link.remaining_frames(),
            self.key.remaining_frames(),
        ];
        ramps
            .into_iter()
            .filter(|&remaining| remaining > 0)
            .fold(self.detector.even_frames(frames), usize::min)
    }

    /// Runs frames for which [`Compressor::even_frames`] holds, from frame `position` on.
    fn run<const N: usize>(
        &mut self,
        mut channels: [&mut [f32]; N],
        key: Option<[&[f32]; N]>,
        position: u64,
    ) {
        let frames = channels[0].len();
        let one_level = N == 1 || self.is_linked();
        let own = channels.each_ref().map(|channel| &**channel);
        let follows = self.key.is_moving() || self.key.target() == [1.0];
        let heard = match key.filter(|_| follows) {
            None => own,
            Some(key) if !self.key.is_moving() => key,
            Some(key) => blend(own, key, self.key, &mut self.heard),
        };
        self.detector
            .detect(heard, position, one_level, &mut self.levels);
        let voices = if one_level { 1 } else { N };
        if voices == 2 {
            self.link_levels(frames);
        }
        self.reduce(frames, voices);
        // Linked channels may not have met yet: one gain for both only where both are alike.
        let followed = if one_level && self.reduction[0] == self.reduction[1] {
            1
        } else {
            N
        };
        self.follower
            .process(&mut self.reduction, &mut self.levels, frames, one_level);
        self.make_gains(frames, followed);
        for (c, channel) in channels.iter_mut().enumerate() {
            let gains = &self.levels[c.min(followed - 1)][..frames];
            for (sample, gain) in channel.iter_mut().zip(gains) {
                *sample *= gain;
            }
        }
        self.curve.advance(frames);
        self.link.advance(frames);
        self.key.advance(frames);
    }

    fn is_linked(&self) -> bool {
        !self.link.is_moving() && self.link.target() == [1.0]
    }

    fn link_levels(&mut self, frames: usize) {
        let link = self.link;
        let [left, right] = &mut self.levels;
        let pairs = left[..frames].iter_mut().zip(&mut right[..frames]);
        for (i, (left, right)) in pairs.enumerate() {
            let higher = max(*left, *right);
            let [amount] = link.ahead(1 + i);
            *left += (higher - *left) * amount;
            *right += (higher - *right) * amount;
        }
    }

    /// Levels to the reductions that they ask for.
    fn reduce(&mut self, frames: usize, voices: usize) {
        let glide = self.curve;
        for levels in self.levels.iter_mut().take(voices) {
            let levels = &mut levels[..frames];
            if glide.is_moving() {
                for (i, level) in levels.iter_mut().enumerate() {
                    *level = Curve::from_array(glide.ahead(1 + i)).reduction(*level);
                }
            } else {
                let curve = Curve::from_array(glide.target());
                for level in levels {
                    *level = curve.reduction(*level);
                }
            }
        }
    }

    /// Smoothed reductions to linear gains, make-up included.
    fn make_gains(&mut self, frames: usize, voices: usize) {
        let glide = self.curve;
        for levels in self.levels.iter_mut().take(voices) {
            let levels = &mut levels[..frames];
            if glide.is_moving() {
                for (i, level) in levels.iter_mut().enumerate() {
                    *level = exp2(Curve::from_array(glide.ahead(1 + i)).makeup - *level);
                }
            } else {
                let makeup = Curve::from_array(glide.target()).makeup;
                for level in levels {
                    *level = exp2(makeup - *level);
                }
            }
        }
    }
}

/// What is heard on the way from the module's own input to the key, or back.
fn blend<'a, const N: usize>(
    own: [&[f32]; N],
    key: [&[f32]; N],
    amount: Ramp,
    heard: &'a mut Chunk,
) -> [&'a [f32]; N] {
    let frames = own[0].len();
    for ((heard, own), key) in heard.iter_mut().zip(own).zip(key) {
        let pairs = heard.iter_mut().zip(own).zip(key);
        for (i, ((heard, own), key)) in pairs.enumerate() {
            *heard = own + (key - own) * amount.ahead(1 + i)[0];
        }
    }
    let heard = &*heard;
    std::array::from_fn(|channel| &heard[channel][..frames])
}

fn hearing(values: &[f32; PARAMS]) -> Hearing {
    Hearing {
        rms: values[DETECTOR] > 0.5,
        peak_window_secs: peak_window_secs(values),
        high_pass: values[SIDECHAIN_HIGHPASS] > 0.5,
        corner_hz: f64::from(values[SIDECHAIN_HZ]),
    }
}

fn peak_window_secs(values: &[f32; PARAMS]) -> f64 {
    PEAK_WINDOW_SECS.min(f64::from(values[RELEASE_MS]) * 1e-3 * PEAK_WINDOW_OF_RELEASE)
}

/// Attack and release. What the detector holds is taken off the release.
fn follower(values: &[f32; PARAMS], rate_hz: f64, detector: &Detector) -> AttackRelease {
    let frames = |index: usize| f64::from(values[index]) * 1e-3 * rate_hz;
    AttackRelease {
        attack_keep: keep_for(frames(ATTACK_MS)),
        release_keep: keep_for(frames(RELEASE_MS) - detector.hold_frames()),
    }
}

impl Module for Compressor {
    fn set_param(&mut self, index: usize, value: f32) {
        self.values[index] = value;
        match index {
            ATTACK_MS | RELEASE_MS | DETECTOR => {
                match index {
                    RELEASE_MS => self
                        .detector
                        .set_peak_window(peak_window_secs(&self.values)),
                    DETECTOR => self.detector.set_rms(value > 0.5),
                    _ => {}
                }
                self.follower = follower(&self.values, self.rate_hz, &self.detector);
            }
            SIDECHAIN_HIGHPASS => self.detector.set_high_pass(value > 0.5),
            SIDECHAIN_HZ => self.detector.set_corner(f64::from(value)),
            LINK => self.link.set([value]),
            KEY => self.key.set([value]),
            _ => self.curve.set(Curve::new(&self.values).to_array()),
        }
    }

    fn process(&mut self, block: &mut Block<'_>) {
        let position = block.position();
        let frames = block.frames();
        let mut at = 0;
        while at < frames {
            let end = at + self.even_frames(frames - at);
            let position = position + at as u64;
            match block.split_with_key() {
                (mono, None, key) => {
                    let key = key.map(|[key, _]| [&key[at..end]]);
                    self.run([&mut mono[at..end]], key, position);
                }
                (left, Some(right), key) => {
                    let key = key.map(|key| key.map(|key| &key[at..end]));
                    self.run([&mut left[at..end], &mut right[at..end]], key, position);
                }
            }
            at = end;
        }
    }

    fn reset(&mut self) {
        self.curve.finish();
        self.link.finish();
        self.key.finish();
        self.detector.reset();
        self.reduction = [0.0; 2];
    }

    fn follows_key(&self) -> bool {
        self.key.is_moving() || self.key.target() == [1.0]
    }

    fn gain_reduction_db(&self) -> f32 {
        (self.reduction[0].max(self.reduction[1]) * (20.0 / LOG2_10)) as f32
    }

    fn adopt(&mut self, old: &dyn Module) {
        if let Some(old) = old.downcast::<Self>() {
            self.curve.adopt(&old.curve);
            self.link.adopt(&old.link);
            self.key.adopt(&old.key);
            self.detector.adopt(&old.detector);
            self.reduction = old.reduction;
        }
    }
}
