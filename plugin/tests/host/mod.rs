//! A CLAP host of our own: loads the library that was built, and does with it what hosts do.
#![allow(unsafe_code, dead_code, unreachable_pub)]

pub mod asked;

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use clack_extensions::audio_ports_activation::{PluginAudioPortsActivation, SampleSize};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::preset_discovery::PluginPresetLoad;
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_host::events::EventFlags;
use clack_host::events::event_types::{
    ParamModEvent, ParamValueEvent, TransportEvent, TransportFlags,
};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};

use asked::{Asked, Host, MainThread};

/// The library that this package's build has left beside the test.
pub fn library() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a test has a path");
    folder.pop();
    if !folder.ends_with("deps") {
        folder.push("deps");
    }
    let name = format!(
        "{}headroom_plugin{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    folder.join(name)
}

/// Puts the library into a folder as hosts find a VST3; gives the bundle's path.
pub fn bundle(folder: &Path) -> PathBuf {
    let path = folder.join("Headroom.vst3");
    let (system, name) = if cfg!(windows) {
        ("win", "Headroom.vst3")
    } else {
        ("linux", "Headroom.so")
    };
    let machine = format!("{}-{system}", std::env::consts::ARCH);
    let binaries = path.join("Contents").join(machine);
    std::fs::create_dir_all(&binaries).expect("folders");
    #[cfg(unix)]
    std::os::unix::fs::symlink(library(), binaries.join(name)).expect("a link");
    #[cfg(not(unix))]
    std::fs::copy(library(), binaries.join(name)).expect("a copy");
    path
}

/// Python with the hosts from PyPI: the environment of `xtask`, or what this says.
pub fn python() -> PathBuf {
    let said = std::env::var_os("HEADROOM_PYTHON").map(PathBuf::from);
    let of_xtask = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/venv/bin/python");
    let python = said.unwrap_or_else(of_xtask);
    assert!(
        python.exists(),
        "no {}: `cargo xtask test` makes it, or HEADROOM_PYTHON says another that has the hosts",
        python.display()
    );
    python
}

/// Loads the library.
pub fn load() -> PluginEntry {
    // SAFETY: it is the library that this package has built, and its initialisers only set statics.
    unsafe { PluginEntry::load(library()) }.expect("the library loads")
}

/// What is done around each call of a plugin's `process`, if anything: a program that watches says so.
pub static AROUND: OnceLock<fn(&mut dyn FnMut())> = OnceLock::new();

/// A change of a parameter at a frame of a block: the parameter's id, and its value as CLAP has it.
#[derive(Debug, Clone, Copy)]
pub struct Set(pub u32, pub ClapId, pub f64);

/// What the plugin told its host of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    Begin(ClapId),
    Set(ClapId, f64),
    End(ClapId),
}

/// One instance.
pub struct Instance {
    pub plugin: PluginInstance<Host>,
    audio: Option<StartedPluginAudioProcessor<Host>>,
    inputs: AudioPorts,
    outputs: AudioPorts,
    pub channels: usize,
    pub status: Option<ProcessStatus>,
    /// What the plugin told its host, oldest first.
    pub told: Vec<Told>,
    /// The tempo at a block's start; a transport without one where it is not a number.
    pub tempo: Option<f64>,
    /// Changes of it within the next block.
    pub tempos: Vec<(u32, f64)>,
    /// By how much parameters are modulated within the next block.
    pub modulations: Vec<Set>,
}

impl Instance {
    pub fn new(entry: &PluginEntry) -> Self {
        let info = HostInfo::new("test host", "Headroom", "", "1").expect("no zeros");
        let factory = entry.get_plugin_factory().expect("a factory");
        let descriptors: Vec<_> = factory.plugin_descriptors().collect();
        assert_eq!(descriptors.len(), 1);
        let id = descriptors[0].id().expect("an id");
        let plugin = PluginInstance::<Host>::new(
            |_| Asked::default(),
            |asked| MainThread(asked),
            entry,
            id,
            &info,
        );
        Self {
            plugin: plugin.expect("an instance"),
            audio: None,
            inputs: AudioPorts::with_capacity(4, 2),
            outputs: AudioPorts::with_capacity(2, 1),
            channels: 2,
            status: None,
            told: Vec::new(),
            tempo: None,
            tempos: Vec::new(),
            modulations: Vec::new(),
        }
    }

    /// A mono one.
    pub fn mono(entry: &PluginEntry) -> Self {
        let mut mono = Self::new(entry);
        let handle = mono.plugin.plugin_handle();
        let configs: PluginAudioPortsConfig = handle.get_extension().expect("configurations");
        let mut buffer = AudioPortsConfigBuffer::new();
        let id = configs.get(&handle, 1, &mut buffer).expect("a second").id;
        configs.select(&handle, id).expect("it can be chosen");
        mono.channels = 1;
        mono
    }

