//! `cargo xtask bundle`: the plugin as hosts expect to find it, with the screen's program beside the library.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::shell;

const NAME: &str = "Headroom";
/// The library that cargo builds, without what a system puts around its name.
const LIBRARY: &str = "headroom_plugin";
const SCREEN: &str = "headroom-gui";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to do beside bundling.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Put the bundles where this user's hosts look for them
    #[arg(long)]
    install: bool,
    /// Leave out the screen's program
    #[arg(long)]
    no_screen: bool,
    /// Build and lay out for another system, in its folder below `target/`
    #[arg(long, value_name = "TRIPLE", conflicts_with = "install")]
    target: Option<String>,
}

/// A system that plugins are bundled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Linux,
    MacOs,
    Windows,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// From the bundles' folder.
    to: PathBuf,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Library,
    Screen,
    Text(String),
}

impl System {
    fn here() -> Self {
        if cfg!(target_os = "macos") {
            Self::MacOs
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Linux
        }
    }

    /// Of a target as rustc names it.
    fn of(target: &str) -> Self {
        if target.contains("apple-darwin") {
            Self::MacOs
        } else if target.contains("windows") {
            Self::Windows
        } else {
            Self::Linux
        }
    }

    fn library(self) -> String {
        match self {
            Self::Linux => format!("lib{LIBRARY}.so"),
            Self::MacOs => format!("lib{LIBRARY}.dylib"),
            Self::Windows => format!("{LIBRARY}.dll"),
        }
    }

    fn screen(self) -> String {
        match self {
            Self::Windows => format!("{SCREEN}.exe"),
            _ => SCREEN.to_owned(),
        }
    }

    /// Every file of both bundles. The CLAP is a file by itself on Linux and Windows, so its screen stands
    /// beside it; a VST3 is a folder everywhere, a CLAP on macOS too.
    fn items(self, machine: &str, screen: bool) -> Vec<Item> {
        let clap = PathBuf::from(format!("{NAME}.clap"));
        let vst3 = PathBuf::from(format!("{NAME}.vst3")).join("Contents");
        let item = |to: PathBuf, what| Item { to, what };
        let mut items = match self {
            Self::Linux => {
                let binaries = vst3.join(format!("{machine}-linux"));
                vec![
                    item(clap, What::Library),
                    item(binaries.join(format!("{NAME}.so")), What::Library),
                ]
            }
            Self::Windows => {
                let binaries = vst3.join(format!("{machine}-win"));
                vec![
                    item(clap, What::Library),
                    item(binaries.join(format!("{NAME}.vst3")), What::Library),
                ]
            }
            Self::MacOs => [clap.join("Contents"), vst3]
                .into_iter()
                .flat_map(|contents| {
                    [
                        item(contents.join("MacOS").join(NAME), What::Library),
                        item(contents.join("Info.plist"), What::Text(info_plist())),
                        item(contents.join("PkgInfo"), What::Text("BNDL????".to_owned())),
                    ]
                })
                .collect(),
        };
        if screen {
            let libraries: Vec<PathBuf> = items
                .iter()
                .filter(|item| item.what == What::Library)
                .map(|item| item.to.with_file_name(self.screen()))
                .collect();
            items.extend(libraries.into_iter().map(|to| item(to, What::Screen)));
        }
        items
    }

    /// Where this user's hosts look for a bundle: CLAP, then VST3.
    fn folders(self, home: &Path) -> [PathBuf; 2] {
        match self {
            Self::Linux => [home.join(".clap"), home.join(".vst3")],
            Self::MacOs => {
                let plugins = home.join("Library/Audio/Plug-Ins");
                [plugins.join("CLAP"), plugins.join("VST3")]
            }
            Self::Windows => {
                let common = home.join("AppData/Local/Programs/Common");
                [common.join("CLAP"), common.join("VST3")]
            }
        }
    }
}

fn info_plist() -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>CFBundleExecutable</key><string>{NAME}</string>
  <key>CFBundleIdentifier</key><string>org.headroom.plugin</string>
  <key>CFBundleName</key><string>{NAME}</string>
  <key>CFBundlePackageType</key><string>BNDL</string>
  <key>CFBundleSignature</key><string>????</string>
  <key>CFBundleShortVersionString</key><string>{VERSION}</string>
  <key>CFBundleVersion</key><string>{VERSION}</string>
</dict>
</plist>
"#
    )
}

