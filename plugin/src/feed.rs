//! The audio thread's side of one engine: changed parameters become events.

use headroom_engine::processor::Processor;
use headroom_engine::{Change, Event, SlotKey, Stream, Tempo};
use headroom_ipc::Publisher;
use rtrb::{Consumer, Producer};

use crate::desk::Layout;
use crate::parameters::Parameters;
use crate::rows::Target;

/// A strip that has been empty for so long has nothing that rings: the engine cuts off at 60 s.
const RINGS_SECS: f64 = 61.0;
/// Above this the output sounds: -90 dBFS.
const SILENCE: f32 = 3.162e-5;
/// For so long it must have been silent at least.
const SILENT_SECS: f64 = 0.1;

/// What a block left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rings {
    /// Silence in is silence out from here on.
    No,
    /// More sound may come without any input.
    Yes,
}

/// Publishers on their way to the audio thread, and those that it has done with.
pub(crate) struct Line {
    pub(crate) publishers: Consumer<Option<Publisher>>,
    pub(crate) returned: Producer<Publisher>,
}

/// Turns changed parameters into events, and takes new layouts.
pub(crate) struct Feed {
    layout: Box<Layout>,
    layouts: Consumer<Box<Layout>>,
    returned: Producer<Box<Layout>>,
    line: Line,
    /// An editor is open: the engine is never left out, so that its levels are seen.
    is_shown: bool,
    /// Room for one event a row.
    events: Vec<Event>,
    /// Frames since the strip is empty, and since the output is silent.
    empty_frames: usize,
    silent_frames: usize,
    rings_frames: usize,
    least_silent_frames: usize,
}

impl Feed {
    /// `[main]` For an engine that was opened with `layout`.
    pub(crate) fn new(
        parameters: &Parameters,
        stream: Stream,
        layout: Box<Layout>,
        layouts: Consumer<Box<Layout>>,
        returned: Producer<Box<Layout>>,
        line: Line,
    ) -> Self {
        let rings_frames = stream.frames(RINGS_SECS);
        Self {
            // And one for the tempo.
            events: Vec::with_capacity(2 * parameters.rows().len() + 1),
            // Nothing has sounded yet.
            empty_frames: rings_frames,
            silent_frames: 0,
            rings_frames,
            least_silent_frames: stream.frames(SILENT_SECS),
            layout,
            layouts,
            returned,
            line,
            is_shown: false,
        }
    }

    /// `[audio]` One block in place, beside what the host gives to follow: a key, and a tempo, which holds from
    /// the block's first frame on. Without one that of before holds.
    pub(crate) fn run(
        &mut self,
        processor: &mut Processor,
        parameters: &Parameters,
        channels: &mut [&mut [f32]],
        key: &[&[f32]],
        tempo: Option<Tempo>,
    ) -> Rings {
        self.show(processor);
        self.gather(parameters);
        if let Some(tempo) = tempo.filter(|tempo| *tempo != processor.tempo()) {
            let change = Change::Tempo(tempo);
            self.events.push(Event { frame: 0, change });
        }
        let frames = channels.first().map_or(0, |channel| channel.len());
        if !self.layout.is_empty {
            self.empty_frames = 0;
        } else if self.empty_frames >= self.rings_frames && !self.is_shown {
            // Nothing is in and nothing rings: what comes in goes out.
            make_finite(channels);
            return Rings::No;
        } else {
            self.empty_frames = self.empty_frames.saturating_add(frames);
        }
        processor.process_keyed(channels, key, &self.events);
        if is_loud(channels) {
            self.silent_frames = 0;
            return Rings::Yes;
        }
        self.silent_frames = self.silent_frames.saturating_add(frames);
        let enough = processor.quiet_frames().max(self.least_silent_frames);
        if self.silent_frames >= enough {
            Rings::No
        } else {
            Rings::Yes
        }
    }

    /// `[audio]` Ends all that moves and forgets all sound; frames are counted from here.
    pub(crate) fn reset(&mut self, processor: &mut Processor, parameters: &Parameters) {
        self.gather(parameters);
        processor.process(&mut [], &self.events);
        processor.reset();
        self.silent_frames = 0;
        if self.layout.is_empty {
            self.empty_frames = self.rings_frames;
        }
    }

