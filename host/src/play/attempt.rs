//! From a backend to a running device with a rack on it, or the reason why not.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::Controller;
use headroom_engine::Memory;
use headroom_engine::MemoryMap;
use headroom_engine::Processor;
use headroom_engine::RackSpec;
use headroom_engine::Stream;
use headroom_engine::Tempo;
use headroom_ipc::Publishers;

use super::args::Numbers;
use super::args::PlayArgs;
use super::backend;
use super::backend::Backend;
use super::backend::BackendError;
use super::backend::DeviceIds;
use super::backend::Facts;
use super::backend::Io;
use super::backend::Running;
use super::backend::Wish;
use super::bridge::BridgePlan;
use super::bridge::Capture;
use super::bridge::bridge;
use super::error::PlayError;
use super::lease::Lease;
use super::lease::Seat;
use super::player::Input;
use super::player::Player;
use super::player::Programme;
use super::record;
use super::record::Recorder;
use super::report::Earlier;
use super::session::device::Chosen;
use super::shared::Shared;
use super::source;
use super::source::FileSource;
use crate::midi;
use crate::presets::Origin;

/// Largest block of the rack where the device's is not known yet; larger callbacks are cut.
const USUAL_MAX_BLOCK_FRAMES: u32 = 2_048;
/// How long a device may take from its start to its first callback.
pub(super) const TRIAL: Duration = Duration::from_secs(2);
/// How long its pace is watched then.
const PACE_WATCH: Duration = Duration::from_millis(120);

/// What is to be played.
pub(super) struct Plan<'a> {
    pub(super) args: &'a PlayArgs,
    pub(super) numbers: Numbers,
    pub(super) spec: &'a RackSpec,
    /// Where the rack comes from, and so where it is saved.
    pub(super) origin: &'a Origin,
    /// What MIDI is listened to, if any.
    pub(super) midi: Option<&'a midi::Setup>,
    /// Where the audio thread shows what a screen wants to see.
    pub(super) publishers: Option<Publishers>,
}

/// A device that runs, with its rack on it, in silence until [`Shared::run`].
///
/// The fields are dropped in this order: the callbacks end before the rack's other end goes.
pub(super) struct Open {
    /// Dropping it is what stops the callbacks; `None` while the device is lost.
    pub(super) running: Option<Box<dyn Running>>,
    /// The player, which the callbacks have while there are any.
    pub(super) lease: Lease<Player>,
    pub(super) source: Option<FileSource>,
    pub(super) recorder: Recorder,
    pub(super) controller: Controller,
    pub(super) earlier: Earlier,
    pub(super) shared: Arc<Shared>,
    pub(super) facts: Facts,
    pub(super) block_frames: u32,
    pub(super) preset: String,
    /// The player's memory, and that of what it is fed by, as it was when the player was lent.
    pub(super) around: MemoryMap,
    pub(super) heard: Option<Arc<midi::Heard>>,
    /// What leads to the player's MIDI, until the session takes it.
    pub(super) midi: Option<midi::FeedEnds>,
    pub(super) ids: DeviceIds,
    /// A device that somebody asked for since.
    pub(super) chosen: Chosen,
}

/// Why one backend was not taken.
enum Miss {
    /// Another one may do.
    Backend(BackendError),
    /// None will.
    Fatal(PlayError),
}

impl From<BackendError> for Miss {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

impl From<PlayError> for Miss {
    fn from(error: PlayError) -> Self {
        Self::Fatal(error)
    }
}

impl Plan<'_> {
    /// `[main]` Opens the input file once, so that what is wrong with it is said before anything else.
    pub(super) fn check_input(&self) -> Result<(), PlayError> {
        if let Some(path) = &self.args.input {
            let rate_hz = self.numbers.rate_hz.unwrap_or(48_000);
            drop(source::open(path, rate_hz, false, 0.0)?);
        }
        Ok(())
    }

    fn wish(&self) -> Wish {
        Wish {
            output_device: self.args.output_device.clone(),
            input_device: self.args.input_device.clone(),
            rate_hz: self.numbers.rate_hz,
            block_frames: self.numbers.block_frames,
            routing: self.numbers.routing,
            live_input: self.args.input.is_none(),
            exact_output: self.args.recalled.output_device,
            exact_input: self.args.recalled.input_device,
        }
    }

