//! Tells a drift between two clocks from everything else that makes waiting frames more or fewer.
//!
//! What waits is averaged over a second, and a straight line laid through the seconds. Jitter leaves the
//! averages where they are, and frames that get lost are a step, which no straight line fits; only two
//! clocks that run at different speeds give a line. When nothing is found the averages are taken over twice
//! the time, and again, so that a drift of one in a million is found as well, in minutes.

/// Points that a line is laid through at most.
const POINTS: usize = 32;
/// Over so many points at least.
const LEAST_POINTS: usize = 8;
/// Seconds of the first averages, and of the longest.
const FIRST_SECS: f64 = 1.0;
const LONGEST_SECS: f64 = 64.0;
/// The line rises or falls by so many frames at least ...
const LEAST_RISE_FRAMES: f64 = 24.0;
/// ... and by so many times what is left beside it. For a step that is 6 at most.
const LEAST_CLARITY: f64 = 20.0;

/// The watch.
#[derive(Debug)]
pub(super) struct Trend {
    points: [f64; POINTS],
    count: usize,
    point_secs: f64,
    sum: f64,
    samples: u32,
    elapsed_secs: f64,
}

impl Trend {
    /// `[any]` Nothing seen yet.
    pub(super) fn new() -> Self {
        Self {
            points: [0.0; POINTS],
            count: 0,
            point_secs: FIRST_SECS,
            sum: 0.0,
            samples: 0,
            elapsed_secs: 0.0,
        }
    }

    /// `[audio]` Forgets what was seen: frames were lost, or thrown away.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    /// `[audio]` One measurement, `elapsed_secs` after the one before. Gives the slope in frames a second
    /// once there is one.
    pub(super) fn see(&mut self, waiting_frames: f64, elapsed_secs: f64) -> Option<f64> {
        self.sum += waiting_frames;
        self.samples += 1;
        self.elapsed_secs += elapsed_secs;
        if self.elapsed_secs < self.point_secs {
            return None;
        }
        self.points[self.count] = self.sum / f64::from(self.samples);
        self.count += 1;
        (self.sum, self.samples, self.elapsed_secs) = (0.0, 0, 0.0);
        let slope = (self.count >= LEAST_POINTS && self.count.is_power_of_two())
            .then(|| self.line())
            .flatten();
        if self.count == POINTS {
            self.coarsen();
        }
        slope
    }

    /// Twice the time for each point; or, at the longest, the newer half alone.
    fn coarsen(&mut self) {
        self.count = POINTS / 2;
        if self.point_secs < LONGEST_SECS {
            self.point_secs *= 2.0;
            for point in 0..self.count {
                self.points[point] = 0.5 * (self.points[2 * point] + self.points[2 * point + 1]);
            }
        } else {
            self.points.copy_within(POINTS / 2.., 0);
        }
    }

    /// The slope of the line through the points, if they lie on one.
    fn line(&self) -> Option<f64> {
        let points = &self.points[..self.count];
        let count = points.len() as f64;
        let middle = 0.5 * (count - 1.0);
        let mean = points.iter().sum::<f64>() / count;
        let along = |at: usize| at as f64 - middle;
        let (mut with, mut of) = (0.0, 0.0);
        for (at, point) in points.iter().enumerate() {
            with += along(at) * (point - mean);
            of += along(at) * along(at);
        }
        let slope = with / of;
        let beside = points
            .iter()
            .enumerate()
            .map(|(at, point)| (point - mean - slope * along(at)).powi(2))
            .sum::<f64>();
        let beside = (beside / count).sqrt();
        let rise = (slope * (count - 1.0)).abs();
        (rise >= LEAST_RISE_FRAMES && rise >= LEAST_CLARITY * beside)
            .then_some(slope / self.point_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A callback every 256 frames at 48 kHz, as late as `jitter` says; the second at which a slope is
    /// found, and the slope.
    fn watch(secs: f64, waiting: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
        let mut trend = Trend::new();
        let mut random = 1_u32;
        let block_secs = 256.0 / 48_000.0;
        (1..(secs / block_secs) as u32).find_map(|callback| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let jitter = f64::from(random >> 8) / f64::from(1 << 24) * 100.0;
            let now = f64::from(callback) * block_secs;
            trend
                .see(waiting(now) + jitter, block_secs)
                .map(|slope| (now, slope))
        })
    }

    #[test]
    fn a_drift_is_found_the_sooner_the_faster_it_is() {
        for (ppm, within_secs) in [(200.0, 10.0), (-50.0, 40.0), (10.0, 140.0), (-1.0, 2000.0)] {
            let slope = ppm * 1e-6 * 48_000.0;
            let (secs, found) = watch(3600.0, |now| 300.0 + slope * now).unwrap();
            assert!(secs < within_secs, "{ppm} ppm: {secs} s");
            assert!((found / slope - 1.0).abs() < 0.1, "{ppm} ppm: {found}");
        }
    }

    #[test]
    fn jitter_steps_and_lost_blocks_are_no_drift() {
        assert_eq!(watch(3600.0, |_| 256.0), None);
        for at in 0..40 {
            let step = |now: f64| if now < f64::from(at) { 512.0 } else { 256.0 };
            assert_eq!(watch(600.0, step), None, "step at {at} s");
        }
        let stairs = |now: f64| 4096.0 - 256.0 * (now / 97.0).floor();
        assert_eq!(watch(250.0, stairs), None);
    }
}
