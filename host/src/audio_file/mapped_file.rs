//! A file in memory: mapped, read from front to back with read-ahead, and let go of behind.
//!
//! The bytes of a mapped file may change under us at any time, so they are only ever copied out, never
//! looked at in place; what was copied counts only if the file is still as long as it was.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use memmap2::{Advice, MmapOptions, MmapRaw, UncheckedAdvice};

use super::bus_guard::BusGuard;

/// How far ahead of the reader the system is asked to read, and how much stays mapped behind it.
const WINDOW_BYTES: usize = 1 << 20;

/// A regular file of fixed length, from its first byte.
pub(super) struct MappedFile {
    // Before what it watches.
    guard: BusGuard,
    map: MmapRaw,
    file: File,
    position: u64,
    /// The window that the reader was in when the system was last told.
    window: Option<usize>,
}

impl MappedFile {
    /// `[main]` Maps `file`; gives it back where that cannot be done (an empty file, a file system that does
    /// not map): then it has to be read.
    pub(super) fn new(file: File) -> Result<Self, File> {
        let Ok(map) = MmapOptions::new().map_raw_read_only(&file) else {
            return Err(file);
        };
        let Some(guard) = BusGuard::new(map.as_ptr(), map.len()) else {
            return Err(file);
        };
        // The system may not take advice; it costs nothing to give it.
        let _advice = map.advise(Advice::Sequential);
        Ok(Self {
            guard,
            map,
            file,
            position: 0,
            window: None,
        })
    }

    /// `[any]` Its length when it was opened.
    pub(super) fn length_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Where the next byte is read, inside the map; at its end if it is beyond.
    fn at(&self) -> usize {
        usize::try_from(self.position).map_or(self.map.len(), |at| at.min(self.map.len()))
    }

    /// Tells the system what is wanted next and what is not wanted any more, once a window.
    fn look_ahead(&mut self) {
        let window = self.at() / WINDOW_BYTES;
        if self.window == Some(window) {
            return;
        }
        let length = self.map.len();
        let start = window * WINDOW_BYTES;
        let ahead = (2 * WINDOW_BYTES).min(length - start);
        let _advice = self.map.advise_range(Advice::WillNeed, start, ahead);
        if let Some(before) = self.window
            && before < window
        {
            let from = before * WINDOW_BYTES;
            // SAFETY: the map is shared with its file and never written: what is dropped from memory is
            // read again when it is wanted again.
            let _advice = unsafe {
                self.map
                    .unchecked_advise_range(UncheckedAdvice::DontNeed, from, start - from)
            };
        }
        self.window = Some(window);
    }
}

impl Read for MappedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let at = self.at();
        let count = bytes.len().min(self.map.len() - at);
        if count == 0 {
            return Ok(0);
        }
        self.look_ahead();
        // SAFETY: `at + count` is at most the map's length, and the map lives as long as `self`; `bytes` is
        // memory of its own. Where the file has ended, the guard has zeros read. Others may write to the
        // file meanwhile, which is why it is copied through raw pointers and never borrowed.
        unsafe {
            std::ptr::copy_nonoverlapping(self.map.as_ptr().add(at), bytes.as_mut_ptr(), count);
        }
        // In the last page of a file that was cut no fault tells: zeros stand there.
        let length = self.file.metadata()?.len();
        if self.guard.is_cut() || length < (at + count) as u64 {
            // Not `UnexpectedEof`: decoders take that for a file's ordinary end.
            return Err(io::Error::other(
                "it was cut while it was read, or its disk failed",
            ));
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for MappedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length_bytes().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
