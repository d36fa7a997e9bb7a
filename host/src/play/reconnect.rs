//! A device that was lost, until it is back. The rack is in our hands meanwhile and goes on where it was;
//! only a device of another rate has it built anew.
//!
//! What may take long (a goodbye to a server that hangs, a search, a start) runs on a thread beside, one at
//! a time: keys and signals are heard all the while, and a server that hangs for good costs one thread.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::MemoryMap;

use super::attempt;
use super::attempt::Open;
use super::attempt::Plan;
use super::attempt::TRIAL;
use super::backend;
use super::backend::BackendError;
use super::backend::Device;
use super::backend::Facts;
use super::backend::Io;
use super::backend::Running;
use super::error::PlayError;
use super::player::Player;

/// Between two searches.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long a callback may take to let go of the player: far more than any block.
const LAST_CALL: Duration = Duration::from_millis(500);

/// How often the device was away, and for how long in all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Absence {
    pub(super) reconnects: u64,
    pub(super) away: Duration,
}

/// The way back to a device.
pub(super) struct Reconnect {
    since: Instant,
    stage: Stage,
    /// Here while no device has it.
    player: Option<Box<Player>>,
    /// The rate that the rack was built for when the device was lost.
    before_hz: u32,
}

/// The device is back, and has asked for sound.
pub(super) struct Back {
    pub(super) away: Duration,
    /// The rate of before, if it is another now.
    pub(super) before_hz: Option<u32>,
}

enum Stage {
    /// The device that was lost is told goodbye: its library may know only one connection at a time.
    Closing(Job<()>),
    Pausing(Instant),
    Finding(Job<Result<Box<dyn Device>, BackendError>>),
    Starting(Job<Result<Box<dyn Running>, BackendError>>, Facts),
    /// It runs: does it ask for sound?
    Listening {
        running: Box<dyn Running>,
        facts: Facts,
        started: Instant,
        callbacks: u64,
    },
}

impl Reconnect {
    /// `[main]` Takes the player back from a device that is lost, and lets the device go. `None` when its
    /// callback hangs with the player in its hands: nothing can go on then.
    pub(super) fn begin(open: &mut Open) -> Option<Self> {
        let player = open.lease.revoke(LAST_CALL)?;
        let running = open.running.take();
        Some(Self {
            since: Instant::now(),
            stage: match Job::start(move || drop(running)) {
                Some(job) => Stage::Closing(job),
                None => Stage::Pausing(Instant::now()),
            },
            player: Some(player),
            before_hz: open.facts.sample_rate_hz,
        })
    }

    /// `[main]` For how long there has been no device.
    pub(super) fn away(&self) -> Duration {
        self.since.elapsed()
    }

    /// `[main]` One step, without waiting; call it again and again until it gives something. The rack of
    /// `open` is another one then if the rate is.
    ///
    /// # Errors
    ///
    /// The rack cannot be built at the new rate, or the input file cannot be opened again.
    pub(super) fn step(
        &mut self,
        open: &mut Open,
        plan: &Plan<'_>,
        muted: bool,
    ) -> Result<Option<Back>, PlayError> {
        let pause = || Stage::Pausing(Instant::now() + RETRY_PAUSE);
        let stage = std::mem::replace(&mut self.stage, pause());
        self.stage = match stage {
            Stage::Closing(job) => match job.look() {
                Look::Working => Stage::Closing(job),
                Look::Done(()) | Look::Died => Stage::Pausing(Instant::now()),
            },
            Stage::Pausing(until) if Instant::now() < until => Stage::Pausing(until),
            Stage::Pausing(_) => {
                let (backend, wish) = match &open.chosen {
                    Some(chosen) => chosen.clone(),
                    None => (open.facts.backend, plan.wish_again(&open.facts, &open.ids)),
                };
                match Job::start(move || backend::find_whenever(backend, &wish)) {
                    Some(job) => Stage::Finding(job),
                    None => pause(),
                }
            }
            Stage::Finding(job) => match job.look() {
                Look::Working => Stage::Finding(job),
                Look::Done(Ok(device)) => self.start(device, open, plan, muted)?,
                Look::Done(Err(_)) | Look::Died => pause(),
            },
            Stage::Starting(job, facts) => match job.look() {
                Look::Working => Stage::Starting(job, facts),
                Look::Done(Ok(running)) => Stage::Listening {
                    running,
                    facts,
                    started: Instant::now(),
                    callbacks: open.shared.callbacks.load(Relaxed),
                },
                Look::Done(Err(_)) | Look::Died => {
                    self.player = open.lease.revoke(LAST_CALL);
                    pause()
                }
            },
            Stage::Listening {
                running,
                facts,
                started,
                callbacks,
            } => {
                let asked = open.shared.callbacks.load(Relaxed) != callbacks;
                let gone = open.shared.lost().is_some() || started.elapsed() > TRIAL;
                match (asked, gone) {
                    (true, false) => return Ok(Some(self.arrive(running, facts, open))),
                    (_, true) => {
                        self.player = open.lease.revoke(LAST_CALL);
                        match Job::start(move || drop(running)) {
                            Some(job) => Stage::Closing(job),
                            None => pause(),
                        }
                    }
                    (false, false) => Stage::Listening {
                        running,
                        facts,
                        started,
                        callbacks,
                    },
                }
            }
        };
        Ok(None)
    }

