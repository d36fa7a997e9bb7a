//! Which row a host means by a number, and how the row is set.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::prelude::ParamPtr;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ParamID;

use crate::parameters::Parameters;

/// No number.
const NOTHING: u32 = u32::MAX;

/// All rows, by the numbers that hosts know them by.
pub(super) struct Table {
    /// In the rows' order.
    ids: Box<[ParamID]>,
    addresses: Box<[ParamPtr]>,
    /// By number: for the audio thread, which finds a row in a few steps.
    sorted: Box<[(ParamID, u16)]>,
    by_address: HashMap<ParamPtr, u16>,
    /// Where the host has put each row by itself while it plays, as bits: that is what it is told until a block
    /// moves the row, which it does at its frame. Writers: whoever sets a row; Relaxed, each for itself.
    said: Box<[AtomicU32]>,
    parameters: Arc<Parameters>,
}

impl Table {
    /// `[main]` Of these parameters, whose numbers are these, in the rows' order.
    pub(super) fn new(parameters: Arc<Parameters>, ids: Vec<ParamID>) -> Self {
        let addresses: Vec<_> = parameters.map().into_iter().map(|(_, it, _)| it).collect();
        debug_assert_eq!(ids.len(), addresses.len());
        let mut sorted: Vec<_> = ids.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        Self {
            ids: ids.into(),
            by_address: addresses.iter().copied().zip(0..).collect(),
            said: addresses.iter().map(|_| AtomicU32::new(NOTHING)).collect(),
            addresses: addresses.into(),
            sorted: sorted.into(),
            parameters,
        }
    }

    pub(super) fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// `[any]` How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// `[any]` The row of a number.
    pub(super) fn row(&self, id: ParamID) -> Option<u16> {
        let at = self.sorted.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.sorted[at].1)
    }

    /// `[main]` The number of a row.
    pub(super) fn id(&self, row: u16) -> ParamID {
        self.ids[usize::from(row)]
    }

    /// `[main]` The row at an address, and its number.
    pub(super) fn at(&self, address: ParamPtr) -> Option<(u16, ParamID)> {
        let row = *self.by_address.get(&address)?;
        Some((row, self.id(row)))
    }

    /// `[any]` Sets a row to a position, 0 to 1; what is no number does nothing.
    pub(super) fn set(&self, row: u16, position: f32) {
        if !position.is_finite() {
            return;
        }
        let address = self.addresses[usize::from(row)];
        let position = position.clamp(0.0, 1.0);
        self.said[usize::from(row)].store(NOTHING, Ordering::Relaxed);
        // SAFETY: the address is one of `parameters`, which lives as long as this and moves nothing. What is
        // behind it is set by atomics.
        unsafe { address._internal_set_normalized_value(position) };
    }

    /// `[main]` The host says where a row stands; what plays hears of it with a block.
    pub(super) fn say(&self, row: u16, position: f32) {
        if position.is_finite() {
            let bits = position.clamp(0.0, 1.0).to_bits();
            self.said[usize::from(row)].store(bits, Ordering::Relaxed);
        }
    }

    /// `[main]` What the host has said of a row that nothing has moved since.
    pub(super) fn said(&self, row: u16) -> Option<f32> {
        let bits = self.said[usize::from(row)].load(Ordering::Relaxed);
        (bits != NOTHING).then(|| f32::from_bits(bits))
    }

    /// `[main]` A state has been set: what was said before counts no more.
    pub(super) fn forget(&self) {
        for said in &self.said {
            said.store(NOTHING, Ordering::Relaxed);
        }
    }
}