/// `[main]` Builds plugin and screen, and lays the bundles out in `target/bundled/`.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let mut build = shell::cargo();
    build.args(["build", "--release", "--package", "headroom-plugin"]);
    if !options.no_screen {
        build.args(["--package", SCREEN]);
    }
    let (mut system, mut machine) = (System::here(), std::env::consts::ARCH);
    let mut target = shell::root().join("target");
    if let Some(triple) = &options.target {
        build.args(["--target", triple]);
        system = System::of(triple);
        machine = triple.split('-').next().unwrap_or(machine);
        target.push(triple);
    }
    shell::run(&mut build)?;
    let built = target.join("release");
    let folder = target.join("bundled");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    }
    let items = system.items(machine, !options.no_screen);
    lay_out(&items, system, &built, &folder)?;
    println!("Bundled in {}", folder.display());
    if options.install {
        let home = std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let home = home.map(PathBuf::from).ok_or_else(|| {
            Error::Check("there is no home folder to install the plugin in".to_owned())
        })?;
        for (bundle, to) in ["clap", "vst3"].iter().zip(system.folders(&home)) {
            // Of each only its own: what stands beside the one file of a CLAP comes with it.
            let starts = format!("{NAME}.{bundle}");
            let is_its = |item: &&Item| {
                item.to.starts_with(&starts)
                    || (*bundle == "clap" && item.to.components().count() == 1)
            };
            let own: Vec<Item> = items.iter().filter(is_its).cloned().collect();
            lay_out(&own, system, &built, &to)?;
            println!("Installed {starts} in {}", to.display());
        }
    }
    Ok(())
}

fn lay_out(items: &[Item], system: System, built: &Path, folder: &Path) -> Result<(), Error> {
    for item in items {
        let to = folder.join(&item.to);
        let parent = to.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|source| Error::file(parent, source))?;
        // Never over a library that a host has mapped: a new file under the old name.
        let new = to.with_extension("new");
        let written = match &item.what {
            What::Library => std::fs::copy(built.join(system.library()), &new).map(|_| ()),
            What::Screen => std::fs::copy(built.join(system.screen()), &new).map(|_| ()),
            What::Text(text) => std::fs::write(&new, text),
        };
        written
            .and_then(|()| std::fs::rename(&new, &to))
            .map_err(|source| Error::file(&to, source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(system: System, machine: &str) -> Vec<String> {
        let items = system.items(machine, true);
        let mut paths: Vec<String> = items
            .iter()
            .map(|item| item.to.to_string_lossy().replace('\\', "/"))
            .collect();
        paths.sort();
        paths
    }

    #[test]
    fn each_system_has_the_layout_that_its_hosts_look_for() {
        assert_eq!(
            paths(System::Linux, "x86_64"),
            [
                "Headroom.clap",
                "Headroom.vst3/Contents/x86_64-linux/Headroom.so",
                "Headroom.vst3/Contents/x86_64-linux/headroom-gui",
                "headroom-gui",
            ]
        );
        assert_eq!(
            paths(System::Windows, "x86_64"),
            [
                "Headroom.clap",
                "Headroom.vst3/Contents/x86_64-win/Headroom.vst3",
                "Headroom.vst3/Contents/x86_64-win/headroom-gui.exe",
                "headroom-gui.exe",
            ]
        );
        let mac = paths(System::MacOs, "aarch64");
        for bundle in ["clap", "vst3"] {
            for file in [
                "Info.plist",
                "PkgInfo",
                "MacOS/Headroom",
                "MacOS/headroom-gui",
            ] {
                let path = format!("Headroom.{bundle}/Contents/{file}");
                assert!(mac.contains(&path), "{path}: {mac:?}");
            }
        }
        assert_eq!(mac.len(), 8);
    }

    #[test]
    fn a_targets_name_says_which_system_it_is_of() {
        for (target, system) in [
            ("x86_64-pc-windows-gnu", System::Windows),
            ("aarch64-pc-windows-msvc", System::Windows),
            ("aarch64-apple-darwin", System::MacOs),
            ("x86_64-unknown-linux-gnu", System::Linux),
        ] {
            assert_eq!(System::of(target), system, "{target}");
        }
    }

    #[test]
    fn a_bundle_is_laid_out_and_laid_out_again_over_itself() {
        let folder = std::env::temp_dir().join(format!("headroom-bundle-{}", std::process::id()));
        let built = folder.join("built");
        std::fs::create_dir_all(&built).unwrap();
        for (round, system) in [System::Linux, System::MacOs, System::Linux]
            .into_iter()
            .enumerate()
        {
            std::fs::write(built.join(system.library()), format!("library {round}")).unwrap();
            std::fs::write(built.join(system.screen()), "screen").unwrap();
            let items = system.items("x86_64", true);
            let to = folder.join(format!("{system:?}"));
            lay_out(&items, system, &built, &to).unwrap();
            for item in &items {
                let found = std::fs::read_to_string(to.join(&item.to)).unwrap();
                match &item.what {
                    What::Library => assert_eq!(found, format!("library {round}")),
                    What::Screen => assert_eq!(found, "screen"),
                    What::Text(text) => assert_eq!(found, *text),
                }
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
