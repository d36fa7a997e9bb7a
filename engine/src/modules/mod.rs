//! The effects, one a file. A new one is one file, one line in [`ALL`] and its tests.

use crate::module::Kind;

pub mod compressor;
mod delay;
mod eq;
mod filter;
mod gain;

/// Every built-in kind, in the order in which people are shown them.
pub static ALL: &[&Kind] = &[
    &gain::KIND,
    &filter::KIND,
    &eq::KIND,
    &compressor::KIND,
    &delay::KIND,
];
