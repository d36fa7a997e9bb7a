//! What a screen is shown of the strip, at the pace at which it changes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use headroom_engine::preset::{Library, RackSpec};
use headroom_engine::{Board, Scene, Stream, Tempo, health_info, kinds, memory_parts};
use headroom_ipc::Server;
use headroom_ipc::board::{Description, DeviceInfo, KindInfo, MemoryInfo, ModuleInfo, PresetInfo};

use super::past::Past;
use crate::desk::Desk;
use crate::parameters::Parameters;

/// Between two descriptions.
const DESCRIPTION: Duration = Duration::from_millis(50);
/// Between two readings of the health.
const HEALTH: Duration = Duration::from_millis(100);
/// Between two of what costs more: the presets' folder, the memory map.
const SLOW: Duration = Duration::from_secs(2);
/// A host that has not called for this long does not call.
const SILENCE: Duration = Duration::from_millis(500);
/// Messages that are kept.
const MESSAGES: usize = 20;

/// When something is due again.
#[derive(Debug, Default)]
struct Due(Option<Instant>);

impl Due {
    fn is_due(&mut self, period: Duration) -> bool {
        let is_due = self.0.is_none_or(|done| done.elapsed() >= period);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

/// What is shown, as far as it is not looked up each time.
pub(crate) struct Shown {
    /// The name by which the strip's preset is loaded again.
    pub(crate) preset: String,
    pub(crate) is_muted: bool,
    kinds: Vec<KindInfo>,
    presets: Vec<PresetInfo>,
    board: Board,
    modules: Vec<ModuleInfo>,
    messages: VecDeque<String>,
    refusal: Option<String>,
    described: Due,
    healthy: Due,
    slow: Due,
    blocks: u64,
    called: Instant,
    stream: Stream,
    tempo: Tempo,
}

/// What is looked at in one look.
pub(crate) struct View<'a> {
    pub(crate) parameters: &'a Parameters,
    /// As it will be when all that is on its way has arrived.
    pub(crate) rack: RackSpec,
    pub(crate) past: &'a Past,
    pub(crate) scale_percent: Option<u16>,
    /// The host's kind.
    pub(crate) host: &'static str,
    /// Something was just done: who did it wants to see it.
    pub(crate) must: bool,
}

impl Shown {
    /// `[main]` Nothing is shown yet.
    pub(crate) fn new(parameters: &Parameters) -> Self {
        Self {
            preset: String::new(),
            is_muted: false,
            kinds: kinds(parameters.catalog()),
            presets: Vec::new(),
            board: Board::default(),
            modules: Vec::new(),
            messages: VecDeque::new(),
            refusal: parameters.last_refusal(),
            described: Due::default(),
            healthy: Due::default(),
            slow: Due::default(),
            blocks: 0,
            called: Instant::now(),
            // PANIC: a usual stream; it stands for the host's until there is one.
            stream: Stream::new(48_000, 512, 2).expect("a usual stream"),
            tempo: Tempo::default(),
        }
    }

    /// `[main]` Looks for presets at the next look.
    pub(crate) fn look_for_presets(&mut self) {
        self.slow = Due::default();
    }

    /// `[main]` Somebody is at home, and the host calls or not: which.
    pub(crate) fn beat(&mut self, desk: Option<&Desk>, server: &Server) -> bool {
        let blocks = desk.map_or(0, |desk| desk.blocks());
        if blocks != self.blocks {
            self.blocks = blocks;
            self.called = Instant::now();
        }
        let is_calling = desk.is_some() && self.called.elapsed() < SILENCE;
        server.beat(is_calling);
        is_calling
    }

