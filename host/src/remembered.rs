//! What is remembered from one run of `play` to the next: a small TOML file in the user's state folder.
//!
//! ```toml
//! headroom = 1
//! backend = "alsa"
//! preset = "voice"
//!
//! [on.alsa]
//! output_device = "hw:CARD=USB,DEV=0"
//! output_name = "Scarlett 2i2"
//! block_frames = 128
//! ```
//!
//! Devices, rate and block stand under their backend: a name means nothing to another one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use directories::ProjectDirs;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::Error as _;

use crate::play::Backend;
use crate::play::routing::Routing;

/// Sample rates that are taken, in Hz.
const RATES_HZ: RangeInclusive<u32> = 8_000..=384_000;
/// Blocks that are taken, in frames.
const BLOCKS_FRAMES: RangeInclusive<u32> = 1..=8_192;
/// The version that `headroom = 1` stands for.
const VERSION: u32 = 1;
/// More is no memory of ours.
const MAX_BYTES: u64 = 64 * 1024;
/// What a file's name begins with until it is whole.
const UNFINISHED: &str = ".play";
/// A save takes milliseconds: what is older was left by a program that was killed in the middle of one.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    headroom: u32,
    /// The backend of the last run.
    pub backend: Option<Backend>,
    /// The preset that was named last: a name, or a file's whole path.
    pub preset: Option<String>,
    /// What was used on each backend.
    #[serde(default)]
    pub on: BTreeMap<Backend, Devices>,
}

/// What was used on one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// The output's identity, as `--output-device` takes it.
    pub output_device: Option<String>,
    /// What people call it.
    pub output_name: Option<String>,
    /// The input's identity.
    pub input_device: Option<String>,
    /// What people call it.
    pub input_name: Option<String>,
    /// The output's channels that were asked for, as `--outputs` takes them.
    #[serde(default, deserialize_with = "channels")]
    pub outputs: Option<String>,
    /// The same for the input.
    #[serde(default, deserialize_with = "channels")]
    pub inputs: Option<String>,
    /// The rate that was asked for.
    #[serde(default, deserialize_with = "rate")]
    pub rate_hz: Option<u32>,
    /// The block that was asked for.
    #[serde(default, deserialize_with = "block")]
    pub block_frames: Option<u32>,
}

fn channels<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let given = String::deserialize(from)?;
    match Routing::parse(None, Some(&given)) {
        Ok(_) => Ok(Some(given)),
        Err(_) => Err(D::Error::custom(format!(
            "`{given}`: expected one or two channels from 1, for example `1,2`"
        ))),
    }
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    in_range(from, &RATES_HZ, "Hz")
}

fn block<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    in_range(from, &BLOCKS_FRAMES, "frames")
}

fn in_range<'de, D: Deserializer<'de>>(
    from: D,
    range: &RangeInclusive<u32>,
    unit: &str,
) -> Result<Option<u32>, D::Error> {
    let given = i64::deserialize(from)?;
    match u32::try_from(given) {
        Ok(value) if range.contains(&value) => Ok(Some(value)),
        _ => Err(D::Error::custom(format!(
            "{given}: expected {} to {} {unit}",
            range.start(),
            range.end()
        ))),
    }
}

/// Why nothing was remembered, or nothing can be kept.
#[derive(Debug, thiserror::Error)]
pub enum MemoryFileError {
    /// The file cannot be read or written.
    #[error("{}: {}", path.display(), crate::audio_file::plain(source))]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it says is not what was expected.
    #[error("{}:{line}: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// A later version of the program wrote it.
    #[error("{}: `headroom` is {version}: expected {VERSION}; a newer headroom wrote it, and it is left as it is", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// `[main]` Where it is kept; `None` on a system without a home folder.
pub fn usual_path() -> Option<PathBuf> {
    let folders = ProjectDirs::from("", "", "headroom")?;
    let folder = folders
        .state_dir()
        .unwrap_or_else(|| folders.data_local_dir());
    Some(folder.join("play.toml"))
}

impl Remembered {
    /// `[main]` Reads what is remembered; no file is nothing remembered.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or a newer headroom wrote it.
    pub fn load(path: &Path) -> Result<Self, MemoryFileError> {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(MemoryFileError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let damaged = |at: usize, what: String| MemoryFileError::Damaged {
            path: path.to_owned(),
            line: 1 + bytes[..at.min(bytes.len())]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count(),
            what,
        };
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| damaged(error.valid_up_to(), "expected UTF-8 text".to_owned()))?;
        let wrong = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            damaged(at, error.message().replace('\n', ", "))
        };
        // The version first: what a newer one says is not for us to judge.
        let Version { headroom } = toml::from_str(text).map_err(|error| wrong(&error))?;
        match headroom {
            VERSION => toml::from_str(text).map_err(|error| wrong(&error)),
            0 => Err(damaged(0, format!("`headroom` is 0: expected {VERSION}"))),
            version => Err(MemoryFileError::Newer {
                path: path.to_owned(),
                version,
            }),
        }
    }

    /// `[main]` What `play` without options takes from it, as people would say it; `None` when nothing is
    /// remembered.
    pub fn said(&self) -> Option<String> {
        let quoted = |what: &str, value: Option<&String>| Some(format!("{what} `{}`", value?));
        let devices = self.backend.and_then(|backend| self.on.get(&backend));
        let devices = devices.cloned().unwrap_or_default();
        let output = devices.output_name.as_ref();
        let input = devices.input_name.as_ref();
        let said = [
            self.backend.map(|backend| format!("backend `{backend}`")),
            quoted("output", output.or(devices.output_device.as_ref())),
            quoted("outputs", devices.outputs.as_ref()),
            quoted("input", input.or(devices.input_device.as_ref())),
            quoted("inputs", devices.inputs.as_ref()),
            devices.rate_hz.map(|rate_hz| format!("{rate_hz} Hz")),
            devices.block_frames.map(|frames| format!("block {frames}")),
            quoted("preset", self.preset.as_ref()),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join(", "))
    }

    /// `[main]` Writes it so that a full disk or a power cut leaves the old file: into a new file beside
    /// it, synced, then renamed.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), MemoryFileError> {
        let current = Self {
            headroom: VERSION,
            ..self.clone()
        };
        toml::to_string(&current)
            .map_err(io::Error::other)
            .and_then(|text| write_whole(path, text.as_bytes()))
            .map_err(|source| MemoryFileError::Io {
                path: path.to_owned(),
                source,
            })
    }
}

/// `[main]` Moves a damaged file out of the way, next to where it was, and says where it is now.
pub fn keep_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = path.with_extension("toml.damaged");
    fs::rename(path, &aside)?;
    Ok(aside)
}

#[derive(Deserialize)]
struct Version {
    headroom: u32,
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    sweep(folder);
    let mut new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Takes away what programs have left that were killed while they saved. Nothing depends on it.
fn sweep(folder: &Path) {
    let is_left = |file: &fs::DirEntry| {
        let name = file.file_name();
        let ours = name.to_string_lossy().starts_with(UNFINISHED);
        let age = file
            .metadata()
            .ok()
            .filter(fs::Metadata::is_file)
            .and_then(|found| found.modified().ok()?.elapsed().ok());
        ours && age.is_some_and(|age| age > LEFT_BEHIND)
    };
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_left(&file) {
            let _next_time = fs::remove_file(file.path());
        }
    }
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
