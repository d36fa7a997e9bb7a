//! What a JACK server has to connect to: its clients and their audio ports. Here a client is what a device
//! is elsewhere: `system` is the card, and other programs can be heard and played into as well.

use std::time::Duration;

use jack::AudioIn;
use jack::Client;
use jack::ClientOptions;
use jack::PortFlags;
use jack::PortSpec;

use super::backend::BackendError;
use super::jack_server::Member;
use super::jack_server::remembers_leavers;
use super::routing::Direction;

/// How often a client is opened until no other one has left meanwhile.
const OPENINGS: u32 = 8;
/// Another thread of ours may be doing the same: closed for longer than open, both are closed at some time.
const REOPEN_PAUSE: Duration = Duration::from_millis(80);

/// A client of the server with audio ports, seen from outside: what it captures is its outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) name: String,
    /// Full names of the ports that can be listened to.
    pub(crate) captures: Vec<String>,
    /// Full names of the ports that can be played into.
    pub(crate) playbacks: Vec<String>,
    /// Whether it is a card, and taken when nothing is named: for listening, and for playing.
    pub(crate) usual_capture: bool,
    pub(crate) usual_playback: bool,
}

impl Peer {
    fn ports(&self, direction: Direction) -> &[String] {
        match direction {
            Direction::Input => &self.captures,
            Direction::Output => &self.playbacks,
        }
    }
}

/// `[main]` Connects to the server as `name`; never starts one. May block. What comes with the client is to be
/// kept until the client is closed.
pub(crate) fn connect(name: &str) -> Result<(Client, Member), BackendError> {
    let unavailable = |reason: String| BackendError::Unavailable(reason);
    let Some(member) = Member::join() else {
        return Err(unavailable("its server has just gone".to_owned()));
    };
    match clean_client(name) {
        Ok(client) => Ok((client, member)),
        Err(jack::Error::LibraryError(_)) => {
            Err(unavailable("its library is not installed".to_owned()))
        }
        Err(jack::Error::ClientError(status))
            if status.contains(jack::ClientStatus::VERSION_ERROR) =>
        {
            Err(unavailable(
                "the server and the library are of different versions".to_owned(),
            ))
        }
        Err(_) => Err(unavailable("no JACK server is running".to_owned())),
    }
}

/// A client in a library that has let go of all clients that have left. Where it has not, whoever takes their
/// places is never woken by us, and hears nothing.
fn clean_client(name: &str) -> Result<Client, jack::Error> {
    let mut openings = 0;
    loop {
        let (client, _) = Client::new(name, ClientOptions::NO_START_SERVER)?;
        openings += 1;
        if !remembers_leavers() || openings == OPENINGS {
            return Ok(client);
        }
        // Once the last client of ours is closed the library forgets everything.
        drop(client);
        std::thread::sleep(REOPEN_PAUSE);
    }
}

/// `[main]` Every client with audio ports but our own, in the order of its first port.
pub(crate) fn peers(client: &Client) -> Vec<Peer> {
    let ports = |flags| client.ports(None, Some(AudioIn::default().jack_port_type()), flags);
    let mut peers: Vec<Peer> = Vec::new();
    for (flags, direction) in [
        (PortFlags::IS_OUTPUT, Direction::Input),
        (PortFlags::IS_INPUT, Direction::Output),
    ] {
        let mut usual = None;
        let physical = ports(flags | PortFlags::IS_PHYSICAL);
        for port in ports(flags) {
            let name = port.split_once(':').map_or(&*port, |(client, _)| client);
            if name == client.name() {
                continue;
            }
            let at = peers.iter().position(|peer| peer.name == name);
            let at = at.unwrap_or_else(|| {
                peers.push(Peer {
                    name: name.to_owned(),
                    ..Peer::default()
                });
                peers.len() - 1
            });
            let is_physical = physical.contains(&port);
            match direction {
                Direction::Input => peers[at].captures.push(port),
                Direction::Output => peers[at].playbacks.push(port),
            }
            // The first card there is, and not half of one and half of another.
            if is_physical && usual.is_none() {
                usual = Some(at);
            }
        }
        if let Some(at) = usual {
            match direction {
                Direction::Input => peers[at].usual_capture = true,
                Direction::Output => peers[at].usual_playback = true,
            }
        }
    }
    peers
}

/// The client to listen to, or to play into: the one that is called `name` (`exact`ly, or by a part of its
/// name that only one has), or else the card. `None` where there is no card.
pub(crate) fn choose<'a>(
    peers: &'a [Peer],
    name: Option<&str>,
    exact: bool,
    direction: Direction,
) -> Result<Option<&'a Peer>, BackendError> {
    let Some(name) = name else {
        return Ok(peers.iter().find(|peer| match direction {
            Direction::Input => peer.usual_capture,
            Direction::Output => peer.usual_playback,
        }));
    };
    let able = || {
        peers
            .iter()
            .filter(|peer| !peer.ports(direction).is_empty())
    };
    if let Some(peer) = able().find(|peer| peer.name == name) {
        return Ok(Some(peer));
    }
    let wanted = name.to_lowercase();
    let mut parts = able().filter(|peer| peer.name.to_lowercase().contains(&wanted));
    match (parts.next(), parts.next()) {
        (Some(only), None) if !exact && !wanted.is_empty() => Ok(Some(only)),
        _ => Err(BackendError::NoSuchDevice {
            direction: match direction {
                Direction::Input => "input",
                Direction::Output => "output",
            },
            given: name.to_owned(),
            names: able().map(|peer| peer.name.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, captures: usize, playbacks: usize) -> Peer {
        let ports = |count, kind| {
            (1..=count)
                .map(|at| format!("{name}:{kind}_{at}"))
                .collect()
        };
        Peer {
            name: name.to_owned(),
            captures: ports(captures, "capture"),
            playbacks: ports(playbacks, "playback"),
            usual_capture: name == "system",
            usual_playback: name == "system",
        }
    }

    fn named(name: Option<&str>, exact: bool, direction: Direction) -> Result<String, String> {
        let peers = [
            peer("synth", 2, 0),
            peer("system", 2, 2),
            peer("system-2", 0, 8),
        ];
        choose(&peers, name, exact, direction)
            .map(|peer| peer.map_or("none", |peer| &peer.name).to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_client_is_found_by_its_name_or_by_a_part_that_only_one_has() {
        let (input, output) = (Direction::Input, Direction::Output);
        assert_eq!(named(None, false, input), Ok("system".to_owned()));
        assert_eq!(
            named(Some("system"), false, output),
            Ok("system".to_owned())
        );
        assert_eq!(named(Some("SYN"), false, input), Ok("synth".to_owned()));
        assert_eq!(named(Some("-2"), false, output), Ok("system-2".to_owned()));
        for (name, exact, direction) in [
            ("syn", true, input),
            ("sys", false, output),
            ("", false, input),
            ("synth", false, output),
        ] {
            let error = named(Some(name), exact, direction).unwrap_err();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }

    #[test]
    fn a_server_without_a_card_is_no_error() {
        let peers = [peer("synth", 2, 2)];
        let none = choose(&peers, None, false, Direction::Output);
        assert!(matches!(none, Ok(None)));
    }
}
