//! What a screen can show of a kind beside its parameters: a curve, and what can be taken hold of on it.

pub use headroom_ipc::board::Handle;
pub use headroom_ipc::{Axis, Curve};

use crate::stream::Stream;
use crate::tempo::Tempo;

/// Points of a curve that goes over the whole spectrum.
const POINTS: usize = 192;
/// What a response is shown over.
const FROM_HZ: f32 = 20.0;
const TO_HZ: f32 = 20_000.0;

/// Where a module stands when it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// The stream it runs in.
    pub stream: Stream,
    /// The tempo it goes by.
    pub tempo: Tempo,
}

/// What a screen can show of a kind. Drawn from the same table as all else: a screen knows nothing of it.
#[derive(Debug, Clone, Copy)]
pub struct Face {
    /// `[main]` What it does with these values, as a picture.
    pub curve: Option<fn(scene: &Scene, values: &[f32]) -> Curve>,
    /// What can be taken hold of on the curve, by rows of the table.
    pub handles: &'static [Handle],
    /// It turns its input down, and its meter says by how much.
    pub reduces: bool,
}

impl Face {
    /// Its parameters and nothing else.
    pub const PLAIN: Self = Self {
        curve: None,
        handles: &[],
        reduces: false,
    };
}

/// `[main]` A response in dB over the audible spectrum: `gain_at` gives the gain at a frequency in Hz, linear.
pub(crate) fn response(range_db: f32, gain_at: impl Fn(f64) -> f64) -> Curve {
    let octaves = f64::from(TO_HZ / FROM_HZ).log2();
    let point = |at: usize| {
        let way = at as f64 / (POINTS - 1) as f64;
        let hz = f64::from(FROM_HZ) * (octaves * way).exp2();
        // Deep notches would leave any picture.
        let db = 20.0 * gain_at(hz).max(1e-6).log10();
        (hz as f32, db as f32)
    };
    Curve {
        x: (Axis::FrequencyHz, FROM_HZ, TO_HZ),
        y: (Axis::Decibels, -range_db, range_db),
        stems: false,
        points: (0..POINTS).map(point).collect(),
    }
}
