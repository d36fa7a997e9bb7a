//! `headroom render`: a file through a rack into a file, as fast as it goes.

mod ends;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use headroom_engine::offline::{self, RenderError, Tail};
use headroom_engine::{Catalog, Memory, Stream};

use crate::audio_file::{Layout, Reader, SampleFormat, Target, Writer, remove_unfinished};
use crate::error::HostError;
use crate::presets;
use crate::progress::Progress;
use crate::report::{self, AudioThread, BlockNs, Remarks, RenderReport};
use crate::tempo::TempoArgs;

use ends::{FileSink, FileSource};

/// What stands for standard input and standard output.
const STANDARD_STREAM: &str = "-";

/// The longest tail that can be asked for, in seconds.
const MAX_TAIL_SECS: f64 = 3_600.0;

/// What a shell says of a program that Ctrl-C ended.
const EXIT_INTERRUPTED: i32 = 130;

/// Names that ask for a format that is not written.
const OTHER_FORMATS: [&str; 10] = [
    "aac", "aif", "aiff", "caf", "flac", "m4a", "mp3", "ogg", "opus", "w64",
];

/// The options of `headroom render`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  headroom render take.wav take-voice.wav --preset voice
  headroom render loop.flac loop.wav --preset my-drums.toml --format s24 --tail 2
  ffmpeg -i film.mkv -ac 2 -f wav - | headroom render - - --preset voice | aplay")]
pub struct RenderArgs {
    /// Audio file to read: WAV, FLAC, MP3, OGG or AIFF, mono or stereo; `-` is standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// WAV file to write (RF64 from 4 GiB up), at the rate of IN; `-` is standard output
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// A preset file, or the name of a preset (see `headroom presets`)
    #[arg(long, value_name = "FILE|NAME", default_value = presets::USUAL)]
    pub preset: String,

    /// Frames in a block, 1 to 8192; the sound does not depend on it
    #[arg(
        long,
        value_name = "FRAMES",
        default_value_t = 512,
        allow_negative_numbers = true
    )]
    pub block: i64,

    /// What it goes by.
    #[command(flatten)]
    pub tempo: TempoArgs,

    /// How long to go on after the end of IN: `auto` is until -90 dBFS for 1 s, 60 s at most
    #[arg(
        long,
        value_name = "auto|SECONDS",
        default_value = "auto",
        allow_hyphen_values = true
    )]
    pub tail: String,

    /// How samples are stored; the integer formats are dithered
    #[arg(long, value_enum, default_value_t = Format::F32)]
    pub format: Format,

    /// End with one JSON object: on standard output, or on standard error when OUT is `-`
    #[arg(long)]
    pub json: bool,
}

/// How samples are stored, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// 32-bit float
    F32,
    /// 24-bit integers
    S24,
    /// 16-bit integers
    S16,
}

impl From<Format> for SampleFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::F32 => Self::F32,
            Format::S24 => Self::S24,
            Format::S16 => Self::S16,
        }
    }
}

