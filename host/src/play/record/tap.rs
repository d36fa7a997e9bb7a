//! From the output callback to the disk's thread: a ring of frames, and a list of what is missing in it.
//!
//! The output and what came in stand in one ring, frame by frame, so that the two files can never come
//! apart. When the ring is full, frames are dropped and counted, and the gap is noted with its place and
//! length: the disk's thread puts silence there, and time stays right.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;

use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use crate::memory::ring_place;

/// What the ring holds, in seconds: a disk that stalls for as long drops nothing.
pub(super) const RING_SECS: f64 = 10.0;
/// After a gap the ring must have so much room before it goes on, in seconds: a disk that is too slow
/// makes few long gaps and not many short ones.
const RESUME_SECS: f64 = 0.5;
/// Gaps that may wait. Between two of them lies as much sound as [`RESUME_SECS`] takes, so that the ring
/// holds far fewer than that.
const GAPS: usize = 64;
/// No end has been set yet.
const OPEN_END: u64 = u64::MAX;

/// The few words between the callback, the disk's thread and the main thread. All count frames since
/// the recording began.
#[derive(Debug)]
pub(super) struct Words {
    /// Frames of the programme so far, dropped ones included. Writer: callback; Release, so that whoever
    /// reads it finds these frames in the ring.
    offered_frames: AtomicU64,
    /// Of which dropped. Writer: callback. Relaxed: a statistic.
    dropped_frames: AtomicU64,
    /// The first frame that is no longer part of it. Writers: main thread, disk's thread. Release, with
    /// Acquire in the disk's thread, which then sees all that was offered before.
    end_frames: AtomicU64,
    /// Where the ring of frames is, and the list of gaps.
    rings: [Place; 2],
}

impl Words {
    /// `[main]` Lists the memory between the two threads.
    pub(super) fn list(&self, map: &mut MemoryMap) {
        let recorder = || Owner::Program("recorder");
        map.add_heap(recorder(), "frames", Sort::Ring, self.rings[0]);
        map.add_heap(recorder(), "gaps", Sort::Ring, self.rings[1]);
        map.add_heap(recorder(), "words", Sort::Cells, Place::at(self, 1));
    }

    /// `[any]` Frames recorded so far, gaps included.
    pub(super) fn offered_frames(&self) -> u64 {
        self.offered_frames.load(Acquire)
    }

    /// `[any]` Frames that found no room.
    pub(super) fn dropped_frames(&self) -> u64 {
        self.dropped_frames.load(Relaxed)
    }

    /// `[any]` The recording ends with what has been offered up to now. The first end stands.
    pub(super) fn end(&self) {
        let now = self.offered_frames();
        let _first_stands = self
            .end_frames
            .compare_exchange(OPEN_END, now, Release, Relaxed);
    }

    fn end_frames(&self) -> u64 {
        self.end_frames.load(Acquire)
    }

    fn has_ended(&self) -> bool {
        self.end_frames.load(Relaxed) != OPEN_END
    }
}

/// Frames that are missing, from one on.
#[derive(Debug, Clone, Copy)]
struct Gap {
    at_frame: u64,
    frames: u64,
}

/// The callback's end.
pub(in crate::play) struct Tap {
    ring: Producer<f32>,
    gaps: Producer<Gap>,
    words: Arc<Words>,
    /// What came in, until what goes out is known; for a recording of both.
    dry: Option<[Vec<f32>; 2]>,
    offered_frames: u64,
    gap_frames: u64,
    resume_frames: usize,
}

/// The disk's end.
pub(super) struct Spool {
    ring: Consumer<f32>,
    gaps: Consumer<Gap>,
    words: Arc<Words>,
    with_dry: bool,
    /// Frames handed on so far, silence included.
    position: u64,
}

/// Samples in one frame of the ring.
const fn width(with_dry: bool) -> usize {
    if with_dry { 4 } else { 2 }
}

/// `[main]` Makes both ends, for pieces of at most `max_piece_frames`. Every page of the ring has been
/// touched: the callback is not the first.
pub(super) fn tap(
    with_dry: bool,
    sample_rate_hz: u32,
    max_piece_frames: usize,
) -> (Tap, Spool, Arc<Words>) {
    let frames = |secs: f64| (secs * f64::from(sample_rate_hz)).ceil() as usize;
    // A piece that is only half in when the disk stalls still fits.
    let capacity = (frames(RING_SECS) + max_piece_frames) * width(with_dry);
    let (mut ring_in, mut ring_out) = RingBuffer::new(capacity);
    let ring = ring_place(&mut ring_in);
    if let Ok(room) = ring_in.write_chunk_uninit(capacity) {
        room.fill_from_iter(std::iter::repeat(0.0));
    }
    if let Ok(silence) = ring_out.read_chunk(capacity) {
        silence.commit_all();
    }
    let (mut gaps_in, mut gaps_out) = RingBuffer::new(GAPS);
    let gap_ring = ring_place(&mut gaps_in);
    let nowhere = Gap {
        at_frame: 0,
        frames: 0,
    };
    while gaps_in.push(nowhere).is_ok() {}
    while gaps_out.pop().is_ok() {}
    let words = Arc::new(Words {
        offered_frames: AtomicU64::new(0),
        dropped_frames: AtomicU64::new(0),
        end_frames: AtomicU64::new(OPEN_END),
        rings: [ring, gap_ring],
    });
    let tap = Tap {
        ring: ring_in,
        gaps: gaps_in,
        words: Arc::clone(&words),
        dry: with_dry.then(|| [(); 2].map(|()| touched(max_piece_frames))),
        offered_frames: 0,
        gap_frames: 0,
        resume_frames: frames(RESUME_SECS),
    };
    let spool = Spool {
        ring: ring_out,
        gaps: gaps_out,
        words: Arc::clone(&words),
        with_dry,
        position: 0,
    };
    (tap, spool, words)
}

