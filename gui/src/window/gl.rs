//! A window with an OpenGL context: what of it needs `unsafe`.

use super::WindowError;
use egui_glow::glow::{self, HasContext};
use glutin::config::{Config, ConfigTemplateBuilder};
use glutin::context::{
    ContextApi, ContextAttributesBuilder, NotCurrentContext, PossiblyCurrentContext,
};
use glutin::display::{GetGlDisplay, GlDisplay};
use glutin::prelude::{GlConfig, GlSurface, NotCurrentGlContext};
use glutin::surface::{Surface, SurfaceAttributesBuilder, SwapInterval, WindowSurface};
use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::sync::Arc;
use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Window, WindowAttributes};

/// A window that can be drawn on. The surface and the context go before the window.
pub(super) struct Canvas {
    surface: Surface<WindowSurface>,
    context: PossiblyCurrentContext,
    pub(super) gl: Arc<glow::Context>,
    /// Kept open for as long as there is a surface on it.
    _window: Rc<Window>,
}

impl Canvas {
    /// `[main]` Opens the window and makes its context current.
    pub(super) fn open(
        events: &ActiveEventLoop,
        attributes: WindowAttributes,
    ) -> Result<(Rc<Window>, Self), WindowError> {
        let template = ConfigTemplateBuilder::new()
            .prefer_hardware_accelerated(None)
            .with_depth_size(0)
            .with_stencil_size(0)
            .with_transparency(false);
        let (window, config) = glutin_winit::DisplayBuilder::new()
            .with_preference(glutin_winit::ApiPreference::FallbackEgl)
            .with_window_attributes(Some(attributes.clone()))
            .build(events, template, fewest_samples)
            .map_err(|error| WindowError::Display(error.to_string()))?;
        let window = match window {
            Some(window) => window,
            None => glutin_winit::finalize_window(events, attributes, &config)
                .map_err(|error| WindowError::Window(error.to_string()))?,
        };
        let handle = window
            .window_handle()
            .map_err(|error| WindowError::Window(error.to_string()))?
            .as_raw();
        let context = context(&config, handle)?;
        let size = window.inner_size();
        let side = |length: u32| NonZeroU32::new(length).unwrap_or(NonZeroU32::MIN);
        let attributes = SurfaceAttributesBuilder::<WindowSurface>::new().build(
            handle,
            side(size.width),
            side(size.height),
        );
        let display = config.display();
        // SAFETY: the handle is that of `window`, which the canvas keeps for longer than the surface: fields
        // are dropped in their order.
        #[allow(unsafe_code)]
        let surface = unsafe { display.create_window_surface(&config, &attributes) };
        let surface = surface.map_err(WindowError::Gl)?;
        let context = context.make_current(&surface).map_err(WindowError::Gl)?;
        // Frames are paced by what changes, not by the screen; a refusal changes nothing.
        if let Err(error) = surface.set_swap_interval(&context, SwapInterval::DontWait) {
            eprintln!("headroom-gui: the display decides when frames are shown: {error}");
        }
        // SAFETY: the context is current, and stays so on this thread: it is the only one there is.
        #[allow(unsafe_code)]
        let gl = unsafe {
            glow::Context::from_loader_function_cstr(|name| display.get_proc_address(name))
        };
        let window = Rc::new(window);
        let canvas = Self {
            surface,
            context,
            gl: Arc::new(gl),
            _window: Rc::clone(&window),
        };
        Ok((window, canvas))
    }

    /// `[main]` What the driver calls itself.
    pub(super) fn renderer(&self) -> String {
        // SAFETY: the context is current on this thread, and has this string from its beginning.
        #[allow(unsafe_code)]
        unsafe {
            self.gl.get_parameter_string(glow::RENDERER)
        }
    }

    /// `[main]` The window has a new size.
    pub(super) fn resize(&self, size: PhysicalSize<u32>) {
        if let (Some(width), Some(height)) =
            (NonZeroU32::new(size.width), NonZeroU32::new(size.height))
        {
            self.surface.resize(&self.context, width, height);
        }
    }

    /// `[main]` Shows what was drawn.
    pub(super) fn swap(&self) -> Result<(), WindowError> {
        self.surface
            .swap_buffers(&self.context)
            .map_err(WindowError::Gl)
    }
}

