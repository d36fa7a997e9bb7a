//! The rows as nice-plug's parameters, and what has changed since the audio thread looked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headroom_engine::preset::{MidiBinding, RackSpec};
use headroom_engine::{Catalog, Scale};
use nice_plug::context::gui::GuiContext;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{
    BoolParam, FloatParam, FloatRange, IntParam, IntRange, Param as _, ParamPtr,
};

use crate::desk::Desk;
use crate::editor::Gesture;
use crate::housekeeping::Instance;
use crate::rows::{Row, Target, rows};
use crate::shield::shielded;

/// What a preset says beside values and order; it is kept and saved again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) midi: Vec<MidiBinding>,
    /// The id of each kind of module, in the catalogue's order, where it is not the kind's own.
    pub(crate) ids: Vec<Option<String>>,
}

/// What callbacks of parameters tell the two sides.
#[derive(Debug)]
pub(crate) struct Changed {
    /// A bit for each row. Writer: whoever sets a parameter (Release, after the value); reader: the
    /// audio thread (Acquire).
    bits: Box<[AtomicU64]>,
    /// Counts changes of structure. Writer: whoever sets a parameter (Release, after the value); reader:
    /// housekeeping (Acquire).
    structure: AtomicU64,
    /// Counts loaded states. Writer: the thread that loads (Release, after all values); reader:
    /// housekeeping (Acquire).
    states: AtomicU64,
    /// Housekeeping found the rack at other values than the parameters: all are to be said again.
    say_again: AtomicBool,
}

