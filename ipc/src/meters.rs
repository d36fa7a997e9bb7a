//! The meter ring: levels, from the audio thread to any number of readers, and no peak is ever lost.
//!
//! The newest frames stand in a ring. Beside it stands a pyramid: each of its levels keeps the maxima of
//! sixteen entries of the level below. A reader that last looked at frame *a* adds up the interval from *a*
//! to now out of the largest pieces that are whole, so it gets the exact maximum in a bounded number of
//! steps, whether it was away for a tenth of a second or for an hour.
//!
//! The writer never waits and reads nothing that another process could have written. Each entry is a
//! sequence lock: odd while it is written, and twice its number when it is whole, so that a reader sees at
//! once that an entry is torn or has been written anew.

use crate::sync::{AtomicU32, AtomicU64, Ordering, acquire, acquire_fence, release, release_fence};

/// Slots whose levels fit a meter frame.
pub const MAX_LANES: usize = 64;
/// Entries of the lowest level: more than ten seconds.
pub const NEWEST: usize = 1024;
/// Entries of each level above: twice sixteen, so that what a reader still needs is not yet overwritten.
pub const ABOVE: usize = 32;
/// Levels above the lowest.
pub const LEVELS: usize = 5;
/// Entries that make one of the level above.
pub const RADIX: u64 = 16;
/// Words of one lane: peak of two channels, mean square of two channels, reduction.
const LANE_WORDS: usize = 5;
/// Words of a frame beside its lanes: the sound's frame number and which lanes there are, in halves.
const HEAD_WORDS: usize = 4;
/// Words of a whole frame: the rack's own lane comes first.
const WORDS: usize = HEAD_WORDS + LANE_WORDS * (MAX_LANES + 1);
/// How often a reader tries to copy an entry that is being written.
const TRIES: usize = 4;

/// The levels of one place: linear amplitudes, left and right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lane {
    /// Highest absolute sample.
    pub peak: [f32; 2],
    /// Highest mean square of a publication.
    pub mean_square: [f32; 2],
    /// Most by which the input was turned down, in dB, at least 0.
    pub reduction_db: f32,
}

impl Lane {
    fn words(&self) -> [u32; LANE_WORDS] {
        let [l, r] = self.peak;
        let [ml, mr] = self.mean_square;
        [l, r, ml, mr, self.reduction_db].map(f32::to_bits)
    }

    /// From shared memory: what is no level is 0.
    fn from_words(words: &[u32]) -> Self {
        let level = |at: usize| {
            let value = f32::from_bits(words.get(at).copied().unwrap_or(0));
            if value.is_finite() {
                value.max(0.0)
            } else {
                0.0
            }
        };
        Self {
            peak: [level(0), level(1)],
            mean_square: [level(2), level(3)],
            reduction_db: level(4),
        }
    }

    /// The higher of both, each figure for itself.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        let pair = |a: [f32; 2], b: [f32; 2]| [a[0].max(b[0]), a[1].max(b[1])];
        Self {
            peak: pair(self.peak, other.peak),
            mean_square: pair(self.mean_square, other.mean_square),
            reduction_db: self.reduction_db.max(other.reduction_db),
        }
    }
}

/// All levels of a publication, or the maxima of several.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterFrame {
    /// The number of the audio frame behind the last one that is counted in.
    pub to: u64,
    /// What leaves the rack.
    pub master: Lane,
    /// Which lanes are there: bit 0 is lane 0.
    pub present: u64,
    /// By lane.
    pub lanes: [Lane; MAX_LANES],
}

impl Default for MeterFrame {
    fn default() -> Self {
        Self {
            to: 0,
            master: Lane::default(),
            present: 0,
            lanes: [Lane::default(); MAX_LANES],
        }
    }
}

impl MeterFrame {
    /// Nothing, as at the beginning.
    pub fn clear(&mut self) {
        self.to = 0;
        self.master = Lane::default();
        for_each_lane(self.present, |lane| self.lanes[lane] = Lane::default());
        self.present = 0;
    }

    /// `[audio]` Notes the levels of one slot.
    pub fn set(&mut self, lane: usize, levels: Lane) {
        if let Some(place) = self.lanes.get_mut(lane) {
            *place = levels;
            self.present |= 1 << lane;
        }
    }