    /// What finds the same device again, once it was lost, and no other: neither the next in the list of
    /// defaults nor one without the input that there was.
    pub(super) fn wish_again(&self, facts: &Facts, ids: &DeviceIds) -> Wish {
        let wish = self.wish();
        Wish {
            output_device: ids.output.clone().or(wish.output_device),
            input_device: ids.input.clone().or(wish.input_device),
            exact_output: wish.exact_output || ids.output.is_some(),
            exact_input: wish.exact_input || ids.input.is_some(),
            live_input: wish.live_input && facts.input.is_some(),
            ..wish
        }
    }

    /// Where the frames come from, `from_secs` into a file.
    fn feed(
        &self,
        facts: &Facts,
        shared: &Arc<Shared>,
        from_secs: f64,
    ) -> Result<(Option<FileSource>, Feed), PlayError> {
        let Some(path) = &self.args.input else {
            return Ok((None, self.live_feed(facts, shared)?));
        };
        let repeat = self.args.repeat;
        let (reader, input) = source::open(path, facts.sample_rate_hz, repeat, from_secs)?;
        let input = Some(Input::File(input));
        Ok((
            Some(reader),
            Feed {
                input,
                capture: None,
            },
        ))
    }

    /// `[main]` What a new device changes of it: a bridge from its input; nothing where a file plays.
    pub(super) fn live_feed(&self, facts: &Facts, shared: &Arc<Shared>) -> Result<Feed, PlayError> {
        if self.args.input.is_some() {
            return Ok(Feed::default());
        }
        if facts.duplex && facts.input.is_some() {
            return Ok(Feed {
                input: Some(Input::Block),
                capture: None,
            });
        }
        let Some(clock) = facts.input_clock else {
            return Ok(Feed::default());
        };
        let plan = BridgePlan {
            clocks: clock.clocks,
            input_rate_hz: clock.rate_hz,
            output_rate_hz: facts.sample_rate_hz,
            max_block_frames: max_block_frames(facts),
        };
        let (sender, input) = bridge(&plan, shared)?;
        let lease = Lease::new();
        lease.grant(Box::new(sender));
        Ok(Feed {
            input: Some(Input::Live(Box::new(input))),
            capture: Some(lease.seat()),
        })
    }

    fn programme(&self, rate_hz: u32, max_block_frames: usize, latency_frames: usize) -> Programme {
        let frames = |seconds: f64| (seconds * f64::from(rate_hz)).round().max(1.0) as u64;
        Programme {
            sample_rate_hz: rate_hz,
            max_block_frames,
            length_frames: self.numbers.seconds.map(frames),
            latency_frames,
        }
    }
}

/// What a device is given to hear.
#[derive(Default)]
pub(super) struct Feed {
    /// The output callback's end; `None` for what there was before, or for silence.
    pub(super) input: Option<Input>,
    /// The input callback's end.
    pub(super) capture: Option<Seat<Capture>>,
}

/// `[main]` Opens the backend that was named, or the first that works; says which and why.
pub(super) fn open(plan: &Plan<'_>) -> Result<Open, PlayError> {
    match plan.args.named_backend() {
        Some(backend) => attempt(backend, plan).map_err(|miss| match miss {
            Miss::Fatal(error) => error,
            Miss::Backend(BackendError::Unavailable(reason)) => {
                PlayError::Unavailable { backend, reason }
            }
            Miss::Backend(BackendError::Refused(reason)) => PlayError::Refused { backend, reason },
            Miss::Backend(BackendError::NoSuchDevice {
                direction,
                given,
                names,
            }) => PlayError::NoSuchDevice {
                direction,
                given,
                expected: one_of(&names),
            },
        }),
        None => first_that_works(plan),
    }
}

