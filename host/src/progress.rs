//! The bar that shows how far a render is.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, and nothing at all where that is no terminal.
pub struct Progress {
    bar: ProgressBar,
    sample_rate_hz: f64,
}

impl Progress {
    /// [main] For a file of `length_frames`; unknown for a pipe.
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
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self {
            bar,
            sample_rate_hz: f64::from(sample_rate_hz),
        }
    }

    /// [main] `frames` of the input were taken in all.
    pub fn at(&self, frames: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let rendered_secs = frames as f64 / self.sample_rate_hz;
        let worked_secs = self.bar.elapsed().as_secs_f64();
        self.bar.set_position(frames);
        if worked_secs > 0.2 {
            self.bar.set_message(format!(
                "{rendered_secs:.0} s, {:.0} times real time",
                rendered_secs / worked_secs
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
