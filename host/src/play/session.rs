//! The main thread while the rack plays: keys, signals, housekeeping, the panel, and the end.

pub(super) mod device;
mod obey;
pub(super) mod remote;
mod shown;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::ControlError;
use headroom_engine::Report;
use headroom_engine::realtime::ThreadFaults;
use headroom_engine::realtime::ThreadSwitches;
use headroom_engine::realtime::Violation;
use headroom_engine::units::gain_to_db;
use headroom_ipc::board::DeviceChoices;

use self::remote::Remote;
use super::attempt::Open;
use super::attempt::Plan;
use super::error::PlayError;
use super::health::HealthReport;
use super::live_memory;
use super::panel::Level;
use super::panel::View;
use super::pedal::Pedal;
use super::reconnect::Absence;
use super::reconnect::Back;
use super::reconnect::Reconnect;
use super::record;
use super::report::PlayReport;
use super::report::RoundTrip;
use super::report::deadline_ns;
use super::rights::Rights;
use super::setlist::Setlist;
use super::shared::Loss;
use super::shared::Priority;
use super::stack::Stack;
use super::terminal::Key;
use super::terminal::Terminal;
use crate::midi::Desk;
use crate::midi::DeskKey;
use crate::midi::Wiring;

/// Between two pictures: about 15 a second.
const FRAME: Duration = Duration::from_millis(66);
/// Between two looks at what MIDI has brought: a program should not have to wait for a picture.
const MIDI_LOOK: Duration = Duration::from_millis(10);
/// Between two looks at the flags when nobody looks at a panel.
const LOOK: Duration = Duration::from_millis(20);
/// And at the least, where presets change fast.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
/// Between two rounds of the engine's housekeeping.
const HOUSEKEEPING: Duration = Duration::from_millis(100);
/// A device that has not called for this long is gone, whatever it says.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);
/// What of the time between two looks counts as silence: beyond, it was this program that stood still.
const LOOK_LIMIT: Duration = Duration::from_millis(250);
/// A device that only changes its rate is back sooner than this, and nothing needs to be said of it.
const CHANGE_LIMIT: Duration = Duration::from_secs(1);
/// How long the end may take once it was asked for.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Ctrl-C, SIGTERM and the closing of the terminal; and the signals of a panic.
pub(super) struct Signals {
    count: Arc<AtomicU32>,
    pedal: Pedal,
}

impl Signals {
    /// `[main]` Listens from now on.
    pub(super) fn listen() -> Result<Self, PlayError> {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        ctrlc::set_handler(move || {
            counted.fetch_add(1, Relaxed);
        })?;
        let pedal = Pedal::listen()?;
        Ok(Self { count, pedal })
    }

    fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }
}

/// `[main]` Plays to the end; gives the report, and how it ended.
pub(super) fn run(
    open: Open,
    plan: &Plan<'_>,
    setlist: Setlist,
    signals: &Signals,
    remote: Option<Remote>,
) -> (PlayReport, Result<(), PlayError>) {
    signals.pedal.connect(open.controller.panic_button());
    let mut session = Session::new(open, plan, setlist);
    session.remote = remote;
    let ended = session.play(signals);
    session.housekeep();
    session.finish_recordings(signals);
    let report = session.report();
    // The device still holds the last blocks: closing it now would cut the end of the fade.
    if ended.is_ok() && session.open.running.is_some() {
        std::thread::sleep(Duration::from_nanos(2 * report.deadline_ns).min(LOOK * 10));
    }
    if ended.is_ok() && session.open.recorder.has_failed() {
        return (report, Err(PlayError::RecordingCutShort));
    }
    (report, ended)
}

struct Session<'a> {
    open: Open,
    plan: &'a Plan<'a>,
    /// While the device is lost.
    lost: Option<Lost>,
    absence: Absence,
    setlist: Setlist,
    /// Steps in the setlist that the rack had no room for yet.
    steps: isize,
    preset_changes: u64,
    terminal: Option<Terminal>,
    view: View,
    /// When the panel was last drawn.
    drawn: Instant,
    desk: Desk,
    muted: bool,
    /// When the end was asked for.
    ending: Option<Instant>,
    housekept: Instant,
    pulse: Pulse,
    damage: Option<PlayError>,
    /// Whether the panic button was pressed when it was last looked at.
    panic: bool,
    /// The newest count; a thread that has gone leaves no figures behind.
    faults: ThreadFaults,
    /// Those of the threads before.
    faults_before: ThreadFaults,
    rights: Rights,
    stack: Stack,
    first_violation: Option<Violation>,
    /// The newest that were seen; a thread that has gone leaves none.
    switches: Option<ThreadSwitches>,
    /// Who looks from another process; `None` where that cannot be had.
    remote: Option<Remote>,
    /// What a device panel may offer, once it was asked for.
    choices: DeviceChoices,
    /// A device that was asked for while another played.
    change: Option<device::Change>,
    /// The answer of all audio systems that is waited for.
    asked: device::Asked,
}

