//! The screen inside a host's window, by a host of our own on a real display: what is dragged there the host
//! records and everybody hears, and however the screen ends, the sound stays what it is, to the bit.
#![cfg(target_os = "linux")]

#[path = "../display/mod.rs"]
mod display;
#[path = "../host/mod.rs"]
mod host;

mod deaths;
mod eyes;
mod hands;
mod hidden;
mod many;
mod mono;
mod open;
mod presets;
mod rack;
mod still;
