//! The screen's process: started, watched, started again once by itself, and then by a click.

use std::ffi::OsString;
use std::process::Child;
use std::time::{Duration, Instant};

use headroom_ipc::screen::{find, launch};
use headroom_ipc::{Guest, Server};

use super::beside::beside;

/// A screen that shows no sign of life for this long hangs.
const HANGS: Duration = Duration::from_millis(700);
/// One that still does after this long more is ended.
const GIVEN_UP: Duration = Duration::from_secs(3);
/// So long it may take until it looks for the first time.
const STARTS: Duration = Duration::from_secs(10);
/// A screen that has lived for this long has earned another start by itself.
const SETTLED: Duration = Duration::from_secs(10);
/// What of the time between two looks counts: beyond, it was this process that stood still.
const LOOK_LIMIT: Duration = Duration::from_millis(100);

const CLICK: &str = "Click to open it again. The sound goes on.";

/// What a socket says; nothing where the screen is seen.
pub(crate) type Words = Vec<String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It is to be started.
    Wanted,
    /// It was started, and has not looked yet.
    Starting,
    Living,
    Hanging,
    /// It waits for a click, or for nothing any more.
    Over,
}

/// Keeps one screen.
#[derive(Debug)]
pub(crate) struct Keeper {
    life: Life,
    child: Option<Child>,
    guest: Option<Guest>,
    beats: u32,
    /// For how long there was no beat.
    silence: Duration,
    looked: Instant,
    started: Instant,
    /// It was started again by itself, and has not lived for long since.
    is_renewed: bool,
    is_over: bool,
}

impl Keeper {
    /// `[main]` Starts one at its first look.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            life: Life::Wanted,
            child: None,
            guest: None,
            beats: 0,
            silence: Duration::ZERO,
            looked: now,
            started: now,
            is_renewed: false,
            is_over: false,
        }
    }

    /// `[main]` Somebody has clicked where the screen should be.
    pub(crate) fn click(&mut self) {
        if self.life == Life::Over && !self.is_over {
            self.life = Life::Wanted;
            self.is_renewed = false;
        }
    }

    /// `[main]` Ends it for good. It does not wait: who takes the process reaps it.
    pub(crate) fn end(&mut self) -> Option<Child> {
        self.is_over = true;
        self.life = Life::Over;
        self.kill()
    }

    fn kill(&mut self) -> Option<Child> {
        self.guest = None;
        let mut child = self.child.take()?;
        // It may have ended by itself: as good.
        let _dead_already = child.kill();
        Some(child)
    }

    /// `[main]` One look. What is to be said in its place, if that has changed; whom it has ended.
    pub(crate) fn look(
        &mut self,
        server: &mut Server,
        arguments: &[OsString],
        ended: &mut Vec<Child>,
    ) -> Option<Words> {
        let passed = self.looked.elapsed().min(LOOK_LIMIT);
        self.looked = Instant::now();
        self.silence += passed;
        // Of one that has gone, the time when it was started says nothing any more.
        if self.life == Life::Living && self.started.elapsed() > SETTLED {
            self.is_renewed = false;
        }
        match self.life {
            Life::Over => None,
            Life::Wanted => Some(self.start(server, arguments)),
            Life::Starting | Life::Living | Life::Hanging => {
                let has_ended = match &mut self.child {
                    Some(child) => !matches!(child.try_wait(), Ok(None)),
                    None => true,
                };
                if has_ended {
                    self.child = None;
                    self.guest = None;
                    return Some(self.lose("The screen has ended."));
                }
                self.listen(server, ended)
            }
        }
    }

    fn start(&mut self, server: &mut Server, arguments: &[OsString]) -> Words {
        self.life = Life::Over;
        let beside = beside();
        let Some(program) = find(beside.as_deref()) else {
            let folder = beside.unwrap_or_default();
            return words(&[
                "The screen's program, headroom-gui, is not there:",
                &format!("expected in {}", folder.display()),
                "or in PATH. The sound goes on. Click to look again.",
            ]);
        };
        match launch(&program, arguments, server) {
            Ok((child, guest)) => {
                self.child = Some(child);
                self.guest = Some(guest);
                self.life = Life::Starting;
                self.beats = 0;
                self.silence = Duration::ZERO;
                self.started = Instant::now();
                words(&["The screen is being opened."])
            }
            Err(why) => words(&["The screen does not start:", &why.to_string(), CLICK]),
        }
    }

    /// Whether it shows signs of life.
    fn listen(&mut self, server: &Server, ended: &mut Vec<Child>) -> Option<Words> {
        let beats = self.guest.and_then(|guest| server.beats(guest));
        if let Some(beats) = beats.filter(|beats| *beats != self.beats) {
            self.beats = beats;
            self.silence = Duration::ZERO;
            let is_new = self.life != Life::Living;
            self.life = Life::Living;
            return is_new.then(Words::new);
        }
        match self.life {
            Life::Starting if self.silence > STARTS => {
                ended.extend(self.kill());
                Some(self.lose("The screen does not come up."))
            }
            Life::Living if self.silence > HANGS => {
                self.life = Life::Hanging;
                let then = if self.is_renewed {
                    "If it does not come back, a click opens another."
                } else {
                    "If it does not come back, another is opened in a moment."
                };
                Some(words(&[
                    "The screen does not answer.",
                    then,
                    "The sound goes on.",
                ]))
            }
            Life::Hanging if self.silence > HANGS + GIVEN_UP => {
                ended.extend(self.kill());
                Some(self.lose("The screen did not answer any more, and was ended."))
            }
            _ => None,
        }
    }

    /// It is gone: once it comes again by itself.
    fn lose(&mut self, why: &str) -> Words {
        if self.is_renewed {
            self.life = Life::Over;
            return words(&[why, CLICK]);
        }
        self.is_renewed = true;
        self.life = Life::Wanted;
        words(&[why, "It is opened again."])
    }
}

fn words(lines: &[&str]) -> Words {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
