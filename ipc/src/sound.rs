//! Sound for a screen: the newest frames before and after the rack, in two rings.
//!
//! The writer copies each chunk and waits for nobody. Two counters stand around each write: `begin` is
//! where it will end, noted before the first sample is touched, `end` the same, noted when all are there.
//! A reader copies what lies below `end` and then looks whether `begin` has come so near that some of it may
//! have been overwritten meanwhile.

use crate::sync::{AtomicU64, Ordering, acquire, acquire_fence, release, release_fence};
use crate::wide::{CHUNK_FRAMES, packed, store};

/// Frames of one ring: at 48 kHz two thirds of a second.
pub const SOUND_FRAMES: usize = 32_768;

/// Which sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tap {
    /// What goes into the rack.
    Before,
    /// What comes out.
    After,
}

/// How far a writer is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// The frame that it writes next.
    pub(crate) at: u64,
    /// Of the frame before, if `at` is in the middle of a word: nothing is read back that others might have
    /// written.
    before: [f32; 2],
}

/// One ring. Writer: the audio thread; readers: anybody who maps it.
#[repr(C, align(64))]
pub(crate) struct SoundRing<const PAIRS: usize = { SOUND_FRAMES / 2 }> {
    /// Up to where the write under way will have touched the words, in frames; even. Relaxed, but behind it
    /// stands a Release fence, the partner of the reader's Acquire fence.
    begin: AtomicU64,
    /// Up to where all is there. Release, with the reader's Acquire.
    end: AtomicU64,
    _apart: [u64; 6],
    /// Left, right. Two samples in a word, the earlier one's bits in the lower half: as they lie in a block
    /// where the low byte comes first, so that none is taken apart on the way.
    channels: [[AtomicU64; PAIRS]; 2],
}

impl Place {
    /// `[any]` At frame `at`, of whose word nothing has been written.
    pub(crate) fn at(at: u64) -> Self {
        Self {
            at,
            before: [0.0; 2],
        }
    }
}

impl<const PAIRS: usize> SoundRing<PAIRS> {
    const FRAMES: usize = 2 * PAIRS;

    #[cfg(any(test, loom))]
    pub(crate) fn boxed() -> Box<Self> {
        let channel = || std::array::from_fn(|_| AtomicU64::new(0));
        Box::new(Self {
            begin: AtomicU64::new(0),
            end: AtomicU64::new(0),
            _apart: [0; 6],
            channels: [channel(), channel()],
        })
    }

    /// `[main]` Where the writer before was, for one that goes on behind it, in a word of its own.
    pub(crate) fn behind(&self) -> Place {
        // Relaxed: the writer before has ended, on a thread of this process.
        let end = self.end.load(Ordering::Relaxed);
        Place::at(end.wrapping_add(end % 2))
    }

    /// `[audio]` Writes one chunk and puts `place` behind it; both channels have the same length, at most that
    /// of the ring. In mono both are the same slice.
    #[inline]
    pub(crate) fn write(&self, place: &mut Place, left: &[f32], right: &[f32]) {
        match (self.chunk(place.at), left.as_array(), right.as_array()) {
            (Some([left_words, right_words]), Some(left), Some(right)) => {
                place.at = self.between(place.at, CHUNK_FRAMES, || {
                    store(left_words, left);
                    store(right_words, right);
                });
            }
            _ => self.write_piece(place, left, right),
        }
    }

    /// Both channels' words of the whole chunk that begins at frame `at`, if one does: so many that the
    /// compiler knows, and writes out.
    #[inline(always)]
    fn chunk(&self, at: u64) -> Option<[&[AtomicU64; CHUNK_FRAMES / 2]; 2]> {
        let from = (at % Self::FRAMES as u64) as usize;
        let number = from
            .is_multiple_of(CHUNK_FRAMES)
            .then_some(from / CHUNK_FRAMES)?;
        let [left, right] = &self.channels;
        Some([
            left.as_chunks().0.get(number)?,
            right.as_chunks().0.get(number)?,
        ])
    }

    /// Writes what is not a whole chunk, or not in its place.
    #[cold]
    fn write_piece(&self, place: &mut Place, left: &[f32], right: &[f32]) {
        let frames = left.len().min(right.len()).min(Self::FRAMES);
        let from = (place.at % Self::FRAMES as u64) as usize;
        let before = &mut place.before;
        place.at = self.between(place.at, frames, || {
            put(&self.channels[0], from, &left[..frames], &mut before[0]);
            put(&self.channels[1], from, &right[..frames], &mut before[1]);
        });
    }

    /// Has `frames` frames behind frame `at` written, with a note before it and one behind it.
    #[inline(always)]
    fn between(&self, at: u64, frames: usize, write: impl FnOnce()) -> u64 {
        let end = at.wrapping_add(frames as u64);
        // A last frame without its neighbour takes that one's place in its word as well.
        self.begin
            .store(end.wrapping_add(end % 2), Ordering::Relaxed);
        // Release: whoever reads a sample that is stored below sees, behind its own fence, this `begin`.
        release_fence();
        write();
        // Release: whoever sees `end` finds the samples below it.
        self.end.store(end, release());
        end
    }

