//! A host's block, whatever the format: its buffers, its key, its changes at their frames, and the strip.
#![allow(unsafe_code)]

use crate::buffers::Channels;
use crate::feed::Rings;
use crate::strip::Strip;

/// What a host has settled before it plays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) rate_hz: f64,
    pub(crate) most_frames: usize,
    /// In and out.
    pub(crate) channels: usize,
    /// Of the key; 0: there is none.
    pub(crate) key_channels: usize,
    pub(crate) is_offline: bool,
}

/// What a host gives for one block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffers {
    pub(crate) output: Channels,
    pub(crate) input: Channels,
    pub(crate) key: Channels,
}

/// A cache line, in samples.
const LINE: usize = 16;

/// One channel's frames, on cache lines.
struct Room {
    /// With as many samples more as the first line may be away.
    samples: Box<[f32]>,
    first: usize,
    frames: usize,
}

impl Room {
    /// `[main]` For so many.
    fn of(frames: usize) -> Self {
        let samples: Box<[f32]> = vec![0.0; frames + LINE].into();
        let first = samples.as_ptr().align_offset(LINE * size_of::<f32>());
        Self {
            samples,
            first: first.min(LINE),
            frames,
        }
    }

    /// `[audio]` All of them.
    fn frames(&mut self) -> &mut [f32] {
        &mut self.samples[self.first..self.first + self.frames]
    }
}

/// What the audio thread has, and the main thread while that has not.
pub(crate) struct Player {
    strip: Strip,
    channels: usize,
    key_channels: usize,
    /// Sound is made here, where it lies on cache lines, and not in a host's buffers, which lie anywhere and over
    /// one another: what goes in and what is followed is heard before any of the output is written.
    room: [Room; 2],
    is_offline: bool,
}

impl Player {
    /// `[main]` Of a strip that plays nothing yet.
    pub(crate) fn new(strip: Strip) -> Self {
        Self {
            strip,
            channels: 2,
            key_channels: 0,
            room: [Room::of(1), Room::of(1)],
            is_offline: false,
        }
    }

    /// `[main]` Makes ready for what a host has settled. Gives the latency.
    pub(crate) fn make_ready(&mut self, setup: Setup) -> Option<usize> {
        let frames = setup.most_frames.max(1);
        let latency_frames = self
            .strip
            .make_ready(setup.rate_hz, frames, setup.channels)?;
        self.channels = setup.channels;
        self.key_channels = setup.key_channels;
        self.is_offline = setup.is_offline;
        if self.room[0].frames < frames {
            self.room = [(); 2].map(|()| Room::of(frames));
        }
        Some(latency_frames)
    }

    /// `[audio]` Channels in and out, and of the key.
    pub(crate) fn channels(&self) -> (usize, usize) {
        (self.channels, self.key_channels)
    }

    /// `[audio]` Forgets all sound.
    pub(crate) fn reset(&mut self) {
        self.strip.reset();
    }

    /// `[audio]` The host's tempo from here on.
    pub(crate) fn go_by(&mut self, bpm: f64) {
        self.strip.go_by(bpm);
    }

    /// `[audio]` One block; `None`, and nothing is done, where there is no sound to be made. `set_until` sets
    /// what the host changes up to a frame, and gives that of its next change, if there is one.
    ///
    /// # Safety
    ///
    /// Nobody else has the buffers' frames until the block is done.
    pub(crate) unsafe fn play(
        &mut self,
        buffers: &Buffers,
        is_offline: bool,
        mut set_until: impl FnMut(&mut Strip, usize) -> Option<usize>,
    ) -> Option<Rings> {
        let Buffers { output, input, key } = buffers;
        let frames = output.frames();
        if frames == 0 || !output.are(self.channels) {
            return None;
        }
        let is_offline = self.is_offline || is_offline;
        let most = self.room[0].frames;
        let [left, right] = &mut self.room;
        let room = &mut [left.frames(), right.frames()][..self.channels];
        let (mut start, mut rings) = (0, Rings::No);
        while start < frames {
            let part = start..frames.min(start + most);
            input.copy_to(&part, room);
            while start < part.end {
                let next = set_until(&mut self.strip, start);
                let end = next.map_or(part.end, |next| next.clamp(start + 1, part.end));
                if is_offline {
                    self.strip.catch_up();
                }
                // SAFETY: the frames are there, and nobody writes them before the part is done.
                let heard = unsafe { key.heard(start, end) };
                let place = start - part.start..end - part.start;
                let mut channels = room.iter_mut().map(|room| &mut room[place.clone()]);
                let mut channels = [(); 2].map(|()| channels.next().unwrap_or_default());
                let channels = &mut channels[..self.channels];
                rings = self.strip.run(channels, &heard[..key.count()]);
                start = end;
            }
            // SAFETY: nobody else has the frames, and each channel is for itself.
            unsafe { output.write(&part, room) };
        }
        Some(rings)
    }
}
