//! The thread that looks for ports, connects those that are wanted, and waits for those that went away.
//!
//! MIDI systems may block for as long as they like; here nobody waits for them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::realtime::enlist_thread;
use rtrb::Producer;

use super::heard::Heard;
use super::lane::LaneReceiver;
use super::lane::lane;
use super::ports::Port;
use super::ports::Ports;
use super::ports::Wanted;
use super::ports::systems;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two questions to a system that is not there.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// A port that refuses so often in a row is told: one that has just come may do so once.
const TRIES: u8 = 3;
/// How long the end may take: a system that hangs is left behind.
const END_LIMIT: Duration = Duration::from_millis(1_500);

/// What the watcher has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tidings {
    Connected(String),
    Lost(String),
    Back(String),
    Refused { port: String, reason: String },
}

/// The thread, until it is dropped.
pub(super) struct Watcher {
    quit: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    over: Receiver<()>,
    tidings: Receiver<Tidings>,
}

impl Watcher {
    /// `[main]` Listens to what is wanted from now on; lanes go to the feed.
    pub(super) fn start(
        wanted: Wanted,
        heard: &Arc<Heard>,
        lanes: Producer<Box<LaneReceiver>>,
    ) -> std::io::Result<Self> {
        let quit = Arc::new(AtomicBool::new(false));
        let (send, tidings) = mpsc::channel();
        let (done, over) = mpsc::sync_channel(1);
        let mut round = Round {
            wanted,
            heard: Arc::clone(heard),
            lanes,
            tidings: send,
            places: systems().into_iter().map(Place::new).collect(),
        };
        let told = Arc::clone(&quit);
        let thread = std::thread::Builder::new()
            .name("headroom-midi".to_owned())
            .spawn(move || {
                let _enlisted = enlist_thread("midi");
                while !told.load(Relaxed) {
                    round.look();
                    std::thread::park_timeout(PAUSE);
                }
                drop(round);
                // Nobody may wait any more.
                let _late = done.send(());
            })?;
        Ok(Self {
            quit,
            thread: Some(thread),
            over,
            tidings,
        })
    }

    /// `[main]` What has happened since the last call.
    pub(super) fn tidings(&self) -> Vec<Tidings> {
        self.tidings.try_iter().collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.quit.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // Either way it ends: a library that hangs keeps its thread, and nothing else.
            let _ended = self.over.recv_timeout(END_LIMIT);
        }
    }
}

struct Round {
    wanted: Wanted,
    heard: Arc<Heard>,
    lanes: Producer<Box<LaneReceiver>>,
    tidings: Sender<Tidings>,
    places: Vec<Place>,
}

/// One system, and what is known of its ports.
struct Place {
    system: Box<dyn Ports>,
    asked: Option<Instant>,
    answers: bool,
    known: Vec<Known>,
}

struct Known {
    name: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connected,
    /// It was connected and is not there.
    Away,
    /// It is there and refuses, for so many looks in a row.
    Refused(u8),
}

impl Place {
    fn new(system: Box<dyn Ports>) -> Self {
        Self {
            system,
            asked: None,
            answers: true,
            known: Vec::new(),
        }
    }
}

impl Round {
    fn look(&mut self) {
        let Self {
            wanted,
            heard,
            lanes,
            tidings,
            places,
        } = self;
        let mut lane = || {
            // Room is made by the audio thread, which takes lanes as long as it has places.
            if lanes.is_full() {
                return None;
            }
            let (sender, receiver) = lane(heard);
            lanes.push(Box::new(receiver)).ok().map(|()| sender)
        };
        // Whoever listens has gone when this cannot be said.
        let mut say = |what| drop(tidings.send(what));
        for place in places {
            let pause = if place.answers { PAUSE } else { LONG_PAUSE };
            if place.asked.is_some_and(|asked| asked.elapsed() < pause / 2) {
                continue;
            }
            place.asked = Some(Instant::now());
            place.system.prepare(&mut lane);
            let ports = place.system.ports();
            place.answers = ports.is_ok();
            place.follow(&ports.unwrap_or_default(), wanted, &mut lane, &mut say);
        }
    }
}

