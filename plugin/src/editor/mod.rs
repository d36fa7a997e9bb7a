//! The editor: the program `headroom-gui` inside a window of ours under the host's.
//!
//! Nothing is drawn in the host's process but a few words where the screen is missing. The screen is told of
//! the strip as any other client is, through [`headroom_ipc`]; what is done at it goes to the host as gestures
//! and comes back as changed parameters, so that the host records it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `face.rs` | what a host calls of an editor |
//! | `outbox.rs` | gestures on their way to the host |
//! | `under_way.rs` | values that the host has not given back yet |
//! | `obey.rs` | what a screen asks for |
//! | `past.rs` | what can be undone |
//! | `shown.rs` | what a screen is shown |
//! | `keeper.rs` | the screen's process: started, watched, started again |
//! | `beside/` | where this library, and so the screen's program, lies |
//! | `socket.rs`, `socket_windows.rs` | the window that the screen lives in (X11, Windows) |
//!
//! All of it is housekeeping's but for the calls in `face.rs`: a host that never comes back to its main thread
//! has an editor all the same. Nothing is here while no editor is open.

#[cfg_attr(target_os = "linux", path = "beside/linux.rs")]
#[cfg_attr(windows, path = "beside/windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "beside/unix.rs")]
mod beside;
mod face;
mod keeper;
mod obey;
mod outbox;
mod past;
mod shown;
#[cfg_attr(target_os = "linux", path = "socket.rs")]
#[cfg_attr(windows, path = "socket_windows.rs")]
#[cfg_attr(not(any(target_os = "linux", windows)), path = "no_socket.rs")]
mod socket;
mod under_way;

use std::ffi::OsString;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headroom_ipc::{Backing, Server};

use self::face::Shape;
use self::keeper::Keeper;
use self::outbox::Outbox;
use self::past::Past;
use self::shown::Shown;
use self::socket::Socket;
use self::under_way::UnderWay;
use crate::parameters::Parameters;

pub(crate) use face::parent_of;
pub use face::{Editor, EditorError, Handle, Window};
pub(crate) use outbox::Gesture;

/// What happened to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(any(target_os = "linux", windows)), allow(dead_code))]
pub(crate) enum SocketNews {
    /// Somebody clicked on the words.
    Clicked,
    /// The screen has made itself another size, in pixels.
    Wish(u32, u32),
    /// The host has destroyed it with its own.
    Gone,
}

/// What one instance keeps for its editor, open or not.
#[derive(Default)]
pub(crate) struct Standing {
    past: Past,
    open: Option<Box<Open>>,
    /// Screens that were ended and are not reaped yet.
    ended: Vec<Child>,
}

/// An editor that is open.
struct Open {
    socket: Socket,
    shape: Arc<Shape>,
    outbox: Arc<Outbox>,
    keeper: Keeper,
    under_way: UnderWay,
    /// Made by housekeeping, at its first look: a host's main thread does not wait for it.
    service: Option<Service>,
    /// The host has shown it: before, there is no screen.
    is_seen: bool,
    /// The host is asked for it.
    wish: Option<Wish>,
}

/// A size that is wished for, in pixels.
#[derive(Debug, Clone, Copy)]
struct Wish {
    size: (u32, u32),
    /// The screen has made itself so.
    is_so: bool,
    since: Instant,
}

/// A host that has not come to its main thread for this long does not: the screen is made as it was.
const ANSWERS: Duration = Duration::from_millis(500);

/// What is there once somebody looks.
struct Service {
    server: Server,
    shown: Shown,
}

impl Standing {
    /// `[main]` Opens it; one that was open is closed.
    fn open(&mut self, parameters: &Parameters, open: Open) {
        self.close(parameters);
        self.open = Some(Box::new(open));
    }

    /// `[main]` Closes it: at once, since the window that it lives in goes next. The process is waited for by
    /// housekeeping. What is left to be told to the host is given back, for whoever holds no lock.
    fn close(&mut self, parameters: &Parameters) -> Option<Arc<Outbox>> {
        let mut open = self.open.take()?;
        self.ended.extend(open.keeper.end());
        open.let_go(&mut self.past);
        if open.service.is_some()
            && let Some(desk) = &mut *parameters.instance().desk()
        {
            desk.show(None);
        }
        Some(open.outbox)
    }

