//! The board of an engine: the rack as a screen is told of it. The standalone program and the plugin show the
//! same.

use headroom_ipc::board::{HealthInfo, KindInfo, MarkInfo, MemoryPart, ModuleInfo, ParamInfo};
use headroom_ipc::{MAX_VALUES, Server};

use crate::controller::Controller;
use crate::face::Scene;
use crate::memory::{MemoryMap, Part};
use crate::module::{Catalog, Kind};
use crate::param::Param;
use crate::preset::{ModuleSpec, RackSpec};
use crate::realtime::HighWater;

/// `[main]` What a screen is told of every kind that can be inserted, in the catalogue's order.
pub fn kinds(catalog: &Catalog) -> Vec<KindInfo> {
    let kinds = catalog.kinds().iter();
    kinds.map(|kind| kind_info(kind)).collect()
}

fn kind_info(kind: &Kind) -> KindInfo {
    KindInfo {
        id: kind.id.to_owned(),
        name: kind.name.to_owned(),
        about: kind.about.to_owned(),
        params: kind.params.iter().map(param_info).collect(),
        handles: kind.face.handles.to_vec(),
        reduces: kind.face.reduces,
    }
}

/// `[main]` One row of a table, as a screen or a host is told of it.
pub fn param_info(param: &Param) -> ParamInfo {
    let labels = param.labels().unwrap_or_default().iter();
    ParamInfo {
        id: param.id.to_owned(),
        name: param.name.to_owned(),
        unit: param.unit.symbol().to_owned(),
        min: param.min,
        max: param.max,
        default: param.default,
        walk: param.walk(),
        labels: labels.map(|label| (*label).to_owned()).collect(),
        structural: param.structural,
    }
}

/// Shows a rack's values and curves; what has not changed costs a comparison.
#[derive(Debug, Default)]
pub struct Board {
    /// As it was last shown.
    shown: RackSpec,
    scene: Option<Scene>,
}

impl Board {
    /// `[main]` The modules of the rack as it sounds, for a description. `kinds` is what [`kinds`] gave for
    /// the same catalogue; a module of a kind that is not in it is left out, with all that would not fit the
    /// board.
    pub fn modules(controller: &Controller, kinds: &[KindInfo]) -> Vec<ModuleInfo> {
        let mut modules = Self::modules_of(controller.spec(), kinds);
        for info in &mut modules {
            let spec = &controller.spec().modules;
            if let Some(place) = spec.iter().position(|module| module.id == info.id) {
                info.lane = controller.lane(place);
                info.latency_frames = controller.slot_latency_frames(place) as u32;
            }
        }
        modules
    }

    /// `[main]` The same of a rack that nothing plays: without levels and latencies.
    pub fn modules_of(rack: &RackSpec, kinds: &[KindInfo]) -> Vec<ModuleInfo> {
        let mut first_value = 0;
        let mut modules = Vec::new();
        for module in &rack.modules {
            let kind = kinds.iter().position(|kind| kind.id == module.kind.id);
            let values = 2 + module.values.len();
            let (Some(kind), true) = (kind, first_value + values <= MAX_VALUES) else {
                continue;
            };
            modules.push(ModuleInfo {
                id: module.id.clone(),
                kind: kind as u16,
                lane: 0,
                first_value: first_value as u16,
                latency_frames: 0,
            });
            first_value += values;
        }
        modules
    }

    /// `[main]` Shows the values of `modules` (what [`Self::modules`] gave for the rack of now), as they sound.
    pub fn show(&mut self, controller: &Controller, modules: &[ModuleInfo], server: &mut Server) {
        let scene = Scene {
            stream: controller.stream(),
            tempo: controller.tempo(),
        };
        self.show_rack(controller.current(), &scene, modules, server);
    }

