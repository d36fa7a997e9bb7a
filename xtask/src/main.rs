//! The commands people type: `cargo xtask demo`, `test`, `check`, `bench`, `deep`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod arrows;
mod bench;
mod bundle;
mod canvas;
mod check;
mod deaths;
mod deep;
mod demo;
mod error;
mod font;
mod fuzz;
mod hosts;
mod instructions;
mod loop_music;
mod loop_room;
mod loop_singer;
mod loop_voices;
mod models;
mod native_pipewire;
mod packages;
mod passed;
mod peers;
mod picture;
mod python;
mod races;
mod report;
mod sanitizer;
mod screen_cost;
mod shell;
mod shown;
mod soak_picture;
mod stage;
mod suite;
mod table;
mod under_wine;
mod valgrind;
mod wave;

/// Headroom's tasks. Each installs what it needs, prints every command that it runs, and can be run
/// again at any time.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Play and render two bars of music through the voice and drum-bus presets
    ///
    /// Installs what building takes, builds the program, plays on the first audio device that works
    /// (on none at all: a null device in real time), renders, and leaves audio, reports and
    /// pictures in target/demo/.
    Demo(demo::Options),
    /// Run all checks and all tests
    ///
    /// Installs audio servers, players and a Python with the references first; then checks,
    /// documentation tests, and the tests, whose summary comes last.
    Test(suite::Options),
    /// Run formatting, import rules, clippy and documentation checks
    Check {
        /// Only these checks (may be given more than once); all if none is given
        #[arg(long, value_enum)]
        only: Vec<check::Check>,
    },
    /// Build the plugin and lay it out as hosts expect it, the screen's program beside it
    ///
    /// The bundles are left in target/bundled/; with --install also where hosts look for them.
    Bundle(bundle::Options),
    /// Measure what each module and preset costs
    ///
    /// Time per stereo frame by criterion at four block sizes, instructions per stereo frame by
    /// callgrind, and with --peers a comparison with pedalboard in the same run. Tables and figures
    /// are left in target/bench/.
    Bench(bench::Options),
    /// Run the long checks: a day of audio, sanitizers, the fuzzer, Valgrind
    ///
    /// In stages of half an hour at most. A stage that passed for the present commit is not run
    /// again. What they leave is in target/deep/.
    Deep(deep::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => suite::run(&options),
        Task::Check { only } => check::run(&only),
        Task::Bundle(options) => bundle::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Deep(options) => deep::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
