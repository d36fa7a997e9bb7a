//! What is said of a recording at the end.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::disk::Outcome;

/// One recording. Its two files start at the same frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordingReport {
    /// What was played.
    #[serde(flatten)]
    pub output: FileReport,
    /// Frames that the disk was too slow for: silence stands in their place.
    pub dropped_frames: u64,
    /// What came in, if that was asked for.
    pub dry: Option<FileReport>,
    #[serde(skip)]
    sample_rate_hz: u32,
}

/// One file of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// Where it is.
    pub file: String,
    /// Frames in it.
    pub frames: u64,
    /// Samples that were louder than an integer format can hold.
    pub clipped_samples: u64,
    /// Why it ends early, if it does.
    pub error: Option<String>,
}

impl RecordingReport {
    /// `[main]` From what became of the output's file and the other.
    pub(super) fn new(
        [output, dry]: [Option<Outcome>; 2],
        dropped_frames: u64,
        sample_rate_hz: u32,
    ) -> Self {
        Self {
            // Without an outcome the disk's thread has died.
            output: output.map_or_else(FileReport::lost, FileReport::of),
            dropped_frames,
            dry: dry.map(FileReport::of),
            sample_rate_hz,
        }
    }

    /// `[main]` Of one whose disk does not answer.
    pub(super) fn given_up(growing: &[PathBuf], dropped_frames: u64) -> Self {
        let mut left = growing.iter().map(|path| FileReport {
            file: path.display().to_string(),
            error: Some("the disk did not answer".to_owned()),
            ..FileReport::lost()
        });
        Self {
            output: left.next().unwrap_or_else(FileReport::lost),
            dropped_frames,
            dry: left.next(),
            sample_rate_hz: 1,
        }
    }

    /// `[any]` Whether its files hold all that was to be recorded.
    pub(super) fn is_whole(&self) -> bool {
        let files = [Some(&self.output), self.dry.as_ref()];
        files.into_iter().flatten().all(|file| file.error.is_none())
    }
}

impl FileReport {
    fn of(outcome: Outcome) -> Self {
        Self {
            file: outcome.path.display().to_string(),
            frames: outcome.frames,
            clipped_samples: outcome.clipped_samples,
            error: outcome.failure.map(|failure| failure.to_string()),
        }
    }

    fn lost() -> Self {
        Self {
            file: String::new(),
            frames: 0,
            clipped_samples: 0,
            error: Some("the thread that writes has died".to_owned()),
        }
    }
}

impl fmt::Display for RecordingReport {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = |frames: u64| frames as f64 / f64::from(self.sample_rate_hz.max(1));
        for (at, file) in [Some(&self.output), self.dry.as_ref()]
            .into_iter()
            .flatten()
            .enumerate()
        {
            if at > 0 {
                writeln!(to)?;
            }
            write!(to, "recorded {:.2} s into {}", secs(file.frames), file.file)?;
            if let Some(error) = &file.error {
                write!(to, ": ended early: {error}")?;
            }
            if file.clipped_samples > 0 {
                write!(to, ": {} samples clipped", file.clipped_samples)?;
            }
            if self.dropped_frames > 0 {
                write!(
                    to,
                    ": {} frames ({:.2} s) are silence, since the disk was too slow",
                    self.dropped_frames,
                    secs(self.dropped_frames)
                )?;
            }
        }
        Ok(())
    }
}
