//! The rules of the house that no compiler holds: who may import whom, which files may contain
//! `unsafe`, and which names of other people's crates may not be used.

use crate::error::Error;
use crate::{shell, shown};
use std::path::Path;

/// The packages of the workspace, and which of the others each may import. `gui -> ipc <- engine
/// <- {host, plugin}`; tests and benches may import all; nothing else imports host, plugin or gui.
const ARROWS: &[(&str, &[&str])] = &[
    ("headroom-ipc", &[]),
    ("headroom-engine", &["headroom-ipc"]),
    ("headroom", &["headroom-engine", "headroom-ipc"]),
    ("headroom-plugin", &["headroom-engine", "headroom-ipc"]),
    ("headroom-gui", &["headroom-ipc"]),
    ("headroom-gui-tests", &["headroom-gui", "headroom-ipc"]),
    ("headroom-tests", EVERYTHING),
    (TEST_KIT, &[]),
    ("headroom-models", &[]),
    ("headroom-sanitizer", &[]),
    ("headroom-inputs", &["headroom-engine", "headroom-ipc"]),
    ("headroom-bench", EVERYTHING),
    ("xtask", &[]),
];

/// What the tests of any package may import (`dev-dependencies`), and nothing else.
const TEST_KIT: &str = "headroom-test-kit";

const EVERYTHING: &[&str] = &[
    "headroom-ipc",
    "headroom-engine",
    "headroom",
    "headroom-plugin",
    "headroom-gui",
    "headroom-tests",
];