    /// The levels of one slot, if it is there.
    pub fn lane(&self, lane: usize) -> Option<&Lane> {
        let is_there = lane < MAX_LANES && self.present & (1 << lane) != 0;
        is_there.then(|| &self.lanes[lane])
    }

    /// Takes the maxima of both; the later time.
    pub fn merge(&mut self, other: &Self) {
        self.to = self.to.max(other.to);
        self.master = self.master.max(&other.master);
        for_each_lane(other.present, |lane| {
            self.lanes[lane] = self.lanes[lane].max(&other.lanes[lane]);
        });
        self.present |= other.present;
    }
}

fn for_each_lane(mut present: u64, mut visit: impl FnMut(usize)) {
    while present != 0 {
        visit(present.trailing_zeros() as usize);
        present &= present - 1;
    }
}

/// Says which number what stands beside it has: `2 n + 1` while number `n` is written, `2 n + 2` when it is
/// whole. One writer, any number of readers.
#[repr(C)]
pub(crate) struct Stamp(AtomicU64);

impl Stamp {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// `[audio]` Before the first word.
    pub(crate) fn begin(&self, number: u64) {
        self.0
            .store(number.wrapping_mul(2).wrapping_add(1), Ordering::Relaxed);
        // Whoever reads a word that is stored below sees, behind its own fence, that the number is odd.
        // Partner: the fence in `is_still`.
        release_fence();
    }

    /// `[audio]` Behind the last word.
    pub(crate) fn end(&self, number: u64) {
        // With the load in `is`, so that a whole number means whole words.
        self.0
            .store(number.wrapping_mul(2).wrapping_add(2), release());
    }

    /// `[any]` Before the first word is read.
    pub(crate) fn is(&self, number: u64) -> bool {
        // Partner: the store in `end`.
        self.0.load(acquire()) == number.wrapping_mul(2).wrapping_add(2)
    }

    /// `[any]` Behind the last word: what was read is of that number, and whole.
    pub(crate) fn is_still(&self, number: u64) -> bool {
        // What was read above is read before the number is looked at again. Partner: the fence in `begin`.
        acquire_fence();
        self.0.load(Ordering::Relaxed) == number.wrapping_mul(2).wrapping_add(2)
    }
}

/// One entry. Writer: the audio thread; readers: anybody who maps it.
#[repr(C, align(64))]
pub(crate) struct Entry {
    stamp: Stamp,
    words: [AtomicU32; WORDS],
}

/// One level of the pyramid.
#[repr(C, align(64))]
pub(crate) struct Level<const N: usize> {
    /// Entries that are whole: the newest has the number before. Writer: audio thread, Release.
    written: AtomicU64,
    entries: [Entry; N],
}

/// The ring and its pyramid, as they stand in shared memory.
#[repr(C, align(64))]
pub(crate) struct MeterRing {
    newest: Level<NEWEST>,
    above: [Level<ABOVE>; LEVELS],
}

impl Entry {
    /// `[audio]` Writes entry number `number`.
    fn write(&self, number: u64, frame: &MeterFrame) {
        self.stamp.begin(number);
        let put = |at: usize, word: u32| self.words[at].store(word, Ordering::Relaxed);
        put(0, frame.to as u32);
        put(1, (frame.to >> 32) as u32);
        put(2, frame.present as u32);
        put(3, (frame.present >> 32) as u32);
        let put_lane = |at: usize, lane: &Lane| {
            for (word, at) in lane.words().into_iter().zip(at..) {
                put(at, word);
            }
        };
        put_lane(HEAD_WORDS, &frame.master);
        for_each_lane(frame.present, |lane| {
            put_lane(HEAD_WORDS + LANE_WORDS * (lane + 1), &frame.lanes[lane]);
        });
        self.stamp.end(number);
    }

