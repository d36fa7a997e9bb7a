//! The terminal while playing: one panel that is redrawn in place, and the keys.

use std::io::IsTerminal;
use std::io::Write;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crossterm::ExecutableCommand;
use crossterm::QueueableCommand;
use crossterm::cursor;
use crossterm::event;
use crossterm::event::Event;
use crossterm::event::KeyCode;
use crossterm::event::KeyEventKind;
use crossterm::event::KeyModifiers;
use crossterm::terminal;
use crossterm::terminal::ClearType;

use headroom_engine::realtime::enlist_thread;

use super::panel;
use super::panel::Line;
use super::panel::View;
use crate::midi::DeskKey;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Mute or unmute.
    Mute,
    /// Press or release the panic button.
    Panic,
    /// Start or end a recording.
    Record,
    /// Fade out and end.
    Quit,
    /// Leave what is open, or end.
    Escape,
    /// The desk's: learning and saving.
    Desk(DeskKey),
    /// The next preset of the setlist.
    Next,
    /// The preset before.
    Back,
}

/// What comes from the terminal.
enum Input {
    Key(Key),
    Resized,
}

/// The standard error stream as a place for the panel. Puts the terminal back as it was when dropped.
///
/// Standard error, because standard output may be a pipe that waits for the report.
pub(super) struct Terminal {
    out: std::io::Stderr,
    /// What the terminal's thread reads; `None` where there are no keys, or no more.
    input: Option<Receiver<Input>>,
    raw: bool,
    colour: bool,
    /// Lines of the panel that stand on the screen, above the cursor.
    drawn: u16,
}

impl Terminal {
    /// `[main]` Takes the terminal over; `None` where there is none.
    pub(super) fn open() -> Option<Self> {
        let mut out = std::io::stderr();
        if !out.is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return None;
        }
        let raw = std::io::stdin().is_terminal() && terminal::enable_raw_mode().is_ok();
        // A terminal that cannot hide its cursor still shows the panel.
        let _cosmetic = out.execute(cursor::Hide);
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Some(Self {
            out,
            input: raw.then(read_keys),
            raw,
            colour,
            drawn: 0,
        })
    }

    /// `[main]` Whether keys are read at all.
    pub(super) fn has_keys(&self) -> bool {
        self.input.is_some()
    }

    /// `[main]` Waits up to `pause` for keys and gives those that mean something.
    pub(super) fn keys(&mut self, pause: Duration) -> Vec<Key> {
        let mut keys = Vec::new();
        let Some(input) = self.input.take() else {
            std::thread::sleep(pause);
            return keys;
        };
        let mut wait = pause;
        loop {
            match input.recv_timeout(wait) {
                Ok(Input::Key(key)) => keys.push(key),
                Ok(Input::Resized) => self.start_anew(),
                Err(RecvTimeoutError::Timeout) => {
                    self.input = Some(input);
                    return keys;
                }
                // The terminal has gone; the sound goes on until a signal or its end.
                Err(RecvTimeoutError::Disconnected) => return keys,
            }
            wait = Duration::ZERO;
        }
    }

    /// `[main]` Draws the panel over the one before.
    pub(super) fn draw(&mut self, view: &View) {
        // Terminals that do not know their size say 0.
        let size = terminal::size()
            .ok()
            .filter(|(columns, rows)| *columns > 0 && *rows > 0);
        let (columns, rows) = size.unwrap_or((80, 24));
        let mut lines = panel::lines(view, usize::from(columns));
        lines.truncate(usize::from(rows.saturating_sub(1)).max(1));
        // A terminal that does not take what is written is not worth stopping the sound for.
        let _cosmetic = self.paint(&lines);
    }

    /// `[main]` A line that stays, above the panel.
    pub(super) fn say(&mut self, message: &str) {
        let _cosmetic = self.erase();
        let _cosmetic = write!(self.out, "{message}\r\n");
        let _cosmetic = self.out.flush();
    }

    /// The terminal has wrapped the lines of the panel as it liked: nothing on it can be trusted.
    fn start_anew(&mut self) {
        self.drawn = 0;
        let _cosmetic = self
            .out
            .queue(terminal::Clear(ClearType::All))
            .and_then(|out| out.queue(cursor::MoveTo(0, 0)))
            .map(|_| ());
    }

    fn paint(&mut self, lines: &[Line]) -> std::io::Result<()> {
        let mut frame = Vec::with_capacity(8192);
        if self.drawn > 0 {
            frame.queue(cursor::MoveUp(self.drawn))?;
        }
        frame.queue(cursor::MoveToColumn(0))?;
        for line in lines {
            line.write(&mut frame, self.colour)?;
            frame.queue(terminal::Clear(ClearType::UntilNewLine))?;
            frame.write_all(b"\r\n")?;
        }
        frame.queue(terminal::Clear(ClearType::FromCursorDown))?;
        self.drawn = lines.len().try_into().unwrap_or(u16::MAX);
        self.out.write_all(&frame)?;
        self.out.flush()
    }

    fn erase(&mut self) -> std::io::Result<()> {
        if self.drawn > 0 {
            self.out.queue(cursor::MoveUp(self.drawn))?;
        }
        self.drawn = 0;
        self.out.queue(cursor::MoveToColumn(0))?;
        self.out.queue(terminal::Clear(ClearType::FromCursorDown))?;
        self.out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _cosmetic = self.out.execute(cursor::Show);
        if self.raw {
            let _cosmetic = terminal::disable_raw_mode();
        }
    }
}

/// Reads the terminal on a thread of its own: of a terminal that hangs up, the reader may never come
/// back, and the signal that says so must still be heard. The thread ends with the program.
fn read_keys() -> Receiver<Input> {
    let (send, input) = mpsc::channel();
    let read = move || {
        while let Ok(event) = event::read() {
            let input = match event {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    meaning(key.code, key.modifiers).map(Input::Key)
                }
                Event::Resize(..) => Some(Input::Resized),
                _ => None,
            };
            if input.is_some_and(|input| send.send(input).is_err()) {
                return;
            }
        }
    };
    // Without the thread there are no keys: the channel says so.
    let _thread = std::thread::Builder::new()
        .name("headroom-keys".to_owned())
        .spawn(move || {
            let _enlisted = enlist_thread("keys");
            read();
        });
    input
}

fn meaning(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
    match code {
        KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
        KeyCode::Char('q' | 'Q') => Some(Key::Quit),
        KeyCode::Esc => Some(Key::Escape),
        KeyCode::Char('l' | 'L') => Some(Key::Desk(DeskKey::Learn)),
        KeyCode::Char('s' | 'S') => Some(Key::Desk(DeskKey::Save)),
        KeyCode::Char('x' | 'X') | KeyCode::Delete => Some(Key::Desk(DeskKey::Unbind)),
        KeyCode::Up => Some(Key::Desk(DeskKey::Up)),
        KeyCode::Down => Some(Key::Desk(DeskKey::Down)),
        KeyCode::Left => Some(Key::Desk(DeskKey::Left)),
        KeyCode::Right => Some(Key::Desk(DeskKey::Right)),
        KeyCode::Char('n' | 'N') => Some(Key::Next),
        KeyCode::Char('b' | 'B') => Some(Key::Back),
        KeyCode::Char('m' | 'M') | KeyCode::Enter => Some(Key::Mute),
        KeyCode::Char('p' | 'P' | ' ') => Some(Key::Panic),
        KeyCode::Char('r' | 'R') => Some(Key::Record),
        _ => None,
    }
}
