//! The board: what there is to be seen and moved, described so that a screen can draw modules that did
//! not exist when it was built.
//!
//! Three kinds of news with three paces. A [`Description`] changes with an edit, a preset or a device;
//! values move with knobs; meters and sound with the clock, and have their own rings. All text is for
//! people, ids are for commands.

use serde::{Deserialize, Serialize};

/// How a parameter's range is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Walk {
    /// Even steps of the value.
    Linear,
    /// Even steps of the value's logarithm; the range is above zero.
    Log,
    /// One of a list; the value is its index.
    Choice,
    /// Off (0) or on (1).
    Switch,
}

/// One parameter of a kind of module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParamInfo {
    /// Unique in its module, with the unit at the end: `threshold_db`.
    pub id: String,
    /// For people: `Threshold`.
    pub name: String,
    /// The unit's symbol as people write it, `dB`, `Hz`, `%`; empty for a plain number. For `%` the
    /// value is the fraction.
    pub unit: String,
    /// Lowest value.
    pub min: f32,
    /// Highest value.
    pub max: f32,
    /// Where double-click goes.
    pub default: f32,
    /// How the range is walked.
    pub walk: Walk,
    /// The names of a choice, by value.
    pub labels: Vec<String>,
    /// Changing it rebuilds the module.
    pub structural: bool,
}

/// Something on a module's curve that can be taken hold of: which parameters it moves, by their place in
/// the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// Moved from left to right.
    pub x: Option<u16>,
    /// Moved up and down.
    pub y: Option<u16>,
    /// Moved by the wheel, such as a Q.
    pub wheel: Option<u16>,
    /// Whether it is there at all: a switch.
    pub on: Option<u16>,
    /// What it is: a choice, such as a band's type.
    pub choice: Option<u16>,
    /// What sets the place from left to right instead, where that is not its first entry: a choice, such as a
    /// note by which an echo is timed. The handle then stands at the curve's first point behind the left end.
    pub x_unless: Option<u16>,
}

/// A kind of module: its name and its parameter table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindInfo {
    /// What presets and commands call it: `eq`.
    pub id: String,
    /// For people: `Equaliser`.
    pub name: String,
    /// One line: what it does.
    pub about: String,
    /// Its table.
    pub params: Vec<ParamInfo>,
    /// What can be taken hold of on its curve.
    pub handles: Vec<Handle>,
    /// It turns its input down, and says by how much.
    pub reduces: bool,
}

/// One module of the rack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleInfo {
    /// Unique in the rack; what commands call it.
    pub id: String,
    /// Its place in [`Description::kinds`].
    pub kind: u16,
    /// Where its levels stand in a meter frame.
    pub lane: u8,
    /// Where its values begin on the board: bypass, mix, then its parameters in the table's order.
    pub first_value: u16,
    /// Frames by which it is late.
    pub latency_frames: u32,
}

impl ModuleInfo {
    /// The place of its bypass (0 or 1) among the board's values.
    pub fn bypass_value(&self) -> usize {
        usize::from(self.first_value)
    }

    /// The place of its mix (0 to 1).
    pub fn mix_value(&self) -> usize {
        usize::from(self.first_value) + 1
    }

    /// The place of parameter `index` of its table.
    pub fn param_value(&self, index: usize) -> usize {
        usize::from(self.first_value) + 2 + index
    }
}

/// A preset that can be loaded by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetInfo {
    /// What commands call it.
    pub name: String,
    /// What it calls itself.
    pub title: String,
    /// For searching.
    pub tags: Vec<String>,
    /// The kinds of its modules, in their order.
    pub modules: Vec<String>,
    /// The user's own, not built in.
    pub own: bool,
}

