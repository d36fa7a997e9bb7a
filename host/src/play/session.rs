//! The main thread while the rack plays: keys, signals, housekeeping, the panel, and the end.

pub(super) mod device;
mod keys;
mod loss;
mod obey;
mod picture;
pub(super) mod remote;
mod shown;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::ControlError;
use headroom_engine::Report;
use headroom_engine::realtime::ThreadFaults;
use headroom_engine::realtime::ThreadSwitches;
use headroom_engine::realtime::Violation;
use headroom_ipc::board::DeviceChoices;

pub(super) use self::keys::Signals;
use self::loss::Lost;
use self::loss::Pulse;
use self::remote::Remote;
use super::attempt::Open;
use super::attempt::Plan;
use super::error::PlayError;
use super::panel::View;
use super::reconnect::Absence;
use super::report::PlayReport;
use super::rights::Rights;
use super::setlist::Setlist;
use super::stack::Stack;
use super::terminal::Terminal;
use crate::midi::Desk;
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
/// How long the end may take once it was asked for.
const END_LIMIT: Duration = Duration::from_secs(2);

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
}
