//! A session's message bus, and on it somebody who listens to what is on the screen, as a screen reader does.

use std::process::Command;

use headroom_test_kit::Server;
use zbus::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const ACTION: &str = "org.a11y.atspi.Action";
const COMPONENT: &str = "org.a11y.atspi.Component";
const VALUE: &str = "org.a11y.atspi.Value";
/// What AT-SPI calls them (`atspi-constants.h`).
pub const FRAME: u32 = 23;
pub const SLIDER: u32 = 51;
pub const TOGGLE_BUTTON: u32 = 62;
const ENABLED: u32 = 8;
const FOCUSED: u32 = 12;
const PRESSED: u32 = 20;
/// From the corner of the window that it is in.
const IN_WINDOW: u32 = 1;

/// A session's message bus, by `daemon`, which is `dbus-daemon` and where it is to live. It says its address.
pub fn start_bus(mut daemon: Command) -> Server {
    let daemon = daemon.args(["--session", "--nofork", "--print-address=1"]);
    Server::start(daemon, "dbus")
}

fn connect(address: &str) -> Connection {
    async_io::block_on(async {
        let builder = zbus::connection::Builder::address(address).expect("an address");
        builder.build().await.expect("the bus is there")
    })
}

/// Something on the accessibility bus: whose it is, and which.
pub type Place = (String, OwnedObjectPath);

/// What a screen reader does.
pub struct Listener {
    session: Connection,
    bus: Connection,
}

impl Listener {
    /// Says in the session that somebody listens.
    pub fn come(session_address: &str) -> Self {
        let session = connect(session_address);
        let asked = call(
            &session,
            ("org.a11y.Bus", "/org/a11y/bus"),
            ("org.a11y.Bus", "GetAddress"),
            &(),
        );
        let answer = asked.expect("this test needs the accessibility bus: install `at-spi2-core`");
        let address: String = answer.body().deserialize().expect("an address");
        let listener = Self {
            session,
            bus: connect(&address),
        };
        listener.listen(true);
        listener
    }

    pub fn listen(&self, on: bool) {
        let place = ("org.a11y.Bus", "/org/a11y/bus");
        set(
            &self.session,
            place,
            ("org.a11y.Status", "IsEnabled"),
            on.into(),
        );
    }

    /// The screens that have said that they are there.
    pub fn screens(&self) -> Vec<Place> {
        let root = "/org/a11y/atspi/accessible/root";
        let root = root.try_into().expect("a path");
        let all = self.children(&("org.a11y.atspi.Registry".to_owned(), root));
        let is_screen = |place: &Place| self.text(place, "Name").as_deref() == Some("headroom-gui");
        all.into_iter().filter(is_screen).collect()
    }

    pub fn children(&self, place: &Place) -> Vec<Place> {
        let answer = self.ask(place, (ACCESSIBLE, "GetChildren"));
        answer
            .and_then(|answer| answer.body().deserialize().ok())
            .unwrap_or_default()
    }

    fn ask(&self, (owner, path): &Place, what: (&str, &str)) -> Option<zbus::Message> {
        call(&self.bus, (owner, path.as_str()), what, &())
    }

    fn get(&self, (owner, path): &Place, what: (&str, &str)) -> Option<OwnedValue> {
        let properties = ("org.freedesktop.DBus.Properties", "Get");
        let answer = call(&self.bus, (owner, path.as_str()), properties, &what)?;
        answer.body().deserialize().ok()
    }

    pub fn text(&self, place: &Place, what: &str) -> Option<String> {
        self.get(place, (ACCESSIBLE, what))?.try_into().ok()
    }

    pub fn number(&self, place: &Place, what: &str) -> Option<f64> {
        self.get(place, (VALUE, what))?.try_into().ok()
    }

    pub fn role(&self, place: &Place) -> u32 {
        let answer = self.ask(place, (ACCESSIBLE, "GetRole"));
        answer
            .expect("it is there")
            .body()
            .deserialize()
            .expect("a role")
    }

    fn has_state(&self, place: &Place, state: u32) -> bool {
        let answer = self.ask(place, (ACCESSIBLE, "GetState"));
        let states = answer.and_then(|answer| answer.body().deserialize::<Vec<u32>>().ok());
        states.is_some_and(|states| states[0] & 1 << state != 0)
    }

    pub fn is_pressed(&self, place: &Place) -> bool {
        self.has_state(place, PRESSED)
    }

    pub fn is_enabled(&self, place: &Place) -> bool {
        self.has_state(place, ENABLED)
    }

    pub fn has_focus(&self, place: &Place) -> bool {
        self.has_state(place, FOCUSED)
    }

    /// Its middle, in pixels from the corner of the window that it is in.
    pub fn middle(&self, (owner, path): &Place) -> Option<(i32, i32)> {
        let extents = (COMPONENT, "GetExtents");
        let answer = call(&self.bus, (owner, path.as_str()), extents, &IN_WINDOW)?;
        let (x, y, width, height): (i32, i32, i32, i32) = answer.body().deserialize().ok()?;
        Some((x + width / 2, y + height / 2))
    }

    /// Presses it, or whatever else is done to it first of all.
    pub fn press(&self, (owner, path): &Place) {
        let done = call(
            &self.bus,
            (owner, path.as_str()),
            (ACTION, "DoAction"),
            &0_i32,
        );
        let done = done.expect("it is there");
        assert!(done.body().deserialize::<bool>().expect("yes or no"));
    }

    pub fn set_number(&self, (owner, path): &Place, number: f64) {
        let value = Value::from(number);
        set(
            &self.bus,
            (owner, path.as_str()),
            (VALUE, "CurrentValue"),
            value,
        );
    }

    /// Has it take the keyboard.
    pub fn focus(&self, (owner, path): &Place) {
        let grab = (COMPONENT, "GrabFocus");
        let done = call(&self.bus, (owner, path.as_str()), grab, &());
        assert!(done.is_some(), "it is there");
    }

    /// Walks all of a screen until something has a name that is looked for.
    pub fn seek(&self, mut is_it: impl FnMut(&str) -> bool) -> Option<Place> {
        let mut left = self.screens();
        while let Some(place) = left.pop() {
            let name = self.text(&place, "Name");
            if name.is_some_and(|name| is_it(&name)) {
                return Some(place);
            }
            left.extend(self.children(&place));
        }
        None
    }
}

fn call<B: zbus::export::serde::Serialize + zbus::zvariant::DynamicType>(
    connection: &Connection,
    (owner, path): (&str, &str),
    (interface, method): (&str, &str),
    body: &B,
) -> Option<zbus::Message> {
    async_io::block_on(async {
        let answer = connection.call_method(Some(owner), path, Some(interface), method, body);
        answer.await.ok()
    })
}

fn set(
    connection: &Connection,
    place: (&str, &str),
    (interface, name): (&str, &str),
    to: Value<'_>,
) {
    let properties = ("org.freedesktop.DBus.Properties", "Set");
    let done = call(connection, place, properties, &(interface, name, to));
    assert!(done.is_some(), "{name} is taken");
}
