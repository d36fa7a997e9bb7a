//! The figures of the audio thread, counted by itself and read by anybody.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::clock::{Ticks, ticks_to_ns};
use super::collector::Collected;
use super::faults::{ThreadFaults, ThreadSwitches};
use super::violation::ViolationCounts;

/// Buckets: 16 a doubling, from 1 ns to beyond a minute: 4.4 % wide at most.
const STEPS_A_DOUBLING: usize = 16;
const BUCKETS: usize = 37 * STEPS_A_DOUBLING;

/// Counters with one writer, the audio thread; Relaxed throughout, since each stands for itself.
#[derive(Debug)]
pub struct HealthCells {
    pub(crate) blocks: AtomicU64,
    pub(crate) priming_blocks: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) allocations: AtomicU64,
    pub(crate) deallocations: AtomicU64,
    pub(crate) over_deadline: AtomicU64,
    pub(crate) non_finite_inputs: AtomicU64,
    pub(crate) muted_chunks: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) lost_notices: AtomicU64,
    pub(crate) cut_tails: AtomicU64,
    /// Blocks in which a result was flushed to zero.
    pub(crate) flushed_blocks: AtomicU64,
    /// The most entries that the rack's list, and the list of racks that have left, ever had.
    pub(crate) most_slots: AtomicU64,
    pub(crate) most_rack_tails: AtomicU64,
    /// The most bytes of scratch that were in use at once.
    pub(crate) most_scratch: AtomicU64,
    pub(crate) thread_id: AtomicU64,
    pub(crate) faults_at_start: [AtomicU64; 2],
    longest_ns: AtomicU64,
    block_ns: [AtomicU32; BUCKETS],
}

impl Default for HealthCells {
    fn default() -> Self {
        Self {
            blocks: AtomicU64::new(0),
            priming_blocks: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            deallocations: AtomicU64::new(0),
            over_deadline: AtomicU64::new(0),
            non_finite_inputs: AtomicU64::new(0),
            muted_chunks: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            lost_notices: AtomicU64::new(0),
            cut_tails: AtomicU64::new(0),
            flushed_blocks: AtomicU64::new(0),
            most_slots: AtomicU64::new(0),
            most_rack_tails: AtomicU64::new(0),
            most_scratch: AtomicU64::new(0),
            thread_id: AtomicU64::new(0),
            faults_at_start: [const { AtomicU64::new(0) }; 2],
            longest_ns: AtomicU64::new(0),
            block_ns: [const { AtomicU32::new(0) }; BUCKETS],
        }
    }
}

/// `[audio]` Adds to a counter that only this thread writes.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed) + amount, Ordering::Relaxed);
}

/// `[audio]` Raises a high-water mark that only this thread writes.
pub(crate) fn raise(mark: &AtomicU64, level: u64) {
    if level > mark.load(Ordering::Relaxed) {
        mark.store(level, Ordering::Relaxed);
    }
}

impl HealthCells {
    /// `[audio]` Counts one block after the priming block.
    pub(crate) fn record_block(&self, frames: usize, block_ns: u64, deadline_ns: u64) {
        add(&self.blocks, 1);
        add(&self.frames, frames as u64);
        if block_ns > deadline_ns && frames > 0 {
            add(&self.over_deadline, 1);
        }
        if block_ns > self.longest_ns.load(Ordering::Relaxed) {
            self.longest_ns.store(block_ns, Ordering::Relaxed);
        }
        let bucket = &self.block_ns[bucket_of(block_ns)];
        bucket.store(
            bucket.load(Ordering::Relaxed).saturating_add(1),
            Ordering::Relaxed,
        );
    }