/// Silence on pages that have been written to.
fn touched(frames: usize) -> Vec<f32> {
    let mut samples = vec![1.0; frames];
    std::hint::black_box(&mut samples).fill(0.0);
    samples
}

impl Tap {
    /// `[audio]` Whether nobody wants more of it.
    pub(in crate::play) fn is_over(&self) -> bool {
        self.words.has_ended()
    }

    /// `[audio]` Keeps what goes into the rack, which works in place.
    pub(in crate::play) fn keep_dry(&mut self, left: &[f32], right: &[f32]) {
        if let Some([dry_left, dry_right]) = &mut self.dry {
            dry_left[..left.len()].copy_from_slice(left);
            dry_right[..right.len()].copy_from_slice(right);
        }
    }

    /// `[audio]` Records one piece of the output, and what was kept. Never waits: what finds no room is
    /// dropped and counted.
    pub(in crate::play) fn push(&mut self, left: &[f32], right: &[f32]) {
        let width = width(self.dry.is_some());
        let frames = left.len();
        let mut room_frames = self.ring.slots() / width;
        if self.gap_frames > 0 {
            let gap = Gap {
                at_frame: self.offered_frames - self.gap_frames,
                frames: self.gap_frames,
            };
            // Before the frames behind it, so that whoever sees those sees the gap.
            if room_frames >= self.resume_frames && self.gaps.push(gap).is_ok() {
                self.gap_frames = 0;
            } else {
                room_frames = 0;
            }
        }
        let taken = frames.min(room_frames);
        if let Ok(room) = self.ring.write_chunk_uninit(taken * width) {
            let output = left.iter().zip(right);
            match &self.dry {
                None => room.fill_from_iter(output.flat_map(|(left, right)| [*left, *right])),
                Some([dry_left, dry_right]) => {
                    let dry = dry_left.iter().zip(dry_right);
                    let frames =
                        output
                            .zip(dry)
                            .flat_map(|((left, right), (dry_left, dry_right))| {
                                [*left, *right, *dry_left, *dry_right]
                            });
                    room.fill_from_iter(frames)
                }
            };
        }
        let dropped = (frames - taken) as u64;
        if dropped > 0 {
            self.gap_frames += dropped;
            self.words.dropped_frames.fetch_add(dropped, Relaxed);
        }
        self.offered_frames += frames as u64;
        self.words
            .offered_frames
            .store(self.offered_frames, Release);
    }
}

/// What the disk's thread finds next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// So many frames, as many as have come or as there is room for.
    Frames(usize),
    /// Nothing has come yet.
    Nothing,
    /// Nothing will come any more.
    End,
}

/// Frames on their way to the disk, planar: the output's two channels, then those of what came in; empty
/// where that is not recorded.
pub(super) struct Planes(pub(super) [[Vec<f32>; 2]; 2]);

impl Planes {
    pub(super) fn new(with_dry: bool, frames: usize) -> Self {
        let dry_frames = if with_dry { frames } else { 0 };
        Self([frames, dry_frames].map(|frames| [(); 2].map(|()| vec![0.0; frames])))
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        let all = self.0.iter_mut().flatten();
        all.filter(|plane| !plane.is_empty())
    }

    fn silence(&mut self, frames: usize) {
        self.all().for_each(|plane| plane[..frames].fill(0.0));
    }
}

impl Spool {
    /// `[main]` The disk's thread takes the next frames, `most` at most.
    pub(super) fn next(&mut self, planes: &mut Planes, most: usize) -> Next {
        if self.ring.is_abandoned() {
            // Nothing more will come, and the callback's last stores are in sight.
            self.words.end();
        }
        // The end first, then the ring, then the gaps: each is seen with all that came before it.
        let end_frames = self.words.end_frames();
        let left_frames = end_frames.saturating_sub(self.position);
        if left_frames == 0 {
            return Next::End;
        }
        let held = self.ring.slots() / width(self.with_dry);
        let gap = self.gaps.peek().ok().copied();
        let most = at_most(left_frames, most);
        let frames = match gap {
            Some(gap) if gap.at_frame <= self.position => {
                let missing = gap.at_frame + gap.frames - self.position;
                let frames = at_most(missing, most);
                if frames as u64 == missing {
                    // It was there a moment ago, and nobody else takes from it.
                    let _gap = self.gaps.pop();
                }
                planes.silence(frames);
                frames
            }
            // All that was offered is in sight: the rest was dropped, and nothing came behind it.
            None if held == 0 && end_frames != OPEN_END => {
                planes.silence(most);
                most
            }
            gap => {
                let until_gap = gap.map_or(u64::MAX, |gap| gap.at_frame - self.position);
                self.take(planes, at_most(until_gap, most.min(held)))
            }
        };
        if frames == 0 {
            return Next::Nothing;
        }
        self.position += frames as u64;
        Next::Frames(frames)
    }

    fn take(&mut self, planes: &mut Planes, frames: usize) -> usize {
        let Ok(chunk) = self.ring.read_chunk(frames * width(self.with_dry)) else {
            return 0;
        };
        let mut samples = chunk.into_iter();
        for frame in 0..frames {
            for plane in planes.all() {
                plane[frame] = samples.next().unwrap_or(0.0);
            }
        }
        frames
    }
}

/// `[any]` The smaller of the two.
fn at_most(frames: u64, most: usize) -> usize {
    usize::try_from(frames).unwrap_or(usize::MAX).min(most)
}
