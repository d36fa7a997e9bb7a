//! Echoes up to five seconds late, with feedback, filters in the loop and ping-pong.
//!
//! Each channel writes input plus feedback into its line and reads it `time` later; the loop's
//! filters stand behind the read, so the first echo has passed them once, the second twice. Echo
//! number n comes exactly n times the delay late and, without filters, `feedback^(n-1)` strong.
//! Ping-pong sends the middle of the input (L + R) / 2 to the left and crosses the feedback: echoes
//! come left, right, left.
//!
//! The time is a number of milliseconds or, by `sync`, a note at the tempo of the music. A note that is longer
//! than the line reaches back is halved until it fits: an echo twice as often is still on the beat.
//!
//! A change of time, by whatever it comes, crossfades between two read heads; a further change waits until that
//! is done, and the newest wins. So a tempo that moves with every block takes a step every 40 ms, and arrives.

use crate::block::{Block, CHUNK_FRAMES};
use crate::dsp::delay_line::DelayLine;
use crate::dsp::one_pole::OnePole;
use crate::dsp::read_heads::ReadHeads;
use crate::face::{Axis, Curve, Face, Handle, Scene};
use crate::module::{Kind, Module, Setup};
use crate::param::{Param, Unit};
use crate::ramp::Glide;
use crate::tempo::{NOTES, Tempo, note_beats};
use crate::units::{db_to_gain, gain_to_db};

const MAX_TIME_MS: f32 = 5_000.0;
const LOW_CUT_OFF_HZ: f32 = 20.0;
const HIGH_CUT_OFF_HZ: f32 = 20_000.0;

/// The kind `delay`.
pub(crate) static KIND: Kind = Kind {
    id: "delay",
    name: "Delay",
    about: "Echoes up to 5 s or by the tempo, with feedback, ping-pong and filters in the loop",
    face: Face {
        curve: Some(echoes),
        handles: &[Handle {
            x: Some(TIME_MS as u16),
            y: Some(LEVEL_DB as u16),
            wheel: Some(FEEDBACK as u16),
            on: None,
            choice: None,
            x_unless: Some(SYNC as u16),
        }],
        reduces: false,
    },
    params: &[
        Param::log(
            "time_ms",
            "Time",
            Unit::Milliseconds,
            (1.0, MAX_TIME_MS),
            350.0,
        ),
        Param::linear("feedback", "Feedback", Unit::Percent, (0.0, 0.98), 0.4),
        Param::switch("ping_pong", "Ping-pong", false),
        // At the end of its range either filter is off.
        Param::log(
            "low_cut_hz",
            "Low cut",
            Unit::Hertz,
            (LOW_CUT_OFF_HZ, 2_000.0),
            LOW_CUT_OFF_HZ,
        ),
        Param::log(
            "high_cut_hz",
            "High cut",
            Unit::Hertz,
            (200.0, HIGH_CUT_OFF_HZ),
            HIGH_CUT_OFF_HZ,
        ),
        Param::linear(
            "level_db",
            "Echo level",
            Unit::Decibels,
            (-60.0, 12.0),
            -6.0,
        ),
        Param::switch("dry", "Dry signal", true),
        // Instead of `time_ms`.
        Param::choice("sync", "Sync", &NOTES, 0),
    ],
    build: |setup| {
        let module = Delay::new(setup);
        setup.module(module)
    },
};

const TIME_MS: usize = 0;
const FEEDBACK: usize = 1;
const PING_PONG: usize = 2;
const LOW_CUT_HZ: usize = 3;
const HIGH_CUT_HZ: usize = 4;
const LEVEL_DB: usize = 5;
const DRY: usize = 6;
const SYNC: usize = 7;
const PARAMS: usize = 8;

const GLIDE_SECS: f64 = 0.02;
const FADE_SECS: f64 = 0.04;

