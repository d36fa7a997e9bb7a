//! `headroom watch`, `headroom health` and `headroom memory --running`: a look at a running program.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use headroom_ipc::Client;
use headroom_ipc::Description;
use headroom_ipc::HealthInfo;
use headroom_ipc::MeterSpan;
use headroom_ipc::State;
use serde::Serialize;

use super::Which;
use super::description;
use super::wait_for;
use crate::cli::ListArgs;
use crate::error::HostError;
use crate::memory::grouped;
use crate::report::print;
use crate::report::print_json;
use crate::table;

/// The options of `watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// One JSON object a line, and no picture
    #[arg(long)]
    pub json: bool,
    /// Between two looks, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub every: u64,
    /// End after so many looks
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Go on with the next program when this one ends
    #[arg(long)]
    pub follow: bool,
}

/// One look, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Seen<'a> {
    pid: u32,
    state: &'static str,
    rack: &'a str,
    tempo_bpm: f64,
    frames: Option<u64>,
    master: Option<Levels>,
    modules: Vec<ModuleSeen<'a>>,
    health: Option<HealthSeen>,
    messages: &'a [String],
}

#[derive(Debug, Serialize)]
struct ModuleSeen<'a> {
    id: &'a str,
    kind: &'a str,
    levels: Option<Levels>,
    values: Vec<(&'a str, f32, String)>,
}

/// Since the look before, in dBFS; `null` is silence.
#[derive(Debug, Serialize)]
struct Levels {
    peak_dbfs: [Option<f32>; 2],
    rms_dbfs: [Option<f32>; 2],
    reduction_db: f32,
}

#[derive(Debug, Serialize)]
struct HealthSeen {
    blocks: u64,
    allocations: u64,
    deallocations: u64,
    xruns: u64,
    faults: [u64; 2],
    block_p50_ns: u64,
    block_p99_ns: u64,
    block_max_ns: u64,
    deadline_ns: u64,
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Playing => "playing",
        State::NotCalled => "the device does not call",
        State::Stalled => "the program stands still",
        State::Gone => "ended",
    }
}

fn decibels(linear: f32) -> Option<f32> {
    (linear > 0.0).then(|| 20.0 * linear.log10())
}

fn levels(lane: &headroom_ipc::Lane) -> Levels {
    Levels {
        peak_dbfs: lane.peak.map(decibels),
        rms_dbfs: lane.mean_square.map(|square| decibels(square.sqrt())),
        reduction_db: lane.reduction_db,
    }
}

/// `[main]` Shows meters, parameters and health until the program ends, or Ctrl-C.
///
/// # Errors
///
/// There is no program, or standard output is closed.
pub fn watch(args: &WatchArgs, which: Which) -> Result<(), HostError> {
    let mut client = which.attach()?;
    description(&mut client)?;
    let pause = Duration::from_millis(args.every);
    let mut looks = 0;
    let mut lines_before = 0;
    // The first look is of what came since we attached: a moment later there is something.
    std::thread::sleep(pause.min(Duration::from_millis(100)));
    loop {
        let state = client.state();
        if state == State::Gone {
            if !args.follow {
                eprintln!("headroom: the program has ended");
                return Ok(());
            }
            eprintln!("headroom: the program has ended: waiting for the next");
            client = next_program(which);
            continue;
        }
        let span = client.meters();
        let Some(description) = client.description() else {
            continue;
        };
        let health = client.health();
        if args.json {
            print_json(
                &seen(
                    &client,
                    state,
                    &description,
                    span.as_ref(),
                    health.as_deref(),
                ),
                false,
            )?;
        } else {
            let lines = picture(
                &client,
                state,
                &description,
                span.as_ref(),
                health.as_deref(),
            );
            let mut text = String::new();
            if std::io::stdout().is_terminal() && lines_before > 0 {
                text = format!("\x1b[{lines_before}A\x1b[J");
            }
            lines_before = lines.len();
            text.push_str(&lines.join("\n"));
            text.push('\n');
            print(&text, false)?;
        }
        looks += 1;
        if args.count.is_some_and(|count| looks >= count) {
            return Ok(());
        }
        std::thread::sleep(pause);
    }
}

