//! Stored samples to `f32`, and how many bytes each takes.

/// How samples are stored in a WAV file. Integers are full scale at 2^(bits - 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    U8,
    S16,
    S24,
    S32,
    F32,
    F64,
}

impl Encoding {
    /// Bytes of one sample of one channel.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::S16 => 2,
            Self::S24 => 3,
            Self::S32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Decodes interleaved `bytes` (whole frames) into the planar `channels`, from `at_frame` on.
    pub(super) fn decode(self, bytes: &[u8], channels: &mut [&mut [f32]], at_frame: usize) {
        match self {
            Self::U8 => spread(bytes, channels, at_frame, |[a]| {
                f32::from(i16::from(a) - 128) / 128.0
            }),
            Self::S16 => spread(bytes, channels, at_frame, |b| {
                f32::from(i16::from_le_bytes(b)) / 32_768.0
            }),
            Self::S24 => spread(bytes, channels, at_frame, |[a, b, c]| {
                // In the upper three bytes the sign is already in its place; the division is exact.
                i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
            }),
            Self::S32 => spread(bytes, channels, at_frame, |b| {
                i32::from_le_bytes(b) as f32 / 2_147_483_648.0
            }),
            Self::F32 => spread(bytes, channels, at_frame, f32::from_le_bytes),
            Self::F64 => spread(bytes, channels, at_frame, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn spread<const N: usize>(
    bytes: &[u8],
    channels: &mut [&mut [f32]],
    at_frame: usize,
    to_f32: impl Fn([u8; N]) -> f32,
) {
    let count = channels.len();
    let (samples, _) = bytes.as_chunks::<N>();
    for (index, channel) in channels.iter_mut().enumerate() {
        let stored = samples.iter().skip(index).step_by(count);
        for (frame, sample) in channel[at_frame..].iter_mut().zip(stored) {
            *frame = to_f32(*sample);
        }
    }
}
