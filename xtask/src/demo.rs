//! `cargo xtask demo`: real sound through a rack, on whatever machine this is.

use crate::error::Error;
use crate::loop_music;
use crate::report::Report;
use crate::wave::Wave;
use crate::{packages, picture, shell};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the demo plays.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to play on, as `headroom play --backend` takes it
    #[arg(long, default_value = "auto")]
    backend: String,
    /// Seconds to play through each preset; the two bars take 4.8
    #[arg(long, default_value_t = LOOP_SECS, value_parser = seconds)]
    seconds: f64,
}

/// Length of the loop.
const LOOP_SECS: f64 = 4.8;

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(secs) if (0.5..=3600.0).contains(&secs) => Ok(secs),
        _ => Err("expected 0.5 to 3600".to_owned()),
    }
}

const PRESETS: [&str; 2] = ["voice", "drum-bus"];

/// `[main]` Installs, builds, plays, renders, draws, and says what came out of it.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    packages::ensure(&[packages::BUILD])?;
    let program = shell::build("headroom", "headroom")?;

    let folder = shell::root().join("target").join("demo");
    std::fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    let music = loop_music::render();
    let music = Wave {
        sample_rate_hz: loop_music::SAMPLE_RATE_HZ,
        channels: vec![music.left, music.right],
    };
    let input = folder.join("loop.wav");
    music.save(&input)?;
    println!(
        "Two bars of music: {}, peak {:.1} dBFS, rms {:.1} dBFS",
        input.display(),
        music.peak_dbfs(),
        music.rms_dbfs()
    );

    let mut summary = Vec::new();
    let mut unclean = 0.0;
    for preset in PRESETS {
        let demo = Demo {
            program: &program,
            folder: &folder,
            input: &input,
            preset,
        };
        let played = demo.play(options)?;
        summary.push(said_of_play(preset, &options.backend, &played)?);
        let rendered = demo.render()?;
        let after = Wave::load(&demo.file("wav"))?;
        let title = format!("Headroom: two bars through \"{preset}\"");
        picture::save(&demo.file("png"), &title, &music, &after)?;
        summary.push(said_of_render(&demo, &rendered)?);
        for report in [&played, &rendered] {
            unclean += report.number("audio_thread.allocations")?;
            unclean += report.number("audio_thread.deallocations")?;
        }
    }
    println!("\n{}", summary.join("\n"));
    if unclean > 0.0 {
        return Err(Error::Check(format!(
            "the audio thread allocated or freed {unclean} times; the reports in {} say where",
            folder.display()
        )));
    }
    println!(
        "Allocations and frees on the audio thread: 0. Everything is in {}",
        folder.display()
    );
    Ok(())
}

/// One preset's part of the demo.
struct Demo<'a> {
    program: &'a Path,
    folder: &'a Path,
    input: &'a Path,
    preset: &'a str,
}

impl Demo<'_> {
    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.preset))
    }

    fn play(&self, options: &Options) -> Result<Report, Error> {
        let mut play = Command::new(self.program);
        play.args(["play", "--backend", &options.backend, "--input"]);
        play.arg(self.input);
        play.args(["--preset", self.preset]);
        play.args(["--seconds", &options.seconds.to_string()]);
        play.args(["--fresh", "--no-gui", "--json"]);
        if options.seconds > LOOP_SECS {
            play.arg("--loop");
        }
        self.report(&mut play, &format!("{}-play.json", self.preset))
    }

    fn render(&self) -> Result<Report, Error> {
        let output = self.file("wav");
        let mut render = Command::new(self.program);
        render.arg("render").arg(self.input).arg(output);
        render.args(["--preset", self.preset, "--format", "f32", "--json"]);
        self.report(&mut render, &format!("{}.json", self.preset))
    }

    fn report(&self, command: &mut Command, name: &str) -> Result<Report, Error> {
        shell::announce(command);
        let report = Report::find(&shell::line(command), &shell::read(command)?)?;
        report.save(&self.folder.join(name))?;
        Ok(report)
    }
}

fn said_of_play(preset: &str, asked: &str, report: &Report) -> Result<String, Error> {
    let backend = match report.text("backend")? {
        "null" if asked == "auto" => {
            "no audio device found: played on a real-time null device".to_owned()
        }
        backend => format!("played on {backend}"),
    };
    Ok(format!(
        "{preset}: {backend}\n  {:.1} s in {} blocks, block p50 {:.1}, p99 {:.1}, max {:.1} us of \
         {:.0} us, {} xruns, {} major faults",
        report.number("seconds")?,
        report.number("audio_thread.blocks")?,
        report.number("audio_thread.block_ns.p50")? / 1e3,
        report.number("audio_thread.block_ns.p99")? / 1e3,
        report.number("audio_thread.block_ns.max")? / 1e3,
        report.number("deadline_ns")? / 1e3,
        report.number("xruns")?,
        report.number("audio_thread.major_faults")?,
    ))
}

fn said_of_render(demo: &Demo, report: &Report) -> Result<String, Error> {
    Ok(format!(
        "  rendered {:.1} s at {:.0} times real time, peak {:.1} dBFS, latency {} frames\n  \
         {}, .json and .png",
        report.number("seconds")?,
        report.number("realtime_factor")?,
        report.number("peak_dbfs")?,
        report.number("latency_frames")?,
        demo.file("wav").display(),
    ))
}
