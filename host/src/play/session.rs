//! The main thread while the rack plays: keys, signals, housekeeping, the panel, and the end.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::realtime::ThreadFaults;
use headroom_engine::units::gain_to_db;

use super::args::PlayArgs;
use super::attempt::Open;
use super::error::PlayError;
use super::panel::Level;
use super::panel::View;
use super::report::PlayReport;
use super::report::deadline_ns;
use super::shared::Loss;
use super::shared::Priority;
use super::terminal::Key;
use super::terminal::Terminal;

/// Between two pictures: about 15 a second.
const FRAME: Duration = Duration::from_millis(66);
/// Between two looks at the flags when nobody looks at a panel.
const LOOK: Duration = Duration::from_millis(20);
/// Between two rounds of the engine's housekeeping.
const HOUSEKEEPING: Duration = Duration::from_millis(100);
/// A device that has not called for this long is gone, whatever it says.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);
/// How long the end may take once it was asked for.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Ctrl-C, SIGTERM and the closing of the terminal.
pub(super) struct Signals {
    count: Arc<AtomicU32>,
}

impl Signals {
    /// `[main]` Listens from now on.
    pub(super) fn listen() -> Result<Self, PlayError> {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        ctrlc::set_handler(move || {
            counted.fetch_add(1, Relaxed);
        })?;
        Ok(Self { count })
    }

    fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }
}

/// `[main]` Plays to the end; gives the report, and how it ended.
pub(super) fn run(
    open: Open,
    args: &PlayArgs,
    signals: &Signals,
) -> (PlayReport, Result<(), PlayError>) {
    let mut session = Session::new(open, args);
    let ended = session.play(signals);
    session.housekeep();
    let report = session.report();
    // The device still holds the last blocks: closing it now would cut the end of the fade.
    if ended.is_ok() {
        std::thread::sleep(Duration::from_nanos(2 * report.deadline_ns).min(LOOK * 10));
    }
    (report, ended)
}

struct Session {
    open: Open,
    terminal: Option<Terminal>,
    view: View,
    muted: bool,
    /// When the end was asked for.
    ending: Option<Instant>,
    housekept: Instant,
    /// The newest callback count, and when it changed.
    called: (u64, Instant),
    damage: Option<PlayError>,
    /// The newest count; a thread that has gone leaves no figures behind.
    faults: ThreadFaults,
}

impl Session {
    fn new(mut open: Open, args: &PlayArgs) -> Self {
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
            output: open.facts.output.clone(),
            source,
            sample_rate_hz: open.facts.sample_rate_hz,
            block_frames: open.block_frames,
            deadline_ns: deadline_ns(open.block_frames, open.facts.sample_rate_hz),
            ..View::default()
        };
        let now = Instant::now();
        let mut session = Self {
            open,
            terminal,
            view,
            muted,
            ending: None,
            housekept: now,
            called: (0, now),
            damage: None,
            faults: ThreadFaults::default(),
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
            if let Some(reason) = self.loss() {
                return Err(self.lost(reason));
            }
            let overdue = self.ending.is_some_and(|since| since.elapsed() > END_LIMIT);
            if overdue || signals.count() > 1 {
                return self.damage.take().map_or(Ok(()), Err);
            }
            if self.housekept.elapsed() >= HOUSEKEEPING {
                self.housekeep();
            }
            self.draw();
        }
    }

    /// Keys and signals; this is also where the loop waits.
    fn listen(&mut self, signals: &Signals) {
        let keys = match &mut self.terminal {
            Some(terminal) => terminal.keys(FRAME),
            None => {
                std::thread::sleep(LOOK);
                Vec::new()
            }
        };
        for key in keys {
            match key {
                Key::Quit => self.end(),
                Key::Mute => self.toggle_mute(),
            }
        }
        if signals.count() > 0 {
            self.end();
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

    fn loss(&mut self) -> Option<&'static str> {
        match self.open.shared.lost() {
            Some(Loss::Gone) => return Some("the device or its server went away"),
            Some(Loss::Changed) => return Some("the device changed its rate or format"),
            None => {}
        }
        let callbacks = self.open.shared.callbacks.load(Relaxed);
        if callbacks != self.called.0 {
            self.called = (callbacks, Instant::now());
        }
        (self.called.1.elapsed() > SILENCE_LIMIT).then_some("the device no longer asks for sound")
    }

    /// The one place that a device that comes back would be waited for.
    fn lost(&self, reason: &'static str) -> PlayError {
        PlayError::DeviceLost {
            backend: self.open.facts.backend,
            reason,
            seconds: self.seconds(),
        }
    }

    fn seconds(&self) -> f64 {
        self.open.shared.frames.load(Relaxed) as f64 / f64::from(self.open.facts.sample_rate_hz)
    }

    fn housekeep(&mut self) {
        self.housekept = Instant::now();
        for event in self.open.controller.reports() {
            self.say(&event.to_string());
        }
        if let Some(faults) = self.open.controller.health().faults {
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

    fn draw(&mut self) {
        if self.terminal.is_none() {
            return;
        }
        let shared = &self.open.shared;
        let health = self.open.controller.health();
        let meters = self.open.controller.meters();
        self.view.seconds = self.seconds();
        self.view.muted = self.muted;
        self.view.ending = self.ending.is_some();
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
        self.view.faults = self.faults.minor + self.faults.major;
        self.view.realtime = shared.priority() != Priority::Normal;
        if let Some(terminal) = &mut self.terminal {
            terminal.draw(&self.view);
        }
    }

    fn report(&mut self) -> PlayReport {
        PlayReport::gather(
            &self.open.facts,
            self.open.block_frames,
            self.open.controller.latency_frames(),
            &self.open.shared,
            &self.open.controller.health(),
            self.faults,
        )
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
