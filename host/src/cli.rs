//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::client::Order;
use crate::client::WatchArgs;
use crate::memory::MemoryArgs;
use crate::play::LatencyArgs;
use crate::play::PlayArgs;
use crate::render::RenderArgs;

/// A real-time effects rack: plays sound through it live, renders files through it, and lists what it has.
#[derive(Debug, Parser)]
#[command(
    name = "headroom",
    version,
    about,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Which running program is meant, by its process number, in place of the newest
    #[arg(
        long,
        value_name = "PID",
        global = true,
        help_heading = "Reaching a running program"
    )]
    pub pid: Option<u32>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play sound through a rack, live
    Play(Box<PlayArgs>),
    /// List the audio systems and their devices, or measure the latency of one
    Devices(DevicesArgs),
    /// Say what of this machine stands in the way of sound that is always on time
    Doctor(ListArgs),
    /// Render an audio file through a rack into a WAV file
    Render(RenderArgs),
    /// List the modules and their parameters
    Modules(ListArgs),
    /// List the presets: the built-in ones and your own
    Presets(ListArgs),
    /// Show where every byte of a rack's audio memory is
    Memory(MemoryArgs),
    /// Look at a running program: meters, parameters, health
    Watch(WatchArgs),
    /// Open a screen on a running program
    Gui,
    /// Show how the audio thread of a running program does
    Health(ListArgs),
    /// Ask a running program to do something.
    #[command(flatten)]
    Order(Order),
}

/// The options of `devices`.
#[derive(Debug, Clone, Args)]
pub struct DevicesArgs {
    /// How to list.
    #[command(flatten)]
    pub list: ListArgs,
    /// What to measure in place of listing.
    #[command(flatten)]
    pub round_trip: LatencyArgs,
}

/// The options of the commands that list.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Print one JSON array instead of a table
    #[arg(long)]
    pub json: bool,
}