impl Place {
    /// Brings what is connected in line with what is there.
    fn follow(
        &mut self,
        ports: &[Port],
        wanted: &Wanted,
        lane: &mut dyn FnMut() -> Option<super::lane::LaneSender>,
        say: &mut dyn FnMut(Tidings),
    ) {
        for known in &mut self.known {
            let is_there = ports.iter().any(|port| port.name == known.name);
            if !is_there && known.state == State::Connected {
                known.state = State::Away;
                self.system.disconnect(&known.name);
                say(Tidings::Lost(known.name.clone()));
            }
        }
        self.known.retain(|known| {
            !matches!(known.state, State::Refused(_))
                || ports.iter().any(|port| port.name == known.name)
        });
        for port in ports.iter().filter(|port| wanted.wants(port, ports)) {
            let at = self.known.iter().position(|known| known.name == port.name);
            let state = at.map(|at| self.known[at].state);
            if state == Some(State::Connected) && self.system.is_connected(&port.name) {
                continue;
            }
            let name = port.name.clone();
            let (next, tidings) = match (self.system.connect(&port.name, lane), state) {
                (Ok(()), None | Some(State::Refused(_))) => {
                    (State::Connected, Some(Tidings::Connected(name)))
                }
                (Ok(()), Some(State::Away)) => (State::Connected, Some(Tidings::Back(name))),
                // Someone had pulled the cable in a patch bay.
                (Ok(()), Some(State::Connected)) => (State::Connected, None),
                // It is about to go.
                (Err(_), Some(State::Connected)) => (State::Away, Some(Tidings::Lost(name))),
                (Err(_), Some(State::Away)) => (State::Away, None),
                (Err(reason), None | Some(State::Refused(_))) => {
                    let tries = match state {
                        Some(State::Refused(tries)) => tries.saturating_add(1),
                        _ => 1,
                    };
                    let refused = Tidings::Refused { port: name, reason };
                    (State::Refused(tries), (tries == TRIES).then_some(refused))
                }
            };
            match at {
                Some(at) => self.known[at].state = next,
                None => self.known.push(Known {
                    name: port.name.clone(),
                    state: next,
                }),
            }
            tidings.into_iter().for_each(&mut *say);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::midi::lane::LaneSender;

    /// Ports that a test plugs in and out.
    struct Desk {
        there: Arc<Mutex<Vec<&'static str>>>,
        connected: Vec<String>,
        refuses: bool,
    }

    impl Ports for Desk {
        fn name(&self) -> &'static str {
            "test"
        }

        fn ports(&mut self) -> Result<Vec<Port>, String> {
            let there = self.there.lock().unwrap();
            let port = |name: &&str| Port {
                name: (*name).to_owned(),
                is_device: !name.starts_with("soft"),
            };
            Ok(there.iter().map(port).collect())
        }

        fn connect(
            &mut self,
            port: &str,
            _: &mut dyn FnMut() -> Option<LaneSender>,
        ) -> Result<(), String> {
            if self.refuses {
                return Err("busy".to_owned());
            }
            self.connected.push(port.to_owned());
            Ok(())
        }

        fn disconnect(&mut self, port: &str) {
            self.connected.retain(|known| known != port);
        }

        fn is_connected(&mut self, port: &str) -> bool {
            self.connected.iter().any(|known| known == port)
        }
    }

    fn looks(wanted: &Wanted, refuses: bool, rounds: &[&[&'static str]]) -> Vec<Vec<Tidings>> {
        let there = Arc::new(Mutex::new(Vec::new()));
        let mut place = Place::new(Box::new(Desk {
            there: Arc::clone(&there),
            connected: Vec::new(),
            refuses,
        }));
        rounds
            .iter()
            .map(|round| {
                *there.lock().unwrap() = round.to_vec();
                let ports = place.system.ports().unwrap();
                let mut said = Vec::new();
                place.follow(&ports, wanted, &mut || None, &mut |what| said.push(what));
                said
            })
            .collect()
    }

    #[test]
    fn a_port_that_goes_and_comes_back_is_told_once_each_and_connected_again() {
        let name = || "Pedal".to_owned();
        let rounds: &[&[&str]] = &[&[], &["Pedal", "Keys"], &["Pedal"], &[], &[], &["Pedal"]];
        let said = looks(&Wanted::Named("pedal".to_owned()), false, rounds);
        assert_eq!(
            said,
            [
                vec![],
                vec![Tidings::Connected(name())],
                vec![],
                vec![Tidings::Lost(name())],
                vec![],
                vec![Tidings::Back(name())],
            ]
        );
    }

    #[test]
    fn auto_takes_devices_and_leaves_other_programs_alone() {
        let said = looks(&Wanted::Auto, false, &[&["soft synth", "Pedal", "Keys"]]);
        let connected = |name: &str| Tidings::Connected(name.to_owned());
        assert_eq!(said, [vec![connected("Pedal"), connected("Keys")]]);
    }

    #[test]
    fn a_port_that_refuses_is_told_once_and_not_before_the_third_time() {
        let said = looks(&Wanted::Auto, true, &[&["Pedal"][..]; 6]);
        let told: Vec<usize> = said.iter().map(Vec::len).collect();
        assert_eq!(told, [0, 0, 1, 0, 0, 0]);
        assert!(matches!(&said[2][0], Tidings::Refused { reason, .. } if reason == "busy"));
    }
}
