//! Windows that other programs have made, found by what they are called.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask};

use super::Stage;

/// The class that the screen's windows have.
const SCREEN: &[u8] = b"headroom-gui";

impl Stage {
    /// The window's name, for people.
    pub fn name(&self, window: u32) -> String {
        let name = self.text(window, AtomEnum::WM_NAME);
        String::from_utf8_lossy(&name).into_owned()
    }

    fn text(&self, window: u32, of: AtomEnum) -> Vec<u8> {
        let asked = self
            .connection
            .get_property(false, window, of, AtomEnum::ANY, 0, 1_000);
        let reply = asked.expect("a question").reply();
        reply.map(|found| found.value).unwrap_or_default()
    }

    /// All windows that are seen, each after the one that it is in.
    pub fn seen(&self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut left = vec![self.root];
        while let Some(window) = left.pop() {
            let children = self.children(window).into_iter();
            let seen: Vec<u32> = children.filter(|child| self.is_seen(*child)).collect();
            found.extend(&seen);
            left.extend(seen);
        }
        found
    }

    /// A window that is seen, by a part of its name.
    pub fn named(&self, part: &str) -> Option<u32> {
        self.seen()
            .into_iter()
            .find(|window| self.name(*window).contains(part))
    }

    /// Sockets in which a screen is seen, in the order in which they were made.
    pub fn sockets(&self) -> Vec<u32> {
        let screens = self.seen().into_iter().filter(|window| {
            let class = self.text(*window, AtomEnum::WM_CLASS);
            class.starts_with(SCREEN)
        });
        let mut sockets: Vec<u32> = screens.filter_map(|screen| self.parent(screen)).collect();
        sockets.retain(|socket| *socket != self.root && self.has_screen(*socket));
        sockets.sort_unstable();
        sockets
    }

    /// The window that one is in.
    pub fn parent(&self, window: u32) -> Option<u32> {
        let tree = self.connection.query_tree(window).expect("a question");
        tree.reply().ok().map(|tree| tree.parent)
    }

    /// Where a window's point is on the display.
    pub fn point(&self, window: u32, (x, y): (i32, i32)) -> (i32, i32) {
        let (x, y) = (x as i16, y as i16);
        let asked = self
            .connection
            .translate_coordinates(window, self.root, x, y);
        let found = asked.expect("a question").reply().expect("it is there");
        (found.dst_x.into(), found.dst_y.into())
    }

    /// Closes a program's window as the cross in its frame does.
    pub fn close(&self, window: u32) {
        let atom = |name: &[u8]| {
            let asked = self.connection.intern_atom(false, name);
            asked.expect("a question").reply().expect("a number").atom
        };
        let words = [atom(b"WM_DELETE_WINDOW"), x11rb::CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, atom(b"WM_PROTOCOLS"), words);
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, message)
            .expect("the display is there");
        self.connection.flush().expect("the display is there");
    }
}
