//! The stage that needs PipeWire's headers: the program with PipeWire's native door, which takes as long to
//! build as all the rest.

use crate::error::Error;
use crate::stage::Stage;
use crate::{packages, shell};

/// `[main]` Builds it, and runs what is claimed of it on a real server.
pub(crate) fn play(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[packages::BUILD, packages::TEST, packages::NATIVE_PIPEWIRE])?;
    let mut tests = shell::cargo();
    tests.args(["test", "--release", "--package", "headroom"]);
    tests.args(["--features", "pipewire"]);
    tests.args(["--test", "play_pipewire", "--test", "pipewire_returns"]);
    // One server at a time: the machine's cores are not for two.
    tests.args(["--", "--test-threads=1"]);
    stage.run(&mut tests)
}