    /// `[any]` A copy of entry number `number`; `None` when it has been overwritten, or is being so.
    fn read(&self, number: u64, into: &mut MeterFrame) -> bool {
        for _ in 0..TRIES {
            if !self.stamp.is(number) {
                return false;
            }
            let word = |at: usize| self.words[at].load(Ordering::Relaxed);
            let half = |at: usize| u64::from(word(at)) | u64::from(word(at + 1)) << 32;
            into.clear();
            into.to = half(0);
            let present = half(2);
            let lane = |at: usize| {
                let mut words = [0; LANE_WORDS];
                for (place, at) in words.iter_mut().zip(at..) {
                    *place = word(at);
                }
                Lane::from_words(&words)
            };
            into.master = lane(HEAD_WORDS);
            for_each_lane(present, |which| {
                into.lanes[which] = lane(HEAD_WORDS + LANE_WORDS * (which + 1));
            });
            into.present = present;
            if self.stamp.is_still(number) {
                return true;
            }
        }
        false
    }
}

impl<const N: usize> Level<N> {
    fn entry(&self, number: u64) -> &Entry {
        &self.entries[(number % N as u64) as usize]
    }

    /// `[audio]` Writes the next entry, whose number is `number`.
    fn push(&self, number: u64, frame: &MeterFrame) {
        self.entry(number).write(number, frame);
        // Release: whoever sees the number finds the entry whole, or already overwritten.
        self.written.store(number + 1, release());
    }

    /// `[any]` Takes entry `number` into `sum`; false when it is not there any more, or not yet.
    fn add(&self, number: u64, room: &mut MeterFrame, sum: &mut MeterFrame) -> bool {
        let is_there = self.entry(number).read(number, room);
        if is_there {
            sum.merge(room);
        }
        is_there
    }
}

/// What has been gathered for the levels above, in the writer's own memory.
pub(crate) struct Gathered {
    next: u64,
    above: Box<[MeterFrame; LEVELS]>,
}

impl Gathered {
    /// `[main]` Goes on behind what stands in `ring`, which nobody else writes now.
    pub(crate) fn behind(ring: &MeterRing) -> Self {
        // Relaxed: the writer before was on this process's threads and has ended.
        let next = ring.newest.written.load(Ordering::Relaxed);
        let mut gathered = Self {
            next,
            above: Box::new(std::array::from_fn(|_| MeterFrame::default())),
        };
        // What a writer before had gathered of entries that are not whole yet stands in the level below.
        let mut room = MeterFrame::default();
        let mut unit = 1;
        for level in 0..LEVELS {
            let sum = &mut gathered.above[level];
            let from = next / (unit * RADIX) * RADIX;
            for number in from..next / unit {
                match level {
                    0 => ring.newest.add(number, &mut room, sum),
                    _ => ring.above[level - 1].add(number, &mut room, sum),
                };
            }
            unit *= RADIX;
        }
        gathered
    }

    /// `[audio]` Writes a frame, and each level above that has become whole by it.
    pub(crate) fn push(&mut self, ring: &MeterRing, frame: &MeterFrame) {
        let number = self.next;
        ring.newest.push(number, frame);
        self.next = number + 1;
        self.above[0].merge(frame);
        let mut whole = self.next;
        for level in 0..LEVELS {
            if !whole.is_multiple_of(RADIX) {
                break;
            }
            whole /= RADIX;
            ring.above[level].push(whole - 1, &self.above[level]);
            if level + 1 < LEVELS {
                let [lower, upper] = &mut self.above[level..level + 2] else {
                    break;
                };
                upper.merge(lower);
            }
            self.above[level].clear();
        }
    }
}

/// The maxima of an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterSpan {
    /// Publications that are counted in.
    pub publications: u64,
    /// The maxima; `to` is the audio frame behind the last.
    pub frame: MeterFrame,
    /// The reader was away for so long that the beginning had to be taken from a coarser level: the maxima
    /// may be those of a little more than the interval, and are never too low.
    pub is_widened: bool,
}

/// Where one reader stands.
#[derive(Debug, Clone)]
pub(crate) struct MeterReader {
    /// The number of the first publication that has not been read.
    next: u64,
    room: Box<MeterFrame>,
}

impl MeterReader {
    /// `[any]` A reader that begins now.
    pub(crate) fn new(ring: &MeterRing) -> Self {
        Self {
            // Acquire: with the writer's Release; what follows is read behind it.
            next: ring.newest.written.load(acquire()),
            room: Box::default(),
        }
    }

