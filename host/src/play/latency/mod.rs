//! `headroom devices --latency`: how long sound takes from the output through a cable and the input back.

mod correlate;
mod probe;

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use clap::Args;
use clap::Parser;
use headroom_engine::ModuleSpec;
use headroom_engine::RackSpec;
use headroom_engine::units::gain_to_db;
use rtrb::Consumer;
use serde::Serialize;

use super::args::PlayArgs;
use super::attempt;
use super::attempt::Open;
use super::backend::BackendChoice;
use super::error::PlayError;
use super::rights;
use crate::error::HostError;
use crate::presets::Origin;
use crate::report::print;
use crate::report::print_json;

/// How long the end of the run may be waited for beyond its length.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks at what has come.
const LOOK: Duration = Duration::from_millis(20);
/// Frames that may wait to be looked at: a second at the highest rate there is.
const RING_FRAMES: usize = 384_000;
/// From this confidence on nobody is told to doubt.
const SURE: f64 = 0.5;

/// The options of `headroom devices --latency`.
#[derive(Debug, Clone, Args)]
pub struct LatencyArgs {
    /// Measure the round trip: plays a noise for 0.7 s and listens for it (connect output to input)
    #[arg(long)]
    pub latency: bool,

    /// Audio system to measure [default: the first that works]
    #[arg(long, value_enum, value_name = "NAME", requires = "latency")]
    pub backend: Option<BackendChoice>,

    /// Device to listen to
    #[arg(long, value_name = "NAME", requires = "latency")]
    pub input_device: Option<String>,

    /// Device to play on
    #[arg(long, value_name = "NAME", requires = "latency")]
    pub output_device: Option<String>,

    /// Channels to listen to, counted from 1 [default: the first two]
    #[arg(long, value_name = "N[,N]", requires = "latency")]
    pub inputs: Option<String>,

    /// Channels to play on, counted from 1 [default: the first two]
    #[arg(long, value_name = "N[,N]", requires = "latency")]
    pub outputs: Option<String>,

    /// Sample rate in Hz [default: the device's own]
    #[arg(
        long,
        value_name = "HZ",
        allow_negative_numbers = true,
        requires = "latency"
    )]
    pub rate: Option<i64>,

    /// Frames in each device block [default: the device's own, or 256]
    #[arg(
        long,
        value_name = "FRAMES",
        allow_negative_numbers = true,
        requires = "latency"
    )]
    pub block: Option<i64>,
}

/// What was measured; what `--json` prints.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoundTrip {
    /// The audio system.
    pub backend: &'static str,
    /// What played.
    pub output_device: String,
    /// What listened.
    pub input_device: String,
    /// Rate of the output in Hz.
    pub sample_rate_hz: u32,
    /// Frames of the device's block.
    pub block_frames: u32,
    /// Frames from a sample given to the output to the same sample given to the rack; a rack's own latency
    /// comes on top.
    pub latency_frames: usize,
    /// The same in milliseconds.
    pub latency_ms: f64,
    /// How far the match stands out of the next best: 1 without a doubt.
    pub confidence: f64,
    /// How loud the signal came back, in dB.
    pub gain_db: f32,
    /// Whether it came back upside down.
    pub inverted: bool,
    /// Gaps from the noise on: with any, measure again.
    pub gaps: u64,
}

/// A command line without words: the options of `play` as they are when nothing is typed.
#[derive(Debug, Parser)]
struct Nothing {
    #[command(flatten)]
    play: PlayArgs,
}

/// `[main]` Measures and prints.
///
/// # Errors
///
/// The device cannot be opened, has no input, or nothing comes back.
pub(crate) fn run(args: &LatencyArgs, json: bool) -> Result<(), HostError> {
    let measured = measure(args)?;
    if json {
        print_json(&measured, false)
    } else {
        print(&format!("{measured}\n"), false)
    }
}

fn measure(args: &LatencyArgs) -> Result<RoundTrip, PlayError> {
    let total_secs = probe::LEAD_SECS + probe::NOISE_SECS + probe::LONGEST_SECS;
    let args = PlayArgs {
        backend: args.backend,
        input_device: args.input_device.clone(),
        output_device: args.output_device.clone(),
        inputs: args.inputs.clone(),
        outputs: args.outputs.clone(),
        rate: args.rate,
        block: args.block,
        seconds: Some(total_secs + 0.1),
        fresh: true,
        ..Nothing::parse_from(["headroom"]).play
    };
    let spec = RackSpec {
        modules: vec![ModuleSpec::new(&probe::KIND)],
        ..RackSpec::default()
    };
    let plan = attempt::Plan {
        args: &args,
        numbers: args.numbers()?,
        spec: &spec,
        // Nothing is saved, and nothing moves it.
        origin: &Origin::BuiltIn("latency"),
        midi: None,
        publishers: None,
    };
    let heard = probe::prepare(RING_FRAMES);
    rights::raise_limits();
    let mut open = attempt::open(&plan)?;
    let Some(input) = open.facts.input.clone() else {
        return Err(PlayError::NoInput {
            backend: open.facts.backend,
            output: open.facts.output.clone(),
        });
    };
    eprintln!(
        "headroom: warning: in {} s a noise at {:.0} dBFS comes out of `{}`, for {} s: turn the speakers down, or \
         connect it to the input of `{input}`",
        probe::LEAD_SECS,
        gain_to_db(probe::LEVEL),
        open.facts.output,
        probe::NOISE_SECS,
    );
    let (heard, gaps) = listen(&mut open, heard, total_secs)?;
    judge(&open, &heard, gaps, input)
}

