//! What a plugin may ask this host for, and what it told it.

use std::ffi::CStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::log::{HostLog, HostLogImpl, LogSeverity};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::preset_discovery::{HostPresetLoad, HostPresetLoadImpl};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_host::prelude::*;

/// What became of a preset that was to be loaded: its key or file, and what the plugin said.
#[derive(Debug, Clone, PartialEq)]
pub enum PresetNews {
    Loaded(String),
    Error(String, i32, String),
}

/// What the plugin asked its host for.
#[derive(Default)]
pub struct Asked {
    pub restarts: AtomicUsize,
    pub callbacks: AtomicUsize,
    pub flushes: AtomicUsize,
    pub rescans: AtomicUsize,
    /// How often the project was said to be another.
    pub dirty: AtomicUsize,
    pub presets: Mutex<Vec<PresetNews>>,
    pub log: Mutex<Vec<String>>,
    /// The size that it wanted last.
    pub size: Mutex<Option<GuiSize>>,
    /// No size is granted.
    pub is_strict: AtomicBool,
}

impl SharedHandler<'_> for Asked {
    fn request_restart(&self) {
        self.restarts.fetch_add(1, Ordering::SeqCst);
    }
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.callbacks.fetch_add(1, Ordering::SeqCst);
    }
}

impl HostGuiImpl for Asked {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, size: GuiSize) -> Result<(), HostError> {
        *self.size.lock().expect("no panic") = Some(size);
        if self.is_strict.load(Ordering::SeqCst) {
            return Err(HostError::Message("no"));
        }
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}

impl HostParamsImplShared for Asked {
    fn request_flush(&self) {
        self.flushes.fetch_add(1, Ordering::SeqCst);
    }
}

impl HostLogImpl for Asked {
    fn log(&self, _: LogSeverity, message: &str) {
        self.log.lock().expect("no panic").push(message.to_owned());
    }
}

pub struct MainThread<'a>(pub &'a Asked);

impl<'a> MainThreadHandler<'a> for MainThread<'a> {}

impl HostLatencyImpl for MainThread<'_> {
    fn changed(&self) {}
}

impl HostParamsImplMainThread for MainThread<'_> {
    fn rescan(&self, _: ParamRescanFlags) {
        self.0.rescans.fetch_add(1, Ordering::SeqCst);
    }

    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

impl HostStateImpl for MainThread<'_> {
    fn mark_dirty(&self) {
        self.0.dirty.fetch_add(1, Ordering::SeqCst);
    }
}

/// The key of a preset in the library, or its file.
fn name_of(location: Location, key: Option<&CStr>) -> String {
    let name = location.file_path().or(key).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl HostPresetLoadImpl for MainThread<'_> {
    fn on_error(
        &self,
        location: Location,
        key: Option<&CStr>,
        os_error: i32,
        message: Option<&CStr>,
    ) {
        let words = message.unwrap_or_default().to_string_lossy().into_owned();
        let news = PresetNews::Error(name_of(location, key), os_error, words);
        self.0.presets.lock().expect("no panic").push(news);
    }

    fn loaded(&self, location: Location, key: Option<&CStr>) {
        let news = PresetNews::Loaded(name_of(location, key));
        self.0.presets.lock().expect("no panic").push(news);
    }
}

pub struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Asked;
    type MainThread<'a> = MainThread<'a>;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Asked) {
        builder.register::<HostGui>();
        builder.register::<HostLatency>();
        builder.register::<HostLog>();
        builder.register::<HostParams>();
        builder.register::<HostPresetLoad>();
        builder.register::<HostState>();
    }
}