/// What one impulse gives: itself, if the dry signal is on, and its echoes, in dB over seconds. The
/// loop's filters are left out of account.
fn echoes(scene: &Scene, values: &[f32]) -> Curve {
    const FLOOR_DB: f32 = -60.0;
    const MOST: usize = 64;
    let value = |at: usize| values.get(at).copied().unwrap_or(0.0);
    let time_secs = echo_secs(value(TIME_MS), value(SYNC), scene.tempo) as f32;
    let loss_db = gain_to_db(value(FEEDBACK));
    let dry = (value(DRY) > 0.5).then_some((0.0, 0.0));
    let echo = |at: usize| {
        let level_db = value(LEVEL_DB) + at as f32 * loss_db;
        let is_heard = at == 0 || level_db > FLOOR_DB;
        is_heard.then_some(((at + 1) as f32 * time_secs, level_db.max(FLOOR_DB)))
    };
    let points: Vec<_> = dry.into_iter().chain((0..MOST).map_while(echo)).collect();
    // As far as the sixth echo, so that time and feedback are seen, rounded so that it does not crawl.
    let shown_secs = (time_secs * 6.0).log2().ceil().exp2();
    Curve {
        x: (Axis::Seconds, 0.0, shown_secs.max(0.01)),
        y: (Axis::Decibels, FLOOR_DB, 12.0),
        stems: true,
        points,
    }
}

struct Delay {
    values: [f32; PARAMS],
    tempo: Tempo,
    rate_hz: f64,
    heads: ReadHeads,
    is_stereo: bool,
    mix: Glide<4>,
    cuts: Glide<4>,
    low_cut: OnePole,
    high_cut: OnePole,
    channels: [Channel; 2],
}

struct Channel {
    line: DelayLine,
    /// Of one span: what comes out of the line, and what goes in. Nothing in them outlives it.
    echo: [f32; CHUNK_FRAMES],
    spare: [f32; CHUNK_FRAMES],
}

/// Levels in the mix, in the order of their glide.
#[derive(Clone, Copy)]
struct Mix {
    feedback: f32,
    level: f32,
    dry: f32,
    ping_pong: f32,
}

/// The loop's filters in the order of their glide: corners, and how much of each is in.
#[derive(Clone, Copy)]
struct Cuts {
    low_tuning: f32,
    low_amount: f32,
    high_tuning: f32,
    high_amount: f32,
}

impl Mix {
    fn new(values: &[f32; PARAMS], is_stereo: bool) -> Self {
        Self {
            feedback: values[FEEDBACK],
            level: db_to_gain(values[LEVEL_DB]),
            dry: values[DRY],
            ping_pong: if is_stereo { values[PING_PONG] } else { 0.0 },
        }
    }

    fn to_array(self) -> [f32; 4] {
        [self.feedback, self.level, self.dry, self.ping_pong]
    }

    #[inline(always)]
    fn from_array([feedback, level, dry, ping_pong]: [f32; 4]) -> Self {
        Self {
            feedback,
            level,
            dry,
            ping_pong,
        }
    }
}

impl Cuts {
    fn new(values: &[f32; PARAMS], rate_hz: f64) -> Self {
        let amount = |on: bool| if on { 1.0 } else { 0.0 };
        Self {
            low_tuning: OnePole::tuning(f64::from(values[LOW_CUT_HZ]), rate_hz),
            low_amount: amount(values[LOW_CUT_HZ] > LOW_CUT_OFF_HZ),
            high_tuning: OnePole::tuning(f64::from(values[HIGH_CUT_HZ]), rate_hz),
            high_amount: amount(values[HIGH_CUT_HZ] < HIGH_CUT_OFF_HZ),
        }
    }

    fn to_array(self) -> [f32; 4] {
        [
            self.low_tuning,
            self.low_amount,
            self.high_tuning,
            self.high_amount,
        ]
    }

    #[inline(always)]
    fn from_array([low_tuning, low_amount, high_tuning, high_amount]: [f32; 4]) -> Self {
        Self {
            low_tuning,
            low_amount,
            high_tuning,
            high_amount,
        }
    }

    fn are_off(&self) -> bool {
        self.low_amount == 0.0 && self.high_amount == 0.0
    }
}

impl Channel {
    fn new(line: DelayLine) -> Self {
        Self {
            line,
            echo: [0.0; CHUNK_FRAMES],
            spare: [0.0; CHUNK_FRAMES],
        }
    }

    /// Reads what is heard of the line in the next `frames` frames into `echo`.
    fn read(&mut self, frames: usize, heads: &ReadHeads) {
        heads.read(
            &self.line,
            &mut self.echo[..frames],
            &mut self.spare[..frames],
        );
    }
}