fn first_that_works(plan: &Plan<'_>) -> Result<Open, PlayError> {
    let named = plan.args.output_device.is_some()
        || plan.args.input_device.is_some()
        || plan.numbers.routing.is_named();
    let mut reasons = Vec::new();
    let mut there_are = Vec::new();
    let (mut missing, mut refused) = (None, None);
    for &backend in Backend::of_platform() {
        // Whoever names a device or its channels wants that one, and no clock in its place.
        if named && backend == Backend::Null {
            break;
        }
        match attempt(backend, plan) {
            Ok(open) => {
                let because = if reasons.is_empty() {
                    "the first that was tried".to_owned()
                } else {
                    reasons.join("; ")
                };
                eprintln!("headroom: playing on `{backend}` ({because})");
                return Ok(open);
            }
            Err(Miss::Fatal(error)) => return Err(error),
            Err(Miss::Backend(error)) => {
                reasons.push(format!("{backend}: {error}"));
                match error {
                    BackendError::NoSuchDevice {
                        direction,
                        given,
                        names,
                    } => {
                        there_are.extend(names);
                        missing = Some((direction, given));
                    }
                    BackendError::Refused(reason) => refused = Some((backend, reason)),
                    BackendError::Unavailable(_) => {}
                }
            }
        }
    }
    // It is there, and says no: that is worth more than that others do not have it.
    if let Some((backend, reason)) = refused {
        return Err(PlayError::Refused { backend, reason });
    }
    if let Some((direction, given)) = missing {
        return Err(PlayError::NoSuchDevice {
            direction,
            given,
            expected: one_of(&there_are),
        });
    }
    if let Some(name) = plan
        .args
        .output_device
        .as_ref()
        .or(plan.args.input_device.as_ref())
    {
        let direction = if plan.args.output_device.is_some() {
            "output"
        } else {
            "input"
        };
        return Err(PlayError::NoSuchDevice {
            direction,
            given: name.clone(),
            expected: format!(
                "an audio system, and there is none ({})",
                reasons.join("; ")
            ),
        });
    }
    Err(PlayError::Unavailable {
        backend: Backend::Null,
        reason: reasons.join("; "),
    })
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "one that is there, and there are none".to_owned(),
        names => format!("one of `{}`", names.join("`, `")),
    }
}

fn attempt(backend: Backend, plan: &Plan<'_>) -> Result<Open, Miss> {
    let device = backend::find(backend, &plan.wish())?;
    let facts = device.facts().clone();
    let ids = device.ids();
    let rate_hz = facts.sample_rate_hz;
    let max_block_frames = max_block_frames(&facts);
    let (controller, mut processor) =
        build(plan.spec, plan.numbers.tempo, rate_hz, max_block_frames)?;
    if let Some(publishers) = &plan.publishers {
        processor.publish_to(publishers.take());
    }

    let shared = Arc::new(Shared::default());
    shared.rack_latency_frames.store(
        controller.latency_frames().try_into().unwrap_or(u32::MAX),
        Relaxed,
    );
    let (source, feed) = plan.feed(&facts, &shared, 0.0)?;
    let programme = plan.programme(rate_hz, max_block_frames, controller.latency_frames());
    let input = feed.input.unwrap_or(Input::Silence);
    let (sender, socket) = record::socket();
    let recorder = Recorder::new(sender, rate_hz, max_block_frames, plan.args);
    let mut player = Player::new(processor, input, &programme, &shared).with_taps(socket);
    let midi = plan.midi.map(|setup| {
        let (feed, ends) = midi::Feed::new(setup.heard(), midi::first_table(setup, &controller));
        player.listen_to(feed);
        ends
    });

    let player = Box::new(player);
    let mut around = MemoryMap::default();
    player.list(&mut around);
    let lease = Lease::new();
    lease.grant(player);
    let running = device.start(Io {
        player: lease.seat(),
        capture: feed.capture,
        shared: Arc::clone(&shared),
    })?;
    if backend != Backend::Null {
        let by_name = plan.args.output_device.is_some();
        try_out(&shared, rate_hz, by_name)?;
    }
    let block_frames = running
        .block_frames()
        .or(facts.block_frames)
        .unwrap_or_else(|| {
            let callbacks = shared.callbacks.load(Relaxed).max(1);
            (shared.asked_frames.load(Relaxed) / callbacks)
                .try_into()
                .unwrap_or(u32::MAX)
        });
    Ok(Open {
        running: Some(running),
        lease,
        source,
        recorder,
        controller,
        earlier: Earlier::default(),
        shared,
        facts,
        block_frames,
        preset: plan.spec.name.clone(),
        around,
        heard: plan.midi.map(|setup| Arc::clone(setup.heard())),
        midi,
        ids,
        chosen: None,
    })
}

