//! The program `headroom-gui`.

#[cfg_attr(unix, path = "inherited/unix.rs")]
#[cfg_attr(windows, path = "inherited/windows.rs")]
mod inherited;

use clap::{Parser, ValueEnum};
use headroom_gui::link::Source;
use headroom_gui::theme::Look;
use headroom_gui::view::Page;
use headroom_gui::window::{self, DrawnBy, Options};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Headroom's screen. Attaches to the newest program that runs, unless it is told otherwise.
#[derive(Debug, Parser)]
#[command(name = "headroom-gui", version)]
struct Arguments {
    /// Attach to the program behind this socket.
    #[arg(long, value_name = "PATH", conflicts_with = "attach_stdin")]
    attach: Option<PathBuf>,
    /// Attach to the program whose socket is standard input, and end with it.
    #[arg(long)]
    attach_stdin: bool,
    /// Live inside this window of X11 or Windows (a number, decimal or with 0x).
    #[arg(long, value_name = "WINDOW", value_parser = window_id)]
    parent: Option<u32>,
    /// How it looks.
    #[arg(long, value_enum, default_value_t = Theme::Dark)]
    theme: Theme,
    /// How large it is, in per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(50..=300))]
    scale: u16,
    /// The page to begin with.
    #[arg(long, value_enum, default_value_t = FirstPage::Rack)]
    page: FirstPage,
    /// How large the window is, before it is scaled: WIDTHxHEIGHT.
    #[arg(long, value_name = "SIZE", default_value = "900x600", value_parser = size)]
    size: (f32, f32),
    /// Who draws.
    #[arg(long, value_enum, default_value_t = DrawBy::Auto)]
    draw_by: DrawBy,
    /// Draw for a second, keep the picture as a PNG file, end.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    /// Say at the end when the first frame was drawn, and how many there were.
    #[arg(long)]
    stats: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Theme {
    Dark,
    Light,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DrawBy {
    /// The graphics card where there is one, else the processor.
    Auto,
    /// The graphics card, or a driver that imitates one.
    Gpu,
    /// The processor.
    Cpu,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FirstPage {
    Rack,
    Meters,
    Health,
    Presets,
    Device,
}

fn window_id(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "expected the number of a window".to_owned())
}

fn size(text: &str) -> Result<(f32, f32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|side| (200..=8_000).contains(side))
        };
        Some((f32::from(side(width)?), f32::from(side(height)?)))
    });
    sides.ok_or_else(|| "expected WIDTHxHEIGHT, such as 900x600".to_owned())
}

fn main() -> ExitCode {
    let started = Instant::now();
    // One line, as all else that is said: the program that started this one may be drawing on the terminal.
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map_or(String::new(), ToString::to_string);
        let what = fault.payload_as_str().unwrap_or("a fault");
        eprintln!("headroom-gui: {place}: {}", what.replace('\n', " "));
    }));
    let arguments = Arguments::parse();
    let source = if arguments.attach_stdin {
        inherited::close();
        match inherited::line() {
            Ok(line) => Source::Given(Some(line)),
            Err(error) => {
                eprintln!("headroom-gui: standard input is no socket: {error}");
                return ExitCode::FAILURE;
            }
        }
    } else {
        arguments.attach.map_or(Source::Newest, Source::At)
    };
    let options = Options {
        drawn_by: match arguments.draw_by {
            DrawBy::Auto => DrawnBy::Either,
            DrawBy::Gpu => DrawnBy::Card,
            DrawBy::Cpu => DrawnBy::Processor,
        },
        source,
        parent: arguments.parent,
        look: match arguments.theme {
            Theme::Dark => Look::Dark,
            Theme::Light => Look::Light,
        },
        scale: f32::from(arguments.scale) / 100.0,
        screenshot: arguments.screenshot,
        page: match arguments.page {
            FirstPage::Rack => Page::Rack,
            FirstPage::Meters => Page::Meters,
            FirstPage::Health => Page::Health,
            FirstPage::Presets => Page::Presets,
            FirstPage::Device => Page::Device,
        },
        size: arguments.size,
        has_stats: arguments.stats,
        started,
    };
    match window::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headroom-gui: {error}");
            ExitCode::FAILURE
        }
    }
}
