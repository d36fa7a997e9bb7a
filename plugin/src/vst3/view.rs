//! The editor's window, as a VST3 host calls it: what is in it is `editor/`'s.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{Editor as _, EditorHandle, SpawnedEditor};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport,
    IPlugViewContentScaleSupportTrait, IPlugViewTrait, TBool, ViewRect, char16, int16,
    kInternalError, kInvalidArgument, kNotImplemented, kPlatformTypeHWND, kPlatformTypeNSView,
    kPlatformTypeX11EmbedWindowID, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};

use super::bell::Bell;
use super::link::Link;
use crate::editor::{Handle, parent_of};
use crate::hand::hands_of;
use crate::shield::shielded;

/// The kind of window that this system has.
const KIND: FIDString = if cfg!(target_os = "windows") {
    kPlatformTypeHWND
} else if cfg!(target_os = "macos") {
    kPlatformTypeNSView
} else {
    kPlatformTypeX11EmbedWindowID
};

/// One view of an instance's editor. It opens with [`attached`](IPlugViewTrait::attached).
pub(super) struct View {
    link: Arc<Link>,
    /// This, as hosts know it; it has no count of its own.
    this: AtomicPtr<IPlugView>,
    frame: Mutex<Option<ComPtr<IPlugFrame>>>,
    bell: Mutex<Option<Arc<Bell>>>,
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport);
}

/// An editor that is open in a host's window.
pub(super) struct Stage {
    editor: Arc<Spawned>,
    frame: Option<ComPtr<IPlugFrame>>,
    view: ComPtr<IPlugView>,
}

impl Stage {
    /// `[any]` What is in it.
    pub(super) fn editor(&self) -> Arc<Spawned> {
        Arc::clone(&self.editor)
    }
}

/// The editor itself.
pub(super) struct Spawned(SpawnedEditor<Handle>);

// SAFETY: all of it may go from thread to thread but the window's `dyn HostCallbacks`, whose type does not say
// so: it is `hand`'s, which may. It is used by `on_main_thread` alone, which `Link` calls for one thread after
// the other.
unsafe impl Send for Spawned {}
// SAFETY: as above.
unsafe impl Sync for Spawned {}

impl Spawned {
    /// `[main]` Tells the host what waits.
    pub(super) fn on_main_thread(&self) {
        self.0.handle.host_main_thread_callback(&self.0.window);
    }
}

impl Link {
    /// `[main]` Asks the host of the view that is open for a size, in pixels; whether it grants that.
    pub(super) fn resize_view(&self, size: NativeSize<u32>) -> bool {
        // Not held while the host is asked: it may set the size here and now.
        let of_stage = |stage: &Stage| Some((stage.frame.clone()?, stage.view.clone()));
        let Some((frame, view)) = self.stage().as_ref().and_then(of_stage) else {
            return false;
        };
        let mut rect = ViewRect {
            left: 0,
            top: 0,
            right: size.width as i32,
            bottom: size.height as i32,
        };
        // SAFETY: an object of the host's, on its main thread; the view is there for the call.
        let done = unsafe { frame.resizeView(view.as_ptr(), &mut rect) };
        done == kResultOk
    }
}

fn size_of(rect: ViewRect) -> Option<NativeSize<u32>> {
    let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
    (width > 0 && height > 0).then(|| NativeSize::new(width as u32, height as u32))
}

impl View {
    /// `[main]` A view that is not open yet.
    pub(super) fn make(link: Arc<Link>) -> Option<ComPtr<IPlugView>> {
        let view = ComWrapper::new(Self {
            link,
            this: AtomicPtr::new(std::ptr::null_mut()),
            frame: Mutex::default(),
            bell: Mutex::default(),
        });
        let this = view.to_com_ptr::<IPlugView>()?;
        view.this.store(this.as_ptr(), Ordering::Relaxed);
        Some(this)
    }

    fn frame(&self) -> MutexGuard<'_, Option<ComPtr<IPlugFrame>>> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is open, if it is this view's.
    fn open_editor(&self) -> Option<Arc<Spawned>> {
        let stage = self.link.stage();
        let stage = stage.as_ref()?;
        (stage.view.as_ptr() == self.this.load(Ordering::Relaxed)).then(|| stage.editor())
    }

    fn open(&self, window: *mut c_void) -> tresult {
        let link = &self.link;
        let Some(parent) = parent_of(window) else {
            return kInvalidArgument;
        };
        if link.stage().is_some() {
            return kResultFalse;
        }
        // SAFETY: it is this, and a host has it at this moment.
        let view = unsafe { ComRef::from_raw(self.this.load(Ordering::Relaxed)) };
        let Some(view) = view.map(|view| view.to_com_ptr()) else {
            return kInternalError;
        };
        let (hand, methods) = hands_of(link);
        let editor = link.editor();
        let Ok(opened) = editor.spawn(Some(parent), false, None, hand, Some(methods)) else {
            return kResultFalse;
        };
        if opened.handle.show(&opened.window).is_err() {
            return kResultFalse;
        }
        let frame = self.frame().clone();
        #[allow(clippy::arc_with_non_send_sync)] // `Spawned` is both.
        let editor = Arc::new(Spawned(opened));
        *link.stage() = Some(Stage {
            editor,
            frame,
            view,
        });
        kResultOk
    }

