//! How fast the frames of one clock must be taken by another, so that as many wait as are wanted.
//!
//! A phase-locked loop of second order, critically damped: what waits is measured once a callback, freed
//! of the callbacks' jitter by two poles, and steers the speed by a proportional and an integral part. The
//! integral is the drift between the clocks. At first the loop is fast, to find it; then it slows down
//! until what it does cannot be heard: the jitter of callbacks that come half a block late moves the pitch
//! by less than a twentieth of a cent.

/// Natural frequency right after the start, and in the long run, in radians a second.
const FAST: f64 = 1.5;
const SLOW: f64 = 0.1;
/// In between it is this many radians divided by the time since the start.
const SETTLING: f64 = 5.0;
/// When the drift is known from before, it starts as if so many seconds had passed.
const KNOWN_SECS: f64 = 15.0;
/// The poles in front of the loop, in its natural frequency: far enough not to cost it its damping.
const POLES: f64 = 10.0;
/// Drift beyond this is no drift of a clock: crystals keep within 0.0001.
const MAX_DRIFT: f64 = 0.005;
/// What may be added to it to fill up or to empty: 1.7 cents.
const MAX_PULL: f64 = 0.001;

/// How fast the speed itself may move, in each second: a kink in the pitch is a click of its own.
const MAX_BEND: f64 = 0.0005;

/// The control loop. Speeds are relative to the nominal rates: 1 is nominal.
#[derive(Debug)]
pub(super) struct Pace {
    rate_hz: f64,
    drift: f64,
    smooth_frames: [f64; 2],
    locked_secs: f64,
    speed: f64,
    /// Whether the drift was found once.
    known: bool,
}

impl Pace {
    /// The speeds that [`Pace::steer`] stays between, as the largest ratio to nominal.
    pub(super) const MAX_SPEED: f64 = 1.0 + MAX_DRIFT + MAX_PULL;

    /// `[any]` A loop for input frames of `rate_hz`, with no drift known.
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz: f64::from(rate_hz),
            drift: 0.0,
            smooth_frames: [0.0; 2],
            locked_secs: 0.0,
            speed: 1.0,
            known: false,
        }
    }

    /// `[audio]` Starts again at `speed` with as many frames as are wanted; the drift so far is kept.
    pub(super) fn lock(&mut self, speed: f64) {
        self.speed = speed;
        self.known |= self.locked_secs > KNOWN_SECS;
        self.smooth_frames = [0.0; 2];
        self.locked_secs = if self.known { KNOWN_SECS } else { 0.0 };
    }

    /// `[audio]` Takes a drift that was measured otherwise.
    pub(super) fn assume(&mut self, drift: f64) {
        self.drift = drift.clamp(-MAX_DRIFT, MAX_DRIFT);
        self.known = true;
    }

    /// `[audio]` The speed until the next call: `excess_frames` more wait than are wanted, and a single
    /// measurement may be late by about `jitter_frames`.
    pub(super) fn steer(
        &mut self,
        excess_frames: f64,
        jitter_frames: f64,
        elapsed_secs: f64,
    ) -> f64 {
        self.locked_secs += elapsed_secs;
        let natural = (SETTLING / self.locked_secs).clamp(SLOW, FAST);
        let [first, second] = &mut self.smooth_frames;
        // One callback that comes far too late says little: the system stalled, the clocks did not.
        let excess_frames = excess_frames.clamp(*second - jitter_frames, *second + jitter_frames);
        let share = 1.0 - (-POLES * natural * elapsed_secs).exp();
        *first += share * (excess_frames - *first);
        *second += share * (*first - *second);

        let excess_secs = *second / self.rate_hz;
        let pull = (2.0 * natural * excess_secs).clamp(-MAX_PULL, MAX_PULL);
        if pull.abs() < MAX_PULL {
            let drift = self.drift + natural * natural * excess_secs * elapsed_secs;
            self.drift = drift.clamp(-MAX_DRIFT, MAX_DRIFT);
        }
        let bend = MAX_BEND * elapsed_secs;
        let wanted = 1.0 + self.drift + pull;
        self.speed = wanted.clamp(self.speed - bend, self.speed + bend);
        self.speed
    }

    /// `[any]` How much faster than nominal the input runs, beside the output.
    pub(super) fn drift(&self) -> f64 {
        self.drift
    }

    /// `[audio]` The excess, freed of jitter.
    pub(super) fn excess_frames(&self) -> f64 {
        self.smooth_frames[1]
    }
}
