//! A sheet: a text that one process writes as a whole and others read as a whole.
//!
//! There are two pages. The writer fills the one that is not shown and then turns it up. A reader copies the
//! page that is shown and looks whether the writer has begun to fill it again meanwhile. A writer that dies
//! in the middle leaves the page that is shown as it was: unlike under one large sequence lock nobody waits
//! for the dead.

use crate::sync::{AtomicU32, AtomicU64, Ordering, acquire, acquire_fence, release, release_fence};

/// How often a reader begins again when the page was written anew under its hands.
const TRIES: usize = 4;

/// A text of at most `8 * WORDS` bytes. Writer: the main thread of the audio process; readers: anybody.
#[repr(C, align(64))]
pub(crate) struct Sheet<const WORDS: usize> {
    /// Which generation is shown: page `shown % 2`. 0: none yet. Release, with the reader's Acquire.
    shown: AtomicU64,
    /// Which generation is being written, or was last. A Release fence stands behind it, the partner of the
    /// reader's Acquire fence.
    writing: AtomicU64,
    bytes: [AtomicU32; 2],
    _apart: [u32; 10],
    pages: [[AtomicU64; WORDS]; 2],
}

impl<const WORDS: usize> Sheet<WORDS> {
    /// Bytes that it takes at the most.
    pub(crate) const ROOM: usize = WORDS * 8;

    #[cfg(any(test, loom))]
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self {
            shown: AtomicU64::new(0),
            writing: AtomicU64::new(0),
            bytes: std::array::from_fn(|_| AtomicU32::new(0)),
            _apart: [0; 10],
            pages: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
        })
    }

    /// `[main]` Shows `text`; false, and nothing has changed, when it is too long. `generation` is the
    /// writer's own count, which begins at 1 and rises by one with each text.
    pub(crate) fn write(&self, generation: u64, text: &[u8]) -> bool {
        if text.len() > Self::ROOM {
            return false;
        }
        let page = (generation % 2) as usize;
        self.writing.store(generation, Ordering::Relaxed);
        // Release: whoever reads a word of the new text sees, behind its fence, that it is being written.
        release_fence();
        self.bytes[page].store(text.len() as u32, Ordering::Relaxed);
        for (cell, part) in self.pages[page].iter().zip(text.chunks(8)) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            cell.store(u64::from_le_bytes(word), Ordering::Relaxed);
        }
        // Release: whoever sees the generation finds the whole text.
        self.shown.store(generation, release());
        true
    }

    /// `[any]` The generation that is shown.
    pub(crate) fn generation(&self) -> u64 {
        self.shown.load(acquire())
    }

    /// `[any]` A copy of what is shown and its generation; `None` when there is nothing, or it is written
    /// anew faster than it can be read.
    pub(crate) fn read(&self) -> Option<(u64, Vec<u8>)> {
        for _ in 0..TRIES {
            // Acquire: with the writer's Release.
            let generation = self.shown.load(acquire());
            if generation == 0 {
                return None;
            }
            let page = (generation % 2) as usize;
            let bytes = self.bytes[page].load(Ordering::Relaxed) as usize;
            // Another process wrote this.
            let bytes = bytes.min(Self::ROOM);
            let mut text = Vec::with_capacity(bytes.next_multiple_of(8));
            for cell in &self.pages[page][..bytes.div_ceil(8)] {
                text.extend(cell.load(Ordering::Relaxed).to_le_bytes());
            }
            text.truncate(bytes);
            // Acquire: the words are read before `writing` is. Partner: the writer's Release fence.
            acquire_fence();
            let writing = self.writing.load(Ordering::Relaxed);
            // The same page is filled again two generations later.
            if writing < generation.saturating_add(2) {
                return Some((generation, text));
            }
        }
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_the_newest_text_and_what_is_too_long_is_refused() {
        let sheet: Box<Sheet<4>> = Sheet::boxed();
        assert_eq!(sheet.read(), None);
        for (generation, text) in
            (1..).zip([&b"a"[..], b"", b"0123456789abcdef0123456789abcdef", b"end"])
        {
            assert!(sheet.write(generation, text));
            assert_eq!(sheet.read(), Some((generation, text.to_vec())));
        }
        assert!(!sheet.write(5, &[0; 33]));
        assert_eq!(sheet.read(), Some((4, b"end".to_vec())));
    }

    #[test]
    fn a_writer_that_dies_in_the_middle_leaves_what_was_shown() {
        let sheet: Box<Sheet<4>> = Sheet::boxed();
        sheet.write(1, b"first");
        // As far as a writer of the second text gets when it is killed.
        sheet.writing.store(2, Ordering::Relaxed);
        sheet.bytes[0].store(u32::MAX, Ordering::Relaxed);
        sheet.pages[0][0].store(u64::MAX, Ordering::Relaxed);
        assert_eq!(sheet.read(), Some((1, b"first".to_vec())));
    }

    #[test]
    fn a_reader_beside_the_writer_sees_whole_texts_only() {
        use std::sync::atomic::AtomicBool;
        let sheet: Box<Sheet<64>> = Sheet::boxed();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let start = std::time::Instant::now();
                let mut generation = 0;
                while start.elapsed().as_millis() < 300 {
                    generation += 1;
                    let text = vec![generation as u8; 1 + (generation % 512) as usize];
                    sheet.write(generation, &text);
                }
                over.store(true, Ordering::Release);
            });
            let mut reads = 0;
            while !over.load(Ordering::Acquire) {
                if let Some((generation, text)) = sheet.read() {
                    reads += 1;
                    assert_eq!(text.len() as u64, 1 + generation % 512);
                    assert!(text.iter().all(|byte| *byte == generation as u8));
                }
            }
            assert!(reads > 10, "{reads}");
        });
    }

    #[test]
    fn no_length_is_believed() {
        let sheet: Box<Sheet<4>> = Sheet::boxed();
        for (shown, writing) in [(1, 0), (u64::MAX, 0), (u64::MAX, u64::MAX), (3, 9)] {
            sheet.shown.store(shown, Ordering::Relaxed);
            sheet.writing.store(writing, Ordering::Relaxed);
            sheet
                .bytes
                .iter()
                .for_each(|bytes| bytes.store(u32::MAX, Ordering::Relaxed));
            if let Some((_, text)) = sheet.read() {
                assert!(text.len() <= 32);
            }
        }
    }
}
