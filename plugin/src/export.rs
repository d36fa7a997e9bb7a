//! What a CLAP host looks for in the library, and the addresses of parameters that nice-plug is given.
#![allow(unsafe_code)]

use std::collections::BTreeMap;

use nice_plug::prelude::{ParamPtr, Params};

use crate::edition::Clap;
use crate::parameters::Parameters;
use crate::plugin::Headroom;
use crate::shield::shielded;
use crate::state;

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

nice_plug::nice_export_clap!(Headroom<Clap>);