/// Waits for a program, for as long as it takes.
fn next_program(which: Which) -> Client {
    loop {
        if let Ok(client) = which.attach() {
            return client;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn seen<'a>(
    client: &Client,
    state: State,
    description: &'a Description,
    span: Option<&MeterSpan>,
    health: Option<&'a HealthInfo>,
) -> Seen<'a> {
    let modules = description.modules.iter().map(|module| {
        let kind = description.kind_of(module);
        let params = kind.map(|kind| kind.params.as_slice()).unwrap_or_default();
        let own = ["bypass", "mix"].into_iter().enumerate();
        let rows = params.iter().map(|param| param.id.as_str()).enumerate();
        let places = own
            .map(|(at, id)| (module.bypass_value() + at, id))
            .chain(rows.map(|(at, id)| (module.param_value(at), id)));
        ModuleSeen {
            id: &module.id,
            kind: kind.map(|kind| kind.id.as_str()).unwrap_or_default(),
            levels: span.and_then(|span| span.frame.lane(usize::from(module.lane)).map(levels)),
            values: places
                .filter_map(|(place, id)| {
                    let value = client.value(place)?;
                    Some((id, value.value, value.text))
                })
                .collect(),
        }
    });
    Seen {
        pid: client.pid(),
        state: state_word(state),
        rack: &description.rack,
        tempo_bpm: description.tempo_bpm,
        frames: span.map(|span| span.frame.to),
        master: span.map(|span| levels(&span.frame.master)),
        modules: modules.collect(),
        health: health.map(|health| HealthSeen {
            blocks: health.blocks,
            allocations: health.allocations,
            deallocations: health.deallocations,
            xruns: health.xruns,
            faults: health.faults,
            block_p50_ns: health.block_p50_ns,
            block_p99_ns: health.block_p99_ns,
            block_max_ns: health.block_max_ns,
            deadline_ns: health.deadline_ns,
        }),
        messages: health
            .map(|health| health.messages.as_slice())
            .unwrap_or_default(),
    }
}

/// Columns of a level.
const BAR: usize = 30;
const FLOOR_DB: f32 = -60.0;

fn bar(lane: &headroom_ipc::Lane) -> String {
    let peak = lane.peak[0].max(lane.peak[1]);
    let square = lane.mean_square[0].max(lane.mean_square[1]);
    let reach = |linear: f32| {
        let db = decibels(linear).unwrap_or(FLOOR_DB);
        (((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0) * BAR as f32).round() as usize
    };
    let (rms, peak_at) = (reach(square.sqrt()), reach(peak));
    let cells = (0..BAR).map(|at| match at {
        at if at < rms => '█',
        at if at < peak_at => '▒',
        _ => '·',
    });
    let text = decibels(peak).map_or_else(|| "-inf".to_owned(), |db| format!("{db:.1}"));
    format!("{} {text:>6}", cells.collect::<String>())
}

fn picture(
    client: &Client,
    state: State,
    description: &Description,
    span: Option<&MeterSpan>,
    health: Option<&HealthInfo>,
) -> Vec<String> {
    let device = &description.device;
    let mut lines = vec![format!(
        "{} (process {})  {}  {} {} Hz, block {}",
        description.rack,
        client.pid(),
        state_word(state),
        device.backend,
        device.sample_rate_hz,
        device.block_frames,
    )];
    let silent = headroom_ipc::Lane::default();
    for module in &description.modules {
        let lane = span.and_then(|span| span.frame.lane(usize::from(module.lane)));
        let lane = lane.unwrap_or(&silent);
        let is_bypassed = client
            .value(module.bypass_value())
            .is_some_and(|value| value.value > 0.5);
        let reduction = if lane.reduction_db > 0.05 {
            format!("  -{:.1} dB", lane.reduction_db)
        } else {
            String::new()
        };
        let bypass = if is_bypassed { "  bypassed" } else { "" };
        lines.push(format!(
            "  {:<14} {}{reduction}{bypass}",
            module.id,
            bar(lane)
        ));
    }
    let master = span.map_or(&silent, |span| &span.frame.master);
    lines.push(format!("  {:<14} {}", "MASTER", bar(master)));
    if let Some(health) = health {
        lines.push(format!(
            "  blocks p50 {:.1} p99 {:.1} max {:.1} us of {:.0} us   allocs {} frees {} xruns {} faults {}",
            health.block_p50_ns as f64 / 1e3,
            health.block_p99_ns as f64 / 1e3,
            health.block_max_ns as f64 / 1e3,
            health.deadline_ns as f64 / 1e3,
            health.allocations,
            health.deallocations,
            health.xruns,
            health.faults[0] + health.faults[1],
        ));
    }
    lines
}

/// `[main]` Prints the health of a running program, whole.
///
/// # Errors
///
/// There is no program, or standard output is closed.
pub fn health(args: &ListArgs, which: Which) -> Result<(), HostError> {
    let mut client = which.attach()?;
    let health = wait_for(&mut client, Client::health)?;
    if args.json {
        return print_json(&*health, false);
    }
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    row("blocks", health.blocks.to_string());
    row("seconds", format!("{:.1}", health.seconds));
    row(
        "block times",
        format!(
            "p50 {:.1} us, p99 {:.1} us, max {:.1} us of {:.0} us",
            health.block_p50_ns as f64 / 1e3,
            health.block_p99_ns as f64 / 1e3,
            health.block_max_ns as f64 / 1e3,
            health.deadline_ns as f64 / 1e3
        ),
    );
    row("over the deadline", health.over_deadline.to_string());
    row("xruns", health.xruns.to_string());
    row("input gaps", health.input_gaps.to_string());
    row("allocations", health.allocations.to_string());
    row("frees", health.deallocations.to_string());
    row(
        "page faults",
        format!("{} minor, {} major", health.faults[0], health.faults[1]),
    );
    row(
        "context switches",
        format!(
            "{} of its own, {} forced",
            health.switches[0], health.switches[1]
        ),
    );
    if let Some(calls) = health.system_calls {
        row("system calls", calls.to_string());
    }
    row("panics", health.panics.to_string());
    row(
        "inputs that were no number",
        health.non_finite_inputs.to_string(),
    );
    row("blocks with denormals", health.flushed_blocks.to_string());
    for (id, not_finite, flushed) in &health.slots {
        row(
            &format!("  {id}"),
            format!("{not_finite} chunks not finite, {flushed} flushed"),
        );
    }
    if let Some((used, limit)) = health.stack {
        row(
            "stack",
            format!(
                "{} of {} bytes",
                grouped(used as usize),
                grouped(limit as usize)
            ),
        );
    }
    for mark in &health.marks {
        row(
            &mark.name,
            format!("at most {} of {}", mark.most, mark.room),
        );
    }
    row(
        "given back",
        format!("{} bytes", grouped(health.collected_bytes as usize)),
    );
    row(
        "left and ringing",
        format!("{} bytes", grouped(health.retired_bytes as usize)),
    );
    row(
        "real-time",
        if health.realtime { "yes" } else { "no" }.to_owned(),
    );
    row(
        "locked",
        if health.locked { "yes" } else { "no" }.to_owned(),
    );
    row("reconnects", health.reconnects.to_string());
    if let Some(violation) = &health.violation {
        row("first violation", violation.clone());
    }
    print(&table::columns(&rows), false)
}

/// `[main]` Prints where the memory of a running program is.
///
/// # Errors
///
/// There is no program, or standard output is closed.
pub fn memory(which: Which, json: bool) -> Result<(), HostError> {
    let mut client = which.attach()?;
    let memory = wait_for(&mut client, Client::memory)?;
    if json {
        return print_json(&*memory, false);
    }
    let mut rows: Vec<[String; 5]> = Vec::new();
    for part in &memory.parts {
        let names = ["locked", "huge", "prefaulted", "shared"]
            .iter()
            .enumerate();
        let pages: Vec<&str> = names
            .filter(|(bit, _)| part.pages & (1 << bit) != 0)
            .map(|(_, name)| *name)
            .collect();
        let indent = if part.inside { "  " } else { "" };
        rows.push([
            part.owner.clone(),
            format!("{indent}{} {}", part.sort, part.name),
            format!("{:#x}", part.address),
            grouped(part.bytes as usize),
            pages.join(" "),
        ]);
    }
    let mut text = table::columns(&rows);
    text.push_str(&format!(
        "\n{} bytes in all; the process holds {} in memory\n",
        grouped(memory.bytes as usize),
        grouped(memory.resident_bytes as usize)
    ));
    print(&text, false)
}
