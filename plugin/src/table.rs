//! Which row a host means by a number, and what nice-plug's parameter of it answers: for both formats.
#![allow(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::ParamFlags;
use nice_plug::prelude::{ParamPtr, Params};

use crate::parameters::Parameters;
use crate::shield::shielded;
use crate::state;

/// No number.
const NOTHING: u32 = u32::MAX;

/// All rows, by the numbers that hosts know them by.
pub(crate) struct Table {
    /// In the rows' order.
    ids: Box<[u32]>,
    addresses: Box<[ParamPtr]>,
    /// Steps from a row's lowest value to its highest; 1 where there are none.
    steps: Box<[f64]>,
    /// By number: for the audio thread, which finds a row in a few steps.
    sorted: Box<[(u32, u16)]>,
    by_address: HashMap<ParamPtr, u16>,
    /// Where a VST3 host has put each row by itself while it plays, as bits: that is what it is told until a
    /// block moves the row, which it does at its frame. Writers: whoever sets a row; Relaxed, each for itself.
    said: Box<[AtomicU32]>,
    parameters: Arc<Parameters>,
}

impl Table {
    /// `[main]` Of these parameters.
    pub(crate) fn new(parameters: Arc<Parameters>) -> Self {
        let ids: Vec<_> = parameters.rows().iter().map(|row| row.number()).collect();
        let addresses: Vec<_> = parameters.map().into_iter().map(|(_, it, _)| it).collect();
        debug_assert_eq!(ids.len(), addresses.len());
        let mut sorted: Vec<_> = ids.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let steps = addresses.iter().map(|address| {
            // SAFETY: as in `address()`.
            let steps = unsafe { address.step_count() };
            steps.unwrap_or(1).max(1) as f64
        });
        Self {
            steps: steps.collect(),
            ids: ids.into(),
            by_address: addresses.iter().copied().zip(0..).collect(),
            said: addresses.iter().map(|_| AtomicU32::new(NOTHING)).collect(),
            addresses: addresses.into(),
            sorted: sorted.into(),
            parameters,
        }
    }

    pub(crate) fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// `[any]` How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// `[any]` The row of a number.
    pub(crate) fn row(&self, id: u32) -> Option<u16> {
        let at = self.sorted.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.sorted[at].1)
    }

    /// `[any]` The number of a row.
    pub(crate) fn id(&self, row: u16) -> u32 {
        self.ids[usize::from(row)]
    }

    /// `[main]` The row at an address.
    pub(crate) fn at(&self, address: ParamPtr) -> Option<u16> {
        self.by_address.get(&address).copied()
    }

    /// `[any]` Steps from a row's lowest value to its highest; 1 where there are none.
    pub(crate) fn steps(&self, row: u16) -> f64 {
        self.steps[usize::from(row)]
    }

    /// `[any]` Whether a row's values are whole numbers.
    pub(crate) fn is_stepped(&self, row: u16) -> bool {
        self.parameters.rows()[usize::from(row)].is_stepped()
    }

    /// What is behind it is one of `parameters`, which lives as long as this and moves nothing, and which is
    /// read and set by atomics: all of nice-plug's calls on it are safe.
    fn address(&self, row: u16) -> ParamPtr {
        self.addresses[usize::from(row)]
    }

    /// `[any]` Where a row stands, 0 to 1, without modulation.
    pub(crate) fn position(&self, row: u16) -> f32 {
        // SAFETY: as `address()` says.
        unsafe { self.address(row).unmodulated_normalized_value() }
    }

    /// `[any]` Where a row stands in a new strip.
    pub(crate) fn default(&self, row: u16) -> f32 {
        // SAFETY: as `address()` says.
        unsafe { self.address(row).default_normalized_value() }
    }

    /// `[any]` What a host may do with a row.
    pub(crate) fn flags(&self, row: u16) -> ParamFlags {
        // SAFETY: as `address()` says.
        unsafe { self.address(row).flags() }
    }

    /// `[main]` A position as people read it, with its unit.
    pub(crate) fn text(&self, row: u16, position: f32) -> String {
        // SAFETY: as `address()` says.
        unsafe { self.address(row).normalized_value_to_string(position, true) }
    }

    /// `[main]` The position of what people typed.
    pub(crate) fn position_of(&self, row: u16, text: &str) -> Option<f32> {
        // SAFETY: as `address()` says.
        unsafe { self.address(row).string_to_normalized_value(text) }
    }

    /// `[any]` Sets a row to a position, 0 to 1; what is no number does nothing.
    pub(crate) fn set(&self, row: u16, position: f32) {
        if !position.is_finite() {
            return;
        }
        let position = position.clamp(0.0, 1.0);
        self.said[usize::from(row)].store(NOTHING, Ordering::Relaxed);
        // SAFETY: as `address()` says.
        unsafe { self.address(row)._internal_set_normalized_value(position) };
    }

    /// `[any]` Moves what is heard of a row by so much, until it is moved by nothing.
    pub(crate) fn modulate(&self, row: u16, by: f32) {
        if by.is_finite() {
            // SAFETY: as `address()` says.
            unsafe { self.address(row)._internal_modulate_value(by) };
        }
    }

    /// `[main]` The host says where a row stands; what plays hears of it with a block.
    pub(crate) fn say(&self, row: u16, position: f32) {
        if position.is_finite() {
            let bits = position.clamp(0.0, 1.0).to_bits();
            self.said[usize::from(row)].store(bits, Ordering::Relaxed);
        }
    }

    /// `[main]` What the host has said of a row that nothing has moved since.
    pub(crate) fn said(&self, row: u16) -> Option<f32> {
        let bits = self.said[usize::from(row)].load(Ordering::Relaxed);
        (bits != NOTHING).then(|| f32::from_bits(bits))
    }

    /// `[main]` A state has been set: what was said before counts no more.
    pub(crate) fn forget(&self) {
        for said in &self.said {
            said.store(NOTHING, Ordering::Relaxed);
        }
    }
}

// SAFETY: the addresses point into boxed slices of `Parameters`, which are neither moved nor replaced
// while it is there, and nice-plug keeps the `Arc` for as long as it uses them.
unsafe impl Params for Parameters {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        self.map()
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        shielded(|| state::fields(self)).unwrap_or_default()
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        shielded(|| state::take(self, fields));
    }
}
