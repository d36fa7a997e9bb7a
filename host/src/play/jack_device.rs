//! JACK, by a client of our own: inputs and outputs in one callback, so that what comes in goes out in the
//! same cycle, with the rack's latency and none of ours.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use jack::AudioIn;
use jack::AudioOut;
use jack::Client;
use jack::Control;
use jack::LatencyType;
use jack::Port;
use jack::ProcessHandler;
use jack::ProcessScope;

use super::backend::Backend;
use super::backend::BackendError;
use super::backend::Device;
use super::backend::DeviceIds;
use super::backend::DeviceLatency;
use super::backend::Facts;
use super::backend::Io;
use super::backend::PATIENCE;
use super::backend::Running;
use super::backend::Wish;
use super::backend::patiently;
use super::jack_client::Active;
use super::jack_ports;
use super::jack_ports::Peer;
use super::jack_server::Member;
use super::lease::Seat;
use super::player::Block;
use super::player::Player;
use super::quiet;
use super::routing::Channels;
use super::routing::Direction;
use super::routing::Layout;

/// What we are called in a patchbay; the server adds a number to the second of us.
const CLIENT_NAME: &str = "headroom";
/// Tries at a connection: now and then a server does not know a port that has only just registered.
const CONNECT_TRIES: u32 = 50;
const CONNECT_PAUSE: Duration = Duration::from_millis(20);

/// A client that is open and does not run yet.
pub(super) struct JackDevice {
    client: Client,
    member: Member,
    facts: Facts,
    /// The ports to listen to: for the left, and for the right side.
    captures: Option<[Option<String>; 2]>,
    /// The ports to play into, one for each of ours.
    playbacks: Vec<Option<String>>,
    ids: DeviceIds,
}

impl JackDevice {
    /// `[main]` Opens a client and looks for what `wish` names. May block: call it through `patiently`.
    pub(super) fn find(wish: &Wish) -> Result<Self, BackendError> {
        let _hushed = quiet::hush();
        let (client, member) = jack_ports::connect(CLIENT_NAME)?;
        let peers = jack_ports::peers(&client);
        let choose = |name: &Option<String>, exact, direction| {
            jack_ports::choose(&peers, name.as_deref(), exact, direction)
        };
        // Names first: a typing error is told as one, whatever else is wrong.
        let input = choose(&wish.input_device, wish.exact_input, Direction::Input)?
            .filter(|_| wish.live_input || wish.input_device.is_some());
        let output = choose(&wish.output_device, wish.exact_output, Direction::Output)?;
        let name = output.map_or("the server", |peer| &peer.name);
        let (rate_hz, block_frames) = (client.sample_rate(), client.buffer_size());
        if let Some(given_hz) = wish.rate_hz.filter(|given| *given != rate_hz) {
            return Err(BackendError::Refused(format!(
                "`{name}` does not run at {given_hz} Hz: expected {rate_hz} Hz"
            )));
        }
        if let Some(given) = wish.block_frames.filter(|given| *given != block_frames) {
            return Err(BackendError::Refused(format!(
                "`{name}` does not run blocks of {given} frames: expected {block_frames}, or no `--block`"
            )));
        }
        let captures = if wish.live_input {
            let wanted = wish.routing.inputs;
            let mut ports = ports_of(input, wanted, Direction::Input)?.into_iter();
            let left = ports.next().flatten();
            // One port stands for both sides.
            let right = ports.next().unwrap_or_else(|| left.clone());
            Some([left, right])
        } else {
            None
        };
        let playbacks = ports_of(output, wish.routing.outputs, Direction::Output)?;
        let name_of = |peer: Option<&Peer>| peer.map(|peer| peer.name.clone());
        let facts = Facts {
            backend: Backend::Jack,
            output: name_of(output).unwrap_or_else(|| "not connected".to_owned()),
            input: (captures.is_some())
                .then(|| name_of(input).unwrap_or_else(|| "not connected".to_owned())),
            sample_rate_hz: rate_hz,
            block_frames: Some(block_frames),
            input_clock: None,
            duplex: true,
        };
        let ids = DeviceIds {
            output: name_of(output),
            input: name_of(input),
        };
        Ok(Self {
            client,
            member,
            facts,
            captures,
            playbacks,
            ids,
        })
    }
}

