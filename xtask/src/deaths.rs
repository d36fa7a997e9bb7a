//! The stage of screens that die: many more of them than in every run.

use crate::error::Error;
use crate::stage::Stage;
use crate::{packages, shell};

/// Screens of a program that plays, and of a plugin's editor.
const DEATHS: &str = "500";
const EDITORS_DEATHS: &str = "200";

/// `[main]` Kills and stops screens while sound is recorded, and holds it to the render, to the bit.
pub(crate) fn run(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[packages::BUILD, packages::TEST])?;
    let mut programs = shell::cargo();
    // The tests start both.
    programs.args(["build", "--release", "-p", "headroom", "-p", "headroom-gui"]);
    stage.run(&mut programs)?;
    let tests = |package: &str, test: &str, claim: &str| {
        let mut tests = shell::cargo();
        tests.args([
            "test",
            "--release",
            "--package",
            package,
            "--test",
            test,
            claim,
        ]);
        tests.env("HEADROOM_SCREEN_DEATHS", DEATHS);
        tests.env("HEADROOM_TEST_KILLS", EDITORS_DEATHS);
        tests
    };
    stage.part("program", || {
        stage.run(&mut tests("headroom-gui", "on_stage", "however_often"))
    })?;
    stage.part("editor", || {
        stage.run(&mut tests("headroom-plugin", "editor", "that_is_killed"))
    })
}
