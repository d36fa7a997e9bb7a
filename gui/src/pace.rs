//! Figures change four times a second: a number that changes with every frame cannot be read.

/// How long a figure stands.
pub const FIGURE_SECS: f32 = 0.25;

/// Says when a figure may change. The first is due at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    left_secs: f32,
}

impl Pace {
    /// `[main]` Whether it is time, `secs` after the last call.
    pub fn is_due(&mut self, secs: f32) -> bool {
        self.left_secs -= secs.max(0.0);
        // What is no number is due.
        if self.left_secs > 0.0 {
            return false;
        }
        self.left_secs = if self.left_secs > -FIGURE_SECS {
            self.left_secs + FIGURE_SECS
        } else {
            FIGURE_SECS
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_changes_at_once_and_then_four_times_a_second() {
        let mut pace = Pace::default();
        let due = |_| pace.is_due(1.0 / 30.0);
        let seen: Vec<bool> = (0..=300).map(due).collect();
        assert!(seen[0]);
        let changes = seen.iter().filter(|due| **due).count();
        assert!((40..=41).contains(&changes), "{changes} in ten seconds");
        assert!(
            !seen
                .windows(7)
                .any(|near| near.iter().filter(|due| **due).count() > 1)
        );
    }

    #[test]
    fn a_long_pause_or_no_number_leaves_no_debt() {
        let mut pace = Pace::default();
        for secs in [60.0, f32::NAN, f32::INFINITY, -3.0] {
            pace.is_due(secs);
            assert!(pace.is_due(0.3), "{secs}");
            assert!(!pace.is_due(0.01), "{secs}");
        }
    }
}
