//! Names in scripts that the screen's own font has not: the system is asked for a font, once one is met, and
//! not before. A rack without such names loads nothing.

use egui::epaint::text::{
    FallbackRequest, FontInsert, FontPriority, FontProvider, InsertFontFamily,
};
use egui::{FontData, FontFamily};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Fonts larger than this are left where they are.
const MOST_BYTES: u64 = 24 << 20;
/// Fonts that are loaded at the most.
const MOST_FONTS: usize = 3;
/// How often the system is asked at the most: a name may be of anything.
const MOST_QUESTIONS: usize = 24;
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// `[main]` Fonts of the system, by fontconfig; none where there is no `fc-match`.
pub fn fonts() -> Arc<dyn FontProvider> {
    let asked = Mutex::new(Asked::default());
    Arc::new(move |request: &FallbackRequest<'_>| {
        let letter = request.cluster.chars().next()?;
        asked.lock().ok()?.font_for(letter)
    })
}

#[derive(Default)]
struct Asked {
    questions: usize,
    loaded: Vec<PathBuf>,
}

impl Asked {
    fn font_for(&mut self, letter: char) -> Option<FontInsert> {
        if self.questions >= MOST_QUESTIONS || self.loaded.len() >= MOST_FONTS {
            return None;
        }
        self.questions += 1;
        let (path, index) = place(letter)?;
        // It is in all families since it was found: it has not got this letter.
        if self.loaded.contains(&path) {
            return None;
        }
        let data = load(&path, index)?;
        let name = path.display().to_string();
        self.loaded.push(path);
        let families = ["medium", "strong"].map(|name| FontFamily::Name(name.into()));
        let families = families.into_iter().chain([FontFamily::Proportional]);
        let lowest = |family| InsertFontFamily {
            family,
            priority: FontPriority::Lowest,
        };
        Some(FontInsert::new(&name, data, families.map(lowest).collect()))
    }
}

/// Kept until the process ends, and shared by all families: at most three.
fn load(path: &Path, index: u32) -> Option<FontData> {
    if std::fs::metadata(path).ok()?.len() > MOST_BYTES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let mut data = FontData::from_static(Box::leak(bytes.into_boxed_slice()));
    data.index = index;
    Some(data)
}

/// The file that fontconfig knows for `letter`, and which of its fonts.
fn place(letter: char) -> Option<(PathBuf, u32)> {
    let mut child = Command::new("fc-match")
        .arg("--format=%{file}\t%{index}")
        .arg(format!("sans:charset={:x}", u32::from(letter)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let start = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if start.elapsed() > PATIENCE {
            // Whatever it would say comes too late; it is reaped all the same.
            return child.kill().and_then(|()| child.wait()).ok().and(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().ok()?.stdout;
    let text = String::from_utf8(output).ok()?;
    let (path, index) = text.split_once('\t')?;
    Some((PathBuf::from(path), index.trim().parse().unwrap_or(0)))
}