    /// `[main]` Shows the values of `modules` as `current` has them.
    pub fn show_rack(
        &mut self,
        current: RackSpec,
        scene: &Scene,
        modules: &[ModuleInfo],
        server: &mut Server,
    ) {
        let same_scene = self.scene == Some(*scene);
        self.scene = Some(*scene);
        for (place, info) in modules.iter().enumerate() {
            let Some(module) = current.modules.iter().find(|known| known.id == info.id) else {
                continue;
            };
            let shown = self.shown.modules.iter().find(|known| known.id == info.id);
            let is_same = shown.is_some_and(|shown| is_same(shown, module));
            // Places move when modules do, so values are written whether or not they have changed: the
            // server knows what stands where.
            let bypass = f32::from(u8::from(module.bypass));
            let bypass_text = if module.bypass { "on" } else { "off" };
            server.set_value(info.bypass_value(), bypass, bypass_text);
            let mix_text = format!("{:.0} %", module.mix * 100.0);
            server.set_value(info.mix_value(), module.mix, &mix_text);
            for (index, (param, value)) in module.kind.params.iter().zip(&module.values).enumerate()
            {
                server.set_value(info.param_value(index), *value, &param.format(*value));
            }
            let moved = self.shown.modules.get(place).map(|known| &known.id) != Some(&info.id);
            if !is_same || moved || !same_scene {
                let curve = module.kind.face.curve;
                let curve = curve.map(|curve| curve(scene, &module.values));
                server.set_curve(place, curve.as_ref());
            }
        }
        for place in modules.len()..self.shown.modules.len() {
            server.set_curve(place, None);
        }
        self.shown = current;
    }
}

/// `[main]` What an engine knows of its health; what its device and its thread know is left at nothing.
pub fn health_info(controller: &Controller) -> HealthInfo {
    let health = controller.health();
    let mark = |name: &str, mark: HighWater| MarkInfo {
        name: name.to_owned(),
        most: mark.most,
        room: mark.room,
    };
    let slots = controller.slot_health().into_iter();
    HealthInfo {
        blocks: health.blocks,
        block_p50_ns: health.block_ns.p50,
        block_p99_ns: health.block_ns.p99,
        block_max_ns: health.block_ns.max,
        histogram: controller.block_histogram(),
        over_deadline: health.over_deadline,
        non_finite_inputs: health.non_finite_inputs,
        panics: health.panics,
        flushed_blocks: health.flushed_blocks,
        slots: slots
            .map(|(id, slot)| (id, slot.not_finite_chunks, slot.flushed_chunks))
            .collect(),
        marks: vec![
            mark("commands", health.commands),
            mark("notices", health.notices),
            mark("slots", health.slots),
            mark("racks that have left", health.rack_tails),
            mark("scratch bytes", health.scratch_bytes),
        ],
        collected_bytes: health.collected.bytes,
        retired_bytes: controller.retired_bytes() as u64,
        ..HealthInfo::default()
    }
}

/// `[main]` A memory map as a screen is told of it.
pub fn memory_parts(map: &MemoryMap) -> Vec<MemoryPart> {
    map.parts.iter().map(memory_part).collect()
}

fn memory_part(part: &Part) -> MemoryPart {
    let pages = part.pages;
    let flags = [pages.locked, pages.huge, pages.prefaulted, pages.shared];
    let bits = flags.iter().enumerate();
    MemoryPart {
        owner: part.owner.to_string(),
        name: part.name.to_string(),
        sort: part.sort.name().to_owned(),
        inside: part.is_inside(),
        address: part.address as u64,
        bytes: part.bytes as u64,
        pages: bits.fold(0, |all, (bit, on)| all | u8::from(*on) << bit),
    }
}

fn is_same(a: &ModuleSpec, b: &ModuleSpec) -> bool {
    std::ptr::eq(a.kind, b.kind)
        && a.bypass == b.bypass
        && a.mix == b.mix
        && a.values
            .iter()
            .map(|value| value.to_bits())
            .eq(b.values.iter().map(|value| value.to_bits()))
}