    /// Activates it and begins to process. Answers what it asked its main thread for, as hosts do.
    pub fn start(&mut self, rate_hz: f64, max_frames: u32) {
        assert!(
            self.try_start(rate_hz, max_frames),
            "{rate_hz} Hz, {max_frames} frames"
        );
    }

    pub fn try_start(&mut self, rate_hz: f64, max_frames: u32) -> bool {
        let config = PluginAudioConfiguration {
            sample_rate: rate_hz,
            min_frames_count: 1,
            max_frames_count: max_frames,
        };
        let Ok(stopped) = self.plugin.activate(|_, _| (), config) else {
            return false;
        };
        self.audio = Some(stopped.start_processing().expect("it starts"));
        self.plugin.call_on_main_thread_callback();
        true
    }

    /// Switches the side-chain, while it plays or not; whether that can be.
    pub fn switch_key(&mut self, on: bool) -> bool {
        let handle = self.plugin.plugin_handle();
        let ports: PluginAudioPortsActivation = handle.get_extension().expect("switches");
        assert!(ports.can_activate_while_processing(&handle));
        let size = SampleSize::Float32;
        match &mut self.audio {
            Some(audio) => {
                let mut handle = audio.plugin_handle();
                ports.set_active_audio_active(&mut handle, true, 1, on, size)
            }
            None => {
                let mut handle = self.plugin.inactive_plugin_handle().expect("not active");
                ports.set_active_audio_inactive(&mut handle, true, 1, on, size)
            }
        }
    }

    pub fn stop(&mut self) {
        if let Some(audio) = self.audio.take() {
            self.plugin.deactivate(audio.stop_processing());
        }
    }

    /// Stops and starts, and resets, as after a jump.
    pub fn reset(&mut self) {
        self.audio.as_mut().expect("started").reset();
    }

    /// Offline rendering, on or off; while it is not active.
    pub fn set_offline(&mut self, on: bool) {
        let handle = self.plugin.plugin_handle();
        let render: PluginRender = handle.get_extension().expect("render");
        let mode = if on {
            RenderMode::Offline
        } else {
            RenderMode::Realtime
        };
        render.set(&handle, mode).expect("it can be set");
    }

    /// One block, not in place, with nothing at the side-chain.
    pub fn process(&mut self, input: &[Vec<f32>], sets: &[Set]) -> Vec<Vec<f32>> {
        let silence = vec![vec![0.0; input[0].len()]; input.len()];
        self.process_keyed(input, &silence, sets)
    }

