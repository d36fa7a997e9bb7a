//! The program `headroom`: plays, renders and lists.

pub mod audio_file;
pub mod cli;
pub mod client;
pub mod devices;
pub mod doctor;
pub mod error;
pub mod memory;
pub mod midi;
pub mod modules;
pub mod play;
pub mod presets;
pub mod progress;
pub mod remembered;
pub mod render;
pub mod report;
mod sync;
pub mod table;
pub mod tempo;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// Counts what the audio thread allocates or frees, and lets the sound go on.
#[cfg(feature = "stage")]
#[global_allocator]
static ALLOCATOR: headroom_engine::realtime::StageAllocator =
    headroom_engine::realtime::StageAllocator;

/// Ends the program at the first allocation of the audio thread.
#[cfg(not(feature = "stage"))]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

fn main() -> ExitCode {
    headroom_engine::realtime::install_panic_hook();
    let cli = Cli::parse();
    let which = client::Which(cli.pid);
    let outcome = match cli.command {
        Command::Play(args) => play::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Modules(args) => modules::run(&args),
        Command::Presets(args) => presets::run(&args),
        Command::Memory(args) => memory::run(&args, which),
        Command::Watch(args) => client::watch(&args, which),
        Command::Gui => client::gui(which),
        Command::Health(args) => client::health(&args, which),
        Command::Order(order) => client::order(&order, which),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() || error.is_told() => ExitCode::FAILURE,
        Err(error) => {
            // When even this cannot be written there is nobody to tell.
            let _ = writeln!(io::stderr(), "headroom: {}", error::one_line(&error));
            ExitCode::FAILURE
        }
    }
}