fn max_block_frames(facts: &Facts) -> usize {
    facts
        .block_frames
        .unwrap_or(USUAL_MAX_BLOCK_FRAMES)
        .min(Stream::MAX_BLOCK_FRAMES as u32) as usize
}

fn build(
    spec: &RackSpec,
    tempo: Tempo,
    rate_hz: u32,
    max_block_frames: usize,
) -> Result<(Controller, Processor), PlayError> {
    let stream = Stream::new(rate_hz, max_block_frames, 2)?;
    let (mut controller, processor) = headroom_engine::open(stream, spec, &Memory::default())?;
    // Cannot be refused: nothing else has been sent to it.
    let _has_room = controller.set_tempo(tempo);
    Ok((controller, processor))
}

/// `[main]` The device is back at another rate: builds the rack of now for that rate, and puts it into the
/// player. Gives the input device's end.
pub(super) fn rebuild(
    open: &mut Open,
    player: &mut Player,
    facts: &Facts,
    plan: &Plan<'_>,
    muted: bool,
) -> Result<Option<Seat<Capture>>, PlayError> {
    let rate_hz = facts.sample_rate_hz;
    let before_hz = open.controller.stream().sample_rate_hz();
    let max_block_frames = max_block_frames(facts);
    let before = &open.controller;
    let (mut controller, processor) =
        build(&before.current(), before.tempo(), rate_hz, max_block_frames)?;
    if muted {
        // Cannot be refused: nothing else has been sent to it.
        let _has_room = controller.mute(true);
    }
    let played_secs = open.shared.input_secs(before_hz);
    let (source, feed) = plan.feed(facts, &open.shared, played_secs)?;
    let programme = plan.programme(rate_hz, max_block_frames, controller.latency_frames());
    let input = feed.input.unwrap_or(Input::Silence);
    player.start_over(processor, input, &programme, before_hz);
    if open.controller.panic_button().is_pressed() {
        controller.panic_button().press();
    }
    open.recorder.change_rate(rate_hz, max_block_frames);
    if let Some(setup) = plan.midi {
        player.move_midi_to(midi::first_table(setup, &controller));
    }
    open.source = source;
    open.earlier.add(&open.controller.health());
    controller.put_history(open.controller.take_history());
    open.controller = controller;
    Ok(feed.capture)
}

/// `[main]` Watches the first callbacks: some devices open and never call (a server without a session
/// manager), some call as fast as they can (ALSA's `null`, and whatever is routed to it).
fn try_out(shared: &Shared, rate_hz: u32, by_name: bool) -> Result<(), BackendError> {
    let start = Instant::now();
    while shared.callbacks.load(Relaxed) == 0 {
        if start.elapsed() > TRIAL {
            let secs = TRIAL.as_secs();
            return Err(BackendError::Refused(format!(
                "its device opened and did not ask for sound within {secs} s"
            )));
        }
        if shared.lost().is_some() {
            return Err(BackendError::Refused(
                "its device went away at the start".to_owned(),
            ));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let (first, asked) = (Instant::now(), shared.asked_frames.load(Relaxed));
    std::thread::sleep(PACE_WATCH);
    let frames = shared.asked_frames.load(Relaxed) - asked;
    if is_paced(frames, rate_hz, first.elapsed()) {
        return Ok(());
    }
    if by_name {
        eprintln!(
            "headroom: warning: this device has no clock: it takes sound as fast as it is made"
        );
        return Ok(());
    }
    Err(BackendError::Unavailable(
        "its default device has no clock".to_owned(),
    ))
}

/// Whether a device that asked for `frames` in `elapsed` can be one that plays them: four times the pace,
/// and a buffer that is filled at the start, are forgiven.
fn is_paced(frames: u64, rate_hz: u32, elapsed: Duration) -> bool {
    let played = elapsed.as_secs_f64() * f64::from(rate_hz);
    frames as f64 <= 4.0 * played + 16_384.0
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