/// A device that is lost.
struct Lost {
    way_back: Reconnect,
    /// What there is to say of it, until it has been said.
    told: bool,
    error: PlayError,
}

/// Whether the callbacks still come. Only what this program itself saw go by counts as their silence: a
/// program that was stopped and goes on has lost nothing.
struct Pulse {
    callbacks: u64,
    looked: Instant,
    silence: Duration,
}

impl Pulse {
    fn new(callbacks: u64) -> Self {
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

impl<'a> Session<'a> {
    fn new(mut open: Open, plan: &'a Plan<'a>, setlist: Setlist) -> Self {
        let args = plan.args;
        let live = args.input.is_none() && open.facts.input.is_some();
        let muted = live && !args.unmuted;
        // Sent before the first block, so that not one sample gets through.
        let muted = muted && open.controller.mute(true).is_ok();
        let terminal = Terminal::open();
        let source = match (&args.input, &open.facts.input) {
            (Some(path), _) => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            (None, Some(input)) => input.clone(),
            (None, None) => "silence".to_owned(),
        };
        let view = View {
            preset: open.preset.clone(),
            backend: open.facts.backend.to_string(),
            source,
            has_setlist: setlist.len() > 1,
            ..View::default()
        };
        let callbacks = open.shared.callbacks.load(Relaxed);
        let wiring = plan.midi.cloned().zip(open.midi.take());
        let wiring = wiring.map(|(setup, ends)| Wiring { setup, ends });
        let desk = Desk::new(plan.origin.clone(), plan.spec, wiring);
        let mut session = Self {
            open,
            plan,
            lost: None,
            absence: Absence::default(),
            setlist,
            steps: 0,
            preset_changes: 0,
            terminal,
            view,
            drawn: Instant::now(),
            desk,
            muted,
            ending: None,
            housekept: Instant::now(),
            pulse: Pulse::new(callbacks),
            damage: None,
            panic: false,
            faults: ThreadFaults::default(),
            faults_before: ThreadFaults::default(),
            rights: Rights::take(),
            stack: Stack::default(),
            first_violation: None,
            switches: None,
            remote: None,
            choices: DeviceChoices::default(),
            change: None,
            asked: None,
        };
        session.greet(live);
        session.open.shared.run();
        session
    }

    fn greet(&mut self, live: bool) {
        if self.muted {
            let how = if self.terminal.as_ref().is_some_and(Terminal::has_keys) {
                "press m to unmute"
            } else {
                "start it with --unmuted to hear it"
            };
            self.say(&format!(
                "warning: muted, because a microphone near the speakers would howl: {how}"
            ));
        } else if !live && self.open.source.is_none() {
            self.say("warning: there is no input device: the rack hears silence");
        }
    }

    fn say(&mut self, message: &str) {
        if let Some(remote) = &mut self.remote {
            remote.hear(message);
        }
        let message = format!("headroom: {message}");
        match &mut self.terminal {
            Some(terminal) => terminal.say(&message),
            None => eprintln!("{message}"),
        }
    }

    fn play(&mut self, signals: &Signals) -> Result<(), PlayError> {
        loop {
            self.listen(signals);
            if self.open.shared.finished() {
                return self.damage.take().map_or(Ok(()), Err);
            }
            self.watch_device()?;
            // The rack may be another one now.
            signals.pedal.connect(self.open.controller.panic_button());
            // There is no fade without a device.
            let ended = self.ending.is_some() && self.lost.is_some();
            let overdue = self.ending.is_some_and(|since| since.elapsed() > END_LIMIT);
            if ended || overdue || signals.count() > 1 {
                return self.damage.take().map_or(Ok(()), Err);
            }
            self.follow_setlist();
            if self.housekept.elapsed() >= HOUSEKEEPING {
                self.housekeep();
            }
        }
    }

    /// How long to wait for keys: not so long that a preset comes late.
    fn pause(&self) -> Duration {
        let usual = match &self.terminal {
            _ if self.desk.is_listening() => MIDI_LOOK,
            _ if self.remote.as_ref().is_some_and(Remote::is_watched) => remote::LOOK,
            Some(_) => FRAME,
            None => LOOK,
        };
        match self.setlist.every_secs() {
            Some(every_secs) => {
                usual.min(Duration::from_secs_f64(every_secs / 50.0).max(SHORTEST_LOOK))
            }
            None => usual,
        }
    }

    /// Goes on in the setlist, by its clock or by what the keys asked for.
    fn follow_setlist(&mut self) {
        if self.setlist.is_due(self.seconds()) {
            self.steps += 1;
        }
        if self.steps == 0 {
            return;
        }
        let Some((at, found)) = self.setlist.step(self.steps) else {
            self.steps = 0;
            return;
        };
        match self.open.controller.load(&found.spec) {
            Ok(()) => {
                self.view.preset.clone_from(&found.spec.name);
                self.desk.preset_changed(found, &self.open.controller);
                self.setlist.go_to(at);
                self.preset_changes += 1;
                self.steps = 0;
            }
            // The audio thread takes what waits within a block or two: the same again then.
            Err(ControlError::Busy) => {}
            Err(error) => {
                self.steps = 0;
                self.say(&format!("warning: {error}"));
            }
        }
    }

    /// Keys and signals; this is also where the loop waits.
    fn listen(&mut self, signals: &Signals) {
        let pause = self.pause();
        let keys = match &mut self.terminal {
            Some(terminal) => terminal.keys(pause),
            None => {
                std::thread::sleep(pause);
                Vec::new()
            }
        };
        let touched = !keys.is_empty();
        for key in keys {
            match key {
                Key::Quit => self.end(),
                Key::Escape if self.desk.is_learning() => self.ask_desk(DeskKey::Learn),
                Key::Escape => self.end(),
                Key::Desk(key) => self.ask_desk(key),
                Key::Mute => self.toggle_mute(),
                Key::Panic => self.toggle_panic(),
                Key::Record => self.toggle_recording(),
                Key::Next => self.steps += 1,
                Key::Back => self.steps -= 1,
            }
        }
        if signals.count() > 0 {
            self.end();
        }
        self.look_at_desk();
        self.look_at_clients();
        self.watch_change();
        self.hear_choices();
        if touched || self.drawn.elapsed() >= FRAME {
            self.draw();
        }
    }

    fn ask_desk(&mut self, key: DeskKey) {
        if let Some(message) = self.desk.key(key, &self.open.controller) {
            self.say(&message);
        }
    }

    /// What MIDI has brought.
    fn look_at_desk(&mut self) {
        let news = self
            .desk
            .look(&mut self.open.controller, self.lost.is_none());
        self.muted = news.muted.unwrap_or(self.muted);
        if let Some(preset) = news.preset {
            self.view.preset = preset;
            self.preset_changes += 1;
        }
        for message in news.said {
            self.say(&message);
        }
    }

    fn end(&mut self) {
        if self.ending.is_none() {
            self.ending = Some(Instant::now());
            self.open.shared.stop();
        }
    }

    fn toggle_mute(&mut self) {
        match self.open.controller.mute(!self.muted) {
            Ok(()) => self.muted = !self.muted,
            Err(error) => self.say(&format!("warning: {error}")),
        }
    }

    fn toggle_panic(&mut self) {
        let button = self.open.controller.panic_button();
        if button.is_pressed() {
            button.release();
        } else {
            button.press();
        }
    }

    fn toggle_recording(&mut self) {
        let said = match record::folder() {
            Some(folder) => self.open.recorder.toggle(&folder),
            None => "warning: not recording: there is no home folder".to_owned(),
        };
        self.say(&said);
    }

    /// Says what a key or a pedal did to the sound, and how the recordings do.
    fn tell_news(&mut self) {
        let panic = self.open.controller.panic_button().is_pressed();
        if panic != self.panic {
            self.panic = panic;
            self.say(if panic {
                "panic: silence"
            } else {
                "panic is over: sound comes in again"
            });
        }
        for message in self.open.recorder.look() {
            self.say(&message);
        }
    }

    /// Waits until all of them are on the disk; Ctrl-C ends the wait. The device still holds the last blocks
    /// meanwhile.
    fn finish_recordings(&mut self, signals: &Signals) {
        let asked = signals.count();
        let said = self.open.recorder.finish(|| signals.count() > asked);
        for message in said {
            self.say(&message);
        }
    }

    /// Notices that the device is lost, or back.
    fn watch_device(&mut self) -> Result<(), PlayError> {
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

    fn seconds(&self) -> f64 {
        self.open.shared.frames.load(Relaxed) as f64 / f64::from(self.open.facts.sample_rate_hz)
    }

    fn housekeep(&mut self) {
        self.housekept = Instant::now();
        self.tell_news();
        self.follow_device();
        for event in self.open.controller.reports() {
            self.say(&event.to_string());
            if let Report::Violation(violation) = event {
                self.first_violation = Some(violation);
            }
        }
        if let Some(line) = self.rights.look(self.open.controller.health().thread_id) {
            self.say(&line);
        }
        self.look_at_stack(false);
        self.switches = self.open.controller.health().switches.or(self.switches);
        // Of a device that is lost, the last were counted when it was.
        if self.lost.is_none()
            && let Some(faults) = self.open.controller.health().faults
        {
            self.faults = faults;
        }
        if let Some(failure) = self
            .open
            .source
            .as_ref()
            .and_then(|source| source.take_failure())
        {
            self.damage = Some(failure.into());
            self.end();
        }
    }

    fn look_at_stack(&mut self, must: bool) {
        if let Some(warning) = self.stack.look(&self.open.shared.stack, must) {
            self.say(&warning);
        }
    }

    fn draw(&mut self) {
        self.drawn = Instant::now();
        if self.terminal.is_none() {
            return;
        }
        let shared = &self.open.shared;
        let health = self.open.controller.health();
        let meters = self.open.controller.meters();
        self.view.seconds = self.seconds();
        self.view.muted = self.muted;
        self.view.ending = self.ending.is_some();
        self.view.panic = self.open.controller.panic_button().is_pressed();
        self.view.recording = self.open.recorder.status();
        self.view.waiting = self.lost.is_some();
        let rate_hz = self.open.facts.sample_rate_hz;
        self.view.output.clone_from(&self.open.facts.output);
        self.view.sample_rate_hz = rate_hz;
        self.view.block_frames = self.open.block_frames;
        self.view.deadline_ns = deadline_ns(self.open.block_frames, rate_hz);
        self.view.latency_frames = self.open.controller.latency_frames();
        self.view.master = level(&meters.master);
        self.view.slots = meters
            .slots
            .iter()
            .map(|(id, meter)| (id.clone(), level(meter)))
            .collect();
        self.view.block_ns = [
            health.block_ns.p50,
            health.block_ns.p99,
            health.block_ns.max,
        ];
        self.view.over_deadline = health.over_deadline;
        self.view.xruns = shared.xruns();
        self.view.input_gaps =
            shared.input_underruns.load(Relaxed) + shared.input_overruns.load(Relaxed);
        self.view.allocations = shared.allocations.load(Relaxed);
        self.view.deallocations = shared.deallocations.load(Relaxed);
        let faults = self.faults();
        self.view.faults = faults.minor + faults.major;
        self.view.health = self.health();
        self.view.realtime = shared.priority() != Priority::Normal;
        self.view.midi = self.desk.lines(&self.open.controller);
        if let Some(terminal) = &mut self.terminal {
            terminal.draw(&self.view);
        }
    }

    /// Tells the audio system how late the rack is, and notices that its blocks are of another length.
    fn follow_device(&mut self) {
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

    fn health(&self) -> HealthReport {
        let mut health = self.open.controller.health();
        health.switches = health.switches.or(self.switches);
        let slots = self.open.controller.slot_health();
        HealthReport::new(&health, slots, self.first_violation.as_ref())
    }

    /// Page faults of all the audio threads there were.
    fn faults(&self) -> ThreadFaults {
        ThreadFaults {
            minor: self.faults_before.minor + self.faults.minor,
            major: self.faults_before.major + self.faults.major,
        }
    }

    fn report(&mut self) -> PlayReport {
        if let Some(lost) = self.lost.take() {
            self.absence.away += lost.way_back.away();
        }
        self.look_at_stack(true);
        let rack_frames = self.open.controller.latency_frames();
        let latency = self.open.running.as_ref().and_then(|it| it.latency());
        let mut report = PlayReport::gather(
            &self.open.facts,
            self.open.block_frames,
            rack_frames,
            &self.open.shared,
            &self.open.controller.health(),
            self.faults(),
            self.absence,
        )
        .with_earlier(&self.open.earlier);
        report.audio_thread.stack = self.stack.fullest();
        PlayReport {
            memory: self
                .plan
                .args
                .memory
                .then(|| live_memory::report(&self.open)),
            health: self.health(),
            rights: self.rights.report(),
            recording: self.open.recorder.asked_report(),
            takes: self.open.recorder.other_reports(),
            midi: self.desk.counts(),
            preset_changes: self.preset_changes,
            round_trip: latency.and_then(|it| RoundTrip::of(&self.open.facts, it, rack_frames)),
            ..report
        }
    }
}

fn level(meter: &headroom_engine::Level) -> Level {
    let decibels = |linear: [f32; 2]| linear.map(gain_to_db);
    Level {
        peak_db: decibels(meter.peak),
        hold_db: decibels(meter.hold),
        rms_db: decibels(meter.rms),
    }
}
