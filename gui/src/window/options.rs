//! What a window is opened with, and why there is none.

use crate::link::Source;
use crate::theme::Look;
use std::path::PathBuf;
use std::time::Instant;

/// Who turns triangles into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DrawnBy {
    /// The graphics card where there is one, else the processor.
    #[default]
    Either,
    /// The graphics card, or a driver that imitates one.
    Card,
    /// The processor.
    Processor,
}

/// What the program was asked for.
#[derive(Debug)]
pub struct Options {
    /// Who draws.
    pub drawn_by: DrawnBy,
    /// Whom to attach to.
    pub source: Source,
    /// The window of another program to live in: X11's, or one of Windows.
    pub parent: Option<u32>,
    /// Dark or light.
    pub look: Look,
    /// 1 is 100 %.
    pub scale: f32,
    /// Draw for a second, keep the picture here, end.
    pub screenshot: Option<PathBuf>,
    /// The page to begin with.
    pub page: crate::view::Page,
    /// Points of the window.
    pub size: (f32, f32),
    /// Say at the end how many frames were drawn.
    pub has_stats: bool,
    /// When the process began.
    pub started: Instant,
}

/// Why there is no window, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// There is no display.
    #[error("no display: {0}")]
    Events(#[from] winit::error::EventLoopError),
    /// The display has no OpenGL.
    #[error("the display cannot be drawn on: {0}")]
    Display(String),
    /// No window.
    #[error("no window: {0}")]
    Window(String),
    /// OpenGL refuses.
    #[error("OpenGL: {0}")]
    Gl(glutin::error::Error),
    /// OpenGL is too old.
    #[error("OpenGL cannot draw this: {0}")]
    Painter(String),
    /// Nobody here closed it.
    #[error("another program has destroyed the window")]
    Destroyed,
    /// The picture could not be kept.
    #[error("cannot write {path}: {error}")]
    Screenshot {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}
