//! A whole chunk of one channel into shared memory, as wide as the processor stores.
//!
//! No ordering orders the words of a chunk among themselves, yet the compiler joins no two atomic stores into
//! one: 64 stereo frames are 64 of them, one a cycle. Two words at a time are half as many.

#![allow(unsafe_code)]

use crate::sync::AtomicU64;
#[cfg(not(all(target_arch = "x86_64", not(loom))))]
use crate::sync::Ordering;

/// Frames of a chunk as the engine cuts a block.
pub(crate) const CHUNK_FRAMES: usize = 64;

/// Two samples of one channel in a word, the earlier one's bits in the lower half.
#[inline(always)]
pub(crate) fn packed([first, second]: [f32; 2]) -> u64 {
    u64::from(first.to_bits()) | u64::from(second.to_bits()) << 32
}

/// `[audio]` Stores a chunk, [`packed`], by what are Relaxed stores of its words in any order.
#[cfg(all(target_arch = "x86_64", not(loom)))]
#[inline(always)]
pub(crate) fn store(words: &[AtomicU64; CHUNK_FRAMES / 2], samples: &[f32; CHUNK_FRAMES]) {
    /// Samples that four registers hold.
    const PART: usize = 16;
    for part in 0..CHUNK_FRAMES / PART {
        // SAFETY: both arrays have 256 bytes, and each part is the same 64 of both. The words are atomics, which
        // may be written behind a shared reference; each begins at a multiple of 8, and a vector's store writes
        // each of its two aligned words at once, as a Relaxed store of it would. Nobody may see more of it than
        // of those, and the compiler, which takes it for a write to any memory, moves no store around it.
        unsafe {
            std::arch::asm!(
                "movups {a}, [{from}]",
                "movups {b}, [{from} + 16]",
                "movups {c}, [{from} + 32]",
                "movups {d}, [{from} + 48]",
                "movups [{to}], {a}",
                "movups [{to} + 16], {b}",
                "movups [{to} + 32], {c}",
                "movups [{to} + 48], {d}",
                from = in(reg) samples.as_ptr().add(PART * part),
                to = in(reg) words.as_ptr().add(PART / 2 * part),
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                c = out(xmm_reg) _,
                d = out(xmm_reg) _,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// `[audio]` Stores a chunk, [`packed`].
#[cfg(not(all(target_arch = "x86_64", not(loom))))]
#[inline(always)]
pub(crate) fn store(words: &[AtomicU64; CHUNK_FRAMES / 2], samples: &[f32; CHUNK_FRAMES]) {
    for (word, pair) in words.iter().zip(samples.as_chunks().0) {
        word.store(packed(*pair), Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::Ordering;

    #[test]
    fn a_chunk_is_stored_whole_and_nothing_beside_it() {
        let words: [AtomicU64; CHUNK_FRAMES] = std::array::from_fn(|_| AtomicU64::new(7));
        let samples: [f32; CHUNK_FRAMES] = std::array::from_fn(|at| 0.5 - at as f32);
        for from in 0..CHUNK_FRAMES / 2 {
            for word in &words {
                word.store(7, Ordering::Relaxed);
            }
            let place = words[from..][..CHUNK_FRAMES / 2].as_array();
            store(place.unwrap(), &samples);
            for (at, word) in words.iter().enumerate() {
                let word = word.load(Ordering::Relaxed);
                let halves = [word as u32, (word >> 32) as u32].map(f32::from_bits);
                match at.checked_sub(from).filter(|at| *at < CHUNK_FRAMES / 2) {
                    Some(at) => assert_eq!(halves, [samples[2 * at], samples[2 * at + 1]]),
                    None => assert_eq!(word, 7, "{at} from {from}"),
                }
            }
        }
    }
}
