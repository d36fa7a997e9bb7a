//! The stage for other systems: what is for Windows is built and run under Wine, what is for macOS is
//! type-checked. Nothing of it runs on either system itself.

use crate::error::Error;
use crate::stage::Stage;
use crate::{loop_music, packages, shell};
use std::path::{Path, PathBuf};
use std::process::Command;

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";
/// Rendered by both: what they hold between them is all that there is of modules.
const PRESETS: [&str; 3] = ["voice", "drum-bus", "master"];
/// What hosts of our own do with the library; its editor lives in a window there.
const PLUGIN_TESTS: [&str; 5] = ["parameters", "state", "sound", "tempo", "windows_editor"];
/// Rust's library takes its random numbers from a library that older Wines have not: this one is put in its place.
const RANDOM: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T bytes) {
    return SystemFunction036(data, (ULONG)bytes);
}
";

/// `[main]` Builds for both, and runs what can be run.
pub(crate) fn run(stage: &Stage<'_>) -> Result<(), Error> {
    packages::ensure(&[packages::BUILD, packages::TEST, packages::WINE])?;
    let mut targets = Command::new("rustup");
    targets.args(["target", "add", WINDOWS, MACOS]);
    shell::run(&mut targets)?;
    let wine = Wine::set_up(stage)?;
    stage.part("ipc", || {
        let mut tests = shell::cargo();
        tests.args(["test", "--release", "--target", WINDOWS]);
        tests.args(["--package", "headroom-ipc"]);
        stage.run(wine.around(&mut tests))
    })?;
    stage.part("render", || {
        build(stage, "headroom")?;
        compare(stage, &wine)
    })?;
    stage.part("picture", || {
        build(stage, "headroom-gui")?;
        picture(stage, &wine)
    })?;
    stage.part("plugin", || {
        build(stage, "headroom-plugin")?;
        let mut tests = Command::new("xvfb-run");
        tests.arg("-a").arg(shell::cargo().get_program());
        tests.current_dir(shell::root());
        tests.args(["test", "--release", "--target", WINDOWS]);
        tests.args(["--package", "headroom-plugin"]);
        for name in PLUGIN_TESTS {
            tests.args(["--test", name]);
        }
        stage.run(wine.around(&mut tests))
    })?;
    stage.part("macos", || {
        let mut check = shell::cargo();
        check.args(["check", "--release", "--target", MACOS]);
        for package in [
            "headroom-ipc",
            "headroom-engine",
            "headroom-gui",
            "headroom-plugin",
            "headroom",
        ] {
            check.args(["--package", package]);
        }
        stage.run(&mut check)
    })
}

/// A Wine of this stage's own.
struct Wine {
    prefix: PathBuf,
}

impl Wine {
    fn set_up(stage: &Stage<'_>) -> Result<Self, Error> {
        let wine = Self {
            prefix: stage.folder.join("wine"),
        };
        std::fs::create_dir_all(&wine.prefix)
            .map_err(|source| Error::file(&wine.prefix, source))?;
        let mut boot = Command::new("wineboot");
        stage.run(wine.around(boot.arg("-i")))?;
        let library = wine
            .prefix
            .join("drive_c/windows/system32/bcryptprimitives.dll");
        if !library.exists() {
            let source = stage.folder.join("random.c");
            std::fs::write(&source, RANDOM).map_err(|error| Error::file(&source, error))?;
            let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
            compiler.args(["-O2", "-shared", "-o"]).arg(&library);
            shell::run(compiler.arg(&source).arg("-ladvapi32"))?;
        }
        Ok(wine)
    }

    /// What a command needs whose programs run under it.
    fn around<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "wine")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("wine");
        let built = shell::target().join(WINDOWS).join("release");
        command.arg(built.join(format!("{name}.exe")));
        self.around(&mut command);
        command
    }
}

fn build(stage: &Stage<'_>, package: &str) -> Result<(), Error> {
    let mut build = shell::cargo();
    build.args(["build", "--release", "--target", WINDOWS]);
    stage.run(build.args(["--package", package]))
}

/// The same file through the same presets, on both: the same bits.
fn compare(stage: &Stage<'_>, wine: &Wine) -> Result<(), Error> {
    let here = shell::build("headroom", "headroom")?;
    let input = stage.folder.join("windows-in.wav");
    let music = loop_music::render();
    crate::wave::Wave {
        sample_rate_hz: loop_music::SAMPLE_RATE_HZ,
        channels: vec![music.left, music.right],
    }
    .save(&input)?;
    for preset in PRESETS {
        let ours = stage.folder.join(format!("windows-{preset}-here.wav"));
        let theirs = stage.folder.join(format!("windows-{preset}-wine.wav"));
        let arguments = |command: &mut Command, to: &Path| {
            command.args(["render", "--preset", preset]);
            command.arg(&input).arg(to);
        };
        let mut command = Command::new(&here);
        arguments(&mut command, &ours);
        stage.run(&mut command)?;
        let mut command = wine.program("headroom");
        arguments(&mut command, &theirs);
        stage.run(&mut command)?;
        let read = |path: &Path| std::fs::read(path).map_err(|error| Error::file(path, error));
        if read(&ours)? != read(&theirs)? {
            return Err(Error::Check(format!(
                "{preset}: {} and {} differ",
                ours.display(),
                theirs.display()
            )));
        }
    }
    println!("Rendered under Wine: the same to the bit.");
    Ok(())
}

/// The screen draws a picture of its size that is not of one colour.
fn picture(stage: &Stage<'_>, wine: &Wine) -> Result<(), Error> {
    let path = stage.folder.join("windows-screen.png");
    let mut screen = Command::new("xvfb-run");
    screen.args(["-a", "wine"]);
    let built = shell::target().join(WINDOWS).join("release");
    screen.arg(built.join("headroom-gui.exe"));
    screen.args(["--draw-by", "cpu", "--screenshot"]).arg(&path);
    stage.run(wine.around(&mut screen))?;
    let file = std::fs::File::open(&path).map_err(|error| Error::file(&path, error))?;
    let wrong = |what: String| Error::Output {
        from: path.display().to_string(),
        what,
    };
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .map_err(|error| wrong(error.to_string()))?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let frame = reader
        .next_frame(&mut pixels)
        .map_err(|error| wrong(error.to_string()))?;
    let first = &pixels[..4];
    let drawn = pixels.chunks(4).filter(|pixel| *pixel != first).count();
    if (frame.width, frame.height) != (900, 600) || drawn < 10_000 {
        return Err(wrong(format!(
            "{} by {}, {drawn} pixels drawn: expected 900 by 600 and a screen",
            frame.width, frame.height
        )));
    }
    println!("{}: {drawn} pixels are drawn.", path.display());
    Ok(())
}