/// What sound comes from and goes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// `jack`, `alsa`, `null`, or the plugin's host.
    pub backend: String,
    /// Where sound goes.
    pub output: String,
    /// Where it comes from: a device, a file, or nothing.
    pub input: String,
    /// Samples a second of each channel.
    pub sample_rate_hz: u32,
    /// Frames of one callback.
    pub block_frames: u32,
    /// Channels of the rack.
    pub channels: u8,
    /// The device is lost and waited for.
    pub waiting: bool,
    /// Devices, channels, rate and block can be changed from a screen.
    pub changeable: bool,
    /// `1,2` as `--inputs` and `--outputs` take them; empty for the first ones.
    pub inputs: String,
    /// The same for the output.
    pub outputs: String,
}

/// What a device panel may offer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceChoices {
    /// Backends that answer here.
    pub backends: Vec<String>,
    /// Names of devices that play.
    pub outputs: Vec<String>,
    /// Names of devices that record.
    pub inputs: Vec<String>,
    /// Rates that may be asked for.
    pub rates_hz: Vec<u32>,
    /// Block lengths that may be asked for.
    pub blocks_frames: Vec<u32>,
}

/// All that changes seldom, whole.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Description {
    /// `headroom 0.1.0`, or the plugin.
    pub program: String,
    /// The rack's name.
    pub rack: String,
    /// The name by which the rack's preset is loaded again; empty where it came from a file.
    pub preset: String,
    /// What has been changed since it was loaded or saved.
    pub is_changed: bool,
    /// Every kind that can be inserted.
    pub kinds: Vec<KindInfo>,
    /// The rack, in its order.
    pub modules: Vec<ModuleInfo>,
    /// Frames by which the whole rack is late.
    pub latency_frames: u32,
    /// The device.
    pub device: DeviceInfo,
    /// What the device may be changed to.
    pub choices: DeviceChoices,
    /// Presets, the built-in ones first.
    pub presets: Vec<PresetInfo>,
    /// What undo would take back, in words.
    pub undo: Option<String>,
    /// What redo would take again.
    pub redo: Option<String>,
    /// Which of the two racks that are compared plays: 0 is A, 1 is B.
    pub compared: u8,
    /// The module of which only the difference to its input is heard.
    pub delta: Option<String>,
    /// The output is muted.
    pub muted: bool,
    /// The panic button is pressed.
    pub panic: bool,
    /// A recording is running: seconds so far and lost frames are in [`HealthInfo`].
    pub recording: bool,
    /// MIDI: what is listened to; `None` when it is off.
    pub midi: Option<String>,
    /// What is being learned: `eq.band1_freq_hz`.
    pub learning: Option<String>,
    /// How large a screen inside a plugin's host is drawn, in per cent; `None`: as its display says.
    pub scale_percent: Option<u16>,
    /// What MIDI moves: target (`eq.band1_freq_hz`, `delay.bypass`, `mute`) and controller in words.
    pub bindings: Vec<(String, String)>,
    /// Beats a minute; 0 where there is no tempo.
    pub tempo_bpm: f64,
    /// The tempo is the plugin's host's: to be seen, not to be set.
    pub tempo_is_hosts: bool,
}

impl Description {
    /// The module of this id, and its place.
    pub fn module(&self, id: &str) -> Option<(usize, &ModuleInfo)> {
        let mut modules = self.modules.iter().enumerate();
        modules.find(|(_, module)| module.id == id)
    }

    /// The kind of a module; `None` where the description is damaged.
    pub fn kind_of(&self, module: &ModuleInfo) -> Option<&KindInfo> {
        self.kinds.get(usize::from(module.kind))
    }
}

/// How full something ever was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MarkInfo {
    /// What it is: `commands`.
    pub name: String,
    /// The most that ever waited, or was in use.
    pub most: u64,
    /// How much there is room for.
    pub room: u64,
}

