//! A rack on the bench: opened, past its priming block, and fed a signal block by block.

use crate::SAMPLE_RATE_HZ;
use headroom_engine::{
    Buffer, Controller, Memory, OpenError, Processor, RackSpec, Report, Stream, StreamError, open,
};
use headroom_ipc::{AttachError, Client, Server, pair};

/// A running rack and the block it works in.
pub struct Rig {
    controller: Controller,
    processor: Processor,
    signal: [Vec<f32>; 2],
    block: [Buffer; 2],
    at: usize,
    /// Who looks, where somebody does.
    screen: Option<(Server, Client)>,
}

/// What somebody who is attached looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Watch {
    /// Nobody is attached.
    Nobody,
    /// Levels.
    Meters,
    /// Levels, and sound before and after.
    Sound,
}

/// Why a rack could not be put on the bench.
#[derive(Debug, thiserror::Error)]
pub enum RigError {
    /// The block size is not one that a stream may have.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The rack could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no shared memory for a screen.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The audio thread did what it must not: the figures would be of another program.
    #[error("{report}")]
    Reported {
        /// What it was.
        report: Report,
    },
}

impl Rig {
    /// `[main]` Opens a rack in stereo at 48 kHz for blocks of `block_frames` and runs its priming
    /// block and 20,480 frames more, so that it is past every fade.
    ///
    /// # Errors
    /// What the engine says of the stream or the rack.
    pub fn new(
        spec: &RackSpec,
        block_frames: usize,
        signal: [Vec<f32>; 2],
    ) -> Result<Rig, RigError> {
        let stream = Stream::new(SAMPLE_RATE_HZ, block_frames, 2)?;
        let (controller, processor) = open(stream, spec, &Memory::default())?;
        let mut rig = Rig {
            controller,
            processor,
            signal,
            block: [(); 2].map(|()| Buffer::silent(block_frames)),
            at: 0,
            screen: None,
        };
        for _ in 0..20_480usize.div_ceil(block_frames) + 1 {
            rig.run_block();
        }
        rig.rewind();
        Ok(rig)
    }

    /// `[main]` Has somebody attach and look, or nobody.
    ///
    /// # Errors
    /// The system refuses the shared memory.
    pub fn watched(mut self, watch: Watch) -> Result<Rig, RigError> {
        let (mut server, mut client) = pair()?;
        self.processor.publish_to(server.publisher());
        if watch == Watch::Nobody {
            drop(client);
            server.look();
            let (_closed, other) = pair()?;
            client = other;
        } else {
            client.want_sound(watch == Watch::Sound);
            server.look();
        }
        self.screen = Some((server, client));
        Ok(self)
    }

    /// Runs one whole block of the signal, which begins again where it ends, and returns the output.
    pub fn run_block(&mut self) -> &[Buffer; 2] {
        let frames = self.block[0].len();
        if self.at + frames > self.signal[0].len() {
            self.at = 0;
        }
        let span = self.at..self.at + frames;
        for (block, signal) in self.block.iter_mut().zip(&self.signal) {
            block.copy_from_slice(&signal[span.clone()]);
        }
        self.at += frames;
        let [left, right] = &mut self.block;
        self.processor.process(&mut [left, right], &[]);
        &self.block
    }

    /// Runs `frames` of the signal in place, in blocks of the rig's size and a shorter last one.
    pub fn run_span(&mut self, channels: [&mut [f32]; 2]) {
        let block_frames = self.block[0].len();
        let [left, right] = channels;
        for (left, right) in left
            .chunks_mut(block_frames)
            .zip(right.chunks_mut(block_frames))
        {
            self.processor.process(&mut [left, right], &[]);
        }
    }

    /// Starts the signal again.
    pub fn rewind(&mut self) {
        self.at = 0;
    }

    /// `[main]` Takes what the audio thread reported. Allocations are seen where the program's
    /// allocator is the engine's `StageAllocator`.
    ///
    /// # Errors
    /// [`RigError::Reported`] if a module allocated, panicked or put out what is not finite.
    pub fn check(&mut self) -> Result<(), RigError> {
        match self.controller.reports().into_iter().next() {
            None => Ok(()),
            Some(report) => Err(RigError::Reported { report }),
        }
    }
}