    /// `[main]` Shows what has changed.
    pub(crate) fn show(&mut self, view: View<'_>, desk: Option<&mut Desk>, server: &mut Server) {
        let mut desk = desk;
        self.hear(&view, desk.as_deref_mut());
        if let Some(desk) = &mut desk {
            self.stream = desk.stream();
            self.tempo = desk.controller().tempo();
        }
        let slow = self.slow.is_due(SLOW);
        if slow {
            self.presets = Library::of_user().infos(view.parameters.catalog());
        }
        if self.described.is_due(DESCRIPTION) || view.must {
            self.modules = Board::modules_of(&view.rack, &self.kinds);
            if let Some(desk) = &mut desk {
                let playing = Board::modules(desk.controller(), &self.kinds);
                for module in &mut self.modules {
                    if let Some(known) = playing.iter().find(|known| known.id == module.id) {
                        module.lane = known.lane;
                        module.latency_frames = known.latency_frames;
                    }
                }
            }
            let description = self.description(&view, desk.as_deref_mut());
            // One that is too large leaves the one before.
            let _fits = server.describe(&description);
        }
        let scene = Scene {
            stream: self.stream,
            tempo: self.tempo,
        };
        self.board
            .show_rack(view.rack, &scene, &self.modules, server);
        let Some(desk) = desk else { return };
        if self.healthy.is_due(HEALTH) {
            let mut health = health_info(desk.controller());
            health.frames = desk.frames();
            let rate_hz = f64::from(self.stream.sample_rate_hz());
            health.seconds = health.frames as f64 / rate_hz;
            health.deadline_ns = (self.stream.max_block_frames() as f64 / rate_hz * 1e9) as u64;
            health.messages = self.messages.iter().cloned().collect();
            server.show_health(&health);
        }
        if slow {
            server.show_memory(&memory(desk, server));
        }
    }

    /// What is to be said.
    fn hear(&mut self, view: &View<'_>, desk: Option<&mut Desk>) {
        let mut news = desk.map(Desk::take_reports).unwrap_or_default();
        let refusal = view.parameters.last_refusal();
        if refusal != self.refusal {
            news.extend(refusal.iter().map(|why| format!("state refused: {why}")));
            self.refusal = refusal;
        }
        for message in news {
            if self.messages.len() == MESSAGES {
                self.messages.pop_front();
            }
            self.messages.push_back(message);
        }
    }

    fn description(&self, view: &View<'_>, desk: Option<&mut Desk>) -> Description {
        let (undo, redo) = view.past.labels(view.parameters);
        let controller = desk.map(|desk| &*desk.controller());
        Description {
            program: format!("headroom {} ({})", env!("CARGO_PKG_VERSION"), view.host),
            rack: if view.rack.name.is_empty() {
                "Strip".to_owned()
            } else {
                view.rack.name.clone()
            },
            preset: self.preset.clone(),
            is_changed: undo.is_some(),
            kinds: self.kinds.clone(),
            latency_frames: self.modules.iter().map(|it| it.latency_frames).sum(),
            modules: self.modules.clone(),
            device: DeviceInfo {
                backend: view.host.to_owned(),
                output: "host".to_owned(),
                input: "host".to_owned(),
                sample_rate_hz: self.stream.sample_rate_hz(),
                block_frames: self.stream.max_block_frames() as u32,
                channels: self.stream.channels() as u8,
                ..DeviceInfo::default()
            },
            presets: self.presets.clone(),
            undo,
            redo,
            compared: view.past.compared,
            delta: controller.and_then(|it| it.delta().map(str::to_owned)),
            muted: self.is_muted,
            panic: controller.is_some_and(|it| it.panic_button().is_pressed()),
            scale_percent: view.scale_percent,
            tempo_bpm: self.tempo.bpm(),
            tempo_is_hosts: true,
            ..Description::default()
        }
    }
}

fn memory(desk: &mut Desk, server: &Server) -> MemoryInfo {
    let map = desk.controller().memory_map();
    let mut parts = memory_parts(&map);
    let segment = server.memory_part();
    let bytes = map.bytes() as u64 + segment.bytes;
    parts.push(segment);
    MemoryInfo {
        bytes,
        parts,
        resident_bytes: 0,
    }
}