    /// `[main]` Whether values are on their way that are built together.
    pub(crate) fn is_settling(&self) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|open| open.under_way.is_settling())
    }

    /// `[main]` One look by housekeeping; what is to be told to the host, by whoever holds no lock.
    pub(crate) fn look(&mut self, parameters: &Parameters) -> Option<Arc<Outbox>> {
        self.ended
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let open = self.open.as_mut()?;
        open.look(parameters, &mut self.past, &mut self.ended);
        Some(Arc::clone(&open.outbox))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Some(open) = &mut self.open {
            self.ended.extend(open.keeper.end());
        }
        for child in &mut self.ended {
            // It was killed: this is no wait. An error says that it is gone.
            let _reaped = child.wait();
        }
    }
}

impl Open {
    /// Has the host be asked for a size, on its main thread.
    fn wish(&mut self, size: (u32, u32), is_so: bool) {
        let since = Instant::now();
        self.wish = Some(Wish { size, is_so, since });
        self.outbox.call();
    }

    /// Whoever held a control is gone: a host must not wait for the end of it.
    fn let_go(&self, past: &mut Past) {
        for row in past.let_go() {
            self.outbox.push(Gesture::End(row));
        }
    }

    fn look(&mut self, parameters: &Parameters, past: &mut Past, ended: &mut Vec<Child>) {
        for news in self.socket.look() {
            match news {
                SocketNews::Clicked => self.keeper.click(),
                SocketNews::Wish(width, height) => {
                    let size = (width, height);
                    self.wish(size, true);
                }
                // The host has taken the window away under it.
                SocketNews::Gone => ended.extend(self.keeper.end()),
            }
        }
        if let Some(wish) = self.wish
            && wish.is_so
            && wish.since.elapsed() > ANSWERS
        {
            self.wish = None;
            self.socket.resize(self.shape.pixels());
        }
        if !self.is_seen {
            return;
        }
        if self.service.is_none() {
            match Server::closed(Backing::default()) {
                Ok(server) => {
                    let shown = Shown::new(parameters);
                    self.service = Some(Service { server, shown });
                }
                Err(why) => {
                    self.socket.say(&[why.to_string()]);
                    return;
                }
            }
        }
        let Some(Service { server, shown }) = &mut self.service else {
            return;
        };
        let arguments = arguments(&self.socket, &self.shape);
        if let Some(words) = self.keeper.look(server, &arguments, ended) {
            self.socket.say(&words);
        }
        let mut desk = parameters.instance().desk();
        if let Some(desk) = &mut *desk
            && !desk.is_shown()
        {
            desk.show(Some(server.publishers()));
        }
        let is_calling = shown.beat(desk.as_ref(), server);
        let news = server.look();
        if news.left > 0 {
            for row in past.let_go() {
                self.outbox.push(Gesture::End(row));
            }
        }
        let mut done = Vec::with_capacity(news.commands.len());
        for incoming in news.commands {
            let mut hand = obey::Hand {
                parameters,
                outbox: &self.outbox,
                under_way: &mut self.under_way,
                past,
                desk: desk.as_mut(),
                shown,
            };
            let result = hand.obey(&incoming.command);
            done.push((incoming, result));
        }
        if self.under_way.settle(parameters, is_calling) {
            parameters.is_another_rack();
        }
        let rack = self.under_way.rack(parameters);
        let view = shown::View {
            parameters,
            rack,
            past,
            scale_percent: self.shape.scale_percent(),
            host: self.outbox.host(),
            must: !done.is_empty(),
        };
        shown.show(view, desk.as_mut(), server);
        drop(desk);
        // Behind the board: who sees the answer sees what it speaks of.
        for (incoming, result) in done {
            server.reply(&incoming, result);
        }
    }
}

/// What a screen is started with.
fn arguments(socket: &Socket, shape: &Shape) -> Vec<OsString> {
    let (width, height) = shape.points();
    let mut arguments = Vec::new();
    if let Some(window) = socket.id() {
        arguments.push("--parent".into());
        arguments.push(window.to_string().into());
    }
    arguments.push("--size".into());
    arguments.push(format!("{width}x{height}").into());
    arguments
}
