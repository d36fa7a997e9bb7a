//! System packages: what a task needs, what of it is missing, and the commands that install it.
//!
//! A need is probed by what it is for (a program that is found, a library that pkg-config knows),
//! not by a package's name, so that what was built by hand counts too.

use crate::error::Error;
use crate::shell;
use std::path::Path;
use std::process::Command;

/// One thing that a task needs from the system.
#[derive(Debug)]
pub(crate) struct Need {
    /// What it is, for people.
    what: &'static str,
    probe: Probe,
    /// The packages that bring it; empty where that system does without.
    apt: &'static [&'static str],
    dnf: &'static [&'static str],
    pacman: &'static [&'static str],
    brew: &'static [&'static str],
}

/// How to see that a need is met.
#[derive(Debug)]
enum Probe {
    /// A program in PATH.
    Program(&'static str),
    /// A library that pkg-config knows.
    Library(&'static str),
    /// A kind of device that ALSA opens by a plugin.
    AlsaPlugin(&'static str),
    /// A service that the session's message bus starts when it is asked for.
    BusService(&'static str),
    /// Python that can make virtual environments.
    PythonVenv,
}

/// What building the program takes.
pub(crate) const BUILD: &[Need] = &[
    Need {
        what: "pkg-config",
        probe: Probe::Program("pkg-config"),
        apt: &["pkg-config"],
        dnf: &["pkgconf-pkg-config"],
        pacman: &["pkgconf"],
        brew: &[],
    },
    Need {
        what: "ALSA's development files",
        probe: Probe::Library("alsa"),
        apt: &["libasound2-dev"],
        dnf: &["alsa-lib-devel"],
        pacman: &["alsa-lib"],
        brew: &[],
    },
    Need {
        what: "JACK's development files",
        probe: Probe::Library("jack"),
        apt: &["libjack-jackd2-dev"],
        dnf: &["pkgconfig(jack)"],
        pacman: &["jack2"],
        brew: &[],
    },
];

/// What the tests take beyond that: audio servers, players and programme material.
pub(crate) const TEST: &[Need] = &[
    Need {
        what: "an X server without a screen",
        probe: Probe::Program("Xvfb"),
        apt: &["xvfb", "libgl1-mesa-dri", "libxkbcommon-x11-0"],
        dnf: &["xorg-x11-server-Xvfb", "mesa-dri-drivers"],
        pacman: &["xorg-server-xvfb", "mesa"],
        brew: &[],
    },
    Need {
        what: "a hand for the mouse",
        probe: Probe::Program("xdotool"),
        apt: &["xdotool"],
        dnf: &["xdotool"],
        pacman: &["xdotool"],
        brew: &[],
    },
    Need {
        what: "the JACK server",
        probe: Probe::Program("jackd"),
        apt: &["jackd2"],
        dnf: &["jack-audio-connection-kit"],
        pacman: &["jack2"],
        brew: &["jack"],
    },
    Need {
        what: "the PipeWire server",
        probe: Probe::Program("pipewire"),
        apt: &["pipewire"],
        dnf: &["pipewire"],
        pacman: &["pipewire"],
        brew: &[],
    },
    Need {
        what: "PipeWire's tools",
        probe: Probe::Program("pw-cli"),
        apt: &["pipewire-bin"],
        dnf: &["pipewire-utils"],
        pacman: &["pipewire"],
        brew: &[],
    },
    Need {
        what: "PipeWire's JACK clients",
        probe: Probe::Program("pw-jack"),
        apt: &["pipewire-jack"],
        dnf: &["pipewire-jack-audio-connection-kit"],
        pacman: &["pipewire-jack"],
        brew: &[],
    },
    Need {
        what: "PipeWire's PulseAudio server",
        probe: Probe::Program("pipewire-pulse"),
        apt: &["pipewire-pulse"],
        dnf: &["pipewire-pulseaudio"],
        pacman: &["pipewire-pulse"],
        brew: &[],
    },
    Need {
        what: "PipeWire's session manager",
        probe: Probe::Program("wireplumber"),
        apt: &["wireplumber"],
        dnf: &["wireplumber"],
        pacman: &["wireplumber"],
        brew: &[],
    },
    Need {
        what: "the D-Bus daemon",
        probe: Probe::Program("dbus-daemon"),
        apt: &["dbus"],
        dnf: &["dbus-daemon"],
        pacman: &["dbus"],
        brew: &[],
    },
    Need {
        what: "the accessibility bus",
        probe: Probe::BusService("org.a11y.Bus"),
        apt: &["at-spi2-core"],
        dnf: &["at-spi2-core"],
        pacman: &["at-spi2-core"],
        brew: &[],
    },
    Need {
        what: "ALSA's JACK plugin",
        probe: Probe::AlsaPlugin("jack"),
        apt: &["libasound2-plugins"],
        dnf: &["alsa-plugins-jack"],
        pacman: &["alsa-plugins"],
        brew: &[],
    },
    Need {
        what: "ALSA's tools and their speech",
        probe: Probe::Program("aplay"),
        apt: &["alsa-utils"],
        dnf: &["alsa-utils"],
        pacman: &["alsa-utils"],
        brew: &[],
    },
    Need {
        what: "sox",
        probe: Probe::Program("sox"),
        apt: &["sox"],
        dnf: &["sox"],
        pacman: &["sox"],
        brew: &["sox"],
    },
    Need {
        what: "ffmpeg",
        probe: Probe::Program("ffmpeg"),
        apt: &["ffmpeg"],
        dnf: &["/usr/bin/ffmpeg"],
        pacman: &["ffmpeg"],
        brew: &["ffmpeg"],
    },
    Need {
        what: "espeak-ng",
        probe: Probe::Program("espeak-ng"),
        apt: &["espeak-ng"],
        dnf: &["espeak-ng"],
        pacman: &["espeak-ng"],
        brew: &["espeak-ng"],
    },
];

/// What the program's native PipeWire door takes to build.
pub(crate) const NATIVE_PIPEWIRE: &[Need] = &[
    Need {
        what: "PipeWire's development files",
        probe: Probe::Library("libpipewire-0.3"),
        apt: &["libpipewire-0.3-dev", "libspa-0.2-dev"],
        dnf: &["pipewire-devel"],
        pacman: &["libpipewire"],
        brew: &[],
    },
    Need {
        what: "clang, whose library reads C's headers",
        probe: Probe::Program("clang"),
        apt: &["clang", "libclang-dev"],
        dnf: &["clang", "clang-devel"],
        pacman: &["clang"],
        brew: &[],
    },
];

/// What building for Windows takes, and running that here.
pub(crate) const WINE: &[Need] = &[
    Need {
        what: "MinGW, a linker for Windows",
        probe: Probe::Program("x86_64-w64-mingw32-gcc"),
        apt: &["gcc-mingw-w64-x86-64"],
        dnf: &["mingw64-gcc"],
        pacman: &["mingw-w64-gcc"],
        brew: &["mingw-w64"],
    },
    Need {
        what: "Wine",
        probe: Probe::Program("wine"),
        apt: &["wine", "wine64"],
        dnf: &["wine"],
        pacman: &["wine"],
        brew: &["wine-stable"],
    },
    Need {
        what: "an X server for one program",
        probe: Probe::Program("xvfb-run"),
        apt: &["xvfb", "xauth"],
        dnf: &["xorg-x11-server-Xvfb"],
        pacman: &["xorg-server-xvfb"],
        brew: &[],
    },
];

/// Hosts that the plugin is loaded in, too large for every run.
pub(crate) const HOSTS: &[Need] = &[
    Need {
        what: "Ardour",
        probe: Probe::Program("ardour7-lua"),
        apt: &["ardour"],
        dnf: &["ardour7"],
        pacman: &["ardour"],
        brew: &[],
    },
    Need {
        what: "Qtractor",
        probe: Probe::Program("qtractor"),
        apt: &["qtractor"],
        dnf: &["qtractor"],
        pacman: &["qtractor"],
        brew: &[],
    },
    Need {
        what: "a window manager",
        probe: Probe::Program("openbox"),
        apt: &["openbox"],
        dnf: &["openbox"],
        pacman: &["openbox"],
        brew: &[],
    },
];

/// What Python references and peers take.
pub(crate) const PYTHON: &[Need] = &[Need {
    what: "Python with venv",
    probe: Probe::PythonVenv,
    apt: &["python3", "python3-venv"],
    dnf: &["python3"],
    pacman: &["python"],
    brew: &["python"],
}];

/// What counting instructions takes.
pub(crate) const VALGRIND: &[Need] = &[Need {
    what: "valgrind",
    probe: Probe::Program("valgrind"),
    apt: &["valgrind", "libc6-dbg"],
    dnf: &["valgrind"],
    pacman: &["valgrind"],
    brew: &[],
}];

/// `[main]` Installs what is missing of `needs`, printing each command that it runs, and checks that
/// it is then there. Nothing missing: nothing runs.
pub(crate) fn ensure(needs: &[&[Need]]) -> Result<(), Error> {
    let all: Vec<&Need> = needs.iter().copied().flatten().collect();
    let Some(manager) = Manager::here() else {
        if cfg!(target_os = "linux") {
            let missing = missing(&all, None);
            if !missing.is_empty() {
                return Err(Error::NoPackageManager {
                    missing: names(&missing),
                });
            }
        }
        return Ok(());
    };
    let wanted = missing(&all, Some(manager));
    if wanted.is_empty() {
        println!("System packages: nothing is missing.");
        return Ok(());
    }
    println!("System packages: missing {}.", names(&wanted));
    let packages = manager.packages(&wanted);
    let privileges = Privileges::here();
    let install = manager.install(&packages, privileges);
    let typed = install.join(" ");
    if manager.needs_root() && privileges == Privileges::None {
        return Err(Error::NotRoot {
            missing: names(&wanted),
            command: typed,
        });
    }
    // The package lists are fetched only where they are too old or absent: before, when they do
    // not know a package, and after, when what they know is no longer on the server.
    let update = manager.update(privileges);
    let mut fresh = false;
    if let Some(update) = update.as_ref().filter(|_| !manager.knows(&packages)) {
        shell::run(&mut command(update))?;
        fresh = true;
    }
    match (shell::run(&mut command(&install)), update) {
        (Err(Error::Failed { .. }), Some(update)) if !fresh => {
            shell::run(&mut command(&update))?;
            shell::run(&mut command(&install))?;
        }
        (result, _) => result?,
    }
    let still = missing(&all, Some(manager));
    if still.is_empty() {
        Ok(())
    } else {
        Err(Error::StillMissing {
            missing: names(&still),
            command: typed,
        })
    }
}

/// The needs that are not met, without those that this system does without.
fn missing<'a>(needs: &[&'a Need], manager: Option<Manager>) -> Vec<&'a Need> {
    needs
        .iter()
        .copied()
        .filter(|need| manager.is_none_or(|manager| !manager.of(need).is_empty()))
        .filter(|need| !need.probe.is_met())
        .collect()
}

fn names(needs: &[&Need]) -> String {
    let names: Vec<&str> = needs.iter().map(|need| need.what).collect();
    names.join(", ")
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

impl Probe {
    fn is_met(&self) -> bool {
        match self {
            Probe::Program(name) => shell::program(name).is_some(),
            Probe::Library(name) => {
                shell::succeeds(Command::new("pkg-config").args(["--exists", name]))
            }
            Probe::AlsaPlugin(name) => has_alsa_plugin(name),
            Probe::BusService(name) => has_bus_service(name),
            Probe::PythonVenv => {
                shell::succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
            }
        }
    }
}

/// Whether ALSA's library has the plugin beside it.
fn has_alsa_plugin(name: &str) -> bool {
    let mut ask = Command::new("pkg-config");
    ask.args(["--variable=libdir", "alsa"]);
    let Ok(folder) = shell::read(&mut ask) else {
        return false;
    };
    let file = format!("libasound_module_pcm_{name}.so");
    Path::new(folder.trim())
        .join("alsa-lib")
        .join(file)
        .exists()
}

/// Whether the session's message bus knows how to start a service.
fn has_bus_service(name: &str) -> bool {
    let folders = std::env::var_os("XDG_DATA_DIRS").filter(|folders| !folders.is_empty());
    let folders = folders.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    let file = format!("dbus-1/services/{name}.service");
    std::env::split_paths(&folders).any(|folder| folder.join(&file).exists())
}

/// The package managers that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
}

/// How root's commands are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privileges {
    Root,
    /// sudo may ask for a password.
    Sudo,
    /// Nobody is there to type one.
    SudoQuietly,
    None,
}

