//! The screen in a program's window: what a hand does at it, and how it is put to death.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::display::{Stage, move_mouse, screens_of, signal, wait_for, xdotool};

/// Where the knob of a first module that is a gain is, in points from the corner of a screen of 900 by 600.
pub(crate) const KNOB: (i32, i32) = (136, 240);
/// Deaths that a screen is put to.
pub(crate) const KILLS: usize = 20;

/// A process that is ended with the test.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Somebody who decorates, moves and sizes windows, as on people's displays.
pub(crate) fn window_manager() -> Ended {
    let started = Command::new("openbox")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let openbox =
        Ended(started.expect("this test needs openbox: install the package of that name"));
    sleep(Duration::from_millis(300));
    openbox
}

/// A screen in a window of the program's.
pub(crate) struct Guest<'a> {
    stage: &'a Stage,
    /// The program's process, whose child the screen is.
    host: u32,
    pub(crate) socket: u32,
}

impl<'a> Guest<'a> {
    /// Waits for it.
    pub(crate) fn wait(stage: &'a Stage, host: u32) -> Self {
        let socket = wait_for("a screen in a window of the program's", || {
            stage.sockets().first().copied()
        });
        // The rack is drawn.
        sleep(Duration::from_millis(500));
        Self {
            stage,
            host,
            socket,
        }
    }

    /// The screen's window, and how large it is.
    pub(crate) fn size(&self) -> (u32, u32) {
        let screen = self.stage.screen(self.socket).expect("a screen");
        self.stage.size(screen)
    }

    pub(crate) fn is_there(&self) -> bool {
        self.stage.has_screen(self.socket)
    }

    /// Moves the mouse to a point of the screen.
    fn point_at(&self, at: (i32, i32)) {
        let (x, y) = self.stage.point(self.socket, at);
        move_mouse(x, y);
    }

    pub(crate) fn click(&self, at: (i32, i32)) {
        self.point_at(at);
        sleep(Duration::from_millis(200));
        xdotool(&["click", "1"]);
        sleep(Duration::from_millis(300));
    }

    /// Takes hold of a point, pulls it in ten steps, and lets go.
    pub(crate) fn drag(&self, from: (i32, i32), (dx, dy): (i32, i32)) {
        // A window that moves under the hand does not move where it is.
        let (x, y) = self.stage.point(self.socket, from);
        move_mouse(x, y);
        sleep(Duration::from_millis(200));
        xdotool(&["mousedown", "1"]);
        sleep(Duration::from_millis(200));
        for step in 1..=10 {
            move_mouse(x + dx * step / 10, y + dy * step / 10);
            sleep(Duration::from_millis(60));
        }
        xdotool(&["mouseup", "1"]);
        sleep(Duration::from_millis(400));
        move_mouse(1_990, 1_390);
    }

    /// Pulls the screen by its corner.
    pub(crate) fn pull(&self, by: (i32, i32)) {
        let (width, height) = self.size();
        self.drag((width as i32 - 5, height as i32 - 5), by);
    }

    /// Kills the screen as often as is said, and has each back: by itself, or by a click. How often it took one.
    pub(crate) fn kill(&self, times: usize) -> usize {
        let mut clicks = 0;
        for time in 0..times {
            let screens = screens_of(self.host);
            let [screen] = screens[..] else {
                panic!("one screen at a time: {screens:?}")
            };
            signal(screen, "KILL");
            wait_for("words where it was", || {
                self.stage.has_words(self.socket).then_some(())
            });
            sleep(Duration::from_millis(300));
            if screens_of(self.host).is_empty() {
                clicks += 1;
                self.click((300 + time as i32 % 7, 300));
            }
            wait_for("another screen", || {
                let another = screens_of(self.host).first() != Some(&screen);
                (another && self.is_there()).then_some(())
            });
        }
        clicks
    }
}