    /// `[any]` The maxima of all since the last call; `None` when nothing has come.
    pub(crate) fn take(&mut self, ring: &MeterRing) -> Option<MeterSpan> {
        // Acquire: with the writer's Release in `push`.
        let end = ring.newest.written.load(acquire());
        // Another process writes this: a number that goes back is a writer that began anew, or nonsense.
        if end <= self.next {
            if end < self.next {
                self.next = end;
            }
            return None;
        }
        let mut span = MeterSpan {
            publications: end - self.next,
            frame: MeterFrame::default(),
            is_widened: false,
        };
        let mut at = self.next;
        // Bounded: each step takes the largest piece that is whole, at most 30 of each level.
        for _ in 0..LIMIT {
            if at >= end {
                break;
            }
            match self.piece(ring, at, end, &mut span.frame) {
                Some(next) => at = next,
                None => {
                    span.is_widened = true;
                    at = self.widened(ring, at, end, &mut span.frame);
                }
            }
        }
        self.next = end;
        Some(span)
    }

    /// Adds the largest piece that begins at `at`, ends at `end` at the latest and is still there.
    fn piece(&mut self, ring: &MeterRing, at: u64, end: u64, sum: &mut MeterFrame) -> Option<u64> {
        let mut unit = RADIX.pow(LEVELS as u32);
        for level in (0..LEVELS).rev() {
            let fits = at.is_multiple_of(unit) && end - at >= unit;
            if fits && ring.above[level].add(at / unit, &mut self.room, sum) {
                return Some(at + unit);
            }
            unit /= RADIX;
        }
        let is_there = ring.newest.add(at, &mut self.room, sum);
        is_there.then_some(at + 1)
    }

    /// Adds the smallest piece with `at` inside that is still there; gives where it ends.
    fn widened(&mut self, ring: &MeterRing, at: u64, end: u64, sum: &mut MeterFrame) -> u64 {
        let mut unit = RADIX;
        for level in &ring.above {
            if level.add(at / unit, &mut self.room, sum) {
                return (at / unit + 1) * unit;
            }
            unit *= RADIX;
        }
        // Not even there: nonsense, or a writer that began anew. The newest at least.
        (end - 1).max(at + 1)
    }
}

