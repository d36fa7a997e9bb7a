//! A small room for the demo's loop: four delay lines that feed each other, 0.45 s.

/// Four-line feedback delay network, mono in, stereo out.
pub(crate) struct Room {
    lines: [Vec<f64>; 4],
    at: [usize; 4],
    damped: [f64; 4],
    feedback: [f64; 4],
}

/// Lengths without a common divisor, so that the echoes do not fall together.
const LINE_SECS: [f64; 4] = [0.0193, 0.0237, 0.0289, 0.0331];
/// Time to -60 dB at low frequencies.
const DECAY_SECS: f64 = 0.45;
/// One-pole damping of each pass, 0 none.
const DAMPING: f64 = 0.35;

impl Room {
    pub(crate) fn new(sample_rate_hz: f64) -> Self {
        let frames = LINE_SECS.map(|secs| (secs * sample_rate_hz).round() as usize);
        Room {
            lines: frames.map(|frames| vec![0.0; frames]),
            at: [0; 4],
            damped: [0.0; 4],
            feedback: LINE_SECS.map(|secs| 10f64.powf(-3.0 * secs / DECAY_SECS)),
        }
    }

    /// One frame in, one stereo frame of reverberation out.
    pub(crate) fn next(&mut self, input: f64) -> [f64; 2] {
        let mut out = [0.0; 4];
        for (i, line) in self.lines.iter().enumerate() {
            self.damped[i] += (1.0 - DAMPING) * (line[self.at[i]] - self.damped[i]);
            out[i] = self.damped[i];
        }
        // A Householder reflection: lossless, and every line feeds every other.
        let half_sum = 0.5 * out.iter().sum::<f64>();
        for (i, line) in self.lines.iter_mut().enumerate() {
            line[self.at[i]] = input + self.feedback[i] * (out[i] - half_sum);
            self.at[i] = (self.at[i] + 1) % line.len();
        }
        [out[0] - out[2], out[1] - out[3]]
    }
}
