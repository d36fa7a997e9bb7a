//! From the input callback to the output callback: two devices, or two clients of one server, in
//! whatever order they are called.
//!
//! The fill is held low. It starts at one block, grows by a block each time it runs dry (the two
//! callbacks then do not alternate, and need the cushion), and what piles up beyond that is thrown
//! away: a second of silence at start-up must not become a second of latency.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use cpal::FromSample;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::routing::Layout;
use super::shared::Shared;

/// Blocks of cushion at most: beyond, the machine is overloaded and latency would not help.
pub(super) const MAX_CUSHION_BLOCKS: usize = 4;
/// Frames over which the lowest fill is watched before anything is thrown away.
const WATCH_FRAMES: usize = 48_000;

/// Makes both ends; the ring holds `capacity_frames`.
pub(super) fn bridge(capacity_frames: usize, shared: &Arc<Shared>) -> (Capture, LiveInput) {
    let (producer, consumer) = RingBuffer::new(capacity_frames * 2);
    (
        Capture {
            producer,
            shared: Arc::clone(shared),
        },
        LiveInput {
            consumer,
            shared: Arc::clone(shared),
            waiting: true,
            cushion_frames: 0,
            lowest_left_frames: usize::MAX,
            watched_frames: 0,
        },
    )
}

/// The input callback's end.
pub(super) struct Capture {
    producer: Producer<f32>,
    shared: Arc<Shared>,
}

impl Capture {
    /// `[audio]` Takes one interleaved input block.
    ///
    /// A full ring loses the newest frames, and that is counted: the output has stopped taking, and
    /// nothing the input thread may do would change it.
    pub(super) fn push<T>(&mut self, data: &[T], layout: Layout)
    where
        T: Copy,
        f32: FromSample<T>,
    {
        let offered_frames = data.len() / layout.count();
        self.shared
            .capture_frames
            .store(offered_frames.try_into().unwrap_or(u32::MAX), Relaxed);
        let taken_frames = offered_frames.min(self.producer.slots() / 2);
        if taken_frames < offered_frames {
            self.shared.input_overruns.fetch_add(1, Relaxed);
        }
        if let Ok(chunk) = self.producer.write_chunk_uninit(taken_frames * 2) {
            chunk.fill_from_iter(layout.pick(data).flatten());
        }
    }
}

/// The output callback's end.
pub(super) struct LiveInput {
    consumer: Consumer<f32>,
    shared: Arc<Shared>,
    /// Whether the ring ran dry (or never was full) and is being refilled.
    waiting: bool,
    cushion_frames: usize,
    lowest_left_frames: usize,
    watched_frames: usize,
}

impl LiveInput {
    /// `[audio]` Throws away what has come in so far.
    pub(super) fn flush(&mut self) {
        self.skip(self.consumer.slots() / 2);
        self.waiting = true;
    }

    /// `[audio]` Fills both channels (of equal length) with the next frames, or silence.
    pub(super) fn fill(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len();
        let held_frames = self.consumer.slots() / 2;
        let captured_frames = self.shared.capture_frames.load(Relaxed) as usize;
        let block_frames = frames.max(captured_frames);

        if self.waiting {
            if held_frames < block_frames + self.cushion_frames || held_frames == 0 {
                left.fill(0.0);
                right.fill(0.0);
                return;
            }
            self.waiting = false;
            self.watch_anew();
            // More than the start asks for has piled up while nobody listened.
            self.skip(held_frames - block_frames - self.cushion_frames);
        }

        let taken_frames = frames.min(self.consumer.slots() / 2);
        if let Ok(chunk) = self.consumer.read_chunk(taken_frames * 2) {
            let mut samples = chunk.into_iter();
            for (left, right) in left.iter_mut().zip(right.iter_mut()).take(taken_frames) {
                *left = samples.next().unwrap_or(0.0);
                *right = samples.next().unwrap_or(0.0);
            }
        }
        left[taken_frames..].fill(0.0);
        right[taken_frames..].fill(0.0);

        if taken_frames < frames {
            self.shared.input_underruns.fetch_add(1, Relaxed);
            self.waiting = true;
            self.cushion_frames =
                (self.cushion_frames + block_frames).min(MAX_CUSHION_BLOCKS * block_frames);
            return;
        }
        self.watch(frames, block_frames);
    }

