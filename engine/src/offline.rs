//! Rendering without a device: the same engine, as fast as it goes, with the latency taken out and
//! the tail written.

use std::ops::Deref;
use std::time::Instant;

use thiserror::Error;

use crate::buffer::Buffer;
use crate::builder::OpenError;
use crate::controller::{Controller, Report, open};
use crate::memory::Memory;
use crate::message::{Change, Event};
use crate::meter::Measured;
use crate::preset::RackSpec;
use crate::processor::Processor;
use crate::realtime::{Health, ThreadFaults};
use crate::stream::Stream;
use crate::tempo::Tempo;
use crate::units::db_to_gain;

/// An automatic tail ends when the output stays below this, in dBFS, ...
pub const TAIL_SILENCE_DBFS: f32 = -90.0;
/// ... for this long, in seconds (or longer, if an echo of the rack can come later), ...
pub const TAIL_SILENCE_SECS: f64 = 1.0;
/// ... or after this, in seconds.
pub const TAIL_LIMIT_SECS: f64 = 60.0;

/// How much is rendered after the input has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tail {
    /// Until the output has been below -90 dBFS for 1 s and no echo can be on its way any more; what
    /// was silent is left out; at most 60 s.
    Auto,
    /// Exactly this long, in seconds.
    Secs(f64),
}

/// Why a render ended early.
#[derive(Debug, Error)]
pub enum RenderError<E> {
    /// The engine could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source or the sink failed.
    #[error(transparent)]
    Stream(E),
}

/// What a render did.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Frames written.
    pub frames: u64,
    /// Frames of these that came after the input's end.
    pub tail_frames: u64,
    /// Frames by which the rack was late, and which were taken out.
    pub latency_frames: usize,
    /// Highest sample written, linear.
    pub peak: f32,
    /// Wall-clock time of it all, in seconds.
    pub elapsed_secs: f64,
    /// What the engine counted.
    pub health: Health,
    /// Page faults inside [`Processor::process`] after the priming block.
    pub faults: ThreadFaults,
    /// What happened in the engine.
    pub reports: Vec<Report>,
}

/// `[main]` Renders a whole stream through `spec` at one tempo, block by block (the stream's largest).
///
/// `read` fills the channels it is given and returns how many frames it had; fewer than asked for,
/// or 0, means that the input has ended. `write` takes the output in order: one slice a channel.
/// The output is aligned with the input: the rack's latency is taken out.
pub fn render<E>(
    stream: Stream,
    spec: &RackSpec,
    memory: &Memory,
    tempo: Tempo,
    tail: Tail,
    mut read: impl FnMut(&mut [&mut [f32]]) -> Result<usize, E>,
    write: impl FnMut(&[&[f32]]) -> Result<(), E>,
) -> Result<Rendered, RenderError<E>> {
    let started = Instant::now();
    let (mut controller, mut processor) = open(stream, spec, memory)?;
    let latency_frames = controller.latency_frames();
    let block_frames = stream.max_block_frames();
    let mut buffers: Vec<_> = (0..stream.channels())
        .map(|_| Buffer::silent(block_frames))
        .collect();
    let mut output = Output::new(stream, latency_frames, write);
    let mut faults = ThreadFaults::default();
    let mut reports = Vec::new();

    // The priming block takes no input here: nothing is lost.
    let change = Change::Tempo(tempo);
    processor.process(&mut [], &[Event { frame: 0, change }]);

    let mut ended = false;
    let mut remaining: Option<u64> = None;
    while remaining != Some(0) {
        let mut frames = block_frames;
        if !ended {
            let mut views: Vec<&mut [f32]> =
                buffers.iter_mut().map(|buffer| &mut **buffer).collect();
            let got = read(&mut views).map_err(RenderError::Stream)?;
            output.input_frames += got.min(block_frames) as u64;
            if got < block_frames {
                ended = true;
                remaining = Some(output.still_to_come(tail));
                frames = got;
            }
        } else {
            frames = remaining.map_or(frames, |left| frames.min(left as usize));
            buffers
                .iter_mut()
                .for_each(|buffer| buffer[..frames].fill(0.0));
            remaining = remaining.map(|left| left - frames as u64);
        }
        if frames > 0 {
            run(&mut processor, &mut buffers, frames, &mut faults);
        }
        output
            .take(&buffers, frames, ended && tail == Tail::Auto)
            .map_err(RenderError::Stream)?;
        if ended && tail == Tail::Auto && output.is_silent(processor.quiet_frames()) {
            break;
        }
        drain(&mut controller, &mut reports);
    }
    drain(&mut controller, &mut reports);
    Ok(Rendered {
        frames: output.written_frames,
        tail_frames: output.written_frames.saturating_sub(output.input_frames),
        latency_frames,
        peak: output.peak,
        elapsed_secs: started.elapsed().as_secs_f64(),
        health: controller.health(),
        faults,
        reports,
    })
}