/// Plays, and takes what comes in, from the first frame of the noise on, and the gaps since then: one in the
/// silence before it moves nothing that is measured.
fn listen(
    open: &mut Open,
    mut from: Consumer<probe::Heard>,
    total_secs: f64,
) -> Result<(Vec<f32>, u64), PlayError> {
    let rate_hz = open.facts.sample_rate_hz;
    let lead_frames = probe::frames(probe::LEAD_SECS, rate_hz) as u64;
    let mut heard = vec![0.0; probe::frames(total_secs - probe::LEAD_SECS, rate_hz)];
    let start = Instant::now();
    let mut gaps_before = 0;
    open.shared.run();
    loop {
        let finished = open.shared.finished();
        let gaps = open.shared.input_gaps() + open.shared.xruns();
        // Read after the gaps: what they counted lies before this frame.
        if open.shared.frames.load(Relaxed) < lead_frames {
            gaps_before = gaps;
        }
        // The priming block counts from 0 as well, and is overwritten by what comes after it.
        while let Ok((at, sample)) = from.pop() {
            let index = at.checked_sub(lead_frames).map(|at| at as usize);
            if let Some(place) = index.and_then(|index| heard.get_mut(index)) {
                *place = sample;
            }
        }
        if finished {
            return Ok((heard, gaps - gaps_before));
        }
        let late = start.elapsed() > Duration::from_secs_f64(total_secs) + PATIENCE;
        if late || open.shared.lost().is_some() {
            return Err(PlayError::DeviceLost {
                backend: open.facts.backend,
                reason: "the device stopped",
                seconds: start.elapsed().as_secs_f64(),
            });
        }
        for event in open.controller.reports() {
            eprintln!("headroom: {event}");
        }
        std::thread::sleep(LOOK);
    }
}

fn judge(open: &Open, heard: &[f32], gaps: u64, input: String) -> Result<RoundTrip, PlayError> {
    let facts = &open.facts;
    let rate_hz = facts.sample_rate_hz;
    let noise_frames = probe::frames(probe::NOISE_SECS, rate_hz);
    let noise: Vec<f32> = (0..noise_frames).map(probe::noise(noise_frames)).collect();
    let longest_frames = probe::frames(probe::LONGEST_SECS, rate_hz);
    let Some(found) = correlate::find(&noise, heard, longest_frames) else {
        let loudest = heard
            .iter()
            .fold(0.0, |most: f32, heard| most.max(heard.abs()));
        return Err(PlayError::NothingBack {
            output: facts.output.clone(),
            input,
            heard: match loudest > 0.0 {
                true => format!("{:.0} dBFS of something else", gain_to_db(loudest)),
                false => "silence".to_owned(),
            },
        });
    };
    Ok(RoundTrip {
        backend: facts.backend.name(),
        output_device: facts.output.clone(),
        input_device: input,
        sample_rate_hz: rate_hz,
        block_frames: open.block_frames,
        latency_frames: found.delay_frames,
        latency_ms: found.delay_frames as f64 * 1e3 / f64::from(rate_hz),
        confidence: found.confidence,
        gain_db: gain_to_db(found.gain.abs() as f32),
        inverted: found.gain < 0.0,
        gaps,
    })
}

impl fmt::Display for RoundTrip {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "round trip {} frames = {:.2} ms on {} ({} Hz, block {}), confidence {:.0} %\n{} > {}: {:+.1} dB{}",
            self.latency_frames,
            self.latency_ms,
            self.backend,
            self.sample_rate_hz,
            self.block_frames,
            self.confidence * 100.0,
            self.output_device,
            self.input_device,
            self.gain_db,
            if self.inverted { ", upside down" } else { "" },
        )?;
        if self.gaps > 0 {
            write!(
                to,
                "\nthe sound was interrupted {} times: measure again",
                self.gaps
            )?;
        } else if self.confidence < SURE {
            write!(
                to,
                "\nanother delay fits nearly as well: use a cable, or less reverberation"
            )?;
        }
        Ok(())
    }
}