/// What must stay at zero, and what the blocks cost. Counted from the second block on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HealthInfo {
    /// Blocks so far.
    pub blocks: u64,
    /// Frames so far.
    pub frames: u64,
    /// Seconds of sound so far.
    pub seconds: f64,
    /// How long a block may take.
    pub deadline_ns: u64,
    /// Half of the blocks took at most this.
    pub block_p50_ns: u64,
    /// 99 of 100.
    pub block_p99_ns: u64,
    /// The longest.
    pub block_max_ns: u64,
    /// How many blocks took how long: upper end in nanoseconds, and count, rising, empty ones left out.
    pub histogram: Vec<(u64, u64)>,
    /// Blocks that took longer than their deadline.
    pub over_deadline: u64,
    /// Gaps that the device reported.
    pub xruns: u64,
    /// Times the input had nothing, or too much.
    pub input_gaps: u64,
    /// Allocations on the audio thread.
    pub allocations: u64,
    /// Frees on the audio thread.
    pub deallocations: u64,
    /// Page faults of the audio thread, minor and major.
    pub faults: [u64; 2],
    /// Context switches of the audio thread: it waited, and it was made to wait.
    pub switches: [u64; 2],
    /// System calls inside the guard; `None` where they are not trapped.
    pub system_calls: Option<u64>,
    /// Input samples that were no numbers.
    pub non_finite_inputs: u64,
    /// Modules that panicked.
    pub panics: u64,
    /// Blocks in which something was flushed to zero.
    pub flushed_blocks: u64,
    /// By module: id, chunks that were not finite, chunks in which something was flushed.
    pub slots: Vec<(String, u64, u64)>,
    /// Bytes of the audio thread's stack: used at the most, and there.
    pub stack: Option<(u64, u64)>,
    /// Queues and pools.
    pub marks: Vec<MarkInfo>,
    /// Bytes that the collector has given back, and what still waits.
    pub collected_bytes: u64,
    /// Bytes that wait for it, or still ring.
    pub retired_bytes: u64,
    /// The audio thread runs at a real-time priority.
    pub realtime: bool,
    /// Its memory is locked.
    pub locked: bool,
    /// Reconnects to a device that was lost.
    pub reconnects: u64,
    /// Seconds that are recorded, and frames that a slow disk lost.
    pub recording: Option<(f64, u64)>,
    /// The first violation with its backtrace, once there is one.
    pub violation: Option<String>,
    /// The newest messages for people, oldest first.
    pub messages: Vec<String>,
}

/// One line of the memory map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPart {
    /// Whose: `engine`, `rack`, a module's id, `program`.
    pub owner: String,
    /// What it is: `delay line left`.
    pub name: String,
    /// `region`, `buffer`, `padding`, `ring`, `table`, `pool`, `cells`, `stack`, `segment`.
    pub sort: String,
    /// It lies inside the region that is listed before it, and is counted with that.
    pub inside: bool,
    /// Its first byte.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
    /// `locked`, `huge`, `prefaulted`, `shared`: bits 0 to 3.
    pub pages: u8,
}

/// Where every byte of the audio memory is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MemoryInfo {
    /// Regions first, what is inside of them behind.
    pub parts: Vec<MemoryPart>,
    /// All bytes, each counted once.
    pub bytes: u64,
    /// What the system holds in memory for the whole process.
    pub resident_bytes: u64,
}

/// What a curve's axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axis {
    /// Hertz, in octaves.
    FrequencyHz,
    /// Decibels.
    Decibels,
    /// Seconds.
    Seconds,
}

impl Axis {
    /// As a number in shared memory.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::FrequencyHz => 0,
            Self::Decibels => 1,
            Self::Seconds => 2,
        }
    }

    /// From a number in shared memory.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::FrequencyHz),
            1 => Some(Self::Decibels),
            2 => Some(Self::Seconds),
            _ => None,
        }
    }
}

/// What a module does, as a picture: a response, a static curve, echoes.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What goes from left to right, and from where to where.
    pub x: (Axis, f32, f32),
    /// What goes up.
    pub y: (Axis, f32, f32),
    /// Points stand alone, as echoes do, and are not joined.
    pub stems: bool,
    /// Points, x rising. At most [`crate::MAX_POINTS`].
    pub points: Vec<(f32, f32)>,
}
