//! A file in place of the input: a reader thread decodes and resamples into a ring, and the output
//! callback takes from it. The callback never touches the file.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use headroom_engine::MemoryMap;
use headroom_engine::memory::Owner;
use headroom_engine::memory::Place;
use headroom_engine::memory::Sort;
use headroom_engine::realtime::enlist_thread;
use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use super::error::PlayError;
use crate::audio_file::ReadError;
use crate::audio_file::Reader;
use crate::audio_file::Resampled;
use crate::memory::ring_place;

/// Seconds of sound that the ring holds: what a stalled disk may cost before it is heard.
const RING_SECS: f64 = 1.0;
/// Frames that the reader decodes at a time.
const CHUNK_FRAMES: usize = 1024;
/// How long the reader sleeps when the ring is full.
const FULL_PAUSE: Duration = Duration::from_millis(10);
/// How long playing waits for the ring to fill at the start; a slow disk starts with what it has.
const FILL_LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Words {
    /// The reader pushed its last frame. Release by the reader, Acquire by the callback.
    ended: AtomicBool,
    /// The reader is to end. Relaxed: it carries nothing but itself.
    quit: AtomicBool,
    /// Why the reader gave up early. Main and reader threads only.
    failure: Mutex<Option<ReadError>>,
}

/// The main thread's end: owns the reader thread and ends it when dropped.
pub(super) struct FileSource {
    words: Arc<Words>,
    reader: Option<JoinHandle<()>>,
}

/// The output callback's end.
pub(super) struct FileInput {
    consumer: Consumer<f32>,
    ring: Place,
    words: Arc<Words>,
}

/// What one [`FileInput::fill`] found.
pub(super) struct Read {
    /// Frames that came from the file; the rest is silence.
    pub(super) frames: usize,
    /// The reader was too slow for this block.
    pub(super) ran_dry: bool,
    /// The file is over and every frame of it has been taken.
    pub(super) over: bool,
}

/// `[main]` Opens `path`, starts its reader `from_secs` into it (from the start again where it is repeated)
/// and waits until the ring is full, or the file is in it.
///
/// # Errors
///
/// The file is missing, unreadable, empty, or in a format that is not supported.
pub(super) fn open(
    path: &Path,
    sample_rate_hz: u32,
    repeat: bool,
    from_secs: f64,
) -> Result<(FileSource, FileInput), PlayError> {
    let mut first = Resampled::new(Reader::open(path)?, sample_rate_hz)?;
    let mut chunk = Chunk::new();
    if chunk.read(&mut first)? == 0 {
        return Err(PlayError::EmptyInput {
            path: path.to_owned(),
        });
    }

    let capacity_frames = (RING_SECS * f64::from(sample_rate_hz)).ceil() as usize;
    let (mut producer, consumer) = RingBuffer::new(capacity_frames * 2);
    let ring = ring_place(&mut producer);
    let words = Arc::new(Words::default());
    let feed = Feed {
        path: path.to_owned(),
        sample_rate_hz,
        repeat,
        skip_frames: (from_secs * f64::from(sample_rate_hz)).round() as u64,
        producer,
        words: Arc::clone(&words),
    };
    let reader = std::thread::Builder::new()
        .name("headroom-reader".to_owned())
        .spawn(move || {
            let _enlisted = enlist_thread("reader");
            feed.run(first, chunk);
        })
        .map_err(|source| PlayError::System {
            doing: "start the reader thread",
            source,
        })?;
    let source = FileSource {
        words: Arc::clone(&words),
        reader: Some(reader),
    };
    let input = FileInput {
        consumer,
        ring,
        words,
    };

    let limit = Instant::now() + FILL_LIMIT;
    while !input.words.ended.load(Acquire)
        && input.consumer.slots() < capacity_frames
        && Instant::now() < limit
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((source, input))
}

impl FileSource {
    /// `[main]` Why the reader gave up before the end of the file, told once.
    pub(super) fn take_failure(&self) -> Option<ReadError> {
        self.words
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for FileSource {
    fn drop(&mut self) {
        self.words.quit.store(true, Relaxed);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has ended, and that is all that is asked of it here.
            let _ended = reader.join();
        }
    }
}

impl FileInput {
    /// `[main]` Lists its memory.
    pub(super) fn list(&self, map: &mut MemoryMap) {
        let reader = || Owner::Program("reader");
        map.add_heap(reader(), "frames read ahead", Sort::Ring, self.ring);
        let words = Place::at(Arc::as_ptr(&self.words), 1);
        map.add_heap(reader(), "words", Sort::Cells, words);
    }