    /// The device has been found: gives it the player, and has it started.
    fn start(
        &mut self,
        device: Box<dyn Device>,
        open: &mut Open,
        plan: &Plan<'_>,
        muted: bool,
    ) -> Result<Stage, PlayError> {
        let Some(mut player) = self.player.take() else {
            // A callback kept it: that device's end has to come first.
            self.player = open.lease.revoke(LAST_CALL);
            return Ok(Stage::Pausing(Instant::now() + RETRY_PAUSE));
        };
        let facts = device.facts().clone();
        open.shared.found();
        let capture = if facts.sample_rate_hz == open.controller.stream().sample_rate_hz() {
            let feed = plan.live_feed(&facts, &open.shared)?;
            player.move_on(feed.input);
            feed.capture
        } else {
            attempt::rebuild(open, &mut player, &facts, plan, muted)?
        };
        open.around = MemoryMap::default();
        player.list(&mut open.around);
        open.lease.grant(player);
        let io = Io {
            player: open.lease.seat(),
            capture,
            shared: Arc::clone(&open.shared),
        };
        Ok(match Job::start(move || device.start(io)) {
            Some(job) => Stage::Starting(job, facts),
            None => {
                self.player = open.lease.revoke(LAST_CALL);
                Stage::Pausing(Instant::now() + RETRY_PAUSE)
            }
        })
    }

    fn arrive(&self, running: Box<dyn Running>, facts: Facts, open: &mut Open) -> Back {
        let before_hz = Some(self.before_hz).filter(|hz| *hz != facts.sample_rate_hz);
        open.block_frames = running
            .block_frames()
            .or(facts.block_frames)
            .unwrap_or(open.block_frames);
        open.running = Some(running);
        open.facts = facts;
        Back {
            away: self.away(),
            before_hz,
        }
    }
}

/// Work on a thread of its own, which is left to itself when nobody waits any more.
struct Job<R> {
    wait: Receiver<R>,
}

enum Look<R> {
    Working,
    Done(R),
    /// It panicked: a library's doing.
    Died,
}

impl<R: Send + 'static> Job<R> {
    /// `None` when the system has no thread to give.
    fn start(work: impl FnOnce() -> R + Send + 'static) -> Option<Self> {
        let (done, wait) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("headroom-return".to_owned())
            .spawn(move || {
                // Nobody waits any more: the late result is dropped with this closure.
                let _late = done.send(work());
            })
            .ok()?;
        Some(Self { wait })
    }

    fn look(&self) -> Look<R> {
        match self.wait.try_recv() {
            Ok(result) => Look::Done(result),
            Err(TryRecvError::Empty) => Look::Working,
            Err(TryRecvError::Disconnected) => Look::Died,
        }
    }
}
