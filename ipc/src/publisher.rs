//! The audio thread's end: levels and sound into shared memory, while somebody looks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::meters::{Gathered, MeterFrame};
use crate::region::Region;
use crate::segment::Segment;
use crate::sound::Place;
use crate::wide::CHUNK_FRAMES;

/// Who looks. Writer: the server, on the main thread; reader: the audio thread. Relaxed: a look that begins
/// a block later is no harm.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) watchers: AtomicU32,
    pub(crate) listeners: AtomicU32,
    /// There is a publisher; one at a time.
    taken: AtomicBool,
}

/// The one writer of meters and sound. It belongs to the audio thread, never waits, and writes nothing while
/// nobody looks. Drop it anywhere but on the audio thread.
pub struct Publisher {
    region: Segment<Region>,
    gate: Arc<Gate>,
    gathered: Gathered,
    frame: Box<MeterFrame>,
    before: Place,
    after: Place,
    publication_frames: usize,
}

/// Where publishers come from, for whoever builds an audio thread; cheap to clone.
#[derive(Clone)]
pub struct Publishers {
    pub(crate) region: Segment<Region>,
    pub(crate) gate: Arc<Gate>,
}

impl Publishers {
    /// `[main]` The audio thread's end; `None` while there is one.
    pub fn take(&self) -> Option<Publisher> {
        Publisher::new(&self.region, &self.gate)
    }
}

impl Publisher {
    /// `[main]` `None` while there is one already.
    pub(crate) fn new(region: &Segment<Region>, gate: &Arc<Gate>) -> Option<Self> {
        // Acquire: with the Release of the one before, whose writes must be seen.
        if gate.taken.swap(true, Ordering::Acquire) {
            return None;
        }
        Some(Self {
            gathered: Gathered::behind(&region.meters),
            frame: Box::default(),
            before: region.before.behind(),
            after: region.after.behind(),
            publication_frames: 512,
            region: region.clone(),
            gate: Arc::clone(gate),
        })
    }

    /// `[main]` For sound of this rate: meters are published every 512 frames, at higher rates every 1,024
    /// and so on, so that it is always about a hundred times a second.
    pub fn set_sample_rate_hz(&mut self, sample_rate_hz: u32) {
        let doublings = (f64::from(sample_rate_hz.max(1)) / 50_000.0).log2().ceil();
        self.publication_frames = 512 << doublings.clamp(0.0, 6.0) as u32;
        let pulse = &self.region.pulse;
        pulse
            .publication_frames
            .store(self.publication_frames as u32, Ordering::Relaxed);
        pulse
            .sample_rate_hz
            .store(sample_rate_hz, Ordering::Relaxed);
    }

    /// `[any]` Frames from one publication to the next.
    pub fn publication_frames(&self) -> usize {
        self.publication_frames
    }

    /// `[audio]` Whether anybody looks at the meters.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.gate.watchers.load(Ordering::Relaxed) != 0
    }

    /// `[audio]` Whether anybody wants sound.
    #[inline]
    pub fn is_listened_to(&self) -> bool {
        self.gate.listeners.load(Ordering::Relaxed) != 0
    }

    /// `[audio]` Publishes levels: `fill` sets those of the rack and of its slots in an empty frame.
    pub fn publish(&mut self, to: u64, fill: impl FnOnce(&mut MeterFrame)) {
        self.frame.clear();
        fill(&mut self.frame);
        self.frame.to = to;
        self.gathered.push(&self.region.meters, &self.frame);
    }

    /// `[audio]` What goes into the rack. Both channels have the same length.
    #[inline]
    pub fn before(&mut self, left: &[f32], right: &[f32]) {
        self.region.before.write(&mut self.before, left, right);
    }

    /// `[audio]` What came out.
    #[inline]
    pub fn after(&mut self, left: &[f32], right: &[f32]) {
        self.region.after.write(&mut self.after, left, right);
    }

    /// `[audio]` What is written next stands at `position` of the stream, not behind what was written last, as
    /// when nobody listened for a time: both rings go on side by side, so far on that a whole chunk of the
    /// stream lies in one piece.
    pub fn align(&mut self, position: u64) {
        let whole = CHUNK_FRAMES as u64;
        let written = self.before.at.max(self.after.at);
        // What was written may have been any number, where another process can write it.
        let next = written.checked_next_multiple_of(whole).unwrap_or(0);
        self.before = Place::at(next.wrapping_add(position % whole));
        self.after = self.before;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // Release: with the Acquire in `new`.
        self.gate.taken.store(false, Ordering::Release);
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}