    /// `[main]` The figures of now.
    pub fn read(&self) -> Health {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let faults_at_start = ThreadFaults {
            minor: get(&self.faults_at_start[0]),
            major: get(&self.faults_at_start[1]),
        };
        let thread_id = get(&self.thread_id);
        Health {
            blocks: get(&self.blocks),
            priming_blocks: get(&self.priming_blocks),
            frames: get(&self.frames),
            allocations: get(&self.allocations),
            deallocations: get(&self.deallocations),
            over_deadline: get(&self.over_deadline),
            non_finite_inputs: get(&self.non_finite_inputs),
            muted_chunks: get(&self.muted_chunks),
            panics: get(&self.panics),
            lost_notices: get(&self.lost_notices),
            cut_tails: get(&self.cut_tails),
            flushed_blocks: get(&self.flushed_blocks),
            slots: HighWater {
                most: get(&self.most_slots),
                room: 0,
            },
            rack_tails: HighWater {
                most: get(&self.most_rack_tails),
                room: 0,
            },
            scratch_bytes: HighWater {
                most: get(&self.most_scratch),
                room: 0,
            },
            commands: HighWater::default(),
            notices: HighWater::default(),
            collected: Collected::default(),
            switches: (thread_id != 0)
                .then(|| ThreadSwitches::of_thread(thread_id))
                .flatten(),
            block_ns: self.block_times(),
            thread_id: (thread_id != 0).then_some(thread_id),
            faults: (thread_id != 0)
                .then(|| ThreadFaults::of_thread(thread_id))
                .flatten()
                .map(|now| now.since(faults_at_start)),
        }
    }