    fn close(&self) -> tresult {
        if self.open_editor().is_none() {
            return kResultFalse;
        }
        let stage = self.link.stage().take();
        drop(stage);
        kResultOk
    }

    fn hang(&self, frame: Option<ComRef<'_, IPlugFrame>>) {
        let bell = frame.and_then(|frame| Bell::hang(&frame, Arc::downgrade(&self.link)));
        let bell = bell.map(Arc::new);
        let mut hung = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *hung, bell.clone());
        drop(hung);
        self.link.hang(bell, before.as_ref());
    }

    /// Does something with what is open.
    fn with(&self, work: impl FnOnce(&SpawnedEditor<Handle>) -> bool) -> tresult {
        let done = shielded(|| self.open_editor().is_some_and(|editor| work(&editor.0)));
        if done == Some(true) {
            kResultOk
        } else {
            kResultFalse
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        shielded(|| self.hang(None));
    }
}

// What a host gives is as VST3 says: null, or what is asked for.
impl IPlugViewTrait for View {
    unsafe fn isPlatformTypeSupported(&self, kind: FIDString) -> tresult {
        // SAFETY: both are texts that end.
        if !kind.is_null() && unsafe { CStr::from_ptr(kind) == CStr::from_ptr(KIND) } {
            kResultOk
        } else {
            kResultFalse
        }
    }

    unsafe fn attached(&self, window: *mut c_void, kind: FIDString) -> tresult {
        // SAFETY: see above.
        if unsafe { self.isPlatformTypeSupported(kind) } != kResultOk {
            return kInvalidArgument;
        }
        shielded(|| self.open(window)).unwrap_or(kInternalError)
    }

    unsafe fn removed(&self) -> tresult {
        shielded(|| self.close()).unwrap_or(kInternalError)
    }

    unsafe fn onWheel(&self, _: f32) -> tresult {
        kNotImplemented
    }

    // Keys come to the screen's own window.
    unsafe fn onKeyDown(&self, _: char16, _: int16, _: int16) -> tresult {
        kResultFalse
    }

    unsafe fn onKeyUp(&self, _: char16, _: int16, _: int16) -> tresult {
        kResultFalse
    }

    unsafe fn getSize(&self, size: *mut ViewRect) -> tresult {
        if size.is_null() {
            return kInvalidArgument;
        }
        let is = self.link.editor().size();
        let rect = ViewRect {
            left: 0,
            top: 0,
            right: is.width as i32,
            bottom: is.height as i32,
        };
        // SAFETY: it is not null, and then a place.
        unsafe { size.write(rect) };
        kResultOk
    }

    unsafe fn onSize(&self, size: *mut ViewRect) -> tresult {
        if size.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: it is not null, and then the host's.
        match size_of(unsafe { *size }) {
            Some(size) => self.with(|open| open.handle.set_size(size, &open.window).is_ok()),
            None => kResultFalse,
        }
    }

    unsafe fn onFocus(&self, _: TBool) -> tresult {
        kNotImplemented
    }

    unsafe fn setFrame(&self, frame: *mut IPlugFrame) -> tresult {
        // SAFETY: see above.
        let frame = unsafe { ComRef::from_raw(frame) };
        shielded(|| {
            self.hang(frame);
            let frame = frame.map(|frame| frame.to_com_ptr());
            let before = std::mem::replace(&mut *self.frame(), frame);
            drop(before);
        });
        kResultOk
    }

    unsafe fn canResize(&self) -> tresult {
        kResultOk
    }

    unsafe fn checkSizeConstraint(&self, rect: *mut ViewRect) -> tresult {
        if rect.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: it is not null, and then the host's.
        let wanted = unsafe { *rect };
        let Some(size) = size_of(wanted) else {
            return kResultFalse;
        };
        let fitting = shielded(|| self.link.editor().fitting(size)).unwrap_or(size);
        let fitting = ViewRect {
            right: wanted.left + fitting.width as i32,
            bottom: wanted.top + fitting.height as i32,
            ..wanted
        };
        // SAFETY: as above.
        unsafe { rect.write(fitting) };
        kResultOk
    }
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, scale: f32) -> tresult {
        if !scale.is_finite() || scale <= 0.0 {
            return kInvalidArgument;
        }
        let scale = f64::from(scale);
        if self.open_editor().is_none() {
            shielded(|| self.link.editor().say_scale(scale));
            return kResultOk;
        }
        self.with(|open| {
            let said = open.handle.set_fallback_scale_factor(scale, &open.window);
            said.is_ok()
        })
    }
}
