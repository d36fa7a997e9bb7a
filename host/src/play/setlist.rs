//! The presets of a show, in their order: the next one at a key, or by the clock of what is played.

use crate::presets::Found;

/// The presets, and where in them we are. Behind the last comes the first.
pub(super) struct Setlist {
    presets: Vec<Found>,
    at: usize,
    every_secs: Option<f64>,
    /// When the next one is due, in seconds of the programme.
    due_secs: f64,
}

impl Setlist {
    /// `[main]` A setlist that begins at its first preset; nothing ever changes where there is one at most.
    pub(super) fn new(presets: Vec<Found>, every_secs: Option<f64>) -> Self {
        Self {
            presets,
            at: 0,
            every_secs,
            due_secs: every_secs.unwrap_or(f64::INFINITY),
        }
    }

    /// `[main]` How long it is.
    pub(super) fn len(&self) -> usize {
        self.presets.len()
    }

    /// `[main]` Seconds between two presets, where the clock changes them.
    pub(super) fn every_secs(&self) -> Option<f64> {
        self.every_secs.filter(|_| self.len() > 1)
    }

    /// `[main]` The preset that is `steps` on, and where it stands; it is where we are only once that is said.
    pub(super) fn step(&self, steps: isize) -> Option<(usize, &Found)> {
        if self.len() < 2 {
            return None;
        }
        let len = isize::try_from(self.len()).ok()?;
        let at = isize::try_from(self.at).ok()? + steps;
        let at = usize::try_from(at.rem_euclid(len)).ok()?;
        Some((at, &self.presets[at]))
    }

    /// `[main]` The preset at `at` plays now.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// `[main]` Whether the clock asks for the next preset; asks once for each time that is due, and once for
    /// all that were missed.
    pub(super) fn is_due(&mut self, played_secs: f64) -> bool {
        let Some(every_secs) = self.every_secs() else {
            return false;
        };
        if played_secs < self.due_secs {
            return false;
        }
        let missed = ((played_secs - self.due_secs) / every_secs).floor();
        self.due_secs += (missed + 1.0) * every_secs;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_engine::Catalog;

    fn setlist(len: usize, every_secs: Option<f64>) -> Setlist {
        let preset = crate::presets::locate(None, &Catalog::builtin()).unwrap();
        Setlist::new(vec![preset; len], every_secs)
    }

    fn place(setlist: &Setlist, steps: isize) -> Option<usize> {
        setlist.step(steps).map(|(at, _)| at)
    }

    #[test]
    fn behind_the_last_comes_the_first_and_before_the_first_the_last() {
        let mut setlist = setlist(3, None);
        assert_eq!(
            (place(&setlist, 1), place(&setlist, -1)),
            (Some(1), Some(2))
        );
        setlist.go_to(2);
        assert_eq!(
            (place(&setlist, 1), place(&setlist, -1)),
            (Some(0), Some(1))
        );
        assert_eq!(place(&self::setlist(1, None), 1), None);
        assert_eq!(place(&self::setlist(0, None), -1), None);
    }

    #[test]
    fn the_clock_asks_once_for_each_time_and_once_for_all_that_were_missed() {
        let mut two = setlist(2, Some(0.5));
        let asked: Vec<bool> = [0.0, 0.4, 0.5, 0.6, 0.99, 1.0, 3.2, 3.3, 3.5]
            .map(|secs| two.is_due(secs))
            .to_vec();
        assert_eq!(
            asked,
            [false, false, true, false, false, true, true, false, true]
        );
        assert!(!setlist(1, Some(0.5)).is_due(9.0));
        assert!(!setlist(2, None).is_due(9.0));
    }
}
