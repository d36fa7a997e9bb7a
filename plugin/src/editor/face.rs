//! What a host calls of an editor. All of it is short: housekeeping does the rest.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::c_void;
use std::num::NonZeroIsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{NativeSize, PhysicalSize, Size};
use nice_plug::editor::{EditorHandle, HostCallbacks, HostMethods, SpawnedEditor};
use nice_plug::prelude::{ParentWindowHandle, ResizeHint};
use thiserror::Error;

use super::keeper::Keeper;
use super::outbox::Outbox;
use super::socket::{Socket, display_scale};
use super::under_way::UnderWay;
use super::{Open, Standing};
use crate::parameters::Parameters;
use crate::shield::shielded;

/// Points of a new editor, and the least that all of it can be seen in.
const USUAL: (u32, u32) = (900, 600);
const LEAST: (u32, u32) = (400, 250);

/// Why an editor does not do what a host wants.
#[derive(Debug, Error)]
pub enum EditorError {
    /// There is no display, or it refuses.
    #[error("the display: {0}")]
    Display(String),
    /// A kind of window that this system has not.
    #[error("the host's window is not of this system")]
    Foreign,
    /// It was closed.
    #[error("the editor is not open")]
    Closed,
    /// The plugin has no thread of its own, which the editor needs.
    #[error("the system gave the plugin no thread")]
    NoThread,
    /// Ours.
    #[error("the editor panicked")]
    Panicked,
}

/// How large an editor is: in pixels, and pixels a point. Writers: the host's calls, on its main thread;
/// Relaxed: each stands for itself.
#[derive(Debug)]
pub(crate) struct Shape {
    width: AtomicU32,
    height: AtomicU32,
    /// Bits; what the host says. 0: it has said nothing.
    scale: AtomicU64,
}

impl Shape {
    fn new() -> Self {
        // Not known before somebody asks: a host that never opens an editor needs no display.
        Self {
            width: AtomicU32::new(0),
            height: AtomicU32::new(0),
            scale: AtomicU64::new(0),
        }
    }

    /// `[main]` Pixels, wide and high.
    pub(crate) fn pixels(&self) -> (u32, u32) {
        let sides = (&self.width, &self.height);
        let (width, height) = (
            sides.0.load(Ordering::Relaxed),
            sides.1.load(Ordering::Relaxed),
        );
        if width == 0 || height == 0 {
            return scaled(USUAL, self.scale());
        }
        (width, height)
    }

    fn set_pixels(&self, (width, height): (u32, u32)) {
        self.width.store(width, Ordering::Relaxed);
        self.height.store(height, Ordering::Relaxed);
    }

    /// `[main]` The same in points, as the screen's program takes them.
    pub(crate) fn points(&self) -> (u32, u32) {
        let (width, height) = self.pixels();
        let side = |pixels: u32| ((f64::from(pixels) / self.scale()) as u32).clamp(200, 8_000);
        (side(width), side(height))
    }

    /// `[main]` Pixels a point.
    pub(crate) fn scale(&self) -> f64 {
        static DISPLAY: OnceLock<f64> = OnceLock::new();
        self.hosts_scale()
            .unwrap_or_else(|| *DISPLAY.get_or_init(display_scale))
    }

    fn hosts_scale(&self) -> Option<f64> {
        let scale = f64::from_bits(self.scale.load(Ordering::Relaxed));
        (scale > 0.0).then_some(scale)
    }

    /// `[main]` The host has said how large it draws.
    fn set_scale(&self, scale: f64) {
        let scale = scale.clamp(0.5, 4.0);
        if self.width.load(Ordering::Relaxed) != 0 {
            // What was seen stays seen.
            let ratio = scale / self.scale();
            let (width, height) = self.pixels();
            let side = |pixels: u32| (f64::from(pixels) * ratio).round() as u32;
            self.set_pixels((side(width), side(height)));
        }
        self.scale.store(scale.to_bits(), Ordering::Relaxed);
    }

    /// `[main]` What the host has said, for the screen.
    pub(crate) fn scale_percent(&self) -> Option<u16> {
        self.hosts_scale()
            .map(|scale| (scale * 100.0).round() as u16)
    }

    /// The nearest size that an editor can have.
    fn fitting(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let least = scaled(LEAST, self.scale());
        // As much as X11 can say.
        (width.clamp(least.0, 32_000), height.clamp(least.1, 32_000))
    }
}

