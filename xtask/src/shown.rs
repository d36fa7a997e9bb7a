//! What the documents say is shown by a test is: files and tests that they name are there, and every technique of
//! memory management names at least one test.

use crate::arrows::{Source, words};
use crate::error::Error;
use crate::shell;

/// The documents, from the workspace's folder.
const DOCUMENTS: [&str; 2] = ["ARCHITECTURE.md", "README.md"];
/// The heading over the table of which each row ends with its tests.
const TECHNIQUES: &str = "## Where each technique of memory management lives";
/// A name with fewer words is not taken for a test's.
const WORDS_OF_A_TEST: usize = 5;

/// `[main]` Checks the documents against the sources; the violations, a line each.
pub(crate) fn violations(sources: &[Source]) -> Result<Vec<String>, Error> {
    let tests = tests(sources);
    let mut found = Vec::new();
    for name in DOCUMENTS {
        let path = shell::root().join(name);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
        found.extend(document_violations(name, &text, sources, &tests));
        if name == DOCUMENTS[0] {
            found.extend(technique_violations(name, &text));
        }
    }
    Ok(found)
}

/// Files and tests that a document names and that are not there.
fn document_violations(
    name: &str,
    text: &str,
    sources: &[Source],
    tests: &[String],
) -> Vec<String> {
    let is_there = |file: &str| {
        let ends = |path: &str| path == file || path.ends_with(&format!("/{file}"));
        sources.iter().any(|source| ends(&source.path))
    };
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut missing = |what: &str, quoted: &str| {
            found.push(format!("{name}:{}: there is no {what} `{quoted}`", at + 1));
        };
        for quoted in quoted(line) {
            if is_file(quoted) && !is_there(quoted) {
                missing("file", quoted);
            } else if is_test(quoted) && !tests.iter().any(|test| test == quoted) {
                missing("test", quoted);
            }
        }
    }
    found
}

/// Rows of the table of techniques that name no test and no file of tests.
fn technique_violations(name: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let rows: Vec<(usize, &str)> = lines
        .skip_while(|(_, line)| *line != TECHNIQUES)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('#'))
        .skip_while(|(_, line)| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|(_, line)| line.starts_with('|'))
        .collect();
    if rows.is_empty() {
        return vec![format!("{name}: no table under `{TECHNIQUES}`")];
    }
    let names_none = |row: &&(usize, &str)| {
        let shown_by = row.1.trim_end_matches('|').rsplit('|').next();
        !quoted(shown_by.unwrap_or_default())
            .any(|quoted| is_test(quoted) || (is_file(quoted) && quoted.contains("tests/")))
    };
    let rows = rows.iter().filter(names_none);
    rows.map(|(at, _)| format!("{name}:{}: a technique that no test shows", at + 1))
        .collect()
}

/// What stands between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_file(quoted: &str) -> bool {
    let stem = quoted.strip_suffix(".rs");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/-".contains(c);
    stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(plain))
}

fn is_test(quoted: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    quoted.chars().all(plain) && quoted.split('_').count() >= WORDS_OF_A_TEST
}

/// The names of all functions with the attribute `test`.
fn tests(sources: &[Source]) -> Vec<String> {
    let mut tests = Vec::new();
    for source in sources {
        // What is not read as Rust is another rule's violation.
        let words = words(&source.text).unwrap_or_default();
        let mut is_test = false;
        for pair in words.windows(2) {
            match pair[0].0.as_str() {
                "test" => is_test = true,
                "fn" if std::mem::take(&mut is_test) => tests.push(pair[1].0.clone()),
                _ => {}
            }
        }
    }
    tests
}

#[cfg(test)]
mod checks {
    use super::*;

    fn sources() -> Vec<Source> {
        let text = "fn no_test_at_all_here() {}\n#[test]\n#[cfg(unix)]\nfn what_is_said_is_so() {}\nproptest! { \
                    #[test] fn any_of_it_is_so(x in 0..9) {} }";
        vec![Source {
            path: "engine/src/memory/arena.rs".to_owned(),
            text: text.to_owned(),
        }]
    }

    #[test]
    fn a_test_or_a_file_that_is_named_and_is_not_there_is_found() {
        let tests = tests(&sources());
        assert_eq!(tests, ["what_is_said_is_so", "any_of_it_is_so"]);
        let text = "`memory/arena.rs` and `what_is_said_is_so`\n`no_test_at_all_here`, `memory/pool.rs`, `rena.rs`, `a_b`";
        assert_eq!(
            document_violations("X.md", text, &sources(), &tests),
            [
                "X.md:2: there is no test `no_test_at_all_here`",
                "X.md:2: there is no file `memory/pool.rs`",
                "X.md:2: there is no file `rena.rs`",
            ]
        );
    }

    #[test]
    fn a_technique_that_names_no_test_is_found() {
        let rows = "| arena | `memory/arena.rs` | `what_is_said_is_so` |\n| pool | `memory/pool.rs` | its tests |\n\
                    | map | `memory/map.rs` | `tests/memory.rs` |";
        let text = format!(
            "{TECHNIQUES}\n\n| a | b | c |\n| --- | --- | --- |\n{rows}\n\n## Next\n| x | y |\n"
        );
        assert_eq!(
            technique_violations("X.md", &text),
            ["X.md:6: a technique that no test shows"]
        );
        assert_eq!(technique_violations("X.md", "").len(), 1);
    }
}
