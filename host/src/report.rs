//! What a render tells at its end: one JSON object, or a few lines.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde::Serialize;

use crate::error::HostError;

/// The JSON object of `headroom render --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RenderReport {
    /// Frames written.
    pub frames: u64,
    /// Of the input and the output, in Hz.
    pub sample_rate_hz: u32,
    /// Length of the output.
    pub seconds: f64,
    /// Seconds of sound for each second of work.
    pub realtime_factor: f64,
    /// The rack's latency, which the output does not show.
    pub latency_frames: usize,
    /// The loudest sample of the output; null when it is silent.
    pub peak_dbfs: Option<f64>,
    /// What the callback did, over every block after the priming block.
    pub audio_thread: AudioThread,
}

/// What the callback did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AudioThread {
    /// Allocations inside the callback.
    pub allocations: u64,
    /// Frees inside the callback.
    pub deallocations: u64,
    /// System calls inside the callback; null where nobody looked (see `play --trap`).
    pub system_calls: Option<u64>,
    /// Blocks processed.
    pub blocks: u64,
    /// How long they took.
    pub block_ns: BlockNs,
    /// Its thread's stack; null where the thread is not watched, or the system does not show.
    pub stack: Option<StackUse>,
    /// Page faults without the disk.
    pub minor_faults: u64,
    /// Page faults that waited for the disk.
    pub major_faults: u64,
}

/// How much of its stack a thread has used, at its deepest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StackUse {
    /// Bytes from its top down to the deepest that was written.
    pub used_bytes: u64,
    /// Bytes that there are.
    pub limit_bytes: u64,
}

impl fmt::Display for StackUse {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kib = |bytes: u64| bytes.div_ceil(1024);
        write!(to, "{}/{} KiB", kib(self.used_bytes), kib(self.limit_bytes))
    }
}

/// How long blocks took, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockNs {
    /// Half of all blocks took at most this.
    pub p50: u64,
    /// 99 % of all blocks took at most this.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// What only people are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Remarks {
    /// The rack's name.
    pub preset: String,
    /// Frames in a block.
    pub block_frames: usize,
    /// The loudest sample of the input; `None` when it is silent.
    pub input_peak_dbfs: Option<f64>,
    /// The output's samples that were cut at full scale.
    pub clipped_samples: u64,
    /// The input's packets that could not be decoded.
    pub damaged_packets: u64,
}

impl RenderReport {
    /// The report for people, three or four lines.
    pub fn summary(&self, output: &str, remarks: &Remarks) -> String {
        let mut text = String::new();
        let thread = &self.audio_thread;
        let times = &thread.block_ns;
        let micros = |ns: u64| format!("{:.1}", ns as f64 / 1_000.0);
        let latency_ms = self.latency_frames as f64 * 1_000.0 / f64::from(self.sample_rate_hz);
        // PANIC: writing into a String cannot fail.
        writeln!(
            text,
            "{output}: {} through {}, {} Hz, {:.0} times real time",
            duration(self.seconds),
            remarks.preset,
            self.sample_rate_hz,
            self.realtime_factor
        )
        .unwrap();
        // PANIC: as above.
        writeln!(
            text,
            "  peak {} in, {} out; latency {} frames ({latency_ms:.1} ms), compensated",
            decibels(remarks.input_peak_dbfs),
            decibels(self.peak_dbfs),
            self.latency_frames
        )
        .unwrap();
        // PANIC: as above.
        writeln!(
            text,
            "  {} blocks of {} frames: median {} µs, 99th percentile {} µs, longest {} µs; \
             {} allocations, {} frees, {} page faults",
            thread.blocks,
            remarks.block_frames,
            micros(times.p50),
            micros(times.p99),
            micros(times.max),
            thread.allocations,
            thread.deallocations,
            thread.minor_faults + thread.major_faults
        )
        .unwrap();
        text
    }
}

impl Remarks {
    /// What went less than well, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |count: u64, text: &str| {
            if count > 0 {
                warnings.push(format!("{count} {text}"));
            }
        };
        warn(
            self.damaged_packets,
            "packets of the input could not be decoded and became silence",
        );
        warn(
            self.clipped_samples,
            "samples were cut at full scale: turn the rack down or use --format f32",
        );
        warnings
    }
}

/// `[main]` Prints `text` to standard output; `is_aside` sends it to standard error, where standard output is
/// the sound itself.
pub fn print(text: &str, is_aside: bool) -> Result<(), HostError> {
    let outcome = if is_aside {
        io::stderr().write_all(text.as_bytes())
    } else {
        let mut stdout = io::stdout();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
    };
    outcome.map_err(HostError::Print)
}

/// `[main]` Prints `value` as one line of JSON.
pub fn print_json(value: &impl Serialize, is_aside: bool) -> Result<(), HostError> {
    let text = serde_json::to_string(value).map_err(|error| HostError::Print(error.into()))?;
    print(&(text + "\n"), is_aside)
}

/// A linear peak in dBFS; `None` when silent.
pub fn dbfs(peak: f32) -> Option<f64> {
    (peak > 0.0).then(|| 20.0 * f64::from(peak).log10())
}

fn decibels(level_dbfs: Option<f64>) -> String {
    level_dbfs.map_or_else(|| "silence".to_owned(), |level| format!("{level:.1} dBFS"))
}

/// `1:02:03.456`, without the hours when there are none.
fn duration(secs: f64) -> String {
    let millis = (secs * 1_000.0).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let rest = (millis % 60_000) as f64 / 1_000.0;
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:06.3}")
    } else {
        format!("{minutes}:{rest:06.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_has_no_level() {
        assert_eq!(dbfs(0.0), None);
        assert_eq!(dbfs(1.0), Some(0.0));
        assert!((dbfs(0.5).unwrap() + 6.0206).abs() < 1e-4);
    }

    #[test]
    fn durations_read_like_a_clock() {
        assert_eq!(duration(0.25), "0:00.250");
        assert_eq!(duration(59.9999), "1:00.000");
        assert_eq!(duration(3_723.4), "1:02:03.400");
    }

    #[test]
    fn the_summary_names_what_was_lost() {
        let remarks = Remarks {
            preset: "Voice".to_owned(),
            block_frames: 64,
            input_peak_dbfs: None,
            clipped_samples: 3,
            damaged_packets: 0,
        };
        let [warning] = &remarks.warnings()[..] else {
            panic!("one warning")
        };
        assert!(warning.starts_with("3 samples were cut"));
    }
}
