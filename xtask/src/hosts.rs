//! The stage of the plugin in hosts that are too large, or cycles that are too many, for every run.

use crate::error::Error;
use crate::stage::Stage;
use crate::{packages, python, shell};

/// How often an instance is loaded and let go, for each format.
const CYCLES: &str = "10000";

/// `[main]` Installs Ardour, Qtractor and DawDreamer, and runs what is claimed of the plugin in them; then
/// many instances one after the other.
pub(crate) fn run(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[
        packages::BUILD,
        packages::TEST,
        packages::PYTHON,
        packages::HOSTS,
    ])?;
    let hosts = [python::HOSTS, python::LARGE_HOSTS].concat();
    let python = python::ensure(&hosts)?;
    let tests = |names: &[&str], rest: &[&str]| {
        let mut tests = shell::cargo();
        tests.args(["test", "--release", "--package", "headroom-plugin"]);
        for name in names {
            tests.args(["--test", name]);
        }
        tests.arg("--").args(rest);
        tests.env("HEADROOM_PYTHON", &python);
        tests.env("HEADROOM_CYCLES", CYCLES);
        tests
    };
    stage.run(&mut tests(&["python", "daws"], &["--include-ignored"]))?;
    // The screen's program, which the tests put beside the plugin.
    let mut screen = shell::cargo();
    screen.args(["build", "--release", "-p", "headroom-gui"]);
    stage.run(&mut screen)?;
    // One hand at a time: it is as fast as people's.
    let hands = ["--include-ignored", "--test-threads=1"];
    stage.run(&mut tests(&["in_windows"], &hands))?;
    // One of them at a time: what is counted is the process's.
    let mut cycles = tests(&["lifecycle", "vst3"], &["one_after_the_other"]);
    stage.run(cycles.arg("--test-threads=1"))
}
