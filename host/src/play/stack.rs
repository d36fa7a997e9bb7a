//! How much of its stack the audio thread uses, and a warning before it is too much.

use std::time::Duration;
use std::time::Instant;

use headroom_engine::realtime::StackCell;

use crate::report::StackUse;

/// Between two looks: each reads all that was painted.
const PERIOD: Duration = Duration::from_secs(1);

/// What is known of the stacks of all the audio threads there were.
#[derive(Debug, Default)]
pub(super) struct Stack {
    /// Of the thread that came nearest to its limit. One that has gone leaves this.
    fullest: Option<StackUse>,
    looked: Option<Instant>,
    told: bool,
}

impl Stack {
    /// `[main]` Looks if it is time to, or if it `must`; gives the warning, once, when there is one.
    pub(super) fn look(&mut self, cell: &StackCell, must: bool) -> Option<String> {
        if !must && self.looked.is_some_and(|at| at.elapsed() < PERIOD) {
            return None;
        }
        let watch = cell.watch()?;
        self.looked = Some(Instant::now());
        let now = StackUse {
            used_bytes: watch.used_bytes()?,
            limit_bytes: watch.limit_bytes(),
        };
        self.note(now)
    }

    /// `[main]` The nearest to its limit that any came; `None` where nothing is known.
    pub(super) fn fullest(&self) -> Option<StackUse> {
        self.fullest
    }

    fn note(&mut self, now: StackUse) -> Option<String> {
        let share = |stack: StackUse| stack.used_bytes as f64 / stack.limit_bytes.max(1) as f64;
        if self
            .fullest
            .is_none_or(|before| share(now) >= share(before))
        {
            self.fullest = Some(now);
        }
        let is_news = !self.told && share(now) > 0.5;
        self.told |= is_news;
        is_news.then(|| {
            format!(
                "warning: the audio thread has used {now} of its stack: if it uses all, the program ends",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(used_bytes: u64, limit_bytes: u64) -> StackUse {
        StackUse {
            used_bytes,
            limit_bytes,
        }
    }

    #[test]
    fn less_than_half_left_is_said_once() {
        let mut stack = Stack::default();
        assert_eq!(stack.note(used(256 << 10, 512 << 10)), None);
        let warning = stack.note(used(300 << 10, 512 << 10)).unwrap();
        assert!(warning.contains("300/512 KiB"), "{warning}");
        assert_eq!(stack.note(used(400 << 10, 512 << 10)), None);
        assert_eq!(stack.fullest(), Some(used(400 << 10, 512 << 10)));
    }

    #[test]
    fn the_thread_nearest_to_its_limit_is_kept() {
        let mut stack = Stack::default();
        let _none = stack.note(used(200 << 10, 512 << 10));
        let _none = stack.note(used(300 << 10, 2 << 20));
        assert_eq!(stack.fullest(), Some(used(200 << 10, 512 << 10)));
        assert_eq!(stack.look(&StackCell::default(), true), None);
    }
}