impl Changed {
    fn new(rows: usize) -> Self {
        Self {
            bits: (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            structure: AtomicU64::new(0),
            states: AtomicU64::new(0),
            say_again: AtomicBool::new(false),
        }
    }

    fn mark(&self, row: usize, structural: bool) {
        self.bits[row / 64].fetch_or(1 << (row % 64), Ordering::Release);
        if structural {
            self.structure.fetch_add(1, Ordering::Release);
        }
    }

    /// `[audio]` Calls `each` with every row that was changed since the last call.
    pub(crate) fn take(&self, mut each: impl FnMut(usize)) {
        for (word, bits) in self.bits.iter().enumerate() {
            // Most of the time nothing has changed, and a load is cheaper than an exchange.
            if bits.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let mut left = bits.swap(0, Ordering::Acquire);
            while left != 0 {
                each(word * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }

    /// `[any]` Grows with each change of structure and each state.
    pub(crate) fn revision(&self) -> (u64, u64) {
        let states = self.states.load(Ordering::Acquire);
        (self.structure.load(Ordering::Acquire), states)
    }

    /// `[main]` Has all values said again.
    pub(crate) fn say_again(&self) {
        self.say_again.store(true, Ordering::Relaxed);
    }

    /// `[audio]` Whether all values are to be said again; asked once.
    pub(crate) fn must_say_again(&self) -> bool {
        self.say_again.load(Ordering::Relaxed) && self.say_again.swap(false, Ordering::Relaxed)
    }
}

/// A row as nice-plug's parameter.
enum HostParam {
    /// A position, 0 to 1: the table's walk is ours to do, nice-plug has no logarithmic one.
    Number(FloatParam),
    Whole(IntParam),
    Switch(BoolParam),
}

/// All host parameters of one instance, made from the modules' tables, and what a state keeps beside them.
pub struct Parameters {
    catalog: Catalog,
    rows: Arc<[Row]>,
    host: Box<[HostParam]>,
    /// The first row of each kind of module.
    first: Box<[usize]>,
    /// Position and value, as bits, that a preset set: positions are rounded, the value it says is not.
    /// One word, so that both are read together. Relaxed: whoever reads an old one is corrected by
    /// housekeeping.
    exact: Box<[AtomicU64]>,
    changed: Arc<Changed>,
    labels: Mutex<Labels>,
    /// Why the last state was refused, if it was.
    refusal: Mutex<Option<String>>,
    instance: Instance,
}

impl Parameters {
    /// `[main]` The parameters of a strip of these kinds, an empty one.
    pub fn new(catalog: Catalog) -> Self {
        let rows: Arc<[Row]> = rows(&catalog).into();
        let changed = Arc::new(Changed::new(rows.len()));
        let host = (0..rows.len()).map(|at| host_param(&rows, at, &changed));
        let first = (0..catalog.kinds().len()).map(|module| {
            // PANIC: each kind has a row for its place.
            let place = rows
                .iter()
                .position(|row| row.target == Target::Place(module));
            place.expect("each kind has a place")
        });
        Self {
            host: host.collect(),
            first: first.collect(),
            // A position that none is.
            exact: rows.iter().map(|_| AtomicU64::new(u64::MAX)).collect(),
            labels: Mutex::default(),
            refusal: Mutex::default(),
            instance: Instance::default(),
            catalog,
            rows,
            changed,
        }
    }

    /// `[any]` The kinds of the strip.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// `[any]` All rows, in the order in which hosts are told of them.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn changed(&self) -> &Changed {
        &self.changed
    }

    /// `[any]` What the instance of these parameters shares with housekeeping.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// `[any]` The row of a module's place; its bypass, mix and table follow.
    pub(crate) fn first_row(&self, module: usize) -> usize {
        self.first[module]
    }

    /// `[any]` A value in the table's unit, with a host's modulation.
    pub(crate) fn value(&self, row: usize) -> f32 {
        let position = match &self.host[row] {
            HostParam::Number(param) => param.modulated_plain_value(),
            HostParam::Whole(param) => return param.modulated_plain_value() as f32,
            HostParam::Switch(param) => return f32::from(u8::from(param.modulated_plain_value())),
        };
        self.value_at(row, position)
    }

    /// `[any]` A value in the table's unit, without modulation: what is saved.
    pub(crate) fn resting_value(&self, row: usize) -> f32 {
        let position = match &self.host[row] {
            HostParam::Number(param) => param.unmodulated_plain_value(),
            HostParam::Whole(param) => return param.unmodulated_plain_value() as f32,
            HostParam::Switch(param) => {
                return f32::from(u8::from(param.unmodulated_plain_value()));
            }
        };
        self.value_at(row, position)
    }

    fn value_at(&self, row: usize, position: f32) -> f32 {
        let exact = self.exact[row].load(Ordering::Relaxed);
        if (exact >> 32) as u32 == position.to_bits() {
            return f32::from_bits(exact as u32);
        }
        let row = &self.rows[row];
        if position == row.position(row.table.default) {
            return row.table.default;
        }
        row.value_at(position)
    }

    /// `[any]` Where a row stands as hosts keep it, without modulation: what [`Row::position`] gives.
    pub(crate) fn resting_position(&self, row: usize) -> f32 {
        match &self.host[row] {
            HostParam::Number(param) => param.unmodulated_plain_value(),
            HostParam::Whole(param) => param.unmodulated_plain_value() as f32,
            HostParam::Switch(param) => f32::from(u8::from(param.unmodulated_plain_value())),
        }
    }

    /// `[main]` Tells the host what is done at a control, by the calls that it records automation by. The
    /// value comes back as any other of the host's does.
    pub(crate) fn tell(&self, host: &GuiContext, gesture: Gesture) {
        let setter = host.param_setter();
        match gesture {
            Gesture::Begin(row) => match &self.host[row] {
                HostParam::Number(param) => setter.begin_set_parameter(param),
                HostParam::Whole(param) => setter.begin_set_parameter(param),
                HostParam::Switch(param) => setter.begin_set_parameter(param),
            },
            Gesture::Set(row, position) => match &self.host[row] {
                HostParam::Number(param) => setter.set_parameter(param, position),
                HostParam::Whole(param) => setter.set_parameter(param, position as i32),
                HostParam::Switch(param) => setter.set_parameter(param, position > 0.5),
            },
            Gesture::End(row) => match &self.host[row] {
                HostParam::Number(param) => setter.end_set_parameter(param),
                HostParam::Whole(param) => setter.end_set_parameter(param),
                HostParam::Switch(param) => setter.end_set_parameter(param),
            },
        }
    }

    /// `[main]` The value itself of a position that a preset set.
    pub(crate) fn set_exact(&self, row: usize, value: f32) {
        if !self.rows[row].is_stepped() {
            let position = self.rows[row].position(value);
            let both = (u64::from(position.to_bits()) << 32) | u64::from(value.to_bits());
            self.exact[row].store(both, Ordering::Relaxed);
        }
    }

    /// `[main]` A state has been loaded: all parameters are set, here is what else it says.
    pub(crate) fn loaded(&self, rack: &RackSpec) {
        self.relabel(rack);
        *self.refusal() = None;
        self.changed.states.fetch_add(1, Ordering::Release);
        // Here and now, so that a host that goes on to play plays it.
        self.instance.catch_up(self);
    }

    /// `[main]` What was just set is another rack, not an edit of the one before.
    pub(crate) fn is_another_rack(&self) {
        self.changed.states.fetch_add(1, Ordering::Release);
    }

    /// `[main]` What a rack says beside values and order, and its values themselves.
    pub(crate) fn relabel(&self, rack: &RackSpec) {
        let kinds = self.catalog.kinds();
        let mut labels = Labels {
            name: rack.name.clone(),
            tags: rack.tags.clone(),
            midi: rack.midi.clone(),
            ids: vec![None; kinds.len()],
        };
        for module in &rack.modules {
            let Some(at) = kinds.iter().position(|kind| kind.id == module.kind.id) else {
                continue;
            };
            labels.ids[at] = Some(module.id.clone());
            let first = self.first[at];
            self.set_exact(first + 2, module.mix);
            for (value, row) in module.values.iter().zip(first + 3..) {
                self.set_exact(row, *value);
            }
        }
        *self.labels() = labels;
    }

    /// `[main]` A state has been refused; all is as it was before.
    pub(crate) fn refused(&self, why: &str) {
        *self.refusal() = Some(why.to_owned());
    }

    /// `[main]` What happened in the engine since the last call, oldest first: for a screen.
    pub fn take_reports(&self) -> Vec<String> {
        let mut desk = self.instance.desk();
        desk.as_mut().map(Desk::take_reports).unwrap_or_default()
    }

    /// `[main]` Why the last state that a host loaded was refused.
    pub fn last_refusal(&self) -> Option<String> {
        self.refusal().clone()
    }

    pub(crate) fn labels(&self) -> MutexGuard<'_, Labels> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusal(&self) -> MutexGuard<'_, Option<String>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `[main]` The value of a row as states keep it, without modulation.
    pub(crate) fn saved_value(&self, row: usize) -> ParamValue {
        match &self.host[row] {
            HostParam::Number(param) => ParamValue::F32(param.unmodulated_plain_value()),
            HostParam::Whole(param) => ParamValue::I32(param.unmodulated_plain_value()),
            HostParam::Switch(param) => ParamValue::Bool(param.unmodulated_plain_value()),
        }
    }

    /// `[main]` The position, 0 to 1, of a value that a state keeps of a row; `None` where it is no such value.
    pub(crate) fn position_of(&self, row: usize, value: &ParamValue) -> Option<f32> {
        match (&self.host[row], value) {
            (HostParam::Number(param), ParamValue::F32(value)) => {
                Some(param.preview_normalized(*value))
            }
            (HostParam::Whole(param), ParamValue::I32(value)) => {
                Some(param.preview_normalized(*value))
            }
            (HostParam::Switch(param), ParamValue::Bool(value)) => {
                Some(param.preview_normalized(*value))
            }
            _ => None,
        }
    }

    /// `[main]` Each parameter's id, address and group. The addresses hold for as long as this is there:
    /// nothing is moved or replaced.
    pub(crate) fn map(&self) -> Vec<(String, ParamPtr, String)> {
        let pointer = |param: &HostParam| match param {
            HostParam::Number(param) => param.as_ptr(),
            HostParam::Whole(param) => param.as_ptr(),
            HostParam::Switch(param) => param.as_ptr(),
        };
        let rows = self.rows.iter().zip(&self.host);
        rows.map(|(row, param)| (row.id.clone(), pointer(param), row.group.clone()))
            .collect()
    }
}

/// One row as a parameter that marks its changes.
fn host_param(rows: &Arc<[Row]>, at: usize, changed: &Arc<Changed>) -> HostParam {
    let row = &rows[at];
    let (table, structural) = (row.table, row.is_structural());
    let mark = {
        let changed = Arc::clone(changed);
        move || changed.mark(at, structural)
    };
    // Both are called by the host's own code: a panic would end its process.
    let to_text = {
        let rows = Arc::clone(rows);
        move |value: f32| shielded(|| rows[at].text(value)).unwrap_or_default()
    };
    let to_value = {
        let rows = Arc::clone(rows);
        move |text: &str| shielded(|| rows[at].value(text)).flatten()
    };
    if let Scale::Switch = table.scale {
        let mut param = BoolParam::new(&row.name, table.default > 0.5)
            .with_callback(Arc::new(move |_| mark()))
            .with_value_to_string(Arc::new(move |on| to_text(f32::from(u8::from(on)))))
            .with_string_to_value(Arc::new(move |text| to_value(text).map(|on| on > 0.5)));
        if row.target == Target::HostBypass {
            param = param.make_bypass();
        }
        if structural {
            param = param.non_automatable();
        }
        return HostParam::Switch(param);
    }
    if row.is_stepped() {
        let (min, max) = (table.min as i32, table.max as i32);
        let range = IntRange::Linear { min, max };
        let mut param = IntParam::new(&row.name, table.default as i32, range)
            .with_callback(Arc::new(move |_| mark()))
            .with_value_to_string(Arc::new(move |value| to_text(value as f32)))
            .with_string_to_value(Arc::new(move |text| {
                to_value(text).map(|value| value as i32)
            }));
        if structural {
            param = param.non_automatable();
        }
        return HostParam::Whole(param);
    }
    let range = FloatRange::Linear { min: 0.0, max: 1.0 };
    let symbol = table.unit.symbol();
    let mut param = FloatParam::new(&row.name, table.normalize(table.default), range)
        .with_unit(symbol)
        .with_callback(Arc::new(move |_| mark()))
        // The host is told the unit apart; what stands before it keeps its space, or its `k`.
        .with_value_to_string(Arc::new(move |position| {
            let text = to_text(table.denormalize(position));
            match text.strip_suffix(symbol) {
                Some(number) => number.to_owned(),
                None => text,
            }
        }))
        .with_string_to_value(Arc::new(move |text| {
            to_value(text).map(|value| table.normalize(value))
        }));
    if structural {
        param = param.non_automatable();
    }
    HostParam::Number(param)
}
