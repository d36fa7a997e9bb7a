//! Cells: small things that are written often, each by itself under a sequence lock of its own.
//!
//! A writer that dies inside one wedges that one only; readers give up after a few tries.

use crate::sync::{AtomicU32, Ordering, acquire, acquire_fence, release, release_fence};

/// How often a reader tries to copy a cell that is being written.
const TRIES: usize = 8;

/// `WORDS` words. Writer: the main thread of the audio process; readers: anybody.
#[repr(C)]
pub(crate) struct Cell<const WORDS: usize> {
    /// Odd while it is written; 0 when it never was. Release, with the reader's Acquire.
    sequence: AtomicU32,
    words: [AtomicU32; WORDS],
}

impl<const WORDS: usize> Cell<WORDS> {
    #[cfg(any(test, loom))]
    pub(crate) fn new() -> Self {
        Self {
            sequence: AtomicU32::new(0),
            words: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }

    /// `[main]` Writes the first words; the others stay.
    pub(crate) fn write(&self, words: &[u32]) {
        // Relaxed: only this side writes it. What another process did to it is mended: even is even.
        let before = self.sequence.load(Ordering::Relaxed) & !1;
        self.sequence.store(before | 1, Ordering::Relaxed);
        // Release: whoever reads a new word sees, behind its fence, that the number is odd.
        release_fence();
        for (cell, word) in self.words.iter().zip(words) {
            cell.store(*word, Ordering::Relaxed);
        }
        // Never 0 again: that means that nothing has been written.
        let after = before.wrapping_add(2).max(2);
        self.sequence.store(after, release());
    }

    /// `[any]` A copy of all words; `None` when nothing has been written yet, or always is.
    pub(crate) fn read(&self) -> Option<[u32; WORDS]> {
        for _ in 0..TRIES {
            let before = self.sequence.load(acquire());
            if before == 0 {
                return None;
            }
            if before & 1 == 1 {
                std::hint::spin_loop();
                continue;
            }
            let words = std::array::from_fn(|at| self.words[at].load(Ordering::Relaxed));
            // Acquire: the words are read before the number is looked at again.
            acquire_fence();
            if self.sequence.load(Ordering::Relaxed) == before {
                return Some(words);
            }
        }
        None
    }
}

/// Text in words, cut at a character's end, padded with zeros.
pub(crate) fn text_to_words<const WORDS: usize>(text: &str) -> [u32; WORDS] {
    let end = text.floor_char_boundary(WORDS * 4);
    let mut words = [0; WORDS];
    for (word, part) in words.iter_mut().zip(text.as_bytes()[..end].chunks(4)) {
        let mut bytes = [0; 4];
        bytes[..part.len()].copy_from_slice(part);
        *word = u32::from_le_bytes(bytes);
    }
    words
}

/// Text out of words up to the first zero; what is no text is shown as such, and control characters are
/// left out: it may end on somebody's terminal.
pub(crate) fn text_from_words(words: &[u32]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    text.chars().filter(|char| !char.is_control()).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_a_character_and_never_writes_on_a_terminal() {
        let words: [u32; 2] = text_to_words("-18.0 d\u{f6}B");
        assert_eq!(text_from_words(&words), "-18.0 d");
        let words: [u32; 4] = text_to_words("a\u{1b}[31m");
        assert_eq!(text_from_words(&words), "a[31m");
        assert_eq!(
            text_from_words(&[u32::MAX, 0]),
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn a_cell_that_was_never_written_or_always_is_gives_nothing() {
        let cell: Cell<3> = Cell::new();
        assert_eq!(cell.read(), None);
        cell.write(&[1, 2, 3]);
        assert_eq!(cell.read(), Some([1, 2, 3]));
        cell.sequence.store(5, Ordering::Relaxed);
        assert_eq!(cell.read(), None);
        cell.write(&[4]);
        assert_eq!(cell.read(), Some([4, 2, 3]), "the next write mends it");
    }

    #[test]
    fn a_reader_beside_the_writer_sees_whole_cells_only() {
        use std::sync::atomic::AtomicBool;
        let cell: Cell<16> = Cell::new();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let start = std::time::Instant::now();
                let mut number = 0_u32;
                while start.elapsed().as_millis() < 200 {
                    number = number.wrapping_add(1);
                    cell.write(&[number; 16]);
                }
                over.store(true, Ordering::Release);
            });
            let mut reads = 0;
            while !over.load(Ordering::Acquire) {
                if let Some(words) = cell.read() {
                    reads += 1;
                    assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
                }
            }
            assert!(reads > 10, "{reads}");
        });
    }
}
