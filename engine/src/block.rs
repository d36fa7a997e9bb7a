//! What a module is given to work on: one chunk of each channel.

/// The rack's inner step: no module ever sees more frames than this at once, so that one chunk of
/// every channel stays in the first-level cache through the whole chain. No chunk crosses a
/// multiple of this, counted in frames from reset and not from the block's start: what is decided
/// at these multiples does not depend on how a host cuts its blocks.
pub const CHUNK_FRAMES: usize = 64;

/// Control work inside a module (modulation, coefficients that follow something) falls on multiples
/// of this, counted in frames from reset.
pub const GRID_FRAMES: usize = 32;

/// The sound of a chunk starts on a multiple of this many bytes: a cache line, and the widest vector
/// there is.
pub const ALIGNMENT_BYTES: usize = 64;

/// What a module may follow instead of its own input, frame by frame: another signal that the host gives.
/// The second channel is the first again in mono.
pub type Key<'a> = [&'a [f32]; 2];

/// One chunk: 1 to [`CHUNK_FRAMES`] frames of one or two planar channels, and where it stands.
///
/// What a module is given starts on a multiple of [`ALIGNMENT_BYTES`] in each channel: the chunk runs
/// in the caller's buffers where these are aligned (see [`crate::Buffer`]), otherwise in the engine's.
///
/// Chunks are cut at events and on multiples of [`CHUNK_FRAMES`]; how they are cut in between
/// depends on the host's blocks, and no module's output may depend on that.
#[derive(Debug)]
pub struct Block<'a> {
    left: &'a mut [f32],
    right: Option<&'a mut [f32]>,
    /// The same frames of the key, if there is one; the second is empty in mono.
    key: Option<[&'a mut [f32]; 2]>,
    position: u64,
}

impl<'a> Block<'a> {
    /// `[audio]` A chunk of one channel that starts `position` frames after reset.
    pub fn mono(channel: &'a mut [f32], position: u64) -> Self {
        Self {
            left: channel,
            right: None,
            key: None,
            position,
        }
    }

    /// `[audio]` A chunk of two channels of the same length that starts `position` frames after
    /// reset. A longer channel is cut to the shorter one's length.
    pub fn stereo(left: &'a mut [f32], right: &'a mut [f32], position: u64) -> Self {
        let frames = left.len().min(right.len());
        Self {
            left: &mut left[..frames],
            right: Some(&mut right[..frames]),
            key: None,
            position,
        }
    }

    /// `[audio]` The same with a key: as many frames of each channel, the second of no meaning in mono.
    #[must_use]
    pub fn with_key(mut self, key: Option<[&'a mut [f32]; 2]>) -> Self {
        self.key = key;
        self
    }

    /// `[audio]` The key, for another chunk of the same frames.
    pub(crate) fn lend_key(&mut self) -> Option<[&mut [f32]; 2]> {
        let [left, right] = self.key.as_mut()?;
        Some([left, right])
    }

    /// `[audio]` The key, which it has no more.
    pub(crate) fn take_key(&mut self) -> Option<[&'a mut [f32]; 2]> {
        self.key.take()
    }

    /// `[audio]` Both channels, and what the module may follow instead of them: `None` where the host gives
    /// nothing to follow.
    pub fn split_with_key(&mut self) -> (&mut [f32], Option<&mut [f32]>, Option<Key<'_>>) {
        let right = self.right.as_deref_mut();
        let key = self.key.as_ref().map(|[left, second]| {
            let second = if right.is_some() { second } else { left };
            [&**left, &**second]
        });
        (self.left, right, key)
    }

    /// `[audio]` Frames in this chunk.
    pub fn frames(&self) -> usize {
        self.left.len()
    }

    /// `[audio]` 1 or 2.
    pub fn channels(&self) -> usize {
        1 + usize::from(self.right.is_some())
    }

    /// `[audio]` Whether each channel starts on a multiple of [`ALIGNMENT_BYTES`].
    pub(crate) fn is_aligned(&self) -> bool {
        let right = self.right.as_ref().map_or(0, |right| right.as_ptr().addr());
        (self.left.as_ptr().addr() | right).is_multiple_of(ALIGNMENT_BYTES)
    }

    /// `[audio]` The first frame's number, counted from reset.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// `[audio]` The left channel, or the only one.
    pub fn left(&mut self) -> &mut [f32] {
        self.left
    }

    /// `[audio]` Channel 0 is the left, channel 1 the right (in mono the only one again).
    pub fn channel(&mut self, channel: usize) -> &mut [f32] {
        match (&mut self.right, channel) {
            (Some(right), 1) => right,
            _ => self.left,
        }
    }

    /// `[audio]` Both channels; the second is `None` in mono. Both have [`Block::frames`] frames.
    pub fn split(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        (self.left, self.right.as_deref_mut())
    }

    /// `[audio]` Each channel in turn: left, then right.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        std::iter::once(&mut *self.left).chain(self.right.as_deref_mut())
    }
}
