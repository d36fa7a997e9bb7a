//! The editor's window, as a CLAP host calls it: what is in it is `editor/`'s.

use clack_extensions::gui::{
    AspectRatioStrategy, GuiApiType, GuiConfiguration, GuiResizeHints, GuiSize, PluginGuiImpl,
    Window,
};
use clack_plugin::plugin::PluginError;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{Editor as _, EditorHandle as _, SpawnedEditor};

use super::plugin::MainThread;
use crate::editor::{EditorError, Handle, parent_of};
use crate::hand::hands_of;
use crate::shield::shielded;

/// The kind of window that this system has.
const KIND: GuiApiType<'static> = if cfg!(target_os = "windows") {
    GuiApiType::WIN32
} else if cfg!(target_os = "macos") {
    GuiApiType::COCOA
} else {
    GuiApiType::X11
};

fn size_of(size: NativeSize<u32>) -> GuiSize {
    GuiSize {
        width: size.width,
        height: size.height,
    }
}

impl MainThread<'_> {
    fn open(&self) -> Result<SpawnedEditor<Handle>, PluginError> {
        let (hand, methods) = hands_of(&self.link);
        let opened = self.editor.spawn(None, true, None, hand, Some(methods));
        opened.map_err(PluginError::Error)
    }

    /// Does something with what is open.
    fn with(
        &self,
        work: impl FnOnce(&SpawnedEditor<Handle>) -> Result<(), EditorError>,
    ) -> Result<(), PluginError> {
        let done = shielded(|| {
            let stage = self.stage.borrow();
            work(stage.as_ref().ok_or(EditorError::Closed)?)
        });
        Ok(done.unwrap_or(Err(EditorError::Panicked))?)
    }
}

impl PluginGuiImpl for MainThread<'_> {
    fn is_api_supported(&self, configuration: GuiConfiguration) -> bool {
        configuration.api_type == KIND && !configuration.is_floating
    }

    fn get_preferred_api(&self) -> Option<GuiConfiguration<'_>> {
        Some(GuiConfiguration {
            api_type: KIND,
            is_floating: false,
        })
    }

    fn create(&self, configuration: GuiConfiguration) -> Result<(), PluginError> {
        if !self.is_api_supported(configuration) {
            return Err(PluginError::Message("there is no such window"));
        }
        if self.stage.borrow().is_some() {
            return Err(PluginError::Message("the editor is open"));
        }
        let opened = shielded(|| self.open());
        let opened = opened.unwrap_or(Err(EditorError::Panicked.into()))?;
        self.stage.replace(Some(opened));
        Ok(())
    }

    fn destroy(&self) {
        let stage = self.stage.take();
        drop(stage);
    }

    fn set_scale(&self, scale: f64) -> Result<(), PluginError> {
        if !scale.is_finite() || scale <= 0.0 {
            return Err(PluginError::Message("the scale is none"));
        }
        if self.stage.borrow().is_none() {
            shielded(|| self.editor.say_scale(scale));
            return Ok(());
        }
        self.with(|open| open.handle.set_fallback_scale_factor(scale, &open.window))
    }

    fn get_size(&self) -> Option<GuiSize> {
        Some(size_of(self.editor.size()))
    }

    fn can_resize(&self) -> bool {
        true
    }

    fn get_resize_hints(&self) -> Option<GuiResizeHints> {
        Some(GuiResizeHints {
            can_resize_horizontally: true,
            can_resize_vertically: true,
            strategy: AspectRatioStrategy::Disregard,
        })
    }

    fn adjust_size(&self, size: GuiSize) -> Option<GuiSize> {
        let size = NativeSize::new(size.width, size.height);
        shielded(|| size_of(self.editor.fitting(size)))
    }

    fn set_size(&self, size: GuiSize) -> Result<(), PluginError> {
        let size = NativeSize::new(size.width, size.height);
        self.with(|open| open.handle.set_size(size, &open.window))
    }

    fn set_parent(&self, window: Window) -> Result<(), PluginError> {
        if window.api_type() != KIND {
            return Err(EditorError::Foreign.into());
        }
        let parent = parent_of(window.as_generic_ptr()).ok_or(EditorError::Foreign)?;
        self.with(|open| open.handle.set_parent(parent, &open.window))
    }

    fn set_transient(&self, _: Window) -> Result<(), PluginError> {
        Err(PluginError::Message("the editor does not float"))
    }

    fn show(&self) -> Result<(), PluginError> {
        self.with(|open| open.handle.show(&open.window))
    }

    fn hide(&self) -> Result<(), PluginError> {
        self.with(|open| open.handle.hide(&open.window))
    }
}