fn scaled((width, height): (u32, u32), scale: f64) -> (u32, u32) {
    let side = |points: u32| (f64::from(points) * scale).round() as u32;
    (side(width), side(height))
}

/// What an instance has of an editor before one is opened.
pub struct Editor {
    parameters: Arc<Parameters>,
    shape: Arc<Shape>,
}

impl Editor {
    /// `[main]` The editor of these parameters; opens nothing.
    pub(crate) fn new(parameters: Arc<Parameters>) -> Self {
        let shape = Arc::new(Shape::new());
        Self { parameters, shape }
    }

    /// `[main]` The host says how large it draws, before it opens one.
    pub(crate) fn say_scale(&self, scale: f64) {
        self.shape.set_scale(scale);
    }

    /// `[main]` The nearest size that an editor can have.
    pub(crate) fn fitting(&self, size: NativeSize<u32>) -> NativeSize<u32> {
        let (width, height) = self.shape.fitting((size.width, size.height));
        NativeSize::new(width, height)
    }

    fn open(
        &self,
        parent: Option<ParentWindowHandle>,
        scale: Option<f64>,
        host: GuiContext,
        methods: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, EditorError> {
        if !self.parameters.instance().is_kept() {
            return Err(EditorError::NoThread);
        }
        if let Some(scale) = scale {
            self.shape.set_scale(scale);
        }
        let size = self.shape.pixels();
        self.shape.set_pixels(size);
        let socket = Socket::open(size, self.shape.scale()).map_err(EditorError::Display)?;
        if let Some(parent) = parent {
            socket
                .set_parent(number(&parent)?)
                .map_err(EditorError::Display)?;
        }
        let (callbacks, caller) = match methods {
            Some(methods) => (Some(methods.callbacks), Some(methods.main_thread_caller)),
            None => (None, None),
        };
        let open = Open {
            socket,
            shape: Arc::clone(&self.shape),
            outbox: Arc::new(Outbox::new(host, caller)),
            keeper: Keeper::new(),
            under_way: UnderWay::default(),
            service: None,
            is_seen: false,
            wish: None,
        };
        let parameters = &self.parameters;
        parameters.instance().editor().open(parameters, open);
        Ok(SpawnedEditor {
            handle: Handle {
                parameters: Arc::clone(parameters),
                shape: Arc::clone(&self.shape),
            },
            window: Window {
                callbacks: RefCell::new(callbacks),
            },
        })
    }
}

impl nice_plug::editor::Editor for Editor {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        _: bool,
        scale: Option<f64>,
        host: GuiContext,
        methods: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        let opened = shielded(|| self.open(parent, scale, host, methods));
        Ok(opened.unwrap_or(Err(EditorError::Panicked))?)
    }

    fn size(&self) -> NativeSize<u32> {
        let (width, height) = shielded(|| self.shape.pixels()).unwrap_or(USUAL);
        NativeSize::new(width, height)
    }

    fn resize_hint(&self) -> ResizeHint {
        ResizeHint::RESIZABLE
    }
}

/// The host's calls on what it must be asked for on its main thread.
pub struct Window {
    callbacks: RefCell<Option<Box<dyn HostCallbacks>>>,
}

/// An editor that is open; closed when it is dropped.
pub struct Handle {
    parameters: Arc<Parameters>,
    shape: Arc<Shape>,
}

impl Handle {
    /// Does something with what is open.
    fn with<R>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<R, EditorError>,
    ) -> Result<R, EditorError> {
        let done = shielded(|| {
            let mut standing = self.parameters.instance().editor();
            let Standing { open, .. } = &mut *standing;
            work(open.as_mut().ok_or(EditorError::Closed)?)
        });
        done.unwrap_or(Err(EditorError::Panicked))
    }

    /// Asks the host for the size that the screen has made itself.
    fn ask_for_size(&self, window: &Window) {
        let Ok(Some(wish)) = self.with(|open| Ok(open.wish.take())) else {
            return;
        };
        let size = self.shape.fitting(wish.size);
        let physical = Size::Physical(PhysicalSize::new(size.0, size.1));
        // No lock is held: the host may set the size here and now.
        let granted = match &mut *window.callbacks.borrow_mut() {
            Some(host) => host.request_resize(physical, self.shape.scale()).is_ok(),
            None => false,
        };
        if granted {
            self.shape.set_pixels(size);
        }
        let now = self.shape.pixels();
        let followed = self.with(|open| {
            if granted && wish.is_so && now == wish.size {
                open.socket.follow(now);
            } else {
                // Refused: the screen goes back to what it was.
                open.socket.resize(now);
            }
            Ok(())
        });
        // It may have been closed in between.
        followed.unwrap_or_default();
    }
}

