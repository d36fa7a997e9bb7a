//! What is asked of a session by keys, signals and MIDI.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::FRAME;
use super::Session;
use crate::midi::DeskKey;
use crate::play::error::PlayError;
use crate::play::pedal::Pedal;
use crate::play::record;
use crate::play::terminal::Key;

/// Ctrl-C, SIGTERM and the closing of the terminal; and the signals of a panic.
pub(in crate::play) struct Signals {
    count: Arc<AtomicU32>,
    pub(super) pedal: Pedal,
}

impl Signals {
    /// `[main]` Listens from now on.
    pub(in crate::play) fn listen() -> Result<Self, PlayError> {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        ctrlc::set_handler(move || {
            counted.fetch_add(1, Relaxed);
        })?;
        let pedal = Pedal::listen()?;
        Ok(Self { count, pedal })
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }
}

impl Session<'_> {
    /// Keys and signals; this is also where the loop waits.
    pub(super) fn listen(&mut self, signals: &Signals) {
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

    pub(super) fn end(&mut self) {
        if self.ending.is_none() {
            self.ending = Some(Instant::now());
            self.open.shared.stop();
        }
    }

    pub(super) fn toggle_mute(&mut self) {
        match self.open.controller.mute(!self.muted) {
            Ok(()) => self.muted = !self.muted,
            Err(error) => self.say(&format!("warning: {error}")),
        }
    }

    pub(super) fn toggle_panic(&mut self) {
        let button = self.open.controller.panic_button();
        if button.is_pressed() {
            button.release();
        } else {
            button.press();
        }
    }

    pub(super) fn toggle_recording(&mut self) {
        let said = match record::folder() {
            Some(folder) => self.open.recorder.toggle(&folder),
            None => "warning: not recording: there is no home folder".to_owned(),
        };
        self.say(&said);
    }
}