/// The ports of `peer` that are used, in the order of ours. Two that are connected to nothing where there
/// is no card: others may connect them.
fn ports_of(
    peer: Option<&Peer>,
    wanted: Option<Channels>,
    direction: Direction,
) -> Result<Vec<Option<String>>, BackendError> {
    let (name, ports) = match (peer, direction) {
        (Some(peer), Direction::Input) => (&*peer.name, &*peer.captures),
        (Some(peer), Direction::Output) => (&*peer.name, &*peer.playbacks),
        (None, _) if wanted.is_none() => return Ok(vec![None, None]),
        (None, _) => ("the server", &[][..]),
    };
    let layout = Layout::of(wanted, ports.len(), direction, name)?;
    let each = layout.channels().each();
    Ok(each.map(|at| Some(ports[at].clone())).collect())
}

impl Device for JackDevice {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn ids(&self) -> DeviceIds {
        self.ids.clone()
    }

    fn start(self: Box<Self>, io: Io) -> Result<Box<dyn Running>, BackendError> {
        patiently(PATIENCE * 2, move || {
            let _hushed = quiet::hush();
            self.run(&io)
                .map(|running| Box::new(running) as Box<dyn Running>)
        })
        .unwrap_or_else(|| Err(super::backend::no_answer()))
    }
}

impl JackDevice {
    fn run(self, io: &Io) -> Result<JackStream, BackendError> {
        // It had just answered: what else could there be?
        let failed = |error: jack::Error| {
            let reason = format!("its server went away, or has no ports left ({error})");
            BackendError::Unavailable(reason)
        };
        let client = self.client;
        let inputs = match &self.captures {
            Some(_) => Some([
                client
                    .register_port("in_1", AudioIn::default())
                    .map_err(failed)?,
                client
                    .register_port("in_2", AudioIn::default())
                    .map_err(failed)?,
            ]),
            None => None,
        };
        let outputs: Vec<Port<AudioOut>> = (1..=self.playbacks.len())
            .map(|at| client.register_port(&format!("out_{at}"), AudioOut::default()))
            .collect::<Result<_, _>>()
            .map_err(failed)?;

        let input_names: Vec<String> = inputs.iter().flatten().flat_map(Port::name).collect();
        let output_names: Vec<String> = outputs.iter().flat_map(Port::name).collect();
        let block_frames = Arc::new(AtomicU32::new(client.buffer_size()));
        let process = Process {
            player: io.player.clone(),
            ports: Ports { inputs, outputs },
            block_frames: Arc::clone(&block_frames),
        };
        let names = [&*input_names, &*output_names];
        let active =
            Active::activate((client, self.member), process, names, &io.shared).map_err(failed)?;
        let stream = JackStream {
            active: Some(Arc::new(active)),
            block_frames,
            input: input_names.first().cloned(),
            output: output_names.first().cloned(),
        };
        let captures = self.captures.iter().flatten().flatten();
        let heard = captures.zip(&input_names);
        let played = output_names.iter().zip(self.playbacks.iter());
        let played = played.filter_map(|(from, to)| Some((from, to.as_ref()?)));
        for (from, to) in heard.chain(played) {
            stream.connect(from, to)?;
        }
        Ok(stream)
    }
}

/// The client while it runs.
struct JackStream {
    active: Option<Arc<Active<Process>>>,
    block_frames: Arc<AtomicU32>,
    /// Our first ports, which answer for the latency of all.
    input: Option<String>,
    output: Option<String>,
}

impl JackStream {
    fn client(&self) -> Option<&Client> {
        self.active.as_deref().map(Active::client)
    }

