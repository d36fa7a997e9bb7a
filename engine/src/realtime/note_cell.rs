//! A few words that one thread leaves for another: whole or not at all.

use crate::sync::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, fence};

/// `N` words. One thread writes at a time; another note later takes the place of the one before.
#[derive(Debug)]
pub(crate) struct NoteCell<const N: usize> {
    /// Odd while there is no note, and while one is written; otherwise twice the number of notes up to now, so
    /// that no two have the same.
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Default for NoteCell<N> {
    fn default() -> Self {
        Self {
            sequence: AtomicU64::new(1),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl<const N: usize> NoteCell<N> {
    /// `[audio]` Takes the note away, before another is made.
    pub(crate) fn clear(&self) {
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence | 1, Relaxed);
        // With the reader's fence: whoever sees one of the new words sees the odd number too.
        fence(Release);
    }

    /// `[audio]` Leaves a note, after [`Self::clear`].
    pub(crate) fn put(&self, words: [u64; N]) {
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Relaxed);
        }
        let sequence = self.sequence.load(Relaxed);
        // With the reader's first load: whoever sees the number sees the words.
        self.sequence.store(sequence + 1, Release);
    }

    /// `[main]` The newest note; `None` before the first, and while one is being written.
    pub(crate) fn get(&self) -> Option<[u64; N]> {
        let sequence = self.sequence.load(Acquire);
        let words = std::array::from_fn(|at| self.words[at].load(Relaxed));
        fence(Acquire);
        let is_whole = sequence.is_multiple_of(2) && self.sequence.load(Relaxed) == sequence;
        is_whole.then_some(words)
    }
}
