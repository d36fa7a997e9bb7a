//! The device of a session: whether it still calls, its loss, and its return.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::realtime::ThreadFaults;

use super::Session;
use crate::play::error::PlayError;
use crate::play::reconnect::Back;
use crate::play::reconnect::Reconnect;
use crate::play::shared::Loss;

/// A device that has not called for this long is gone, whatever it says.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);
/// What of the time between two looks counts as silence: beyond, it was this program that stood still.
const LOOK_LIMIT: Duration = Duration::from_millis(250);
/// A device that only changes its rate is back sooner than this, and nothing needs to be said of it.
const CHANGE_LIMIT: Duration = Duration::from_secs(1);

/// A device that is lost.
pub(super) struct Lost {
    pub(super) way_back: Reconnect,
    /// What there is to say of it, until it has been said.
    pub(super) told: bool,
    pub(super) error: PlayError,
}

/// Whether the callbacks still come. Only what this program itself saw go by counts as their silence: a
/// program that was stopped and goes on has lost nothing.
pub(super) struct Pulse {
    callbacks: u64,
    looked: Instant,
    silence: Duration,
}

impl Pulse {
    pub(super) fn new(callbacks: u64) -> Self {
        Self {
            callbacks,
            looked: Instant::now(),
            silence: Duration::ZERO,
        }
    }

    /// For how long there has been no callback.
    fn silence(&mut self, callbacks: u64) -> Duration {
        let passed = self.looked.elapsed().min(LOOK_LIMIT);
        self.looked += self.looked.elapsed();
        if callbacks == self.callbacks {
            self.silence += passed;
        } else {
            self.callbacks = callbacks;
            self.silence = Duration::ZERO;
        }
        self.silence
    }
}

impl Session<'_> {
    /// Notices that the device is lost, or back.
    pub(super) fn watch_device(&mut self) -> Result<(), PlayError> {
        let Some(lost) = &mut self.lost else {
            return match self.loss() {
                Some((loss, reason)) => self.lose(loss, reason),
                None => Ok(()),
            };
        };
        if let Some(back) = lost.way_back.step(&mut self.open, self.plan, self.muted)? {
            self.welcome(&back);
            return Ok(());
        }
        let away = lost.way_back.away();
        if !lost.told && away > CHANGE_LIMIT {
            lost.told = true;
            let message = format!("{}: waiting for it", lost.error);
            self.say(&message);
        }
        // A programme of so many seconds is over after them, sound or no sound.
        let left_secs = self.plan.numbers.seconds.map(|all| all - self.seconds());
        if left_secs.is_some_and(|left_secs| away.as_secs_f64() > left_secs)
            && let Some(lost) = self.lost.take()
        {
            self.absence.away += away;
            return Err(lost.error);
        }
        Ok(())
    }

    fn loss(&mut self) -> Option<(Loss, &'static str)> {
        match self.open.shared.lost() {
            Some(Loss::Gone) => return Some((Loss::Gone, "the device or its server went away")),
            Some(Loss::Changed) => {
                return Some((Loss::Changed, "the device changed its rate or format"));
            }
            None => {}
        }
        let callbacks = self.open.shared.callbacks.load(Relaxed);
        (self.pulse.silence(callbacks) > SILENCE_LIMIT)
            .then_some((Loss::Gone, "the device no longer asks for sound"))
    }

    /// The device is lost: says so, and begins to wait for it, unless that is not wanted.
    fn lose(&mut self, loss: Loss, reason: &'static str) -> Result<(), PlayError> {
        let error = PlayError::DeviceLost {
            backend: self.open.facts.backend,
            reason,
            seconds: self.seconds(),
        };
        self.housekeep();
        if self.plan.args.no_reconnect {
            return Err(error);
        }
        self.faults_before = self.faults();
        self.faults = ThreadFaults::default();
        let Some(way_back) = Reconnect::begin(&mut self.open) else {
            return Err(error);
        };
        let told = loss == Loss::Gone && self.ending.is_none();
        if told {
            let message = format!("{error}: waiting for it");
            self.say(&message);
        }
        self.lost = Some(Lost {
            way_back,
            told,
            error,
        });
        Ok(())
    }

    fn welcome(&mut self, back: &Back) {
        self.lost = None;
        self.absence.reconnects += 1;
        self.rights.renew();
        self.absence.away += back.away;
        self.pulse = Pulse::new(self.open.shared.callbacks.load(Relaxed));
        if back.before_hz.is_some() {
            self.desk.rack_changed(&self.open.controller);
        }
        let rate = back.before_hz.map_or_else(String::new, |before_hz| {
            let now_hz = self.open.facts.sample_rate_hz;
            format!(" at {now_hz} Hz (it was {before_hz}): the rack was built anew for it")
        });
        let message = format!(
            "backend `{}`: the device is back after {:.1} s{rate}",
            self.open.facts.backend,
            back.away.as_secs_f64(),
        );
        self.say(&message);
    }

    /// Tells the audio system how late the rack is, and notices that its blocks are of another length.
    pub(super) fn follow_device(&mut self) {
        let rack_frames = self.open.controller.latency_frames();
        let rack_frames = u32::try_from(rack_frames).unwrap_or(u32::MAX);
        let told_frames = &self.open.shared.rack_latency_frames;
        let Some(running) = &self.open.running else {
            return;
        };
        if told_frames.swap(rack_frames, Relaxed) != rack_frames {
            running.rack_latency_changed();
        }
        if self.open.facts.duplex
            && let Some(block_frames) = running.block_frames()
            && block_frames != self.open.block_frames
        {
            self.open.block_frames = block_frames;
            let backend = self.open.facts.backend;
            self.say(&format!(
                "backend `{backend}`: blocks of {block_frames} frames from now on"
            ));
        }
    }
}