impl Delay {
    fn new(setup: &mut Setup<'_>) -> Self {
        let stream = setup.stream();
        let rate_hz = f64::from(stream.sample_rate_hz());
        let mut values = [0.0; PARAMS];
        values.copy_from_slice(setup.values());
        let line_frames = delay_frames(secs_of(MAX_TIME_MS), rate_hz);
        let tempo = Tempo::default();
        let secs = echo_secs(values[TIME_MS], values[SYNC], tempo);
        let is_stereo = stream.channels() == 2;
        let right_frames = if is_stereo { line_frames } else { 0 };
        let left = DelayLine::new(setup.buffer("delay line left", line_frames));
        let right = DelayLine::new(setup.buffer("delay line right", right_frames));
        let glide_frames = stream.frames(GLIDE_SECS);
        Self {
            values,
            tempo,
            rate_hz,
            is_stereo,
            heads: ReadHeads::new(delay_frames(secs, rate_hz), stream.frames(FADE_SECS)),
            mix: Glide::new(Mix::new(&values, is_stereo).to_array(), glide_frames),
            cuts: Glide::new(Cuts::new(&values, rate_hz).to_array(), glide_frames),
            low_cut: OnePole::default(),
            high_cut: OnePole::default(),
            channels: [Channel::new(left), Channel::new(right)],
        }
    }

    /// Goes to the time that is wanted now.
    fn follow_time(&mut self) {
        let secs = echo_secs(self.values[TIME_MS], self.values[SYNC], self.tempo);
        self.heads.set(delay_frames(secs, self.rate_hz));
    }

    /// How many of the next `frames` can be read at once, with every ramp either moving or at rest
    /// throughout.
    fn even_frames(&self, frames: usize) -> usize {
        let frames = frames.min(self.heads.even_frames());
        [self.mix.remaining_frames(), self.cuts.remaining_frames()]
            .into_iter()
            .filter(|&remaining| remaining > 0)
            .fold(frames, usize::min)
    }

    fn clear_filters(&mut self) {
        self.low_cut = OnePole::default();
        self.high_cut = OnePole::default();
    }

    fn read(&mut self, frames: usize, channels: usize) {
        for channel in &mut self.channels[..channels] {
            channel.read(frames, &self.heads);
        }
        let glide = self.cuts;
        let cuts = Cuts::from_array(glide.target());
        if glide.is_moving() {
            self.filter(frames, |ahead| Cuts::from_array(glide.ahead(ahead)));
        } else if !cuts.are_off() {
            self.filter(frames, |_| cuts);
        }
    }

    /// Filters both channels' echoes; in mono the second one is silent.
    #[inline(always)]
    fn filter(&mut self, frames: usize, cuts: impl Fn(usize) -> Cuts) {
        let (mut low_cut, mut high_cut) = (self.low_cut, self.high_cut);
        let [left, right] = &mut self.channels;
        let echoes = left.echo[..frames]
            .iter_mut()
            .zip(&mut right.echo[..frames]);
        for (i, (left, right)) in echoes.enumerate() {
            let cuts = cuts(1 + i);
            let mut x = [f64::from(*left), f64::from(*right)];
            let low = low_cut.low(x, f64::from(cuts.low_tuning));
            for c in 0..2 {
                x[c] -= low[c] * f64::from(cuts.low_amount);
            }
            let low = high_cut.low(x, f64::from(cuts.high_tuning));
            for c in 0..2 {
                x[c] += (low[c] - x[c]) * f64::from(cuts.high_amount);
            }
            (*left, *right) = (x[0] as f32, x[1] as f32);
        }
        (self.low_cut, self.high_cut) = (low_cut, high_cut);
    }

    fn run_mono(&mut self, samples: &mut [f32]) {
        let frames = samples.len();
        self.read(frames, 1);
        let [channel, _] = &mut self.channels;
        let glide = self.mix;
        let rest = Mix::from_array(glide.target());
        let moving = glide.is_moving();
        let buffers = samples
            .iter_mut()
            .zip(&channel.echo)
            .zip(&mut channel.spare);
        for (i, ((sample, echo), into)) in buffers.enumerate() {
            let mix = if moving {
                Mix::from_array(glide.ahead(1 + i))
            } else {
                rest
            };
            *into = *sample + mix.feedback * echo;
            *sample = mix.dry * *sample + mix.level * echo;
        }
        channel.line.write(&channel.spare[..frames]);
    }