    /// `[main]` How many blocks took how long: the upper end in nanoseconds and the count, rising, empty ones
    /// left out.
    pub fn histogram(&self) -> Vec<(u64, u64)> {
        let counts = self.block_ns.iter().enumerate();
        let counts = counts.map(|(bucket, count)| {
            let count = u64::from(count.load(Ordering::Relaxed));
            (upper_end_ns(bucket), count)
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    fn block_times(&self) -> BlockTimes {
        let counts: Vec<u64> = self
            .block_ns
            .iter()
            .map(|count| u64::from(count.load(Ordering::Relaxed)))
            .collect();
        let total: u64 = counts.iter().sum();
        let max = self.longest_ns.load(Ordering::Relaxed);
        let quantile = |part: f64| {
            let wanted = ((total as f64 * part).ceil() as u64).max(1);
            let mut seen = 0;
            for (bucket, &count) in counts.iter().enumerate() {
                seen += count;
                if seen >= wanted {
                    return upper_end_ns(bucket).min(max);
                }
            }
            0
        };
        BlockTimes {
            p50: quantile(0.5),
            p99: quantile(0.99),
            max,
        }
    }
}

/// What is counted around one block, whatever is in the rack: its time, and what was taken and given back
/// meanwhile.
#[derive(Debug)]
#[must_use]
pub struct BlockWatch {
    started: Ticks,
    before: ViolationCounts,
}

impl BlockWatch {
    /// `[audio]` A block begins.
    #[inline]
    pub fn begin() -> Self {
        Self {
            started: Ticks::now(),
            before: ViolationCounts::of_this_thread(),
        }
    }

    /// `[audio]` It has ended, after so many frames, for which there was so much time.
    #[inline]
    pub fn end(self, cells: &HealthCells, frames: usize, deadline_ns: u64) {
        let counts = ViolationCounts::of_this_thread().since(self.before);
        if !counts.is_zero() {
            add(&cells.allocations, counts.allocations);
            add(&cells.deallocations, counts.deallocations);
        }
        let block_ns = ticks_to_ns(Ticks::now().since(self.started));
        cells.record_block(frames, block_ns, deadline_ns);
    }
}

/// The bucket of a time: the place of its highest bit, and the four bits behind that.
fn bucket_of(ns: u64) -> usize {
    let ns = ns.max(1);
    let doubling = ns.ilog2() as usize;
    let step = if doubling >= 4 {
        (ns >> (doubling - 4)) as usize & (STEPS_A_DOUBLING - 1)
    } else {
        (ns << (4 - doubling)) as usize & (STEPS_A_DOUBLING - 1)
    };
    (doubling * STEPS_A_DOUBLING + step).min(BUCKETS - 1)
}

/// The longest time that falls into a bucket.
fn upper_end_ns(bucket: usize) -> u64 {
    let (doubling, step) = (bucket / STEPS_A_DOUBLING, bucket % STEPS_A_DOUBLING);
    let end = (1u64 << doubling) as f64 * (1.0 + (step + 1) as f64 / STEPS_A_DOUBLING as f64);
    (end.ceil() as u64).saturating_sub(1)
}

/// What the audio thread did, counted over every block after the priming block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Blocks processed.
    pub blocks: u64,
    /// Priming blocks: 1 once it runs.
    pub priming_blocks: u64,
    /// Frames processed.
    pub frames: u64,
    /// Allocations inside the guard. Counted where the program installed
    /// [`super::StageAllocator`].
    pub allocations: u64,
    /// Frees inside the guard.
    pub deallocations: u64,
    /// Blocks that took longer than they last.
    pub over_deadline: u64,
    /// Input samples that were infinite or no number, and became 0.
    pub non_finite_inputs: u64,
    /// Chunks in which a slot was muted because its output was not finite.
    pub muted_chunks: u64,
    /// Modules that panicked; each is out of the chain since.
    pub panics: u64,
    /// Notices that found their queue full.
    pub lost_notices: u64,
    /// Slots and racks that had left and were faded out before they had rung out, to make room for one more.
    pub cut_tails: u64,
    /// Blocks in which a result was too small for a number and was flushed to zero.
    pub flushed_blocks: u64,
    /// Commands that waited for the audio thread.
    pub commands: HighWater,
    /// Notices that waited for the main thread.
    pub notices: HighWater,
    /// Slots in the rack and those that have left it, in the rack's list.
    pub slots: HighWater,
    /// Racks that have left and still ring.
    pub rack_tails: HighWater,
    /// Bytes of scratch, the arena of one block, in use at once.
    pub scratch_bytes: HighWater,
    /// What the process's collector has given back.
    pub collected: Collected,
    /// Context switches of the audio thread since it began; `None` as for `faults`.
    pub switches: Option<ThreadSwitches>,
    /// How long blocks took.
    pub block_ns: BlockTimes,
    /// Page faults of the audio thread since the priming block; `None` when the thread is gone or
    /// the system does not tell.
    pub faults: Option<ThreadFaults>,
    /// The system's number of the audio thread, from the priming block on.
    pub thread_id: Option<u64>,
}

/// The most that was ever in something of fixed room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HighWater {
    /// The most there was.
    pub most: u64,
    /// What there is room for.
    pub room: u64,
}

/// How long blocks took, in nanoseconds: the quantiles are upper bounds, 6.3 % wide at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockTimes {
    /// Half of all blocks took at most this.
    pub p50: u64,
    /// 99 % of all blocks took at most this.
    pub p99: u64,
    /// The longest, exactly.
    pub max: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_bucket() {
        let cells = HealthCells::default();
        for ns in 1..=10_000 {
            cells.record_block(64, ns, 20_000);
        }
        let times = cells.block_times();
        assert!((5_000..=5_320).contains(&times.p50), "{times:?}");
        assert!((9_900..=10_000).contains(&times.p99), "{times:?}");
        assert_eq!(times.max, 10_000);
        let health = cells.read();
        assert_eq!(
            (health.blocks, health.frames, health.over_deadline),
            (10_000, 640_000, 0)
        );
    }

    #[test]
    fn every_time_falls_under_its_buckets_end_and_over_the_one_before() {
        for ns in (1..5_000).chain([1 << 20, (1 << 30) + 12_345, 1 << 35]) {
            let bucket = bucket_of(ns);
            assert!(ns <= upper_end_ns(bucket), "{ns}");
            assert!(bucket == 0 || ns > upper_end_ns(bucket - 1), "{ns}");
        }
        assert!(bucket_of(u64::MAX) < BUCKETS);
    }
}
