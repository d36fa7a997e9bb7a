//! The panic button: silence at once, and nothing of the old sound when sound returns.
//!
//! What leaves the rack fades out over 5 ms. Then the rack forgets all sound, a few slots at a time,
//! while it hears silence. When sound is let in again it fades in at the rack's input, so that not
//! even an echo repeats its start as a click, and at its output.
//!
//! ```text
//!        press            5 ms                      release         20 ms
//! Off ─────────► Falling ──────► Clearing ─► Silent ─────► Rising ─────► Off
//!                   ▲                                         │ press
//!                   └─────────────────────────────────────────┘
//! ```

mod button;

use crate::block::{Block, CHUNK_FRAMES};
use crate::fade::{FADE_SECS, Fade};
use crate::stream::Stream;

pub use button::PanicButton;
use button::is_pressed;

/// How long sound takes to end, in seconds.
const FALL_SECS: f64 = 0.005;
/// Slots that are reset in one step, and no more before the next multiple of [`CHUNK_FRAMES`]. A
/// module's reset touches 64 KiB at most.
pub(crate) const SLOTS_A_STEP: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Off,
    Falling,
    /// The rack is being reset; so many of its slots are done.
    Clearing(usize),
    Silent,
    Rising,
}

/// Where the button's effect stands, on the audio thread.
pub(crate) struct Panic {
    button: PanicButton,
    /// The button's count when it was last looked at.
    seen: u32,
    stage: Stage,
    gain: Fade,
    fall_frames: usize,
    rise_frames: usize,
}

impl Panic {
    pub(crate) fn new(button: PanicButton, stream: &Stream) -> Self {
        Self {
            button,
            seen: 0,
            stage: Stage::Off,
            gain: Fade::all(),
            fall_frames: stream.frames(FALL_SECS),
            rise_frames: stream.frames(FADE_SECS),
        }
    }

    /// `[audio]` Looks at the button, once a block. Pressed and released since is pressed too: it
    /// falls and forgets, and then rises.
    pub(crate) fn look(&mut self) {
        let changes = self.button.changes();
        if changes == self.seen {
            return;
        }
        let was_pressed = is_pressed(changes) || changes.wrapping_sub(self.seen) > 1;
        self.seen = changes;
        if was_pressed && matches!(self.stage, Stage::Off | Stage::Rising) {
            self.gain = Fade::out(self.gain.now(), self.fall_frames);
            self.stage = Stage::Falling;
        }
        if !is_pressed(changes) && self.stage == Stage::Silent {
            self.rise();
        }
    }

    fn rise(&mut self) {
        self.gain = Fade::into(self.rise_frames);
        self.stage = Stage::Rising;
    }

    /// `[audio]` The rack has no sound left in it, by another way.
    pub(crate) fn settle(&mut self) {
        let (stage, gain) = if is_pressed(self.seen) {
            (Stage::Silent, 0.0)
        } else {
            (Stage::Off, 1.0)
        };
        self.stage = stage;
        self.gain = Fade::at(gain);
    }

    /// `[audio]` The rack's slots have changed: those that are still to be reset stand elsewhere.
    pub(crate) fn start_anew(&mut self) {
        if matches!(self.stage, Stage::Clearing(_)) {
            self.stage = Stage::Clearing(0);
        }
    }

    /// `[audio]` Whether it does anything at all.
    pub(crate) fn is_on(&self) -> bool {
        self.stage != Stage::Off
    }

    /// `[audio]` Once before each chunk, which starts at `position`, in a rack of so many slots: the
    /// first of the [`SLOTS_A_STEP`] slots that are to be reset now; before slot 0, all that has left
    /// is to go. It falls on the same frames however the blocks were cut.
    pub(crate) fn next_reset(&mut self, position: u64, slots: usize) -> Option<usize> {
        if self.stage == Stage::Rising && !self.gain.is_moving() {
            self.stage = Stage::Off;
        }
        if self.stage == Stage::Falling && !self.gain.is_moving() {
            self.stage = Stage::Clearing(0);
        }
        let Stage::Clearing(from) = self.stage else {
            return None;
        };
        if !position.is_multiple_of(CHUNK_FRAMES as u64) {
            return None;
        }
        let done = from + SLOTS_A_STEP;
        if done < slots {
            self.stage = Stage::Clearing(done);
        } else if is_pressed(self.seen) {
            self.stage = Stage::Silent;
        } else {
            self.rise();
        }
        Some(from)
    }

    /// `[audio]` What goes into the rack: silence from the end of the fall on.
    pub(crate) fn let_in(&self, samples: &mut [f32]) {
        match self.stage {
            Stage::Off | Stage::Falling => {}
            Stage::Clearing(_) | Stage::Silent => samples.fill(0.0),
            Stage::Rising => {
                for (at, sample) in samples.iter_mut().enumerate() {
                    *sample *= self.gain.ahead(1 + at);
                }
            }
        }
    }

    /// `[audio]` What comes out of it. Passes the frames of this chunk.
    pub(crate) fn let_out(&mut self, block: &mut Block<'_>) {
        for channel in block.iter_mut() {
            if self.gain.is_moving() {
                for (at, sample) in channel.iter_mut().enumerate() {
                    *sample *= self.gain.ahead(1 + at);
                }
            } else if self.gain.target() == 0.0 {
                channel.fill(0.0);
            }
        }
        self.gain.advance(block.frames());
    }
}
