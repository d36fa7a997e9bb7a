//! What a host gives for sound. Hosts leave out tables, channels and whole buses; nothing of it is believed but
//! that an address which is not null has as many frames as is said.
#![allow(unsafe_code)]

use std::ops::Range;

/// The channels of a port that are there, two at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    addresses: [*mut f32; 2],
    count: usize,
    frames: usize,
}

impl Channels {
    /// `[audio]` The first `most` channels of a table of `count`; none where it is missing.
    ///
    /// # Safety
    ///
    /// `table` is null or has `count` channels, and a channel that is not null has `frames` frames, for as long
    /// as the channels are used.
    pub(crate) unsafe fn of(
        table: *const *mut f32,
        count: usize,
        most: usize,
        frames: usize,
    ) -> Self {
        let mut channels = Self::none(frames);
        if table.is_null() {
            return channels;
        }
        for channel in 0..most.min(2).min(count) {
            // SAFETY: the table has as many channels, as the caller says.
            let address = unsafe { table.add(channel).read() };
            if address.is_null() {
                break;
            }
            channels.addresses[channel] = address;
            channels.count += 1;
        }
        channels
    }

    /// `[audio]` No channels.
    pub(crate) fn none(frames: usize) -> Self {
        Self {
            addresses: [std::ptr::null_mut(); 2],
            count: 0,
            frames,
        }
    }

    pub(crate) fn frames(&self) -> usize {
        self.frames
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// `[audio]` Whether there are so many, each for itself.
    pub(crate) fn are(&self, count: usize) -> bool {
        let [first, second] = self.addresses.map(|address| address.addr());
        let bytes = self.frames * size_of::<f32>();
        self.count == count && (count < 2 || first.abs_diff(second) >= bytes)
    }

    fn addresses(&self) -> &[*mut f32] {
        &self.addresses[..self.count]
    }

    /// `[audio]` Copies some frames to `room`, which has as many channels as are wanted; one that is not there is
    /// silence.
    pub(crate) fn copy_to(&self, part: &Range<usize>, room: &mut [&mut [f32]]) {
        let count = part.len().min(self.frames - part.start);
        for (channel, room) in room.iter_mut().enumerate() {
            let room = &mut room[..count];
            match self.addresses().get(channel) {
                // SAFETY: the frames are there, as `of` says, and the room is ours alone.
                Some(&from) => unsafe {
                    std::ptr::copy_nonoverlapping(from.add(part.start), room.as_mut_ptr(), count);
                },
                None => room.fill(0.0),
            }
        }
    }

    /// `[audio]` Puts `room` where some frames of these are.
    ///
    /// # Safety
    ///
    /// Nobody else has the frames.
    pub(crate) unsafe fn write(&self, part: &Range<usize>, room: &[&mut [f32]]) {
        let count = part.len().min(self.frames - part.start);
        for (room, &to) in room.iter().zip(self.addresses()) {
            let room = &room[..count];
            // SAFETY: the frames are there, as `of` says, and nobody else has them, as the caller says.
            unsafe { std::ptr::copy_nonoverlapping(room.as_ptr(), to.add(part.start), count) };
        }
    }

    /// `[audio]` Some frames of the channels, to read.
    ///
    /// # Safety
    ///
    /// `start <= end`, which is no more than there are; nobody writes these frames while they are used.
    pub(crate) unsafe fn heard<'a>(&self, start: usize, end: usize) -> [&'a [f32]; 2] {
        let part = |channel: usize| {
            if channel >= self.count {
                return &[][..];
            }
            let address = self.addresses[channel];
            // SAFETY: the frames are there, as `of` says, and nobody writes them, as the caller says.
            unsafe { std::slice::from_raw_parts(address.add(start), end - start) }
        };
        [part(0), part(1)]
    }
}
