//! What a host gives for sound. Hosts leave out tables, channels and whole buses; nothing of it is believed but
//! that an address which is not null has as many frames as is said.
#![allow(unsafe_code)]

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

    /// `[audio]` Puts `input` where these are; what it has not is silence.
    pub(crate) fn fill_from(&self, input: &Self) {
        let frames = self.frames.min(input.frames);
        for (channel, &to) in self.addresses().iter().enumerate() {
            match input.addresses().get(channel) {
                Some(&from) if from == to => {}
                // SAFETY: both have as many frames, as `of` says; they may lie over one another.
                Some(&from) => unsafe { std::ptr::copy(from, to, frames) },
                // SAFETY: it has as many frames, and all zeros are a number.
                None => unsafe { std::ptr::write_bytes(to, 0, self.frames) },
            }
        }
    }

    /// `[audio]` Whether any frame of these is one of `others`.
    pub(crate) fn overlaps(&self, others: &Self) -> bool {
        let end = |address: *mut f32, frames: usize| address.wrapping_add(frames);
        self.addresses().iter().any(|&ours| {
            others
                .addresses()
                .iter()
                .any(|&other| ours < end(other, others.frames) && other < end(ours, self.frames))
        })
    }

    /// `[audio]` Copies these to `room`, as far as it goes.
    pub(crate) fn copy_to(&self, room: &mut [Box<[f32]>; 2]) {
        for (room, &from) in room.iter_mut().zip(self.addresses()) {
            let frames = self.frames.min(room.len());
            // SAFETY: both have as many frames; the room is ours alone.
            unsafe { std::ptr::copy_nonoverlapping(from, room.as_mut_ptr(), frames) };
        }
    }

    /// `[audio]` Some frames of the channels, to write.
    ///
    /// # Safety
    ///
    /// `start <= end`, which is no more than there are; nobody else has these frames while they are used, and
    /// no two channels lie over one another.
    pub(crate) unsafe fn parts<'a>(&self, start: usize, end: usize) -> [&'a mut [f32]; 2] {
        let part = |channel: usize| {
            if channel >= self.count {
                return &mut [][..];
            }
            let address = self.addresses[channel];
            // SAFETY: the frames are there, as `of` says, and nobody else has them, as the caller says.
            unsafe { std::slice::from_raw_parts_mut(address.add(start), end - start) }
        };
        [part(0), part(1)]
    }

    /// `[audio]` The same to read.
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
