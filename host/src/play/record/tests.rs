//! Claims about recordings on disks that are slow, hang, or are full, without waiting for any clock: the
//! callback's end is driven by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;

use headroom_engine::realtime::ViolationCounts;
use headroom_engine::realtime::guarded;

use super::disk::Disk;
use super::disk::Outcome;
use super::disk::Sink;
use super::tap::Next;
use super::tap::Planes;
use super::tap::RING_SECS;
use super::tap::Tap;
use super::tap::Words;
use super::tap::tap;
use crate::audio_file::Recorded;
use crate::audio_file::WriteError;
use crate::audio_file::Written;

const RATE_HZ: u32 = 8_000;
const BLOCK_FRAMES: usize = 100;
/// What the ring promises to hold.
const RING_FRAMES: usize = RING_SECS as usize * RATE_HZ as usize;

/// What a sink does and has seen, from outside.
#[derive(Default)]
struct Stage {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    stalled: bool,
    /// Frames that fit.
    room_frames: Option<usize>,
    left: Vec<f32>,
    right: Vec<f32>,
    salvaged: bool,
}

impl Stage {
    fn stall(&self, stalled: bool) {
        self.state.lock().unwrap().stalled = stalled;
        self.moved.notify_all();
    }

    fn left(&self) -> Vec<f32> {
        self.state.lock().unwrap().left.clone()
    }
}

/// A disk that does what its stage says.
struct StageSink(Arc<Stage>);