    fn run_stereo(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len();
        self.read(frames, 2);
        let glide = self.mix;
        let rest = Mix::from_array(glide.target());
        if glide.is_moving() {
            self.mix_stereo(left, right, |ahead| Mix::from_array(glide.ahead(ahead)));
        } else if rest.ping_pong == 0.0 {
            // Constants that the compiler sees: half of the work falls away.
            self.mix_stereo(left, right, |_| Mix {
                ping_pong: 0.0,
                ..rest
            });
        } else {
            self.mix_stereo(left, right, |_| rest);
        }
        for channel in &mut self.channels {
            channel.line.write(&channel.spare[..frames]);
        }
    }

    #[inline(always)]
    fn mix_stereo(&mut self, left: &mut [f32], right: &mut [f32], mix: impl Fn(usize) -> Mix) {
        let frames = left.len();
        let [a, b] = &mut self.channels;
        let (left_echo, right_echo) = (&a.echo[..frames], &b.echo[..frames]);
        let (into_left, into_right) = (&mut a.spare[..frames], &mut b.spare[..frames]);
        let right = &mut right[..frames];
        for i in 0..frames {
            let Mix {
                feedback,
                level,
                dry,
                ping_pong,
            } = mix(1 + i);
            let (l, r) = (left[i], right[i]);
            let (el, er) = (left_echo[i], right_echo[i]);
            into_left[i] = l + feedback * el;
            into_right[i] = r + feedback * er;
            if ping_pong != 0.0 {
                let crossed_left = 0.5 * (l + r) + feedback * er;
                let crossed_right = feedback * el;
                into_left[i] += ping_pong * (crossed_left - into_left[i]);
                into_right[i] += ping_pong * (crossed_right - into_right[i]);
            }
            left[i] = dry * l + level * el;
            right[i] = dry * r + level * er;
        }
    }
}

fn secs_of(time_ms: f32) -> f64 {
    f64::from(time_ms) * 1e-3
}

/// From one echo to the next, in seconds.
fn echo_secs(time_ms: f32, sync: f32, tempo: Tempo) -> f64 {
    let Some(beats) = note_beats(sync) else {
        return secs_of(time_ms);
    };
    let mut secs = tempo.secs(beats);
    while secs > secs_of(MAX_TIME_MS) {
        secs *= 0.5;
    }
    secs
}

/// A delay as whole frames, at least 1.
fn delay_frames(secs: f64, rate_hz: f64) -> usize {
    (secs * rate_hz).round().max(1.0) as usize
}

impl Module for Delay {
    fn set_param(&mut self, index: usize, value: f32) {
        self.values[index] = value;
        match index {
            TIME_MS | SYNC => self.follow_time(),
            LOW_CUT_HZ | HIGH_CUT_HZ => {
                if !self.cuts.is_moving() && Cuts::from_array(self.cuts.target()).are_off() {
                    self.clear_filters();
                }
                self.cuts
                    .set(Cuts::new(&self.values, self.rate_hz).to_array());
            }
            _ => {
                self.mix
                    .set(Mix::new(&self.values, self.is_stereo).to_array());
            }
        }
    }

    fn set_tempo(&mut self, tempo: Tempo) {
        self.tempo = tempo;
        if note_beats(self.values[SYNC]).is_none() {
            return;
        }
        self.follow_time();
        if self.channels[0].line.is_empty() {
            // Nothing is heard that could click.
            self.heads.finish();
        }
    }

    fn process(&mut self, block: &mut Block<'_>) {
        let frames = block.frames();
        let mut at = 0;
        while at < frames {
            let end = at + self.even_frames(frames - at);
            match block.split() {
                (mono, None) => self.run_mono(&mut mono[at..end]),
                (left, Some(right)) => self.run_stereo(&mut left[at..end], &mut right[at..end]),
            }
            self.heads.advance(end - at);
            self.mix.advance(end - at);
            self.cuts.advance(end - at);
            at = end;
        }
    }

    fn reset(&mut self) {
        self.heads.finish();
        self.mix.finish();
        self.cuts.finish();
        self.clear_filters();
        for channel in &mut self.channels {
            channel.line.clear();
        }
    }

    fn quiet_frames(&self) -> usize {
        self.heads.longest_frames() + 256
    }

    fn adopt(&mut self, old: &dyn Module) {
        if let Some(old) = old.downcast::<Self>() {
            self.mix.adopt(&old.mix);
            self.cuts.adopt(&old.cuts);
        }
    }
}