    fn connect(&self, from: &str, to: &str) -> Result<(), BackendError> {
        let Some(client) = self.client() else {
            return Ok(());
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match client.connect_ports_by_name(from, to) {
                Ok(()) | Err(jack::Error::PortAlreadyConnected(..)) => return Ok(()),
                Err(_) if tries < CONNECT_TRIES => std::thread::sleep(CONNECT_PAUSE),
                Err(error) => return Err(BackendError::Unavailable(error.to_string())),
            }
        }
    }

    fn latency_of(&self, port: Option<&String>, mode: LatencyType) -> Option<u32> {
        let port = self.client()?.port_by_name(port?)?;
        Some(port.get_latency_range(mode).1)
    }
}

impl Running for JackStream {
    fn block_frames(&self) -> Option<u32> {
        Some(self.block_frames.load(Relaxed))
    }

    fn latency(&self) -> Option<DeviceLatency> {
        Some(DeviceLatency {
            input_frames: self.latency_of(self.input.as_ref(), LatencyType::Capture),
            output_frames: self.latency_of(self.output.as_ref(), LatencyType::Playback)?,
        })
    }

    fn rack_latency_changed(&self) {
        // The server is asked on a thread of its own: it may not answer.
        if let Some(active) = self.active.clone() {
            let _not_waited_for = patiently(Duration::ZERO, move || active.latency_changed());
        }
    }
}

impl Drop for JackStream {
    fn drop(&mut self) {
        let active = self.active.take();
        // A server that was stopped may never answer the goodbye.
        if patiently(PATIENCE, move || drop(active)).is_none() {
            tracing::debug!("the JACK server did not let the client go in time");
        }
    }
}

/// The process callback.
struct Process {
    player: Seat<Player>,
    ports: Ports,
    /// Frames of the newest block. Writer: this callback, reader: main.
    block_frames: Arc<AtomicU32>,
}

struct Ports {
    inputs: Option<[Port<AudioIn>; 2]>,
    outputs: Vec<Port<AudioOut>>,
}

impl ProcessHandler for Process {
    /// `[audio]` One cycle of the server, of whatever length it has now.
    fn process(&mut self, _: &Client, scope: &ProcessScope) -> Control {
        self.block_frames.store(scope.n_frames(), Relaxed);
        let mut block = PortBlock {
            ports: &mut self.ports,
            scope,
        };
        let played = self.player.with(|player| player.fill_block(&mut block));
        if played.is_none() {
            block.silence(0);
        }
        Control::Continue
    }
}

/// One cycle's buffers.
///
/// A buffer is asked for where it is used and let go at once: where one of our outputs is connected to one
/// of our inputs, both are the same memory.
struct PortBlock<'a> {
    ports: &'a mut Ports,
    scope: &'a ProcessScope,
}

impl Block for PortBlock<'_> {
    fn frames(&self) -> usize {
        self.scope.n_frames() as usize
    }

    fn hear(&self, at: usize, left: &mut [f32], right: &mut [f32]) {
        match &self.ports.inputs {
            Some(ports) => {
                for (port, side) in ports.iter().zip([left, right]) {
                    let heard = port.as_slice(self.scope);
                    side.copy_from_slice(&heard[at..at + side.len()]);
                }
            }
            None => {
                left.fill(0.0);
                right.fill(0.0);
            }
        }
    }

    fn put(&mut self, at: usize, left: &[f32], right: &[f32]) {
        let range = at..at + left.len();
        match &mut *self.ports.outputs {
            [mono] => {
                let mono = &mut mono.as_mut_slice(self.scope)[range];
                for (out, (left, right)) in mono.iter_mut().zip(left.iter().zip(right)) {
                    *out = (left + right) * 0.5;
                }
            }
            outputs => {
                for (port, side) in outputs.iter_mut().zip([left, right]) {
                    port.as_mut_slice(self.scope)[range.clone()].copy_from_slice(side);
                }
            }
        }
    }

    fn silence(&mut self, at: usize) {
        for port in &mut self.ports.outputs {
            port.as_mut_slice(self.scope)[at..].fill(0.0);
        }
    }
}
