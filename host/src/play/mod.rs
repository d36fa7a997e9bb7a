//! `headroom play`: a rack on an audio device.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | the command line, checked |
//! | `backend` | what a device is to us; the order in which audio systems are tried |
//! | `cpal_device`, `null` | real devices, and the clock that stands in for one |
//! | `attempt` | from a backend to a running device with a rack on it, or why not |
//! | `player` | the output callback, the same for every device |
//! | `bridge`, `source` | where its frames come from: the input callback, or a file's reader thread |
//! | `shared` | the words between the audio threads and the main thread |
//! | `session` | the main thread while playing: keys, signals, housekeeping, the end |
//! | `terminal`, `panel` | the live panel |
//! | `report` | what is said at the end |

mod args;
mod attempt;
pub(crate) mod backend;
mod bridge;
pub(crate) mod cpal_device;
mod error;
mod null;
mod panel;
mod player;
mod priority;
pub(crate) mod quiet;
mod report;
mod session;
mod shared;
mod source;
mod terminal;

use std::io::Write;
use std::path::Path;

use headroom_engine::Catalog;
use headroom_engine::RackSpec;
use headroom_engine::preset;

pub use self::args::PlayArgs;
pub use self::backend::Backend;
pub use self::backend::BackendChoice;
pub use self::error::PlayError;
pub use self::report::AudioThread;
pub use self::report::BlockNs;
pub use self::report::PlayReport;

/// The preset that plays when none is named.
const USUAL_PRESET: &str = "voice";

/// [main] Plays until the programme is over, a key or a signal ends it, or the device goes away.
///
/// Messages go to standard error, the report to standard output.
///
/// # Errors
///
/// Anything in [`PlayError`]; a device that is lost, or a file that turns out damaged, still gives
/// its report first.
pub fn run(args: &PlayArgs) -> Result<(), PlayError> {
    let numbers = args.numbers()?;
    let spec = rack_of(args.preset.as_deref().unwrap_or(USUAL_PRESET))?;
    let plan = attempt::Plan { args, numbers, spec: &spec };
    // Before any device is searched: a bad file is the caller's mistake, not the device's.
    plan.check_input()?;
    let signals = session::Signals::listen()?;
    let open = attempt::open(&plan)?;
    let (report, ended) = session::run(open, args, &signals);
    print(&report, args.json)?;
    ended
}

/// [main] A built-in preset by its name, or else a file.
fn rack_of(given: &str) -> Result<RackSpec, PlayError> {
    let catalog = Catalog::builtin();
    if let Some(factory) = preset::factory().iter().find(|factory| factory.name == given) {
        return Ok(preset::parse(factory.text, factory.name, &catalog)?);
    }
    let path = Path::new(given);
    let looks_like_a_file = path.extension().is_some() || path.components().count() > 1;
    if looks_like_a_file || path.exists() {
        return Ok(preset::load(path, &catalog)?);
    }
    let names: Vec<&str> = preset::factory().iter().map(|factory| factory.name).collect();
    Err(PlayError::NoSuchPreset { given: given.to_owned(), builtin: names.join(", ") })
}

fn print(report: &PlayReport, json: bool) -> Result<(), PlayError> {
    let text = if json {
        serde_json::to_string(report).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    } else {
        report.to_string()
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|source| PlayError::System { doing: "write the report", source })
}
