//! Meters as the eye needs them: they rise at once, fall slowly, and hold what was highest.

use crate::pace::Pace;
use crate::text::{SILENCE_DB, decibels};
use headroom_ipc::{Lane, MAX_LANES, MeterFrame};
use std::collections::VecDeque;

/// How fast a peak falls.
const FALL_DB_PER_SEC: f32 = 24.0;
/// How long the highest peak stands.
const HOLD_SECS: f32 = 2.0;
/// How much of a gain reduction is kept to be drawn.
const HISTORY: usize = 360;

/// The levels of one place, in decibels.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Peak of the left and the right channel, falling.
    pub peak_db: [f32; 2],
    /// The highest peak of the last two seconds.
    pub held_db: [f32; 2],
    /// The highest peak since it was last cleared.
    pub highest_db: f32,
    /// Root mean square.
    pub rms_db: [f32; 2],
    /// By how much it is turned down; 0 or above.
    pub reduction_db: f32,
    /// It was at full scale or above since it was last cleared.
    pub clipped: bool,
    /// What stands in figures.
    pub figures: Figures,
    held_secs: [f32; 2],
    pace: Pace,
    next: Figures,
}

/// A level for reading: it stands for a quarter of a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The highest peak of the time.
    pub peak_db: f32,
    /// Root mean square at its end, of the louder channel.
    pub rms_db: f32,
    /// The most that it was turned down.
    pub reduction_db: f32,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            peak_db: SILENCE_DB,
            rms_db: SILENCE_DB,
            reduction_db: 0.0,
        }
    }
}

impl Default for Level {
    fn default() -> Self {
        Self {
            peak_db: [SILENCE_DB; 2],
            held_db: [SILENCE_DB; 2],
            highest_db: SILENCE_DB,
            rms_db: [SILENCE_DB; 2],
            reduction_db: 0.0,
            clipped: false,
            figures: Figures::default(),
            held_secs: [0.0; 2],
            pace: Pace::default(),
            next: Figures::default(),
        }
    }
}

impl Level {
    fn take(&mut self, lane: &Lane, fall_db: f32, secs: f32) {
        for channel in 0..2 {
            let peak_db = decibels(lane.peak[channel].abs());
            let fallen = (self.peak_db[channel] - fall_db).max(SILENCE_DB);
            self.peak_db[channel] = peak_db.max(fallen);
            self.held_secs[channel] += secs;
            if peak_db >= self.held_db[channel] || self.held_secs[channel] > HOLD_SECS {
                self.held_db[channel] = self.peak_db[channel];
                self.held_secs[channel] = 0.0;
            }
            self.highest_db = self.highest_db.max(peak_db);
            self.clipped |= lane.peak[channel] >= 1.0;
            let rms_db = decibels(lane.mean_square[channel].abs().sqrt());
            let ease = (secs / 0.12).clamp(0.0, 1.0);
            self.rms_db[channel] += (rms_db - self.rms_db[channel]) * ease;
        }
        let reduction_db = if lane.reduction_db.is_finite() {
            lane.reduction_db.clamp(0.0, 100.0)
        } else {
            0.0
        };
        self.reduction_db = reduction_db.max(self.reduction_db - fall_db);
        self.read(secs);
    }

    fn read(&mut self, secs: f32) {
        let peak_db = self.peak_db[0].max(self.peak_db[1]);
        let next = &mut self.next;
        next.peak_db = next.peak_db.max(peak_db);
        next.reduction_db = next.reduction_db.max(self.reduction_db);
        next.rms_db = self.rms_db[0].max(self.rms_db[1]);
        let is_silent = peak_db <= SILENCE_DB;
        if is_silent {
            // What is over is not said to be still there: nobody may look again. What comes next is said at once.
            self.figures = Figures {
                rms_db: next.rms_db,
                ..Figures::default()
            };
            (self.next, self.pace) = (Figures::default(), Pace::default());
        } else if self.pace.is_due(secs) {
            self.figures = std::mem::take(next);
        }
    }

    /// `[main]` Takes back the clip and what was highest.
    pub fn clear(&mut self) {
        self.clipped = false;
        self.highest_db = self.peak_db[0].max(self.peak_db[1]);
        self.held_db = self.peak_db;
    }
}

/// One moment of a module's life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The frame at its end.
    pub frame: u64,
    /// By how much it turned down.
    pub reduction_db: f32,
    /// What it put out.
    pub out_db: f32,
}

/// All meters of a rack.
#[derive(Debug, Clone)]
pub struct Levels {
    /// What leaves the rack.
    pub master: Level,
    lanes: Vec<Level>,
    histories: Vec<VecDeque<Moment>>,
    /// The newest frame that was metered.
    pub frame: u64,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            master: Level::default(),
            lanes: vec![Level::default(); MAX_LANES],
            histories: vec![VecDeque::new(); MAX_LANES],
            frame: 0,
        }
    }
}

impl Levels {
    /// `[main]` What stands in lane `index`; silence where there is no such lane.
    pub fn lane(&self, index: u8) -> &Level {
        // PANIC: all lanes are made at once and none is ever taken away.
        &self.lanes[usize::from(index).min(MAX_LANES - 1)]
    }

    /// `[main]` The last seconds of lane `index`, oldest first.
    pub fn history(&self, index: u8) -> &VecDeque<Moment> {
        // PANIC: all histories are made at once and none is ever taken away.
        &self.histories[usize::from(index).min(MAX_LANES - 1)]
    }