    /// `[audio]` Drops what stays in the ring however low it gets: clocks that drift, or a stall.
    fn watch(&mut self, frames: usize, block_frames: usize) {
        self.lowest_left_frames = self.lowest_left_frames.min(self.consumer.slots() / 2);
        self.watched_frames += frames;
        if self.watched_frames < WATCH_FRAMES {
            return;
        }
        let wanted_frames = self.cushion_frames + block_frames;
        if self.lowest_left_frames > wanted_frames {
            self.skip(self.lowest_left_frames - wanted_frames);
            self.shared.input_overruns.fetch_add(1, Relaxed);
        }
        self.watch_anew();
    }

    fn watch_anew(&mut self) {
        self.lowest_left_frames = usize::MAX;
        self.watched_frames = 0;
    }

    fn skip(&mut self, frames: usize) {
        if let Ok(chunk) = self.consumer.read_chunk(frames * 2) {
            chunk.commit_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(from: usize, frames: usize) -> Vec<f32> {
        (from..from + frames)
            .flat_map(|index| [index as f32, -(index as f32)])
            .collect()
    }

    fn take(input: &mut LiveInput, frames: usize) -> Vec<f32> {
        let (mut left, mut right) = (vec![9.0; frames], vec![9.0; frames]);
        input.fill(&mut left, &mut right);
        assert!(
            left.iter()
                .zip(&right)
                .all(|(left, right)| *left == -*right)
        );
        left
    }

    #[test]
    fn input_called_first_passes_without_delay() {
        let shared = Arc::new(Shared::default());
        let (mut capture, mut input) = bridge(4096, &shared);
        for block in 0..100 {
            capture.push(&ramp(block * 64, 64), Layout::stereo());
            assert_eq!(take(&mut input, 64)[0], (block * 64) as f32);
        }
        assert_eq!(shared.input_underruns.load(Relaxed), 0);
    }

    #[test]
    fn output_called_first_costs_one_block_and_no_more() {
        let shared = Arc::new(Shared::default());
        let (mut capture, mut input) = bridge(4096, &shared);
        for block in 0..100 {
            let heard = take(&mut input, 64);
            if block > 0 {
                assert_eq!(heard[0], ((block - 1) * 64) as f32);
            }
            capture.push(&ramp(block * 64, 64), Layout::stereo());
        }
        assert_eq!(shared.input_underruns.load(Relaxed), 0);
    }

    #[test]
    fn a_changing_order_grows_one_cushion_and_then_runs_clean() {
        let shared = Arc::new(Shared::default());
        let (mut capture, mut input) = bridge(4096, &shared);
        let mut next = 0;
        let mut last = None;
        for block in 0..1000 {
            let input_first = (block / 3) % 2 == 0;
            if input_first {
                capture.push(&ramp(next, 64), Layout::stereo());
                next += 64;
            }
            let heard = take(&mut input, 64);
            if block > 20 {
                assert_eq!(
                    heard[0],
                    last.map_or(heard[0], |last: f32| last + 1.0),
                    "{block}"
                );
            }
            last = Some(heard[63]);
            if !input_first {
                capture.push(&ramp(next, 64), Layout::stereo());
                next += 64;
            }
        }
        assert_eq!(shared.input_underruns.load(Relaxed), 1);
        assert_eq!(shared.input_overruns.load(Relaxed), 0);
    }

    #[test]
    fn a_pile_of_old_input_is_thrown_away_and_counted() {
        let shared = Arc::new(Shared::default());
        let (mut capture, mut input) = bridge(8192, &shared);
        capture.push(&ramp(0, 64), Layout::stereo());
        take(&mut input, 64);
        capture.push(&ramp(64, 4096), Layout::stereo());
        let mut next = 64 + 4096;
        let mut heard = 0.0;
        for _ in 0..2000 {
            capture.push(&ramp(next, 64), Layout::stereo());
            next += 64;
            heard = take(&mut input, 64)[63];
        }
        // The wanted fill follows the newest input block: cushion 0, one block of 64, all left over.
        assert!(
            next as f32 - heard <= 129.0,
            "{} frames behind",
            next as f32 - heard
        );
        assert_eq!(shared.input_overruns.load(Relaxed), 1);
    }

    #[test]
    fn a_full_ring_loses_the_newest_and_is_counted() {
        let shared = Arc::new(Shared::default());
        let (mut capture, _input) = bridge(100, &shared);
        capture.push(&ramp(0, 128), Layout::stereo());
        assert_eq!(shared.input_overruns.load(Relaxed), 1);
    }
}