    /// One block, not in place.
    pub fn process_keyed(
        &mut self,
        input: &[Vec<f32>],
        key: &[Vec<f32>],
        sets: &[Set],
    ) -> Vec<Vec<f32>> {
        let frames = input[0].len();
        let mut buses = [input.to_vec(), key.to_vec()];
        let mut output = vec![vec![f32::NAN; frames]; self.channels];
        let mut events = EventBuffer::with_capacity(sets.len());
        for Set(frame, id, value) in sets {
            events.push(&ParamValueEvent::new(
                *frame,
                *id,
                Pckn::match_all(),
                *value,
            ));
        }
        for Set(frame, id, by) in self.modulations.drain(..) {
            events.push(&ParamModEvent::new(frame, id, Pckn::match_all(), by));
        }
        for (frame, bpm) in self.tempos.drain(..) {
            events.push(&transport(frame, bpm));
        }
        let transport = self.tempo.map(|bpm| transport(0, bpm));
        let mut out_events = EventBuffer::new();
        let inputs = self.inputs.with_input_buffers(buses.iter_mut().map(|bus| {
            AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_input_only(
                    bus.iter_mut()
                        .map(|channel| InputChannel::variable(channel.as_mut_slice())),
                ),
            }
        }));
        let mut outputs = self.outputs.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(
                output.iter_mut().map(|channel| channel.as_mut_slice()),
            ),
        }]);
        let audio = self.audio.as_mut().expect("started");
        let mut status = None;
        let mut process = || {
            status = Some(audio.process(
                &inputs,
                &mut outputs,
                &events.as_input(),
                &mut out_events.as_output(),
                None,
                transport.as_ref(),
            ));
        };
        match AROUND.get() {
            Some(around) => around(&mut process),
            None => process(),
        }
        self.status = Some(status.expect("it was called").expect("it processes"));
        self.told.extend(out_events.iter().filter_map(told));
        output
    }

    pub fn latency_frames(&mut self) -> usize {
        let handle = self.plugin.plugin_handle();
        let latency: PluginLatency = handle.get_extension().expect("latency");
        latency.get(&handle) as usize
    }

    fn params(&mut self) -> PluginParams {
        self.plugin
            .plugin_handle()
            .get_extension()
            .expect("parameters")
    }

    /// Each parameter: id, name, lowest and highest value.
    pub fn list(&mut self) -> Vec<(ClapId, String, f64, f64)> {
        let params = self.params();
        let handle = self.plugin.plugin_handle();
        let mut buffer = ParamInfoBuffer::new();
        let one = |at| {
            let info = params
                .get_info(&handle, at, &mut buffer)
                .expect("information");
            let name = String::from_utf8_lossy(info.name).into_owned();
            (info.id, name, info.min_value, info.max_value)
        };
        (0..params.count(&handle)).map(one).collect()
    }

    /// A parameter by its name as people see it.
    pub fn id(&mut self, name: &str) -> ClapId {
        let list = self.list();
        let found = list.iter().find(|(_, known, _, _)| known == name);
        found
            .unwrap_or_else(|| panic!("no parameter `{name}` in {list:?}"))
            .0
    }

    pub fn value(&mut self, id: ClapId) -> f64 {
        let params = self.params();
        let handle = self.plugin.plugin_handle();
        params.get_value(&handle, id).expect("a value")
    }

    pub fn text(&mut self, id: ClapId, value: f64) -> String {
        let params = self.params();
        let handle = self.plugin.plugin_handle();
        let mut buffer = [0; 256];
        let text = params.value_to_text(&handle, id, value, &mut buffer);
        String::from_utf8_lossy(text.expect("a text")).into_owned()
    }

    pub fn value_of(&mut self, id: ClapId, text: &str) -> Option<f64> {
        let params = self.params();
        let handle = self.plugin.plugin_handle();
        let text = CString::new(text).expect("no zeros");
        params.text_to_value(&handle, id, &text)
    }

    /// Sets parameters while it is not active, and hears what it has to say.
    pub fn set(&mut self, sets: &[(ClapId, f64)]) {
        let params = self.params();
        let mut events = EventBuffer::new();
        for (id, value) in sets {
            events.push(&ParamValueEvent::new(0, *id, Pckn::match_all(), *value));
        }
        let mut handle = self.plugin.inactive_plugin_handle().expect("not active");
        let mut out = EventBuffer::new();
        params.flush(&mut handle, &events.as_input(), &mut out.as_output());
        self.told.extend(out.iter().filter_map(told));
    }

    /// All values, by name.
    pub fn values(&mut self) -> Vec<(String, f64)> {
        let list = self.list();
        let value = |(id, name, _, _): (ClapId, String, f64, f64)| (name, self.value(id));
        list.into_iter().map(value).collect()
    }

    pub fn save(&mut self) -> Vec<u8> {
        let handle = self.plugin.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        let mut bytes = Vec::new();
        state.save(&handle, &mut bytes).expect("it saves");
        bytes
    }

    pub fn load_state(&mut self, bytes: &[u8]) -> bool {
        let handle = self.plugin.plugin_handle();
        let state: PluginState = handle.get_extension().expect("state");
        let mut bytes = bytes;
        state.load(&handle, &mut bytes).is_ok()
    }

    /// Loads a preset as a host's browser does; whether it was taken.
    pub fn load_place(&mut self, location: Location, key: Option<&CStr>) -> bool {
        let handle = self.plugin.plugin_handle();
        let load: PluginPresetLoad = handle.get_extension().expect("presets");
        load.load_from_location(&handle, location, key).is_ok()
    }

    /// What the plugin asked its host for.
    pub fn asked<R>(&self, what: impl FnOnce(&Asked) -> R) -> R {
        self.plugin.access_shared_handler(what)
    }

    /// Loads a preset as a host would a state.
    pub fn load_preset(&mut self, toml: &str) {
        assert!(self.load_state(&state_of(toml)));
    }

    pub fn asked_for_restarts(&self) -> usize {
        self.plugin
            .access_shared_handler(|asked| asked.restarts.load(Ordering::SeqCst))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A host's transport that plays at a tempo.
fn transport(frame: u32, bpm: f64) -> TransportEvent {
    let mut event = TransportEvent {
        header: EventHeader::new_core(frame, EventFlags::empty()),
        flags: TransportFlags::IS_PLAYING,
        song_pos_beats: BeatTime::default(),
        song_pos_seconds: SecondsTime::default(),
        tempo: bpm,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::default(),
        loop_end_beats: BeatTime::default(),
        loop_start_seconds: SecondsTime::default(),
        loop_end_seconds: SecondsTime::default(),
        bar_start: BeatTime::default(),
        bar_number: 0,
        time_signature_numerator: 4,
        time_signature_denominator: 4,
    };
    if !bpm.is_nan() {
        event.flags |= TransportFlags::HAS_TEMPO;
    }
    event
}

fn told(event: &UnknownEvent) -> Option<Told> {
    match event.as_core_event()? {
        CoreEventSpace::ParamValue(event) => Some(Told::Set(event.param_id()?, event.value())),
        CoreEventSpace::ParamGestureBegin(event) => Some(Told::Begin(event.param_id()?)),
        CoreEventSpace::ParamGestureEnd(event) => Some(Told::End(event.param_id()?)),
        _ => None,
    }
}

/// A state as CLAP hosts keep it: the length, then JSON.
pub fn framed(json: &str) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes
}

