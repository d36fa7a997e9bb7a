//! The editor in a window of a host's, on Windows: the screen is a window of another process inside. Elsewhere
//! this is empty; `cargo xtask deep windows` runs it under Wine.
#![cfg(windows)]

#[path = "../host/mod.rs"]
mod host;
mod in_clap;
mod in_vst3;
mod win;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const RATE_HZ: f64 = 48_000.0;
pub(crate) const BLOCK: usize = 512;
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const PLAIN: &str = "headroom = 1\nname = \"Plain\"\n\n[[module]]\nkind = \"gain\"\n";

/// Puts the screen's program beside a plugin.
pub(crate) fn add_screen(folder: &Path) {
    let built = host::library()
        .ancestors()
        .map(|folder| folder.join("headroom-gui.exe"))
        .find(|path| path.exists())
        .expect("the screen's program is built: `cargo build --release -p headroom-gui`");
    std::fs::copy(built, folder.join("headroom-gui.exe")).expect("a copy");
}

/// A folder as hosts find a CLAP, its screen beside it.
pub(crate) fn bundled(folder: &Path) -> PathBuf {
    add_screen(folder);
    let plugin = folder.join("Headroom.clap");
    std::fs::copy(host::library(), &plugin).expect("a copy");
    plugin
}