impl EditorHandle for Handle {
    type Window = Window;
    type Error = EditorError;

    fn run_until_closed(_: Window) -> Result<(), EditorError> {
        Err(EditorError::Foreign)
    }

    fn set_parent(&self, parent: ParentWindowHandle, _: &Window) -> Result<(), EditorError> {
        let parent = number(&parent)?;
        self.with(|open| open.socket.set_parent(parent).map_err(EditorError::Display))
    }

    fn show(&self, _: &Window) -> Result<(), EditorError> {
        self.with(|open| {
            open.socket.show(true);
            open.is_seen = true;
            Ok(())
        })
    }

    fn hide(&self, _: &Window) -> Result<(), EditorError> {
        self.with(|open| {
            open.socket.show(false);
            Ok(())
        })
    }

    fn set_size(&self, size: NativeSize<u32>, _: &Window) -> Result<(), EditorError> {
        // What the host has made of its window is so, fitting or not.
        let size = (size.width.max(1), size.height.max(1));
        self.shape.set_pixels(size);
        self.with(|open| {
            open.socket.resize(size);
            Ok(())
        })
    }

    fn host_main_thread_callback(&self, window: &Window) {
        let outbox = self.with(|open| Ok(Arc::clone(&open.outbox)));
        if let Ok(outbox) = outbox {
            shielded(|| outbox.deliver(&self.parameters));
        }
        shielded(|| self.ask_for_size(window));
    }

    fn adjust_size(&self, size: NativeSize<u32>, _: &Window) -> Option<NativeSize<u32>> {
        let (width, height) = self.shape.fitting((size.width, size.height));
        Some(NativeSize::new(width, height))
    }

    fn set_fallback_scale_factor(&self, scale: f64, _: &Window) -> Result<(), EditorError> {
        if !scale.is_finite() || scale <= 0.0 {
            return Err(EditorError::Foreign);
        }
        self.shape.set_scale(scale);
        let size = self.shape.pixels();
        self.with(|open| {
            open.socket.rescale(scale);
            if open.is_seen {
                // As much is seen as before: the host is asked for the room.
                open.wish(size, false);
            } else {
                // It asks itself how large that will be before it shows it.
                open.socket.resize(size);
            }
            Ok(())
        })
    }

    // Housekeeping looks at the parameters themselves.
    fn param_value_changed(&self, _: &str, _: f32) {}

    fn param_modulation_changed(&self, _: &str, _: f32) {}
}

impl Drop for Handle {
    fn drop(&mut self) {
        shielded(|| {
            let parameters = &self.parameters;
            let left = parameters.instance().editor().close(parameters);
            if let Some(outbox) = left {
                outbox.deliver(parameters);
            }
        });
    }
}

/// `[main]` The host's window, as both formats give it. Those that are none are null on any system.
pub(crate) fn parent_of(window: *mut c_void) -> Option<ParentWindowHandle> {
    if cfg!(target_os = "windows") {
        NonZeroIsize::new(window.addr().cast_signed()).map(ParentWindowHandle::Win32Hwnd)
    } else if cfg!(target_os = "macos") {
        NonNull::new(window).map(ParentWindowHandle::AppKitNsView)
    } else {
        let number = NonNull::new(window)?.addr().get();
        Some(ParentWindowHandle::XlibWindow(number.try_into().ok()?))
    }
}

/// The number of a window of X11's or of Windows.
fn number(parent: &ParentWindowHandle) -> Result<u32, EditorError> {
    match parent {
        ParentWindowHandle::XlibWindow(window) => {
            u32::try_from(*window).map_err(|_| EditorError::Foreign)
        }
        ParentWindowHandle::XcbWindow(window) => Ok(window.get()),
        // 32 bits of it count, and as a sign the highest.
        ParentWindowHandle::Win32Hwnd(window) if cfg!(windows) => Ok(window.get() as u32),
        // Where there are no sockets, nobody asks for its parent.
        _ if cfg!(target_os = "macos") => Ok(0),
        _ => Err(EditorError::Foreign),
    }
}
