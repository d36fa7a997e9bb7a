//! The platform's own MIDI, through midir: ALSA's sequencer, CoreMIDI, Windows' multimedia.

use std::collections::HashMap;

use midir::Ignore;
use midir::MidiInput;
use midir::MidiInputConnection;

use super::lane::LaneSender;
use super::ports::Port;
use super::ports::Ports;
use crate::play::quiet;

const CLIENT: &str = "headroom";
/// Ports that only repeat what others say.
const ECHOES: [&str; 2] = ["Midi Through", "headroom"];

/// A connection, and so a thread, for each port that is listened to.
#[derive(Default)]
pub(super) struct SystemPorts {
    connections: HashMap<String, MidiInputConnection<LaneSender>>,
}

impl Ports for SystemPorts {
    fn name(&self) -> &'static str {
        match std::env::consts::OS {
            "macos" => "coremidi",
            "windows" => "winmm",
            _ => "alsa",
        }
    }

    fn ports(&mut self) -> Result<Vec<Port>, String> {
        let input = input()?;
        let names = input.ports().into_iter();
        let names = names.filter_map(|port| input.port_name(&port).ok());
        Ok(names
            .filter(|name| !ECHOES.iter().any(|echo| name.starts_with(echo)))
            .map(|name| Port {
                name,
                is_device: true,
            })
            .collect())
    }

    fn connect(
        &mut self,
        port: &str,
        lane: &mut dyn FnMut() -> Option<LaneSender>,
    ) -> Result<(), String> {
        let mut input = input()?;
        input.ignore(Ignore::All);
        let named = |candidate: &midir::MidiInputPort| {
            input.port_name(candidate).is_ok_and(|name| name == port)
        };
        let found = input.ports().into_iter().find(named);
        let found = found.ok_or_else(|| "it has gone".to_owned())?;
        let lane = lane().ok_or_else(|| "too many ports are listened to".to_owned())?;
        let hear = |_, bytes: &[u8], lane: &mut LaneSender| {
            let now_ns = lane.now_ns();
            lane.hear(bytes, now_ns);
        };
        let connection = input
            .connect(&found, "in", hear, lane)
            .map_err(|error| error.to_string())?;
        self.connections.insert(port.to_owned(), connection);
        Ok(())
    }

    fn disconnect(&mut self, port: &str) {
        drop(self.connections.remove(port));
    }

    fn is_connected(&mut self, port: &str) -> bool {
        self.connections.contains_key(port)
    }
}

fn input() -> Result<MidiInput, String> {
    let _hushed = quiet::hush();
    MidiInput::new(CLIENT).map_err(|_| {
        if cfg!(target_os = "linux") {
            "there is no ALSA sequencer (/dev/snd/seq)".to_owned()
        } else {
            "it cannot be opened".to_owned()
        }
    })
}
