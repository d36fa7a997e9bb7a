//! The bar that shows how far a render is.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// A bar on standard error, and nothing at all where that is no terminal.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: Instant,
    sample_rate_hz: f64,
}

impl Progress {
    /// `[main]` For a file of `length_frames`; unknown for a pipe.
    pub fn new(length_frames: Option<u64>, sample_rate_hz: u32) -> Self {
        let template = match length_frames {
            Some(_) => "{bar:40} {percent:>3} %  {msg}  {eta} left",
            None => "{spinner} {elapsed}  {msg}",
        };
        let bar =
            ProgressBar::with_draw_target(length_frames, ProgressDrawTarget::stderr_with_hz(10));
        // A template that does not parse would leave the plain bar.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if length_frames.is_none() {
            bar.enable_steady_tick(REDRAW);
        }
        let now = Instant::now();
        Self {
            bar,
            started: now,
            shown: now,
            sample_rate_hz: f64::from(sample_rate_hz),
        }
    }

    /// `[main]` `frames` of the input were taken in all. Costs a look at the clock until it is time to draw.
    pub fn at(&mut self, frames: u64) {
        if self.bar.is_hidden() || self.shown.elapsed() < REDRAW {
            return;
        }
        self.shown = Instant::now();
        let rendered_secs = frames as f64 / self.sample_rate_hz;
        let speed = rendered_secs / self.started.elapsed().as_secs_f64();
        self.bar.set_position(frames);
        self.bar
            .set_message(format!("{rendered_secs:.0} s, {speed:.0} times real time"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
