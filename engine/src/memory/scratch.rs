//! The arena of one block: what a chunk needs beside the sound itself is taken from it piece by piece,
//! and all of it is free again when the next callback begins.

use std::cell::Cell;

use super::arena::{ArenaSlice, Carver};
use crate::block::{Block, CHUNK_FRAMES};

/// One channel of a chunk.
pub(crate) type Plane = [f32; CHUNK_FRAMES];

/// The most that one callback has in use at once: a chunk that cannot run in the caller's buffers, through
/// two racks, each of which changes, and with a key. `tests/health.rs` holds that it is no more, and no less.
const PLANES: usize = 24;

/// The memory of the arena, and how much of it was ever used.
pub(crate) struct Scratch {
    planes: ArenaSlice<Plane>,
    most: Cell<usize>,
}

impl Scratch {
    /// Its size.
    pub(crate) const BYTES: usize = PLANES * size_of::<Plane>();

    /// `[main]` Takes its memory.
    pub(crate) fn carve(carver: &mut Carver) -> Self {
        Self {
            planes: carver.slice("scratch", PLANES, |_| [0.0; CHUNK_FRAMES]),
            most: Cell::new(0),
        }
    }

    /// `[audio]` A callback begins, or anything else that needs it: all of it is free.
    pub(crate) fn begin(&mut self) -> Cursor<'_> {
        Cursor {
            room: self.planes.len(),
            free: &mut self.planes,
            most: &self.most,
        }
    }

    /// `[audio]` Takes it out, for a callback that borrows everything else; nothing is left in its place
    /// until it is put back.
    pub(crate) fn lend(&mut self) -> Self {
        let planes = std::mem::replace(&mut self.planes, ArenaSlice::empty());
        Self {
            planes,
            most: self.most.clone(),
        }
    }

    /// `[audio]` The most bytes that were ever in use at once.
    pub(crate) fn most_bytes(&self) -> usize {
        self.most.get() * size_of::<Plane>()
    }
}

/// The place up to which the arena is used. What is taken from it is given back where it ends.
pub(crate) struct Cursor<'a> {
    free: &'a mut [Plane],
    room: usize,
    most: &'a Cell<usize>,
}

impl<'a> Cursor<'a> {
    /// `[audio]` One that starts where this one stands: what is taken from it is free again after it.
    pub(crate) fn nested(&mut self) -> Cursor<'_> {
        Cursor {
            free: &mut *self.free,
            room: self.room,
            most: self.most,
        }
    }

    /// `[audio]` Room for one channel; what it holds is left from before.
    pub(crate) fn plane(&mut self) -> &'a mut Plane {
        let [plane] = self.take();
        plane
    }

    /// `[audio]` Room for each channel; what it holds is left from before.
    pub(crate) fn chunk(&mut self) -> Chunk<'a> {
        Chunk(self.take())
    }

    fn take<const COUNT: usize>(&mut self) -> &'a mut [Plane; COUNT] {
        let free = std::mem::take(&mut self.free);
        // PANIC: PLANES are as many as are ever taken.
        let (taken, free) = free.split_first_chunk_mut().expect("scratch for a block");
        self.free = free;
        let used = self.room - self.free.len();
        if used > self.most.get() {
            self.most.set(used);
        }
        taken
    }
}

/// Room for one chunk of each channel, each on cache lines of its own.
pub(crate) struct Chunk<'a>(pub(crate) &'a mut [Plane; 2]);

impl Chunk<'_> {
    /// `[audio]` Fills it with zeros.
    pub(crate) fn silence(&mut self) {
        *self.0 = [[0.0; CHUNK_FRAMES]; 2];
    }

    /// `[audio]` The first `frames` of each channel.
    pub(crate) fn split(&mut self, frames: usize) -> [&mut [f32]; 2] {
        let [left, right] = &mut *self.0;
        [&mut left[..frames], &mut right[..frames]]
    }

    /// `[audio]` The first `frames` of as many channels as asked for.
    pub(crate) fn block(&mut self, channels: usize, frames: usize, position: u64) -> Block<'_> {
        let [left, right] = &mut *self.0;
        if channels == 1 {
            Block::mono(&mut left[..frames], position)
        } else {
            Block::stereo(&mut left[..frames], &mut right[..frames], position)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::{Memory, Region};
    use super::*;

    fn scratch() -> Scratch {
        let region = Region::map(Scratch::BYTES, &Memory::default()).unwrap();
        Scratch::carve(&mut Carver::carving(region))
    }

    #[test]
    fn pieces_lie_apart_and_are_free_again_with_their_cursor() {
        let mut scratch = scratch();
        let mut cursor = scratch.begin();
        let first = cursor.chunk();
        let nested = {
            let mut nested = cursor.nested();
            let (plane, chunk) = (nested.plane(), nested.chunk());
            *plane = [1.0; CHUNK_FRAMES];
            chunk.0[1] = [2.0; CHUNK_FRAMES];
            assert_eq!(plane[CHUNK_FRAMES - 1], 1.0);
            [plane.as_ptr().addr(), chunk.0.as_ptr().addr()]
        };
        let again = cursor.plane();
        assert_eq!(again.as_ptr().addr(), nested[0]);
        assert_eq!(first.0.as_ptr().addr() + 2 * size_of::<Plane>(), nested[0]);
        assert_eq!(nested.map(|address| address % 64), [0, 0]);
        assert_eq!(scratch.most_bytes(), 5 * size_of::<Plane>());
        let lent = scratch.lend();
        assert_eq!((lent.planes.len(), scratch.planes.len()), (PLANES, 0));
        assert_eq!(lent.most_bytes(), 5 * size_of::<Plane>());
    }

    #[test]
    #[should_panic(expected = "scratch for a block")]
    fn more_than_there_is_is_refused() {
        let mut scratch = scratch();
        let mut cursor = scratch.begin();
        for _ in 0..=PLANES / 2 {
            cursor.chunk();
        }
    }
}