impl Sink for StageSink {
    fn write(&mut self, left: &[f32], right: &[f32]) -> Result<(), WriteError> {
        let state = self.0.state.lock().unwrap();
        let mut state = self
            .0
            .moved
            .wait_while(state, |state| state.stalled)
            .unwrap();
        let room = state
            .room_frames
            .map_or(usize::MAX, |room| room - state.left.len());
        let fits = left.len().min(room);
        state.left.extend(&left[..fits]);
        state.right.extend(&right[..fits]);
        if fits < left.len() {
            return Err(WriteError::Io {
                path: PathBuf::from("take.wav"),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        Ok(())
    }

    fn checkpoint(&mut self, _last: bool) -> Result<(), WriteError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Recorded, WriteError> {
        let frames = self.0.state.lock().unwrap().left.len() as u64;
        Ok(Recorded {
            path: PathBuf::from("take.wav"),
            written: Written {
                frames,
                clipped_samples: 0,
            },
        })
    }

    fn salvage(self: Box<Self>) -> Result<Recorded, WriteError> {
        self.0.state.lock().unwrap().salvaged = true;
        let recorded = self.finish()?;
        let path = PathBuf::from("take-cut-short.wav");
        Ok(Recorded { path, ..recorded })
    }

    fn growing_path(&self) -> PathBuf {
        PathBuf::from("take.wav.part")
    }
}

/// A recording of the output into one stage, or of both into two.
struct Rig {
    tap: Tap,
    words: Arc<Words>,
    disk: Disk,
    stages: Vec<Arc<Stage>>,
    next: usize,
}

impl Rig {
    fn new(stages: usize) -> Self {
        let stages: Vec<Arc<Stage>> = (0..stages).map(|_| Arc::default()).collect();
        let (tap, spool, words) = tap(stages.len() > 1, RATE_HZ, BLOCK_FRAMES);
        let sinks = stages
            .iter()
            .map(|stage| Box::new(StageSink(Arc::clone(stage))) as Box<dyn Sink>);
        let disk = Disk::start(spool, Arc::clone(&words), sinks.collect(), RATE_HZ).unwrap();
        Self {
            tap,
            words,
            disk,
            stages,
            next: 0,
        }
    }

    /// Plays `frames` in blocks: the output is a ramp that starts at 1, what came in its negative.
    fn play(&mut self, frames: usize) {
        let end = self.next + frames;
        while self.next < end {
            let count = BLOCK_FRAMES.min(end - self.next);
            let wet: Vec<f32> = (self.next..self.next + count).map(sample).collect();
            let dry: Vec<f32> = wet.iter().map(|sample| -sample).collect();
            let before = ViolationCounts::of_this_thread();
            guarded(|| {
                self.tap.keep_dry(&dry, &dry);
                self.tap.push(&wet, &wet);
            });
            assert!(ViolationCounts::of_this_thread().since(before).is_zero());
            self.next += count;
        }
    }

    /// Waits until the disk has all that was played.
    fn settle(&self) {
        for stage in &self.stages {
            while stage.state.lock().unwrap().left.len() < self.next {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    fn finish(self) -> (Vec<Outcome>, Vec<String>) {
        self.words.end();
        self.disk.join()
    }
}

fn sample(frame: usize) -> f32 {
    (frame + 1) as f32
}

fn ramp(frames: usize) -> Vec<f32> {
    (0..frames).map(sample).collect()
}

#[test]
fn a_slow_disk_drops_nothing_up_to_ten_seconds() {
    let mut rig = Rig::new(2);
    rig.play(3 * BLOCK_FRAMES);
    rig.settle();
    rig.stages.iter().for_each(|stage| stage.stall(true));
    rig.play(RING_FRAMES);
    assert_eq!(rig.words.dropped_frames(), 0);
    rig.stages.iter().for_each(|stage| stage.stall(false));
    let stages = rig.stages.clone();
    let frames = rig.next;
    let (outcomes, messages) = rig.finish();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|outcome| outcome.failure.is_none()));
    assert!(messages.is_empty(), "{messages:?}");
    assert!(stages[0].left() == ramp(frames));
    let dry: Vec<f32> = ramp(frames).iter().map(|sample| -sample).collect();
    assert!(stages[1].left() == dry, "frame by frame beside the other");
}

#[test]
fn beyond_ten_seconds_what_is_dropped_is_counted_and_time_stays_right() {
    let mut rig = Rig::new(2);
    rig.stages.iter().for_each(|stage| stage.stall(true));
    rig.play(RING_FRAMES + 5_000);
    let dropped = rig.words.dropped_frames() as usize;
    // The ring has room for one block more, and the disk's thread has a step in its hands.
    assert!((1..=5_000).contains(&dropped), "{dropped}");
    rig.stages.iter().for_each(|stage| stage.stall(false));
    rig.settle_dropped();
    // The disk is well again: from here on all is there.
    rig.play(30_000);
    let frames = rig.next;
    let all_dropped = rig.words.dropped_frames() as usize;
    let stages = rig.stages.clone();
    let (outcomes, _) = rig.finish();
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.frames == frames as u64)
    );
    let (wet, dry) = (stages[0].left(), stages[1].left());
    assert_eq!(wet.len(), frames, "exactly the frames of the programme");
    let silent: Vec<usize> = (0..frames).filter(|&frame| wet[frame] == 0.0).collect();
    assert_eq!(silent.len(), all_dropped);
    for (frame, (&wet, &dry)) in wet.iter().zip(&dry).enumerate() {
        assert!(wet == 0.0 || wet == sample(frame), "frame {frame}: {wet}");
        assert_eq!(dry, -wet, "frame {frame}");
    }
    // One gap, in one piece.
    assert_eq!(silent[silent.len() - 1] - silent[0] + 1, silent.len());
}

impl Rig {
    /// Waits until the disk has all that the ring holds.
    fn settle_dropped(&self) {
        let held = self.next - self.words.dropped_frames() as usize;
        for stage in &self.stages {
            while stage.state.lock().unwrap().left.len() < held {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn a_recording_that_ends_in_a_gap_is_as_long_as_the_programme() {
    let mut rig = Rig::new(1);
    rig.stages[0].stall(true);
    rig.play(RING_FRAMES + 20_000);
    let (frames, dropped) = (rig.next, rig.words.dropped_frames() as usize);
    rig.stages[0].stall(false);
    let stage = Arc::clone(&rig.stages[0]);
    let (outcomes, _) = rig.finish();
    let wet = stage.left();
    assert_eq!((wet.len(), outcomes[0].frames), (frames, frames as u64));
    assert!(wet[..frames - dropped] == ramp(frames - dropped));
    assert!(wet[frames - dropped..].iter().all(|sample| *sample == 0.0));
}

#[test]
fn a_disk_that_stays_too_slow_makes_few_gaps_and_not_many() {
    // By hand, without the disk's thread: ten times the ring, of which a quarter is taken in time.
    let (mut tap, mut spool, words) = tap(false, RATE_HZ, BLOCK_FRAMES);
    let mut planes = Planes::new(false, 25);
    let mut heard = Vec::new();
    let take = |spool: &mut super::tap::Spool, planes: &mut Planes, heard: &mut Vec<f32>| {
        let next = spool.next(planes, 25);
        if let Next::Frames(frames) = next {
            heard.extend(&planes.0[0][0][..frames]);
        }
        next
    };
    let frames = 10 * RING_FRAMES;
    for block in 0..frames / BLOCK_FRAMES {
        let start = block * BLOCK_FRAMES;
        let wet: Vec<f32> = (start..start + BLOCK_FRAMES).map(sample).collect();
        tap.push(&wet, &wet);
        take(&mut spool, &mut planes, &mut heard);
    }
    words.end();
    while take(&mut spool, &mut planes, &mut heard) != Next::End {}
    assert_eq!(heard.len(), frames);
    let wrong = (0..frames).find(|&at| heard[at] != 0.0 && heard[at] != sample(at));
    assert_eq!(wrong, None);
    let dropped = heard.iter().filter(|sample| **sample == 0.0).count();
    assert_eq!(dropped as u64, words.dropped_frames());
    let edges = heard
        .windows(2)
        .filter(|pair| pair[0] != 0.0 && pair[1] == 0.0);
    let gaps = edges.count();
    // Half a second of sound at least lies between two.
    let most = frames / (RATE_HZ as usize / 2);
    assert!((2..=most).contains(&gaps), "{gaps} gaps");
}

#[test]
fn a_full_disk_keeps_what_is_written_says_so_once_and_leaves_the_other_file_alone() {
    let mut rig = Rig::new(2);
    rig.stages[0].state.lock().unwrap().room_frames = Some(12_345);
    for _ in 0..10 {
        rig.play(4_000);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let frames = rig.next;
    let stages = rig.stages.clone();
    let (outcomes, messages) = rig.finish();
    assert_eq!(messages.len(), 1, "{messages:?}");
    for part in [
        "ended early",
        "take.wav",
        "first 1.5 s",
        "take-cut-short.wav",
    ] {
        assert!(messages[0].contains(part), "no {part} in {messages:?}");
    }
    assert_eq!(outcomes[0].path, PathBuf::from("take-cut-short.wav"));
    assert_eq!(outcomes[0].frames, 12_345);
    assert!(outcomes[0].failure.is_some());
    assert!(stages[0].left() == ramp(12_345) && stages[0].state.lock().unwrap().salvaged);
    assert!(outcomes[1].failure.is_none());
    assert_eq!(outcomes[1].frames, frames as u64);
    assert_eq!(stages[1].left().len(), frames);
}

#[test]
fn where_every_file_has_failed_the_callback_is_told_to_let_go() {
    let mut rig = Rig::new(1);
    rig.stages[0].state.lock().unwrap().room_frames = Some(10);
    rig.play(4_000);
    while !rig.disk.is_finished() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(rig.tap.is_over());
    // And what it still pushes does no harm.
    rig.play(3 * RING_FRAMES);
}

#[test]
fn a_callback_that_goes_away_ends_the_recording_with_all_that_it_gave() {
    let mut rig = Rig::new(1);
    rig.play(20_050);
    let Rig {
        tap, disk, stages, ..
    } = rig;
    drop(tap);
    let (outcomes, _) = disk.join();
    assert_eq!(outcomes[0].frames, 20_050);
    assert!(stages[0].left() == ramp(20_050));
    assert_eq!(stages[0].state.lock().unwrap().right.len(), 20_050);
}