    /// `[audio]` Takes the publisher of an editor that was opened, or gives up that of one that was closed.
    fn show(&mut self, processor: &mut Processor) {
        while let Ok(publisher) = self.line.publishers.pop() {
            self.is_shown = publisher.is_some();
            if let Some(old) = processor.publish_to(publisher)
                && let Err(rtrb::PushError::Full(old)) = self.line.returned.push(old)
            {
                // To leak is better than to free here. There is room: as many as are sent fit.
                std::mem::forget(old);
            }
        }
    }

    fn gather(&mut self, parameters: &Parameters) {
        let mut all = false;
        self.events.clear();
        while let Ok(layout) = self.layouts.pop() {
            let old = std::mem::replace(&mut self.layout, layout);
            all = true;
            // There is room: as many as there are fit.
            if let Err(rtrb::PushError::Full(old)) = self.returned.push(old) {
                // To leak is better than to free here.
                std::mem::forget(old);
            }
        }
        let changed = parameters.changed();
        let again = changed.must_say_again();
        let (layout, events) = (&mut *self.layout, &mut self.events);
        let mut bypass = all || again;
        changed.take(|row| {
            bypass |= row == 0;
            if !(all || again) {
                tell(layout, events, parameters, row, false);
            }
        });
        if all || again {
            for row in 0..layout.slots.len() {
                tell(layout, events, parameters, row, again);
            }
        } else if bypass {
            for row in 0..layout.slots.len() {
                if matches!(parameters.rows()[row].target, Target::Bypass(_)) {
                    tell(layout, events, parameters, row, false);
                }
            }
        }
    }
}

/// Puts a row's value among the events if its slot does not stand there already.
fn tell(
    layout: &mut Layout,
    events: &mut Vec<Event>,
    parameters: &Parameters,
    row: usize,
    again: bool,
) {
    let Some(slot) = layout.slots[row] else {
        return;
    };
    let Some((value, change)) = change(parameters, slot, row) else {
        return;
    };
    if (layout.told[row] != value || again) && events.len() + 1 < events.capacity() {
        layout.told[row] = value;
        events.push(Event { frame: 0, change });
    }
}

/// The value of a row and the change that says it; `None` for what is built and not told.
fn change(parameters: &Parameters, slot: SlotKey, row: usize) -> Option<(f32, Change)> {
    let rows = parameters.rows();
    if rows[row].is_structural() {
        return None;
    }
    let value = parameters.value(row);
    Some(match rows[row].target {
        Target::HostBypass | Target::Place(_) => return None,
        Target::Bypass(_) => {
            // The host's bypass is every module's: each passes its input by at its own latency.
            let on = value > 0.5 || parameters.value(0) > 0.5;
            (f32::from(u8::from(on)), Change::Bypass { slot, on })
        }
        Target::Mix(_) => (value, Change::Mix { slot, value }),
        Target::Value(_, param) => {
            let index = param as u16;
            (value, Change::Param { slot, index, value })
        }
    })
}

/// Whether a sample is above silence. Loud sound answers with its first.
fn is_loud(channels: &[&mut [f32]]) -> bool {
    channels.iter().any(|channel| {
        let mut chunks = channel.chunks(32);
        chunks.any(|chunk| {
            let loud = |any, sample: &f32| any | (sample.abs() > SILENCE);
            chunk.iter().fold(false, loud)
        })
    })
}

/// Puts 0 for what is not finite.
fn make_finite(channels: &mut [&mut [f32]]) {
    const EXPONENT: u32 = 0x7f80_0000;
    for channel in channels {
        let is_bad = |sample: &f32| sample.to_bits() & EXPONENT == EXPONENT;
        if channel
            .iter()
            .fold(false, |any, sample| any | is_bad(sample))
        {
            for sample in channel.iter_mut().filter(|sample| is_bad(sample)) {
                *sample = 0.0;
            }
        }
    }
}
