//! Decibels and linear gains. Amplitude throughout: 20 log10.

/// Below this a level is shown as silence, in dB.
pub const SILENCE_DB: f32 = -150.0;

/// `[any]` Decibels to a linear gain.
pub fn db_to_gain(db: f32) -> f32 {
    10f32.powf(db * 0.05)
}

/// `[any]` A linear gain, at least 0, to decibels; zero and anything below [`SILENCE_DB`] is
/// negative infinity.
pub fn gain_to_db(gain: f32) -> f32 {
    let db = 20.0 * gain.log10();
    if db < SILENCE_DB {
        f32::NEG_INFINITY
    } else {
        db
    }
}
