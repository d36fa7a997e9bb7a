//! The host's side of an editor: its frame, and the loop that it runs.

use std::sync::Mutex;

use nice_plug::wrapper::vst3::vst3::Steinberg::Linux::{
    FileDescriptor, IEventHandler, IEventHandlerTrait, IRunLoop, IRunLoopTrait, ITimerHandler,
    TimerInterval,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IPlugFrame, IPlugFrameTrait, IPlugView, IPlugViewContentScaleSupport,
    IPlugViewContentScaleSupportTrait, IPlugViewTrait, ViewRect, kPlatformTypeX11EmbedWindowID,
    kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};

/// What an editor may ask its host for.
#[derive(Default)]
pub struct Frame {
    /// The sizes that it asked for.
    asked: Mutex<Vec<(i32, i32)>>,
    /// No size is granted.
    pub is_strict: bool,
    handlers: Mutex<Vec<(ComPtr<IEventHandler>, FileDescriptor)>>,
}

impl Class for Frame {
    type Interfaces = (IPlugFrame, IRunLoop);
}

impl IPlugFrameTrait for Frame {
    unsafe fn resizeView(&self, view: *mut IPlugView, size: *mut ViewRect) -> tresult {
        // SAFETY: the editor gives itself and a size.
        let (view, rect) = unsafe { (ComRef::from_raw(view).expect("a view"), &mut *size) };
        let size = (rect.right - rect.left, rect.bottom - rect.top);
        self.asked.lock().expect("no panic").push(size);
        if self.is_strict {
            return kResultFalse;
        }
        // SAFETY: as hosts do it, from within.
        unsafe { view.onSize(rect) }
    }
}

impl IRunLoopTrait for Frame {
    unsafe fn registerEventHandler(
        &self,
        handler: *mut IEventHandler,
        fd: FileDescriptor,
    ) -> tresult {
        // SAFETY: the editor gives a handler, which is kept by a count of its own.
        let handler = unsafe { ComRef::from_raw(handler) }.expect("a handler");
        let mut handlers = self.handlers.lock().expect("no panic");
        handlers.push((handler.to_com_ptr(), fd));
        kResultOk
    }
    unsafe fn unregisterEventHandler(&self, handler: *mut IEventHandler) -> tresult {
        let mut handlers = self.handlers.lock().expect("no panic");
        let before = handlers.len();
        handlers.retain(|(known, _)| known.as_ptr() != handler);
        if handlers.len() < before {
            kResultOk
        } else {
            kResultFalse
        }
    }
    unsafe fn registerTimer(&self, _: *mut ITimerHandler, _: TimerInterval) -> tresult {
        kResultFalse
    }
    unsafe fn unregisterTimer(&self, _: *mut ITimerHandler) -> tresult {
        kResultFalse
    }
}

impl Frame {
    /// One turn of the host's loop.
    pub fn turn(&self) {
        let handlers: Vec<_> = {
            let handlers = self.handlers.lock().expect("no panic");
            let both = handlers.iter().map(|(handler, fd)| (handler.clone(), *fd));
            both.collect()
        };
        for (handler, fd) in handlers {
            let mut of = libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one descriptor, and a handler that this still has.
            unsafe {
                if libc::poll(&mut of, 1, 0) > 0 {
                    handler.onFDIsSet(fd);
                }
            }
        }
    }

    /// One that grants no size.
    pub fn strict() -> Self {
        Self {
            is_strict: true,
            ..Self::default()
        }
    }

    pub fn asked(&self) -> Vec<(u32, u32)> {
        let asked = self.asked.lock().expect("no panic");
        asked
            .iter()
            .map(|size| (size.0 as u32, size.1 as u32))
            .collect()
    }

    pub fn handlers(&self) -> usize {
        self.handlers.lock().expect("no panic").len()
    }
}

/// Opens an editor in a window, as hosts do.
pub fn attach(view: &ComPtr<IPlugView>, frame: Option<&ComWrapper<Frame>>, window: u32) -> tresult {
    // SAFETY: the frame and the window are there until the editor is closed.
    unsafe {
        let kind = kPlatformTypeX11EmbedWindowID;
        assert_eq!(view.isPlatformTypeSupported(kind), kResultOk);
        if let Some(frame) = frame {
            let frame = frame.to_com_ptr::<IPlugFrame>().expect("it is");
            assert_eq!(view.setFrame(frame.as_ptr()), kResultOk);
        }
        view.attached(window as usize as *mut _, kind)
    }
}

/// Closes it.
pub fn remove(view: &ComPtr<IPlugView>) -> tresult {
    // SAFETY: as hosts do it.
    unsafe {
        let done = view.removed();
        view.setFrame(std::ptr::null_mut());
        done
    }
}

fn rect((width, height): (i32, i32)) -> ViewRect {
    ViewRect {
        left: 0,
        top: 0,
        right: width,
        bottom: height,
    }
}

/// The host has made its window so large.
pub fn resize(view: &ComPtr<IPlugView>, size: (i32, i32)) -> tresult {
    // SAFETY: a size of the host's.
    unsafe { view.onSize(&mut rect(size)) }
}

/// How large it is.
pub fn size(view: &ComPtr<IPlugView>) -> (u32, u32) {
    let mut found = rect((0, 0));
    // SAFETY: a place for the answer.
    assert_eq!(unsafe { view.getSize(&mut found) }, kResultOk);
    (found.right as u32, found.bottom as u32)
}

/// The host says how large it draws.
pub fn scale(view: &ComPtr<IPlugView>, scale: f32) -> tresult {
    let view: ComPtr<IPlugViewContentScaleSupport> = view.cast().expect("it may be scaled");
    // SAFETY: a number.
    unsafe { view.setContentScaleFactor(scale) }
}