/// The files that may contain `unsafe`, each with its reason.
const UNSAFE_FILES: &[(&str, &str)] = &[
    (
        "engine/src/dsp/simd.rs",
        "calls what was compiled for vectors that this processor has",
    ),
    (
        "engine/src/memory/arena.rs",
        "carves typed slices from one mapped region",
    ),
    (
        "engine/src/memory/code.rs",
        "asks the system to map the program's code in",
    ),
    (
        "engine/src/memory/lock.rs",
        "asks the system to keep the program in memory",
    ),
    (
        "engine/src/realtime/clock.rs",
        "reads the time-stamp counter",
    ),
    (
        "engine/src/realtime/dispatch.rs",
        "has the kernel trap system calls, and makes them from a signal handler",
    ),
    (
        "engine/src/realtime/faults.rs",
        "asks the system for a thread's page faults",
    ),
    (
        "engine/src/realtime/float.rs",
        "sets and restores flush-to-zero",
    ),
    (
        "engine/src/realtime/stack.rs",
        "paints the free part of a thread's own stack",
    ),
    (
        "engine/src/realtime/trace.rs",
        "walks the stack where something happened",
    ),
    (
        "engine/src/realtime/violation.rs",
        "is a global allocator that counts",
    ),
    (
        "gui/src/window/gl.rs",
        "opens an OpenGL context on a window",
    ),
    (
        "gui/src/window/inside/windows.rs",
        "names a window by its number, and asks the system for the keyboard",
    ),
    (
        "host/src/audio_file/bus_guard.rs",
        "handles the fault of a mapped file that was cut",
    ),
    (
        "host/src/audio_file/mapped_file.rs",
        "copies out of a mapped file",
    ),
    (
        "ipc/src/folder/windows.rs",
        "asks the system whether a process lives",
    ),
    (
        "ipc/src/segment.rs",
        "looks at memory that other processes write as atomics",
    ),
    (
        "ipc/src/stream/windows.rs",
        "calls the system for pipes, and for whose the process at the other end is",
    ),
    (
        "ipc/src/unnamed/linux.rs",
        "asks the system to keep what is mapped in memory",
    ),
    (
        "ipc/src/unnamed/none.rs",
        "asks the system to keep what is mapped in memory",
    ),
    (
        "ipc/src/unnamed/windows.rs",
        "asks the system for memory that two processes map",
    ),
    (
        "ipc/tests/left/windows.rs",
        "asks the system for what a process holds",
    ),
    (
        "ipc/src/wide.rs",
        "stores two words of shared memory at once, which no atomic does",
    ),
    (
        "plugin/src/buffers.rs",
        "makes slices of the addresses that a host gives for sound",
    ),
    (
        "plugin/src/clap/link.rs",
        "keeps a host for as long as an instance is there",
    ),
    (
        "plugin/src/clap/link_tests.rs",
        "is a host of the test's own, which the plugin calls through C's pointers",
    ),
    (
        "plugin/src/clap/processor.rs",
        "takes the addresses that a host gives for sound",
    ),
    (
        "plugin/src/editor/beside/unix.rs",
        "asks the system for a library's file",
    ),
    (
        "plugin/src/editor/beside/windows.rs",
        "asks the system for a library's file",
    ),
    (
        "plugin/src/editor/socket_windows.rs",
        "asks the system for windows, and answers for them",
    ),
    (
        "plugin/src/hand.rs",
        "is called by nice-plug with parameters' addresses",
    ),
    ("plugin/src/player.rs", "plays what a host gives for sound"),
    (
        "plugin/src/table.rs",
        "reads and sets nice-plug's parameters by their addresses",
    ),
    (
        "plugin/tests/editor/open.rs",
        "gives the plugin a window by its number, as a host does",
    ),
    (
        "plugin/tests/editor/still.rs",
        "gives the plugin a window by its number, as a host does",
    ),
    (
        "plugin/src/vst3/latency_tests.rs",
        "calls a VST3 object of the test's own as hosts do",
    ),
    (
        "plugin/src/vst3/bell.rs",
        "puts an object of ours into a host's loop",
    ),
    (
        "plugin/src/vst3/buffers.rs",
        "takes the addresses that a host gives for sound",
    ),
    (
        "plugin/src/vst3/component.rs",
        "is an object that hosts call through C's pointers, and calls nice-plug's",
    ),
    (
        "plugin/src/vst3/controller.rs",
        "is an object that hosts call through C's pointers, and calls nice-plug's",
    ),
    (
        "plugin/src/vst3/export.rs",
        "exports what VST3 hosts look for",
    ),
    (
        "plugin/src/vst3/gestures.rs",
        "calls a host's object with what is done at a control",
    ),
    ("plugin/src/vst3/link.rs", "calls a host's object"),
    (
        "plugin/src/vst3/points.rs",
        "calls a host's lists of changes",
    ),
    (
        "plugin/src/vst3/processor.rs",
        "is an object that hosts call through C's pointers",
    ),
    (
        "plugin/src/vst3/view.rs",
        "is an object that hosts call through C's pointers",
    ),
    (
        "plugin/tests/com/frame.rs",
        "is a host's window and loop, which the plugin calls through C's pointers",
    ),
    (
        "plugin/tests/com/mod.rs",
        "loads the plugin's library as a VST3 host does",
    ),
    (
        "plugin/tests/host/mod.rs",
        "loads the plugin's library as a host does",
    ),
    (
        "plugin/tests/windows_editor/in_clap.rs",
        "gives the plugin a window by its number, as a host does",
    ),
    (
        "plugin/tests/windows_editor/in_vst3.rs",
        "gives the plugin a window by its number, as a host does",
    ),
    (
        "plugin/tests/windows_editor/win.rs",
        "asks Windows for windows, processes and pixels",
    ),
    (
        "tests/seeded/mod.rs",
        "is a CLAP entry, which hosts call through C's pointers",
    ),
    (
        "tests/src/plugged_vst3.rs",
        "gives a VST3 host the factory that it asked for",
    ),
    (
        "tests/src/bin/plugged_rtsan.rs",
        "calls RealtimeSanitizer's own entry points",
    ),
    (
        "tests/src/bin/layer_rtsan.rs",
        "calls RealtimeSanitizer's own entry points",
    ),
    (
        "tests/src/deep_seeds.rs",
        "calls faults that are written in C",
    ),
    (
        "tests/sanitizer/seed_memory.rs",
        "writes behind its memory, for a sanitizer to see",
    ),
    (
        "tests/sanitizer/seed_race.rs",
        "races for memory, for a sanitizer to see",
    ),
    ("tests/trap.rs", "makes system calls to see them trapped"),
    (
        "host/src/play/jack_client.rs",
        "registers JACK's latency callback, which the crate `jack` lacks",
    ),
    (
        "tests/src/bin/syscall_trap.rs",
        "asks the kernel to end it at a system call",
    ),
];

/// Names that may not be used, each with its reason.
const BANNED: &[(&str, &str)] = &[(
    "SharedCell",
    "basedrop's has an open race; use Owned or Shared",
)];

/// `[main]` Checks all rules on the workspace and returns the violations, a line each.
pub(crate) fn violations() -> Result<Vec<String>, Error> {
    let mut metadata = shell::cargo();
    metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
    let packages = packages(&shell::read(&mut metadata)?)?;
    let sources = sources(&shell::root())?;
    let mut found = import_violations(&packages, ARROWS);
    found.extend(source_violations(&sources, UNSAFE_FILES, BANNED));
    found.extend(shown::violations(&sources)?);
    Ok(found)
}