fn drain(controller: &mut Controller, reports: &mut Vec<Report>) {
    // The first of each is enough to say what went wrong; the counters have the rest.
    for report in controller.reports() {
        if !reports.contains(&report) {
            reports.push(report);
        }
    }
}

fn run(
    processor: &mut Processor,
    buffers: &mut [Buffer],
    frames: usize,
    faults: &mut ThreadFaults,
) {
    let mut views: [&mut [f32]; 2] = [&mut [], &mut []];
    let count = buffers.len().min(2);
    for (view, buffer) in views.iter_mut().zip(buffers) {
        *view = &mut buffer[..frames];
    }
    let before = ThreadFaults::of_this_thread();
    processor.process(&mut views[..count], &[]);
    let during = ThreadFaults::of_this_thread().since(before);
    faults.minor += during.minor;
    faults.major += during.major;
}

/// Takes the latency out, and holds silence back until it is known whether sound follows.
struct Output<W> {
    write: W,
    skip_frames: usize,
    input_frames: u64,
    written_frames: u64,
    peak: f32,
    /// Silence after the input's end that has not been written.
    held: Vec<Vec<f32>>,
    silence_frames: usize,
    limit_frames: u64,
    latency_frames: usize,
    stream: Stream,
}

impl<W, E> Output<W>
where
    W: FnMut(&[&[f32]]) -> Result<(), E>,
{
    fn new(stream: Stream, latency_frames: usize, write: W) -> Self {
        Self {
            write,
            skip_frames: latency_frames,
            input_frames: 0,
            written_frames: 0,
            peak: 0.0,
            held: vec![Vec::new(); stream.channels()],
            silence_frames: stream.frames(TAIL_SILENCE_SECS),
            limit_frames: stream.frames(TAIL_LIMIT_SECS) as u64,
            latency_frames,
            stream,
        }
    }

    /// Frames to run at most after the input's last one.
    fn still_to_come(&self, tail: Tail) -> u64 {
        let tail_frames = match tail {
            Tail::Auto => self.limit_frames,
            Tail::Secs(secs) => self.stream.frames(secs) as u64,
        };
        tail_frames + self.latency_frames as u64
    }

    fn take(&mut self, buffers: &[Buffer], frames: usize, hold: bool) -> Result<(), E> {
        let skip = self.skip_frames.min(frames);
        self.skip_frames -= skip;
        let mut at = skip;
        // Up to the input's length everything is written as it comes.
        let mut body = frames - at;
        if hold {
            let left = self.input_frames.saturating_sub(self.written_frames);
            body = usize::try_from(left).map_or(body, |left| body.min(left));
        }
        self.put(buffers, at, at + body)?;
        at += body;
        if at == frames {
            return Ok(());
        }
        let silence = db_to_gain(TAIL_SILENCE_DBFS);
        let last_loud = (at..frames)
            .rev()
            .find(|&i| buffers.iter().any(|buffer| buffer[i].abs() >= silence));
        if let Some(last) = last_loud {
            self.release()?;
            self.put(buffers, at, last + 1)?;
            at = last + 1;
        }
        for (held, buffer) in self.held.iter_mut().zip(buffers) {
            held.extend_from_slice(&buffer[at..frames]);
        }
        Ok(())
    }

    /// Whether it has been silent for long enough, and no echo can be on its way any more.
    fn is_silent(&self, quiet_frames: usize) -> bool {
        self.held[0].len() >= self.silence_frames.max(quiet_frames)
    }

    fn release(&mut self) -> Result<(), E> {
        let held = std::mem::take(&mut self.held);
        let result = self.put(&held, 0, held[0].len());
        self.held = held;
        self.held.iter_mut().for_each(Vec::clear);
        result
    }

    fn put<B>(&mut self, buffers: &[B], from: usize, to: usize) -> Result<(), E>
    where
        B: Deref<Target = [f32]>,
    {
        if from == to {
            return Ok(());
        }
        let views: Vec<&[f32]> = buffers.iter().map(|buffer| &buffer[from..to]).collect();
        for view in &views {
            let mut measured = Measured::SILENT;
            measured.set_channels(view, None);
            self.peak = self.peak.max(measured.peak[0]);
        }
        self.written_frames += (to - from) as u64;
        (self.write)(&views)
    }
}
