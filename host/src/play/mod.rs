//! `headroom play`: a rack on an audio device.
//!
//! | file | holds |
//! | --- | --- |
//! | `args` | the command line, checked |
//! | `backend` | what a device is to us; the order in which audio systems are tried |
//! | `lookup` | which devices there are, what they are called, what they run at |
//! | `cpal_device`, `null` | real devices, and the clock that stands in for one |
//! | `jack_device`, `jack_client`, `jack_ports`, `jack_server` | JACK, by a client of our own |
//! | `attempt` | from a backend to a running device with a rack on it, or why not |
//! | `routing` | which channels of a device are used |
//! | `recall` | what an earlier run leaves to this one |
//! | `rights`, `priority` | scheduling and locked memory: what is taken, and what is said of it |
//! | `player` | the output callback, the same for every device |
//! | `lease` | who has the player: the device's callback, or the main thread while there is no device |
//! | `bridge`, `source` | where its frames come from: the input callback, or a file's reader thread |
//! | `inlet`, `direct`, `steered` | the two ways through the bridge: exact by one clock, resampled between two |
//! | `pace`, `trend`, `retimer` | how fast another clock runs, how that is seen, and the resampler |
//! | `record` | what is played and what came in, into files |
//! | `pedal` | signals that press the panic button |
//! | `shared` | the words between the audio threads and the main thread |
//! | `session` | the main thread while playing: keys, signals, housekeeping, the end |
//! | `setlist` | the presets of a show, one after the other |
//! | `live_memory` | the memory map of what plays |
//! | `health` | what is always counted, for the panel and the report |
//! | `stack` | how deep the audio thread's stack has been |
//! | `reconnect` | a device that was lost, until it is back |
//! | `latency` | the measurement of the round trip |
//! | `terminal`, `panel` | the live panel |
//! | `report`, `trap` | what is said at the end; of system calls, where they are watched |

mod args;
mod attempt;
pub(crate) mod backend;
mod bridge;
mod cpal_device;
mod direct;
mod error;
mod health;
mod inlet;
#[cfg(feature = "jack")]
pub(crate) mod jack_client;
#[cfg(feature = "jack")]
mod jack_device;
#[cfg(feature = "jack")]
pub(crate) mod jack_ports;
#[cfg(feature = "jack")]
pub(crate) mod jack_server;
pub(crate) mod latency;
mod lease;
mod live_memory;
pub(crate) mod lookup;
mod null;
mod pace;
mod panel;
mod pedal;
mod player;
mod priority;
pub(crate) mod quiet;
mod recall;
mod reconnect;
mod record;
mod report;
mod retimer;
mod rights;
pub(crate) mod routing;
mod session;
mod setlist;
mod shared;
mod source;
mod stack;
mod steered;
mod terminal;
mod trap;
mod trend;

use headroom_engine::Catalog;
use headroom_engine::realtime::install_system_call_trap;

use crate::error::HostError;
use crate::midi;
use crate::presets;
use headroom_ipc::Backing;
use headroom_ipc::Server;

use crate::report::print;
use crate::report::print_json;

use self::recall::Recall;
use self::session::remote::Remote;
use self::setlist::Setlist;

pub use self::args::PlayArgs;
pub use self::backend::Backend;
pub use self::backend::BackendChoice;
pub use self::error::PlayError;
pub use self::latency::LatencyArgs;
pub(crate) use self::priority::PRIORITY;
pub use self::report::PlayReport;
pub(crate) use self::rights::try_realtime;

/// `[main]` Plays until the programme is over, a key or a signal ends it, or the device goes away.
///
/// Messages go to standard error, the report to standard output.
///
/// # Errors
///
/// The preset cannot be used, or anything in [`PlayError`]; a device that is lost, or a file that
/// turns out damaged, still gives its report first.
pub fn run(args: &PlayArgs) -> Result<(), HostError> {
    args.numbers()?;
    let recall = Recall::new(args.fresh);
    let args = &recall.fill_in(args);
    let numbers = args.numbers()?;
    let catalog = Catalog::builtin();
    let setlist = args
        .setlist
        .iter()
        .map(|name| presets::locate(Some(name.trim()), &catalog))
        .collect::<Result<Vec<_>, _>>()?;
    let found = match setlist.first() {
        Some(first) => first.clone(),
        None => presets::locate(args.preset.as_deref(), &catalog)
            .map_err(|error| recall::explain_preset(error, args))?,
    };
    let midi =
        midi::Setup::find(args.midi.as_deref(), args.midi_map.as_ref()).map_err(PlayError::from)?;
    // Sound does not need it: what is in the way of clients is said, and that is all.
    let server = Server::open(Backing::default());
    if let Err(error) = &server {
        eprintln!("headroom: warning: no screen and no command can reach this program: {error}");
    }
    let server = server.ok();
    let plan = attempt::Plan {
        args,
        numbers,
        spec: &found.spec,
        origin: &found.origin,
        midi: midi.as_ref(),
        publishers: server.as_ref().map(Server::publishers),
    };
    // Before any device is searched: a bad file is the caller's mistake, not the device's.
    plan.check_input()?;
    record::check(args)?;
    let signals = session::Signals::listen()?;
    if args.trap {
        // Before the first block: a thread is watched from its second on.
        install_system_call_trap().map_err(PlayError::from)?;
    }
    // Before any audio memory is taken, so that as much as possible of it is locked.
    rights::raise_limits();
    let mut open = attempt::open(&plan).map_err(|error| recall.explain(error, args))?;
    open.recorder.start_asked(args)?;
    if let Some(line) = recall.keep(&open, args) {
        eprintln!("headroom: {line}");
    }
    let setlist = Setlist::new(setlist, args.every);
    let mut remote = server.map(Remote::new);
    if let Some(remote) = &mut remote
        && !args.no_gui
        && has_display()
        && let Err(reason) = remote.open_screen()
    {
        eprintln!("headroom: warning: no screen: {reason}");
    }
    let (report, ended) = session::run(open, &plan, setlist, &signals, remote);
    if args.json {
        print_json(&report, false)?;
    } else {
        print(&format!("{report}\n"), false)?;
        if let Some(memory) = &report.memory {
            print(&format!("\n{}", memory.text()), false)?;
        }
    }
    if args.trap {
        trap::tell(report.audio_thread.blocks);
    }
    Ok(ended?)
}

/// Whether a window could be shown.
fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
