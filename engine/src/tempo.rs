//! How fast the music goes, and how long a note of it lasts.
//!
//! The tempo is the performance's: the program's or the host's, never a preset's. It reaches the audio thread as
//! a change like any other ([`crate::Change::Tempo`], at a frame), and there every slot: those of the rack, those
//! that are built later (before their first frame) and those that have left and still ring, so that an echo that
//! outlives its rack stays on the beat.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use headroom_ipc::TEMPO_BPM;

/// Beats (quarter notes) a minute, between [`Tempo::SLOWEST`] and [`Tempo::FASTEST`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Tempo(f64);

impl Tempo {
    /// As slow as any host goes.
    pub const SLOWEST: Self = Self(*TEMPO_BPM.start());
    /// As fast as any host goes.
    pub const FASTEST: Self = Self(*TEMPO_BPM.end());

    /// `[any]` So many beats a minute; `None` outside of what there is.
    pub fn new(bpm: f64) -> Option<Self> {
        TEMPO_BPM.contains(&bpm).then_some(Self(bpm))
    }

    /// `[any]` The nearest to so many beats a minute; `None` for what is no tempo: nothing, less than that, no
    /// number.
    pub fn nearest(bpm: f64) -> Option<Self> {
        let is_tempo = bpm > 0.0 && bpm.is_finite();
        is_tempo.then(|| Self(bpm.clamp(Self::SLOWEST.0, Self::FASTEST.0)))
    }

    /// `[any]` Beats a minute.
    pub const fn bpm(self) -> f64 {
        self.0
    }

    /// `[any]` How long so many beats last, in seconds.
    pub fn secs(self, beats: f64) -> f64 {
        beats * 60.0 / self.0
    }
}

/// 120: what music goes by until somebody says otherwise.
impl Default for Tempo {
    fn default() -> Self {
        Self(120.0)
    }
}

/// Notes by which something can be timed, from short to long, behind `Off`: the labels of a parameter. A `T` is a
/// third of the note that is twice as long, a `D` (dotted) lasts half as long again.
pub const NOTES: [&str; 16] = [
    "Off", "1/32", "1/16T", "1/16", "1/8T", "1/16D", "1/8", "1/4T", "1/8D", "1/4", "1/2T", "1/4D",
    "1/2", "1/1T", "1/2D", "1/1",
];

/// How many beats each of [`NOTES`] lasts.
const BEATS: [f64; NOTES.len()] = [
    0.0,
    0.125,
    1.0 / 6.0,
    0.25,
    1.0 / 3.0,
    0.375,
    0.5,
    2.0 / 3.0,
    0.75,
    1.0,
    4.0 / 3.0,
    1.5,
    2.0,
    8.0 / 3.0,
    3.0,
    4.0,
];

/// `[any]` How many beats the note at this value of a parameter lasts; `None` for `Off`.
pub fn note_beats(value: f32) -> Option<f64> {
    let note = BEATS.get(value.round() as usize).copied();
    note.filter(|beats| *beats > 0.0)
}

/// The tempo that an event has set since the controller last did; the bits of a NaN for none.
///
/// Relaxed: one value, shown to people. Written by the audio thread as it takes a tempo, cleared by the controller
/// as it asks for one, as [`crate::automation::AutomationCells`] are.
#[derive(Debug)]
pub(crate) struct TempoCell(AtomicU64);

impl Default for TempoCell {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl TempoCell {
    /// `[any]` What an event has set; `None` for as the controller asked.
    pub(crate) fn set(&self, tempo: Option<Tempo>) {
        let bpm = tempo.map_or(f64::NAN, Tempo::bpm);
        self.0.store(bpm.to_bits(), Relaxed);
    }

    /// `[main]` The same, back.
    pub(crate) fn get(&self) -> Option<Tempo> {
        Tempo::new(f64::from_bits(self.0.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tempo_is_none_and_what_is_too_much_of_one_is_held() {
        for bad in [0.0, -120.0, f64::NAN, f64::INFINITY, -f64::INFINITY] {
            assert_eq!(Tempo::nearest(bad), None, "{bad}");
            assert_eq!(Tempo::new(bad), None, "{bad}");
        }
        assert_eq!(Tempo::new(0.999), None);
        assert_eq!(Tempo::new(999.001), None);
        assert_eq!(Tempo::nearest(0.001), Some(Tempo::SLOWEST));
        assert_eq!(Tempo::nearest(1e300), Some(Tempo::FASTEST));
        assert_eq!(Tempo::new(93.7).map(Tempo::bpm), Some(93.7));
    }

    /// By the notation itself: 1/4 is a beat, T two thirds of the plain note, D one and a half.
    #[test]
    fn each_note_lasts_what_its_name_says_and_they_rise() {
        let mut before = 0.0;
        for (value, name) in NOTES.iter().enumerate().skip(1) {
            let plain = name.trim_end_matches(['T', 'D']);
            let part: f64 = plain.trim_start_matches("1/").parse().unwrap();
            let bend = match name.chars().last() {
                Some('T') => 2.0 / 3.0,
                Some('D') => 1.5,
                _ => 1.0,
            };
            let beats = note_beats(value as f32).unwrap();
            assert!((beats - 4.0 / part * bend).abs() < 1e-12, "{name}: {beats}");
            assert!(beats > before, "{name}");
            before = beats;
        }
        assert_eq!(note_beats(0.0), None);
        assert_eq!(note_beats(16.0), None);
    }
}