/// A package of the workspace and what it depends on in any way, normal, build or dev, but for [`TEST_KIT`] where
/// that is dev.
#[derive(Debug)]
struct Package {
    name: String,
    imports: Vec<String>,
}

/// Reads `cargo metadata --no-deps`.
fn packages(metadata: &str) -> Result<Vec<Package>, Error> {
    let wrong = |what: &str| Error::output("cargo metadata", what);
    let json: serde_json::Value =
        serde_json::from_str(metadata).map_err(|error| wrong(&error.to_string()))?;
    let list = |value: &serde_json::Value, key: &str| {
        let list = value[key].as_array().cloned();
        list.ok_or_else(|| wrong(&format!("no list `{key}`")))
    };
    let name = |value: &serde_json::Value| {
        let name = value["name"].as_str().map(str::to_owned);
        name.ok_or_else(|| wrong("an entry without a name"))
    };
    list(&json, "packages")?
        .iter()
        .map(|package| {
            Ok(Package {
                name: name(package)?,
                imports: list(package, "dependencies")?
                    .iter()
                    .filter(|entry| entry["name"] != TEST_KIT || entry["kind"] != "dev")
                    .map(name)
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn import_violations(packages: &[Package], arrows: &[(&str, &[&str])]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let Some((_, allowed)) = arrows.iter().find(|(name, _)| *name == package.name) else {
            found.push(format!(
                "package `{}` has no arrow: say in ARROWS what it may import",
                package.name
            ));
            continue;
        };
        for import in &package.imports {
            let ours = packages.iter().any(|other| other.name == *import);
            if ours && !allowed.contains(&import.as_str()) {
                found.push(format!(
                    "`{}` imports `{import}`: against the arrows",
                    package.name
                ));
            }
        }
    }
    found
}

/// A Rust file: its path from the workspace's folder, with slashes, and its text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All Rust files of the workspace, in order of their paths.
fn sources(root: &Path) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|source| Error::file(&folder, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| Error::file(&folder, source))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry
                .file_type()
                .map_err(|source| Error::file(&path, source))?;
            if kind.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let text =
                    std::fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
                let path = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                sources.push(Source {
                    path: parts.join("/"),
                    text,
                });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn source_violations(
    sources: &[Source],
    unsafe_files: &[(&str, &str)],
    banned: &[(&str, &str)],
) -> Vec<String> {
    let mut found = Vec::new();
    let mut with_unsafe = Vec::new();
    for source in sources {
        let path = &source.path;
        let words = match words(&source.text) {
            Ok(words) => words,
            Err(what) => {
                found.push(format!("{path}: not read as Rust: {what}"));
                continue;
            }
        };
        let listed = unsafe_files.iter().any(|(file, _)| file == path);
        for (word, line) in &words {
            if word == "unsafe" && listed {
                with_unsafe.push(path.as_str());
            } else if (word == "unsafe" || word == "unsafe_code") && !listed {
                found.push(format!(
                    "{path}:{line}: `{word}` in a file that is not in UNSAFE_FILES"
                ));
            }
            if let Some((_, reason)) = banned.iter().find(|(name, _)| name == word) {
                found.push(format!("{path}:{line}: `{word}` is banned: {reason}"));
            }
        }
    }
    for (file, _) in unsafe_files {
        if !with_unsafe.contains(file) {
            found.push(format!(
                "{file}: in UNSAFE_FILES, but has no `unsafe` or is not there: take it off the list"
            ));
        }
    }
    found
}

/// The identifiers and keywords of a Rust file with their lines; comments and strings are none.
pub(crate) fn words(text: &str) -> Result<Vec<(String, usize)>, String> {
    use proc_macro2::{TokenStream, TokenTree};
    fn walk(stream: TokenStream, words: &mut Vec<(String, usize)>) {
        for token in stream {
            match token {
                TokenTree::Group(group) => walk(group.stream(), words),
                TokenTree::Ident(word) => {
                    words.push((word.to_string(), word.span().start().line));
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    let stream: TokenStream = text
        .parse()
        .map_err(|error: proc_macro2::LexError| error.to_string())?;
    let mut words = Vec::new();
    walk(stream, &mut words);
    Ok(words)
}

#[cfg(test)]
#[path = "arrows_tests.rs"]
mod tests;