    /// `[audio]` Fills both channels (of equal length) with the next frames; silence where there are none.
    pub(super) fn fill(&mut self, left: &mut [f32], right: &mut [f32]) -> Read {
        // Before the count: all that was pushed before `ended` is then seen by it.
        let ended = self.words.ended.load(Acquire);
        let held_frames = self.consumer.slots() / 2;
        let frames = left.len().min(held_frames);
        if let Ok(chunk) = self.consumer.read_chunk(frames * 2) {
            let mut samples = chunk.into_iter();
            for (left, right) in left.iter_mut().zip(right.iter_mut()).take(frames) {
                *left = samples.next().unwrap_or(0.0);
                *right = samples.next().unwrap_or(0.0);
            }
        }
        left[frames..].fill(0.0);
        right[frames..].fill(0.0);
        Read {
            frames,
            ran_dry: frames < left.len() && !ended,
            over: ended && frames == held_frames,
        }
    }
}

/// The reader thread's side.
struct Feed {
    path: PathBuf,
    sample_rate_hz: u32,
    repeat: bool,
    /// Frames that are decoded and not pushed.
    skip_frames: u64,
    producer: Producer<f32>,
    words: Arc<Words>,
}

impl Feed {
    fn run(mut self, first: Resampled, chunk: Chunk) {
        if let Err(error) = self.feed(first, chunk) {
            *self
                .words
                .failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        self.words.ended.store(true, Release);
    }

    fn feed(&mut self, mut frames: Resampled, mut chunk: Chunk) -> Result<(), ReadError> {
        loop {
            let mut length_frames = 0;
            while chunk.frames > 0 {
                length_frames += chunk.frames as u64;
                if !self.push(&chunk) {
                    return Ok(());
                }
                chunk.read(&mut frames)?;
            }
            if !self.repeat {
                return Ok(());
            }
            // How long one round is, is known only now: the rest of the way is less than one.
            self.skip_frames %= length_frames.max(1);
            frames = Resampled::new(Reader::open(&self.path)?, self.sample_rate_hz)?;
            // Cut to nothing while playing: over, not an endless search.
            if chunk.read(&mut frames)? == 0 {
                return Ok(());
            }
        }
    }

    /// Waits for room; `false` when told to quit.
    fn push(&mut self, chunk: &Chunk) -> bool {
        let (left, right) = chunk.planes();
        let mut done = self.skip_frames.min(left.len() as u64) as usize;
        self.skip_frames -= done as u64;
        if self.words.quit.load(Relaxed) {
            return false;
        }
        while done < left.len() {
            if self.words.quit.load(Relaxed) || self.producer.is_abandoned() {
                return false;
            }
            let room_frames = (self.producer.slots() / 2).min(left.len() - done);
            if room_frames == 0 {
                std::thread::sleep(FULL_PAUSE);
                continue;
            }
            let range = done..done + room_frames;
            if let Ok(slots) = self.producer.write_chunk_uninit(room_frames * 2) {
                let frames = left[range.clone()].iter().zip(&right[range]);
                slots.fill_from_iter(frames.flat_map(|(left, right)| [*left, *right]));
            }
            done += room_frames;
        }
        true
    }
}

/// One decoded piece of the file, planar.
struct Chunk {
    left: Vec<f32>,
    right: Vec<f32>,
    frames: usize,
    stereo: bool,
}

impl Chunk {
    fn new() -> Self {
        Self {
            left: vec![0.0; CHUNK_FRAMES],
            right: vec![0.0; CHUNK_FRAMES],
            frames: 0,
            stereo: true,
        }
    }

    /// The next frames; 0 at the end.
    fn read(&mut self, from: &mut Resampled) -> Result<usize, ReadError> {
        self.stereo = from.reader().channels() > 1;
        self.frames = if self.stereo {
            from.read(&mut [&mut self.left, &mut self.right])?
        } else {
            from.read(&mut [&mut self.left])?
        };
        Ok(self.frames)
    }

    /// Both sides; a mono file is heard on both.
    fn planes(&self) -> (&[f32], &[f32]) {
        let right = if self.stereo { &self.right } else { &self.left };
        (&self.left[..self.frames], &right[..self.frames])
    }
}
