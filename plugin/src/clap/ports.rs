//! Ports, how they are arranged, and which are on: one or two channels in and as many out, and a side-chain of
//! one or two.

use clack_extensions::audio_ports::{
    AudioPortFlags, AudioPortInfo, AudioPortInfoWriter, AudioPortType, PluginAudioPortsImpl,
};
use clack_extensions::audio_ports_activation::{
    PluginAudioPortsActivationImpl, PluginAudioPortsActivationSetImpl, SampleSize,
};
use clack_extensions::audio_ports_config::{
    AudioPortConfigWriter, AudioPortsConfiguration, MainPortInfo, PluginAudioPortsConfigImpl,
    PluginAudioPortsConfigInfoImpl,
};
use clack_extensions::configurable_audio_ports::{
    AudioPortRequest, PluginConfigurableAudioPortsImpl,
};
use clack_plugin::plugin::PluginError;
use clack_plugin::utils::ClapId;

use super::plugin::MainThread;

/// Frozen: hosts keep ports by these.
const INPUT: ClapId = ClapId::new(0);
const KEY: ClapId = ClapId::new(1);
const OUTPUT: ClapId = ClapId::new(2);

/// How many channels the ports have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    /// In and out.
    pub(super) main: usize,
    pub(super) key: usize,
}

impl Default for Ports {
    fn default() -> Self {
        CONFIGS[0].1
    }
}

/// By number, what a host that knows no other way chooses from.
const CONFIGS: [(&[u8], Ports); 2] = [
    (b"Stereo with sidechain", Ports { main: 2, key: 2 }),
    (b"Mono with sidechain", Ports { main: 1, key: 1 }),
];

impl Ports {
    /// One port; `None` where there is none.
    fn info(self, is_input: bool, index: u32) -> Option<AudioPortInfo<'static>> {
        let (id, name, channels, pair): (_, &[u8], _, _) = match (is_input, index) {
            (true, 0) => (INPUT, b"Input", self.main, Some(OUTPUT)),
            (true, 1) => (KEY, b"Side-chain", self.key, None),
            (false, 0) => (OUTPUT, b"Output", self.main, Some(INPUT)),
            _ => return None,
        };
        let channel_count = channels as u32;
        Some(AudioPortInfo {
            id,
            name,
            channel_count,
            flags: match pair {
                Some(_) => AudioPortFlags::IS_MAIN,
                None => AudioPortFlags::empty(),
            },
            port_type: AudioPortType::from_channel_count(channel_count),
            in_place_pair: pair,
        })
    }

    /// With other channels, as a host asks for them; `None` where that cannot be. A port that is not asked for
    /// stays as it is, but that what comes in goes out.
    fn asked(self, list: &[AudioPortRequest<'_>]) -> Option<Self> {
        let (mut input, mut key, mut output) = (None, self.key, None);
        for request in list {
            let details = request.details();
            let channels = details.channel_count();
            let fits = details
                .port_type()
                .is_none_or(|kind| AudioPortType::from_channel_count(channels) == Some(kind));
            if !fits || !(1..=2).contains(&channels) {
                return None;
            }
            let channels = channels as usize;
            match (request.is_input(), request.port_index()) {
                (true, 0) => input = Some(channels),
                (true, 1) => key = channels,
                (false, 0) => output = Some(channels),
                _ => return None,
            }
        }
        let main = match (input, output) {
            (Some(input), Some(output)) if input != output => return None,
            (input, output) => input.or(output).unwrap_or(self.main),
        };
        Some(Self { main, key })
    }
}

impl PluginAudioPortsImpl for MainThread<'_> {
    fn count(&self, is_input: bool) -> u32 {
        if is_input { 2 } else { 1 }
    }

    fn get(&self, index: u32, is_input: bool, writer: &mut AudioPortInfoWriter) {
        if let Some(info) = self.ports.get().info(is_input, index) {
            writer.set(&info);
        }
    }
}

fn config(id: u32) -> Option<Ports> {
    CONFIGS.get(id as usize).map(|(_, ports)| *ports)
}

impl PluginAudioPortsConfigImpl for MainThread<'_> {
    fn count(&self) -> u32 {
        CONFIGS.len() as u32
    }

    fn get(&self, index: u32, writer: &mut AudioPortConfigWriter) {
        let Some((name, ports)) = CONFIGS.get(index as usize) else {
            return;
        };
        let channel_count = ports.main as u32;
        let main = Some(MainPortInfo {
            channel_count,
            port_type: AudioPortType::from_channel_count(channel_count),
        });
        writer.write(&AudioPortsConfiguration {
            id: ClapId::new(index),
            name,
            input_port_count: 2,
            output_port_count: 1,
            main_input: main,
            main_output: main,
        });
    }

    fn select(&self, id: ClapId) -> Result<(), PluginError> {
        let ports = config(id.get());
        let ports = ports.ok_or(PluginError::Message("there is no such configuration"))?;
        self.ports.set(ports);
        Ok(())
    }
}

impl PluginAudioPortsConfigInfoImpl for MainThread<'_> {
    fn current_config(&self) -> Option<ClapId> {
        let ports = self.ports.get();
        let at = CONFIGS.iter().position(|(_, config)| *config == ports)?;
        Some(ClapId::new(at as u32))
    }

    fn get(&self, id: ClapId, index: u32, is_input: bool, writer: &mut AudioPortInfoWriter) {
        let info = config(id.get()).and_then(|ports| ports.info(is_input, index));
        if let Some(info) = info {
            writer.set(&info);
        }
    }
}

impl PluginConfigurableAudioPortsImpl for MainThread<'_> {
    fn can_apply_configuration(&self, list: &[AudioPortRequest<'_>]) -> bool {
        self.ports.get().asked(list).is_some()
    }

    fn apply_configuration(&self, list: &[AudioPortRequest<'_>]) -> bool {
        let asked = self.ports.get().asked(list);
        if let Some(ports) = asked {
            self.ports.set(ports);
        }
        asked.is_some()
    }
}

impl PluginAudioPortsActivationImpl for MainThread<'_> {
    fn can_activate_while_processing(&self) -> bool {
        true
    }
}

impl PluginAudioPortsActivationSetImpl for MainThread<'_> {
    fn set_active(&self, is_input: bool, port: u32, on: bool, size: SampleSize) -> bool {
        self.link.switch(is_input, port, on, size)
    }
}
