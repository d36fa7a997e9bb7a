//! The demo's two bars of music: score, mix and room, made from nothing but arithmetic.
//!
//! What the presets are meant to bite on is in it on purpose: a drum kit with real transients and
//! quiet ghost notes, a bass line below 100 Hz, electric piano, and a sung line with breath,
//! sibilants and 15 dB between its phrases.

use crate::loop_room::Room;
use crate::loop_voices as voices;
use crate::loop_voices::Sung;

/// Sample rate of the loop.
pub(crate) const SAMPLE_RATE_HZ: u32 = 48_000;
/// Tempo of the loop.
pub(crate) const BEATS_PER_MINUTE: f64 = 100.0;
/// Beats of one bar.
pub(crate) const BEATS_PER_BAR: usize = 4;
/// Length of the loop.
pub(crate) const BARS: usize = 2;
/// Frames of one beat, a whole number at this tempo and rate.
pub(crate) const BEAT_FRAMES: usize = 28_800;

/// The loop's peak: room for a preset to work in, and hot enough to look like a recording.
const PEAK_DBFS: f64 = -3.0;
/// How far the off-beat sixteenths lag behind the straight grid, in beats.
const SWING_BEATS: f64 = 0.035;

/// Two bars of stereo audio; the end runs into the start, so it loops without a seam.
#[derive(Debug)]
pub(crate) struct Loop {
    /// Left channel.
    pub(crate) left: Vec<f32>,
    /// Right channel.
    pub(crate) right: Vec<f32>,
}

/// Renders the loop; the same samples every time.
pub(crate) fn render() -> Loop {
    let mut mix = Mix::new(BARS * BEATS_PER_BAR * BEAT_FRAMES);
    drums(&mut mix);
    bass(&mut mix);
    keys(&mut mix);
    song(&mut mix);
    mix.finish()
}

/// The dry stereo sum and what is sent to the room. Whatever runs past the end comes in again at
/// the start, as it would on the second time round.
struct Mix {
    left: Vec<f32>,
    right: Vec<f32>,
    room: Vec<f32>,
}

/// Where a voice stands in the mix.
#[derive(Clone, Copy)]
struct Place {
    level_db: f64,
    /// -1 left, 0 centre, 1 right; constant power.
    pan: f64,
    /// Send to the room, relative to the voice's level; `NONE` sends nothing.
    room_db: f64,
}

/// A send that is off.
const NONE: f64 = -200.0;

impl Mix {
    fn new(frames: usize) -> Self {
        Mix {
            left: vec![0.0; frames],
            right: vec![0.0; frames],
            room: vec![0.0; frames],
        }
    }

    fn add(&mut self, beat: f64, voice: &[f32], place: Place) {
        let frames = self.left.len();
        let start = (swung(beat) * BEAT_FRAMES as f64).round() as usize;
        let angle = (place.pan + 1.0) * std::f64::consts::FRAC_PI_4;
        let level = amplitude(place.level_db);
        let (left, right) = (
            (level * angle.cos() * std::f64::consts::SQRT_2) as f32,
            (level * angle.sin() * std::f64::consts::SQRT_2) as f32,
        );
        let room = (level * amplitude(place.room_db)) as f32;
        for (i, &x) in voice.iter().enumerate() {
            let at = (start + i) % frames;
            self.left[at] += left * x;
            self.right[at] += right * x;
            self.room[at] += room * x;
        }
    }

    fn finish(mut self) -> Loop {
        // Twice through the room: the second pass starts with what the first leaves ringing.
        let mut room = Room::new(f64::from(SAMPLE_RATE_HZ));
        for pass in 0..2 {
            for (i, &x) in self.room.iter().enumerate() {
                let [left, right] = room.next(f64::from(x));
                if pass == 1 {
                    self.left[i] += left as f32;
                    self.right[i] += right as f32;
                }
            }
        }
        let peak = peak(&self.left).max(peak(&self.right));
        let gain = (amplitude(PEAK_DBFS) / f64::from(peak.max(1e-9))) as f32;
        for x in self.left.iter_mut().chain(&mut self.right) {
            *x *= gain;
        }
        Loop {
            left: self.left,
            right: self.right,
        }
    }
}

