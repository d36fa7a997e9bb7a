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
    let asked = Mutex::new(Asked::of(place));
    Arc::new(move |request: &FallbackRequest<'_>| {
        let letter = request.cluster.chars().next()?;
        asked.lock().ok()?.font_for(letter)
    })
}

/// Which font of a file has a letter.
type Found = Option<(PathBuf, u32)>;

struct Asked<A> {
    ask: A,
    questions: usize,
    loaded: Vec<PathBuf>,
}

impl<A: FnMut(char) -> Found> Asked<A> {
    fn of(ask: A) -> Self {
        Self {
            ask,
            questions: 0,
            loaded: Vec::new(),
        }
    }

    fn font_for(&mut self, letter: char) -> Option<FontInsert> {
        if self.questions >= MOST_QUESTIONS || self.loaded.len() >= MOST_FONTS {
            return None;
        }
        self.questions += 1;
        let (path, index) = (self.ask)(letter)?;
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
fn place(letter: char) -> Found {
    let mut command = Command::new("fc-match");
    command
        .arg("--format=%{file}\t%{index}")
        .arg(format!("sans:charset={:x}", u32::from(letter)));
    answer(command)
}

fn answer(mut command: Command) -> Found {
    let mut child = command
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

#[cfg(test)]
mod tests {
    use super::*;

    const INTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fonts/Inter-Regular.otf");

    /// Copies of a font, each in a file of its own.
    fn copies(folder: &tempfile::TempDir, count: usize) -> Vec<PathBuf> {
        let copy = |index: usize| {
            let path = folder.path().join(format!("{index}.otf"));
            std::fs::copy(INTER, &path).unwrap();
            path
        };
        (0..count).map(copy).collect()
    }

    fn bytes(font: &FontInsert) -> &[u8] {
        let bytes: &(dyn AsRef<[u8]> + Send + Sync) = font.data.font.as_ref();
        bytes.as_ref()
    }

    #[test]
    fn a_font_is_loaded_once_for_all_families_and_as_the_last_that_is_asked() {
        let mut asked = Asked::of(|_| Some((PathBuf::from(INTER), 2)));
        let font = asked.font_for('\u{8a9e}').expect("a font");
        assert!(bytes(&font) == std::fs::read(INTER).unwrap());
        assert_eq!(font.data.index, 2);
        let families = font.families.iter().map(|family| &family.family);
        let all = [
            FontFamily::Name("medium".into()),
            FontFamily::Name("strong".into()),
            FontFamily::Proportional,
        ];
        assert!(families.eq(&all));
        let lowest = |family: &InsertFontFamily| matches!(family.priority, FontPriority::Lowest);
        assert!(font.families.iter().all(lowest));
        assert!(asked.font_for('\u{8a9f}').is_none(), "it is there already");
    }

    #[test]
    fn a_name_of_anything_asks_and_loads_a_bounded_number_of_times() {
        let mut questions = 0;
        let mut asked = Asked::of(|_| {
            questions += 1;
            None
        });
        let letters = || (0x4e00..0x4f00).filter_map(char::from_u32);
        assert!(letters().all(|letter| asked.font_for(letter).is_none()));
        assert_eq!(questions, MOST_QUESTIONS);
        let folder = tempfile::tempdir().unwrap();
        let mut files = copies(&folder, MOST_FONTS + 2).into_iter();
        let mut asked = Asked::of(|_| Some((files.next().expect("few are asked for"), 0)));
        let fonts = letters()
            .filter_map(|letter| asked.font_for(letter))
            .count();
        assert_eq!(fonts, MOST_FONTS);
    }

    #[test]
    fn a_file_that_is_not_there_or_too_large_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let large = copies(&folder, 1).remove(0);
        let file = std::fs::File::options().write(true).open(&large).unwrap();
        for (bytes, is_taken) in [(MOST_BYTES, true), (MOST_BYTES + 1, false)] {
            file.set_len(bytes).unwrap();
            let mut asked = Asked::of(|_| Some((large.clone(), 0)));
            assert_eq!(asked.font_for('x').is_some(), is_taken, "{bytes} bytes");
        }
        let mut asked = Asked::of(|_| Some((folder.path().join("none.otf"), 0)));
        assert!(asked.font_for('x').is_none());
    }

    #[cfg(unix)]
    #[test]
    fn an_answer_is_understood_and_none_is_waited_for_in_vain() {
        let says = |words: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", words]);
            answer(command)
        };
        let place = |path: &str, index| Some((PathBuf::from(path), index));
        assert_eq!(says("printf '/a b/c.ttc\\t3'"), place("/a b/c.ttc", 3));
        assert_eq!(says("printf '/a.ttf\\t'"), place("/a.ttf", 0));
        assert_eq!(says("printf 'nonsense'"), None);
        assert_eq!(says("true"), None);
        assert_eq!(answer(Command::new("no-such-program-is-here")), None);
        let start = Instant::now();
        assert_eq!(says("exec sleep 60"), None);
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    /// Where fontconfig knows any font at all.
    #[test]
    fn the_systems_own_font_is_found() {
        let Some((path, _)) = place('a') else {
            eprintln!("no fonts of the system's here");
            return;
        };
        let font = Asked::of(place).font_for('a').expect("it can be read");
        assert!(bytes(&font) == std::fs::read(path).unwrap());
    }
}
