//! Loops compiled twice: for any processor of the architecture, and for what this one has beyond
//! that. Each frame's result is the same to the bit: only operations that are exact in any width.
#![allow(unsafe_code)]

/// `[main]` Asks the processor what it has, once: the first question is answered by a function that
/// takes more stack than any module, and must not be asked on the audio thread.
pub(crate) fn ask_the_processor() {
    #[cfg(target_arch = "x86_64")]
    let _known_from_now_on = std::arch::is_x86_feature_detected!("avx2");
}

/// `[audio]` Multiplies each sample by `gain`.
pub(crate) fn scale(samples: &mut [f32], gain: f32) {
    if gain == 1.0 {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as was just asked; this reads a word that is set once.
        unsafe { scale_avx2(samples, gain) };
        return;
    }
    scale_plain(samples, gain);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn scale_avx2(samples: &mut [f32], gain: f32) {
    scale_plain(samples, gain);
}

#[inline(always)]
fn scale_plain(samples: &mut [f32], gain: f32) {
    // Cut into what one turn of the loop takes: the optimiser by itself takes half as much.
    let (whole, rest) = samples.as_chunks_mut::<32>();
    for vector in whole {
        for sample in vector {
            *sample *= gain;
        }
    }
    for sample in rest {
        *sample *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_multiplied_once_at_any_length() {
        for frames in 0..200 {
            let input: Vec<f32> = (0..frames).map(|i| (i as f32 * 0.7).sin()).collect();
            for gain in [0.0, -0.3, 1.0, 1.7] {
                let mut output = input.clone();
                scale(&mut output, gain);
                for (output, input) in output.iter().zip(&input) {
                    assert_eq!(
                        output.to_bits(),
                        (input * gain).to_bits(),
                        "{frames} frames"
                    );
                }
            }
        }
    }
}
