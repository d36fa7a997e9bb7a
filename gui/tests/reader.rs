//! The screen to somebody who does not see it: on the system's accessibility bus, where screen readers listen,
//! its controls have names and values, and what is done there is heard.

#![cfg(target_os = "linux")]

mod common;

use common::{Stage, end, frames, last_words, wait_for};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
use zbus::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const ACTION: &str = "org.a11y.atspi.Action";
const VALUE: &str = "org.a11y.atspi.Value";
/// What AT-SPI calls them (`atspi-constants.h`).
const SLIDER: u32 = 51;
const TOGGLE_BUTTON: u32 = 62;
const PRESSED: u32 = 20;

/// A session's message bus.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start(stage: &Stage) -> Self {
        let mut daemon = stage
            .command("dbus-daemon".as_ref(), &["--session", "--nofork"])
            .arg("--print-address=1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs dbus-daemon: install the package `dbus`");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let address = address.trim().to_owned();
        Self { daemon, address }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ended = self.daemon.kill();
        let _reaped = self.daemon.wait();
    }
}

fn connect(address: &str) -> Connection {
    async_io::block_on(async {
        let builder = zbus::connection::Builder::address(address).unwrap();
        builder.build().await.unwrap()
    })
}

/// Something on the accessibility bus: whose it is, and which.
type Place = (String, OwnedObjectPath);

/// What a screen reader does.
struct Listener {
    session: Connection,
    bus: Connection,
}

impl Listener {
    /// Says in the session that somebody listens.
    fn come(session_address: &str) -> Self {
        let session = connect(session_address);
        let asked = call(
            &session,
            ("org.a11y.Bus", "/org/a11y/bus"),
            ("org.a11y.Bus", "GetAddress"),
            &(),
        );
        let answer = asked.expect("this test needs the accessibility bus: install `at-spi2-core`");
        let address: String = answer.body().deserialize().unwrap();
        let listener = Self {
            session,
            bus: connect(&address),
        };
        listener.listen(true);
        listener
    }

    fn listen(&self, on: bool) {
        let place = ("org.a11y.Bus", "/org/a11y/bus");
        set(
            &self.session,
            place,
            ("org.a11y.Status", "IsEnabled"),
            on.into(),
        );
    }

    /// The screens that have said that they are there.
    fn screens(&self) -> Vec<Place> {
        let root = "/org/a11y/atspi/accessible/root".try_into().unwrap();
        let all = self.children(&("org.a11y.atspi.Registry".to_owned(), root));
        let is_screen = |place: &Place| self.text(place, "Name").as_deref() == Some("headroom-gui");
        all.into_iter().filter(is_screen).collect()
    }

    fn children(&self, (owner, path): &Place) -> Vec<Place> {
        let answer = call(
            &self.bus,
            (owner, path.as_str()),
            (ACCESSIBLE, "GetChildren"),
            &(),
        );
        answer.map_or(Vec::new(), |answer| answer.body().deserialize().unwrap())
    }

    fn get(&self, (owner, path): &Place, what: (&str, &str)) -> Option<OwnedValue> {
        let properties = ("org.freedesktop.DBus.Properties", "Get");
        let answer = call(&self.bus, (owner, path.as_str()), properties, &what)?;
        answer.body().deserialize().ok()
    }

    fn text(&self, place: &Place, what: &str) -> Option<String> {
        self.get(place, (ACCESSIBLE, what))?.try_into().ok()
    }

    fn number(&self, place: &Place, what: &str) -> Option<f64> {
        self.get(place, (VALUE, what))?.try_into().ok()
    }

    fn role(&self, (owner, path): &Place) -> u32 {
        let answer = call(
            &self.bus,
            (owner, path.as_str()),
            (ACCESSIBLE, "GetRole"),
            &(),
        );
        answer.unwrap().body().deserialize().unwrap()
    }

    fn is_pressed(&self, (owner, path): &Place) -> bool {
        let answer = call(
            &self.bus,
            (owner, path.as_str()),
            (ACCESSIBLE, "GetState"),
            &(),
        );
        let states: Vec<u32> = answer.unwrap().body().deserialize().unwrap();
        states[0] & 1 << PRESSED != 0
    }

    /// Presses it, or whatever else is done to it first of all.
    fn press(&self, (owner, path): &Place) {
        let done = call(
            &self.bus,
            (owner, path.as_str()),
            (ACTION, "DoAction"),
            &0_i32,
        );
        assert!(done.unwrap().body().deserialize::<bool>().unwrap());
    }

