//! Triangular dither: the error of an integer format becomes noise that does not follow the sound.
//!
//! S. P. Lipshitz, R. A. Wannamaker, J. Vanderkooy, "Quantization and Dither: A Theoretical Survey", JAES 40(5),
//! 1992: two uniform values of one step each make the first two moments of the error independent of the signal.

/// Where the noise starts: the same file every time.
const SEED: u64 = 0x4865_6164_726f_6f6d;

/// A quantiser for one channel; channels differ in their noise.
pub(super) struct Dither {
    state: u64,
    full_scale: f64,
    clipped_samples: u64,
}

impl Dither {
    /// For samples of `bits` (16 or 24) of channel `channel`.
    pub(super) fn new(bits: u32, channel: usize) -> Self {
        // The streams of two channels are the same sequence far apart.
        let state = SEED.wrapping_add((channel as u64) << 61);
        Self {
            state,
            full_scale: f64::from(1_u32 << (bits - 1)),
            clipped_samples: 0,
        }
    }

    /// `sample` (full scale at 1) as an integer, with noise of one step either way; clips at the ends.
    pub(super) fn quantise(&mut self, sample: f32) -> i32 {
        let noise = self.triangular();
        let scaled = f64::from(sample) * self.full_scale;
        let (lowest, highest) = (-self.full_scale, self.full_scale - 1.0);
        let rounded = (scaled + noise).round();
        // Only what the sound does is counted, not a dithered full scale.
        if !(lowest - 1.0..=highest + 1.0).contains(&scaled) {
            self.clipped_samples += 1;
        }
        rounded.clamp(lowest, highest) as i32
    }

    /// How many samples were louder than the format can hold.
    pub(super) fn clipped_samples(&self) -> u64 {
        self.clipped_samples
    }

    /// In steps, from -1 to 1.
    fn triangular(&mut self) -> f64 {
        let bits = self.next();
        let (first, second) = ((bits >> 32) as u32, bits as u32);
        (f64::from(first) + f64::from(second)) / 4_294_967_296.0 - 1.0
    }

    /// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