/// Largest magnitude, linear.
fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

/// Moves the second and fourth sixteenth of each beat late.
fn swung(beat: f64) -> f64 {
    let sixteenth = (beat * 4.0).round();
    let on_grid = (beat * 4.0 - sixteenth).abs() < 1e-6;
    if on_grid && sixteenth.rem_euclid(2.0) == 1.0 {
        beat + SWING_BEATS
    } else {
        beat
    }
}

fn drums(mix: &mut Mix) {
    for (beat, velocity) in [
        (0.0, 1.0),
        (1.75, 0.7),
        (2.5, 0.95),
        (4.0, 1.0),
        (5.5, 0.6),
        (6.25, 0.75),
        (6.5, 0.9),
    ] {
        let place = Place {
            level_db: -2.0,
            pan: 0.0,
            room_db: -26.0,
        };
        mix.add(beat, &voices::kick(velocity), place);
    }
    for (hit, (beat, velocity)) in [
        (1.0, 0.95),
        (3.0, 1.0),
        (3.75, 0.16),
        (5.0, 0.97),
        (5.75, 0.13),
        (6.75, 0.2),
        (7.0, 1.0),
        (7.75, 0.34),
    ]
    .into_iter()
    .enumerate()
    {
        let place = Place {
            level_db: -3.0,
            pan: 0.06,
            room_db: -9.0,
        };
        mix.add(beat, &voices::snare(velocity, hit as u64), place);
    }
    for eighth in 0..16 {
        let beat = f64::from(eighth) * 0.5;
        let open = eighth == 5 || eighth == 15;
        let velocity = if eighth % 2 == 0 { 0.85 } else { 0.55 };
        let place = Place {
            level_db: -10.0,
            pan: 0.28,
            room_db: -16.0,
        };
        mix.add(beat, &voices::hat(velocity, open, eighth as u64), place);
    }
    for (hit, (beat, velocity)) in [(1.25, 0.3), (2.75, 0.35), (4.75, 0.3), (7.25, 0.4)]
        .into_iter()
        .enumerate()
    {
        let place = Place {
            level_db: -11.0,
            pan: 0.28,
            room_db: -16.0,
        };
        mix.add(beat, &voices::hat(velocity, false, 100 + hit as u64), place);
    }
}

/// A minor ninth, then F major seventh with its dominant at the turn.
fn bass(mix: &mut Mix) {
    for (beat, beats, key, velocity) in [
        (0.0, 1.4, 33, 1.0),
        (1.75, 0.6, 33, 0.75),
        (2.5, 0.7, 45, 0.8),
        (3.25, 0.6, 43, 0.7),
        (4.0, 1.3, 29, 1.0),
        (5.5, 0.6, 29, 0.75),
        (6.5, 0.7, 31, 0.9),
        (7.25, 0.6, 28, 0.8),
    ] {
        let place = Place {
            level_db: -9.5,
            pan: 0.0,
            room_db: NONE,
        };
        mix.add(beat, &voices::bass(key, secs(beats), velocity), place);
    }
}

fn keys(mix: &mut Mix) {
    let a_minor_9: &[u32] = &[57, 60, 64, 67, 71];
    let f_major_7: &[u32] = &[53, 57, 60, 64, 67];
    let e_minor_7: &[u32] = &[52, 55, 59, 62, 67];
    for (beat, beats, chord, velocity) in [
        (0.0, 1.6, a_minor_9, 0.8),
        (2.5, 0.4, a_minor_9, 0.55),
        (3.25, 0.6, a_minor_9, 0.6),
        (4.0, 1.6, f_major_7, 0.8),
        (5.75, 0.4, f_major_7, 0.5),
        (6.5, 1.3, e_minor_7, 0.65),
    ] {
        for (i, &key) in chord.iter().enumerate() {
            let spread = i as f64 / (chord.len() - 1) as f64 * 2.0 - 1.0;
            let place = Place {
                level_db: -17.0,
                pan: 0.85 * spread,
                room_db: -10.0,
            };
            // A hand is not a gate: the chord's keys go down within 16 ms.
            let strum = 0.0065 * i as f64;
            mix.add(
                beat + strum,
                &voices::piano(key, secs(beats), velocity),
                place,
            );
        }
    }
}