    /// `[main]` Takes what was metered over the last `secs`.
    pub fn take(&mut self, metered: &MeterFrame, secs: f32) {
        let secs = if secs.is_finite() {
            secs.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let fall_db = FALL_DB_PER_SEC * secs;
        self.master.take(&metered.master, fall_db, secs);
        self.frame = metered.to;
        for (index, lane) in metered.lanes.iter().enumerate() {
            if metered.present & 1 << index == 0 {
                continue;
            }
            self.lanes[index].take(lane, fall_db, secs);
            let history = &mut self.histories[index];
            if history.back().is_some_and(|last| last.frame > metered.to) {
                history.clear();
            }
            history.push_back(Moment {
                frame: metered.to,
                reduction_db: if lane.reduction_db.is_finite() {
                    lane.reduction_db.clamp(0.0, 100.0)
                } else {
                    0.0
                },
                out_db: decibels(lane.peak[0].abs().max(lane.peak[1].abs())),
            });
            while history.len() > HISTORY {
                history.pop_front();
            }
        }
    }

    /// `[main]` Nothing new came for `secs`: meters fall on. Says whether anything still moves.
    pub fn fall(&mut self, secs: f32) -> bool {
        let silent = Lane::default();
        let fall_db = FALL_DB_PER_SEC * secs.clamp(0.0, 1.0);
        let mut moves = false;
        for level in self.lanes.iter_mut().chain([&mut self.master]) {
            if level
                .peak_db
                .iter()
                .chain(&level.held_db)
                .any(|db| *db > SILENCE_DB)
                || level.reduction_db > 0.0
            {
                moves = true;
                level.take(&silent, fall_db, secs);
            }
        }
        moves
    }

    /// `[main]` Takes back all clips.
    pub fn clear(&mut self) {
        self.lanes.iter_mut().for_each(Level::clear);
        self.master.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metered(to: u64, peak: f32, reduction_db: f32) -> MeterFrame {
        let lane = Lane {
            peak: [peak; 2],
            mean_square: [peak * peak / 2.0; 2],
            reduction_db,
        };
        MeterFrame {
            to,
            master: lane,
            present: 1 << 3,
            lanes: std::array::from_fn(|index| if index == 3 { lane } else { Lane::default() }),
        }
    }

    #[test]
    fn a_peak_rises_at_once_is_held_and_falls() {
        let mut levels = Levels::default();
        levels.take(&metered(1, 0.5, 0.0), 0.03);
        assert!((levels.master.peak_db[0] + 6.02).abs() < 0.01);
        for _ in 0..10 {
            levels.take(&metered(2, 0.001, 0.0), 0.1);
        }
        assert!((levels.master.peak_db[0] + 30.0).abs() < 0.1);
        assert!((levels.master.held_db[0] + 6.02).abs() < 0.01);
        for _ in 0..12 {
            levels.take(&metered(3, 0.001, 0.0), 0.1);
        }
        assert!(levels.master.held_db[0] < -40.0, "held {:?}", levels.master);
    }

    #[test]
    fn full_scale_is_a_clip_that_stays_until_it_is_cleared() {
        let mut levels = Levels::default();
        levels.take(&metered(1, 0.999, 0.0), 0.03);
        assert!(!levels.master.clipped);
        levels.take(&metered(2, 1.0, 0.0), 0.03);
        levels.take(&metered(3, 0.1, 0.0), 0.03);
        assert!(levels.master.clipped);
        levels.clear();
        assert!(!levels.master.clipped);
    }

    #[test]
    fn a_figure_stands_for_a_quarter_of_a_second_and_says_the_worst_of_it() {
        let mut levels = Levels::default();
        let mut seen = Vec::new();
        // A peak and a reduction of one frame each, among quieter ones.
        for frame in 0..16u64 {
            let loud = frame == 4;
            let (peak, reduction_db) = if loud { (0.5, 9.0) } else { (0.01, 1.0) };
            levels.take(&metered(frame * 1_600, peak, reduction_db), 1.0 / 30.0);
            seen.push(levels.lane(3).figures);
        }
        let changes = seen.windows(2).filter(|two| two[0] != two[1]).count();
        assert!((1..=2).contains(&changes), "{seen:?}");
        let worst = seen.iter().find(|figures| figures.peak_db > -10.0);
        let worst = worst.expect("the peak is said");
        assert!((worst.peak_db + 6.02).abs() < 0.1 && worst.reduction_db == 9.0);
    }

    #[test]
    fn figures_say_silence_when_it_is_silent_and_the_next_sound_at_once() {
        let mut levels = Levels::default();
        levels.take(&metered(1_600, 0.5, 6.0), 1.0 / 30.0);
        levels.take(&metered(3_200, 0.4, 6.0), 1.0 / 30.0);
        while levels.fall(0.1) {}
        let figures = levels.lane(3).figures;
        assert_eq!((figures.peak_db, figures.reduction_db), (SILENCE_DB, 0.0));
        levels.take(&metered(4_800, 0.5, 6.0), 1.0 / 30.0);
        assert!(levels.lane(3).figures.peak_db > -7.0);
    }

    #[test]
    fn what_is_no_number_is_silence_and_no_reduction() {
        let mut levels = Levels::default();
        levels.take(&metered(1, f32::NAN, f32::NAN), f32::NAN);
        assert_eq!(levels.master, Level::default());
        levels.take(&metered(1, f32::INFINITY, f32::INFINITY), 0.1);
        assert!(levels.master.peak_db[0].is_finite());
    }

    #[test]
    fn meters_fall_to_silence_and_then_stand_still() {
        let mut levels = Levels::default();
        levels.take(&metered(1, 1.0, 12.0), 0.03);
        let steps = (0..1_000).take_while(|_| levels.fall(0.1)).count();
        assert!(steps < 200, "{steps} steps");
        assert_eq!(levels.lane(3).peak_db, [SILENCE_DB; 2]);
    }
}
