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

/// What the audio thread has, and the main thread while that has not.
pub(crate) struct Player {
    strip: Strip,
    channels: usize,
    key_channels: usize,
    /// A key that lies where the output does is copied to here first.
    room: [Box<[f32]>; 2],
    is_offline: bool,
}

impl Player {
    /// `[main]` Of a strip that plays nothing yet.
    pub(crate) fn new(strip: Strip) -> Self {
        Self {
            strip,
            channels: 2,
            key_channels: 0,
            room: [Box::default(), Box::default()],
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
        if self.room[0].len() < frames {
            self.room = [(); 2].map(|()| vec![0.0; frames].into());
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
        buffers: Buffers,
        is_offline: bool,
        mut set_until: impl FnMut(&mut Strip, usize) -> Option<usize>,
    ) -> Option<Rings> {
        let Buffers { output, input, key } = buffers;
        let frames = output.frames();
        if frames == 0 || !output.are(self.channels) {
            return None;
        }
        let is_copied = key.count() > 0 && key.overlaps(&output);
        let has_key = !is_copied || frames <= self.room[0].len();
        let key_channels = if has_key { key.count() } else { 0 };
        if is_copied {
            key.copy_to(&mut self.room);
        }
        output.fill_from(&input);
        let is_offline = self.is_offline || is_offline;
        let (mut start, mut rings) = (0, Rings::No);
        while start < frames {
            let next = set_until(&mut self.strip, start);
            let end = next.map_or(frames, |next| next.clamp(start + 1, frames));
            if is_offline {
                self.strip.catch_up();
            }
            let heard: [&[f32]; 2] = if !is_copied {
                // SAFETY: the frames are there, and lie nowhere in the output, which alone is written.
                unsafe { key.heard(start, end) }
            } else if has_key {
                self.room.each_ref().map(|room| &room[start..end])
            } else {
                [&[]; 2]
            };
            // SAFETY: the frames are there, nobody else has them, and each channel is for itself.
            let mut out = unsafe { output.parts(start, end) };
            let channels = &mut out[..self.channels];
            rings = self.strip.run(channels, &heard[..key_channels]);
            start = end;
        }
        Some(rings)
    }
}