/// `[main]` Renders.
///
/// # Errors
/// Anything about the options, the preset, the input or the output; then there is nothing new under the
/// output's name.
pub fn run(args: &RenderArgs) -> Result<(), HostError> {
    let block_frames = block_frames(args.block)?;
    let tail = tail(&args.tail)?;
    let tempo = args.tempo.checked()?;
    let target = target(args)?;
    let catalog = Catalog::builtin();
    let spec = presets::find(Some(&args.preset), &catalog)?;

    let is_stdin = args.input.as_os_str() == STANDARD_STREAM;
    let reader = if is_stdin {
        Reader::stdin()?
    } else {
        Reader::open(&args.input)?
    };
    let sample_rate_hz = reader.sample_rate_hz();
    let stream = Stream::new(sample_rate_hz, block_frames, reader.channels())?;

    ctrlc::set_handler(|| remove_unfinished(EXIT_INTERRUPTED))?;
    let layout = Layout {
        channels: reader.channels(),
        sample_rate_hz,
        format: args.format.into(),
    };
    let expected_frames = match tail {
        Tail::Secs(secs) => reader
            .length_frames()
            .map(|frames| frames + stream.frames(secs) as u64),
        _ => None,
    };
    let input = if is_stdin {
        stdin_file()
    } else {
        Some(args.input.clone())
    };
    let writer = Writer::create(&target, input.as_deref(), layout, expected_frames)?;

    let progress = Progress::new(reader.length_frames(), sample_rate_hz);
    let mut source = FileSource::new(reader, progress);
    let mut sink = FileSink::new(writer);
    let rendered = offline::render(
        stream,
        &spec,
        &Memory::default(),
        tempo,
        tail,
        |channels| source.read(channels),
        |channels| sink.write(channels),
    )
    .map_err(|error| match error {
        RenderError::Open(error) => HostError::Open(error),
        RenderError::Stream(error) => error,
    })?;
    let (input_peak, damaged_packets) = source.finish();
    let written = sink.finish()?;

    let seconds = written.frames as f64 / f64::from(sample_rate_hz);
    let health = &rendered.health;
    let report = RenderReport {
        frames: written.frames,
        sample_rate_hz,
        seconds,
        realtime_factor: seconds / rendered.elapsed_secs.max(f64::MIN_POSITIVE),
        latency_frames: rendered.latency_frames,
        peak_dbfs: report::dbfs(rendered.peak),
        audio_thread: AudioThread {
            allocations: health.allocations,
            deallocations: health.deallocations,
            system_calls: None,
            blocks: health.blocks,
            block_ns: BlockNs {
                p50: health.block_ns.p50,
                p99: health.block_ns.p99,
                max: health.block_ns.max,
            },
            stack: None,
            minor_faults: rendered.faults.minor,
            major_faults: rendered.faults.major,
        },
    };
    let remarks = Remarks {
        preset: spec.name.clone(),
        block_frames,
        input_peak_dbfs: report::dbfs(input_peak),
        clipped_samples: written.clipped_samples,
        damaged_packets,
    };
    let reports = rendered.reports.iter().map(ToString::to_string);
    for warning in remarks.warnings().into_iter().chain(reports) {
        report::print(&format!("headroom: warning: {warning}\n"), true)?;
    }
    let is_aside = target == Target::Stdout;
    if args.json {
        return report::print_json(&report, is_aside);
    }
    let name = if is_aside {
        "standard output".to_owned()
    } else {
        args.output.display().to_string()
    };
    report::print(&report.summary(&name, &remarks), is_aside)
}

/// What `--block` takes, wherever no device has a say in it.
pub(crate) fn block_frames(given: i64) -> Result<usize, HostError> {
    let range = 1..=Stream::MAX_BLOCK_FRAMES;
    usize::try_from(given)
        .ok()
        .filter(|frames| range.contains(frames))
        .ok_or_else(|| HostError::Option {
            option: "--block",
            given: given.to_string(),
            expected: format!("{} to {} frames", range.start(), range.end()),
        })
}

fn tail(given: &str) -> Result<Tail, HostError> {
    if given == "auto" {
        return Ok(Tail::Auto);
    }
    let secs = given
        .parse::<f64>()
        .ok()
        .filter(|secs| (0.0..=MAX_TAIL_SECS).contains(secs));
    secs.map(Tail::Secs).ok_or_else(|| HostError::Option {
        option: "--tail",
        given: given.to_owned(),
        expected: format!("`auto`, or 0 to {MAX_TAIL_SECS} seconds"),
    })
}

fn target(args: &RenderArgs) -> Result<Target, HostError> {
    if args.output.as_os_str() == STANDARD_STREAM {
        return Ok(Target::Stdout);
    }
    if names_other_format(&args.output) {
        return Err(HostError::NotWav {
            given: args.output.display().to_string(),
        });
    }
    Ok(Target::File(args.output.clone()))
}

/// `[any]` Whether a file's name asks for a format that is not written.
pub(crate) fn names_other_format(path: &Path) -> bool {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| OTHER_FORMATS.contains(&extension.as_str()))
}

/// The file that standard input was redirected from, where the system can tell: it must not be the output.
fn stdin_file() -> Option<PathBuf> {
    cfg!(unix).then(|| PathBuf::from("/dev/stdin"))
}
