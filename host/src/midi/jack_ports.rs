//! JACK's MIDI: one client with one port, which any number of sources may be connected to, by us or by
//! a patch bay. Its messages carry the frame they belong to.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use jack::AsyncClient;
use jack::Client;
use jack::Control;
use jack::MidiIn;
use jack::PortFlags;
use jack::ProcessHandler;
use jack::ProcessScope;

use super::lane::LaneSender;
use super::ports::Port;
use super::ports::Ports;
use crate::play::backend::PATIENCE;
use crate::play::backend::patiently;
use crate::play::jack_client::Farewell;
use crate::play::jack_ports::connect;
use crate::play::jack_server::Member;
use crate::play::quiet;

const CLIENT: &str = "headroom-midi";
const LIST_CLIENT: &str = "headroom-midi-list";
const MIDI: &str = "8 bit raw midi";
/// Clients that are not devices themselves, and bring those of ALSA.
const BRIDGES: [&str; 3] = ["a2j", "Midi-Bridge", "alsa_midi"];

/// A server whose thread has not called for this long is gone, whatever it says.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);

/// The client, while there is a server.
#[derive(Default)]
pub(super) struct JackPorts {
    ears: Option<Ears>,
}

struct Ears {
    client: Option<AsyncClient<Farewell, Hearing>>,
    member: Option<Member>,
    port: String,
    /// Calls of JACK's thread; what they were when they last changed, and when that was. A client
    /// is told that its server has gone only by a callback that may do next to nothing; this tells
    /// more, and also of a server that hangs.
    beats: Arc<AtomicU64>,
    seen: (u64, Instant),
}

/// A client that only lists: it makes no port, and is gone at once.
struct Looking {
    client: Option<(Client, Member)>,
}

/// What runs on JACK's thread.
struct Hearing {
    port: jack::Port<MidiIn>,
    lane: LaneSender,
    sample_rate_hz: u64,
    beats: Arc<AtomicU64>,
}

impl ProcessHandler for Hearing {
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        self.beats.fetch_add(1, Relaxed);
        let time_ns = |frames: u32| u64::from(frames) * 1_000_000_000 / self.sample_rate_hz;
        let late_ns = time_ns(scope.frames_since_cycle_start());
        let start_ns = self.lane.now_ns().saturating_sub(late_ns);
        for message in self.port.iter(scope) {
            self.lane
                .hear(message.bytes, start_ns + time_ns(message.time));
        }
        Control::Continue
    }
}

impl Ears {
    fn open(lane: LaneSender) -> Result<Self, String> {
        let (client, member) = open(CLIENT)?;
        let port = client
            .register_port("in", MidiIn::default())
            .map_err(|error| error.to_string())?;
        let name = port.name().map_err(|error| error.to_string())?;
        let beats = Arc::new(AtomicU64::new(0));
        let hearing = Hearing {
            port,
            lane,
            sample_rate_hz: u64::from(client.sample_rate().max(1)),
            beats: Arc::clone(&beats),
        };
        let client = client
            .activate_async(Farewell, hearing)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client: Some(client),
            member: Some(member),
            port: name,
            beats,
            seen: (0, Instant::now()),
        })
    }

    fn client(&self) -> Option<&Client> {
        self.client.as_ref().map(AsyncClient::as_client)
    }

    fn is_alive(&mut self) -> bool {
        if self.member.as_ref().is_some_and(Member::is_orphaned) {
            return false;
        }
        let beats = self.beats.load(Relaxed);
        if beats != self.seen.0 {
            self.seen = (beats, Instant::now());
        }
        self.seen.1.elapsed() < SILENCE_LIMIT
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        part_with(self.client.take().zip(self.member.take()));
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        part_with(self.client.take());
    }
}

/// A server that was killed may never answer the goodbye.
fn part_with<C: Send + 'static>(client: Option<C>) {
    if client.is_some() && patiently(PATIENCE, move || drop(client)).is_none() {
        tracing::debug!("JACK did not let the MIDI client go in time");
    }
}

fn open(name: &str) -> Result<(Client, Member), String> {
    let _hushed = quiet::hush();
    connect(name).map_err(|error| error.to_string())
}

fn ports_of(client: &Client) -> Vec<Port> {
    let flags = PortFlags::IS_OUTPUT;
    let devices = client.ports(None, Some(MIDI), flags | PortFlags::IS_PHYSICAL);
    let is_bridged = |name: &str| BRIDGES.iter().any(|bridge| name.starts_with(bridge));
    let is_echo = |name: &str| name.contains("Midi Through") || name.contains("Midi-Through");
    let all = client.ports(None, Some(MIDI), flags).into_iter();
    all.map(|name| Port {
        is_device: (devices.contains(&name) || is_bridged(&name)) && !is_echo(&name),
        name,
    })
    .collect()
}

impl Ports for JackPorts {
    fn name(&self) -> &'static str {
        "jack"
    }

    fn prepare(&mut self, lane: &mut dyn FnMut() -> Option<LaneSender>) {
        if self.ears.as_mut().is_some_and(|ears| !ears.is_alive()) {
            self.ears = None;
        }
        // Without a server there is no need of a lane yet.
        if self.ears.is_none()
            && open(LIST_CLIENT)
                .map(|client| part_with(Some(client)))
                .is_ok()
            && let Some(lane) = lane()
        {
            self.ears = Ears::open(lane).ok();
        }
    }

    fn ports(&mut self) -> Result<Vec<Port>, String> {
        if let Some(client) = self.ears.as_ref().and_then(Ears::client) {
            return Ok(ports_of(client));
        }
        let looking = Looking {
            client: Some(open(LIST_CLIENT)?),
        };
        let ports = looking.client.as_ref().map(|(client, _)| ports_of(client));
        Ok(ports.unwrap_or_default())
    }

    fn connect(
        &mut self,
        port: &str,
        _lane: &mut dyn FnMut() -> Option<LaneSender>,
    ) -> Result<(), String> {
        let gone = || "it has gone".to_owned();
        let ears = self.ears.as_ref().ok_or_else(gone)?;
        let client = ears.client().ok_or_else(gone)?;
        match client.connect_ports_by_name(port, &ears.port) {
            Ok(()) | Err(jack::Error::PortAlreadyConnected(..)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn disconnect(&mut self, _port: &str) {
        // A port that goes takes its connections along.
    }

    fn is_connected(&mut self, port: &str) -> bool {
        let Some(ears) = &self.ears else { return false };
        let ours = || ears.client()?.port_by_name(&ears.port);
        ours().is_some_and(|ours| ours.is_connected_to(port).unwrap_or(false))
    }
}