/// The sung line: a quiet question in the first bar, a loud answer in the second.
fn song(mix: &mut Mix) {
    use voices::Vowel::{A, E, I, O, U};
    let question = [
        Sung::new(0.0, 0.45, 64, O, 0.30).sibilant(),
        Sung::new(0.5, 0.45, 67, A, 0.36),
        Sung::new(1.0, 1.1, 69, A, 0.46).to(I),
        Sung::new(2.25, 1.1, 64, E, 0.26).sibilant().to(U),
    ];
    let answer = [
        Sung::new(0.0, 0.4, 69, A, 0.9).sibilant(),
        Sung::new(0.5, 0.7, 72, A, 1.0).to(O),
        Sung::new(1.25, 0.4, 71, I, 0.8),
        Sung::new(1.75, 1.5, 67, O, 0.7).sibilant().to(A),
    ];
    for (beat, phrase) in [(0.5, &question), (4.5, &answer)] {
        let place = Place {
            level_db: 2.0,
            pan: 0.0,
            room_db: -11.0,
        };
        let voice = voices::sing(phrase, 60.0 / BEATS_PER_MINUTE);
        // The phrase's first consonant stands before its beat, as a singer's does.
        let lead_beats = voices::LEAD_SECS * BEATS_PER_MINUTE / 60.0;
        mix.add(beat - lead_beats, &voice, place);
    }
}

fn secs(beats: f64) -> f64 {
    beats * 60.0 / BEATS_PER_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(samples: &[f32]) -> f64 {
        let sum: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
        (sum / samples.len() as f64).sqrt()
    }

    #[test]
    fn the_loop_is_two_bars_long() {
        let music = render();
        let frames = BARS * BEATS_PER_BAR * BEAT_FRAMES;
        assert_eq!((music.left.len(), music.right.len()), (frames, frames));
        let beat_frames = 60.0 / BEATS_PER_MINUTE * f64::from(SAMPLE_RATE_HZ);
        assert_eq!(BEAT_FRAMES as f64, beat_frames);
    }

    #[test]
    fn the_loop_peaks_at_its_level_and_keeps_its_dynamics() {
        let music = render();
        let peak_db = 20.0 * f64::from(peak(&music.left).max(peak(&music.right))).log10();
        assert!((peak_db - PEAK_DBFS).abs() < 0.01, "peak {peak_db} dBFS");
        let crest_db = peak_db - 20.0 * rms(&music.left).max(rms(&music.right)).log10();
        assert!(
            (10.0..18.0).contains(&crest_db),
            "crest factor {crest_db} dB"
        );
    }

    #[test]
    fn the_loop_joins_its_own_start_without_a_step() {
        let music = render();
        for channel in [&music.left, &music.right] {
            // The first frame is the kick's, whose own attack starts from zero.
            let seam = (channel[0] - channel[channel.len() - 1]).abs();
            let largest = channel
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).abs())
                .fold(0.0, f32::max);
            assert!(seam < largest / 4.0, "step {seam} of at most {largest}");
        }
    }

    #[test]
    fn what_rings_past_the_end_comes_in_again_at_the_start() {
        let mut mix = Mix::new(BEAT_FRAMES);
        let place = Place {
            level_db: 0.0,
            pan: 0.0,
            room_db: NONE,
        };
        mix.add(0.5, &vec![1.0; BEAT_FRAMES], place);
        assert!(mix.left.iter().all(|x| (x - 1.0).abs() < 1e-6));
    }

    #[test]
    fn the_loop_is_the_same_every_time() {
        let (one, two) = (render(), render());
        assert!(one.left == two.left && one.right == two.right);
    }
}