    fn set_number(&self, (owner, path): &Place, number: f64) {
        let value = Value::from(number);
        set(
            &self.bus,
            (owner, path.as_str()),
            (VALUE, "CurrentValue"),
            value,
        );
    }

    /// Walks all of a screen until something has this name.
    fn find(&self, name: &str) -> Place {
        wait_for(name, || {
            let mut left = self.screens();
            while let Some(place) = left.pop() {
                if self.text(&place, "Name").as_deref() == Some(name) {
                    return Some(place);
                }
                left.extend(self.children(&place));
            }
            None
        })
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

#[test]
fn what_a_screen_reader_finds_has_names_and_values_and_what_it_does_is_heard() {
    let mut stage = Stage::new();
    let bus = Bus::start(&stage);
    stage.bus = Some(bus.address.clone());
    let program = stage.play(&["plain.toml", "--loop"]);
    wait_for("the gain", || stage.gain_db().filter(|gain| *gain == 0.0));
    // It comes to a screen that is there already.
    wait_for("a window", || stage.windows().into_iter().next());
    let listener = Listener::come(&bus.address);
    let knob = listener.find("Gain Gain");
    assert_eq!(listener.role(&knob), SLIDER);
    assert_eq!(listener.number(&knob, "CurrentValue"), Some(0.0));
    let ends = ["MinimumValue", "MaximumValue"].map(|end| listener.number(&knob, end).unwrap());
    assert!(
        ends[0] < -40.0 && ends[1] > 10.0 && ends[1] < 100.0,
        "{ends:?}"
    );

    listener.set_number(&knob, -12.0);
    wait_for("what the reader set", || {
        stage.gain_db().filter(|gain| *gain == -12.0)
    });
    wait_for("what it says then", || {
        let said = listener.text(&knob, "Description")?;
        let is_said = said.contains("12") && said.contains("dB");
        let number = listener.number(&knob, "CurrentValue");
        (number == Some(-12.0) && is_said).then_some(())
    });

    let mute = listener.find("Mute");
    assert_eq!(listener.role(&mute), TOGGLE_BUTTON);
    assert!(!listener.is_pressed(&mute));
    listener.press(&mute);
    wait_for("silence", || {
        let seen = stage.seen()?;
        let heard = seen["master"]["rms_dbfs"].as_array()?[0].as_f64();
        heard.is_none_or(|level| level < -90.0).then_some(())
    });
    wait_for("the button to be in", || {
        listener.is_pressed(&mute).then_some(())
    });
    // And one that goes is told no more.
    listener.listen(false);
    wait_for("silence", || listener.screens().is_empty().then_some(()));
    end(program);
}

#[test]
fn a_screen_reader_finds_a_screen_inside_another_programs_window() {
    let mut stage = Stage::new();
    let bus = Bus::start(&stage);
    stage.bus = Some(bus.address.clone());
    let program = stage.play(&["plain.toml", "--loop", "--no-gui"]);
    let (display, screen) = x11rb::connect(Some(&stage.display.name)).unwrap();
    let root = display.setup().roots[screen].root;
    let parent = display.generate_id().unwrap();
    let looks = CreateWindowAux::new();
    display
        .create_window(
            0,
            parent,
            root,
            0,
            0,
            900,
            600,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &looks,
        )
        .unwrap();
    display.map_window(parent).unwrap();
    display.flush().unwrap();
    // Somebody listens from the beginning.
    let listener = Listener::come(&bus.address);
    let mut screen = stage.screen(&["--parent", &parent.to_string()]);
    let knob = listener.find("Gain Pan");
    listener.set_number(&knob, 0.5);
    wait_for("what the reader set", || {
        let seen = stage.seen()?;
        let values = seen["modules"][0]["values"].as_array()?.clone();
        let pan = values.iter().find(|value| value[0] == "pan")?[1].as_f64()?;
        (pan == 0.5).then_some(())
    });
    screen.kill().unwrap();
    screen.wait().unwrap();
    end(program);
}

#[test]
fn nothing_is_drawn_while_nothing_changes_though_a_reader_listens() {
    let mut stage = Stage::new();
    let bus = Bus::start(&stage);
    stage.bus = Some(bus.address.clone());
    let listener = Listener::come(&bus.address);
    let screen = stage.screen(&["--stats"]);
    listener.find("Panic");
    std::thread::sleep(Duration::from_secs(4));
    let window = wait_for("a window", || stage.windows().into_iter().next());
    stage.xdotool(&["windowclose", &window]);
    let said = last_words(screen);
    assert!((1.0..=4.0).contains(&frames(&said)), "{said}");
}