impl Privileges {
    fn here() -> Self {
        let id = Command::new("id").arg("-u").output();
        if id.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
            Privileges::Root
        } else if shell::program("sudo").is_none() {
            Privileges::None
        } else if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            Privileges::Sudo
        } else {
            Privileges::SudoQuietly
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Privileges::Root | Privileges::None => &[],
            Privileges::Sudo => &["sudo"],
            Privileges::SudoQuietly => &["sudo", "-n"],
        }
    }
}

impl Manager {
    fn here() -> Option<Self> {
        let has = |name| shell::program(name).is_some();
        if cfg!(target_os = "macos") {
            return has("brew").then_some(Manager::Brew);
        }
        [
            ("apt-get", Manager::Apt),
            ("dnf", Manager::Dnf),
            ("pacman", Manager::Pacman),
            ("brew", Manager::Brew),
        ]
        .into_iter()
        .find_map(|(name, manager)| has(name).then_some(manager))
    }

    fn needs_root(self) -> bool {
        self != Manager::Brew
    }

    fn of(self, need: &Need) -> &'static [&'static str] {
        match self {
            Manager::Apt => need.apt,
            Manager::Dnf => need.dnf,
            Manager::Pacman => need.pacman,
            Manager::Brew => need.brew,
        }
    }

    /// The packages of some needs, each once.
    fn packages(self, needs: &[&Need]) -> Vec<&'static str> {
        let mut packages = Vec::new();
        for package in needs.iter().flat_map(|need| self.of(need)) {
            if !packages.contains(package) {
                packages.push(*package);
            }
        }
        packages
    }

    fn install(self, packages: &[&str], privileges: Privileges) -> Vec<String> {
        let words: &[&str] = match self {
            Manager::Apt => &[
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "-o",
                "DPkg::Lock::Timeout=590",
                "install",
                "--yes",
                "--no-install-recommends",
            ],
            Manager::Dnf => &["dnf", "install", "--assumeyes"],
            Manager::Pacman => &["pacman", "-S", "--needed", "--noconfirm"],
            Manager::Brew => &["brew", "install"],
        };
        self.with_privileges(privileges, &[words, packages].concat())
    }

    /// What fetches the package lists, where installing does not do so by itself.
    fn update(self, privileges: Privileges) -> Option<Vec<String>> {
        let words: &[&str] = match self {
            Manager::Apt => &["apt-get", "-o", "DPkg::Lock::Timeout=590", "update"],
            Manager::Pacman => &["pacman", "-Sy", "--noconfirm"],
            Manager::Dnf | Manager::Brew => return None,
        };
        Some(self.with_privileges(privileges, words))
    }

    fn with_privileges(self, privileges: Privileges, words: &[&str]) -> Vec<String> {
        let sudo = if self.needs_root() {
            privileges.words()
        } else {
            &[]
        };
        [sudo, words]
            .concat()
            .into_iter()
            .map(String::from)
            .collect()
    }

    /// Whether the package lists on this machine have all of `packages`.
    fn knows(self, packages: &[&str]) -> bool {
        match self {
            Manager::Apt => packages.iter().all(|package| {
                let policy = Command::new("apt-cache")
                    .args(["policy", package])
                    .env("LC_ALL", "C")
                    .output();
                policy.is_ok_and(|output| has_candidate(&String::from_utf8_lossy(&output.stdout)))
            }),
            Manager::Pacman => shell::succeeds(Command::new("pacman").arg("-Si").args(packages)),
            Manager::Dnf | Manager::Brew => true,
        }
    }
}

/// Whether `apt-cache policy` names a version that can be installed.
fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate:"))
        .any(|version| version.trim() != "(none)")
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