/// Steps of one reading at most: up through the levels and down again.
const LIMIT: usize = 2 * (LEVELS + 1) * RADIX as usize + NEWEST;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::region::Region;
    use crate::segment::{Access, Backing, Segment};
    use proptest::prelude::*;

    /// Too large for a stack.
    fn region() -> Segment<Region> {
        Segment::make(Backing::Usual, Access::Maker).unwrap()
    }

    fn frame(number: u64, peak: f32) -> MeterFrame {
        let mut frame = MeterFrame {
            to: (number + 1) * 512,
            ..MeterFrame::default()
        };
        let level = Lane {
            peak: [peak, peak / 2.0],
            ..Lane::default()
        };
        frame.master = level;
        frame.set(63, level);
        frame
    }

    /// Every publication has a peak of its own, so that a single one that is left out shows.
    fn peak_of(number: u64) -> f32 {
        ((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 + 1.0) / 16_777_217.0
    }

    fn publish(ring: &MeterRing, gathered: &mut Gathered, numbers: std::ops::Range<u64>) {
        for number in numbers {
            gathered.push(ring, &frame(number, peak_of(number)));
        }
    }

    fn highest(numbers: std::ops::Range<u64>) -> f32 {
        numbers.map(peak_of).fold(0.0, f32::max)
    }

    #[test]
    fn a_reader_gets_the_exact_maximum_however_it_comes() {
        let region = region();
        let ring = &region.meters;
        let mut gathered = Gathered::behind(ring);
        let mut reader = MeterReader::new(ring);
        let mut at = 0;
        // Up to ten seconds away, at about a hundred a second.
        for step in [1, 1, 2, 15, 16, 17, 31, 255, 256, 257, 700, 1_000, 3, 1_020] {
            publish(ring, &mut gathered, at..at + step);
            let span = reader.take(ring).unwrap();
            assert_eq!(span.publications, step);
            assert!(!span.is_widened, "{step} behind {at}");
            assert_eq!(
                span.frame.master.peak[0],
                highest(at..at + step),
                "{step} behind {at}"
            );
            assert_eq!(
                span.frame.lane(63).unwrap().peak[0],
                span.frame.master.peak[0]
            );
            assert_eq!(span.frame.lane(0), None);
            assert_eq!(span.frame.to, (at + step) * 512);
            at += step;
            assert_eq!(reader.take(ring), None, "nothing is read twice");
        }
    }

    #[test]
    fn a_reader_that_was_away_for_hours_never_reads_too_low() {
        let region = region();
        let ring = &region.meters;
        let mut gathered = Gathered::behind(ring);
        publish(ring, &mut gathered, 0..5);
        let mut reader = MeterReader::new(ring);
        publish(ring, &mut gathered, 5..2_200_000);
        let span = reader.take(ring).unwrap();
        assert!(span.is_widened);
        let (least, most) = (highest(5..2_200_000), highest(0..2_200_000));
        let found = span.frame.master.peak[0];
        assert!(found >= least && found <= most, "{least} {found} {most}");
        // A peak in the middle of the absence, in no entry of the lowest level any more.
        let mut reader = MeterReader::new(ring);
        gathered.push(ring, &frame(2_200_000, 7.5));
        publish(ring, &mut gathered, 2_200_001..2_300_000);
        assert_eq!(reader.take(ring).unwrap().frame.master.peak[0], 7.5);
    }

    #[test]
    fn a_writer_that_follows_another_goes_on_with_what_was_gathered() {
        let region = region();
        let ring = &region.meters;
        let mut first = Gathered::behind(ring);
        let mut reader = MeterReader::new(ring);
        first.push(ring, &frame(0, 9.0));
        publish(ring, &mut first, 1..777);
        drop(first);
        let mut second = Gathered::behind(ring);
        publish(ring, &mut second, 777..100_000);
        assert_eq!(reader.take(ring).unwrap().frame.master.peak[0], 9.0);
    }

    #[test]
    fn a_reader_beside_the_writer_sees_whole_entries_only() {
        use std::sync::atomic::AtomicBool;
        let region = region();
        let ring = &region.meters;
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut gathered = Gathered::behind(ring);
                let start = std::time::Instant::now();
                let mut number = 0;
                while start.elapsed().as_millis() < 300 {
                    let level = (number % 1000) as f32 + 1.0;
                    let mut frame = frame(number, level);
                    for lane in 0..MAX_LANES {
                        frame.set(
                            lane,
                            Lane {
                                peak: [level; 2],
                                mean_square: [level; 2],
                                reduction_db: level,
                            },
                        );
                    }
                    frame.master = frame.lanes[0];
                    gathered.push(ring, &frame);
                    number += 1;
                }
                over.store(true, Ordering::Release);
            });
            let mut room = MeterFrame::default();
            let mut reads = 0;
            while !over.load(Ordering::Acquire) {
                let written = ring.newest.written.load(Ordering::Acquire);
                // Both the newest and one that is about to be overwritten.
                for back in [1, NEWEST as u64 - 1, NEWEST as u64] {
                    let number = written.saturating_sub(back);
                    if ring.newest.entry(number).read(number, &mut room) {
                        reads += 1;
                        let level = (number % 1000) as f32 + 1.0;
                        for lane in &room.lanes {
                            assert_eq!(lane.peak, [level; 2]);
                            assert_eq!(lane.reduction_db, level);
                        }
                    }
                }
            }
            assert!(reads > 100, "{reads}");
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_a_ring_that_can_be_read(
            written in any::<[u64; 6]>(), sequence in any::<u64>(), word in any::<u32>(), next in any::<u64>(),
        ) {
            let region = region();
        let ring = &region.meters;
            ring.newest.written.store(written[0], Ordering::Relaxed);
            for entry in &ring.newest.entries {
                entry.stamp.0.store(sequence, Ordering::Relaxed);
                entry.words.iter().for_each(|cell| cell.store(word, Ordering::Relaxed));
            }
            let mut reader = MeterReader { next, room: Box::default() };
            if let Some(span) = reader.take(ring) {
                prop_assert!(span.frame.master.peak[0].is_finite());
            }
            prop_assert!(reader.take(ring).is_none());
        }
    }
}