/// Edges are smoothed by the drawing itself: samples would only cost.
fn fewest_samples(configs: Box<dyn Iterator<Item = Config> + '_>) -> Config {
    // PANIC: the display builder calls this with at least one configuration, or fails before.
    configs
        .min_by_key(GlConfig::num_samples)
        .expect("a display has a configuration")
}

fn context(config: &Config, handle: RawWindowHandle) -> Result<NotCurrentContext, WindowError> {
    let display = config.display();
    let desktop = ContextAttributesBuilder::new().build(Some(handle));
    let mobile = ContextAttributesBuilder::new()
        .with_context_api(ContextApi::Gles(None))
        .build(Some(handle));
    // SAFETY: the handle is that of a window that is open for as long as this call.
    #[allow(unsafe_code)]
    let context = unsafe {
        display
            .create_context(config, &desktop)
            .or_else(|_| display.create_context(config, &mobile))
    };
    context.map_err(WindowError::Gl)
}

/// A sheet that keeps the frame before, so that only what changed is drawn on it.
pub(super) struct Sheet {
    gl: Arc<glow::Context>,
    framebuffer: glow::NativeFramebuffer,
    texture: glow::NativeTexture,
    pub(super) size: [u32; 2],
}

impl Sheet {
    /// `[main]` An empty sheet; `None` where the display has none to give: then whole frames are drawn
    /// on the window.
    pub(super) fn new(gl: &Arc<glow::Context>, size: [u32; 2]) -> Option<Self> {
        let [width, height] = size.map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        // SAFETY: the context is current on this thread, the only one that draws; all names are made here,
        // and given back by `drop`.
        #[allow(unsafe_code)]
        unsafe {
            let texture = gl.create_texture().ok()?;
            let Ok(framebuffer) = gl.create_framebuffer() else {
                gl.delete_texture(texture);
                return None;
            };
            let sheet = Self {
                gl: Arc::clone(gl),
                framebuffer,
                texture,
                size,
            };
            gl.bind_texture(glow::TEXTURE_2D, Some(texture));
            gl.tex_image_2d(
                glow::TEXTURE_2D,
                0,
                glow::RGBA8 as i32,
                width,
                height,
                0,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelUnpackData::Slice(None),
            );
            let nearest = glow::NEAREST as i32;
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MIN_FILTER, nearest);
            gl.tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAG_FILTER, nearest);
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer));
            gl.framebuffer_texture_2d(
                glow::FRAMEBUFFER,
                glow::COLOR_ATTACHMENT0,
                glow::TEXTURE_2D,
                Some(texture),
                0,
            );
            let status = gl.check_framebuffer_status(glow::FRAMEBUFFER);
            gl.bind_framebuffer(glow::FRAMEBUFFER, None);
            (status == glow::FRAMEBUFFER_COMPLETE).then_some(sheet)
        }
    }

    /// `[main]` What is drawn from now on is drawn on the sheet.
    pub(super) fn begin(&self) {
        // SAFETY: the context is current on this thread, and the framebuffer is its own.
        #[allow(unsafe_code)]
        unsafe {
            self.gl
                .bind_framebuffer(glow::FRAMEBUFFER, Some(self.framebuffer));
        }
    }

    /// `[main]` Puts the sheet on the window.
    pub(super) fn show(&self) {
        let [width, height] = self
            .size
            .map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        // SAFETY: as in `begin`; both buffers are of this size.
        #[allow(unsafe_code)]
        unsafe {
            self.gl.disable(glow::SCISSOR_TEST);
            self.gl
                .bind_framebuffer(glow::READ_FRAMEBUFFER, Some(self.framebuffer));
            self.gl.bind_framebuffer(glow::DRAW_FRAMEBUFFER, None);
            let (from, to) = ((0, 0, width, height), (0, 0, width, height));
            self.gl.blit_framebuffer(
                from.0,
                from.1,
                from.2,
                from.3,
                to.0,
                to.1,
                to.2,
                to.3,
                glow::COLOR_BUFFER_BIT,
                glow::NEAREST,
            );
            self.gl.bind_framebuffer(glow::FRAMEBUFFER, None);
        }
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        // SAFETY: the context is current on this thread; nothing else has these names.
        #[allow(unsafe_code)]
        unsafe {
            self.gl.delete_framebuffer(self.framebuffer);
            self.gl.delete_texture(self.texture);
        }
    }
}