/// The JSON of a state.
pub fn json_of(state: &[u8]) -> serde_json::Value {
    serde_json::from_slice(&state[8..]).expect("JSON")
}

/// The least state that holds a preset.
pub fn state_of(toml: &str) -> Vec<u8> {
    let json = serde_json::json!({
        "version": "0.1.0",
        "params": {},
        "fields": { "format": "1", "rack": toml },
    });
    framed(&json.to_string())
}

/// A preset as VST3 hosts keep it in files: a header, the class, the state, and where it stands.
pub fn vstpreset(toml: &str) -> Vec<u8> {
    let state = &state_of(toml)[8..];
    let class: String = b"HeadroomStripFx1"
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let list_at = 48 + state.len() as u64;
    let mut file = b"VST3\x01\0\0\0".to_vec();
    file.extend(class.as_bytes());
    file.extend(list_at.to_le_bytes());
    file.extend(state);
    file.extend(b"List\x01\0\0\0Comp");
    file.extend(48_u64.to_le_bytes());
    file.extend((state.len() as u64).to_le_bytes());
    file
}

/// White noise, the same for a seed, -6 dBFS.
pub fn noise(seed: u64, channels: usize, frames: usize) -> Vec<Vec<f32>> {
    let mut random = Random(seed);
    let mut channel = || (0..frames).map(|_| random.unit() as f32 - 0.5).collect();
    (0..channels).map(|_| channel()).collect()
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What the engine's own renderer makes of the same input through the same preset.
pub fn rendered(toml: &str, rate_hz: u32, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    rendered_at(120.0, toml, rate_hz, input)
}

/// The same at a tempo.
pub fn rendered_at(bpm: f64, toml: &str, rate_hz: u32, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    use headroom_engine::offline::{Tail, render};
    use headroom_engine::{Catalog, Memory, Stream, Tempo, preset};
    let spec = preset::parse(toml, "test", &Catalog::builtin()).expect("a preset");
    let stream = Stream::new(rate_hz, 512, input.len()).expect("a stream");
    let mut at = 0;
    let mut output = vec![Vec::new(); input.len()];
    render(
        stream,
        &spec,
        &Memory::default(),
        Tempo::new(bpm).expect("a tempo"),
        Tail::Secs(0.0),
        |channels| {
            let frames = channels[0].len().min(input[0].len() - at);
            for (channel, input) in channels.iter_mut().zip(input) {
                channel[..frames].copy_from_slice(&input[at..at + frames]);
            }
            at += frames;
            Ok::<_, std::io::Error>(frames)
        },
        |channels| {
            for (output, channel) in output.iter_mut().zip(channels) {
                output.extend_from_slice(channel);
            }
            Ok(())
        },
    )
    .expect("it renders");
    output
}

/// Whether a rack has two of a kind, by its text: no strip holds that.
pub fn has_a_kind_twice(text: &str) -> bool {
    let mut kinds: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("kind"))
        .collect();
    let all = kinds.len();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len() < all
}

/// A compressor that follows the side-chain, behind an equaliser.
pub const DUCKER: &str = r#"
headroom = 1
[[module]]
kind = "eq"
[module.params]
band2_gain_db = 4.7
[[module]]
kind = "compressor"
[module.params]
threshold_db = -40.0
ratio = 8.0
attack_ms = 1.0
key = "external"
"#;

/// What the engine makes of a preset at 48 kHz, with `key` to follow; without channels there is nothing to.
pub fn keyed(toml: &str, input: &[Vec<f32>], key: &[Vec<f32>]) -> Vec<Vec<f32>> {
    use headroom_engine::{Catalog, Memory, Stream, open, preset};
    let spec = preset::parse(toml, "test", &Catalog::builtin()).expect("a preset");
    let stream = Stream::new(48_000, 8_192, input.len()).expect("a stream");
    let (_controller, mut processor) = open(stream, &spec, &Memory::default()).expect("an engine");
    processor.process(&mut [], &[]);
    let mut output = input.to_vec();
    let mut views: Vec<&mut [f32]> = output.iter_mut().map(Vec::as_mut_slice).collect();
    let key: Vec<&[f32]> = key.iter().map(Vec::as_slice).collect();
    processor.process_keyed(&mut views, &key, &[]);
    output
}