    /// `[any]` Copies the newest `frames` frames into `into`, oldest first; gives the number of the frame
    /// behind the last. What has been overwritten meanwhile is left out; `into` may be shorter then.
    pub(crate) fn read(&self, frames: usize, into: &mut Vec<[f32; 2]>) -> u64 {
        into.clear();
        // Acquire: with the writer's Release.
        let end = self.end.load(acquire());
        let count = (frames.min(Self::FRAMES) as u64).min(end);
        let from = end - count;
        into.extend((from..end).map(|at| {
            let word = (at / 2 % PAIRS as u64) as usize;
            [0, 1].map(|channel: usize| {
                let bits = self.channels[channel][word].load(Ordering::Relaxed) >> (at % 2 * 32);
                let sample = f32::from_bits(bits as u32);
                if sample.is_finite() { sample } else { 0.0 }
            })
        }));
        // Acquire: the samples are read before `begin` is. Partner: the writer's Release fence.
        acquire_fence();
        let begin = self.begin.load(Ordering::Relaxed);
        // Frames below this may be those of the next turn. A `begin` that is behind `end` is nonsense: nothing
        // is safe then.
        let safe_from = if begin < end {
            end
        } else {
            begin.saturating_sub(Self::FRAMES as u64)
        };
        // A `begin` from another process may be anything.
        let lost = safe_from.saturating_sub(from).min(count) as usize;
        into.drain(..lost);
        end
    }
}

/// Stores any number of pairs. By eights, since the compiler does not unroll it by itself.
#[inline]
fn copy_pairs(words: &[AtomicU64], pairs: &[[f32; 2]]) {
    let (eights, ones) = words[..pairs.len()].as_chunks::<8>();
    let (pairs, last_pairs) = pairs.as_chunks::<8>();
    for (words, pairs) in eights.iter().zip(pairs) {
        for (word, pair) in words.iter().zip(pairs) {
            word.store(packed(*pair), Ordering::Relaxed);
        }
    }
    for (word, pair) in ones.iter().zip(last_pairs) {
        word.store(packed(*pair), Ordering::Relaxed);
    }
}

/// Writes one channel's samples from place `from` on, wherever that is: in the middle of a word, or shortly
/// before the end.
fn put<const PAIRS: usize>(
    words: &[AtomicU64; PAIRS],
    from: usize,
    samples: &[f32],
    before: &mut f32,
) {
    let mut word = from / 2;
    let mut samples = samples;
    if from % 2 == 1
        && let [second, rest @ ..] = samples
    {
        // The first half stays as it is for whoever reads it now.
        words[word].store(packed([*before, *second]), Ordering::Relaxed);
        (word, samples) = ((word + 1) % PAIRS, rest);
    }
    let (pairs, last) = samples.as_chunks();
    let (ahead, around) = pairs.split_at(pairs.len().min(PAIRS - word));
    copy_pairs(&words[word..], ahead);
    copy_pairs(words, around);
    if let [first] = last {
        *before = *first;
        words[(word + pairs.len()) % PAIRS].store(packed([*first, 0.0]), Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn sample(at: u64) -> f32 {
        // Floats count exactly up to here.
        (at % (1 << 23)) as f32
    }

    fn write<const N: usize>(ring: &SoundRing<N>, place: &mut Place, frames: usize) {
        let frames = place.at..place.at + frames as u64;
        let left: Vec<f32> = frames.map(sample).collect();
        let right: Vec<f32> = left.iter().map(|left| -left).collect();
        ring.write(place, &left, &right);
    }

    #[test]
    fn the_newest_frames_are_read_in_their_order_across_the_rings_end() {
        let ring: Box<SoundRing<128>> = SoundRing::boxed();
        let (mut place, mut read) = (Place::default(), Vec::new());
        // Beside each other, in the middle of a word, around the end, and whole chunks on their grid.
        for frames in [
            1, 64, 100, 128, 7, 64, 255, 256, 33, 52, 64, 64, 64, 64, 63, 1, 64, 32, 64,
        ] {
            write(&ring, &mut place, frames);
            let at = place.at;
            assert_eq!(ring.read(200, &mut read), at);
            assert_eq!(read.len() as u64, at.min(200));
            let first = at - read.len() as u64;
            for (number, frame) in (first..).zip(&read) {
                assert_eq!(*frame, [sample(number), -sample(number)]);
            }
        }
        assert_eq!(ring.read(10_000, &mut read), place.at);
        assert_eq!(read.len(), 256);
    }

    #[test]
    fn a_reader_beside_the_writer_gets_no_frame_of_another_turn() {
        use std::sync::atomic::AtomicBool;
        let ring: Box<SoundRing<128>> = SoundRing::boxed();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let start = std::time::Instant::now();
                let mut place = Place::default();
                // Whole chunks, and all that is not.
                for frames in [64, 48, 16, 64, 64, 33, 31].into_iter().cycle() {
                    write(&ring, &mut place, frames);
                    if start.elapsed().as_millis() >= 300 {
                        break;
                    }
                }
                over.store(true, Ordering::Release);
            });
            let (mut read, mut frames) = (Vec::new(), 0);
            while !over.load(Ordering::Acquire) {
                let end = ring.read(200, &mut read);
                frames += read.len();
                // From the last to the first.
                for (back, frame) in read.iter().rev().enumerate() {
                    if let Some(number) = end.checked_sub(1 + back as u64) {
                        assert_eq!(frame[0], sample(number), "{end} - {back}");
                        assert_eq!(frame[1], -frame[0]);
                    }
                }
            }
            assert!(frames > 1_000, "{frames}");
        });
    }

    #[test]
    fn no_counter_is_believed() {
        let ring: Box<SoundRing<128>> = SoundRing::boxed();
        for begin in [0, 1, 300, u64::MAX, u64::MAX - 255] {
            for end in [0, 1, 300, u64::MAX, 1 << 40] {
                ring.begin.store(begin, Ordering::Relaxed);
                ring.end.store(end, Ordering::Relaxed);
                let mut read = Vec::new();
                ring.read(usize::MAX, &mut read);
                assert!(read.len() <= 256);
            }
        }
    }
}
