//! Programs that people make music with, their windows open, and a hand at the mouse. They are large:
//! `cargo xtask deep hosts` installs and runs them.
#![cfg(target_os = "linux")]

#[path = "../ardour/mod.rs"]
mod ardour;
#[path = "../display/mod.rs"]
mod display;
#[path = "../host/mod.rs"]
mod host;

mod dawdreamer;
mod guest;
mod in_ardour;
mod qtractor;
