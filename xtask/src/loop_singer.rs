//! The demo's singer: a glottal source, breath and consonants through five formants.

use crate::loop_music::SAMPLE_RATE_HZ;
use crate::loop_voices::{Noise, Svf, key_hz, saw};
use std::f64::consts::TAU;

const RATE_HZ: f64 = SAMPLE_RATE_HZ as f64;
/// A phrase's samples start this long before its first note: room for a first consonant.
pub(crate) const LEAD_SECS: f64 = 0.09;
/// Length of a sibilant, which ends where its note starts.
const SIBILANT_SECS: f64 = 0.085;
/// Formants, amplitudes and pitch are moved once in this many frames.
const CONTROL_FRAMES: usize = 16;

/// A sung vowel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vowel {
    A,
    E,
    I,
    O,
    U,
}

/// Centre (Hz), level (dB) and bandwidth (Hz) of five formants.
type Formants = [[f64; 3]; 5];

impl Vowel {
    /// A tenor's formants, from the table of formant values in the Csound manual.
    fn formants(self) -> Formants {
        let (hz, db, width_hz) = match self {
            Vowel::A => (
                [650.0, 1080.0, 2650.0, 2900.0, 3250.0],
                [0.0, -6.0, -7.0, -8.0, -22.0],
                [80.0, 90.0, 120.0, 130.0, 140.0],
            ),
            Vowel::E => (
                [400.0, 1700.0, 2600.0, 3200.0, 3580.0],
                [0.0, -14.0, -12.0, -14.0, -20.0],
                [70.0, 80.0, 100.0, 120.0, 120.0],
            ),
            Vowel::I => (
                [290.0, 1870.0, 2800.0, 3250.0, 3540.0],
                [0.0, -15.0, -18.0, -20.0, -30.0],
                [40.0, 90.0, 100.0, 120.0, 120.0],
            ),
            Vowel::O => (
                [400.0, 800.0, 2600.0, 2800.0, 3000.0],
                [0.0, -10.0, -12.0, -12.0, -26.0],
                [70.0, 80.0, 100.0, 130.0, 135.0],
            ),
            Vowel::U => (
                [350.0, 600.0, 2700.0, 2900.0, 3300.0],
                [0.0, -20.0, -17.0, -14.0, -26.0],
                [40.0, 60.0, 100.0, 120.0, 120.0],
            ),
        };
        std::array::from_fn(|i| [hz[i], db[i], width_hz[i]])
    }
}

/// One sung note.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sung {
    beat: f64,
    beats: f64,
    key: u32,
    vowel: Vowel,
    ends_on: Vowel,
    velocity: f64,
    sibilant: bool,
}

impl Sung {
    /// A note at a beat of its phrase, on an MIDI key, `velocity` from 0 to 1.
    pub(crate) fn new(beat: f64, beats: f64, key: u32, vowel: Vowel, velocity: f64) -> Self {
        Sung {
            beat,
            beats,
            key,
            vowel,
            ends_on: vowel,
            velocity,
            sibilant: false,
        }
    }

    /// Glides to another vowel over the note.
    pub(crate) fn to(self, vowel: Vowel) -> Self {
        Sung {
            ends_on: vowel,
            ..self
        }
    }

    /// Puts an "s" before the note.
    pub(crate) fn sibilant(self) -> Self {
        Sung {
            sibilant: true,
            ..self
        }
    }

    /// How far into the note `t` is, 0 to 1.
    fn progress(&self, t: f64, beat_secs: f64) -> f64 {
        ((t - self.beat * beat_secs) / (self.beats * beat_secs)).clamp(0.0, 1.0)
    }
}

/// Sings a phrase, an octave below the written keys (a tenor's clef); the first note's beat is
/// [`LEAD_SECS`] into the samples.
pub(crate) fn sing(phrase: &[Sung], beat_secs: f64) -> Vec<f32> {
    let end = phrase
        .iter()
        .map(|note| note.beat + note.beats)
        .fold(0.0, f64::max);
    let frames = ((LEAD_SECS + end * beat_secs + 0.25) * RATE_HZ) as usize;
    let Some(first) = phrase.first() else {
        return Vec::new();
    };

    let mut noise = Noise::new(31);
    let mut tract = [Svf::default(); 5];
    let (mut hiss, mut hiss_2, mut tilt) = (Svf::default(), Svf::default(), Svf::default());
    let mut formants = first.vowel.formants();
    let (mut key, mut loudness, mut phase) = (f64::from(first.key), 0.0f64, 0.0);
    let mut out = Vec::with_capacity(frames);

    for i in 0..frames {
        let t = i as f64 / RATE_HZ - LEAD_SECS;
        // The note being sung, or the one about to be.
        let note = phrase
            .iter()
            .rev()
            .find(|note| t >= note.beat * beat_secs)
            .unwrap_or(first);
        let since = t - note.beat * beat_secs;
        let sounding = since >= 0.0 && since < note.beats * beat_secs;
        if i % CONTROL_FRAMES == 0 {
            let secs = CONTROL_FRAMES as f64 / RATE_HZ;
            let glide = |time_secs: f64| 1.0 - (-secs / time_secs).exp();
            key += glide(0.028) * (f64::from(note.key) - key);
            let target = if sounding { note.velocity } else { 0.0 };
            loudness += glide(if target > loudness { 0.022 } else { 0.045 }) * (target - loudness);
            let at = note.progress(t, beat_secs);
            let (from, to) = (note.vowel.formants(), note.ends_on.formants());
            for (formant, (from, to)) in formants.iter_mut().zip(from.iter().zip(&to)) {
                for j in 0..3 {
                    let aim = from[j] + (to[j] - from[j]) * at;
                    formant[j] += glide(0.03) * (aim - formant[j]);
                }
            }
        }
        let vibrato = 0.22 * (since.max(0.0) / 0.35).min(1.0) * (TAU * 5.4 * t).sin();
        let step = key_hz(key - 12.0 + vibrato) / RATE_HZ;
        phase = (phase + step) % 1.0;
        // Louder singing closes the glottis faster: less tilt, less breath.
        let [glottis, ..] = tilt.next(saw(phase, step), 1_500.0 + 4_500.0 * loudness, 0.6);
        let white = noise.next();
        let breath = white * (0.05 + 0.05 * (TAU * phase).cos());
        let source = loudness * (glottis + breath);
        let mut voice = 0.0;
        for (filter, [hz, db, width_hz]) in tract.iter_mut().zip(&formants) {
            let [_, band, _] = filter.next(source, *hz, hz / width_hz);
            voice += 10f64.powf(db / 20.0) * band;
        }
        let [_, band, _] = hiss.next(white, 6_400.0, 1.6);
        let [_, _, sibilance] = hiss_2.next(band, 4_200.0, 0.7);
        out.push((1.5 * voice + 0.24 * sibilance * sibilant(phrase, t, beat_secs)) as f32);
    }
    out
}

/// Loudness of the "s" that stands before a note, at a time of the phrase.
fn sibilant(phrase: &[Sung], t: f64, beat_secs: f64) -> f64 {
    phrase
        .iter()
        .filter(|note| note.sibilant)
        .map(|note| {
            let at = (t - note.beat * beat_secs + SIBILANT_SECS) / (SIBILANT_SECS + 0.015);
            if (0.0..1.0).contains(&at) {
                (0.4 + 0.6 * note.velocity) * (std::f64::consts::PI * at).sin().powi(2)
            } else {
                0.0
            }
        })
        .sum()
}
