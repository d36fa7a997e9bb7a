//! What of `cargo xtask deep` passed, and for which commit.

use crate::error::Error;
use crate::shell;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In `target/deep/`: a file for each stage, and for each part of one, that holds the commit it passed for.
pub(crate) struct Passed {
    folder: PathBuf,
    pub(crate) commit: String,
    /// The source differs from the commit.
    pub(crate) changed: bool,
}

impl Passed {
    pub(crate) fn here() -> Result<Self, Error> {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            shell::read(git.args(arguments).current_dir(shell::root()))
        };
        Self::of(
            &shell::root().join("target/deep"),
            git(&["rev-parse", "HEAD"])?.trim(),
            !git(&["status", "--porcelain"])?.trim().is_empty(),
        )
    }

    pub(crate) fn of(folder: &Path, commit: &str, changed: bool) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
        Ok(Self {
            folder: folder.to_owned(),
            commit: commit.to_owned(),
            changed,
        })
    }

    /// Where stages leave what they find.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, stage: &str) -> PathBuf {
        self.folder.join(format!("{stage}.passed"))
    }

    pub(crate) fn has(&self, stage: &str) -> bool {
        let said = std::fs::read_to_string(self.file(stage));
        !self.changed && said.is_ok_and(|commit| commit == self.commit)
    }

    pub(crate) fn remember(&self, stage: &str) -> Result<(), Error> {
        if self.changed {
            return Ok(());
        }
        let file = self.file(stage);
        std::fs::write(&file, &self.commit).map_err(|source| Error::file(&file, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_passed_is_remembered_for_its_commit_and_an_unchanged_source_only() {
        let folder = tempfile::tempdir().unwrap();
        let of = |commit, changed| Passed::of(folder.path(), commit, changed).unwrap();
        of("one", true).remember("soak").unwrap();
        assert!(!of("one", false).has("soak"));
        of("one", false).remember("soak").unwrap();
        assert!(of("one", false).has("soak"));
        assert!(!of("one", true).has("soak"));
        assert!(!of("two", false).has("soak"));
        assert!(!of("one", false).has("asan"));
    }
}
