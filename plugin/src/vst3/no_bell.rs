//! Where a system has a main thread of its own, hosts give no way there.

use std::sync::Weak;

use nice_plug::wrapper::vst3::vst3::{ComRef, Interface};

use super::link::Link;

/// None.
pub(super) struct Bell;

impl Bell {
    pub(super) fn hang<I: Interface>(_: &ComRef<'_, I>, _: Weak<Link>) -> Option<Self> {
        None
    }

    pub(super) fn ring(&self) {}
}
