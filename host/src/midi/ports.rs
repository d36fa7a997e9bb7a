//! What MIDI ports there are, whatever system they belong to.

use serde::Serialize;

use super::error::MidiError;
use super::lane::LaneSender;
use crate::play::backend::PATIENCE;
use crate::play::backend::patiently;

/// One MIDI system and the ports that can be listened to.
#[derive(Debug, Clone, Serialize)]
pub struct MidiSystem {
    /// `jack`, `alsa`, `coremidi` or `winmm`.
    pub name: &'static str,
    /// Whether it answered.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The names that `--midi` takes, or a part of them that only one has.
    pub ports: Vec<String>,
}

/// Which ports are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Every device that is plugged in, now or later; programs only when they connect themselves.
    Auto,
    /// The one of this name.
    Named(String),
}

/// A port that can be listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) name: String,
    /// A device, and not another program.
    pub(super) is_device: bool,
}

/// A way to listen to ports. Everything in it may block for as long as the system likes.
pub(super) trait Ports: Send {
    fn name(&self) -> &'static str;

    /// `[main]` Called before each look at the ports while MIDI is listened to.
    fn prepare(&mut self, lane: &mut dyn FnMut() -> Option<LaneSender>) {
        let _ = lane;
    }

    /// `[main]` The ports of now.
    fn ports(&mut self) -> Result<Vec<Port>, String>;

    /// `[main]` Listens to a port. `lane` is called for when one is needed, and has none when all
    /// are taken.
    fn connect(
        &mut self,
        port: &str,
        lane: &mut dyn FnMut() -> Option<LaneSender>,
    ) -> Result<(), String>;

    /// `[main]` Stops listening to a port, which may have gone.
    fn disconnect(&mut self, port: &str);

    /// `[main]` Whether it is still listened to: a connection that was cut from outside is made
    /// again.
    fn is_connected(&mut self, port: &str) -> bool;
}

/// `[main]` The systems of this platform.
pub(super) fn systems() -> Vec<Box<dyn Ports>> {
    vec![
        #[cfg(all(feature = "jack", any(target_os = "linux", target_os = "freebsd")))]
        Box::new(super::jack_ports::JackPorts::default()),
        #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
        Box::new(super::system_ports::SystemPorts::default()),
    ]
}

/// `[main]` Asks every system for its ports, in bounded time.
pub(crate) fn list() -> Vec<MidiSystem> {
    let ask = |mut system: Box<dyn Ports>| {
        let name = system.name();
        let answer = patiently(PATIENCE, move || system.ports());
        let ports = answer.unwrap_or_else(|| Err("no answer".to_owned()));
        let (ports, reason) = match ports {
            Ok(ports) => (ports, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        MidiSystem {
            name,
            available: reason.is_none(),
            reason,
            ports: ports.into_iter().map(|port| port.name).collect(),
        }
    };
    systems().into_iter().map(ask).collect()
}

impl Wanted {
    /// `[any]` Whether this is a port to listen to.
    pub(super) fn wants(&self, port: &Port, all: &[Port]) -> bool {
        match self {
            Self::Auto => port.is_device,
            Self::Named(given) => {
                let exact = all.iter().any(|port| port.name == *given);
                port.name == *given || (!exact && contains(&port.name, given))
            }
        }
    }

    /// `[main]` Whether there is such a port, and only one.
    pub(super) fn check(&self, systems: &[MidiSystem]) -> Result<(), MidiError> {
        let Self::Named(given) = self else {
            return Ok(());
        };
        let names = || systems.iter().flat_map(|system| &system.ports);
        if names().any(|name| name == given) {
            return Ok(());
        }
        let matching: Vec<String> = names()
            .filter(|name| contains(name, given))
            .cloned()
            .collect();
        match matching.len() {
            1 => Ok(()),
            0 => Err(MidiError::NoSuchPort {
                given: given.clone(),
                expected: there_are(systems),
            }),
            _ => Err(MidiError::Ambiguous {
                given: given.clone(),
                matching,
            }),
        }
    }
}

fn contains(name: &str, part: &str) -> bool {
    name.to_lowercase().contains(&part.to_lowercase())
}

fn there_are(systems: &[MidiSystem]) -> String {
    let names: Vec<&str> = systems
        .iter()
        .flat_map(|system| &system.ports)
        .map(String::as_str)
        .collect();
    if !names.is_empty() {
        return format!("one of `{}`", names.join("`, `"));
    }
    let why = systems.iter().map(|system| {
        let reason = system.reason.as_deref().unwrap_or("it has none");
        format!("{}: {reason}", system.name)
    });
    let why: Vec<String> = why.collect();
    format!("one that is there, and there are none ({})", why.join("; "))
}
